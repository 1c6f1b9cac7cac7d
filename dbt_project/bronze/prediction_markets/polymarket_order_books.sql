with landed as (
    {{ new_landed_records("polymarket_order_books") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", [
            "asset_id", "market", "timestamp", "min_order_size", "tick_size", "neg_risk",
        ]) }} as field,
        json_extract(payload, '$.bids') as bids_text,
        json_extract(payload, '$.asks') as asks_text,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as token_id,
        field.market as condition_id,
        {{ as_levels("bids_text", "price", "size") }} as bids,
        {{ as_levels("asks_text", "price", "size") }} as asks,
        {{ as_quantity("field.min_order_size") }} as minimum_order_size,
        {{ as_price("field.tick_size") }} as tick_size,
        {{ as_boolean("field.neg_risk") }} as is_negative_risk,
        epoch_ms(try_cast(field.timestamp as bigint)) as changed_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("asset_id", "field.asset_id"),
            reject_missing("bids", "bids_text"),
            reject_missing("asks", "asks_text"),
            reject_broken_levels("bids", "bids_text", "bids"),
            reject_broken_levels("asks", "asks_text", "asks"),
            reject_outside("min_order_size", "field.min_order_size", as_quantity("field.min_order_size"), 0, "1e9"),
            reject_outside("tick_size", "field.tick_size", as_price("field.tick_size"), "0.0001", "0.1"),
        ]) }} as rejections,
    from read_fields
)

select * from typed
