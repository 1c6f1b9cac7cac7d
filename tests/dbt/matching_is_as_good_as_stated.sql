-- Measured on labels that nothing is tuned on, matching is not worse than the floors; no trap is published.
with quality as (
    select * from {{ ref("matching_quality") }}
    where universe = 'labelled' and contract_class = 'all'
),

shortfalls as (
    {% for measure, floor in var("quality_floors").items() -%}
    select
        split,
        '{{ measure }}' as measure,
        {{ measure }} as measured,
        {{ floor }} as floor,
    from quality
    -- Null where nothing is called so: silence reaches no floor.
    where split = 'held_out' and ({{ measure }} >= {{ floor }}) is not true
    union all
    {% endfor -%}
    select
        split,
        'trapped_pairs',
        trapped_pairs,
        0,
    from quality
    where trapped_pairs > 0
    union all
    -- Without labels nothing is measured.
    select
        'held_out',
        'labelled_pairs',
        0,
        1,
    where not exists (select 1 from quality where split = 'held_out')
)

select * from shortfalls
