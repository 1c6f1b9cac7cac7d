{{ config(materialized="table") }}

with listings as (
    select
        listings.*,
        terms.* exclude (universe, platform, market_id),
        -- One venue names the cities of a game, the other the clubs: the rules name both.
        case when is_game then silver.normalised_text(silver.names(left(texts.description, 400))) end as rules_names,
    from {{ ref("matched_listings") }} as listings
    inner join {{ ref("contract_terms") }} as terms on listings.market_id = terms.market_id
    inner join {{ ref("contract_texts") }} as texts on listings.market_id = texts.market_id
),

vocabulary as (
    select map(list(word), list(canonical)) as canonical_words from {{ ref("word_aliases") }}
),

named as (
    select
        listings.*,
        list_distinct(
            title_names || subject_words
            || case when event_type = 'head_to_head' then flatten(outcome_words) else [] end
            || coalesce(silver.telling_words(rules_names, canonical_words), [])
        ) as names,
    from listings
    cross join vocabulary
),

market_words as (
    select
        universe,
        platform,
        market_id,
        names,
        list_sort(list_distinct(
            words || topic_words || event_topic_words || names
            -- No text has such a word: there is a space in it.
            || case when window_ends_on is not null then ['until ' || window_ends_on] else [] end
        )) as words,
    from named
)

select * from market_words
