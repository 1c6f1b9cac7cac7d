{{ config(materialized="table") }}

-- A key of more possible pairs is none: a word that everybody uses would pair everybody.
{%- set most_pairs = var("maximum_pairs_of_words") %}

with listings as (
    select
        universe,
        platform,
        market_id,
        -- Numbers are joined faster than names.
        row_number() over (order by market_id) as listing,
    from {{ ref("market_words") }}
),

weights as (
    select
        universe,
        word,
        row_number() over (order by universe, word) as word_number,
        kalshi_markets * polymarket_markets as possible_pairs,
        -- Of integers the sum is the same in any order.
        cast(round(1e6 * weight * weight) as integer) as points,
    from {{ ref("word_weights") }}
),

market_words as (
    select
        market_id,
        unnest(words) as word,
    from {{ ref("market_words") }}
),

words as (
    select
        listings.platform,
        listings.listing,
        weights.word_number,
        weights.possible_pairs,
        weights.points,
        row_number() over (
            partition by listings.listing, weights.possible_pairs > {{ most_pairs }}
            order by weights.possible_pairs, weights.word_number
        ) as rarity,
    from market_words
    inner join listings on market_words.market_id = listings.market_id
    inner join weights on listings.universe = weights.universe and market_words.word = weights.word
),

common_words as (
    select * from words where possible_pairs > {{ most_pairs }} and rarity <= {{ var("maximum_common_words") }}
),

-- A rare word is a key by itself; of the common ones any two.
keys as (
    select
        platform,
        listing,
        word_number as first_word,
        0 as second_word,
    from words
    where possible_pairs between 1 and {{ most_pairs }}
    union all
    select
        one.platform,
        one.listing,
        one.word_number as first_word,
        other.word_number as second_word,
    from common_words as one
    inner join common_words as other on one.listing = other.listing and one.word_number < other.word_number
),

useful_keys as (
    select
        first_word,
        second_word,
    from keys
    group by first_word, second_word
    having count(*) filter (platform = 'kalshi') * count(*) filter (platform = 'polymarket')
        between 1 and {{ most_pairs }}
),

found as (
    select distinct
        kalshi.listing as kalshi,
        polymarket.listing as polymarket,
    from keys as kalshi
    inner join useful_keys
        on kalshi.first_word = useful_keys.first_word and kalshi.second_word = useful_keys.second_word
    inner join keys as polymarket
        on kalshi.first_word = polymarket.first_word and kalshi.second_word = polymarket.second_word
    where kalshi.platform = 'kalshi' and polymarket.platform = 'polymarket'
),

weighted_listings as (
    select
        listing,
        sum(points) as points,
        list(struct_pack(word_number, points)) filter (possible_pairs > 0) as words,
        list(word_number) filter (possible_pairs > 0) as word_numbers,
    from words
    group by listing
),

-- Cosine of the two listings, over all words that they share.
scored as (
    select
        found.kalshi,
        found.polymarket,
        list_sum(list_transform(
            list_filter(kalshi.words, lambda word: list_contains(polymarket.word_numbers, word.word_number)),
            lambda word: word.points
        )) / sqrt(kalshi.points * polymarket.points) as similarity,
    from found
    inner join weighted_listings as kalshi on found.kalshi = kalshi.listing
    inner join weighted_listings as polymarket on found.polymarket = polymarket.listing
),

ranked as (
    select
        *,
        row_number() over (partition by kalshi order by similarity desc, polymarket asc) as kalshi_rank,
        row_number() over (partition by polymarket order by similarity desc, kalshi asc) as polymarket_rank,
    from scored
),

similar_pairs as (
    select
        kalshi.universe,
        kalshi.market_id as kalshi_market_id,
        polymarket.market_id as polymarket_market_id,
        ranked.similarity,
        ranked.kalshi_rank,
        ranked.polymarket_rank,
    from ranked
    inner join listings as kalshi on ranked.kalshi = kalshi.listing
    inner join listings as polymarket on ranked.polymarket = polymarket.listing
    where least(ranked.kalshi_rank, ranked.polymarket_rank) <= {{ var("maximum_candidates") }}
)

select * from similar_pairs
