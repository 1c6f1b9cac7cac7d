{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="market_id") }}

with kalshi as (
    select
        'kalshi' as platform,
        ticker as external_id,
        record_number,
        fetched_at,
    from {{ ref("kalshi_markets") }}
    where
        is_gone
        and {{ is_new_record("kalshi") }}
),

polymarket as (
    select
        'polymarket' as platform,
        polymarket_id as external_id,
        record_number,
        fetched_at,
    from {{ ref("polymarket_markets") }}
    where
        is_gone
        and {{ is_new_record("polymarket") }}
),

latest as (
    select
        platform || ':' || external_id as market_id,
        *,
    from (
        select * from kalshi
        union all
        select * from polymarket
    ) as records
    qualify row_number() over (partition by platform, external_id order by fetched_at desc, record_number desc) = 1
)

select * from latest
{{ unless_newer_is_held("market_id") }}
