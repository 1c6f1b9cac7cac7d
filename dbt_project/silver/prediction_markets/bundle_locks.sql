{{ config(materialized="table") }}

-- Bands of one event ("78° or below", "79° to 80°", …): where each ends and the next begins.
with bands as (
    select
        markets.platform || ':' || markets.event_id as event_key,
        markets.market_id,
        markets.is_eligible and not terms.is_placeholder and markets.event_type = 'binary' as can_be_held,
        contains(markets.subtitle, '°') or contains(lower(markets.subtitle), 'degree') as is_in_degrees,
        silver.band_of(markets.subtitle) as band,
    from {{ ref("markets") }} as markets
    left join {{ ref("contract_terms") }} as terms on markets.market_id = terms.market_id
    where markets.event_id is not null and not markets.is_parlay
),

following as (
    select
        *,
        lead(band.low) over (
            partition by event_key order by band.low nulls first, band.high nulls last, market_id
        ) - band.high as gap,
    from bands
),

-- A set is exhaustive when the bands cover the line: no lower end, no upper end, and between two bands
-- no more than lies between two readings. That is known of weather stations, which tell whole degrees;
-- an amount of rain, a price or a share may fall between two bands that look as close.
bundles as (
    select
        event_key,
        count(*) as members,
        list(market_id order by band.low nulls first, market_id) as market_ids,
    from following
    group by event_key
    having
        count(*) >= 2
        and bool_and(can_be_held is true and band is not null)
        and count(*) filter (band.low is null) = 1
        and count(*) filter (band.high is null) = 1
        and count(gap) = count(*) - 1
        and min(gap) = 1
        and max(gap) = 1
        and bool_and(is_in_degrees)
        and bool_and(coalesce(band.low, band.high) = floor(coalesce(band.low, band.high)))
),

-- YES of all members pays a dollar, NO of all of them a dollar for each but one.
locks as (
    select
        md5(bundles.event_key || '|' || sides.direction) as lock_id,
        bundles.*,
        sides.direction,
        sides.says_yes,
        cast(if(sides.says_yes, 1, bundles.members - 1) as integer) as payout,
    from bundles
    cross join (values ('yes_all', true), ('no_all', false)) as sides (direction, says_yes)
)

select * from locks
