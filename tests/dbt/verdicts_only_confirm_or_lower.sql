-- No pair is equal against the rules, against a veto or against a verdict, and where there is somebody
-- to ask, none without a verdict.
select
    pairs.*,
    verdicts.is_judge_on,
from {{ ref("market_pairs") }} as pairs
left join {{ ref("ruled_pairs") }} as ruled on pairs.pair_id = ruled.pair_id
left join {{ ref("pair_verdicts") }} as verdicts on pairs.pair_id = verdicts.pair_id
where
    pairs.relation = 'equal'
    and (
        ruled.relation is distinct from 'equal'
        or pairs.orientation is distinct from ruled.orientation
        or verdicts.is_judge_on is null
        or case
            when verdicts.relation = 'unevaluated' then verdicts.is_judge_on
            else verdicts.relation != 'equal' or verdicts.orientation is distinct from ruled.orientation
        end
        -- One veto that the difference itself explains: another source, which no lock is made of, or a "not".
        or (
            pairs.pair_id in (select vetoes.pair_id from {{ ref("pair_vetoes") }} as vetoes)
            and pairs.pair_id not in (
                select related.pair_id from {{ ref("related_pairs") }} as related where related.relation = 'equal'
            )
        )
    )
