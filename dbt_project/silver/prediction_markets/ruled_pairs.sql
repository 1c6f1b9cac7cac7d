{{ config(materialized="table") }}

with pairs as (
    select
        filtered.pair_id,
        filtered.kalshi_market_id,
        filtered.polymarket_market_id,
        filtered.blocking_rule,
        kalshi,
        polymarket,
        coalesce(scores.score, 0) as score,
        list_filter(kalshi.words, lambda word: not list_contains(polymarket.words, word)) as only_kalshi,
        list_filter(polymarket.words, lambda word: not list_contains(kalshi.words, word)) as only_polymarket,
        list_filter(kalshi.clauses, lambda clause: not list_contains(polymarket.clauses, clause))
        || list_filter(polymarket.clauses, lambda clause: not list_contains(kalshi.clauses, clause))
            as clauses_of_one,
    from {{ ref("filtered_pairs") }} as filtered
    inner join {{ ref("contract_terms") }} as kalshi on filtered.kalshi_market_id = kalshi.market_id
    inner join {{ ref("contract_terms") }} as polymarket on filtered.polymarket_market_id = polymarket.market_id
    left join {{ ref("pair_scores") }} as scores on filtered.pair_id = scores.pair_id
),

doubted as (
    select
        *,
        list_filter([
            case when polymarket.event_type != 'binary' then 'named outcomes are not matched yet' end,
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
            case when polymarket.linked_station is not null then 'station named by a link only' end,
            case when not contains(kalshi.window_time, ' ') then 'hour without a zone' end,
            case when kalshi.window_ends_on is null then 'deadline not read on Kalshi' end,
            case when polymarket.window_ends_on is null then 'deadline not read on Polymarket' end,
            case when kalshi.window_time is distinct from polymarket.window_time then 'hour read on one side only' end,
            case when kalshi.condition is null then 'condition of the rules not read on Kalshi' end,
            case when polymarket.condition is null then 'condition of the rules not read on Polymarket' end,
            case when kalshi.condition != polymarket.condition then 'the conditions of the rules are not the same' end,
            case
                when len(clauses_of_one) > 0
                    then 'in the rules of one side only: ' || left(array_to_string(clauses_of_one, '; '), 200)
            end
        ], lambda doubt: doubt is not null) as doubts,
        len(doubts) = 0 as looks_equal,
    from pairs
),

-- Two listings that both look the same as a third differ in something that was not read.
counted as (
    select
        *,
        count(*) filter (looks_equal) over (partition by kalshi_market_id) as kalshi_matches,
        count(*) filter (looks_equal) over (partition by polymarket_market_id) as polymarket_matches,
    from doubted
),

decided as (
    select
        counted.pair_id,
        counted.kalshi_market_id,
        counted.polymarket_market_id,
        counted.blocking_rule,
        if(looks_equal and kalshi_matches = 1 and polymarket_matches = 1, 'equal', 'unclear') as relation,
        case when relation = 'equal' then 'same' end as orientation,
        case
            when relation = 'equal'
                then 'same words, same condition and clauses, ends before ' || counted.kalshi.window_ends_on
            when looks_equal then 'not the only pair that looks equal'
            else array_to_string(doubts, '; ')
        end as reasoning,
        case when relation = 'equal' then outcomes.outcome_index end as polymarket_outcome_index,
        counted.score,
    from counted
    -- Yes is most often the first outcome on Polymarket, not always.
    left join {{ ref("market_outcomes") }} as outcomes
        on
            counted.polymarket_market_id = outcomes.market_id
            and counted.polymarket.event_type = 'binary'
            and outcomes.label = 'Yes'
)

select * from decided
