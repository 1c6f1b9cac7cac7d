{{ config(materialized="table") }}

-- Who wins a cup has reached its final, and who reaches the final was in the semifinal: pairs that differ in how far
-- somebody comes, and in nothing else that their titles say.
with vetoed as (
    select pair_hash
    from {{ ref("pair_vetoes") }}
    where
        vetoes_of_pair <= 2
        and veto_code in ('PERIOD', 'BET_TYPE')
        and {{ says_stage_only("kalshi_value") }}
        and {{ says_stage_only("polymarket_value") }}
    group by pair_hash
    having count(*) = any_value(vetoes_of_pair)
),

sided as (
    select
        sides.pair_id,
        sides.kalshi_market_id,
        sides.polymarket_market_id,
    from vetoed
    inner join {{ ref("pair_sides") }} as sides on vetoed.pair_hash = sides.pair_hash
    where sides.orientation = 'same'
),

terms as (
    select
        terms.market_id,
        {{ contestants_left("terms") }} as contestants_left,
        {{ words_beside_stages("terms") }} as words,
        -- Rules name other cups, and matches.
        terms.ordered_words || terms.topic_words || terms.event_topic_words as told_words,
    from ({{ terms_of("sided") }}) as terms
    -- Of which year it is has to be known.
    where terms.window_ends_on is not null and contestants_left is not null
),

staged as (
    select
        sided.pair_id,
        'PERIOD' as veto_code,
        if(kalshi.contestants_left < polymarket.contestants_left, 'k_implies_p', 'p_implies_k') as relation,
        -- A title may be awarded or taken away otherwise than on the field.
        'caveat' as fungibility,
        false as is_negated,
        false as is_unsure,
        true as is_said_by_titles,
        {{ stage_text("kalshi") }} || ' / ' || {{ stage_text("polymarket") }} as difference,
    from sided
    inner join terms as kalshi on sided.kalshi_market_id = kalshi.market_id
    inner join terms as polymarket on sided.polymarket_market_id = polymarket.market_id
    where
        kalshi.contestants_left != polymarket.contestants_left
        and len({{ not_in("kalshi.words", "polymarket.told_words") }}) = 0
        and len({{ not_in("polymarket.words", "kalshi.told_words") }}) = 0
)

select * from staged
