{{ config(materialized="table") }}

-- What locks a payout of at least a dollar: the sides to buy of each relation.
with payouts (relation, direction, kalshi_says_yes, polymarket_says_yes) as (
    values
    ('equal', 'yes_kalshi', true, false),
    ('equal', 'no_kalshi', false, true),
    ('k_implies_p', 'no_kalshi', false, true),
    ('p_implies_k', 'yes_kalshi', true, false),
    ('mutually_exclusive', 'no_both', false, false),
    ('complementary_partition', 'no_both', false, false),
    ('complementary_partition', 'yes_both', true, true)
),

outcomes as (
    select * from {{ ref("market_outcomes") }}
),

-- The outcome that is the proposition: as decided, else the one that is called Yes (or No, where the
-- pair is inverted). On Kalshi it is the first.
pairs as (
    select
        pairs.*,
        coalesce(
            pairs.polymarket_outcome_index,
            case
                when pairs.relation != 'equal' or pairs.orientation is not null
                    then named.outcome_index
            end
        ) as yes_index,
    from {{ ref("market_pairs") }} as pairs
    left join outcomes as named
        on pairs.polymarket_market_id = named.market_id
            and named.label = if(pairs.orientation = 'inverted', 'No', 'Yes')
),

locks as (
    select
        md5(pairs.pair_id || '|' || payouts.direction) as lock_id,
        pairs.pair_id,
        pairs.relation,
        pairs.fungibility,
        pairs.caveat_reasons,
        pairs.tier,
        payouts.direction,
        pairs.kalshi_market_id,
        pairs.polymarket_market_id,
        kalshi.outcome_id as kalshi_outcome_id,
        polymarket.outcome_id as polymarket_outcome_id,
        payouts.kalshi_says_yes,
        payouts.polymarket_says_yes,
        pairs.reasoning,
        pairs.score,
    from pairs
    inner join payouts on pairs.relation = payouts.relation
    left join outcomes as kalshi
        on pairs.kalshi_market_id = kalshi.market_id
            and if(payouts.kalshi_says_yes, 0, 1) = kalshi.outcome_index
    left join outcomes as polymarket
        on pairs.polymarket_market_id = polymarket.market_id
            and payouts.polymarket_says_yes = (pairs.yes_index = polymarket.outcome_index)
    -- Another index, station or clock settles apart: never a lock.
    where coalesce(pairs.fungibility, '') != 'correlated'
)

select * from locks
