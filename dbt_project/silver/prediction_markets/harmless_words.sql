{{ config(materialized="table") }}

-- Which words make no difference is learned from the labels that a scorer learns from: those that one condition alone
-- has, in equal pairs of at least two events.
with own_words as (
    select
        labels.event_group,
        unnest(doubts.own_words) as word,
    from {{ ref("labels") }} as labels
    inner join {{ ref("pair_doubts") }} as doubts on labels.pair_id = doubts.pair_id
    where labels.universe = 'labelled' and labels.split = 'train' and labels.is_same_contract
)

select
    word,
    list_sort(list(distinct event_group)) as event_groups,
from own_words
group by word
having len(event_groups) > 1
