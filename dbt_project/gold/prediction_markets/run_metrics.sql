{{ config(materialized="view") }}

with ended_runs as (
    select * from {{ ref("sync_logs") }}
    where outcome is not null and outcome != 'running'
),

last_run as (
    select * from ended_runs
    order by finished_at desc, sync_id desc
    limit 1
),

last_steps as (
    select unnest(steps) as taken from last_run
),

outcomes as (
    select unnest(['done', 'in part', 'failed', 'timed out', 'stopped', 'interrupted']) as outcome
),

kinds as (
    select unnest(['pair', 'bundle']) as kind
),

statuses as (
    select unnest(['active', 'suspect', 'expired']) as status
),

states as (
    select
        kinds.kind,
        statuses.status,
    from kinds
    cross join statuses
),

opportunities as (
    select
        'pair' as kind,
        status,
    from {{ ref("arbitrage_opportunities") }}
    union all
    select
        'bundle',
        status,
    from {{ ref("bundle_opportunities") }}
),

measured as (
    select * from {{ ref("ingestion_metrics") }}
    union all
    select {{ metric("runs_total", "count(ended_runs.outcome)", {"outcome": "outcomes.outcome"}) }}
    from outcomes
    left join ended_runs on outcomes.outcome = ended_runs.outcome
    group by all
    union all
    select {{ metric("last_success_timestamp_seconds", "epoch(max(finished_at))") }}
    from ended_runs
    where outcome in ('done', 'in part')
    union all
    select {{ metric("last_run_duration_seconds", "duration") }}
    from last_run
    union all
    select {{ metric("last_run_step_duration_seconds", "sum(taken.seconds)", {"step": "taken.step"}) }}
    from last_steps
    group by all
    union all
    select {{ metric("funnel_pairs", "pairs", {"stage": "stage"}) }}
    from {{ ref("matching_funnel") }}
    union all
    select {{ metric("matching_recall_ratio", "held_out_recall", {"stage": "stage"}) }}
    from {{ ref("matching_funnel") }}
    union all
    select
        {{ metric("opportunities", "count(opportunities.status)",
            {"kind": "states.kind", "status": "states.status"}) }}
    from states
    left join opportunities on states.kind = opportunities.kind and states.status = opportunities.status
    group by all
    {% for name, column in {
        "calls": "calls", "cache_hits": "cache_hits", "input_tokens": "input_tokens",
        "output_tokens": "output_tokens", "cost_usd": "usd",
    }.items() -%}
    union all
    select {{ metric("llm_" ~ name ~ "_total", "sum(" ~ column ~ ")", {"model": "model"}) }}
    from {{ ref("llm_usage") }}
    group by all
    {% endfor %}
),

run_metrics as (
    select
        measured.metric,
        measured.labels,
        measured.value,
        meanings.kind,
        meanings.help,
    from measured
    left join {{ ref("metric_meanings") }} as meanings on measured.metric = meanings.metric
    where measured.value is not null
)

select * from run_metrics
