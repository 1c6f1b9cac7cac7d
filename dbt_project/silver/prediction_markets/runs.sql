with sweeps as (
    select * from {{ ref("sweeps") }}
),

-- A rejected record belongs to the sweep whose load it came with, or that was logged next.
rejections as (
    select
        sweeps.run_id,
        count(distinct rejected.record_key) as records_rejected,
    from (
        select
            platform,
            entity,
            load_id,
            concat_ws(':', platform, entity, record_number) as record_key,
        from {{ ref("rejected_records") }}
    ) as rejected
    asof inner join sweeps
        on rejected.platform = sweeps.venue
            and rejected.entity = sweeps.entity
            and rejected.load_id <= sweeps.load_id
    group by sweeps.run_id
),

sweeps_by_run as (
    select
        sweeps.run_id,
        coalesce(sum(records) filter (entity = 'market'), 0) as markets_processed,
        coalesce(sum(records) filter (entity = 'market' and venue = 'kalshi'), 0) as kalshi_markets_processed,
        coalesce(sum(records) filter (entity = 'market' and venue = 'polymarket'), 0) as polymarket_markets_processed,
        sum(landed) as records_landed,
        sum(gone) as records_gone,
        coalesce(any_value(rejections.records_rejected), 0) as records_rejected,
        sum(rejected_lines) as lines_rejected,
        coalesce(
            list(concat_ws(' ', venue, entity) || ': ' || error order by venue, entity) filter (error is not null), []
        ) as errors,
        max(load_id) as last_load_id,
        min(started_at) as started_at,
        max(finished_at) as finished_at,
    from sweeps
    left join rejections on sweeps.run_id = rejections.run_id
    group by sweeps.run_id
),

-- The row of the whole run says what became of it; a run made step by step is what its last one was.
steps_by_run as (
    select
        run_id,
        coalesce(arg_max(outcome, started_at) filter (step = 'run'), arg_max(outcome, started_at)) as outcome,
        coalesce(
            arg_max(seconds, started_at) filter (step = 'run'),
            -- Whole microseconds: their sum is the same in any order.
            cast(sum(cast(seconds as decimal(18, 6))) filter (step != 'run') as double), 0
        ) as seconds,
        coalesce(
            list(
                struct_pack(step := step, outcome := outcome, seconds := seconds, problem := problem)
                order by started_at, step
            ) filter (step != 'run'),
            []
        ) as steps,
        coalesce(
            list(distinct problem) filter (outcome in ('failed', 'timed out', 'stopped', 'interrupted')), []
        ) as problems,
        min(started_at) as started_at,
        max(coalesce(finished_at, started_at)) as finished_at,
    from {{ ref("run_steps") }}
    where not starts_with(step, 'build ')
    group by run_id
),

runs as (
    select
        coalesce(sweeps_by_run.run_id, steps_by_run.run_id) as run_id,
        steps_by_run.outcome,
        coalesce(markets_processed, 0) as markets_processed,
        coalesce(kalshi_markets_processed, 0) as kalshi_markets_processed,
        coalesce(polymarket_markets_processed, 0) as polymarket_markets_processed,
        coalesce(records_landed, 0) as records_landed,
        coalesce(records_gone, 0) as records_gone,
        coalesce(records_rejected, 0) as records_rejected,
        coalesce(lines_rejected, 0) as lines_rejected,
        coalesce(steps, []) as steps,
        coalesce(errors, []) || coalesce(problems, []) as errors,
        last_load_id,
        least(sweeps_by_run.started_at, steps_by_run.started_at) as started_at,
        greatest(sweeps_by_run.finished_at, steps_by_run.finished_at) as finished_at,
        coalesce(
            seconds, date_diff('millisecond', sweeps_by_run.started_at, sweeps_by_run.finished_at) / 1000
        ) as seconds,
    from sweeps_by_run
    full outer join steps_by_run on sweeps_by_run.run_id = steps_by_run.run_id
)

select * from runs
