with equal_pairs as (
    select * from {{ ref("market_pairs") }} where relation = 'equal'
),

-- What can be bought now, with the rate of the venue's category (where that is not known, the highest
-- on record) or the market's own, whichever is higher.
sides as (
    select
        market_outcomes.*,
        greatest(coalesce(category_rates.taker_rate, venue_rates.taker_rate), markets.taker_rate) as taker_rate,
        -- A category without fees is believed only of a market that says so itself.
        not venue_rates.is_flat
        and coalesce(category_rates.taker_rate, 0) = 0
        and markets.taker_rate is null as is_fee_assumed,
    from {{ ref("market_outcomes") }} as market_outcomes
    inner join {{ ref("markets") }} as markets on market_outcomes.market_id = markets.market_id
    inner join {{ ref("fee_rates") }} as venue_rates
        on market_outcomes.platform = venue_rates.platform and venue_rates.category is null
    left join {{ ref("fee_rates") }} as category_rates
        on market_outcomes.platform = category_rates.platform and markets.category = category_rates.category
    where market_outcomes.is_eligible and not market_outcomes.is_crossed and market_outcomes.ask_price is not null
),

-- Both ways to hold a pair: the proposition on one venue, its opposite on the other.
legs as (
    select
        equal_pairs.*,
        kalshi_side.outcome_index = 0 as buys_on_kalshi,
        if(buys_on_kalshi, kalshi_side, polymarket_side) as buy,
        if(buys_on_kalshi, polymarket_side, kalshi_side) as sell,
        cast({{ var("reference_contracts") }} as decimal(9, 0)) as contracts,
    from equal_pairs
    inner join sides as kalshi_side on equal_pairs.kalshi_market_id = kalshi_side.market_id
    inner join sides as polymarket_side
        on equal_pairs.polymarket_market_id = polymarket_side.market_id
            and (kalshi_side.outcome_index = 0)
            = (equal_pairs.polymarket_outcome_index != polymarket_side.outcome_index)
),

priced as (
    select
        *,
        cast(contracts * (buy.ask_price + sell.ask_price) as decimal(18, 6)) as cost,
        {{ taker_fee("buy", "contracts") }} as buy_fee,
        {{ taker_fee("sell", "contracts") }} as sell_fee,
        cost + buy_fee + sell_fee as outlay,
        cast(contracts - outlay as decimal(18, 6)) as profit,
    from legs
),

judged as (
    select
        priced.*,
        clock.as_of,
        date_diff('second', buy.quoted_at, clock.as_of) as buy_quote_age_seconds,
        date_diff('second', sell.quoted_at, clock.as_of) as sell_quote_age_seconds,
        list_filter([
            case when 1 - buy.ask_price - sell.ask_price > {{ var("suspicious_edge") }} then 'edge too good' end,
            case
                when greatest(buy_quote_age_seconds, sell_quote_age_seconds) > {{ var("maximum_quote_age_seconds") }}
                    then 'quote too old'
            end,
            case when buy.is_fee_assumed or sell.is_fee_assumed then 'fee assumed' end,
            case
                when least(buy.ask_size, sell.ask_size) < contracts then 'fewer on offer than counted'
            end
        ], lambda reason: reason is not null) as suspect_reasons,
    from priced
    cross join {{ ref("clock") }} as clock
    where profit > {{ var("minimum_margin") }} * outlay
),

opportunities as (
    select
        md5(pair_id || '|' || buy.platform) as opportunity_id,
        pair_id,
        buy.market_id as buy_market_id,
        sell.market_id as sell_market_id,
        buy.platform as buy_platform,
        sell.platform as sell_platform,
        buy.label as buy_outcome,
        sell.label as sell_outcome,
        buy.token_id as buy_token_id,
        sell.token_id as sell_token_id,
        if(len(suspect_reasons) = 0, 'active', 'suspect') as status,
        suspect_reasons,
        reasoning,
        buy.ask_price as buy_price,
        sell.ask_price as sell_price,
        buy.ask_size as buy_size_at_ask,
        sell.ask_size as sell_size_at_ask,
        cast(contracts as integer) as contracts,
        cost,
        buy_fee,
        sell_fee,
        profit,
        cast(profit / nullif(outlay, 0) as decimal(18, 6)) as profit_margin,
        cast(score as double) as confidence,
        buy_quote_age_seconds,
        sell_quote_age_seconds,
        as_of as detected_at,
    from judged
)

select * from opportunities
