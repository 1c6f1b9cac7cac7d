{#- Reading a venue's JSON: text in, a typed value or null out; the reason of a null that should not
    be one goes into the record's `rejections`. -#}

{#- The fields of a JSON object as DuckDB's JSON functions want them named. -#}
{% macro json_structure(fields) -%}
    { {%- for field in fields %}"{{ field }}":"VARCHAR"{{ "," if not loop.last }}{% endfor -%} }
{%- endmacro %}

{#- Every named field of the payload as text, read in one pass over the document. -#}
{% macro json_fields(payload, fields) -%}
    json_transform({{ payload }}, '{{ json_structure(fields) }}')
{%- endmacro %}


{% macro as_price(text) -%} try_cast({{ text }} as decimal(12, 8)) {%- endmacro %}
{#- A quote of 0 or of 1 is a missing one: nobody bids, or nobody offers. -#}
{% macro as_quote(text) -%} nullif(nullif({{ as_price(text) }}, 0), 1) {%- endmacro %}
{% macro as_quantity(text) -%} try_cast({{ text }} as decimal(28, 8)) {%- endmacro %}
{% macro as_boolean(text) -%} try_cast({{ text }} as boolean) {%- endmacro %}

{#- The levels of one side of a book, in the venue's order: pairs of price and size on Kalshi, objects
    on Polymarket. No side is an empty one. -#}
{% macro as_levels(text, price, size) -%}
    list_transform(
        coalesce(try_cast(json_extract({{ text }}, '$[*]') as json []), []),
        lambda entry: struct_pack(
            price := {{ as_price("entry ->> '" ~ price ~ "'") }}, size := {{ as_quantity("entry ->> '" ~ size ~ "'") }}
        )
    )
{%- endmacro %}

{#- Which prices can be bid: from start to end in steps. -#}
{% macro as_price_grid(text) -%}
    list_transform(
        try_cast({{ text }} as json []),
        lambda entry: struct_pack(
            starts_at := {{ as_price("entry ->> 'start'") }},
            ends_at := {{ as_price("entry ->> 'end'") }},
            step := {{ as_price("entry ->> 'step'") }}
        )
    )
{%- endmacro %}

{% macro reject_broken_levels(field, text, levels) -%}
    case
        when {{ text }} is not null and json_type({{ text }}) not in ('ARRAY', 'NULL')
            then {{ rejection(field, text, "not a list of levels") }}
        when len(list_filter({{ levels }}, lambda entry: entry.price is null or entry.size is null)) > 0
            then {{ rejection(field, text, "a level without price or size") }}
    end
{%- endmacro %}

{#- UTC, naive. A time of year 1 is a venue's way to say "none". -#}
{% macro as_utc(text) -%}
    nullif(try_cast({{ text }} as timestamptz) at time zone 'UTC', timestamp '0001-01-01 00:00:00')
{%- endmacro %}

{% macro as_text_list(text) -%}
    try_cast(try_cast({{ text }} as json) as varchar [])
{%- endmacro %}


{% macro rejection(field, value, reason) -%}
    struct_pack(field := '{{ field }}', value := left({{ value }}, 200), reason := '{{ reason }}')
{%- endmacro %}

{#- Whether this field was turned away, whatever else was. -#}
{% macro is_field_rejected(field) -%}
    list_contains(list_transform(rejections, lambda entry: entry.field), '{{ field }}')
{%- endmacro %}

{% macro reject_missing(field, text) -%}
    case when {{ text }} is null or trim({{ text }}) = '' then {{ rejection(field, text, "missing") }} end
{%- endmacro %}

{#- The id by which the record was landed: true, a list or an object is none. -#}
{% macro reject_missing_id(field, text) -%}
    case when external_id is null or trim({{ text }}) = '' then {{ rejection(field, text, "missing") }} end
{%- endmacro %}

{#- There is a text, but the cast did not understand it. -#}
{% macro reject_untyped(field, text, typed, what) -%}
    case when {{ text }} is not null and {{ typed }} is null then {{ rejection(field, text, "not " ~ what) }} end
{%- endmacro %}

{% macro reject_outside(field, text, typed, low, high) -%}
    case
        when {{ text }} is not null and {{ typed }} is null then {{ rejection(field, text, "not a number") }}
        when {{ typed }} not between {{ low }} and {{ high }}
            then {{ rejection(field, text, "not " ~ (low if low == high else "between " ~ low ~ " and " ~ high)) }}
    end
{%- endmacro %}

{% macro reject_unknown(field, text, known) -%}
    case
        when {{ text }} is not null and {{ text }} not in ({% for word in known %}'{{ word }}'{{ ", " if not loop.last }}{% endfor %})
            then {{ rejection(field, text, "unknown value") }}
    end
{%- endmacro %}

{#- A field that must be a JSON string and is something else (a venue's type has changed). -#}
{% macro reject_not_text(field, payload) -%}
    case
        when json_type({{ payload }}, '$.{{ field }}') not in ('VARCHAR', 'NULL')
            then {{ rejection(field, payload ~ " ->> '$." ~ field ~ "'", "not a text") }}
    end
{%- endmacro %}

{#- The reasons to turn a record away, an empty list when there is none. A tombstone has no fields
    and is never turned away. -#}
{% macro rejections(checks) -%}
    case
        when is_gone then []
        else list_filter([
            {% for check in checks -%}
            {{ check }}{{ "," if not loop.last }}
            {% endfor -%}
        ], lambda entry: entry is not null)
    end
{%- endmacro %}
