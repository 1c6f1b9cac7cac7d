{{ config(materialized="table") }}

with locks as (
    select * from {{ ref("locks") }} where is_priced
),

legs as (
    select legs.*
    from {{ ref("bought_legs") }} as legs
    where legs.lock_id in (select locks.lock_id from locks)
),

lock_sizes as (
    select
        lock_id,
        contracts,
    from {{ ref("lock_sizes") }}
),

walks as (
    select * exclude (walk_id) from {{ ref("lock_walks") }}
    union
    (
        {{ walked_locks("lock_sizes", "locks", "legs", ref("ask_ladders")) }}
    )
),

margins as (
    select
        *,
        profit > {{ var("minimum_margin") }} * (cost + fee_worst) as is_above_threshold,
        profit / nullif(cost + fee_worst, 0) as profit_margin,
    from walks
),

chosen as (
    select
        lock_id,
        arg_max(margins, (profit, -contracts)) as best,
        arg_max(margins, contracts) filter (is_above_threshold) as threshold,
        max(profit_margin) as top_margin,
    from margins
    group by lock_id
),

leg_sizes as (
    select
        lock_id,
        best.contracts as contracts,
    from chosen
),

-- Each leg at the best number: what to pay at most, and what it costs.
leg_prices as (
    select
        lock_id,
        list(
            struct_pack(
                last_price, levels, cost := cast(cost as decimal(18, 8)), fee_expected, fee_worst
            ) order by leg_index
        ) as legs,
    from (
        {{ walked_legs("leg_sizes", "legs", ref("ask_ladders")) }}
    ) as walked
    group by lock_id
),

prices as (
    select
        chosen.lock_id,
        {{ in_dollars("chosen.best") }} as best,
        case when chosen.threshold is not null then {{ in_dollars("chosen.threshold") }} end as threshold,
        cast(chosen.top_margin as decimal(18, 8)) as top_margin,
        chosen.threshold is not null as is_opportunity,
        leg_prices.legs,
    from chosen
    inner join leg_prices on chosen.lock_id = leg_prices.lock_id
)

select * from prices
