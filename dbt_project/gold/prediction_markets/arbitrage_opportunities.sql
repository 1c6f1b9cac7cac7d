{{ config(materialized="view", post_hook="{{ create_what_ifs() }}") }}

with pairs as (
    select
        *,
        -- The proposition is bought, its opposite too: "sell" is the venue where the NO is bought.
        if(legs[2].says_yes and not legs[1].says_yes, legs[2], legs[1]) as buy,
        if(legs[2].says_yes and not legs[1].says_yes, legs[1], legs[2]) as sell,
    from {{ ref("current_opportunities") }}
    where kind = 'pair'
),

-- All that either book offers, in whole contracts. Read once: a view that reads such a part twice crashes DuckDB
-- 1.5.5 now and then, when it is a scalar subquery of a table macro.
depths as (
    select
        legs.lock_id,
        cast(floor(max(ladders.ends_at) filter (legs.platform = 'kalshi')) as bigint) as kalshi_contracts,
        cast(floor(max(ladders.ends_at) filter (legs.platform = 'polymarket')) as bigint) as polymarket_contracts,
    from {{ ref("bought_legs") }} as legs
    inner join {{ ref("ask_ladders") }} as ladders on legs.outcome_id = ladders.outcome_id
    where legs.kind = 'pair'
    group by legs.lock_id
),

opportunities as (
    select
        opportunity_id,
        pair_id,
        relation,
        direction,
        buy.market_id as buy_market_id,
        sell.market_id as sell_market_id,
        buy.platform as buy_platform,
        sell.platform as sell_platform,
        buy.outcome as buy_outcome,
        sell.outcome as sell_outcome,
        buy.token_id as buy_token_id,
        sell.token_id as sell_token_id,
        status,
        status_reasons,
        reasoning,
        buy.best_price as buy_price,
        sell.best_price as sell_price,
        buy.last_price as buy_last_price,
        sell.last_price as sell_last_price,
        buy.size_at_best as buy_size_at_ask,
        sell.size_at_best as sell_size_at_ask,
        cast(best.contracts as bigint) as contracts,
        best.cost as cost,
        buy.fee_worst as buy_fee,
        sell.fee_worst as sell_fee,
        best.fee_worst as fee_worst,
        fee_expected,
        capital,
        best.profit as profit,
        best.profit_margin as profit_margin,
        cast(threshold.contracts as bigint) as threshold_contracts,
        threshold.cost as threshold_cost,
        threshold.fee_worst as threshold_fee_worst,
        threshold.profit as threshold_profit,
        threshold.profit_margin as threshold_margin,
        top_margin,
        case
            when status = 'expired' then null
            when best.contracts >= {{ var("maximum_contracts") }} then 'maximum_contracts'
            when best.contracts < least(depths.kalshi_contracts, depths.polymarket_contracts) then 'price'
            when best.contracts = depths.kalshi_contracts and best.contracts = depths.polymarket_contracts
                then 'both depths'
            when best.contracts = depths.kalshi_contracts then 'kalshi depth'
            when best.contracts = depths.polymarket_contracts then 'polymarket depth'
        end as limited_by,
        cast(days_locked as double) as days_locked,
        annualised_return,
        cast(score as double) as confidence,
        buy.quote_age_seconds as buy_quote_age_seconds,
        sell.quote_age_seconds as sell_quote_age_seconds,
        settles_at,
        shares_depth_with,
        is_best_of_its_legs,
        quotes_expire_at,
        sighted_at as detected_at,
    from pairs
    left join depths on pairs.opportunity_id = depths.lock_id
)

select * from opportunities
