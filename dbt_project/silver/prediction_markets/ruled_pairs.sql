{{ config(materialized="table") }}

with features as (
    select * from {{ ref("pair_features") }}
),

harmless as (
    select
        (select coalesce(list(word), []) from {{ ref("harmless_words") }}) as words,
        (select coalesce(list(word), []) from {{ ref("harmless_rewordings") }}) as rewordings,
),

reworded as (
    select
        pair_id,
        list_sort(list_distinct(flatten(list(own_words)))) as own_words,
        -- The same words in another order: "gold beats silver".
        bool_or(len(own_words) = 0) as is_reordered,
    from {{ ref("reworded_statements") }}
    group by pair_id
),

pairs as (
    select
        features.pair_id,
        candidates.universe,
        candidates.kalshi_market_id,
        candidates.polymarket_market_id,
        candidates.blocking_rule,
        kalshi,
        polymarket,
        coalesce(related.is_negated, false) as is_negated,
        if(is_negated, if(sides.orientation = 'same', 'inverted', 'same'), sides.orientation) as orientation,
        if(is_negated, 1 - sides.polymarket_outcome_index, sides.polymarket_outcome_index) as polymarket_outcome_index,
        sides.amounts,
        related.relation as other_relation,
        related.fungibility as other_fungibility,
        related.veto_code,
        related.difference,
        coalesce(related.is_said_by_titles, false) as is_said_by_titles,
        doubts.doubts,
        doubts.is_said_by_one,
        {{ not_in("doubts.own_words", "harmless.words") }} as own_words,
        {{ not_in("coalesce(reworded.own_words, [])", "harmless.rewordings") }} as reworded_words,
        coalesce(reworded.is_reordered, false) as is_reordered,
        scores.score,
        scores.threshold,
        {{ markers_of("kalshi.markers", "'death'") }} as kalshi_deaths,
        {{ markers_of("polymarket.markers", "'death'") }} as polymarket_deaths,
        {{ not_in("kalshi.words", "polymarket.words") }} as only_kalshi,
        {{ not_in("polymarket.words", "kalshi.words") }} as only_polymarket,
        {{ not_in("kalshi.clauses", "polymarket.clauses") }}
        || {{ not_in("polymarket.clauses", "kalshi.clauses") }} as clauses_of_one,
        list_filter(
            {{ not_in("kalshi.markers", "polymarket.markers") }}
            || {{ not_in("polymarket.markers", "kalshi.markers") }},
            lambda marker: split_part(marker, ':', 1) in ({{ marker_groups_of("rules") }})
        ) as markers_of_one,
        -- Hours at which something is looked up; the last minute of a day is none.
        list_filter(
            {{ not_in(clocks_of("kalshi"), clocks_of("polymarket")) }}
            || {{ not_in(clocks_of("polymarket"), clocks_of("kalshi")) }},
            lambda hour: hour not in ('11 59 pm', '12 00 am')
        ) as hours_of_one,
    from features
    cross join harmless
    inner join {{ ref("candidate_pairs") }} as candidates on features.pair_id = candidates.pair_id
    inner join {{ ref("pair_sides") }} as sides on features.pair_id = sides.pair_id
    inner join {{ ref("pair_doubts") }} as doubts on features.pair_id = doubts.pair_id
    inner join {{ ref("pair_scores") }} as scores on features.pair_id = scores.pair_id
    inner join {{ ref("contract_terms") }} as kalshi on candidates.kalshi_market_id = kalshi.market_id
    inner join {{ ref("contract_terms") }} as polymarket on candidates.polymarket_market_id = polymarket.market_id
    left join reworded on features.pair_id = reworded.pair_id
    left join {{ ref("related_pairs") }} as related on features.pair_id = related.pair_id
),

