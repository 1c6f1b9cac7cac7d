{{ config(materialized="table") }}

with terms as (
    select
        terms.*,
        markets.platform,
        -- Kalshi's rate holds for every category.
        if(markets.platform = 'kalshi', '', markets.category) as category,
    from {{ ref("fee_terms") }} as terms
    inner join {{ ref("markets") }} as markets on terms.market_id = markets.market_id
),

rates as (
    select
        * exclude (category, effective_from),
        coalesce(category, '') as category,
        cast(effective_from as timestamp) as effective_from,
    from {{ ref("fee_rates") }}
),

-- What a market said holds until it says something else; the venue's own table may change in between.
moments as (
    select
        market_id,
        platform,
        category,
        told_at as effective_from,
    from terms
    union
    select
        terms.market_id,
        terms.platform,
        terms.category,
        rates.effective_from,
    from terms
    inner join rates on terms.platform = rates.platform and terms.category = rates.category
    where rates.effective_from > terms.told_at
),

resolved as (
    select
        moments.market_id,
        moments.platform,
        terms.fee_type,
        terms.multiplier,
        case
            when moments.platform = 'kalshi'
                then case when terms.fee_type in {{ kalshi_fee_types() }} then terms.multiplier * rates.taker_rate end
            when terms.has_schedule
                then case when terms.told_rate between 0 and 1 and terms.exponent in (1, 2) then terms.told_rate end
            when not terms.has_fees then 0
            else rates.taker_rate
        end as taker_rate,
        cast(coalesce(terms.exponent, 1) as integer) as exponent,
        rates.rounding_step,
        case
            when moments.platform = 'kalshi' then 'series or event'
            when terms.has_schedule or not terms.has_fees then 'market'
            when rates.taker_rate is not null then 'category table'
        end as fee_source,
        moments.effective_from,
    from moments
    asof left join terms on moments.market_id = terms.market_id and moments.effective_from >= terms.told_at
    asof left join rates
        on moments.platform = rates.platform and moments.category = rates.category
            and moments.effective_from >= rates.effective_from
),

schedules as (
    select
        market_id || ':' || strftime(effective_from, '%Y%m%dT%H%M%S.%f') as fee_schedule_id,
        market_id,
        platform,
        fee_type,
        fee_source,
        case
            when multiplier is null and platform = 'kalshi' and fee_type in {{ kalshi_fee_types() }}
                then 'the event or the series tells no multiplier'
            when taker_rate is null and platform = 'kalshi'
                then coalesce('a type that is not known: ' || fee_type, 'the event or the series tells none')
            when taker_rate is null and fee_source = 'market' then 'a curve that is not known'
            when taker_rate is null then 'neither a fee schedule nor a category with a known rate'
        end as unknown_reason,
        cast(taker_rate as decimal(8, 6)) as taker_rate,
        exponent,
        rounding_step,
        coalesce(fee_source = 'category table', false) as is_assumed,
        effective_from,
        lead(effective_from) over (partition by market_id order by effective_from) as effective_until,
    from resolved
)

select * from schedules
