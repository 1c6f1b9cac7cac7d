{{ config(materialized="view") }}

-- Read when it is asked: what was priced before the newest fetch, or by a build that another one
-- failed after, is not active any more.
with fetched as (
    select
        max(load_id) filter (entity is distinct from 'order_book') as listing_load_id,
        max(load_id) filter (entity = 'order_book') as book_load_id,
    from {{ ref("sweeps") }}
),

unfinished as (
    select count(*) as builds from {{ ref("unfinished_builds") }}
),

doubted as (
    select
        opportunities.*,
        list_filter([
            case
                when fetched.listing_load_id > coalesce(opportunities.listing_load_id, '')
                    then 'listings were fetched since, and not matched'
            end,
            case
                when fetched.book_load_id > coalesce(opportunities.book_load_id, '')
                    then 'order books were fetched since, and not priced'
            end,
            case when unfinished.builds > 0 then 'a build since has failed or was not finished' end
        ], lambda reason: reason is not null) as doubts,
    from {{ ref("opportunities") }} as opportunities
    cross join fetched
    cross join unfinished
),

current_opportunities as (
    select
        * exclude (status, status_reasons, doubts, listing_load_id, book_load_id),
        case when status = 'active' and len(doubts) > 0 then 'suspect' else status end as status,
        case when status = 'expired' then status_reasons else status_reasons || doubts end as status_reasons,
    from doubted
)

select * from current_opportunities
