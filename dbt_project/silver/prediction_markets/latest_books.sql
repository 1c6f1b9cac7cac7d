{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="book_key") }}

with kalshi as (
    select
        'kalshi' as platform,
        ticker as book_id,
        record_number,
        fetched_at,
    from {{ ref("kalshi_order_books") }}
    where
        ticker is not null
        and {{ is_new_record("kalshi") }}
),

polymarket as (
    select
        'polymarket' as platform,
        token_id as book_id,
        record_number,
        fetched_at,
    from {{ ref("polymarket_order_books") }}
    where
        token_id is not null
        and {{ is_new_record("polymarket") }}
),

latest as (
    select
        platform || ':' || book_id as book_key,
        *,
    from (
        select * from kalshi
        union all
        select * from polymarket
    ) as records
    qualify row_number() over (partition by platform, book_id order by fetched_at desc, record_number desc) = 1
)

select * from latest
{{ unless_newer_is_held("book_key") }}
