with landed as (
    {{ new_landed_records("kalshi_markets") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", [
            "ticker", "event_ticker", "market_type", "status", "result", "title", "yes_sub_title",
            "no_sub_title", "rules_primary", "rules_secondary", "strike_type", "floor_strike",
            "cap_strike", "custom_strike", "mve_collection_ticker", "price_level_structure", "price_ranges",
            "yes_bid_dollars", "yes_ask_dollars", "no_bid_dollars", "no_ask_dollars",
            "last_price_dollars", "settlement_value_dollars", "notional_value_dollars", "yes_bid", "yes_ask", "no_bid",
            "no_ask", "last_price", "yes_bid_size_fp", "yes_ask_size_fp", "volume_fp",
            "volume_24h_fp", "open_interest_fp", "volume", "volume_24h", "open_interest",
            "open_time", "close_time", "expected_expiration_time", "occurrence_datetime",
        ]) }} as field,
    from landed
),

-- Captures from before 2026-03-12 carry whole cents and counts in place of dollar strings.
in_dollars as (
    select
        read_fields.* exclude (field),
        struct_insert(
            field,
            yes_bid_text := coalesce(field.yes_bid_dollars, {{ cents_to_dollars("field.yes_bid") }}),
            yes_ask_text := coalesce(field.yes_ask_dollars, {{ cents_to_dollars("field.yes_ask") }}),
            no_bid_text := coalesce(field.no_bid_dollars, {{ cents_to_dollars("field.no_bid") }}),
            no_ask_text := coalesce(field.no_ask_dollars, {{ cents_to_dollars("field.no_ask") }}),
            last_price_text := coalesce(field.last_price_dollars, {{ cents_to_dollars("field.last_price") }}),
            volume_text := coalesce(field.volume_fp, field.volume),
            volume_24h_text := coalesce(field.volume_24h_fp, field.volume_24h),
            open_interest_text := coalesce(field.open_interest_fp, field.open_interest)
        ) as field,
    from read_fields
),

typed as (
    select
        record_number,
        record_id,
        external_id as ticker,
        coalesce(field.event_ticker, parent_id) as event_ticker,
        field.market_type,
        field.status,
        nullif(field.result, '') as result,
        field.title,
        nullif(field.yes_sub_title, '') as yes_sub_title,
        nullif(field.no_sub_title, '') as no_sub_title,
        nullif(field.rules_primary, '') as rules_primary,
        nullif(field.rules_secondary, '') as rules_secondary,
        nullif(field.strike_type, '') as strike_type,
        try_cast(field.custom_strike as json) as custom_strike,
        field.price_level_structure,
        {{ as_price_grid("field.price_ranges") }} as price_grid,
        {{ as_quantity("field.floor_strike") }} as floor_strike,
        {{ as_quantity("field.cap_strike") }} as cap_strike,
        {{ as_quote("field.yes_bid_text") }} as yes_bid_price,
        {{ as_quote("field.yes_ask_text") }} as yes_ask_price,
        {{ as_quote("field.no_bid_text") }} as no_bid_price,
        {{ as_quote("field.no_ask_text") }} as no_ask_price,
        {{ as_quote("field.last_price_text") }} as last_price,
        {{ as_price("field.settlement_value_dollars") }} as settlement_value,
        {{ as_quantity("field.yes_bid_size_fp") }} as yes_bid_size,
        {{ as_quantity("field.yes_ask_size_fp") }} as yes_ask_size,
        {{ as_quantity("field.volume_text") }} as volume_contracts,
        {{ as_quantity("field.volume_24h_text") }} as volume_24h_contracts,
        {{ as_quantity("field.open_interest_text") }} as open_interest_contracts,
        coalesce(field.mve_collection_ticker, '') != '' as is_parlay,
        {{ as_utc("field.open_time") }} as open_at,
        {{ as_utc("field.close_time") }} as close_at,
        {{ as_utc("field.expected_expiration_time") }} as expected_expiration_at,
        {{ as_utc("field.occurrence_datetime") }} as occurrence_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("ticker", "field.ticker"),
            reject_missing("event_ticker", "coalesce(field.event_ticker, parent_id)"),
            reject_missing("title", "field.title"),
            reject_not_text("title", "payload"),
            reject_missing("status", "field.status"),
            reject_unknown("status", "field.status", kalshi_statuses()),
            reject_unknown("market_type", "field.market_type", ["binary", "scalar"]),
            reject_outside("yes_bid", "field.yes_bid_text", as_price("field.yes_bid_text"), 0, 1),
            reject_outside("yes_ask", "field.yes_ask_text", as_price("field.yes_ask_text"), 0, 1),
            reject_outside("no_bid", "field.no_bid_text", as_price("field.no_bid_text"), 0, 1),
            reject_outside("no_ask", "field.no_ask_text", as_price("field.no_ask_text"), 0, 1),
            reject_outside("last_price", "field.last_price_text", as_price("field.last_price_text"), 0, 1),
            reject_outside(
                "settlement_value_dollars", "field.settlement_value_dollars",
                as_price("field.settlement_value_dollars"), 0, 1
            ),
            reject_outside("volume", "field.volume_text", as_quantity("field.volume_text"), 0, "1e18"),
            reject_outside(
                "open_interest", "field.open_interest_text", as_quantity("field.open_interest_text"), 0, "1e18"
            ),
            reject_outside(
                "notional_value_dollars", "field.notional_value_dollars",
                as_quantity("field.notional_value_dollars"), 1, 1
            ),
            reject_outside(
                "yes_bid_size_fp", "field.yes_bid_size_fp", as_quantity("field.yes_bid_size_fp"), 0, "1e18"
            ),
            reject_outside(
                "yes_ask_size_fp", "field.yes_ask_size_fp", as_quantity("field.yes_ask_size_fp"), 0, "1e18"
            ),
            reject_untyped("floor_strike", "field.floor_strike", as_quantity("field.floor_strike"), "a number"),
            reject_untyped("cap_strike", "field.cap_strike", as_quantity("field.cap_strike"), "a number"),
            reject_missing("close_time", "field.close_time"),
            reject_untyped("close_time", "field.close_time", as_utc("field.close_time"), "a time"),
        ]) }} as rejections,
    from in_dollars
)

select * from typed
