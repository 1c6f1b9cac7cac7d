{{ config(pre_hook="{{ keep_to_filters() }}") }}

with frames as (
    {{ new_frames("coinbase_frames", "sent_at", "channel in ('l2_data', 'snapshot', 'l2update')") }}
),

events as (
    select
        frame_number,
        segment_number,
        line,
        sent_at,
        unnest(coalesce(nullif(events, []), [null])) as event,
        unnest(range(1, greatest(len(events), 1) + 1)) as event_number,
    from (
        select
            *,
            case channel
                when 'l2_data' then from_json(payload::json -> '$.events', '{{ level2_events() }}')
                else [{{ exchange_feed_event("payload", "channel") }}]
            end as events,
        from frames
    )
),

-- An event without updates keeps a row: the frame has named the product.
updates as (
    select
        * exclude (event),
        event.product_id as product_id,
        event.type as event_type,
        event.updates is null as is_unreadable,
        unnest(coalesce(nullif(event.updates, []), [null])) as change,
        unnest(range(1, greatest(len(event.updates), 1) + 1)) as place,
    from events
    {% if var("symbol") %}where event.product_id = {{ quoted(var("symbol")) }} or event.product_id is null{% endif %}
),

typed as (
    select
        frame_number,
        (event_number << 32) + place as update_number,
        segment_number,
        line,
        product_id,
        event_type = 'snapshot' as is_snapshot,
        case lower(change.side) when 'bid' then 'bid' when 'offer' then 'ask' end as side,
        {{ as_finite("change.price_level") }} as price,
        {{ as_finite("change.new_quantity") }} as size,
        {{ as_units("change.price_level") }} as price_ticks,
        {{ as_units("change.new_quantity") }} as size_lots,
        {{ as_utc("change.event_time") }} as event_at,
        sent_at,
        product_id is null or event_type not in ('snapshot', 'update') or is_unreadable
        or (
            change is not null
            and not coalesce(
                side is not null and price_ticks between 1 and {{ highest_price_ticks() }} and size_lots >= 0, false
            )
        )
            as is_rejected,
        change,
        event_type,
    from updates
)

select
    * exclude (is_rejected, change, event_type),
    case
        when not is_rejected then []
        else {{ level2_rejections() }}
    end as rejections,
from typed
