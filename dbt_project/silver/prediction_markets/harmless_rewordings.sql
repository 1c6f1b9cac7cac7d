{{ config(materialized="table") }}

with harmless as (
    {{ harmless_among(ref("reworded_statements")) }}
)

-- In statements that are otherwise the same, words of logic always make a difference.
select * from harmless
where word not in ({{ logic_words() }})
