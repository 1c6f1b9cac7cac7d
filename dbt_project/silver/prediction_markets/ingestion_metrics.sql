-- Summed before there are labels, which take longer than the sums where there are many runs.
with sweeps as (
    select
        venue,
        entity,
        sum(landed) as landed,
        sum(rejected_lines) as rejected_lines,
        max(finished_at) filter (is_complete) as completed_at,
    from {{ ref("sweeps") }}
    group by venue, entity
),

requests as (
    select * from {{ ref("api_requests") }}
),

requests_of_all_runs as (
    select
        venue,
        endpoint,
        outcome,
        sum(requests) as requests,
        sum(answer_seconds) as answer_seconds,
    from requests
    group by venue, endpoint, outcome
),

last_asked as (
    select max_by(run_id, finished_at) as run_id from requests
),

ingestion_metrics as (
    {% for table in [
        ref("kalshi_series"), ref("kalshi_events"), ref("kalshi_markets"), ref("kalshi_order_books"),
        ref("polymarket_events"), ref("polymarket_markets"), ref("polymarket_order_books"),
        ref("markets"), ref("market_quotes"), ref("candidate_pairs"), ref("market_pairs"),
        ref("outcome_books"), ref("opportunities"), ref("opportunity_sightings"),
    ] -%}
    select {{ metric("table_rows", "count(*)", {"table": "'" ~ table.schema ~ "." ~ table.identifier ~ "'"}) }}
    from {{ table }}
    union all
    {% endfor -%}
    select {{ metric("records_landed_total", "sum(landed)", {"venue": "venue", "entity": "entity"}) }}
    from sweeps
    where entity is not null
    group by all
    union all
    select {{ metric("rejected_lines_total", "sum(rejected_lines)", {"venue": "venue"}) }}
    from sweeps
    group by all
    union all
    select
        {{ metric("rejected_records_total", "count(distinct record_number)",
            {"venue": "platform", "entity": "entity", "reason": "reason"}) }}
    from {{ ref("rejected_records") }}
    group by all
    union all
    select
        {{ metric("source_newest_timestamp_seconds", "epoch(max(completed_at))",
            {"venue": "venue", "entity": "entity"}) }}
    from sweeps
    where completed_at is not null
    group by all
    union all
    select
        {{ metric("api_requests_total", "sum(requests)",
            {"venue": "venue", "endpoint": "endpoint", "outcome": "outcome"}) }}
    from requests_of_all_runs
    group by all
    union all
    select
        {{ metric("api_answer_seconds_total", "sum(answer_seconds)",
            {"venue": "venue", "endpoint": "endpoint", "outcome": "outcome"}) }}
    from requests_of_all_runs
    group by all
    union all
    select
        {{ metric("api_longest_answer_seconds", "max(longest_answer_seconds)",
            {"venue": "venue", "endpoint": "endpoint"}) }}
    from requests
    inner join last_asked on requests.run_id = last_asked.run_id
    group by all
)

select * from ingestion_metrics
