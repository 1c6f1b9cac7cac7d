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
        -- What only grows, and from the start, is on a day what it is by that day.
        (is_one_day or window_starts_on is null)
        and coalesce(regexp_matches(
            condition, '\b(life - to - date|lifetime (sales|gross)|(domestic|worldwide|total) (total )?gross)\b'
        ), false)
        and not regexp_matches(condition, '\b(weekend|opening)\b') as is_cumulative,
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
        ) }} as kalshi_others,
        {{ not_in("kalshi_others", "kalshi.common_words") }} as kalshi_untold,
        {{ not_in(
            "if(have_subjects, polymarket.subject_words, polymarket.title_names)",
            "if(have_subjects, kalshi.subject_words || kalshi.subject_names, kalshi.told_words)"
        ) }} as polymarket_others,
        {{ not_in("polymarket_others", "polymarket.common_words") }} as polymarket_untold,
        -- Who has announced that he leaves may still be there on the day.
        coalesce(kalshi.outlook != polymarket.outlook, false)
        and not list_contains(kalshi.condition_markers || polymarket.condition_markers, 'act:announced')
            as is_outlook_opposite,
        {{ is_one_day_named("kalshi", "polymarket") }} as names_one_day,
        coalesce(kalshi.window_time, kalshi.condition_time) as kalshi_time,
        coalesce(polymarket.window_time, polymarket.condition_time) as polymarket_time,
        {{ kinds_apart() }} as kinds_apart,
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
            {% for code, differs, value in vetoes() -%}
            case
                when {{ differs }}
                    then struct_pack(
                            veto_code := '{{ code }}',
                            kalshi_value := {{ value | replace("[side]", "kalshi") }},
                            polymarket_value := {{ value | replace("[side]", "polymarket") }}
                        )
            end{{ "," if not loop.last }}
            {% endfor %}
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
