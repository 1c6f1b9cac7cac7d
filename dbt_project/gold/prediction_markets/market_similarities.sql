with similarities as (
    select
        pairs.pair_id,
        pairs.kalshi_market_id as market1_id,
        pairs.polymarket_market_id as market2_id,
        'kalshi' as platform1,
        'polymarket' as platform2,
        pairs.blocking_rule,
        pairs.relation,
        pairs.orientation,
        pairs.tier,
        pairs.reasoning,
        cast(pairs.polymarket_outcome_index as integer) as market2_outcome_index,
        cast(pairs.score as double) as confidence,
        clock.as_of as analyzed_at,
    from {{ ref("market_pairs") }} as pairs
    cross join {{ ref("clock") }} as clock
)

select * from similarities
