{{ config(materialized="table") }}

-- A key of more possible pairs is none: a word that everybody uses would pair everybody.
{%- set most_pairs = var("maximum_pairs_of_words") %}
{%- set most_candidates = var("maximum_candidates") %}

with listings as (
    select
        universe,
        platform,
        market_id,
        words,
        -- Numbers are joined faster than names.
        row_number() over (order by market_id) as listing,
    from {{ ref("market_words") }}
),

weights as (
    select
        universe,
        word,
        kalshi_markets * polymarket_markets as possible_pairs,
        -- The rarest first.
        row_number() over (order by possible_pairs, universe, word) as word_number,
        -- Of integers the sum is the same in any order.
        cast(round(1e6 * weight * weight) as integer) as points,
    from {{ ref("word_weights") }}
),

listed_words as (
    select
        universe,
        platform,
        listing,
        unnest(words) as word,
    from listings
),

words as (
    select
        listed_words.platform,
        listed_words.listing,
        weights.word_number,
        weights.possible_pairs,
        weights.points,
    from listed_words
    inner join weights on listed_words.universe = weights.universe and listed_words.word = weights.word
),

weighted_listings as (
    select
        platform,
        listing,
        cast(sum(points) as double) as points,
        -- A word and its points in one number: one list is looked through faster than two.
        list((word_number << 32) + points) filter (possible_pairs > 0) as words,
        min(word_number, {{ var("maximum_common_words") }}) filter (possible_pairs > {{ most_pairs }}) as common_words,
    from words
    group by platform, listing
),

common_words as (
    select
        platform,
        listing,
        unnest(common_words) as word_number,
    from weighted_listings
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

-- Cosine of the two listings, over all words that they share.
scored as (
    select
        found.kalshi,
        found.polymarket,
        list_sum(list_transform(
            list_filter(kalshi.words, lambda word: list_contains(polymarket.words, word)),
            lambda word: word & ((cast(1 as bigint) << 32) - 1)
        )) / sqrt(kalshi.points * polymarket.points) as similarity,
        -- For the place among others: the similarity in steps of 2^-38, and room for the other's number.
        cast(similarity * (cast(1 as bigint) << 38) as bigint) << 24 as likeness,
    from found
    inner join weighted_listings as kalshi on found.kalshi = kalshi.listing
    inner join weighted_listings as polymarket on found.polymarket = polymarket.listing
),

last_of_kalshi as (
    select
        kalshi,
        list_min(max(likeness - polymarket, {{ most_candidates }})) as likeness,
    from scored
    group by kalshi
),

last_of_polymarket as (
    select
        polymarket,
        list_min(max(likeness - kalshi, {{ most_candidates }})) as likeness,
    from scored
    group by polymarket
),

similar_pairs as (
    select
        kalshi.universe,
        kalshi.market_id as kalshi_market_id,
        polymarket.market_id as polymarket_market_id,
        scored.similarity,
    from scored
    inner join last_of_kalshi on scored.kalshi = last_of_kalshi.kalshi
    inner join last_of_polymarket on scored.polymarket = last_of_polymarket.polymarket
    inner join listings as kalshi on scored.kalshi = kalshi.listing
    inner join listings as polymarket on scored.polymarket = polymarket.listing
    where
        scored.likeness - scored.polymarket >= last_of_kalshi.likeness
        or scored.likeness - scored.kalshi >= last_of_polymarket.likeness
)

select * from similar_pairs
