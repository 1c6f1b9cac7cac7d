{{ config(materialized="view", alias="markets") }}

with markets as (
    select
        market_id,
        platform,
        external_id,
        event_id,
        url,
        title,
        subtitle,
        event_title,
        description,
        category,
        venue_category,
        event_type,
        venue_status,
        outcomes,
        tags,
        ineligible_reasons,
        volume,
        liquidity,
        is_active,
        is_closed,
        is_eligible,
        end_at,
        cast(end_at as date) as end_date,
        last_seen_at,
        processed_at,
    from {{ ref("markets") }}
)

select * from markets
