{{ config(materialized="table") }}

with keys as (
    -- A crowded key finds nothing: its listings are left to what their words have in common.
    select * from {{ ref("blocking_keys") }} where possible_pairs between 1 and {{ var("maximum_pairs_of_a_key") }}
),

found as (
    select
        kalshi.universe,
        kalshi.market_id as kalshi_market_id,
        polymarket.market_id as polymarket_market_id,
        kalshi.blocking_rule,
    from keys as kalshi
    inner join keys as polymarket
        on kalshi.universe = polymarket.universe
            and kalshi.blocking_rule = polymarket.blocking_rule
            and kalshi.blocking_key = polymarket.blocking_key
    where kalshi.platform = 'kalshi' and polymarket.platform = 'polymarket'
    union all
    select
        universe,
        kalshi_market_id,
        polymarket_market_id,
        'similar_words' as blocking_rule,
    from {{ ref("similar_pairs") }}
),

candidates as (
    select
        kalshi_market_id || '|' || polymarket_market_id as pair_id,
        universe,
        kalshi_market_id,
        polymarket_market_id,
        -- The first of the rules that found it.
        {{ blocking_rules() + ["similar_words"] }}[
            min(list_position({{ blocking_rules() + ["similar_words"] }}, blocking_rule))
        ] as blocking_rule,
    from found
    group by all
)

select * from candidates
