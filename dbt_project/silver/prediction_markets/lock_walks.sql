{{ config(materialized="table") }}

with priced as (
    select * from {{ ref("locks") }} where is_priced
),

legs as (
    select legs.*
    from {{ ref("bought_legs") }} as legs
    inner join priced on legs.lock_id = priced.lock_id
),

-- The profit changes its slope only where a level of some leg ends; a level may end inside a contract.
-- What loses at the best prices loses less nowhere, and is walked no further than the smallest order.
sizes as (
    select
        lock_id,
        minimum_contracts as contracts,
    from priced
    union
    select
        lock_id,
        depth_contracts,
    from priced
    where best_prices < payout
    union
    select
        legs.lock_id,
        unnest([cast(floor(ladders.ends_at) as bigint), cast(ceil(ladders.ends_at) as bigint)]),
    from legs
    inner join {{ ref("ask_ladders") }} as ladders on legs.outcome_id = ladders.outcome_id
    where legs.lock_id in (select priced.lock_id from priced where priced.best_prices < priced.payout)
),

within_reach as (
    select sizes.*
    from sizes
    inner join priced on sizes.lock_id = priced.lock_id
    where sizes.contracts between priced.minimum_contracts and priced.depth_contracts
),

walks as (
    select
        lock_id || ':' || contracts as walk_id,
        *,
    from (
        {{ walked_locks("within_reach", "priced", "legs", ref("ask_ladders")) }}
    ) as walked
)

select * from walks
