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


{#- What two listings that are called alike may differ in after all, and when. What was not read may
    differ; a tie between many is settled in many ways, and so is a prize that is shared. -#}
{% macro caveats() -%}
    {% do return([
        ("a term of the rules stands on one side only", "len(markers_of_one) > 0"),
        ("only one side counts the bound itself", "amounts = 'at the bound'"),
        ("only one side says whether a case counts", "is_said_by_one"),
        ("a deadline was not read", is_end_unread()),
        (
            "an amount stands on one side only",
            "relation = 'equal' and amounts in ('only kalshi', 'only polymarket')",
        ),
        ("a condition of the rules was not read", is_condition_unread()),
        ("the same but for a word", "relation = 'equal' and len(reworded_words) > 0"),
        ("the same words in another order", "relation = 'equal' and is_reordered"),
        ("words stand in one condition only", has_own_words()),
        ("amounts are told to another digit", is_other_digit()),
        ("a death is not told alike", is_death_untold()),
        (
            "only one side says what becomes of a tie",
            "not kalshi.is_game and " ~ has_clause("clauses_of_one", tie_clause()),
        ),
        ("only one side says how it is rounded", is_rounded_by_one()),
        ("only one side says what holds without a decision", is_without_decision_of_one()),
        ("only one side names an hour", "not kalshi.is_game and len(hours_of_one) > 0"),
        ("only one side says what becomes of a case", is_case_of_one()),
        ("the score leaves a doubt", is_score_in_doubt()),
        ("rules are missing", "not has_rules_of_both"),
    ]) %}
{%- endmacro %}


{% macro is_end_unread() -%}
    (relation = 'equal' and (kalshi.window_ends_on is null or polymarket.window_ends_on is null))
    or (kalshi.window_ends_on is null) != (polymarket.window_ends_on is null)
{%- endmacro %}


{#- Who plays whom is told by names. -#}
{% macro is_condition_unread() -%}
    relation = 'equal'
    and (kalshi.condition is null or polymarket.condition is null)
    and not (kalshi.is_game and polymarket.is_game)
{%- endmacro %}


{#- One word may be another for the same, but not beside an amount; two are another question. (Where all else is word
    by word the same, one is enough.) -#}
{% macro has_own_words() -%}
    len(own_words) > if(amounts in ('same', 'complement', 'at the bound'), 0, 1)
{%- endmacro %}


{#- The same as far as it is told to a digit. -#}
{% macro is_other_digit() -%}
    amounts = 'same'
    and (kalshi.amount_low != polymarket.amount_low or kalshi.amount_high != polymarket.amount_high)
{%- endmacro %}


{#- A death is settled alike only where it was read so on both sides. -#}
{% macro is_death_untold() -%}
    list_contains(kalshi.markers || polymarket.markers, 'tail:death')
    and (len(kalshi_deaths) = 0 or kalshi_deaths != polymarket_deaths)
{%- endmacro %}


{% macro is_rounded_by_one() -%}
    {{ has_clause("clauses_of_one", rounding_clause()) }}
    and not list_has_any(kalshi.words, {{ banks_of_quarters() }})
{%- endmacro %}


{#- Without a decision nothing has changed, says one. -#}
{% macro is_without_decision_of_one() -%}
    list_contains(kalshi.words, 'unchang')
    and {{ has_clause("clauses_of_one", "if no (statement|decision|announcement)") }}
{%- endmacro %}


{% macro is_case_of_one() -%}
    not kalshi.is_game
    and len(list_filter(clauses_of_one, lambda clause: coalesce(
        {{ is_loose_end("clause", "kalshi.window_ends_on") }}, true
    ))) > 0
{%- endmacro %}


{#- Nothing to fear takes a quarter of the doubt. -#}
{% macro is_score_in_doubt() -%}
    coalesce(score < (3 + threshold) / 4, true)
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
        where
            labels.universe = 'labelled' and labels.split = 'train' and labels.is_same_contract
            -- Of these a veto may part the pair by the very word.
            and pairs.pair_id not in (
                select related.pair_id from {{ ref("related_pairs") }} as related where related.relation = 'unclear'
            )
    )
    -- Of men alone it is another figure, and control is not seats, however often they go without saying.
    where word not in ('men', 'women', 'domestic', 'domestically', 'only', 'last', 'control', 'seat')
    group by word
    having len(event_groups) > 1
{%- endmacro %}


{#- Which of ruled pairs a judge may be asked about. Of our labelled ones none, unless it is to be measured itself: then
    only those of them that nothing was learned from, or those of a file. -#}
{% macro is_for_judge(pairs) -%}
    {%- if var("judges_labels") -%}
        {{ pairs }}.pair_id in (
            select known.pair_id from {{ ref("known_pairs") }} as known
            where known.split = '{{ "given" if var("labels_file") else "held_out" }}'
        )
    {%- else -%}
        {{ pairs }}.universe = 'live'
    {%- endif -%}
{%- endmacro %}
