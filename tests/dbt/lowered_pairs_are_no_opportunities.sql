-- What the judge has taken down, or has yet to look at, is not sold as a lock. Of one that has passed the
-- listings may be gone, and with them what was said of the pair.
select
    opportunities.*,
    verdicts.relation as verdict_relation,
    verdicts.reason as verdict_reason,
from {{ ref("arbitrage_opportunities") }} as opportunities
left join {{ ref("pair_verdicts") }} as verdicts on opportunities.pair_id = verdicts.pair_id
where
    opportunities.status != 'expired'
    and (
        verdicts.pair_id is null
        or (verdicts.relation = 'unevaluated' and verdicts.is_judge_on)
        or verdicts.relation not in (opportunities.relation, 'unevaluated')
    )
