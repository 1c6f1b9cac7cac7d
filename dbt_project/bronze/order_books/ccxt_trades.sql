{{ config(pre_hook="{{ keep_to_filters() }}") }}

with frames as (
    {{ new_frames("ccxt_trades", "captured_at") }}
),

read_fields as (
    select
        *,
        {{ json_fields("payload::json", ["trade_id", "id", "timestamp", "side", "price", "amount"]) }} as field,
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
        coalesce(nullif(field.trade_id, ''), nullif(field.id, '')) as trade_id,
        {{ from_milliseconds("field.timestamp") }} as traded_at,
        -- CCXT names the aggressor, but of Coinbase it passes on the maker.
        case
            when starts_with(exchange, 'coinbase') then {{ aggressor("field.side") }}
            else lower(field.side)
        end as side,
        {{ as_positive("field.price") }} as price,
        {{ as_positive("field.amount") }} as size,
        {{ feed_rejections([
            reject_missing("trade_id", "coalesce(nullif(field.trade_id, ''), field.id)"),
            reject_missing("timestamp", "field.timestamp"),
            reject_untyped("timestamp", "field.timestamp", from_milliseconds("field.timestamp"), "a time in ms"),
            reject_not_positive("price", "field.price", as_positive("field.price")),
            reject_not_positive("amount", "field.amount", as_positive("field.amount")),
            reject_unknown("side", "lower(field.side)", ["buy", "sell"]),
        ]) }} as rejections,
    from read_fields
)

select * from typed
