{{ config(materialized="table") }}

with pair_legs as (
    select
        lock_id,
        'pair' as kind,
        tier,
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

members as (
    select
        bundles.lock_id,
        bundles.leg_index,
        outcomes.outcome_id,
        bundles.market_id,
        bundles.says_yes,
        bundles.is_across_venues,
    from (
        select
            lock_id,
            says_yes,
            is_across_venues,
            unnest(market_ids) as market_id,
            cast(generate_subscripts(market_ids, 1) as integer) as leg_index,
        from {{ ref("bundle_locks") }}
    ) as bundles
    left join {{ ref("market_outcomes") }} as outcomes
        on bundles.market_id = outcomes.market_id
            and outcomes.label = if(bundles.says_yes, 'Yes', 'No')
),

-- Of an equal pair, what is bought on Polymarket against one side on Kalshi is the other side there.
equal_outcomes as (
    select
        kalshi_market_id || if(kalshi_says_yes, ':1', ':0') as outcome_id,
        polymarket_outcome_id as equal_outcome_id,
        polymarket_market_id as equal_market_id,
        tier,
    from {{ ref("pair_locks") }}
    where relation = 'equal' and fungibility = 'clean'
    union all
    select
        polymarket_outcome_id,
        kalshi_market_id || if(kalshi_says_yes, ':1', ':0'),
        kalshi_market_id,
        tier,
    from {{ ref("pair_locks") }}
    where relation = 'equal' and fungibility = 'clean'
),

bundle_legs as (
    select
        lock_id,
        'bundle' as kind,
        null as tier,
        struct_pack(
            leg_index := leg_index, outcome_id := outcome_id, market_id := market_id, says_yes := says_yes
        ) as leg,
    from members
    union all
    select
        members.lock_id,
        'bundle',
        equals.tier,
        struct_pack(
            leg_index := members.leg_index, outcome_id := equals.equal_outcome_id,
            market_id := equals.equal_market_id, says_yes := members.says_yes
        ),
    from members
    inner join equal_outcomes as equals on members.outcome_id = equals.outcome_id
    where members.is_across_venues
),

legs as (
    select
        concat_ws(':', found.lock_id, found.leg.leg_index, found.leg.outcome_id) as leg_id,
        found.lock_id,
        found.kind,
        found.tier,
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
