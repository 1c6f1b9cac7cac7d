{{ config(materialized="view") }}

with unfinished_builds as (
    select
        model,
        build_id,
        started_at,
    from {{ source("raw", "unfinished_builds") }}
)

select * from unfinished_builds
