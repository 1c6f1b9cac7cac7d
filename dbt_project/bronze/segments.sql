{{ config(materialized="view") }}

with segments as (
    select
        md5(concat_ws(chr(31), run_id, name, segment_number, loaded_at)) as segment_id,
        * exclude (_dlt_load_id),
    from {{ source("raw", "segments") }}
    where _dlt_load_id in (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0)
)

select * from segments
