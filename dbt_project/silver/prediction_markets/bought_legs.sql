{{ config(materialized="table") }}

-- Where a member of a set is listed on both venues, the one whose best offer is cheaper with its fee.
with offers as (
    select
        ladders.outcome_id,
        ladders.price + ladders.contract_fee as best_price,
    from {{ ref("ask_ladders") }} as ladders
    inner join {{ ref("outcome_books") }} as books on ladders.outcome_id = books.outcome_id
    inner join {{ ref("markets") }} as markets on books.market_id = markets.market_id
    where ladders.level_number = 1 and markets.is_eligible
),

ranked as (
    select
        legs.*,
        row_number() over (
            partition by legs.lock_id, legs.leg_index order by offers.best_price, legs.leg_id
        ) as choice,
    from {{ ref("lock_legs") }} as legs
    left join offers on legs.outcome_id = offers.outcome_id
),

legs as (
    select * exclude (choice) from ranked where choice = 1
)

select * from legs
