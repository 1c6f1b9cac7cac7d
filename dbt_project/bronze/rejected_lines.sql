{{ config(materialized="view") }}

with lines as (
    select distinct
        md5(concat_ws(chr(31), run_id, source, line, reason, value, rejected_at)) as rejected_line_id,
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
