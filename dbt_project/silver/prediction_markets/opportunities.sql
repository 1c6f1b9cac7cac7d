-- The last sighting of each opportunity: what pays now, and what paid until lately.
with clock as (
    select * from {{ ref("pricing_clock") }}
),

latest as (
    select sightings.*
    from {{ ref("opportunity_sightings") }} as sightings
    cross join clock
    where
        sightings.sighted_at > clock.as_of - interval '{{ var("expired_days") }} days'
        and sightings.sighted_at <= clock.as_of
    qualify row_number() over (partition by opportunity_id order by sighted_at desc) = 1
),

found as (
    select lock_id from {{ ref("lock_prices") }} where is_opportunity
),

judged as (
    select
        latest.* exclude (status, suspect_reasons),
        case when found.lock_id is not null then latest.status else 'expired' end as status,
        case
            when found.lock_id is not null then latest.suspect_reasons
            when locks.lock_id is null then ['no longer matched']
            when not locks.is_priced then locks.blocked_reasons
            else ['no longer pays more than the threshold']
        end as status_reasons,
    from latest
    left join found on latest.opportunity_id = found.lock_id
    left join {{ ref("locks") }} as locks on latest.opportunity_id = locks.lock_id
),

priced as (
    select
        *,
        cast(best.outlay as decimal(18, 8)) as capital,
        cast(list_sum(list_transform(legs, lambda leg: leg.fee_expected)) as decimal(18, 8)) as fee_expected,
        cast(best.profit_margin * 365 / days_locked as decimal(18, 6)) as annualised_return,
    from judged
)

select * from priced
