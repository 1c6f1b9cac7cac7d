{{ config(materialized="table") }}

with pair_words as (
    select
        filtered.pair_id,
        list_distinct(kalshi.words) as kalshi_words,
        list_distinct(polymarket.words) as polymarket_words,
        unnest(list_distinct(kalshi.words || polymarket.words)) as word,
    from {{ ref("filtered_pairs") }} as filtered
    inner join {{ ref("contract_terms") }} as kalshi on filtered.kalshi_market_id = kalshi.market_id
    inner join {{ ref("contract_terms") }} as polymarket on filtered.polymarket_market_id = polymarket.market_id
),

weighed as (
    select
        pair_words.pair_id,
        list_contains(pair_words.kalshi_words, pair_words.word)
        and list_contains(pair_words.polymarket_words, pair_words.word) as is_shared,
        -- Of integers the sum is the same in any order.
        cast(round(word_weights.weight * 1e6) as bigint) as micro_weight,
    from pair_words
    inner join {{ ref("word_weights") }} as word_weights on pair_words.word = word_weights.word
),

scored as (
    select
        pair_id,
        coalesce(sum(micro_weight) filter (is_shared), 0) / nullif(sum(micro_weight), 0) as score,
    from weighed
    group by pair_id
)

select * from scored
