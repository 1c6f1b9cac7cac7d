{{ config(pre_hook="{{ keep_to_filters() }}") }}
{%- set fields = ["trade_id", "id", "timestamp", "side", "price", "amount", "info_json", "info"] %}
{%- set as_sent = "try_cast(coalesce(field.info_json, field.info) as json) ->> '$.side'" %}

with frames as (
    {{ new_frames("ccxt_trades", "captured_at") }}
),

read_fields as (
    select
        *,
        {{ json_fields("payload::json", fields) }} as field,
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
        -- CCXT names the aggressor, but of Advanced Trade it passes on the maker. The Exchange names the
        -- maker as well, and there CCXT turns it round, by REST one way and on the websocket another: what
        -- the exchange itself sent is surest.
        case
            when exchange in ('coinbase', 'coinbaseadvanced') then {{ aggressor("field.side") }}
            when exchange in ('coinbaseexchange', 'coinbasepro', 'coinbaseprime')
                then coalesce({{ aggressor(as_sent) }}, lower(field.side))
            when exchange = 'coinbaseinternational' or not starts_with(exchange, 'coinbase') then lower(field.side)
        end as side,
        {{ as_positive("field.price") }} as price,
        {{ as_positive("field.amount") }} as size,
        {{ feed_rejections([
            reject_missing("trade_id", "coalesce(nullif(field.trade_id, ''), field.id)"),
            reject_missing("timestamp", "field.timestamp"),
            reject_milliseconds("timestamp", "field.timestamp"),
            reject_not_positive("price", "field.price", as_positive("field.price")),
            reject_not_positive("amount", "field.amount", as_positive("field.amount")),
            reject_unknown("side", "lower(field.side)", ["buy", "sell"]),
        ]) }} as rejections,
    from read_fields
)

select * from typed
