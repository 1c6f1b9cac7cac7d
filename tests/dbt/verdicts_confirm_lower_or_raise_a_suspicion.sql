-- No pair is equal against the rules, against a veto or against a verdict, nor cleaner than they say,
-- and where there is somebody to ask, none without a verdict. What only the judge calls equal has a
-- caveat, and the rules leave it open or are not sure of what they say. Another relation that is confirmed is that of
-- both.
with compared as (
    select
        pairs.*,
        verdicts.is_judge_on,
        verdicts.relation as judged_relation,
        verdicts.orientation as judged_orientation,
        coalesce(verdicts.fungibility, 'clean') as judged_fungibility,
        ruled.relation as ruled_relation,
        ruled.orientation as ruled_orientation,
        ruled.fungibility as ruled_fungibility,
        -- One veto that the difference itself explains (another source, which no lock is made of, or a "not"); for the
        -- judge alone one of which no rule is sure.
        pairs.pair_id in (select vetoes.pair_id from {{ ref("pair_vetoes") }} as vetoes)
        and pairs.pair_id not in (
            select related.pair_id from {{ ref("related_pairs") }} as related
            where if(pairs.judge_effect = 'raised', related.is_unsure, related.relation = 'equal')
        ) as is_vetoed,
    from {{ ref("market_pairs") }} as pairs
    left join {{ ref("ruled_pairs") }} as ruled on pairs.pair_id = ruled.pair_id
    left join {{ ref("pair_verdicts") }} as verdicts on pairs.pair_id = verdicts.pair_id
    where pairs.relation = 'equal' or pairs.judge_effect = 'confirmed'
)

select * from compared
where
    (relation = 'equal' and is_vetoed)
    or is_judge_on is null
    or case
        when relation != 'equal' then relation is distinct from ruled_relation or relation != judged_relation
        when judge_effect = 'raised'
            then ruled_relation = 'equal' or judged_relation != 'equal' or fungibility != 'caveat'
                or orientation is distinct from judged_orientation
        else
            ruled_relation is distinct from 'equal'
            or orientation is distinct from ruled_orientation
            or (fungibility = 'clean' and (ruled_fungibility != 'clean' or judged_fungibility != 'clean'))
            or (fungibility != 'correlated' and 'correlated' in (ruled_fungibility, judged_fungibility))
            or case
                when judged_relation = 'unevaluated' then is_judge_on
                else judged_relation != 'equal' or judged_orientation is distinct from ruled_orientation
            end
    end
