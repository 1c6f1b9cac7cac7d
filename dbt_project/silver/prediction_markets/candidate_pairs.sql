{{ config(materialized="table") }}

with terms as (
    select * from {{ ref("matched_listings") }}
),

kalshi as (
    select * from terms where platform = 'kalshi'
),

polymarket as (
    select * from terms where platform = 'polymarket'
),

words as (
    select * from {{ ref("word_weights") }}
),

-- The most telling words of each market that the other venue knows too.
kalshi_rare_words as (
    {{ rarest_words("kalshi") }}
),

polymarket_rare_words as (
    {{ rarest_words("polymarket") }}
),

same_words as (
    select
        kalshi.market_id as kalshi_market_id,
        polymarket.market_id as polymarket_market_id,
        'same_words' as blocking_rule,
    from kalshi
    inner join polymarket on kalshi.universe = polymarket.universe and kalshi.word_key = polymarket.word_key
),

rare_words as (
    select
        kalshi.market_id as kalshi_market_id,
        polymarket.market_id as polymarket_market_id,
        'rare_words' as blocking_rule,
    from (
        select
            kalshi_rare_words.market_id as kalshi_market_id,
            polymarket_rare_words.market_id as polymarket_market_id,
            sum(kalshi_rare_words.weight) as shared_weight,
        from kalshi_rare_words
        inner join polymarket_rare_words
            on kalshi_rare_words.universe = polymarket_rare_words.universe
                and kalshi_rare_words.word = polymarket_rare_words.word
        group by kalshi_rare_words.market_id, polymarket_rare_words.market_id
        having count(*) >= 2
        qualify row_number() over (
                partition by kalshi_market_id order by shared_weight desc, polymarket_market_id asc
            ) <= {{ var("maximum_candidates") }}
    ) as sharing
    inner join kalshi on sharing.kalshi_market_id = kalshi.market_id
    inner join polymarket on sharing.polymarket_market_id = polymarket.market_id
    where not coalesce(kalshi.word_key = polymarket.word_key, false)
),

candidates as (
    select
        kalshi_market_id || '|' || polymarket_market_id as pair_id,
        if(starts_with(kalshi_market_id, 'labelled:'), 'labelled', 'live') as universe,
        *,
    from (
        select * from same_words
        union all
        select * from rare_words
    ) as found
)

select * from candidates
