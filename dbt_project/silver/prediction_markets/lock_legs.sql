{{ config(materialized="table") }}

with pair_legs as (
    select
        lock_id,
        'pair' as kind,
        unnest([
            struct_pack(
                leg_index := 1, outcome_id := kalshi_outcome_id, market_id := kalshi_market_id,
                says_yes := kalshi_says_yes
            ),
            struct_pack(
                leg_index := 2, outcome_id := polymarket_outcome_id, market_id := polymarket_market_id,
                says_yes := polymarket_says_yes
            )
        ]) as leg,
    from {{ ref("pair_locks") }}
),

bundle_legs as (
    select
        bundles.lock_id,
        'bundle' as kind,
        struct_pack(
            leg_index := bundles.leg_index, outcome_id := outcomes.outcome_id, market_id := bundles.market_id,
            says_yes := bundles.says_yes
        ) as leg,
    from (
        select
            lock_id,
            says_yes,
            unnest(market_ids) as market_id,
            cast(generate_subscripts(market_ids, 1) as integer) as leg_index,
        from {{ ref("bundle_locks") }}
    ) as bundles
    left join {{ ref("market_outcomes") }} as outcomes
        on bundles.market_id = outcomes.market_id
            and outcomes.label = if(bundles.says_yes, 'Yes', 'No')
),

legs as (
    select
        found.lock_id || ':' || found.leg.leg_index as leg_id,
        found.lock_id,
        found.kind,
        found.leg.leg_index as leg_index,
        found.leg.market_id as market_id,
        found.leg.outcome_id as outcome_id,
        found.leg.says_yes as says_yes,
        outcomes.platform,
        outcomes.external_id,
        outcomes.token_id,
        outcomes.label,
        outcomes.ask_price as listed_ask_price,
    from (
        select * from pair_legs
        union all
        select * from bundle_legs
    ) as found
    left join {{ ref("market_outcomes") }} as outcomes on found.leg.outcome_id = outcomes.outcome_id
)

select * from legs
