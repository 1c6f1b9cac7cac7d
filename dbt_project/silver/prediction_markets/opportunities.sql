{{ config(materialized="table") }}

-- What pays now, and what paid until lately: of that the last sighting, and why it is over.
with clock as (
    select * from {{ ref("pricing_clock") }}
),

found as (
    select
        found.* exclude (suspect_reasons),
        found.suspect_reasons as status_reasons,
        locks.holds_until,
    from {{ ref("found_opportunities") }} as found
    inner join {{ ref("locks") }} as locks on found.opportunity_id = locks.lock_id
),

expired as (
    select
        sightings.* exclude (suspect_reasons) replace ('expired' as status),
        case
            when locks.lock_id is null then ['no longer matched']
            when not locks.is_priced then locks.blocked_reasons
            else ['no longer pays more than the threshold']
        end as status_reasons,
    from {{ ref("opportunity_sightings") }} as sightings
    cross join clock
    left join {{ ref("locks") }} as locks on sightings.opportunity_id = locks.lock_id
    where
        sightings.sighted_at > clock.as_of - interval '{{ var("expired_days") }} days'
        and sightings.sighted_at <= clock.as_of
        and sightings.opportunity_id not in (select found.opportunity_id from found)
    qualify row_number() over (partition by sightings.opportunity_id order by sightings.sighted_at desc) = 1
),

priced as (
    select
        latest.* exclude (holds_until),
        cast(latest.best.outlay as decimal(18, 8)) as capital,
        cast(list_sum(list_transform(latest.legs, lambda leg: leg.fee_expected)) as decimal(18, 8)) as fee_expected,
        cast(latest.best.profit_margin * 365 / latest.days_locked as decimal(18, 6)) as annualised_return,
        least(
            latest.sighted_at + to_seconds({{ var("maximum_quote_age_seconds") }} - latest.quote_age_seconds),
            latest.holds_until
        ) as quotes_expire_at,
        clock.listing_load_id,
        clock.book_load_id,
    from (
        select * from found
        union all by name
        select * from expired
    ) as latest
    cross join clock
),

-- Two that buy one token walk the same offers.
bought as (
    select
        opportunity_id,
        best.profit as profit,
        unnest(legs).token_id as token_id,
    from priced
    where status != 'expired'
),

sharing as (
    select
        one.opportunity_id,
        count(distinct other.opportunity_id) - 1 as shares_depth_with,
        arg_max(other.opportunity_id, (other.profit, other.opportunity_id)) = one.opportunity_id as is_best_of_its_legs,
    from bought as one
    inner join bought as other on one.token_id = other.token_id
    group by one.opportunity_id
),

opportunities as (
    select
        priced.*,
        sharing.shares_depth_with,
        sharing.is_best_of_its_legs,
    from priced
    left join sharing on priced.opportunity_id = sharing.opportunity_id
)

select * from opportunities
