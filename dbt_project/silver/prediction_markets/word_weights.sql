{{ config(materialized="table") }}

with market_words as (
    select
        terms.platform,
        terms.market_id,
        unnest(list_distinct(terms.words)) as word,
    from {{ ref("contract_terms") }} as terms
    inner join {{ ref("markets") }} as markets on terms.market_id = markets.market_id
    where markets.is_eligible
),

counted as (
    select
        word,
        count(*) filter (platform = 'kalshi') as kalshi_markets,
        count(*) filter (platform = 'polymarket') as polymarket_markets,
    from market_words
    group by word
),

weighted as (
    select
        *,
        -- A decimal: its sums do not depend on the order of adding, and equal sums are equal.
        cast(
            ln((select count(distinct market_id) + 1 from market_words) / (kalshi_markets + polymarket_markets))
            as decimal(12, 9)
        ) as weight,
    from counted
)

select * from weighted
