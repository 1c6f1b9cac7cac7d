{{ config(materialized="incremental", incremental_strategy="append") }}

with runs as (
    select
        *,
        last_load_id = max(last_load_id) over () as is_newest,
    from {{ ref("runs") }}
),

unjudged as (
    select
        count(*) as pairs,
        count(*) filter (starts_with(reason, 'over the budget')) as over_budget,
    from {{ ref("pair_verdicts") }}
    where relation = 'unevaluated'
),

-- Opportunities and questions are those of this build, so they belong to the newest run only.
logged as (
    select
        run_id as sync_id,
        cast(markets_processed as bigint) as markets_processed,
        cast(kalshi_markets_processed as bigint) as kalshi_markets_processed,
        cast(polymarket_markets_processed as bigint) as polymarket_markets_processed,
        cast(records_landed as bigint) as records_landed,
        cast(records_gone as bigint) as records_gone,
        cast(records_rejected as bigint) as records_rejected,
        cast(lines_rejected as bigint) as lines_rejected,
        case
            when is_newest
                then (select count(*) from {{ ref("arbitrage_opportunities") }} where status != 'expired')
        end as opportunities_found,
        case when is_newest then unjudged.pairs end as pairs_unevaluated,
        case when is_newest then unjudged.over_budget end as pairs_over_budget,
        errors,
        date_diff('millisecond', started_at, finished_at) / 1000 as duration,
        finished_at as timestamp,
        started_at,
        finished_at,
    from runs
    cross join unjudged
    {% if is_incremental() -%}
    where run_id not in (select held.sync_id from {{ this }} as held)
    {%- endif %}
)

select * from logged
