{{ config(materialized="table") }}

-- Bands of one event ("78° or below", "79° to 80°", …): where each ends and the next begins.
with bands as (
    select
        markets.platform || ':' || markets.event_id as event_key,
        markets.market_id,
        markets.is_eligible and not terms.is_placeholder and markets.event_type = 'binary' as can_be_held,
        contains(markets.subtitle, '°') or contains(lower(markets.subtitle), 'degree') as is_in_degrees,
        -- "Measures temperatures in Celsius to one decimal place (eg, 9.1°C)": 26.5° is in no band of whole degrees.
        coalesce(regexp_matches(lower(markets.description), 'decimal|tenths? of|\d\.\d ?°'), false) as is_in_tenths,
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
-- no more than lies between two readings. That is known of weather stations, which tell whole degrees
-- unless the rules say otherwise; an amount of rain, a price or a share may fall between two bands that
-- look as close.
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
        and bool_and(is_in_degrees and not is_in_tenths)
        and bool_and(coalesce(band.low, band.high) = floor(coalesce(band.low, band.high)))
),

members as (
    select
        event_key,
        unnest(market_ids) as market_id,
    from bundles
),

equals as (
    select
        kalshi_market_id as market_id,
        polymarket_market_id as equal_id,
    from {{ ref("pair_locks") }}
    where relation = 'equal' and fungibility = 'clean'
    union
    select
        polymarket_market_id,
        kalshi_market_id,
    from {{ ref("pair_locks") }}
    where relation = 'equal' and fungibility = 'clean'
),

-- Sets with a member that the other venue lists too. Where both list a set, it is one: Kalshi's.
across as (
    select members.event_key
    from members
    inner join equals on members.market_id = equals.market_id
    left join members as others on equals.equal_id = others.market_id
    group by members.event_key
    having starts_with(members.event_key, 'kalshi:') or count(others.market_id) = 0
),

-- YES of all members pays a dollar, NO of all of them a dollar for each but one; so it does when a
-- member is bought on the other venue, where the same contract is cheaper.
locks as (
    select
        md5(concat_ws('|', bundles.event_key, sides.direction, if(sides.is_across_venues, 'across', null))) as lock_id,
        bundles.*,
        sides.direction,
        sides.says_yes,
        sides.is_across_venues,
        cast(if(sides.says_yes, 1, bundles.members - 1) as integer) as payout,
    from bundles
    cross join (
        values ('yes_all', true, false), ('no_all', false, false), ('yes_all', true, true), ('no_all', false, true)
    ) as sides (direction, says_yes, is_across_venues)
    where not sides.is_across_venues or bundles.event_key in (select across.event_key from across)
)

select * from locks
