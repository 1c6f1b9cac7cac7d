{{ config(materialized="table") }}

-- What no score may overlook, however alike the rest is.
with pairs as (
    select
        features.pair_id,
        sides.polymarket_outcome_index,
        related.relation as other_relation,
        kalshi,
        polymarket,
        list_filter(
            {{ not_in("kalshi.markers", "polymarket.markers") }}
            || {{ not_in("polymarket.markers", "kalshi.markers") }},
            lambda marker: regexp_replace(marker, ' \d+$', '') in ({{ markers_that("doubt") }})
        ) as doubtful_of_one,
        {{ names_in_order("kalshi", "polymarket") }} as kalshi_names,
        {{ names_in_order("polymarket", "kalshi") }} as polymarket_names,
        -- "Reed" and "Rees": one stem, two names.
        list_filter(
            {{ not_in("kalshi.cut_names", "polymarket.cut_names") }},
            lambda name: list_contains(
                list_transform(
                    {{ not_in("polymarket.cut_names", "kalshi.cut_names") }}, lambda other: silver.word_stem(other)
                ),
                silver.word_stem(name)
            )
        ) as other_endings,
        list_filter(
            {{ not_in("kalshi.words", "polymarket.words") }} || {{ not_in("polymarket.words", "kalshi.words") }},
            lambda word: word in ('minu', 'plu', 'eur', 'gbp', 'jpy', 'by', 'upto', 'exactly', 'both', 'all', 'only')
        ) as turning_words,
    from {{ ref("pair_features") }} as features
    inner join {{ ref("candidate_pairs") }} as candidates on features.pair_id = candidates.pair_id
    inner join {{ ref("pair_sides") }} as sides on features.pair_id = sides.pair_id
    inner join {{ ref("contract_terms") }} as kalshi on candidates.kalshi_market_id = kalshi.market_id
    inner join {{ ref("contract_terms") }} as polymarket on candidates.polymarket_market_id = polymarket.market_id
    left join {{ ref("related_pairs") }} as related on features.pair_id = related.pair_id
),

doubted as (
    select
        pair_id,
        list_filter([
            case when polymarket_outcome_index is null then 'which outcome is meant was not read' end,
            case
                when kalshi.window_time is distinct from polymarket.window_time and other_relation is null
                    then 'hour read on one side only'
            end,
            case
                when kalshi.has_alternative != polymarket.has_alternative then 'only one side names an alternative (or)'
            end,
            case
                when
                    kalshi_names != polymarket_names and not kalshi.is_game
                    -- Then the condition says who does what to whom.
                    and not (kalshi.is_told_by_condition and polymarket.is_told_by_condition)
                    then 'names in another order: ' || array_to_string(kalshi_names, ' ')
                        || ' / ' || array_to_string(polymarket_names, ' ')
            end,
            case
                when len(other_endings) > 0
                    then 'names with other endings: ' || array_to_string(other_endings, ' ')
            end,
            case
                when len(turning_words) > 0
                    then 'only one side says: ' || array_to_string(turning_words, ' ')
            end,
            case when not contains(kalshi.window_time, ' ') then 'hour without a zone' end,
            case
                when
                    (kalshi.window_ends_on is null) != (polymarket.window_ends_on is null)
                    -- "The 2027 final" may well be the final.
                    and not kalshi.is_edition and not polymarket.is_edition
                    then 'deadline read on one side only'
            end,
            case
                when len(doubtful_of_one) > 0
                    then 'only one side says: ' || array_to_string(doubtful_of_one, ', ')
            end
        ], lambda doubt: doubt is not null) as doubts,
    from pairs
)

select * from doubted
