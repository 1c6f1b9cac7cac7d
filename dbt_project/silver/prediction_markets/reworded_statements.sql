{{ config(materialized="table") }}

{%- set most_words = 4 %}

-- Only what may be called equal: who says almost the same of one thing may mean another by the word that differs.
with alike as (
    select
        scores.pair_id,
        candidates.kalshi_market_id,
        candidates.polymarket_market_id,
    from {{ ref("pair_scores") }} as scores
    inner join {{ ref("candidate_pairs") }} as candidates on scores.pair_id = candidates.pair_id
    where scores.score >= scores.threshold
),

statements as (
    select
        wordings.market_id,
        unnest([wordings.condition] || flatten(
            list_transform(wordings.clauses, lambda clause: string_split(clause, ' ; '))
        )) as statement,
        coalesce(statement = wordings.condition, false) as is_condition,
        list_transform(
            list_filter(string_split(statement, ' '), lambda word: word not in ('', 'the', 'a', 'an')),
            lambda word: silver.word_stem(word)
        ) as words,
    from {{ ref("contract_wordings") }} as wordings
    where wordings.market_id in (
            select unnest([alike.kalshi_market_id, alike.polymarket_market_id]) from alike
        )
),

compared as (
    select
        alike.pair_id,
        kalshi.is_condition,
        kalshi.statement as kalshi_statement,
        polymarket.statement as polymarket_statement,
        list_sort(list_distinct(
            {{ not_in("kalshi.words", "polymarket.words") }} || {{ not_in("polymarket.words", "kalshi.words") }}
        )) as own_words,
        len(list_intersect(kalshi.words, polymarket.words)) as shared_words,
    from alike
    inner join statements as kalshi on alike.kalshi_market_id = kalshi.market_id
    inner join statements as polymarket
        on alike.polymarket_market_id = polymarket.market_id
            and kalshi.is_condition = polymarket.is_condition
            and kalshi.words != polymarket.words
),

reworded as (
    select distinct * exclude (shared_words)
    from compared
    where
        len(own_words) <= {{ most_words }}
        and shared_words >= if(is_condition, len(own_words), greatest(2, len(own_words)))
)

select * from reworded
