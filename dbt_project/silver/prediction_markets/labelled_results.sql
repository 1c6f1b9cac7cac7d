{{ config(materialized="table") }}

with listings as (
    select market_id from {{ ref("matched_listings") }}
),

vetoes as (
    select
        pair_id,
        string_agg(veto_code, ', ' order by veto_code) as veto_codes,
    from {{ ref("pair_vetoes") }}
    group by pair_id
),

-- What the rules call labelled pairs is what they are called, unless a judge was asked about those as well.
calls as (
    select
        pair_id,
        relation,
        orientation,
        fungibility,
        tier,
        reasoning,
    from {{ ref("market_pairs") }}
    union all
    select
        pair_id,
        relation,
        orientation,
        fungibility,
        tier,
        reasoning,
    from {{ ref("ruled_pairs") }}
    where universe = 'labelled' and pair_id not in (select pairs.pair_id from {{ ref("market_pairs") }} as pairs)
),

followed as (
    select
        labels.*,
        labels.kalshi_market_id in (select listings.market_id from listings)
        and labels.polymarket_market_id in (select listings.market_id from listings) as is_present,
        candidates.blocking_rule,
        candidates.pair_id is not null as is_candidate,
        vetoes.veto_codes,
        -- What no veto parts for sure goes on.
        candidates.pair_id is not null and (vetoes.pair_id is null or coalesce(related.is_unsure, false))
            as is_filtered,
        scores.score,
        calls.relation as called_relation,
        calls.orientation as called_orientation,
        calls.fungibility as called_fungibility,
        calls.tier,
        calls.reasoning,
        coalesce(called_relation = 'equal' and called_fungibility != 'correlated', false) as is_called_same,
        is_called_same and called_fungibility = 'clean' as is_published,
        coalesce(
            called_relation in ('k_implies_p', 'p_implies_k', 'mutually_exclusive', 'complementary_partition'), false
        ) as is_called_related,
        -- A label that does not say which way round holds for both.
        coalesce(called_orientation = labels.orientation, true) as is_same_way_round,
    from {{ ref("known_pairs") }} as labels
    left join {{ ref("candidate_pairs") }} as candidates on labels.pair_id = candidates.pair_id
    left join vetoes on labels.pair_id = vetoes.pair_id
    left join {{ ref("pair_scores") }} as scores on labels.pair_id = scores.pair_id
    left join calls on labels.pair_id = calls.pair_id
    left join {{ ref("related_pairs") }} as related on labels.pair_id = related.pair_id
),

compared as (
    select
        *,
        is_called_same and is_same_contract and is_same_way_round as is_rightly_called_same,
        is_published and is_clean and is_same_way_round as is_rightly_published,
        -- Nobody knows which relation two contracts have that are only said not to be equal.
        case
            when is_called_related and relation != 'not_equal' then
                called_relation = relation
                or (is_clean and orientation = 'same' and called_relation in ('k_implies_p', 'p_implies_k'))
                or (
                    (relation = 'complementary_partition' or (is_clean and orientation = 'inverted'))
                    and called_relation in ('mutually_exclusive', 'complementary_partition')
                )
        end as is_rightly_called_related,
        trap is not null and is_published and not is_rightly_published as is_trapped,
    from followed
),

results as (
    select
        *,
        case
            when not is_present then 'absent'
            when is_called_same and not is_rightly_called_same then 'falsely the same'
            when is_published and not is_rightly_published then 'falsely clean'
            when is_called_related and not is_rightly_called_related then 'falsely related'
            when is_same_contract and not is_rightly_called_same then 'missed'
            else 'right'
        end as finding,
        case
            when not is_present then 'a listing is not among the markets'
            when not is_candidate then 'no blocking rule found it'
            when veto_codes is not null and coalesce(tier, '') != 'judged' then 'veto: ' || veto_codes
            else reasoning
        end as why,
    from compared
)

select * from results
