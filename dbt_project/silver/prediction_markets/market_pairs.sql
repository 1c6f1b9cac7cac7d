{{ config(materialized="table") }}

with compared as (
    select
        ruled.*,
        coalesce(verdicts.relation, 'unevaluated') as verdict_relation,
        verdicts.orientation as verdict_orientation,
        coalesce(verdicts.reason, 'not among the questions') as verdict_reason,
        verdicts.one_sided_world,
        -- A verdict alone makes a suspicion, and no more: market texts are written by strangers. What has none waits
        -- for it, unless nobody is there to be asked.
        case
            when ruled.relation = 'unclear'
                then if(
                        verdict_relation = 'equal' and verdict_orientation is not null
                        -- Whatever it says, no veto is overruled but that of a "not", which may turn both round.
                        and coalesce(related.is_negated, true), 'raised', 'none'
                    )
            when
                verdict_relation = ruled.relation
                -- Other relations are judged of Yes and the first outcome.
                and if(
                    ruled.relation = 'equal',
                    verdict_orientation = ruled.orientation,
                    ruled.polymarket_outcome_index = 0
                )
                then 'confirmed'
            when verdict_relation != 'unevaluated' then 'lowered'
            when coalesce(verdicts.is_judge_on, true) then 'awaited'
            else 'none'
        end as judge_effect,
    from {{ ref("ruled_pairs") }} as ruled
    left join {{ ref("pair_verdicts") }} as verdicts on ruled.pair_id = verdicts.pair_id
    left join {{ ref("related_pairs") }} as related on ruled.pair_id = related.pair_id
    where ruled.universe = 'live'
),

decided as (
    select
        pair_id,
        kalshi_market_id,
        polymarket_market_id,
        blocking_rule,
        case
            when judge_effect = 'raised' then 'equal'
            when judge_effect not in ('lowered', 'awaited') then compared.relation
            else 'unclear'
        end as relation,
        case
            when judge_effect = 'raised' then verdict_orientation
            when judge_effect not in ('lowered', 'awaited') then compared.orientation
        end as orientation,
        case
            when judge_effect = 'raised' then 'caveat'
            when judge_effect not in ('lowered', 'awaited') then compared.fungibility
        end as fungibility,
        case
            when judge_effect = 'raised' then ['only the judge says so']
            when judge_effect not in ('lowered', 'awaited') then compared.caveat_reasons
            else []
        end as caveat_reasons,
        if(verdict_relation = 'unevaluated', compared.tier, 'judged') as tier,
        judge_effect,
        compared.relation as rule_relation,
        verdict_relation,
        verdict_orientation,
        verdict_reason,
        case judge_effect
            when 'lowered'
                then concat_ws(
                        ': ', 'the judge says ' || verdict_relation, one_sided_world, nullif(verdict_reason, 'answered')
                    )
            when 'awaited' then compared.relation || ' by the rules, but not judged: ' || verdict_reason
            when 'confirmed' then compared.reasoning || '; the judge agrees'
            when 'raised' then 'the judge says equal; the rules leave open: ' || compared.reasoning
            else compared.reasoning
        end as reasoning,
        compared.reasoning as rule_reasoning,
        case
            -- It is asked about the first outcome.
            when judge_effect = 'raised' then if(verdict_orientation = 'same', 0, 1)
            when judge_effect not in ('lowered', 'awaited') then compared.polymarket_outcome_index
        end as polymarket_outcome_index,
        score,
    from compared
)

select * from decided
