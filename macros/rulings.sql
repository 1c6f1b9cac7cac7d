{#- In what two that are called equal differ after all, and whether it makes them a caveat; of `kalshi` and
    `polymarket`, as silver.ruled_pairs has them. -#}

{#- The groups of markers that are looked for in one scope, as SQL texts. -#}
{% macro marker_groups_of(scope) -%}
    {%- for group, code, place, one_sided, markers in term_markers() if place == scope and one_sided != "silent" -%}
    '{{ group }}'{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- In what the wordings of `kalshi` and `polymarket` differ, each in words; none when they say the same,
    sentence by sentence. -#}
{% macro differences_in_wording() -%}
    list_filter([
        case when polymarket.event_type != 'binary' then 'sides are named' end,
        case
            when len(only_kalshi || only_polymarket) > 0
                then 'words differ: ' || array_to_string(only_kalshi, ' ')
                    || ' / ' || array_to_string(only_polymarket, ' ')
        end,
        case
            when
                not (kalshi.is_told_by_condition and polymarket.is_told_by_condition)
                and list_filter(kalshi.words, lambda word: not list_contains(kalshi.added_words, word))
                != list_filter(polymarket.words, lambda word: not list_contains(kalshi.added_words, word))
                then 'the order of the words may matter'
        end,
        case
            when kalshi.cut_names != polymarket.cut_names
                then 'names differ in their endings: ' || array_to_string(kalshi.cut_names, ' ')
                    || ' / ' || array_to_string(polymarket.cut_names, ' ')
        end,
        case
            when kalshi.event_words != polymarket.event_words
                then 'in the title of one event only: ' || array_to_string(kalshi.event_words, ' ')
                    || ' / ' || array_to_string(polymarket.event_words, ' ')
        end,
        case when amounts not in ('same', 'none') then 'amounts: ' || amounts end,
        case
            when kalshi.amount_low is distinct from polymarket.amount_low
                or kalshi.amount_high is distinct from polymarket.amount_high
                then 'amounts are told to another digit'
        end,
        case when polymarket.linked_station is not null then 'station named by a link only' end,
        case when kalshi.window_ends_on is null then 'deadline not read on Kalshi' end,
        case when polymarket.window_ends_on is null then 'deadline not read on Polymarket' end,
        case when kalshi.condition is null then 'condition of the rules not read on Kalshi' end,
        case when polymarket.condition is null then 'condition of the rules not read on Polymarket' end,
        case when kalshi.condition != polymarket.condition then 'the conditions of the rules are not the same' end,
        case
            when len(clauses_of_one) > 0
                then 'in the rules of one side only: ' || left(array_to_string(clauses_of_one, '; '), 200)
        end
    ], lambda difference: difference is not null)
{%- endmacro %}


{#- Sentences that one side has and the other has not, and how they are known. -#}
{% macro has_clause(clauses, pattern) -%}
    (len(list_filter({{ clauses }}, lambda clause: regexp_matches(clause, '\b(?:{{ pattern }})\b'))) > 0)
{%- endmacro %}


{% macro tie_clause() -%}
    tie[ds]?|dead heat|shares? (?:award|prize|title)|divided equally|alphabetical\w*
{%- endmacro %}


{% macro rounding_clause() -%}
    rounded up|greater magnitude|between two (?:listed |displayed )?options
{%- endmacro %}


{#- What becomes of a case that the other side says nothing about. That it pays nothing is the rule, by the
    deadline that both have. -#}
{% macro is_loose_end(clause, deadline) -%}
    (
        regexp_matches({{ clause }}, '^(if|in event|should|unless)\b')
        and not regexp_matches(
            {{ clause }},
            '^if no (statement|decision|announcement)\b'
            || '|\b(criteria for yes|impossible|credible reporting|official results|rounded up|moved meeting)\b'
        )
        and not (
            regexp_matches({{ clause }}, '\b(resolves?|settles?) (to )?no$')
            and (
                not regexp_matches({{ clause }}, '\b[a-z]{3} \d{1,2} 20\d\d\b')
                or contains({{ clause }}, lower(strftime({{ deadline }}, '%b %-d %Y')))
                or contains({{ clause }}, lower(strftime({{ deadline }} - interval 1 day, '%b %-d %Y')))
            )
        )
    )
{%- endmacro %}


{#- The hours that a side's rules name. -#}
{% macro clocks_of(side) -%}
    regexp_extract_all(
        array_to_string([coalesce({{ side }}.condition, '')] || {{ side }}.clauses, ' '), '\b\d{1,2}(?: \d\d)? [ap]m\b'
    )
{%- endmacro %}


{#- Words that make no difference, of the pairs' `own_words` in a model: learned from the labels that a scorer learns
    from, where equal pairs of at least two events have them. -#}
{% macro harmless_among(model) -%}
    select
        word,
        list_sort(list(distinct event_group)) as event_groups,
    from (
        select
            labels.event_group,
            unnest(pairs.own_words) as word,
        from {{ ref("labels") }} as labels
        inner join {{ model }} as pairs on labels.pair_id = pairs.pair_id
        where labels.universe = 'labelled' and labels.split = 'train' and labels.is_same_contract
    )
    group by word
    having len(event_groups) > 1
{%- endmacro %}
