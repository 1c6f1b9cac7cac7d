{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="event_key") }}

with kalshi as (
    select
        'kalshi' as platform,
        event_ticker as event_id,
        series_ticker as series_id,
        title,
        sub_title as subtitle,
        null::varchar as description,
        category as venue_category,
        ([])::varchar[] as tags,
        record_number,
        is_mutually_exclusive,
        fetched_at,
    from {{ ref("kalshi_events") }}
    where
        not is_gone
        and len(rejections) = 0
        and {{ is_new_record("kalshi") }}
),

polymarket as (
    select
        'polymarket' as platform,
        event_id,
        series_id,
        title,
        null as subtitle,
        description,
        category as venue_category,
        coalesce(tags, []) as tags,
        record_number,
        is_negative_risk as is_mutually_exclusive,
        fetched_at,
    from {{ ref("polymarket_events") }}
    where
        not is_gone
        and len(rejections) = 0
        and {{ is_new_record("polymarket") }}
),

new_events as (
    select
        platform || ':' || event_id as event_key,
        *,
    from (
        select * from kalshi
        union all
        select * from polymarket
    ) as records
),

latest as (
    select * from new_events
    qualify row_number() over (partition by event_key order by fetched_at desc, record_number desc) = 1
)

select * from latest
{{ unless_newer_is_held("event_key") }}
