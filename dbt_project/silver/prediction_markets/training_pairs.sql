{{ config(materialized="view") }}

with compared as (
    select
        labels.label_id,
        labels.event_group,
        labels.split,
        labels.relation,
        labels.orientation,
        labels.fungibility,
        coalesce(related.relation, 'equal') as supposed_relation,
        related.pair_id is not null as is_related,
        features.*,
    from {{ ref("pair_features") }} as features
    inner join {{ ref("known_pairs") }} as labels on features.pair_id = labels.pair_id
    -- What is in doubt is not called anything, whatever its score.
    inner join {{ ref("pair_doubts") }} as doubts on features.pair_id = doubts.pair_id and len(doubts.doubts) = 0
    left join {{ ref("related_pairs") }} as related on features.pair_id = related.pair_id
    -- Nor is what titles say by themselves a matter of a score.
    where labels.universe = 'labelled' and not coalesce(related.is_said_by_titles, false)
),

training as (
    select
        * exclude (relation, orientation, fungibility, supposed_relation, is_related),
        -- What is supposed of the pair if the rest is the same is true of it. Another index, station or
        -- clock that no veto tells of is another contract; of the same contract each implies the other.
        case
            when relation = supposed_relation then is_related or relation != 'equal' or fungibility != 'correlated'
            when fungibility = 'clean' and orientation = 'same' then supposed_relation in ('k_implies_p', 'p_implies_k')
            when relation = 'complementary_partition' or (fungibility = 'clean' and orientation = 'inverted')
                then supposed_relation in ('mutually_exclusive', 'complementary_partition')
            else false
        end as target,
    from compared
)

select * from training
