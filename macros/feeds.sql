{#- Typing what order-book feeds send: numbers are doubles, the nearest to the venue's decimals. -#}

{#- Null for what is no number, NaN and infinity included. -#}
{% macro as_finite(text) -%}
    if(isfinite(try_cast({{ text }} as double)), try_cast({{ text }} as double), null)
{%- endmacro %}

{#- Null unless it is a price or a size that can be: above zero, and not so large or so small that a
    product or a quotient of two would leave what doubles and the bars' sums hold. -#}
{% macro as_positive(text) -%}
    if(try_cast({{ text }} as double) between 1e-15 and 1e15, try_cast({{ text }} as double), null)
{%- endmacro %}

{#- Null for a time outside the calendar, infinity included, which no bar could hold. -#}
{% macro in_calendar(time) -%}
    if({{ time }} < timestamp '9999-01-01' and {{ time }} >= timestamp '0001-01-02', {{ time }}, null)
{%- endmacro %}

{#- Null for a time before 2009, when no coin was traded, or more than a day after it was told: seconds or
    microseconds in place of milliseconds, or a clock that is wrong. -#}
{% macro told_by(told_at, time) -%}
    if({{ time }} < timestamp '2009-01-01' or {{ time }} > {{ told_at }} + interval 1 day, null, {{ in_calendar(time) }})
{%- endmacro %}

{#- An exchange's time of what was captured. -#}
{% macro from_milliseconds(text) -%}
    {{ told_by("captured_at", "try(make_timestamp(try_cast(" ~ text ~ " as bigint) * 1000))") }}
{%- endmacro %}

{% macro reject_milliseconds(field, text) -%}
    {{ reject_untyped(field, "nullif(trim(" ~ text ~ "), '')", from_milliseconds(text),
        "a time in ms from 2009 to a day after the capture") }}
{%- endmacro %}

{#- Coinbase's time of a trade or a ticker. -#}
{% macro from_coinbase_time(text) -%} {{ told_by("sent_at", as_utc(text)) }} {%- endmacro %}

{% macro reject_coinbase_time(field, text) -%}
    {{ reject_untyped(field, text, from_coinbase_time(text), "a time from 2009 to a day after the frame") }}
{%- endmacro %}

{#- A price or a size that must be there. -#}
{% macro reject_not_positive(field, text, typed) -%}
    case when {{ typed }} is null then {{ rejection(field, text, "not between 1e-15 and 1e15") }} end
{%- endmacro %}

{#- There is a text, and it is no price or size; 0 counts as none. -#}
{% macro reject_number(field, text, typed) -%}
    case
        when {{ text }} is not null and {{ typed }} is null and try_cast({{ text }} as double) is distinct from 0
            then {{ rejection(field, text, "not between 1e-15 and 1e15") }}
    end
{%- endmacro %}

{% macro feed_rejections(checks) -%}
    list_filter([
        {%- for check in checks %}
        {{ check }}{{ "," if not loop.last }}
        {%- endfor %}
    ], lambda entry: entry is not null)
{%- endmacro %}


{#- One side of a captured book: levels as objects, {"price": 1, "size": 2}, or as pairs, [1, 2]. A text
    that is no JSON must not stop a build, hence try_cast. -#}
{% macro ccxt_levels(text) -%}
    case
        when json_type(try_cast({{ text }} as json), '$[0]') = 'ARRAY'
            then list_transform(
                from_json(try_cast({{ text }} as json), '[["DOUBLE"]]'),
                lambda pair: struct_pack(price := pair[1], size := pair[2])
            )
        else coalesce(from_json(try_cast({{ text }} as json), '[{"price":"DOUBLE","size":"DOUBLE"}]'), [])
    end
{%- endmacro %}

{#- No list, or a level without a positive price and a size of zero or more. -#}
{% macro reject_levels(field, text) -%}
    case
        when trim({{ text }}) != '' and json_type(try_cast({{ text }} as json)) is distinct from 'ARRAY'
            then {{ rejection(field, text, "not a list of levels") }}
        when len(list_filter({{ ccxt_levels(text) }}, lambda level: not coalesce(
            level.price > 0 and level.size >= 0 and isfinite(level.price) and isfinite(level.size), false
        ))) > 0
            then {{ rejection(field, text, "a level without a price above 0 and a size") }}
    end
{%- endmacro %}


{#- The lines of a raw table of captures that were told before, in their segment or in another (one that grew,
    or was cut in another way), of the times of new frames. Whole lines are compared only where the times of
    capture are the same. -#}
{% macro repeated_lines(table, frames) -%}
    {%- set place = "exchange, symbol, captured_at" -%}
    with lines as (
        select *
        from {{ source("raw", table) }}
        where
            captured_at >= (select min({{ frames }}.captured_at) from {{ frames }})
            and captured_at <= (select max({{ frames }}.captured_at) from {{ frames }})
            and _dlt_load_id in (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0)
    ),

    shared as (
        select {{ place }}
        from lines
        group by all
        having count(*) > 1
    )

    select frame_number
    from lines
    where ({{ place }}) in (from shared)
    qualify row_number() over (partition by {{ place }}, payload order by frame_number) > 1
{%- endmacro %}

{% macro reject_repeated() -%}
    case
        when frame_number in (select repeated.frame_number from repeated)
            then {{ rejection("line", "line::varchar", "told before") }}
    end
{%- endmacro %}

{#- Whether a captured line is the first of its kind. -#}
{% macro is_told_once() -%}
    not {{ is_field_rejected("line") }}
{%- endmacro %}


{#- Levels of a replayed book, whole units of 1e-8, as the doubles nearest to the venue's decimals. -#}
{% macro in_decimals(levels) -%}
    list_transform({{ levels }}, lambda level: struct_pack(
        price := level.price_ticks / 1e8, size := level.size_lots / 1e8
    ))
{%- endmacro %}

{#- The levels of a captured side that have a size. -#}
{% macro present_levels(levels) -%}
    list_filter({{ levels }}, lambda level: level.size > 0)
{%- endmacro %}

{#- Whether a level stands behind a worse one, or beside one of its own price. -#}
{% macro is_unsorted(levels, behind) -%}
    len(list_filter(
        list_zip({{ levels }}[2:], {{ levels }}[:-2]), lambda pair: not coalesce(pair[1].price {{ behind }} pair[2].price, false)
    )) > 0
{%- endmacro %}


{#- What a trade is known by. Told again, it can have a time of other precision; and some venues begin
    anew with their numbers, hours or years later. -#}
{% macro trade_key(trade="") -%}
    {%- set of = trade ~ "." if trade else "" -%}
    {{ of }}exchange, {{ of }}symbol, {{ of }}trade_id, date_trunc('hour', {{ of }}traded_at)
{%- endmacro %}


{#- Whether an arrived trade is not held yet. -#}
{% macro is_not_told_before() -%}
    {%- if is_incremental() -%}
    not exists (
            select 1
            from {{ this }} as held
            where
                held.traded_at >= (select date_trunc('hour', min(told.traded_at)) from arrived as told)
                and ({{ trade_key("held") }}) = ({{ trade_key("arrived") }})
        )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
