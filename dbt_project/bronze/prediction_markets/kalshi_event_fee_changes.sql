with landed as (
    {{ new_landed_records("kalshi_event_fee_changes") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", [
            "id", "event_ticker", "fee_type_override", "fee_multiplier_override", "scheduled_ts",
        ]) }} as field,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as change_id,
        field.event_ticker,
        nullif(field.fee_type_override, '') as fee_type_override,
        {{ as_quantity("field.fee_multiplier_override") }} as fee_multiplier_override,
        {{ as_utc("field.scheduled_ts") }} as effective_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("id", "field.id"),
            reject_missing("event_ticker", "field.event_ticker"),
            reject_outside("fee_multiplier_override", "field.fee_multiplier_override", as_quantity("field.fee_multiplier_override"), 0, 100),
            reject_missing("scheduled_ts", "field.scheduled_ts"),
            reject_untyped("scheduled_ts", "field.scheduled_ts", as_utc("field.scheduled_ts"), "a time"),
        ]) }} as rejections,
    from read_fields
)

select * from typed
