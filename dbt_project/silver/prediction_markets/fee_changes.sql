{{ config(materialized="table") }}

with told as (
    select
        'series' as level,
        * exclude (series_ticker, fee_type, fee_multiplier),
        series_ticker as ticker,
        fee_type,
        fee_multiplier as multiplier,
    from {{ ref("kalshi_series_fee_changes") }}
    union all by name
    select
        'event' as level,
        * exclude (event_ticker, fee_type_override, fee_multiplier_override),
        event_ticker as ticker,
        fee_type_override as fee_type,
        fee_multiplier_override as multiplier,
    from {{ ref("kalshi_event_fee_changes") }}
),

-- The last version of each. One whose time cannot be read makes the fee unknown at once.
versions as (
    select
        * replace (coalesce(effective_at, fetched_at) as effective_at),
        lead(fetched_at) over (partition by level, change_id order by fetched_at, record_number) as gone_at,
    from told
    qualify row_number() over (partition by level, change_id, is_gone order by fetched_at desc, record_number desc) = 1
),

sweeps as (
    select
        split_part(entity, '_', 1) as level,
        entity,
        started_at,
        lag(started_at) over (partition by entity order by started_at) as previous_at,
    from {{ ref("sweeps") }}
    where
        is_complete
        and venue = 'kalshi'
        and entity in ('series', 'series_fee_change', 'event', 'event_fee_change')
),

-- When the list of each level was last seen whole, and what it changes.
newest as (
    select
        level,
        min(seen_at) as seen_at,
    from (
        select
            level,
            entity,
            max(started_at) as seen_at,
        from sweeps
        group by level, entity
    ) as seen
    group by level
    having count(*) = 2
),

lists as (
    select * from sweeps where entity in ('series_fee_change', 'event_fee_change')
),

dated as (
    select
        versions.*,
        newest.seen_at,
        greatest(versions.fetched_at, lists.previous_at) as listed_at,
        -- What was listed after its time came to pass, and holds. Of what is gone before, nobody knows.
        coalesce(versions.gone_at >= lists.started_at and listed_at < versions.effective_at, false)
        or coalesce(versions.gone_at < versions.effective_at, false) as is_left_out,
    from versions
    left join newest on versions.level = newest.level
    asof left join lists on versions.level = lists.level and versions.gone_at >= lists.started_at
),

announced as (
    select
        level || ':' || change_id as fee_change_id,
        level,
        ticker,
        fee_type,
        multiplier,
        len(rejections) > 0 as is_unread,
        is_left_out,
        effective_at,
        fetched_at as announced_at,
        row_number() over (
            partition by level, ticker, effective_at, is_left_out
            order by is_unread desc, multiplier desc nulls last, change_id desc
        ) as place,
    from dated
    where
        not is_gone
        and ticker is not null
        -- It was withdrawn, when lists on both sides of its time lack it; or the series tells.
        and not (
            is_left_out
            and coalesce(
                seen_at >= case
                    -- A record fetched right after its time may be of before it.
                    when level = 'series'
                        then effective_at + interval '{{ var("maximum_listing_age_seconds") }} seconds'
                    when gone_at < effective_at then effective_at
                end,
                false
            )
        )
),

changes as (
    select * exclude (place) from announced where place = 1
)

select * from changes
