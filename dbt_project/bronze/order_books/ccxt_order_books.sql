{{ config(pre_hook="{{ keep_to_filters() }}") }}

with frames as (
    {{ new_frames("ccxt_order_books", "captured_at") }}
),

repeated as (
    {{ repeated_lines("ccxt_order_books", "frames") }}
),

read_fields as (
    select
        *,
        {{ json_fields("payload::json", ["timestamp", "nonce", "bids", "asks"]) }} as field,
    from frames
),

typed as (
    select
        frame_number,
        segment_number,
        line,
        exchange,
        symbol,
        captured_at,
        {{ from_milliseconds("field.timestamp") }} as exchange_at,
        try_cast(field.nonce as bigint) as nonce,
        {{ ccxt_levels("field.bids") }} as bids,
        {{ ccxt_levels("field.asks") }} as asks,
        {{ feed_rejections([
            reject_repeated(),
            reject_milliseconds("timestamp", "field.timestamp"),
            reject_missing("bids", "field.bids"),
            reject_missing("asks", "field.asks"),
            reject_levels("bids", "field.bids"),
            reject_levels("asks", "field.asks"),
        ]) }} as rejections,
    from read_fields
)

select * from typed
