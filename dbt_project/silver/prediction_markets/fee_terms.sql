{{ config(materialized="table") }}

with markets as (
    select markets.*
    from {{ ref("markets") }} as markets
    where markets.market_id in (select legs.market_id from {{ ref("lock_legs") }} as legs)
),

-- A fee that could not be read is not known: what was said before it does not live on.
series as (
    select
        *,
        {{ is_field_rejected("fee_multiplier") }} as is_fee_unread,
    from {{ ref("kalshi_series") }}
    where not is_gone
),

events as (
    select
        *,
        {{ is_field_rejected("fee_multiplier_override") }} as is_fee_unread,
    from {{ ref("kalshi_events") }}
    where not is_gone
),

-- Every moment at which Kalshi said something of a market's fee.
kalshi_moments as (
    select
        markets.market_id,
        markets.series_id as series_ticker,
        markets.event_id as event_ticker,
        unnest([series.fetched_at, events.fetched_at]) as told_at,
    from markets
    left join series on markets.series_id = series.series_ticker
    left join events on markets.event_id = events.event_ticker
    where markets.platform = 'kalshi'
),

-- An event's own terms win over its series', field by field; without the event nothing is known.
kalshi as (
    select
        moments.market_id,
        not coalesce(events.is_fee_unread or series.is_fee_unread, true) as is_told,
        case when is_told then coalesce(events.fee_type_override, series.fee_type) end as fee_type,
        case when is_told then coalesce(events.fee_multiplier_override, series.fee_multiplier) end as multiplier,
        null as has_fees,
        null as told_rate,
        null as exponent,
        null as has_schedule,
        moments.told_at,
    from (select distinct * from kalshi_moments where told_at is not null) as moments
    asof left join series
        on moments.series_ticker = series.series_ticker and moments.told_at >= series.fetched_at
    asof left join events
        on moments.event_ticker = events.event_ticker and moments.told_at >= events.fetched_at
),

polymarket as (
    select
        markets.market_id,
        listings.fee_type,
        null as multiplier,
        listings.has_fees,
        try_cast(listings.fee_schedule ->> 'rate' as decimal(8, 6)) as told_rate,
        try_cast(listings.fee_schedule ->> 'exponent' as decimal(4, 2)) as exponent,
        json_type(listings.fee_schedule) = 'OBJECT' as has_schedule,
        listings.fetched_at as told_at,
    from markets
    inner join {{ ref("polymarket_markets") }} as listings
        on markets.external_id = listings.polymarket_id and markets.platform = 'polymarket'
    where not listings.is_gone
),

terms as (
    select
        *,
        row(fee_type, multiplier, has_fees, told_rate, exponent, has_schedule) as said,
    from (
        select * from kalshi
        union all by name
        select * from polymarket
    ) as told
    qualify said is distinct from lag(said) over (partition by market_id order by told_at)
)

select * exclude (said, is_told) from terms
