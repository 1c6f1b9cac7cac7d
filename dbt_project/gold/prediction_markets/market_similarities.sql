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
        pairs.fungibility,
        pairs.caveat_reasons,
        pairs.tier,
        pairs.reasoning,
        pairs.rule_relation,
        pairs.rule_reasoning,
        pairs.judge_effect,
        pairs.verdict_relation,
        pairs.verdict_orientation,
        pairs.verdict_fungibility,
        pairs.verdict_reason,
        verdicts.confidence as verdict_confidence,
        verdicts.one_sided_world,
        verdicts.kalshi_yes_quote,
        verdicts.polymarket_yes_quote,
        verdicts.differences,
        verdicts.model as verdict_model,
        cast(verdicts.judged_at at time zone 'UTC' as timestamp) as judged_at,
        cast(pairs.polymarket_outcome_index as integer) as market2_outcome_index,
        cast(pairs.score as double) as confidence,
        scores.threshold as published_from,
        scores.scorer_version,
        clock.as_of as analyzed_at,
    from {{ ref("market_pairs") }} as pairs
    left join {{ ref("pair_verdicts") }} as verdicts on pairs.pair_id = verdicts.pair_id
    left join {{ ref("pair_scores") }} as scores on pairs.pair_id = scores.pair_id
    cross join {{ ref("clock") }} as clock
)

select * from similarities
