with landed as (
    {{ new_landed_records("polymarket_markets") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", [
            "id", "conditionId", "slug", "question", "description", "resolutionSource",
            "groupItemTitle", "category", "marketType", "sportsMarketType", "outcomes",
            "outcomePrices", "clobTokenIds", "events", "active", "closed", "archived",
            "acceptingOrders", "negRisk", "negRiskOther", "feesEnabled", "feeType", "feeSchedule",
            "bestBid", "bestAsk", "lastTradePrice", "volume", "volume24hr", "liquidity",
            "orderMinSize", "orderPriceMinTickSize", "startDate", "endDate", "gameStartTime",
            "closedTime", "updatedAt", "umaResolutionStatus",
        ]) }} as field,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as polymarket_id,
        coalesce(parent_id, try_cast(field.events as json) ->> '$[0].id') as event_id,
        field.conditionid as condition_id,
        field.slug,
        field.question,
        nullif(field.groupitemtitle, '') as group_item_title,
        nullif(field.description, '') as description,
        nullif(field.resolutionsource, '') as resolution_source,
        nullif(field.category, '') as category,
        coalesce(field.markettype, 'normal') as market_type,
        nullif(field.sportsmarkettype, '') as sports_market_type,
        {{ as_text_list("field.outcomes") }} as outcome_labels,
        {{ as_text_list("field.clobTokenIds") }} as token_ids,
        -- The event's own record, when it has landed, is newer and fuller than this copy.
        try_cast(field.events as json) ->> '$[0].title' as nested_event_title,
        try_cast(field.events as json) ->> '$[0].description' as nested_event_description,
        try_cast(field.feeschedule as json) as fee_schedule,
        nullif(field.feetype, '') as fee_type,
        -- Both quotes speak of the first outcome.
        {{ as_quote("field.bestBid") }} as best_bid_price,
        {{ as_quote("field.bestAsk") }} as best_ask_price,
        {{ as_quote("field.lastTradePrice") }} as last_price,
        {{ as_quantity("field.volume") }} as volume_usd,
        {{ as_quantity("field.volume24hr") }} as volume_24h_usd,
        {{ as_quantity("field.liquidity") }} as liquidity_usd,
        {{ as_quantity("field.orderMinSize") }} as minimum_order_size,
        {{ as_price("field.orderPriceMinTickSize") }} as tick_size,
        {{ as_boolean("field.active") }} as is_active,
        {{ as_boolean("field.closed") }} as is_closed,
        coalesce({{ as_boolean("field.archived") }}, false) as is_archived,
        {{ as_boolean("field.acceptingOrders") }} as is_accepting_orders,
        nullif(field.umaresolutionstatus, '') as resolution_status,
        {{ as_boolean("field.negRisk") }} as is_negative_risk,
        {{ as_boolean("field.negRiskOther") }} as is_negative_risk_other,
        {{ as_boolean("field.feesEnabled") }} as has_fees,
        {{ as_utc("field.startDate") }} as start_at,
        {{ as_utc("field.endDate") }} as end_at,
        {{ as_utc("field.gameStartTime") }} as game_start_at,
        {{ as_utc("field.closedTime") }} as closed_at,
        {{ as_utc("field.updatedAt") }} as updated_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("id", "field.id"),
            reject_missing("question", "field.question"),
            reject_not_text("question", "payload"),
            reject_missing("outcomes", "field.outcomes"),
            reject_untyped("outcomes", "field.outcomes", as_text_list("field.outcomes"), "a list in a text"),
            reject_untyped(
                "clobTokenIds", "nullif(field.clobTokenIds, '')",
                as_text_list("field.clobTokenIds"), "a list in a text"
            ),
            reject_unlike_outcomes("outcomePrices", "field.outcomePrices", "field.outcomes"),
            reject_unlike_outcomes("clobTokenIds", "field.clobTokenIds", "field.outcomes"),
            reject_missing("active", "field.active"),
            reject_untyped("active", "field.active", as_boolean("field.active"), "true or false"),
            reject_missing("closed", "field.closed"),
            reject_untyped("closed", "field.closed", as_boolean("field.closed"), "true or false"),
            reject_untyped("archived", "field.archived", as_boolean("field.archived"), "true or false"),
            reject_untyped(
                "acceptingOrders", "field.acceptingOrders", as_boolean("field.acceptingOrders"), "true or false"
            ),
            reject_outside("bestBid", "field.bestBid", as_price("field.bestBid"), 0, 1),
            reject_outside("bestAsk", "field.bestAsk", as_price("field.bestAsk"), 0, 1),
            reject_outside("lastTradePrice", "field.lastTradePrice", as_price("field.lastTradePrice"), 0, 1),
            reject_outside("volume", "field.volume", as_quantity("field.volume"), 0, "1e18"),
            reject_outside("liquidity", "field.liquidity", as_quantity("field.liquidity"), 0, "1e18"),
            reject_untyped("endDate", "field.endDate", as_utc("field.endDate"), "a time"),
        ]) }} as rejections,
    from read_fields
)

select * from typed
