with eligible as (
    select
        count(*) filter (platform = 'kalshi') as kalshi_markets,
        count(*) filter (platform = 'polymarket') as polymarket_markets,
    from {{ ref("markets") }}
    where is_eligible
),

stages as (
    select
        1 as stage_number,
        'possible' as stage,
        'every eligible Kalshi market with every eligible Polymarket market' as meaning,
        kalshi_markets * polymarket_markets as pairs,
    from eligible
    union all
    select
        2,
        'candidates',
        'found by a blocking rule',
        count(*)
    from {{ ref("candidate_pairs") }}
    where universe = 'live'
    union all
    select
        3,
        'filtered',
        'no veto, or a single one that the difference explains or no rule is sure of',
        count(*)
    from {{ ref("pair_features") }} as compared
    inner join {{ ref("candidate_pairs") }} as candidates on compared.pair_id = candidates.pair_id
    where candidates.universe = 'live'
    union all
    select
        4,
        'related by the rules',
        'the same contract, or another relation, by the wording or the score',
        count(*)
    from {{ ref("ruled_pairs") }}
    where universe = 'live' and relation != 'unclear'
    union all
    select
        5,
        'decided',
        'not taken down by the judge, nor waiting for it',
        count(*)
    from {{ ref("market_pairs") }}
    where relation != 'unclear' and judge_effect != 'raised'
    union all
    select
        6,
        'related',
        'a relation that locks a payout',
        count(distinct pair_id)
    from {{ ref("pair_locks") }}
    union all
    select
        7,
        'priced',
        'both books and both fees known',
        count(distinct pair_id)
    from {{ ref("locks") }}
    where is_priced and kind = 'pair'
    union all
    select
        8,
        'opportunities',
        'pays more than it costs, with fees',
        count(distinct pair_id)
    from {{ ref("opportunities") }}
    where kind = 'pair' and status != 'expired'
    union all
    select
        9,
        'active opportunities',
        'no reason to suspect it',
        count(distinct pair_id)
    from {{ ref("opportunities") }}
    where kind = 'pair' and status = 'active'
),

held_out as (
    select * from {{ ref("matching_quality") }}
    where universe = 'labelled' and split = 'held_out' and contract_class = 'all'
),

funnel as (
    select
        stages.stage_number,
        stages.stage,
        stages.meaning,
        stages.pairs,
        stages.pairs / nullif(max(stages.pairs) filter (stages.stage = 'possible') over (), 0) as share_of_possible,
        case stages.stage
            when 'possible' then 1.0
            when 'candidates' then held_out.recall_after_blocking
            when 'filtered' then held_out.recall_after_vetoes
            when 'related by the rules' then held_out.equal_recall
        end as held_out_recall,
    from stages
    cross join held_out
)

select * from funnel
