{{ config(materialized="table") }}

-- A lock is the more promising, the less both sides cost by the listings' own quotes.
with locks as (
    select
        lock_id,
        avg(coalesce(listed_ask_price, 1)) as listed_ask_price,
    from {{ ref("lock_legs") }}
    group by lock_id
),

tokens as (
    select
        legs.outcome_id,
        any_value(legs.platform) as platform,
        any_value(legs.market_id) as market_id,
        any_value(legs.token_id) as token_id,
        -- What the venue is asked for: one Kalshi book holds both sides of a market.
        any_value(if(legs.platform = 'kalshi', legs.external_id, legs.token_id)) as book_id,
        count(*) as locks,
        min(locks.listed_ask_price) as listed_ask_price,
    from {{ ref("lock_legs") }} as legs
    inner join locks on legs.lock_id = locks.lock_id
    where legs.token_id is not null
    group by legs.outcome_id
),

watched as (
    select
        tokens.*,
        row_number() over (order by tokens.listed_ask_price, tokens.outcome_id) as priority,
    from tokens
    qualify priority <= {{ var("maximum_watched_tokens") }}
)

select * from watched
