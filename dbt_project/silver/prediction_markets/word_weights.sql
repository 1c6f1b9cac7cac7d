{{ config(materialized="table") }}

with words as (
    select
        universe,
        platform,
        unnest(words) as word,
    from {{ ref("market_words") }}
),

sizes as (
    select
        universe,
        count(*) as markets,
    from {{ ref("market_words") }}
    group by universe
),

counted as (
    select
        universe,
        word,
        count(*) filter (platform = 'kalshi') as kalshi_markets,
        count(*) filter (platform = 'polymarket') as polymarket_markets,
    from words
    group by universe, word
),

weighted as (
    select
        counted.*,
        -- A decimal: its sums do not depend on the order of adding, and equal sums are equal.
        cast(ln((sizes.markets + 1) / (kalshi_markets + polymarket_markets)) as decimal(12, 9)) as weight,
    from counted
    inner join sizes on counted.universe = sizes.universe
)

select * from weighted
