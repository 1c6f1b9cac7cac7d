{{ config(materialized="view") }}

with run_steps as (
    select
        concat_ws(':', run_id, step, started_at) as run_step_id,
        run_id,
        step,
        process,
        outcome,
        problem,
        seconds,
        started_at,
        finished_at,
    from {{ source("raw", "run_steps") }}
)

select * from run_steps
