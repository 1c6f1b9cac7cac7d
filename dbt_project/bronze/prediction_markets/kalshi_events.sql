with landed as (
    {{ new_landed_records("kalshi_events") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", [
            "event_ticker", "series_ticker", "title", "sub_title", "category",
            "mutually_exclusive", "strike_date", "strike_period", "last_updated_ts",
            "fee_type_override", "fee_multiplier_override",
        ]) }} as field,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as event_ticker,
        coalesce(field.series_ticker, parent_id) as series_ticker,
        field.title,
        nullif(field.sub_title, '') as sub_title,
        nullif(field.category, '') as category,
        {{ as_boolean("field.mutually_exclusive") }} as is_mutually_exclusive,
        nullif(field.strike_period, '') as strike_period,
        nullif(field.fee_type_override, '') as fee_type_override,
        {{ as_quantity("field.fee_multiplier_override") }} as fee_multiplier_override,
        {{ as_utc("field.strike_date") }} as strike_at,
        {{ as_utc("field.last_updated_ts") }} as updated_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("event_ticker", "field.event_ticker"),
            reject_missing("title", "field.title"),
            reject_not_text("title", "payload"),
            reject_untyped(
                "mutually_exclusive", "field.mutually_exclusive",
                as_boolean("field.mutually_exclusive"), "true or false"
            ),
            reject_outside(
                "fee_multiplier_override", "field.fee_multiplier_override",
                as_quantity("field.fee_multiplier_override"), 0, 100
            ),
        ]) }} as rejections,
    from read_fields
)

select * from typed
