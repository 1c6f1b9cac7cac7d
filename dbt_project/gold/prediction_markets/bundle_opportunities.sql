{{ config(materialized="view") }}

with bundles as (
    select
        opportunity_id,
        event_key,
        if(list_unique(list_transform(legs, lambda leg: leg.platform)) = 1, legs[1].platform, 'both') as platform,
        direction,
        status,
        status_reasons,
        list_transform(
            legs,
            lambda leg: struct_pack(
                platform := leg.platform, market_id := leg.market_id, outcome := leg.outcome, token_id := leg.token_id,
                best_price := leg.best_price, last_price := leg.last_price, cost := leg.cost,
                fee_worst := leg.fee_worst
            )
        ) as legs,
        cast(best.contracts as bigint) as contracts,
        best.payout as payout,
        best.cost as cost,
        best.fee_worst as fee_worst,
        fee_expected,
        capital,
        best.profit as profit,
        best.profit_margin as profit_margin,
        cast(threshold.contracts as bigint) as threshold_contracts,
        threshold.profit as threshold_profit,
        threshold.profit_margin as threshold_margin,
        top_margin,
        cast(days_locked as double) as days_locked,
        annualised_return,
        quote_age_seconds,
        settles_at,
        shares_depth_with,
        is_best_of_its_legs,
        quotes_expire_at,
        sighted_at as detected_at,
    from {{ ref("current_opportunities") }}
    where kind = 'bundle'
)

select * from bundles
