{{ config(materialized="table") }}

with fees as (
    select schedules.*
    from {{ ref("fee_schedules") }} as schedules
    cross join {{ ref("pricing_clock") }} as clock
    where
        schedules.effective_from <= clock.as_of
        and coalesce(schedules.effective_until > clock.as_of, true)
        and schedules.taker_rate is not null
),

asks as (
    select
        levels.outcome_id,
        levels.level_number,
        levels.price,
        levels.size,
        fees.platform,
        fees.rounding_step,
        silver.fee_per_contract(fees.taker_rate, fees.exponent, levels.price) as contract_fee,
        coalesce(sum(levels.size) over earlier, 0) as starts_after,
    from {{ ref("book_levels") }} as levels
    inner join {{ ref("outcome_books") }} as books on levels.outcome_id = books.outcome_id
    inner join fees on books.market_id = fees.market_id
    where levels.side = 'ask'
    window earlier as (
        partition by levels.outcome_id order by levels.level_number
        rows between unbounded preceding and 1 preceding
    )
),

-- Nobody walks further than this, and a size that cannot be is no number to multiply with.
bounded as (
    select
        * replace (
            cast(starts_after as decimal(14, 6)) as starts_after,
            cast(least(size, {{ var("maximum_contracts") }} - starts_after) as decimal(28, 6)) as size
        ),
    from asks
    where starts_after < {{ var("maximum_contracts") }}
),

-- What each level takes when it is bought whole: Polymarket rounds the fee of every level.
whole as (
    select
        *,
        size * price as level_cost,
        cast(size * contract_fee as decimal(38, 28)) as level_fee,
        silver.polymarket_fee(size * contract_fee) as level_fee_rounded,
        if(platform = 'kalshi', silver.kalshi_fill_fee(contract_fee), null) as fill_fee,
        coalesce(size * fill_fee, silver.polymarket_fee_worst(size * contract_fee)) as level_fee_worst,
        cast(price % 0.01 != 0 or size % 1 != 0 as integer) as is_uneven,
        -- The last level of an order ends where the order does, at a whole number of contracts.
        cast(price % 0.01 != 0 or starts_after % 1 != 0 as integer) as is_uneven_at_last,
    from bounded
),

-- And what all levels before it took.
ladders as (
    select
        outcome_id || ':' || level_number as level_id,
        outcome_id,
        level_number,
        platform,
        rounding_step,
        price,
        contract_fee,
        fill_fee,
        starts_after,
        cast(starts_after + size as decimal(14, 6)) as ends_at,
        cast(coalesce(sum(level_cost) over earlier, 0) as decimal(28, 14)) as cost_before,
        cast(coalesce(sum(level_fee) over earlier, 0) as decimal(38, 28)) as fee_before,
        cast(coalesce(sum(level_fee_rounded) over earlier, 0) as decimal(18, 5)) as rounded_before,
        cast(coalesce(sum(level_fee_worst) over earlier, 0) as decimal(28, 12)) as worst_before,
        cast(coalesce(sum(is_uneven) over earlier, 0) + is_uneven_at_last as integer)
            as uneven_levels,
    from whole
    window earlier as (
        partition by outcome_id order by level_number rows between unbounded preceding and 1 preceding
    )
)

select * from ladders
