{{ config(materialized="view") }}

with segments as (
    select * exclude (_dlt_load_id),
    from {{ source("raw", "segments") }}
    where _dlt_load_id in (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0)
)

select * from segments
