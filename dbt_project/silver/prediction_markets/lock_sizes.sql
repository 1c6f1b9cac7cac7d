{{ config(materialized="table") }}

-- Before fees are rounded up, profit is a line between two level ends, and rounding can only lower it.
-- So the best number of contracts is where a line is above the best level end, and the last number
-- above the threshold is where that number's line is above zero.
with walks as (
    select
        lock_id,
        contracts,
        cast(payout as double) as payout,
        cast(cost as double) + fill_fees as outlay,
        uneven_fee,
        cast(max(profit) over (partition by lock_id) as double) as best_profit,
        max(contracts) filter (
            profit > {{ var("minimum_margin") }} * (cost + fee_worst)
        ) over (partition by lock_id) as last_above,
        max(payout - (1 + {{ var("minimum_margin") }}) * (cast(cost as double) + fill_fees)) over (partition by lock_id)
            as best_excess,
    from {{ ref("lock_walks") }}
),

-- Between two level ends every leg is at the level of the second.
segments as (
    select
        lock_id,
        last_above,
        lag(contracts) over earlier as low,
        contracts as high,
        lag(payout - outlay) over earlier - uneven_fee - best_profit as profit_at_low,
        payout - outlay - uneven_fee - best_profit as profit_at_high,
        lag(payout - (1 + {{ var("minimum_margin") }}) * outlay) over earlier
        - (1 + {{ var("minimum_margin") }}) * uneven_fee as excess_at_low,
        payout - (1 + {{ var("minimum_margin") }}) * (outlay + uneven_fee) as excess_at_high,
    from walks
    where best_excess > 0
    window earlier as (partition by lock_id order by contracts)
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
        -- Rounding takes less than a quarter of a dollar of all legs together.
        {{ above_zero("excess_at_low", "excess_at_high", "0.25") }} as size_range,
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
