{{ config(materialized="table") }}

with seen as (
    select max(fetched_at) as seen_at from {{ ref("kalshi_order_books") }}
    union all
    select max(fetched_at) from {{ ref("polymarket_order_books") }}
),

pricing_clock as (
    select
        clock.clock_id,
        {% if var("as_of") -%}
        clock.as_of,
        {% else -%}
        greatest(clock.as_of, (select max(seen.seen_at) from seen)) as as_of,
        {% endif -%}
    from {{ ref("clock") }} as clock
)

select * from pricing_clock
