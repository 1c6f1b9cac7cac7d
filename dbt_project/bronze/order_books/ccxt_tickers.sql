{{ config(pre_hook="{{ keep_to_filters() }}") }}

with frames as (
    {{ new_frames("ccxt_tickers", "captured_at") }}
),

repeated as (
    {{ repeated_lines("ccxt_tickers", "frames") }}
),

read_fields as (
    select
        *,
        {{ json_fields("payload::json", [
            "timestamp", "bid", "ask", "bid_volume", "ask_volume", "last", "base_volume"
        ]) }} as field,
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
        {{ as_positive("field.last") }} as last_price,
        {{ as_positive("field.bid") }} as best_bid_price,
        {{ as_positive("field.ask") }} as best_ask_price,
        {{ as_positive("field.bid_volume") }} as best_bid_size,
        {{ as_positive("field.ask_volume") }} as best_ask_size,
        {{ as_finite("field.base_volume") }} as volume_24h,
        {{ feed_rejections([
            reject_repeated(),
            reject_milliseconds("timestamp", "field.timestamp"),
            reject_number("last", "field.last", as_positive("field.last")),
            reject_number("bid", "field.bid", as_positive("field.bid")),
            reject_number("ask", "field.ask", as_positive("field.ask")),
        ]) }} as rejections,
    from read_fields
)

select * from typed
