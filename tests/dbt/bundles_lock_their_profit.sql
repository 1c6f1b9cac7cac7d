-- What is not expired holds several members of one event, of markets that can be traded; its figures add up,
-- its margin is above the threshold somewhere, and nothing doubtful is active.
with bundles as (
    select * from {{ ref("bundle_opportunities") }} where status != 'expired'
),

not_traded as (
    select legs.opportunity_id
    from (
        select
            bundles.opportunity_id,
            unnest(bundles.legs).market_id as market_id,
        from bundles
    ) as legs
    left join {{ ref("gold_markets") }} as markets on legs.market_id = markets.market_id
    where markets.is_eligible is not true
)

select *
from bundles
where
    -- What is null is not known to hold.
    (
        len(legs) > 1
        and opportunity_id not in (select not_traded.opportunity_id from not_traded)
        and fee_worst = list_sum(list_transform(legs, lambda leg: leg.fee_worst))
        and fee_worst >= fee_expected
        and capital = cost + fee_worst
        and profit = payout - capital
        and profit >= threshold_profit
        and threshold_margin > {{ var("minimum_margin") }}
        and contracts * list_sum(list_transform(legs, lambda leg: leg.best_price)) <= cost
        and (status = 'active') = (len(status_reasons) = 0)
    ) is not true
