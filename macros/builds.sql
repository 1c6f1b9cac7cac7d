{#- Builds of the prediction markets that failed, or have not ended yet. A build notes itself when it
    starts and strikes itself out when all of it passed; one that makes opportunities anew strikes
    out all before it. What is left means: the tables are not all of one build. -#}
{% macro note_build_start() %}
    {%- if builds_prediction_markets() %}
    insert into raw.unfinished_builds values ('{{ invocation_id }}', now() at time zone 'UTC')
    {%- endif %}
{% endmacro %}


{% macro note_build_end(results) %}
    {%- set bad = results | selectattr("status", "in", ["error", "fail", "skipped"]) | list %}
    {%- if builds_prediction_markets() and not bad %}
    delete from raw.unfinished_builds
        {%- if "model.marketfinder.opportunities" not in selected_resources %}
        where build_id = '{{ invocation_id }}'
        {%- endif %}
    {%- endif %}
{% endmacro %}


{#- Whether any model of this half is built (a test alone builds nothing). -#}
{% macro builds_prediction_markets() %}
    {%- set found = [] %}
    {%- for name in selected_resources if execute and name.startswith("model.") %}
        {%- if "prediction_markets" in graph.nodes[name].tags %}{% do found.append(name) %}{% endif %}
    {%- endfor %}
    {{- return(found | length > 0) }}
{% endmacro %}
