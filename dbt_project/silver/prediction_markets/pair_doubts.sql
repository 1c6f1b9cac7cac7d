{{ config(
    materialized="incremental",
    incremental_strategy="append",
    post_hook="{{ drop_gone('pair_hash', 'pair_sides') }}"
) }}

-- What no score may overlook, however alike the rest is.
with changed as (
    select
        sides.*,
        related.relation as other_relation,
        related.veto_code,
        related.difference,
        coalesce(related.is_negated, false) as is_negated,
    from {{ ref("pair_sides") }} as sides
    left join {{ ref("filtered_pairs") }} as filtered on sides.pair_id = filtered.pair_id
    left join {{ ref("related_pairs") }} as related on sides.pair_id = related.pair_id
    where
        coalesce(filtered.pair_id, related.pair_id) is not null
        and {{ is_not_held("pair_hash", "sides.pair_hash") }}
),

terms as (
    {{ terms_of("changed") }}
),

-- What is asked of one listing, once for all its pairs.
listings as (
    select
        *,
        words || event_words || rules_words as said,
        {{ telling_stems("regexp_replace(coalesce(condition, ''), '\\buntil \\S+', '')") }} as condition_stems,
        list_distinct(list_transform(
            list_filter(
                regexp_extract_all(regexp_replace(condition, '\buntil \S+', ''), '\b(?:us|uk|eu|[a-z]{3,})\b'),
                lambda word: not silver.is_function_word(word)
            ),
            lambda word: silver.word_stem(word)
        )) as asked_words,
        words || {{ telling_stems("array_to_string([coalesce(condition, '')] || clauses, ' ')") }} as stems,
        {{ numbers_of_condition("terms") }} as asked_numbers,
        coalesce(window_time, condition_time) as asked_time,
        coalesce(window_ends_on - window_starts_on = 1, false) as is_one_day,
        regexp_matches(
            coalesce(condition, ''),
            '\b(?:clos(?:e|es|ed|ing)|settles?|end of (?:any|each|the|that|a) (?:trading )?day'
            || '|ends? (?:any|a|the) (?:trading )?(?:day|session))\b'
        ) as asks_for_close,
        {{ told_words("terms") }} as told_words,
        {{ said_to_count("terms", "false") }} as counted,
        {{ said_to_count("terms", "true") }} as denied,
        {{ phrases_of_condition("terms") }} as condition_phrases,
        {{ waived("terms") }} as waived,
        {{ left_out("terms") }} as left_out,
        {{ named_words("terms", publisher_heads()) }} as publishers,
        {{ initials_of_publishers("terms") }} as publisher_initials,
        {{ named_words("terms", "recorded at|measured at") }} as places,
        {{ not_in("words", "title_names || subject_words || subject_names") }} as asked,
    from terms
),

pairs as (
    select
        changed.pair_id,
        changed.pair_hash,
        changed.polymarket_outcome_index,
        changed.other_relation,
        changed.veto_code,
        changed.difference,
        changed.is_negated,
        kalshi,
        polymarket,
        {{ doubtful_markers() }} as doubtful_of_one,
        -- To advance "from its tie against Flamengo", and "past Flamengo".
        list_has_all(list_intersect(kalshi.markers, polymarket.markers), ['bet_type:qualify'])
        and list_has_all(kalshi.told_words, polymarket.title_names)
        and list_has_all(polymarket.told_words, kalshi.title_names) as is_tie_of_both,
        {{ names_in_order("kalshi", "polymarket") }} as kalshi_names,
        {{ names_in_order("polymarket", "kalshi") }} as polymarket_names,
        {{ markers_of("kalshi.markers", "'effect'") }} as kalshi_effects,
        {{ markers_of("polymarket.markers", "'effect'") }} as polymarket_effects,
        {{ markers_of("kalshi.markers", "'death'") }} as kalshi_deaths,
        {{ markers_of("polymarket.markers", "'death'") }} as polymarket_deaths,
        {{ is_done_by_a_name("kalshi", "polymarket") }} != {{ is_done_by_a_name("polymarket", "kalshi") }}
            as is_done_by_of_one,
        -- "The FDA approves it" and "it is approved by the FDA": who does it goes from the first place to the last.
        is_done_by_of_one and len(kalshi_names) > 1 and (
            kalshi_names = list_append(polymarket_names[2:], polymarket_names[1])
            or polymarket_names = list_append(kalshi_names[2:], kalshi_names[1])
        ) as is_passive_of_one,
        -- "Split or Steal?" is no alternative, where these are its outcomes.
        if(polymarket.event_type = 'binary', [], flatten(polymarket.outcome_words)) as outcomes_named,
        {{ runs_of_names("kalshi") }} as kalshi_runs,
        {{ runs_of_names("polymarket") }} as polymarket_runs,
        {{ names_with_other_endings() }} as other_endings,
        -- What only one side regulates, in a sentence or in a phrase of its condition.
        len(list_filter(
            kalshi.counted || kalshi.denied || kalshi.condition_phrases,
            lambda words: not list_has_any(polymarket.said, words)
        ) || list_filter(
            polymarket.counted || polymarket.denied || polymarket.condition_phrases,
            lambda words: not list_has_any(kalshi.said, words)
        )) > 0 as is_said_by_one,
        -- Words of one condition that the other side says nowhere; who plays whom is told by names.
        case
            when
                not (kalshi.is_game and polymarket.is_game)
                and kalshi.condition is not null and polymarket.condition is not null
                then list_sort(list_distinct(
                        {{ not_in(
                            "kalshi.asked_words",
                            "polymarket.asked_words || polymarket.said || polymarket.stems"
                            ~ " || flatten(polymarket.outcome_words)"
                        ) }}
                        || {{ not_in(
                            "polymarket.asked_words", "kalshi.asked_words || kalshi.said || kalshi.stems"
                        ) }}
                    ))
            else []
        end as own_words,
        changed.amounts,
        {{ numbers_not_in("kalshi.extra_numbers", "polymarket.said || polymarket.extra_numbers") }}
        || {{ numbers_not_in("polymarket.extra_numbers", "kalshi.said || kalshi.extra_numbers") }} as numbers_of_one,
        {{ numbers_not_in("kalshi.other_numbers", "polymarket.said") }}
        || {{ numbers_not_in("polymarket.other_numbers", "kalshi.said") }} as other_numbers_of_one,
        {{ turning_words() }} as turning_words,
    from changed
    inner join listings as kalshi on changed.kalshi_market_id = kalshi.market_id
    inner join listings as polymarket on changed.polymarket_market_id = polymarket.market_id
),

doubted as (
    select
        pair_id,
        list_filter([
            {% for text, when in doubts() -%}
            case when {{ when }} then {{ text }} end{{ "," if not loop.last }}
            {% endfor %}
        ], lambda doubt: doubt is not null) as doubts,
        is_said_by_one,
        own_words,
        pair_hash,
    from pairs
)

select * from doubted
