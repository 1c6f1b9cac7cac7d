{{ config(materialized="table") }}

{% set behind = "interval '" ~ var("maximum_listing_age_seconds") ~ " seconds'" %}

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

numbered_changes as (
    select
        *,
        if(is_left_out, row_number() over (partition by level, ticker, is_left_out order by effective_at), 0)
            as left_out_number,
    from {{ ref("fee_changes") }}
),

-- The changes that are listed, and those with each that a list has left out: withdrawn or not, it is not known.
readings (level, left_out_number) as (
    values ('series', 0), ('event', 0)
    union
    select
        level,
        left_out_number,
    from numbered_changes
),

changes as (
    select
        changes.* exclude (left_out_number),
        readings.left_out_number as reading,
    from numbered_changes as changes
    inner join readings
        on changes.level = readings.level and changes.left_out_number in (0, readings.left_out_number)
    qualify
        row_number() over (
            partition by changes.level, ticker, effective_at, reading
            order by is_unread desc, multiplier desc nulls last, fee_change_id desc
        ) = 1
),

series_changes as (
    select * from changes where level = 'series'
),

event_changes as (
    select * from changes where level = 'event'
),

records as (
    select
        'series' as level,
        series_ticker as ticker,
        fetched_at,
    from series
    union all
    select
        'event',
        event_ticker,
        fetched_at,
    from events
),

-- A record that is fetched right after a change may be of before it.
told_late as (
    select changes.ticker
    from {{ ref("fee_changes") }} as changes
    inner join records
        on changes.level = records.level
            and changes.ticker = records.ticker
            and records.fetched_at between changes.effective_at and changes.effective_at + {{ behind }}
),

listed as (
    select
        market_id,
        series_id as series_ticker,
        event_id as event_ticker,
    from markets
    where platform = 'kalshi'
),

-- Every moment at which Kalshi said something of a market's fee, or had said that it changes.
kalshi_moments as (
    select
        listed.*,
        series.fetched_at as told_at,
    from listed
    inner join series on listed.series_ticker = series.series_ticker
    union
    select
        listed.*,
        events.fetched_at,
    from listed
    inner join events on listed.event_ticker = events.event_ticker
    union
    select
        listed.*,
        changes.effective_at,
    from listed
    inner join series on listed.series_ticker = series.series_ticker
    inner join {{ ref("fee_changes") }} as changes
        on changes.ticker = if(changes.level = 'series', listed.series_ticker, listed.event_ticker)
            and series.fetched_at < changes.effective_at
),

-- A change of a series holds until its record is fetched anew, a lower fee only then: of the two the
-- higher. The change of an event holds unless the event itself says otherwise later: that it is over is
-- listed as a change to no override, and a record without one may be of an event that tells of none.
kalshi_told as (
    select
        moments.market_id,
        moments.told_at,
        coalesce(series_changes.effective_at + of_records.behind > series.fetched_at, false) as has_series_change,
        case when has_series_change then series_changes.fee_type else series.fee_type end as series_type,
        case
            when has_series_change then greatest(series.fee_multiplier, series_changes.multiplier)
            else series.fee_multiplier
        end as series_multiplier,
        coalesce(events.fee_type_override, cast(events.fee_multiplier_override as varchar)) is not null as event_tells,
        coalesce(event_changes.effective_at + of_records.behind > events.fetched_at or not event_tells, false)
            as has_event_change,
        case when has_event_change then event_changes.fee_type else events.fee_type_override end as event_type,
        case when has_event_change then event_changes.multiplier else events.fee_multiplier_override end
            as event_multiplier,
        not coalesce(
            events.is_fee_unread or series.is_fee_unread
            or (has_series_change and series_changes.is_unread)
            or (has_event_change and coalesce(event_changes.is_unread, false)),
            true
        ) as is_told,
    from kalshi_moments as moments
    inner join readings as of_series on of_series.level = 'series'
    inner join readings as of_events on of_events.level = 'event'
    inner join (values (interval 0 second), ({{ behind }})) as of_records (behind)
        on of_records.behind = interval 0 second
            or moments.series_ticker in (select told_late.ticker from told_late)
            or moments.event_ticker in (select told_late.ticker from told_late)
    asof left join series
        on moments.series_ticker = series.series_ticker and moments.told_at >= series.fetched_at
    asof left join events
        on moments.event_ticker = events.event_ticker and moments.told_at >= events.fetched_at
    asof left join series_changes
        on moments.series_ticker = series_changes.ticker
            and of_series.left_out_number = series_changes.reading
            and moments.told_at >= series_changes.effective_at
    asof left join event_changes
        on moments.event_ticker = event_changes.ticker
            and of_events.left_out_number = event_changes.reading
            and moments.told_at >= event_changes.effective_at
),

-- An event's own terms win over its series', field by field; without the event nothing is known. Of all
-- readings the dearest holds.
kalshi as (
    select
        market_id,
        case when is_told then coalesce(event_type, series_type) end as fee_type,
        case when is_told then coalesce(event_multiplier, series_multiplier) end as multiplier,
        null as has_fees,
        null as told_rate,
        null as exponent,
        null as has_schedule,
        told_at,
    from kalshi_told
    qualify
        row_number() over (
            partition by market_id, told_at
            order by coalesce(fee_type in {{ kalshi_fee_types() }}, false), multiplier desc nulls first, fee_type
        ) = 1
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

select * exclude (said) from terms
