{#- The frames of a raw table that this model has not taken yet, and that its filters want.

    Frames are numbered in the order of loading, so that what is new is told without a clock. Only
    complete loads count. The filters prune: times by the table's own minima and maxima, symbols by
    a search in the text, before any JSON is read. -#}
{% macro new_frames(table, time, condition="true") %}
    select *
    from {{ source("raw", table) }}
    where
        {{ condition }}
        and _dlt_load_id in (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0)
        {% if is_incremental() -%}
        and frame_number > (select coalesce(max(frame_number), -1) from {{ this }})
        {% endif -%}
        and {{ is_in_days(time) }}
        {% if var("exchange") -%}
        and {{ "exchange" if table.startswith("ccxt") else "'coinbase'" }} = {{ quoted(var("exchange")) }}
        {% endif -%}
        {% if var("symbol") -%}
        and {{ "symbol = " ~ quoted(var("symbol")) if table.startswith("ccxt")
            else "contains(payload, " ~ quoted('"' ~ var("symbol") ~ '"') ~ ")" }}
        {% endif -%}
        {% if var("limit_rows") | int -%}
        and frame_number <= (select frame_number from bronze.last_frame)
        {% endif -%}
{% endmacro %}


{#- Whether a time lies in the chosen days. What has no time is kept: the older feed's snapshots have none. -#}
{% macro is_in_days(time) -%}
    {%- set bounds = [] -%}
    {%- if var("start_date") -%}
        {%- do bounds.append(time ~ " >= date '" ~ day_of("start_date") ~ "'") -%}
    {%- endif -%}
    {%- if var("end_date") -%}
        {%- do bounds.append(time ~ " < date '" ~ day_of("end_date") ~ "' + 1") -%}
    {%- endif -%}
    {{ "coalesce(" ~ bounds | join(" and ") ~ ", true)" if bounds else "true" }}
{%- endmacro %}


{#- Sets, before a build, the last frame that it takes: with limit_rows so many frames of all feeds
    further than the build before, so that all tables stop at the same frame; else all there are. -#}
{% macro set_last_frame() %}
    create table if not exists bronze.last_frame as select -1::bigint as frame_number;
    {% if flags.FULL_REFRESH -%}
    update bronze.last_frame set frame_number = -1;
    {% endif -%}
    {% set limit = var("limit_rows") | string -%}
    {% if not modules.re.fullmatch("\\d+", limit) -%}
        {%- do exceptions.raise_compiler_error(
            "limit_rows: " ~ limit ~ " is not a number of frames, such as 100000 (0: all)."
        ) -%}
    {% endif -%}
    update bronze.last_frame set frame_number = coalesce((
        select max(frame_number)
        from (
            {% for table in segment_tables() if table != "segments" -%}
            {{ "union all" if not loop.first }}
            select frame_number
            from raw.{{ table }}
            where frame_number > (select frame_number from bronze.last_frame)
            {% endfor -%}
            {% if limit | int -%}
            order by frame_number
            limit {{ limit }}
            {%- endif %}
        )
    ), frame_number);
{% endmacro %}


{#- A text of the user's as an SQL literal. -#}
{% macro quoted(text) -%} '{{ (text | string).replace("'", "''") }}' {%- endmacro %}

{% macro day_of(name) -%}
    {%- set day = var(name) | string -%}
    {%- set is_day = modules.re.fullmatch("\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])", day) -%}
    {%- set first = modules.datetime.date(day[:4] | int, day[5:7] | int, 1) if is_day -%}
    {%- if not is_day or (first + modules.datetime.timedelta(days=day[8:] | int - 1)).month != first.month -%}
        {%- do exceptions.raise_compiler_error(name ~ ": " ~ day ~ " is not a day such as 2026-08-09.") -%}
    {%- endif -%}
    {{ day }}
{%- endmacro %}


{#- A warehouse is built with the same filters from run to run: a model that has passed over a frame
    would never come back to it. -#}
{% macro keep_to_filters() %}
    {{ return(keep_to(["exchange", "symbol", "start_date", "end_date"], "filter")) }}
{% endmacro %}


{#- The first build of a model remembers these vars, and a later one with others stops, unless it starts
    afresh: rows of the one and of the other would stand side by side. -#}
{% macro keep_to(names, about="setting") %}
    {% set values = [] %}
    {% for name in names if var(name) %}
        {% do values.append(name ~ "=" ~ var(name)) %}
    {% endfor %}
    {% set chosen = values | join(", ") or "no " ~ about %}
    {% if execute %}
        {% if is_incremental() %}
            {% set known = run_query(
                "select chosen from bronze.kept_vars where model = '" ~ this.identifier
                ~ "' and about = '" ~ about ~ "'"
            ).rows %}
            {% if known and known[0][0] != chosen %}
                {% do exceptions.raise_compiler_error(
                    this ~ " was built with " ~ known[0][0] ~ ", and now is asked for " ~ chosen
                    ~ ". The rows there are would not follow. Build with the same, or everything anew"
                    ~ " (--full-refresh), or into another warehouse."
                ) %}
            {% endif %}
        {% endif %}
    {% endif %}
    delete from bronze.kept_vars where model = '{{ this.identifier }}' and about = '{{ about }}';
    insert into bronze.kept_vars values ('{{ this.identifier }}', '{{ about }}', {{ quoted(chosen) }})
{% endmacro %}


{#- Of one feed, whether a frame comes after all that this model holds of it: each table may be filled
    up to another frame. -#}
{% macro is_new_frame(feed) -%}
    {%- if is_incremental() -%}
    frame_number > (select coalesce(max(held.frame_number), -1) from {{ this }} as held where held.feed = '{{ feed }}')
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}


{#- The highest number this model has given; a new row's number goes on from it. -#}
{% macro highest_held(number) -%}
    {%- if is_incremental() -%}
    (select coalesce(max(held.{{ number }}), 0) from {{ this }} as held)
    {%- else -%}
    0
    {%- endif -%}
{%- endmacro %}
