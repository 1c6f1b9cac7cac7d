{{ config(materialized="table") }}

with landed as (
    select max(fetched_at) as landed_at from {{ ref("kalshi_markets") }}
    union all
    select max(fetched_at) from {{ ref("polymarket_markets") }}
    union all
    -- Books are fetched for what this build has matched: prices have a clock of their own.
    select max(finished_at) from {{ ref("sweeps") }} where is_complete and entity is distinct from 'order_book'
),

clock as (
    select
        1 as clock_id,
        coalesce(
            {% if var("as_of") %} timestamp '{{ var("as_of") }}', {% endif %}
            max(landed_at),
            timestamp '1970-01-01 00:00:00'
        ) as as_of,
        coalesce(as_of < max(landed_at), false) as is_past,
        (
            select max(sweeps.load_id)
            from {{ ref("sweeps") }} as sweeps
            where sweeps.entity is distinct from 'order_book'
        ) as listing_load_id,
    from landed
)

select * from clock
