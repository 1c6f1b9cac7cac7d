with vetoed as (
    select distinct pair_id from {{ ref("pair_vetoes") }}
),

filtered as (
    select candidates.*
    from {{ ref("candidate_pairs") }} as candidates
    where candidates.pair_id not in (select vetoed.pair_id from vetoed)
)

select * from filtered
