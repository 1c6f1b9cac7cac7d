{{ config(materialized="view") }}

with lines as (
    select distinct
        concat_ws(':', run_id, source, line) as rejected_line_id,
        run_id,
        venue,
        source,
        line,
        reason,
        value,
        rejected_at,
        _dlt_load_id as load_id,
    from {{ source("raw", "rejected_lines") }}
)

select * from lines
