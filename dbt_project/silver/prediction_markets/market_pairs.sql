{{ config(materialized="table") }}

with compared as (
    select
        ruled.*,
        coalesce(verdicts.relation, 'unevaluated') as verdict_relation,
        verdicts.orientation as verdict_orientation,
        -- Before a judge was asked for it, equal was clean.
        if(verdict_relation = 'equal', coalesce(verdicts.fungibility, 'clean'), null) as verdict_fungibility,
        coalesce(verdicts.reason, 'not among the questions') as verdict_reason,
        verdicts.one_sided_world,
        -- A verdict is about Yes, or the first of two named sides.
        coalesce(yes.outcome_index, 0) as asked_index,
        -- A verdict alone makes a suspicion, and no more: market texts are written by strangers. Whatever it says, no
        -- veto is overruled of which the rules are sure. What they know waits for it, unless nobody can be asked.
        case
            when
                ruled.relation != 'equal' and coalesce(related.is_unsure, true)
                and verdict_relation = 'equal' and verdict_orientation is not null
                and verdict_fungibility != 'correlated'
                then 'raised'
            when ruled.relation = 'unclear' then 'none'
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
        judge_effect = 'confirmed' and coalesce(verdict_fungibility != 'clean', false) as is_doubted,
    from {{ ref("ruled_pairs") }} as ruled
    left join {{ ref("pair_verdicts") }} as verdicts on ruled.pair_id = verdicts.pair_id
    left join {{ ref("related_pairs") }} as related on ruled.pair_id = related.pair_id
    left join {{ ref("market_outcomes") }} as yes
        on ruled.polymarket_market_id = yes.market_id and yes.label = 'Yes'
    where {{ is_for_judge("ruled") }}
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
                    -- A judge may see more than the rules, and never less.
                    fungibility := if(
                        is_doubted and fungibility is distinct from 'correlated', verdict_fungibility, fungibility
                    ),
                    caveat_reasons := caveat_reasons || if(is_doubted, ['the judge sees a caveat'], []),
                    outcome_index := polymarket_outcome_index
                )
        end as found,
        case judge_effect
            when 'lowered'
                then concat_ws(
                        ': ', 'the judge says ' || verdict_relation, one_sided_world, nullif(verdict_reason, 'answered')
                    )
            when 'awaited' then relation || ' by the rules, but not judged: ' || verdict_reason
            when 'confirmed'
                then reasoning || '; the judge agrees' || if(is_doubted, ', but for: ' || one_sided_world, '')
            when 'raised' then 'the judge says equal; the rules are not sure: ' || reasoning
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
        verdict_fungibility,
        verdict_reason,
        found_reasoning as reasoning,
        decided.reasoning as rule_reasoning,
        found.outcome_index as polymarket_outcome_index,
        score,
    from decided
)

select * from pairs
