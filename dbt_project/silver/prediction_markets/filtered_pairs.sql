with filtered as (
    select
        pair_id,
        kalshi_market_id,
        polymarket_market_id,
    from {{ ref("pair_sides") }}
    where pair_hash not in (select vetoes.pair_hash from {{ ref("pair_vetoes") }} as vetoes)
)

select * from filtered
