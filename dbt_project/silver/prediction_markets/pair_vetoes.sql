{{ config(
    materialized="incremental",
    incremental_strategy="append",
    post_hook="{{ drop_gone('pair_hash', 'pair_sides') }}"
) }}

with changed as (
    select sides.*
    from {{ ref("pair_sides") }} as sides
    where {{ is_not_held("pair_hash", "sides.pair_hash") }}
),

kinds as (
    select
        map(list(marker_group), list(veto_code)) as code_of,
        flatten(list(strict_markers)) as strict_markers,
    from {{ ref("marker_groups") }}
    -- How it ends when it does not end makes a caveat.
    where veto_code not in ('TAIL', 'DEATH_OR_VOID')
),

-- What is asked of one listing, once for all its pairs; no long lists beside it.
terms as (
    select
        columns(
            lambda name: name not in (
                'rules_words', 'topic_words', 'event_topic_words', 'ordered_words', 'outcome_words', 'outcome_labels',
                'alternatives', 'words', 'added_words', 'event_words', 'cut_names', 'clauses', 'condition', 'word_key',
                'code_of', 'strict_markers'
            )
        ),
        list_filter(
            list_distinct(list_transform(markers, lambda marker: split_part(marker, ':', 1))),
            lambda marker_group: list_contains(map_keys(code_of), marker_group)
        ) as marker_groups,
        list_transform(
            list_filter(
                markers,
                lambda marker: list_has_any(strict_markers, [marker, regexp_replace(marker, ' \d+$', '')])
            ),
            lambda marker: split_part(marker, ':', 1)
        ) as strict_groups,
        -- In sport "against" names the other side.
        {{ shared_words("if(category = 'sports', " ~ not_in("words", "['against']") ~ ", words)", negations()) }}
            as negations,
        case when list_contains(words, 'unchang') then 'unchanged' when list_contains(words, 'chang') then 'changed' end
            as movement,
        regexp_extract(split_part(condition, ' from ', 1), '\b(?:to|for|reach\w*) (.*)', 1) as asked_to,
        coalesce(window_ends_on - window_starts_on = 1, false) as is_one_day,
        is_one_day or condition_on is not null
        or regexp_matches(
            concat_ws(' ', array_to_string(words, ' '), condition),
            '\b(?:end|last|final|clos(?:e|es|ed|ing)?)\b'
        ) as names_moment,
        {{ told_words("terms") }} as told_words,
    from ({{ terms_of("changed") }}) as terms
    cross join kinds
),

pairs as (
    select
        changed.pair_id,
        changed.pair_hash,
        changed.amounts,
        kalshi,
        polymarket,
        -- Where both have a subject, it is that which has to be the same; a rival is named by the event.
        len(kalshi.subject_words) > 0 and len(polymarket.subject_words) > 0
        and polymarket.event_type = 'binary' as have_subjects,
        {{ not_in(
            "if(len(kalshi.subject_words) > 0, kalshi.subject_words, kalshi.title_names)",
            "if(have_subjects, polymarket.subject_words || polymarket.subject_names, polymarket.told_words)"
        ) }} as untold_on_polymarket,
        {{ not_in(
            "if(have_subjects, polymarket.subject_words, polymarket.title_names)",
            "if(have_subjects, kalshi.subject_words || kalshi.subject_names, kalshi.told_words)"
        ) }} as untold_on_kalshi,
        -- Who has announced that he leaves may still be there on the day.
        coalesce(kalshi.outlook != polymarket.outlook, false)
        and not list_contains(kalshi.condition_markers || polymarket.condition_markers, 'act:announced')
            as is_outlook_opposite,
        {{ is_one_day_named("kalshi", "polymarket") }} as names_one_day,
        coalesce(kalshi.window_time, kalshi.condition_time) as kalshi_time,
        coalesce(polymarket.window_time, polymarket.condition_time) as polymarket_time,
        -- What kind it is: two that have nothing in common, or one where silence says otherwise.
        case
            when kalshi.markers != polymarket.markers
                then list_sort(list_distinct(list_filter(
                        list_intersect(kalshi.marker_groups, polymarket.marker_groups)
                        || kalshi.strict_groups || polymarket.strict_groups,
                        lambda marker_group: not list_has_any(
                            {{ markers_of("kalshi.markers", "marker_group") }},
                            {{ markers_of("polymarket.markers", "marker_group") }}
                        )
                        -- Nor where the conditions of both say what one title does. "The estimate for the fourth
                        -- quarter and the year" has both.
                        and not (
                            marker_group not in ('period', 'session')
                            and (
                                len({{ markers_of("kalshi.markers", "marker_group") }}) = 0
                                or len({{ markers_of("polymarket.markers", "marker_group") }}) = 0
                            )
                            and list_has_any(
                                list_intersect(kalshi.condition_markers, polymarket.condition_markers),
                                {{ markers_of("kalshi.markers || polymarket.markers", "marker_group") }}
                            )
                        )
                        -- Silence says nothing of a quarter, where the other's window is not the whole year; nor of the
                        -- stage of one match of two sides on one day.
                        and not (
                            (
                                len({{ markers_of("kalshi.markers", "marker_group") }}) = 0
                                or len({{ markers_of("polymarket.markers", "marker_group") }}) = 0
                            )
                            and case marker_group
                                when 'stage'
                                    then (kalshi.is_game and polymarket.is_game)
                                        or {{ is_stage_told("kalshi") }}
                                        or {{ is_stage_told("polymarket") }}
                                -- "Game 3 of the series".
                                when 'series'
                                    then len(list_filter(
                                            kalshi.markers || polymarket.markers,
                                            lambda marker: starts_with(marker, 'period:game')
                                        )) > 0
                                when 'period'
                                    then (
                                        -- "Game 3" of the finals is that of the day.
                                        kalshi.is_game and polymarket.is_game
                                        and list_has_any(
                                            kalshi.markers || polymarket.markers,
                                            ['sport:basketball', 'sport:hockey']
                                        )
                                        and len(list_filter(
                                            {{ markers_of("kalshi.markers || polymarket.markers", "'period'") }},
                                            lambda marker: not starts_with(marker, 'period:game')
                                        )) = 0
                                    )
                                    or (
                                        not list_contains([kalshi.category, polymarket.category], 'sports')
                                        and not coalesce(
                                            kalshi.window_starts_on = polymarket.window_starts_on
                                            and kalshi.window_ends_on = polymarket.window_ends_on
                                            and kalshi.window_ends_on - kalshi.window_starts_on > if(
                                                list_has_any(
                                                    kalshi.markers || polymarket.markers,
                                                    ['period:half 1', 'period:half 2']
                                                ), 190, 100
                                            ), false
                                        )
                                    )
                                else false
                            end
                        )
                    )))
            else []
        end as kinds_apart,
    from changed
    inner join terms as kalshi on changed.kalshi_market_id = kalshi.market_id
    inner join terms as polymarket on changed.polymarket_market_id = polymarket.market_id
),

