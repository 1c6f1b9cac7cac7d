{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'matched_listings') }}"
) }}

with hashed as (
    select
        listings.market_id,
        -- Keys are made anew when it changes, too.
        md5(concat(
            terms.terms_hash,
            '{{ local_md5(model.raw_code ~ code_of(["blocking_keys"]) ~ blocking_rules() ~ create_word_functions()) }}',
            {{ seed_digest("word_aliases", ["word", "canonical"]) }}
        )) as words_hash,
    from {{ ref("matched_listings") }} as listings
    inner join {{ ref("contract_terms") }} as terms on listings.market_id = terms.market_id
),

changed as (
    select * from hashed where {{ is_not_held("words_hash", "hashed.words_hash") }}
),

terms as (
    {{ rows_of("contract_terms", "changed") }}
),

texts as (
    {{ rows_of("contract_texts", "changed") }}
),

listings as (
    select
        changed.words_hash,
        terms.*,
        -- One venue names the cities of a game, the other the clubs: the rules name both.
        case when is_game then silver.normalised_text(silver.names(left(texts.description, 400))) end as rules_names,
    from changed
    inner join terms on changed.market_id = terms.market_id
    inner join texts on changed.market_id = texts.market_id
),

vocabulary as (
    select map(list(word), list(canonical)) as canonical_words from {{ ref("word_aliases") }}
),

named as (
    select
        listings.*,
        -- "More than 0.3 %" is "0.4 % or more", where one decimal is told.
        coalesce(amount_low, amount_high) as amount,
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
            -- No text has such words: there is a space in them.
            || case when window_ends_on is not null then ['until ' || window_ends_on] else [] end
            || case when amount is not null then ['amount ' || amount] else [] end
        )) as words,
        words_hash,
    from named
)

select * from market_words
