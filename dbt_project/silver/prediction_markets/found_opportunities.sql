{{ config(materialized="table") }}

with legs as (
    select
        legs.lock_id,
        list(
            struct_pack(
                platform := legs.platform,
                market_id := legs.market_id,
                outcome := legs.label,
                token_id := legs.token_id,
                says_yes := legs.says_yes,
                best_price := asks.price,
                size_at_best := asks.ends_at,
                quote_age_seconds := date_diff('second', books.fetched_at, clock.as_of)
            ) order by legs.leg_index
        ) as legs,
    from {{ ref("bought_legs") }} as legs
    cross join {{ ref("pricing_clock") }} as clock
    inner join {{ ref("outcome_books") }} as books on legs.outcome_id = books.outcome_id
    inner join {{ ref("ask_ladders") }} as asks on legs.outcome_id = asks.outcome_id and asks.level_number = 1
    group by legs.lock_id
),

found as (
    select
        locks.lock_id || '|' || locks.as_of as sighting_id,
        locks.lock_id as opportunity_id,
        locks.kind,
        locks.pair_id,
        locks.event_key,
        locks.relation,
        locks.direction,
        if(len(locks.suspect_reasons) = 0, 'active', 'suspect') as status,
        locks.suspect_reasons,
        locks.reasoning,
        locks.score,
        list_transform(
            list_zip(legs.legs, prices.legs),
            lambda pair: struct_insert(
                pair[1],
                last_price := pair[2].last_price,
                levels := pair[2].levels,
                cost := pair[2].cost,
                fee_expected := pair[2].fee_expected,
                fee_worst := pair[2].fee_worst
            )
        ) as legs,
        prices.best,
        prices.threshold,
        prices.top_margin,
        locks.quote_age_seconds,
        locks.settles_at,
        locks.days_locked,
        locks.as_of as sighted_at,
    from {{ ref("lock_prices") }} as prices
    inner join {{ ref("locks") }} as locks on prices.lock_id = locks.lock_id
    inner join legs on prices.lock_id = legs.lock_id
    where prices.is_opportunity
)

select * from found
