{{ config(materialized="table") }}

with markets as (
    select
        market_id,
        silver.normalised_text(concat_ws(' ', title, subtitle, event_title, description)) as text,
        count(*) over (partition by platform, event_id) as event_sides,
    from {{ ref("markets") }}
),

pairs as (
    select
        filtered.pair_id,
        filtered.kalshi_market_id,
        filtered.polymarket_market_id,
        filtered.blocking_rule,
        kalshi,
        polymarket,
        coalesce(scores.score, 0) as score,
        kalshi_markets.event_sides as kalshi_sides,
        polymarket.event_type = 'head_to_head' as is_head_to_head,
        -- Which outcome of the Polymarket market says what Yes on Kalshi says.
        list_position(polymarket.outcome_keys, if(is_head_to_head, kalshi.side_key, 'yes')) - 1
            as polymarket_outcome_index,
        list_filter(kalshi.words, lambda word: not list_contains(polymarket.words, word)) as only_kalshi,
        list_filter(polymarket.words, lambda word: not list_contains(kalshi.words, word)) as only_polymarket,
        list_filter(kalshi.condition_names, lambda name: not contains(polymarket_markets.text, name))
        || list_filter(polymarket.condition_names, lambda name: not contains(kalshi_markets.text, name))
            as names_on_one_side,
        len(list_intersect(kalshi.condition_words, polymarket.condition_words)) / nullif(
            least(len(list_distinct(kalshi.condition_words)), len(list_distinct(polymarket.condition_words))), 0
        ) as shared_condition,
    from {{ ref("filtered_pairs") }} as filtered
    inner join {{ ref("contract_terms") }} as kalshi on filtered.kalshi_market_id = kalshi.market_id
    inner join {{ ref("contract_terms") }} as polymarket on filtered.polymarket_market_id = polymarket.market_id
    inner join markets as kalshi_markets on filtered.kalshi_market_id = kalshi_markets.market_id
    inner join markets as polymarket_markets on filtered.polymarket_market_id = polymarket_markets.market_id
    left join {{ ref("pair_scores") }} as scores on filtered.pair_id = scores.pair_id
),

doubted as (
    select
        *,
        list_filter([
            case
                when not is_head_to_head and len(only_kalshi || only_polymarket) > 0
                    then 'words differ: ' || array_to_string(only_kalshi, ' ')
                        || ' / ' || array_to_string(only_polymarket, ' ')
            end,
            case
                when is_head_to_head and kalshi.game_key is distinct from polymarket.game_key then 'not the same game'
            end,
            -- A third side (a tie) would make "not A" something else than "B".
            case when is_head_to_head and kalshi_sides != 2 then 'not a game of two sides on Kalshi' end,
            case when polymarket_outcome_index is null then 'no outcome named like the Kalshi side' end,
            case when kalshi.window_ends_on is null then 'deadline not read on Kalshi' end,
            case when polymarket.window_ends_on is null then 'deadline not read on Polymarket' end,
            case when kalshi.window_time is distinct from polymarket.window_time then 'hour read on one side only' end,
            case
                when not is_head_to_head and kalshi.word_order != polymarket.word_order
                    and (kalshi.is_directional or polymarket.is_directional or len(kalshi.numbers) > 1)
                    then 'the order of the words may matter'
            end,
            case
                when len(names_on_one_side) > 0
                    then 'named in the rules of one side only: ' || array_to_string(names_on_one_side, ' ')
            end,
            case when not is_head_to_head and shared_condition is null then 'condition of the rules not read' end,
            case
                when shared_condition < {{ var("minimum_shared_condition") }} then 'the conditions of the rules differ'
            end,
            case when not kalshi.has_rules then 'no rules on Kalshi' end,
            case when not polymarket.has_rules then 'no rules on Polymarket' end
        ], lambda doubt: doubt is not null) as doubts,
        len(doubts) = 0 as looks_equal,
    from pairs
),

-- Two listings that both look the same as a third differ in something that was not read.
counted as (
    select
        *,
        count(*) filter (looks_equal) over (partition by kalshi_market_id) as kalshi_matches,
        count(*) filter (looks_equal) over (partition by polymarket_market_id, polymarket_outcome_index)
            as polymarket_matches,
    from doubted
),

decided as (
    select
        pair_id,
        kalshi_market_id,
        polymarket_market_id,
        blocking_rule,
        if(looks_equal and kalshi_matches = 1 and polymarket_matches = 1, 'equal', 'unclear') as relation,
        case
            when relation = 'equal' then if(is_head_to_head and polymarket_outcome_index = 1, 'inverted', 'same')
        end as orientation,
        'rules_only' as tier,
        case
            when relation = 'equal'
                then 'same words, numbers and window (ends before ' || kalshi.window_ends_on || '), no veto'
            when looks_equal then 'not the only pair that looks equal'
            else array_to_string(doubts, '; ')
        end as reasoning,
        case when relation = 'equal' then polymarket_outcome_index end as polymarket_outcome_index,
        if(is_head_to_head and relation = 'equal', 1.0, score) as score,
    from counted
)

select * from decided
