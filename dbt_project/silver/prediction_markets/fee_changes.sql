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

-- When the list of each level was last seen whole, and what it changes.
lists as (
    select
        level,
        min(seen_at) as seen_at,
    from (
        select
            split_part(entity, '_', 1) as level,
            entity,
            max(started_at) as seen_at,
        from {{ ref("sweeps") }}
        where
            is_complete
            and venue = 'kalshi'
            and entity in ('series', 'series_fee_change', 'event', 'event_fee_change')
        group by entity
    ) as seen
    group by level
    having count(*) = 2
),

-- A change that is not listed any more was withdrawn, if its time had not come, or left out by a list that
-- ended too soon: a second one, of after that time, tells. What had come to pass holds.
announced as (
    select
        versions.level || ':' || versions.change_id as fee_change_id,
        versions.level,
        versions.ticker,
        versions.fee_type,
        versions.multiplier,
        len(versions.rejections) > 0 as is_unread,
        coalesce(versions.gone_at < versions.effective_at, false) as is_left_out,
        versions.effective_at,
        versions.fetched_at as announced_at,
        row_number() over (
            partition by versions.level, versions.ticker, versions.effective_at, is_left_out
            order by is_unread desc, versions.multiplier desc nulls last, versions.change_id desc
        ) as place,
    from versions
    left join lists on versions.level = lists.level
    where
        not versions.is_gone
        and versions.ticker is not null
        and not (is_left_out and coalesce(lists.seen_at >= versions.effective_at, false))
),

changes as (
    select * exclude (place) from announced where place = 1
)

select * from changes
