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
            else may_name(var("symbol")) }}
        {% endif -%}
        and {{ is_within_limit("frame_number") }}
{% endmacro %}


{#- A segment's name as a text that sorts as segments are loaded: numbers in it by their value
    (ingestion.segments.sorted_name). -#}
{% macro sorted_name(name) -%}
    array_to_string(
            list_transform(
                regexp_extract_all({{ name }}, '[0-9]+|[^0-9]+'),
                lambda part: if(part[1] between '0' and '9', repeat('0', 20 - len(part)) || part, part)
            ),
            ''
        )
{%- endmacro %}


{#- Whether a build with limit_rows takes a frame. -#}
{% macro is_within_limit(frame_number) -%}
    {{ frame_number ~ " <= (select last.frame_number from bronze.last_frame as last)" if var("limit_rows") | int else "true" }}
{%- endmacro %}


{#- Whether a frame of Coinbase's may be about a product: it has the name, or spells one in another way,
    or names none, and will be turned away. -#}
{% macro may_name(symbol) -%}
    (
            contains(payload, {{ quoted('"' ~ symbol ~ '"') }})
            or contains(payload, '\')
            or not regexp_matches(payload, '"product_id"\s*:\s*"')
        )
{%- endmacro %}


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


{#- Sets, before a build with limit_rows, the last frame that it takes: so many frames of all feeds further
    than what is built, so that all tables stop at the same frame. -#}
{% macro set_last_frame() %}
    create table if not exists bronze.last_frame as select -1::bigint as frame_number;
    {% if flags.FULL_REFRESH -%}
    update bronze.last_frame set frame_number = -1;
    {% endif -%}
    {% if var("limit_rows") | int and flags.WHICH in ["build", "run"] -%}
    update bronze.last_frame set frame_number = coalesce((
        with built as (
            select greatest(
                (select frame_number from bronze.last_frame)
                {%- for name in models_of_frames() if execute and not flags.FULL_REFRESH and load_relation(name) %},
                (select max(frame_number) from {{ name }})
                {%- endfor %}
            ) as frame_number
        )

        select max(frame_number)
        from (
            {% for table in segment_tables() if table != "segments" -%}
            {{ "union all" if not loop.first }}
            select frame_number
            from raw.{{ table }}
            where frame_number > (select built.frame_number from built)
            {% endfor -%}
            order by frame_number
            limit {{ var("limit_rows") }}
        )
    ), frame_number);
    {% endif -%}
{% endmacro %}

{#- What reads the raw frames, each up to a frame of its own. -#}
{% macro models_of_frames() %}
    {% set bronze = ["coinbase_level2_updates", "coinbase_trades", "coinbase_tickers", "ccxt_order_books", "ccxt_trades", "ccxt_tickers"] %}
    {% set models = [] %}
    {% for name in bronze %}
        {% do models.append(api.Relation.create(target.database, "bronze", name)) %}
    {% endfor %}
    {{ return(models + [api.Relation.create(target.database, "silver", "sequenced_frames")]) }}
{% endmacro %}


{#- Says at once which days cannot be. -#}
{% macro check_order_book_vars() %}
    {% if var("start_date") and var("end_date") and day_of("start_date") > day_of("end_date") %}
        {{ exceptions.raise_compiler_error(
            "start_date: " ~ var("start_date") ~ " is after end_date, " ~ var("end_date") ~ "."
        ) }}
    {% endif %}
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
