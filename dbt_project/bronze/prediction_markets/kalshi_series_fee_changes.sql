with landed as (
    {{ new_landed_records("kalshi_series_fee_changes") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", ["id", "series_ticker", "fee_type", "fee_multiplier", "scheduled_ts"]) }} as field,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as change_id,
        field.series_ticker,
        nullif(field.fee_type, '') as fee_type,
        {{ as_quantity("field.fee_multiplier") }} as fee_multiplier,
        {{ as_utc("field.scheduled_ts") }} as effective_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("id", "field.id"),
            reject_missing("series_ticker", "field.series_ticker"),
            reject_missing("fee_type", "field.fee_type"),
            reject_missing("fee_multiplier", "field.fee_multiplier"),
            reject_outside("fee_multiplier", "field.fee_multiplier", as_quantity("field.fee_multiplier"), 0, 100),
            reject_missing("scheduled_ts", "field.scheduled_ts"),
            reject_untyped("scheduled_ts", "field.scheduled_ts", as_utc("field.scheduled_ts"), "a time"),
        ]) }} as rejections,
    from read_fields
)

select * from typed
