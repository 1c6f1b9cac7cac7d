{{ config(materialized="incremental", incremental_strategy="append") }}

with kalshi as (
    select
        'kalshi' as platform,
        ticker as external_id,
        record_number,
        yes_bid_price as bid_price,
        yes_ask_price as ask_price,
        last_price,
        volume_contracts as volume,
        fetched_at as quoted_at,
    from {{ ref("kalshi_markets") }}
    where
        not is_gone
        and len(rejections) = 0
        and {{ is_new_record("kalshi") }}
),

polymarket as (
    select
        'polymarket' as platform,
        polymarket_id as external_id,
        record_number,
        best_bid_price as bid_price,
        best_ask_price as ask_price,
        last_price,
        volume_usd as volume,
        fetched_at as quoted_at,
    from {{ ref("polymarket_markets") }}
    where
        not is_gone
        and len(rejections) = 0
        and {{ is_new_record("polymarket") }}
),

quotes as (
    select
        platform || ':' || record_number as quote_id,
        platform || ':' || external_id as market_id,
        *,
    from (
        select * from kalshi
        union all
        select * from polymarket
    ) as records
)

select * from quotes
