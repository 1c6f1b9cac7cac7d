{{ config(materialized="table") }}

with books as (
    select * from {{ ref("outcome_books") }} where rejection_reason is null
),

sides as (
    select
        outcome_id,
        'bid' as side,
        unnest(bids) as entry,
        fetched_at,
    from books
    union all
    select
        outcome_id,
        'ask' as side,
        unnest(asks) as entry,
        fetched_at,
    from books
),

-- A level of no size is none.
levels as (
    select
        outcome_id,
        side,
        entry.price as price,
        entry.size as size,
        fetched_at,
    from sides
    where entry.size > 0
),

ranked as (
    select
        outcome_id || ':' || side || ':' || level_number as level_id,
        *,
    from (
        select
            *,
            row_number() over (
                partition by outcome_id, side order by if(side = 'ask', price, -price)
            ) as level_number,
        from levels
    ) as numbered
)

select * from ranked
