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

runs as (
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
)

select * from runs
