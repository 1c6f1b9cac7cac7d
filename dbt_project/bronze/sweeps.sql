{{ config(materialized="view") }}

with sweeps as (
    select distinct
        concat_ws(':', run_id, venue, entity, started_at) as sweep_id,
        run_id,
        venue,
        entity,
        source,
        error,
        pages,
        records,
        landed,
        unchanged,
        gone,
        rejected_lines,
        is_complete,
        started_at,
        finished_at,
        _dlt_load_id as load_id,
    from {{ source("raw", "sweeps") }}
)

select * from sweeps
