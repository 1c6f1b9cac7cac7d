-- An opportunity holds both sides of one pair, on two venues, of markets that can be traded; its
-- figures add up and its margin is above the threshold.
select opportunities.*
from {{ ref("arbitrage_opportunities") }} as opportunities
left join {{ ref("market_similarities") }} as pairs on opportunities.pair_id = pairs.pair_id
left join {{ ref("gold_markets") }} as buy_market on opportunities.buy_market_id = buy_market.market_id
left join {{ ref("gold_markets") }} as sell_market on opportunities.sell_market_id = sell_market.market_id
where
    coalesce(pairs.relation, '') != 'equal'
    or opportunities.buy_platform = opportunities.sell_platform
    or not buy_market.is_eligible
    or not sell_market.is_eligible
    or opportunities.cost != opportunities.contracts * (opportunities.buy_price + opportunities.sell_price)
    or opportunities.profit
    != opportunities.contracts - opportunities.cost - opportunities.buy_fee - opportunities.sell_fee
    or opportunities.profit
    <= {{ var("minimum_margin") }} * (opportunities.contracts - opportunities.profit)
