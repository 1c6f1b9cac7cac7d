with used as (
    select
        model,
        day as used_on,
        cast(sum(calls) as bigint) as calls,
        cast(sum(answers) as bigint) as answers,
        cast(sum(calls) filter (kind = 'batch') as bigint) as batch_requests,
        cast(sum(cache_hits) as bigint) as cache_hits,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(usd) as decimal(18, 9)) as usd,
        sum(answer_seconds) filter (kind = 'calls')
        / nullif(sum(answers) filter (kind = 'calls'), 0) as mean_latency_seconds,
        max(longest_answer_seconds) filter (kind = 'calls') as longest_latency_seconds,
    from {{ ref("judge_runs") }}
    group by model, day
)

select * from used
