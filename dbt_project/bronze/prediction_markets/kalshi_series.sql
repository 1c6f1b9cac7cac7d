with landed as (
    {{ new_landed_records("kalshi_series") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", [
            "ticker", "title", "category", "tags", "frequency", "fee_type", "fee_multiplier",
            "settlement_sources", "contract_terms_url", "last_updated_ts",
        ]) }} as field,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as series_ticker,
        field.title,
        field.category,
        {{ as_text_list("field.tags") }} as tags,
        field.frequency,
        field.fee_type,
        {{ as_quantity("field.fee_multiplier") }} as fee_multiplier,
        try_cast(field.settlement_sources as json) as settlement_sources,
        field.contract_terms_url,
        {{ as_utc("field.last_updated_ts") }} as updated_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("ticker", "field.ticker"),
            reject_missing("title", "field.title"),
            reject_untyped("tags", "field.tags", as_text_list("field.tags"), "a list"),
            reject_outside("fee_multiplier", "field.fee_multiplier", as_quantity("field.fee_multiplier"), 0, 100),
        ]) }} as rejections,
    from read_fields
)

select * from typed
