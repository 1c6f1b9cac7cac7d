{{ config(materialized="table") }}

with seen as (
    select max(fetched_at) as seen_at from {{ ref("kalshi_order_books") }}
    union all
    select max(fetched_at) from {{ ref("polymarket_order_books") }}
),

newest as (
    select
        clock.clock_id,
        clock.is_past,
        clock.listing_load_id,
        (select max(load_id) from {{ ref("sweeps") }} where entity = 'order_book') as book_load_id,
        greatest(clock.as_of, (select max(seen.seen_at) from seen)) as newest_at,
    from {{ ref("clock") }} as clock
),

pricing_clock as (
    select
        clock_id,
        {% if var("as_of") %} timestamp '{{ var("as_of") }}' {% else %} newest_at {% endif %} as as_of,
        is_past or newest_at > as_of as is_past,
        listing_load_id,
        book_load_id,
    from newest
)

select * from pricing_clock
