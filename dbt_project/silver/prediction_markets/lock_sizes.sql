{{ config(materialized="table") }}

-- Unrounded, profit is a line between two level ends: what rounding takes away can only lower it. So
-- the best number of contracts is where the line is above the best level end, and the last number
-- above the threshold is where that line is above zero.
with walks as (
    select
        walks.*,
        cast(payout - cost - model_fee as double) as unrounded_profit,
        cast(payout as double) - (1 + {{ var("minimum_margin") }}) * cast(cost + model_fee as double)
            as unrounded_excess,
        max(profit) over (partition by lock_id) as best_profit,
        max(contracts) filter (
            profit > {{ var("minimum_margin") }} * (cost + fee_worst)
        ) over (partition by lock_id) as last_above,
        max(unrounded_excess) over (partition by lock_id) as best_excess,
    from {{ ref("lock_walks") }} as walks
),

segments as (
    select
        lock_id,
        contracts as low,
        lead(contracts) over later as high,
        unrounded_profit - best_profit as profit_at_low,
        lead(unrounded_profit) over later - best_profit as profit_at_high,
        unrounded_excess as excess_at_low,
        lead(unrounded_excess) over later as excess_at_high,
        last_above,
    from walks
    where best_excess > 0
    window later as (partition by lock_id order by contracts)
),

ranges as (
    select
        lock_id,
        {{ above_zero("profit_at_low", "profit_at_high") }} as size_range,
    from segments
    where high - low > 1 and greatest(profit_at_low, profit_at_high) > 0
    union all
    select
        lock_id,
        {{ above_zero("excess_at_low", "excess_at_high") }} as size_range,
    from segments
    where
        high - low > 1
        and greatest(excess_at_low, excess_at_high) > 0
        and high > coalesce(last_above, 0)
),

-- A line that is all but level would name every number; the last thousand will do.
sizes as (
    select distinct
        lock_id,
        unnest(range(greatest(size_range.low, size_range.high - 1000), size_range.high + 1)) as contracts,
    from ranges
)

select
    lock_id || ':' || contracts as walk_id,
    *,
from sizes
