{{ config(materialized="table") }}

with compared as (
    select
        ruled.*,
        coalesce(verdicts.relation, 'unevaluated') as verdict_relation,
        verdicts.orientation as verdict_orientation,
        coalesce(verdicts.reason, 'not among the questions') as verdict_reason,
        verdicts.one_sided_world,
        -- A verdict is about Yes, or the first of two named sides.
        coalesce(yes.outcome_index, 0) as asked_index,
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
    left join {{ ref("market_outcomes") }} as yes
        on ruled.polymarket_market_id = yes.market_id and yes.label = 'Yes'
    where ruled.universe = 'live'
),

decided as (
    select
        *,
        case
            when judge_effect = 'raised'
                then struct_pack(
                        relation := 'equal',
                        orientation := verdict_orientation,
                        fungibility := 'caveat',
                        caveat_reasons := ['only the judge says so'],
                        outcome_index := if(verdict_orientation = 'same', asked_index, 1 - asked_index)
                    )
            when judge_effect in ('lowered', 'awaited')
                then struct_pack(
                        relation := 'unclear',
                        orientation := null,
                        fungibility := null,
                        caveat_reasons := [],
                        outcome_index := null
                    )
            else struct_pack(
                    relation := relation,
                    orientation := orientation,
                    fungibility := fungibility,
                    caveat_reasons := caveat_reasons,
                    outcome_index := polymarket_outcome_index
                )
        end as found,
        case judge_effect
            when 'lowered'
                then concat_ws(
                        ': ', 'the judge says ' || verdict_relation, one_sided_world, nullif(verdict_reason, 'answered')
                    )
            when 'awaited' then relation || ' by the rules, but not judged: ' || verdict_reason
            when 'confirmed' then reasoning || '; the judge agrees'
            when 'raised' then 'the judge says equal; the rules leave open: ' || reasoning
            else reasoning
        end as found_reasoning,
    from compared
),

pairs as (
    select
        pair_id,
        kalshi_market_id,
        polymarket_market_id,
        blocking_rule,
        found.relation as relation,
        found.orientation as orientation,
        found.fungibility as fungibility,
        found.caveat_reasons as caveat_reasons,
        if(verdict_relation = 'unevaluated', decided.tier, 'judged') as tier,
        judge_effect,
        decided.relation as rule_relation,
        verdict_relation,
        verdict_orientation,
        verdict_reason,
        found_reasoning as reasoning,
        decided.reasoning as rule_reasoning,
        found.outcome_index as polymarket_outcome_index,
        score,
    from decided
)

select * from pairs
