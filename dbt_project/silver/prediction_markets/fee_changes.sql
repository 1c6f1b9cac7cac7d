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

-- A change that is not listed any more was withdrawn, if its time had not come; else it holds.
announced as (
    select
        level || ':' || change_id as fee_change_id,
        level,
        ticker,
        fee_type,
        multiplier,
        len(rejections) > 0 as is_unread,
        effective_at,
        fetched_at as announced_at,
        row_number() over (
            partition by level, ticker, effective_at
            order by len(rejections) > 0 desc, multiplier desc nulls last, change_id desc
        ) as place,
    from versions
    where not is_gone and ticker is not null and coalesce(gone_at >= effective_at, true)
),

changes as (
    select * exclude (place) from announced where place = 1
)

select * from changes
