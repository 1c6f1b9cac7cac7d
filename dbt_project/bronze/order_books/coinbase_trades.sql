{{ config(pre_hook="{{ keep_to_filters() }}") }}

with frames as (
    {{ new_frames("coinbase_frames", "sent_at", "channel in ('market_trades', 'match', 'last_match')") }}
),

records as (
    {{ coinbase_records(
        "trades", ["market_trades"], ["match", "last_match"],
        ["product_id", "trade_id", "price", "size", "time", "side"]
    ) }}
),

typed as (
    select
        frame_number,
        record_number,
        segment_number,
        line,
        record.product_id as product_id,
        record.trade_id as trade_id,
        lower(record.side) as maker_side,
        {{ aggressor("record.side") }} as side,
        {{ as_positive("record.price") }} as price,
        {{ as_positive("record.size") }} as size,
        {{ from_coinbase_time("record.time") }} as traded_at,
        -- What was traded before the subscription: the last hundred, or the last one.
        event_type in ('snapshot', 'last_match') as is_backfill,
        sent_at,
        {{ feed_rejections([
            reject_missing("product_id", "record.product_id"),
            reject_missing("trade_id", "record.trade_id"),
            reject_not_positive("price", "record.price", as_positive("record.price")),
            reject_not_positive("size", "record.size", as_positive("record.size")),
            reject_missing("time", "record.time"),
            reject_coinbase_time("time", "record.time"),
            reject_unknown("side", "lower(record.side)", ["buy", "sell"]),
        ]) }} as rejections,
    from records
    {% if var("symbol") %}where record.product_id = {{ quoted(var("symbol")) }} or record.product_id is null{% endif %}
)

select * from typed
