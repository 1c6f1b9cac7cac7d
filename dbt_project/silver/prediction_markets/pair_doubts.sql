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
                regexp_extract_all(regexp_replace(condition, '\buntil \S+', ''), '\b[a-z]{3,}\b'),
                lambda word: not silver.is_function_word(word)
            ),
            lambda word: silver.word_stem(word)
        )) as asked_words,
        words || {{ telling_stems("array_to_string([coalesce(condition, '')] || clauses, ' ')") }} as stems,
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
            case
                when
                    kalshi.is_condition_negative != polymarket.is_condition_negative and not is_negated
                    -- Who is out is not in office.
                    and not coalesce(kalshi.outlook = 'ends' and polymarket.outlook = 'ends', false)
                    then 'the condition of one side asks that something is not'
            end,
            case when other_relation = 'unclear' then 'the other way round? ' || difference end,
            case when polymarket_outcome_index is null then 'which outcome is meant was not read' end,
            -- To win a match is not to win the tournament.
            case
                when
                    kalshi.is_game != polymarket.is_game
                    and list_contains(
                        if(
                            kalshi.is_game,
                            kalshi.words || kalshi.event_words || kalshi.rules_words,
                            polymarket.words || polymarket.event_words
                        ),
                        'vs'
                    )
                    and not list_has_all(kalshi.markers, ['series:series'])
                    and not is_tie_of_both
                    then 'only one side is about one match'
            end,
            case
                when
                    kalshi.window_time is distinct from polymarket.window_time and other_relation is null
                    -- The close of a session is at four; what trades at night has other closes.
                    and not (
                        coalesce(kalshi.window_time, polymarket.window_time) = '16:00 et'
                        and not list_contains([kalshi.category, polymarket.category], 'crypto')
                        and list_contains(kalshi.rules_words, 'clos') and list_contains(polymarket.rules_words, 'clos')
                    )
                    then 'hour read on one side only'
            end,
            case
                when
                    len({{ not_in("kalshi.alternatives", "polymarket.said") }}) > 0
                    or len({{ not_in("polymarket.alternatives", "kalshi.said || outcomes_named") }}) > 0
                    then 'only one side names an alternative (or)'
            end,
            case
                when
                    not {{ is_same_order("kalshi_names", "polymarket_names", "kalshi_runs", "polymarket_runs") }}
                    and not is_passive_of_one
                    and not kalshi.is_game
                    and polymarket.event_type != 'head_to_head'
                    -- Then the condition says who does what to whom.
                    and not (
                        kalshi.is_told_by_condition and polymarket.is_told_by_condition
                        and {{ is_same_order_in("kalshi_names", "kalshi.condition", "polymarket.condition") }}
                    )
                    then 'names in another order: ' || array_to_string(kalshi_names, ' ')
                        || ' / ' || array_to_string(polymarket_names, ' ')
            end,
            -- "Israel attacks Iran" and "Israel is attacked by Iran".
            case
                when is_done_by_of_one and len(kalshi_names) > 1 and kalshi_names = polymarket_names
                    then 'who does it to whom: ' || array_to_string(kalshi_names, ' ')
            end,
            -- "Will OpenAI score 60%?" and "Will a model score 60%?"
            case
                when
                    len(kalshi.subject_words) > 0
                    and not list_has_any(polymarket.told_words, kalshi.subject_words || kalshi.subject_names)
                    and list_has_all(kalshi.rules_words, kalshi.subject_words)
                    then 'only one side names whom it is about: ' || array_to_string(kalshi.subject_words, ' ')
                when
                    len(polymarket.subject_words) > 0
                    and not list_has_any(kalshi.told_words, polymarket.subject_words || polymarket.subject_names)
                    and list_has_all(polymarket.rules_words, polymarket.subject_words)
                    then 'only one side names whom it is about: ' || array_to_string(polymarket.subject_words, ' ')
            end,
            -- What anybody says on a call, and what its chief says.
            case
                when
                    list_has_all(['mentions'], [kalshi.category, polymarket.category])
                    and len({{ not_in("kalshi.title_names", "polymarket.told_words") }})
                    + len({{ not_in("polymarket.title_names", "kalshi.told_words") }}) > 0
                    then 'only one side names who says it'
            end,
            case
                when len(other_endings) > 0
                    then 'names with other endings: ' || array_to_string(other_endings, ' ')
            end,
            case
                when len(turning_words) > 0
                    then 'only one side says: ' || array_to_string(turning_words, ' ')
            end,
            -- A death that pays on one venue and not on the other; by another deadline, any difference.
            case
                when is_negated
                    then if(
                            len(kalshi_deaths) > 0 and kalshi_deaths = polymarket_deaths
                            and kalshi_deaths != ['death:at last price'],
                            'a death is settled in another way', null
                        )
                when
                    kalshi_deaths != polymarket_deaths
                    and (
                        (
                            len(kalshi_deaths) > 0 and len(polymarket_deaths) > 0
                            and list_contains(kalshi_deaths || polymarket_deaths, 'death:is no')
                        )
                        or other_relation in ('k_implies_p', 'p_implies_k')
                    )
                    then 'a death is settled in another way'
            end,
            case
                when
                    len(numbers_of_one) > 0 and not kalshi.is_game
                    then 'only one side says: ' || array_to_string(numbers_of_one, ', ')
            end,
            -- "A cap at 10%" and a cap.
            case
                when
                    amounts = 'none' and not list_has_any([kalshi.category, polymarket.category], ['sports', 'culture'])
                    and (len(kalshi.other_numbers) = 0) != (len(polymarket.other_numbers) = 0)
                    and len(other_numbers_of_one) > 0
                    then 'only one side says: '
                        || array_to_string(other_numbers_of_one, ', ')
            end,
            case
                when
                    (
                        (
                            amounts = 'only kalshi'
                            and not coalesce(kalshi.amount_low = 1 and kalshi.amount_unit is null, false)
                            and kalshi.amount_source != 'condition'
                        )
                        or (
                            amounts = 'only polymarket'
                            and not coalesce(polymarket.amount_low = 1 and polymarket.amount_unit is null, false)
                            and polymarket.amount_source != 'condition'
                        )
                    )
                    then 'only one side says how the amount compares'
            end,
            case
                when amounts = 'same' and kalshi.is_amount_contested != polymarket.is_amount_contested
                    then 'the rules of one side compare otherwise than its title'
            end,
            case
                when
                    not (kalshi.is_game and polymarket.is_game)
                    and (
                        {{ is_denied("kalshi.counted", "polymarket.denied", "kalshi.condition") }}
                        or {{ is_denied("polymarket.counted", "kalshi.denied", "polymarket.condition") }}
                    )
                    then 'the rules of one side deny what those of the other say'
            end,
            -- "If it is signed and takes effect", and "it does not need to take effect".
            case
                when
                    {{ is_waived("kalshi", "polymarket") }}
                    or {{ is_waived("polymarket", "kalshi") }}
                    then 'one side asks what the other waives'
            end,
            case
                when
                    len(kalshi_effects) > 0 and len(polymarket_effects) > 0 and kalshi_effects != polymarket_effects
                    then 'it takes effect in another way'
            end,
            case
                when
                    len(list_filter(
                        {{ not_in("kalshi.condition_stems", "polymarket.said") }}
                        || {{ not_in("polymarket.condition_stems", "kalshi.said") }},
                        lambda word: list_contains({{ narrowing_words() }}, word)
                    )) > 0
                    and not list_contains([kalshi.category, polymarket.category], 'sports')
                    then 'only one condition narrows'
            end,
            case
                when
                    {{ is_any_of_all("kalshi.condition", "polymarket.condition") }}
                    or {{ is_any_of_all("polymarket.condition", "kalshi.condition") }}
                    then 'any of them, or all'
            end,
            case when not contains(kalshi.window_time, ' ') then 'hour without a zone' end,
            case
                when
                    not kalshi.is_game and {{ is_named_otherwise("publishers") }}
                    and not list_has_any(kalshi.said, polymarket.publisher_initials)
                    and not list_has_any(polymarket.said, kalshi.publisher_initials)
                    then 'each side names another source'
            end,
            case
                when not kalshi.is_game and {{ is_named_otherwise("places") }}
                    then 'each side names another place'
            end,
            -- Who plays whom is no game of its own: the women's cup and the men's.
            case
                when kalshi.is_game and polymarket.is_game and {{ is_named_otherwise("competitions") }}
                    then 'each side names another competition'
            end,
            -- "Gentle Thunder" and "Gentle Thunder Returns".
            case
                when
                    least(len(kalshi.quoted_words), len(polymarket.quoted_words)) > 0
                    and len({{ not_in("kalshi.quoted_words", "polymarket.said") }})
                    + len({{ not_in("polymarket.quoted_words", "kalshi.said") }}) > 0
                    then 'each side quotes another name'
            end,
            -- To be acquired and to launch a satellite: nothing but the name is the same.
            case
                when
                    not kalshi.is_game and polymarket.event_type = 'binary'
                    and amounts in ('none', 'only kalshi', 'only polymarket')
                    and coalesce(kalshi.outlook, polymarket.outlook) is null
                    and least(len(kalshi.asked), len(polymarket.asked)) > 0
                    and not list_has_any(kalshi.asked, polymarket.said || polymarket.told_words)
                    and not list_has_any(polymarket.asked, kalshi.said)
                    and not list_has_any(
                        {{ not_in("kalshi.condition_stems", "kalshi.title_names || kalshi.subject_words") }},
                        polymarket.condition_stems
                    )
                    then 'no word of what they ask is the same'
            end,
            case
                when
                    (
                        len({{ not_in("kalshi.left_out", "polymarket.stems") }}) > 0
                        or len({{ not_in("polymarket.left_out", "kalshi.stems") }}) > 0
                    )
                    -- "Core" says what is left out, unless both say it.
                    and (
                        not list_contains(kalshi.words || polymarket.words, 'cor')
                        or least(len(kalshi.left_out), len(polymarket.left_out)) > 0
                    )
                    then 'only one side leaves out'
            end,
            case
                when
                    (kalshi.window_ends_on is null) != (polymarket.window_ends_on is null)
                    -- "The 2027 final" may well be the final.
                    and not kalshi.is_edition and not polymarket.is_edition
                    and not is_tie_of_both
                    and not {{ is_end_named("kalshi", "polymarket") }}
                    and not {{ is_end_named("polymarket", "kalshi") }}
                    then 'deadline read on one side only'
            end,
            case
                when len(doubtful_of_one) > 0
                    then 'only one side says: ' || array_to_string(doubtful_of_one, ', ')
            end
        ], lambda doubt: doubt is not null) as doubts,
        is_said_by_one,
        own_words,
        pair_hash,
    from pairs
)

select * from doubted
