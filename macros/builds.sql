{#- How many threads a query has: by default one for each core. A table of less than a row group is read
    by one of them, and who waits for it does so at full speed (DuckDB before 2.0). So where tables are
    small and others work beside, as in the tests, a build with one thread takes a fifth less time. -#}
{% macro set_duckdb_threads() %}
    {%- set threads = env_var("MARKETFINDER_DUCKDB_THREADS", "") %}
    {%- if threads and threads | int < 1 %}
    {%- do exceptions.raise_compiler_error("MARKETFINDER_DUCKDB_THREADS is '" ~ threads ~ "', not 1 or more") %}
    {%- endif %}
    {%- if threads %}set threads = {{ threads | int }}{% endif %}
{% endmacro %}


{#- The models behind the opportunities that are not of one build. A model is noted when a build starts
    that makes it, or what it reads, anew; a build that passed as a whole strikes out what it has made
    itself. So prices that are made of what a failed or killed build has left of matching are not
    trusted, nor are those of before matching was done anew. -#}
{% macro note_build_start() %}
    {%- set begun = begun_models() %}
    {%- if begun %}
    delete from raw.unfinished_builds where model in ('{{ begun | join("', '") }}');
    insert into raw.unfinished_builds by name
    select
        '{{ invocation_id }}' as build_id,
        unnest(['{{ begun | join("', '") }}']) as model,
        now() at time zone 'UTC' as started_at
    {%- endif %}
{% endmacro %}


{% macro note_build_end(results) %}
    {%- set bad = results | rejectattr("status", "in", ["success", "pass", "warn", "no-op"]) | list %}
    {%- set made = [] %}
    {%- for id in selected_resources if execute and id.startswith("model.") %}
        {%- do made.append(graph.nodes[id].name) %}
    {%- endfor %}
    {%- if made and not bad %}
    delete from raw.unfinished_builds where model in ('{{ made | join("', '") }}');
    {%- endif %}
    {%- if "opportunity_sightings" in made and not bad %}
    {#- What was seen is an opportunity of the past once all that it was made of has passed. #}
    update silver.opportunity_sightings set status = 'active', suspect_reasons = []
    where
        suspect_reasons = ['{{ not_passed() }}']
        and not exists (select 1 from raw.unfinished_builds)
        and sighted_at = (select clock.as_of from silver.pricing_clock as clock where not clock.is_past)
        and sighting_id in (select found.sighting_id from silver.found_opportunities as found)
    {%- endif %}
{% endmacro %}


{#- What speaks against a sighting of a build that is not done, or was killed or failed. -#}
{% macro not_passed() -%} its build has not passed {%- endmacro %}


{#- Of the models that opportunities are made of, and of themselves: those that this build makes, and
    all that read them, directly or not. -#}
{% macro begun_models() %}
    {%- set behind = ["model.marketfinder.opportunities"] if execute else [] %}
    {#- Either list grows while it is read, until nothing more is found. #}
    {%- for id in behind %}
        {%- for read in graph.nodes[id].depends_on.nodes if read.startswith("model.") and read not in behind %}
            {%- do behind.append(read) %}
        {%- endfor %}
    {%- endfor %}
    {%- set begun = behind | select("in", selected_resources) | list %}
    {%- for made in begun %}
        {%- for id in behind if id not in begun and made in graph.nodes[id].depends_on.nodes %}
            {%- do begun.append(id) %}
        {%- endfor %}
    {%- endfor %}
    {%- set names = [] %}
    {%- for id in begun %}{% do names.append(graph.nodes[id].name) %}{% endfor %}
    {{- return(names | sort) }}
{% endmacro %}
