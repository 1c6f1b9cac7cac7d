with latest as (
    select * from {{ ref("kalshi_series") }}
    where not is_gone and len(rejections) = 0
    qualify row_number() over (partition by series_ticker order by fetched_at desc, record_number desc) = 1
),

series as (
    select
        'kalshi:' || series_ticker as series_key,
        'kalshi' as platform,
        series_ticker as series_id,
        title,
        category as venue_category,
        tags,
        fetched_at,
    from latest
)

select * from series