-- Each rule speaks or is null, in one pass: a pair with all that is asked of it is never kept.
found as (
    select
        pair_id,
        pair_hash,
        list_filter([
            case
                when kalshi.is_placeholder or polymarket.is_placeholder
                    then struct_pack(
                            veto_code := 'PLACEHOLDER',
                            kalshi_value := cast(kalshi.is_placeholder as varchar),
                            polymarket_value := cast(polymarket.is_placeholder as varchar)
                        )
            end,
            -- An amount of one side that the other says nowhere is another contract, not an unknown one.
            case
                when
                    amounts = 'other amount'
                    or (
                        amounts = 'only kalshi' and kalshi.amount_source != 'condition'
                        and not {{ says_amount("polymarket", "kalshi") }}
                    )
                    or (
                        amounts = 'only polymarket' and polymarket.amount_source != 'condition'
                        and not {{ says_amount("kalshi", "polymarket") }}
                    )
                    or (
                        amounts = 'none' and len(kalshi.other_numbers) > 0 and len(polymarket.other_numbers) > 0
                        and (
                            not list_has_any(kalshi.other_numbers, polymarket.other_numbers)
                            or (kalshi.other_numbers != polymarket.other_numbers and list_has_any(
                                kalshi.markers || polymarket.markers,
                                ['bet_type:exact score', 'bet_type:series score 4']
                            ))
                        )
                    )
                    then struct_pack(
                            veto_code := 'STRIKE',
                            kalshi_value := {{ amount_text("kalshi") }},
                            polymarket_value := {{ amount_text("polymarket") }}
                        )
            end,
            case
                when
                    amounts = 'other comparison'
                    -- Where the cent decides, nobody will see the bound itself; figures that are measured are rounded
                    -- and often hit it, and a share closes on the cent.
                    or (
                        amounts = 'at the bound' and (
                            coalesce(kalshi.amount_unit, polymarket.amount_unit) is not null
                            or list_contains([kalshi.category, polymarket.category], 'economics')
                            or (kalshi.is_of_cents and polymarket.is_of_cents)
                        )
                    )
                    then struct_pack(
                            veto_code := 'OPERATOR',
                            kalshi_value := {{ amount_text("kalshi") }},
                            polymarket_value := {{ amount_text("polymarket") }}
                        )
            end,
            case
                when
                    kalshi.is_touch != polymarket.is_touch
                    and amounts not in ('only kalshi', 'only polymarket', 'none')
                    -- What has no close is asked of any time, in whatever words.
                    and (
                        if(kalshi.is_touch, polymarket.names_moment, kalshi.names_moment)
                        or list_has_any(
                            [kalshi.category, polymarket.category], ['finance', 'crypto', 'economics']
                        )
                    )
                    then struct_pack(
                            veto_code := 'METRIC',
                            kalshi_value := if(kalshi.is_touch, 'at any time', 'at one time'),
                            polymarket_value := if(polymarket.is_touch, 'at any time', 'at one time')
                        )
            end,
            case
                when
                    coalesce(kalshi.amount_unit, kalshi.amount_currency)
                    != coalesce(polymarket.amount_unit, polymarket.amount_currency)
                    then struct_pack(
                            veto_code := 'UNIT',
                            kalshi_value := coalesce(kalshi.amount_unit, kalshi.amount_currency),
                            polymarket_value := coalesce(polymarket.amount_unit, polymarket.amount_currency)
                        )
            end,
            case
                when
                    kalshi.negations != polymarket.negations
                    -- "No one" and "exactly 0" are one amount.
                    and not (
                        coalesce(amounts = 'same' and kalshi.amount_high = 0, false)
                        and {{ is_told_by_the_amount(["no", "nobody", "noth"]) }}
                    )
                    -- "Avoid a contraction", of which the condition says "0% or higher".
                    and not (amounts = 'complement' and {{ is_told_by_the_amount(["avoid", "fail", "not", "no"]) }})
                    -- "Sanctions against Russia", of which the rules of both speak.
                    and not (
                        list_contains(kalshi.told_words, 'against') and list_contains(polymarket.told_words, 'against')
                        and {{ not_in("kalshi.negations", "['against']") }}
                        = {{ not_in("polymarket.negations", "['against']") }}
                    )
                    then struct_pack(
                            veto_code := 'NEGATION',
                            kalshi_value := cast(kalshi.negations as varchar),
                            polymarket_value := cast(polymarket.negations as varchar)
                        )
            end,
            {% for field in ["outlook", "movement"] -%}
            case
                when kalshi.{{ field }} != polymarket.{{ field }}
                    then struct_pack(
                            veto_code := 'NEGATION',
                            kalshi_value := kalshi.{{ field }},
                            polymarket_value := polymarket.{{ field }}
                        )
            end,
            {% endfor -%}
            -- Both name somebody whom the other never mentions.
            case
                when
                    (
                        (len(untold_on_polymarket) > 0 and len(untold_on_kalshi) > 0)
                        -- The points of one team are not those of the other.
                        or (
                            list_contains(kalshi.markers || polymarket.markers, 'bet_type:team total')
                            and len(kalshi.title_names) > 0 and len(polymarket.title_names) > 0
                            and not list_has_any(kalshi.title_names, polymarket.title_names)
                        )
                        -- "Over 2.5 goals" names nobody; its game names all whom the other's title names.
                        or (
                            kalshi.is_game and polymarket.is_game
                            and least(len(kalshi.title_names), len(polymarket.title_names)) = 0
                            and len(untold_on_kalshi) + len(untold_on_polymarket) > 0
                            and len(untold_on_kalshi) + len(untold_on_polymarket)
                            = len(kalshi.title_names) + len(polymarket.title_names)
                        )
                    )
                    and not {{ is_acronym("kalshi.subject_words", "polymarket.subject_words") }}
                    and not {{ is_acronym("polymarket.subject_words", "kalshi.subject_words") }}
                    then struct_pack(
                            veto_code := 'SUBJECT',
                            kalshi_value := array_to_string(untold_on_polymarket, ' '),
                            polymarket_value := array_to_string(untold_on_kalshi, ' ')
                        )
            end,
            case
                when
                    kalshi.window_ends_on != polymarket.window_ends_on
                    and not names_one_day
                    -- Who leaves before a day is not in office on it.
                    and not (
                        is_outlook_opposite and 1 = if(
                            kalshi.outlook = 'ends', polymarket.window_ends_on - kalshi.window_ends_on,
                            kalshi.window_ends_on - polymarket.window_ends_on
                        )
                    )
                    -- A ticker of 27 is the season of 2027, or that which begins in it.
                    and not (
                        kalshi.window_source = 'ticker'
                        and list_contains(kalshi.named_ends, cast(polymarket.window_ends_on as varchar))
                    )
                    -- "The 2027 finals" are on some day of 2027.
                    and not (
                        (kalshi.is_edition or polymarket.is_edition)
                        and coalesce(kalshi.window_starts_on < polymarket.window_ends_on, true)
                        and coalesce(polymarket.window_starts_on < kalshi.window_ends_on, true)
                        and (kalshi.is_edition or kalshi.window_ends_on <= polymarket.window_ends_on)
                        and (polymarket.is_edition or polymarket.window_ends_on <= kalshi.window_ends_on)
                    )
                    then struct_pack(
                            veto_code := if(kalshi.is_game and polymarket.is_game, 'INSTANCE_DATE', 'INSTANT'),
                            kalshi_value := cast(kalshi.window_ends_on as varchar),
                            polymarket_value := cast(polymarket.window_ends_on as varchar)
                        )
            end,
            -- Hours are compared where both name their zone.
            case
                when
                    kalshi_time != polymarket_time
                    and contains(kalshi_time, ' ')
                    and contains(polymarket_time, ' ')
                    -- Games begin when they begin; two in one day are hours apart.
                    and (
                        not (kalshi.is_game and polymarket.is_game)
                        or abs(cast(kalshi_time[:2] as integer) - cast(polymarket_time[:2] as integer)) >= 2
                    )
                    and not coalesce(kalshi.window_ends_on != polymarket.window_ends_on, false)
                    then struct_pack(
                            veto_code := 'INSTANT', kalshi_value := kalshi_time, polymarket_value := polymarket_time
                        )
            end,
            case
                when
                    not names_one_day
                    -- Who leaves at any time before it.
                    and not (
                        is_outlook_opposite
                        and if(kalshi.outlook = 'ends', kalshi.window_starts_on, polymarket.window_starts_on) is null
                    )
                    and not kalshi.is_edition and not polymarket.is_edition
                    and kalshi.window_ends_on = polymarket.window_ends_on
                    and not coalesce(kalshi.condition_starts_on = polymarket.condition_starts_on, false)
                    and (
                        -- On one day, or at any time up to it.
                        kalshi.is_one_day != polymarket.is_one_day
                        or kalshi.window_starts_on != polymarket.window_starts_on
                        -- "In December" leaves out what "by December 31" lets in, until December has begun.
                        or (
                            (kalshi.window_starts_on is null) != (polymarket.window_starts_on is null)
                            and (kalshi.is_window_ahead or polymarket.is_window_ahead)
                        )
                    )
                    then struct_pack(
                            veto_code := 'WINDOW',
                            kalshi_value := coalesce(cast(kalshi.window_starts_on as varchar), 'from the start'),
                            polymarket_value := coalesce(cast(polymarket.window_starts_on as varchar), 'from the start')
                        )
            end,
            -- Every day of the window, or one of them.
            case
                when
                    kalshi.is_whole_window != polymarket.is_whole_window
                    -- "Not through March" is the other side of "by March".
                    and not coalesce(
                        kalshi.outlook != polymarket.outlook
                        and if(kalshi.is_whole_window, kalshi.outlook, polymarket.outlook) = 'goes on', false
                    )
                    and not (
                        kalshi.negations != polymarket.negations
                        and len(if(kalshi.is_whole_window, kalshi.negations, polymarket.negations)) > 0
                    )
                    then struct_pack(
                            veto_code := 'SPAN',
                            kalshi_value := if(kalshi.is_whole_window, 'all the time', 'at one time'),
                            polymarket_value := if(polymarket.is_whole_window, 'all the time', 'at one time')
                        )
            end
        ], lambda veto: veto is not null)
        || list_transform(
            list_distinct(list_transform(kinds_apart, lambda marker_group: code_of[marker_group])),
            lambda code: struct_pack(
                veto_code := code,
                kalshi_value := array_to_string(list_transform(
                    list_filter(kinds_apart, lambda marker_group: code_of[marker_group] = code),
                    lambda marker_group: array_to_string({{ markers_of("kalshi.markers", "marker_group") }}, ', ')
                ), '; '),
                polymarket_value := array_to_string(list_transform(
                    list_filter(kinds_apart, lambda marker_group: code_of[marker_group] = code),
                    lambda marker_group: array_to_string({{ markers_of("polymarket.markers", "marker_group") }}, ', ')
                ), '; ')
            )
        ) as reasons,
    from pairs
    cross join kinds
),

-- One row a code, whatever reasons it has.
vetoes as (
    select
        pair_id,
        pair_hash,
        unnest(
            list_transform(
                list_distinct(list_transform(reasons, lambda reason: reason.veto_code)),
                lambda code: struct_pack(
                    veto_code := code,
                    {% for value in ["kalshi_value", "polymarket_value"] -%}
                    {{ value }} := list_aggregate(
                        list_transform(
                            list_sort(list_filter(reasons, lambda reason: reason.veto_code = code)),
                            lambda reason: reason.{{ value }}
                        ), 'string_agg', '; '
                    ){{ "," if not loop.last }}
                    {% endfor -%}
                )
            ), recursive := true
        ),
        len(list_distinct(list_transform(reasons, lambda reason: reason.veto_code))) as vetoes_of_pair,
    from found
),

named as (
    select
        pair_id || '|' || veto_code as veto_id,
        pair_id,
        veto_code,
        kalshi_value,
        polymarket_value,
        vetoes_of_pair,
        pair_hash,
    from vetoes
)

select * from named
