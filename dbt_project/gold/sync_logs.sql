{{ config(materialized="incremental", incremental_strategy="append") }}

with sweeps as (
    select * from {{ ref("sweeps") }}
    {% if is_incremental() -%}
    where run_id not in (select held.sync_id from {{ this }} as held)
    {%- endif %}
),

-- A rejected record belongs to the sweep that was logged next after it landed.
rejections as (
    select
        all_sweeps.run_id,
        count(distinct rejected.record_key) as records_rejected,
    from (
        select
            platform,
            entity,
            load_id,
            platform || entity || record_number as record_key,
        from {{ ref("rejected_records") }}
    ) as rejected
    asof inner join {{ ref("sweeps") }} as all_sweeps
        on rejected.platform = all_sweeps.venue
            and rejected.entity = all_sweeps.entity
            and rejected.load_id <= all_sweeps.load_id
    group by all_sweeps.run_id
),

runs as (
    select
        run_id as sync_id,
        coalesce(sum(records) filter (entity = 'market'), 0) as markets_processed,
        coalesce(sum(records) filter (entity = 'market' and venue = 'kalshi'), 0) as kalshi_markets_processed,
        coalesce(sum(records) filter (entity = 'market' and venue = 'polymarket'), 0) as polymarket_markets_processed,
        sum(landed) as records_landed,
        sum(gone) as records_gone,
        sum(rejected_lines) as lines_rejected,
        list(venue || ' ' || entity || ': ' || error order by venue, entity) filter (error is not null) as errors,
        min(started_at) as started_at,
        max(finished_at) as finished_at,
        max(load_id) as last_load_id,
    from sweeps
    group by run_id
),

-- Opportunities are those of this build, so they belong to the newest run only.
logged as (
    select
        runs.sync_id,
        cast(runs.markets_processed as bigint) as markets_processed,
        cast(runs.kalshi_markets_processed as bigint) as kalshi_markets_processed,
        cast(runs.polymarket_markets_processed as bigint) as polymarket_markets_processed,
        cast(runs.records_landed as bigint) as records_landed,
        cast(runs.records_gone as bigint) as records_gone,
        coalesce(rejections.records_rejected, 0) as records_rejected,
        cast(runs.lines_rejected as bigint) as lines_rejected,
        case
            when runs.last_load_id = max(runs.last_load_id) over ()
                then (select count(*) from {{ ref("arbitrage_opportunities") }})
        end as opportunities_found,
        coalesce(runs.errors, []) as errors,
        date_diff('millisecond', runs.started_at, runs.finished_at) / 1000 as duration_seconds,
        runs.started_at,
        runs.finished_at,
    from runs
    left join rejections on runs.sync_id = rejections.run_id
)

select * from logged
