-- What the judge has taken down, or has yet to look at, is not sold as a lock.
select
    opportunities.*,
    verdicts.relation as verdict_relation,
    verdicts.reason as verdict_reason,
from {{ ref("arbitrage_opportunities") }} as opportunities
left join {{ ref("pair_verdicts") }} as verdicts on opportunities.pair_id = verdicts.pair_id
where
    verdicts.pair_id is null
    or (verdicts.relation = 'unevaluated' and verdicts.is_judge_on)
    or verdicts.relation not in ('equal', 'unevaluated')
