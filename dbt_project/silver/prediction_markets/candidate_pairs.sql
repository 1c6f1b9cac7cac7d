{{ config(materialized="table") }}

with keys as (
    select * from {{ ref("blocking_keys") }}
),

-- A crowded key finds nothing: its listings are left to what their words have in common.
useful_keys as (
    select
        universe,
        blocking_rule,
        blocking_key,
    from keys
    group by universe, blocking_rule, blocking_key
    having count(*) filter (platform = 'kalshi') * count(*) filter (platform = 'polymarket')
        between 1 and {{ var("maximum_pairs_of_a_key") }}
),

found as (
    select
        kalshi.universe,
        kalshi.market_id as kalshi_market_id,
        polymarket.market_id as polymarket_market_id,
        kalshi.blocking_rule,
    from useful_keys
    inner join keys as kalshi
        on useful_keys.universe = kalshi.universe
            and useful_keys.blocking_rule = kalshi.blocking_rule
            and useful_keys.blocking_key = kalshi.blocking_key
    inner join keys as polymarket
        on useful_keys.universe = polymarket.universe
            and useful_keys.blocking_rule = polymarket.blocking_rule
            and useful_keys.blocking_key = polymarket.blocking_key
    where kalshi.platform = 'kalshi' and polymarket.platform = 'polymarket'
    union all
    select
        universe,
        kalshi_market_id,
        polymarket_market_id,
        'similar_words' as blocking_rule,
    from {{ ref("similar_pairs") }}
),

-- The first of the rules that found it.
first_found as (
    select
        universe,
        kalshi_market_id,
        polymarket_market_id,
        min(list_position({{ blocking_rules() + ["similar_words"] }}, blocking_rule)) as rule_number,
    from found
    group by universe, kalshi_market_id, polymarket_market_id
),

candidates as (
    select
        kalshi_market_id || '|' || polymarket_market_id as pair_id,
        universe,
        kalshi_market_id,
        polymarket_market_id,
        {{ blocking_rules() + ["similar_words"] }}[rule_number] as blocking_rule,
    from first_found
)

select * from candidates
