{{ config(materialized="table") }}

-- Which words make no difference is learned from the labels that a scorer learns from: those that one side alone has,
-- in equal pairs of at least two events.
with equal_pairs as (
    select
        pair_id,
        event_group,
    from {{ ref("labels") }}
    where universe = 'labelled' and split = 'train' and is_same_contract
),

own_words as (
    select
        'untold' as kind,
        event_group,
        unnest(doubts.own_words) as word,
    from equal_pairs
    inner join {{ ref("pair_doubts") }} as doubts on equal_pairs.pair_id = doubts.pair_id
    union all
    select
        'reworded' as kind,
        event_group,
        unnest(statements.own_words) as word,
    from equal_pairs
    inner join {{ ref("reworded_statements") }} as statements on equal_pairs.pair_id = statements.pair_id
)

select
    kind,
    word,
    count(distinct event_group) as event_groups,
from own_words
-- In statements that are otherwise the same, words of logic always make a difference.
where kind = 'untold' or word not in ({{ logic_words() }})
group by kind, word
having event_groups > 1
