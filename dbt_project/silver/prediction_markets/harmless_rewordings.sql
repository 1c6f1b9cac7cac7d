{{ config(materialized="table") }}

-- As harmless_words, of statements that are otherwise the same: there words of logic always make a difference.
with own_words as (
    select
        labels.event_group,
        unnest(statements.own_words) as word,
    from {{ ref("labels") }} as labels
    inner join {{ ref("reworded_statements") }} as statements on labels.pair_id = statements.pair_id
    where labels.universe = 'labelled' and labels.split = 'train' and labels.is_same_contract
)

select
    word,
    list_sort(list(distinct event_group)) as event_groups,
from own_words
where word not in ({{ logic_words() }})
group by word
having len(event_groups) > 1
