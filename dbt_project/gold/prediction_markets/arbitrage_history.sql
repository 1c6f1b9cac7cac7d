{{ config(materialized="view") }}

-- Read when it is asked: whether a build has passed is known after its last model.
with history as (
    select
        opportunity_id,
        any_value(kind) as kind,
        any_value(pair_id) as pair_id,
        any_value(event_key) as event_key,
        any_value(relation) as relation,
        any_value(direction) as direction,
        arg_max(status, sighted_at) as last_status,
        count(*) as sightings,
        count(*) filter (status = 'active') as active_sightings,
        max(best.profit_margin) as peak_margin,
        max(best.profit) as peak_profit,
        arg_max(sighted_at, (best.profit_margin, -epoch_us(sighted_at))) as peak_at,
        date_diff('millisecond', min(sighted_at), max(sighted_at)) / 1000 as duration_seconds,
        min(sighted_at) as first_seen_at,
        max(sighted_at) as last_seen_at,
    from {{ ref("opportunity_sightings") }}
    group by opportunity_id
)

select * from history