compared as (
    select
        *,
        {{ differences_in_wording() }} as differences,
        len(doubts) = 0 and len(differences) = 0 and other_relation is null as is_worded_same,
        least(len(kalshi.rules_words), len(polymarket.rules_words)) > 0 as has_rules_of_both,
        -- Titles lie: without rules half the doubt is too much.
        len(doubts) = 0 and (
            is_said_by_titles or coalesce(score >= if(has_rules_of_both, threshold, (1 + threshold) / 2), false)
        ) as is_alike,
        case
            when other_relation is not null then other_relation
            when is_worded_same or is_alike then 'equal'
        end as found_relation,
    from pairs
),

-- Two listings that both look the same as a third differ in something that was not read; one that is
-- its opposite does not.
counted as (
    select
        *,
        (is_worded_same or is_alike) and found_relation = 'equal' and other_fungibility is null as looks_equal,
        -- Who says the same word by word is not put in doubt by who is only alike, nor who is surely so by who is
        -- hardly: with twice the doubt at least.
        if(
            is_worded_same, 1,
            least((1 + threshold) / 2, 1 - 2 * (1 - score))
        ) as rival_score,
        {%- for side in ["kalshi", "polymarket"] %}
        list(if(is_worded_same, 1, score)) filter (looks_equal)
            over (partition by {{ side }}_market_id, orientation) as {{ side }}_scores,
        {%- endfor %}
        not looks_equal
        or greatest(
            {%- for side in ["kalshi", "polymarket"] %}
            len(list_filter({{ side }}_scores, lambda rival: rival >= rival_score)){{ "," if not loop.last }}
            {%- endfor %}
        ) = 1 as is_only_one,
    from compared
),

called as (
    select
        *,
        if((is_worded_same or is_alike) and is_only_one, found_relation, 'unclear') as relation,
    from counted
),

-- What two listings that are called alike may differ in after all, a cause each.
doubted as (
    select
        *,
        list_filter([
            {% for text, when in caveats() -%}
            case when {{ when }} then '{{ text }}' end{{ "," if not loop.last }}
            {% endfor %}
        ], lambda cause: cause is not null) as causes,
    from called
),

decided as (
    select
        pair_id,
        universe,
        kalshi_market_id,
        polymarket_market_id,
        blocking_rule,
        relation,
        case when relation = 'equal' then doubted.orientation end as orientation,
        case
            when relation = 'unclear' then null
            when other_fungibility is not null then other_fungibility
            when is_worded_same then 'clean'
            when len(causes) > 0 then 'caveat'
            when relation = 'equal' then 'clean'
        end as fungibility,
        case
            when coalesce(fungibility, '') != 'caveat' then []
            when other_fungibility is not null then [concat_ws(': ', 'differs in ' || veto_code, difference)]
            else causes
        end as caveat_reasons,
        if(relation = 'unclear' or is_worded_same or is_said_by_titles, 'rules_only', 'scored') as tier,
        case
            when not is_only_one then 'not the only pair that looks equal'
            when relation = 'unclear' then array_to_string(doubts || differences, '; ')
            when is_worded_same
                then 'same words, same condition and clauses, ends before ' || doubted.kalshi.window_ends_on
            when is_said_by_titles then 'the titles say the same but for how far it comes: ' || difference
            else concat_ws(
                    '; ',
                    format('no veto, alike by {:.3f} (at least {:.3f})', score, threshold),
                    'differs in ' || veto_code || ': ' || difference,
                    'only one side says: ' || nullif(array_to_string(markers_of_one, ', '), ''),
                    'words of one condition: ' || nullif(array_to_string(own_words, ' '), ''),
                    'the same but for: ' || nullif(array_to_string(reworded_words, ' '), ''),
                    if(is_reordered, 'the same words in another order', null)
                )
        end as reasoning,
        -- Which outcome is the proposition: of an equal pair the one that says the same.
        case when relation != 'unclear' then doubted.polymarket_outcome_index end as polymarket_outcome_index,
        score,
    from doubted
)

select * from decided
