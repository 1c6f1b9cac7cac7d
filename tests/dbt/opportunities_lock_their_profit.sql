-- What is not expired holds two sides of one related pair, on two venues, of markets that can be traded;
-- its figures add up, its margin is above the threshold somewhere, and nothing doubtful is active.
select opportunities.*
from {{ ref("arbitrage_opportunities") }} as opportunities
left join {{ ref("market_similarities") }} as pairs on opportunities.pair_id = pairs.pair_id
left join {{ ref("gold_markets") }} as buy_market on opportunities.buy_market_id = buy_market.market_id
left join {{ ref("gold_markets") }} as sell_market on opportunities.sell_market_id = sell_market.market_id
where
    opportunities.status != 'expired'
    -- What is null is not known to hold.
    and (
        pairs.relation not in ('unclear', 'unrelated', 'overlap', 'unevaluated')
        and opportunities.buy_platform != opportunities.sell_platform
        and buy_market.is_eligible
        and sell_market.is_eligible
        and opportunities.fee_worst = opportunities.buy_fee + opportunities.sell_fee
        and opportunities.fee_worst >= opportunities.fee_expected
        and opportunities.capital = opportunities.cost + opportunities.fee_worst
        and opportunities.profit = opportunities.contracts - opportunities.capital
        and opportunities.profit >= opportunities.threshold_profit
        and opportunities.threshold_profit
        > {{ var("minimum_margin") }} * (opportunities.threshold_cost + opportunities.threshold_fee_worst)
        and opportunities.contracts * (opportunities.buy_price + opportunities.sell_price) <= opportunities.cost
        and (opportunities.status = 'active') = (len(opportunities.status_reasons) = 0)
    ) is not true
