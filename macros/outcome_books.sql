{#- What one outcome's levels are for the other: a bid of 40 cents for NO is an offer of YES at 60. -#}
{% macro opposite_levels(levels) -%}
    list_transform(
            {{ levels }}, lambda entry: struct_pack(price := cast(1 - entry.price as decimal(12, 8)), size := entry.size)
        )
{%- endmacro %}


{#- Why a book cannot be priced from; null when it can. -#}
{% macro book_problem() -%}
    case
            when is_gone then 'the venue sent none'
            when len(rejections) > 0 then rejections[1].field || ': ' || rejections[1].reason
            when len(list_filter(sent_levels, lambda entry: entry.price <= 0 or entry.price >= 1)) > 0
                then 'a price that is not between 0 and 1'
            when len(list_filter(sent_levels, lambda entry: entry.size < 0)) > 0 then 'a negative size'
            when len(list_filter(sent_levels, lambda entry: not {{ is_on_grid("entry.price") }})) > 0
                then 'a price off the tick grid'
            when {{ has_price_twice("bids") }} or {{ has_price_twice("asks") }} then 'a price told twice'
            when best_bid_price >= best_ask_price then 'crossed'
        end
{%- endmacro %}


{#- A market whose grid is not known keeps to whole hundredths of a cent. -#}
{% macro is_on_grid(price) -%}
    case
                    when price_grid is null then {{ price }} % 0.0001 = 0
                    else len(list_filter(
                        price_grid,
                        lambda part: {{ price }} between part.starts_at and part.ends_at
                        and ({{ price }} - part.starts_at) % part.step = 0
                    )) > 0
                end
{%- endmacro %}


{#- Whether two levels of a side have one price: nobody knows whether they add up. -#}
{% macro has_price_twice(levels) -%}
    len({{ prices_of(levels) }}) != len(list_distinct({{ prices_of(levels) }}))
{%- endmacro %}


{% macro prices_of(levels) -%}
    list_transform(list_filter({{ levels }}, lambda entry: entry.size > 0), lambda entry: entry.price)
{%- endmacro %}


{#- The best price of a side; a level without size is none. -#}
{% macro best_price(levels, best) -%}
    list_{{ best }}({{ prices_of(levels) }})
{%- endmacro %}
