{{ config(materialized="view") }}

with logged as (
    select
        runs.run_id as sync_id,
        runs.outcome,
        cast(runs.markets_processed as bigint) as markets_processed,
        cast(runs.kalshi_markets_processed as bigint) as kalshi_markets_processed,
        cast(runs.polymarket_markets_processed as bigint) as polymarket_markets_processed,
        cast(runs.records_landed as bigint) as records_landed,
        cast(runs.records_gone as bigint) as records_gone,
        cast(runs.records_rejected as bigint) as records_rejected,
        cast(runs.lines_rejected as bigint) as lines_rejected,
        findings.opportunities_found,
        findings.pairs_unevaluated,
        findings.pairs_over_budget,
        runs.steps,
        runs.errors,
        runs.seconds as duration,
        runs.finished_at as timestamp,
        runs.started_at,
        runs.finished_at,
    from {{ ref("runs") }} as runs
    left join {{ ref("run_findings") }} as findings on runs.run_id = findings.run_id
)

select * from logged
