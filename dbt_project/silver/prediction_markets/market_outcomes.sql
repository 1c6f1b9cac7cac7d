with outcomes as (
    select
        market_id,
        platform,
        external_id,
        unnest(outcomes) as outcome,
        generate_subscripts(outcomes, 1) - 1 as outcome_index,
        is_eligible,
        last_seen_at,
    from {{ ref("markets") }}
),

quoted as (
    select
        market_id || ':' || outcome_index as outcome_id,
        market_id,
        platform,
        external_id,
        outcome.token_id as token_id,
        outcome.label as label,
        outcome_index,
        outcome.bid_price as bid_price,
        outcome.ask_price as ask_price,
        outcome.ask_size as ask_size,
        is_eligible,
        coalesce(outcome.bid_price >= outcome.ask_price, false) as is_crossed,
        last_seen_at as quoted_at,
    from outcomes
)

select * from quoted
