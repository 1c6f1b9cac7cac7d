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
        {% if var("limit_rows") -%}
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
    further than the build before, so that all tables stop at the same frame. -#}
{% macro set_last_frame() %}
    create table if not exists bronze.last_frame as select -1::bigint as frame_number;
    {% if flags.FULL_REFRESH -%}
    update bronze.last_frame set frame_number = -1;
    {% endif -%}
    {% if var("limit_rows") -%}
    update bronze.last_frame set frame_number = coalesce((
        select max(frame_number)
        from (
            {% for table in segment_tables() if table != "segments" -%}
            {{ "union all" if not loop.first }}
            select frame_number
            from raw.{{ table }}
            where frame_number > (select frame_number from bronze.last_frame)
            {% endfor -%}
            order by frame_number
            limit {{ var("limit_rows") | int }}
        )
    ), frame_number);
    {% endif -%}
{% endmacro %}


{#- A text of the user's as an SQL literal. -#}
{% macro quoted(text) -%} '{{ (text | string).replace("'", "''") }}' {%- endmacro %}

{% macro day_of(name) -%}
    {%- set day = var(name) | string -%}
    {%- if not modules.re.fullmatch("\\d{4}-\\d{2}-\\d{2}", day) -%}
        {%- do exceptions.raise_compiler_error(name ~ ": " ~ day ~ " is not a day such as 2026-08-09.") -%}
    {%- endif -%}
    {{ day }}
{%- endmacro %}


{#- A warehouse is built with the same filters from run to run: a model that has passed over a frame
    would never come back to it. So the first build of a model remembers its filters, and another
    build with others stops, unless it starts afresh. -#}
{% macro keep_to_filters() %}
    {% set filters = [] %}
    {% for name in ["exchange", "symbol", "start_date", "end_date"] if var(name) %}
        {% do filters.append(name ~ "=" ~ var(name)) %}
    {% endfor %}
    {% set chosen = filters | join(", ") or "no filter" %}
    {% if execute %}
        {% if is_incremental() %}
            {% set known = run_query(
                "select filters from bronze.order_book_filters where model = '" ~ this.identifier ~ "'"
            ).rows %}
            {% if known and known[0][0] != chosen %}
                {% do exceptions.raise_compiler_error(
                    this ~ " was built with " ~ known[0][0] ~ ", and now is asked for " ~ chosen
                    ~ ". Frames that the one passes over the other would never see. Build with the same"
                    ~ " filters, or everything anew (--full-refresh), or into another warehouse."
                ) %}
            {% endif %}
        {% endif %}
    {% endif %}
    delete from bronze.order_book_filters where model = '{{ this.identifier }}';
    insert into bronze.order_book_filters values ('{{ this.identifier }}', {{ quoted(chosen) }})
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
