{{ config(pre_hook="{{ keep_to_filters() }}") }}

with frames as (
    {{ new_frames("coinbase_frames", "sent_at", "channel in ('ticker', 'ticker_batch')") }}
),

records as (
    {{ coinbase_records(
        "tickers", ["ticker", "ticker_batch"], ["ticker"],
        [
            "product_id", "price", "best_bid", "best_ask", "best_bid_quantity", "best_ask_quantity",
            "best_bid_size", "best_ask_size", "volume_24_h", "volume_24h", "time",
        ]
    ) }}
),

typed as (
    select
        frame_number,
        record_number,
        segment_number,
        line,
        record.product_id as product_id,
        {{ as_positive("record.price") }} as last_price,
        {{ as_positive("record.best_bid") }} as best_bid_price,
        {{ as_positive("record.best_ask") }} as best_ask_price,
        {{ as_positive("coalesce(record.best_bid_quantity, record.best_bid_size)") }} as best_bid_size,
        {{ as_positive("coalesce(record.best_ask_quantity, record.best_ask_size)") }} as best_ask_size,
        {{ as_finite("coalesce(record.volume_24_h, record.volume_24h)") }} as volume_24h,
        coalesce({{ from_coinbase_time("record.time") }}, sent_at) as ticked_at,
        sent_at,
        {{ feed_rejections([
            reject_missing("product_id", "record.product_id"),
            reject_missing("time", "coalesce(record.time, sent_at::varchar)"),
            reject_coinbase_time("time", "record.time"),
            reject_number("price", "record.price", as_positive("record.price")),
            reject_number("best_bid", "record.best_bid", as_positive("record.best_bid")),
            reject_number("best_ask", "record.best_ask", as_positive("record.best_ask")),
        ]) }} as rejections,
    from records
    {% if var("symbol") %}where record.product_id = {{ quoted(var("symbol")) }} or record.product_id is null{% endif %}
)

select * from typed
