{#- Coinbase names the side of the maker; who took the liquidity is the other one. -#}
{% macro aggressor(maker_side) -%}
    case lower({{ maker_side }}) when 'buy' then 'sell' when 'sell' then 'buy' end
{%- endmacro %}


{#- A decimal text as whole units of 1e-8, exact: null where it is no number, has more decimals, or
    is too large. Nearly every text takes the first branch, which is ten times as fast. -#}
{% macro as_units(text) -%}
    case
        when
            not contains(lower({{ text }}), 'e')
            and strlen({{ text }}) - coalesce(nullif(strpos({{ text }}, '.'), 0), strlen({{ text }})) <= 8
            then if({{ as_finite(text) }} is null, null, try_cast({{ text }} || 'e8' as bigint))
        when try_cast({{ text }} as decimal(38, 18)) = try_cast({{ text }} as decimal(28, 8))
            then try_cast(try_cast({{ text }} as decimal(28, 8)) * 100000000 as bigint)
    end
{%- endmacro %}


{#- The records in a list of the frames' events, and the messages of the older feed, which are records
    themselves; each with its place in the frame. Where a frame has no such list, because the format has
    moved on or a field is damaged, a record of nulls stands for it, so that it is turned away and shown. -#}
{% macro coinbase_records(list_name, channels, messages, fields) %}
    select
        * exclude (records),
        (event_number << 32) + unnest(range(1, coalesce(len(records), 1) + 1)) as record_number,
        unnest(coalesce(records, [null])) as record,
    from (
        select
            * exclude (events),
            unnest(range(1, coalesce(len(events), 1) + 1)) as event_number,
            unnest(coalesce(events, [null])).type as event_type,
            unnest(coalesce(events, [null])).{{ list_name }} as records,
        from (
            select
                * exclude (payload),
                from_json(
                    payload::json -> '$.events',
                    '[{"type":"VARCHAR","{{ list_name }}":[{{ json_structure(fields) }}]}]'
                ) as events,
            from frames
            where channel in ('{{ channels | join("', '") }}') and sequence_num is not null
        )
        union all
        select
            * exclude (payload),
            1 as event_number,
            channel as event_type,
            [from_json(payload, '{{ json_structure(fields) }}')] as records,
        from frames
        where channel in ('{{ messages | join("', '") }}') and sequence_num is null
    )
{% endmacro %}


{#- The events of an l2_data frame. -#}
{% macro level2_events() -%}
    [{"type":"VARCHAR","product_id":"VARCHAR","updates":[{{ json_structure(level2_fields()) }}]}]
{%- endmacro %}

{% macro level2_fields() %} {{ return(["side", "event_time", "price_level", "new_quantity"]) }} {% endmacro %}


{#- A message of the older Exchange feed as an event of the newer one. -#}
{% macro exchange_feed_event(payload, type) %}
    {% set message %}from_json({{ payload }}, '{"product_id":"VARCHAR","time":"VARCHAR","bids":[["VARCHAR"]],"asks":[["VARCHAR"]],"changes":[["VARCHAR"]]}'){% endset %}
    list_transform([{{ message }}], lambda message: struct_pack(
        type := case {{ type }} when 'snapshot' then 'snapshot' else 'update' end,
        product_id := message.product_id,
        updates := case {{ type }}
            when 'snapshot' then list_concat(
                list_transform(message.bids, lambda level: {{ exchange_feed_update("'bid'", "level", 1) }}),
                list_transform(message.asks, lambda level: {{ exchange_feed_update("'offer'", "level", 1) }})
            )
            else list_transform(message.changes, lambda level: {{ exchange_feed_update(
                "case level[1] when 'buy' then 'bid' when 'sell' then 'offer' end", "level", 2
            ) }})
        end
    ))[1]
{% endmacro %}

{% macro exchange_feed_update(side, level, price) -%}
    struct_pack(
        side := {{ side }},
        event_time := message.time,
        price_level := {{ level }}[{{ price }}],
        new_quantity := {{ level }}[{{ price + 1 }}]
    )
{%- endmacro %}


{#- 2^61: the replay takes no price above it. -#}
{% macro highest_price_ticks() -%} 2305843009213693952 {%- endmacro %}


{#- Why an update of a book is turned away. The book is not known from there to the next snapshot. -#}
{% macro level2_rejections() -%}
    {{ feed_rejections([
        reject_when("product_id is null", "product_id", "product_id", "missing"),
        reject_when(
            "event_type is null or event_type not in ('snapshot', 'update')", "type", "event_type", "unknown value"
        ),
        reject_when("change is null", "updates", "null::varchar", "missing"),
        reject_when("change is not null and side is null", "side", "change.side", "unknown value"),
        reject_units("price_level", "change.price_level", "price", "price_ticks", "price_ticks <= 0", "not positive"),
        reject_when("price_ticks > " ~ highest_price_ticks(), "price_level", "change.price_level", "above 23 billion"),
        reject_units("new_quantity", "change.new_quantity", "size", "size_lots", "size_lots < 0", "negative"),
    ]) }}
{%- endmacro %}

{% macro reject_when(condition, field, text, reason) -%}
    case when {{ condition }} then {{ rejection(field, text, reason) }} end
{%- endmacro %}

{% macro reject_units(field, text, number, units, is_outside, what) -%}
    case
        when change is null then null
        when {{ number }} is null
            then {{ rejection(field, text, "not a number") }}
        when {{ units }} is null then {{ rejection(field, text, "more than 8 decimals, or above 92 billion") }}
        when {{ is_outside }} then {{ rejection(field, text, what) }}
    end
{%- endmacro %}
