-- What is not expired holds two sides of one related pair, on two venues, of markets that can be traded;
-- its figures add up, its margin is above the threshold somewhere, and nothing doubtful is active.
select opportunities.*
from {{ ref("arbitrage_opportunities") }} as opportunities
left join {{ ref("market_similarities") }} as pairs on opportunities.pair_id = pairs.pair_id
left join {{ ref("gold_markets") }} as buy_market on opportunities.buy_market_id = buy_market.market_id
left join {{ ref("gold_markets") }} as sell_market on opportunities.sell_market_id = sell_market.market_id
where
    opportunities.status != 'expired'
    and (
        coalesce(pairs.relation, 'unclear') in ('unclear', 'unrelated', 'overlap', 'unevaluated')
        or opportunities.buy_platform = opportunities.sell_platform
        or not buy_market.is_eligible
        or not sell_market.is_eligible
        or opportunities.fee_worst != opportunities.buy_fee + opportunities.sell_fee
        or opportunities.fee_worst < opportunities.fee_expected
        or opportunities.capital != opportunities.cost + opportunities.fee_worst
        or opportunities.profit != opportunities.contracts - opportunities.capital
        or opportunities.profit < opportunities.threshold_profit
        or opportunities.threshold_profit
        <= {{ var("minimum_margin") }} * (opportunities.threshold_cost + opportunities.threshold_fee_worst)
        or opportunities.contracts * (opportunities.buy_price + opportunities.sell_price) > opportunities.cost
        or (opportunities.status = 'active') != (len(opportunities.status_reasons) = 0)
    )
