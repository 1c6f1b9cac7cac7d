{{ config(materialized="view") }}

with api_requests as (
    select
        concat_ws(':', run_id, venue, endpoint, outcome, finished_at) as api_request_id,
        run_id,
        venue,
        endpoint,
        outcome,
        requests,
        seconds as answer_seconds,
        longest_seconds as longest_answer_seconds,
        finished_at,
    from {{ source("raw", "api_requests") }}
)

select * from api_requests
