{{ config(materialized="table") }}

with depths as (
    select
        outcome_id,
        min(price) as best_price,
        max(ends_at) as depth,
    from {{ ref("ask_ladders") }}
    group by outcome_id
),

-- A Kalshi market's fee and the question it is a part of are told by its series, its event and their changes,
-- which are listed apart. What was never listed, where others were, is as old as can be.
parents_seen as (
    select
        platform,
        if(count(*) = 4, min(seen_at), timestamp '1970-01-01 00:00:00') as seen_at,
    from (
        select
            venue as platform,
            entity,
            max(started_at) as seen_at,
        from {{ ref("sweeps") }}
        where
            is_complete
            and venue = 'kalshi'
            and entity in ('series', 'event', 'series_fee_change', 'event_fee_change')
        group by venue, entity
    ) as parents
    group by platform
),

legs as (
    select
        legs.*,
        coalesce(bundles.payout, 1) as payout,
        bundles.is_across_venues,
        markets.end_at,
        markets.is_eligible,
        markets.venue_status = 'in review' as is_in_review,
        terms.window_ends_on,
        greatest(cast(terms.window_ends_on as timestamp), markets.expected_at) as told_at,
        -- What should have been decided by now was not: the market's own end is the next that is known.
        case when told_at > clock.as_of then told_at end as decided_at,
        least(markets.last_seen_at, parents_seen.seen_at) as listing_seen_at,
        date_diff('second', listing_seen_at, clock.as_of) as listing_age_seconds,
        least(
            markets.end_at,
            fees.effective_until,
            listing_seen_at + to_seconds({{ var("maximum_listing_age_seconds") }})
        ) as holds_until,
        books.fetched_at,
        books.outcome_id is not null and books.rejection_reason is null as has_book,
        books.rejection_reason,
        books.minimum_order_size,
        -- An order that takes offers is of a dollar at least on Polymarket, however many shares that is. Those
        -- behind the best cost more, so it is no less than a dollar, and now and then more than need be.
        case when legs.platform = 'polymarket' then 1 / depths.best_price end as shares_of_a_dollar,
        fees.taker_rate,
        fees.unknown_reason,
        fees.is_assumed,
        clock.as_of,
        date_diff('second', books.fetched_at, clock.as_of) as quote_age_seconds,
        depths.best_price,
        depths.depth,
    from {{ ref("bought_legs") }} as legs
    cross join {{ ref("pricing_clock") }} as clock
    left join {{ ref("markets") }} as markets on legs.market_id = markets.market_id
    left join parents_seen on legs.platform = parents_seen.platform
    left join {{ ref("contract_terms") }} as terms on legs.market_id = terms.market_id
    left join {{ ref("outcome_books") }} as books on legs.outcome_id = books.outcome_id
    left join {{ ref("fee_schedules") }} as fees
        on legs.market_id = fees.market_id
            and clock.as_of >= fees.effective_from
            and coalesce(clock.as_of < fees.effective_until, true)
    left join {{ ref("bundle_locks") }} as bundles on legs.lock_id = bundles.lock_id
    left join depths on legs.outcome_id = depths.outcome_id
),

judged as (
    select
        *,
        coalesce(platform, split_part(market_id, ':', 1)) || ': ' || case
            when token_id is null then 'the side to buy has no token'
            when not coalesce(is_eligible, false) then 'the market is not traded any more'
            when end_at <= as_of then 'trading closed before the price'
            when fetched_at is null then 'no order book was fetched'
            when rejection_reason is not null then 'order book rejected, ' || rejection_reason
            when taker_rate is null then 'fee not known, ' || coalesce(unknown_reason, 'no fee was told')
            when depth is null then 'nothing on offer'
            when minimum_order_size is null then 'minimum order not known'
        end as missing,
    from legs
),

gathered as (
    select
        lock_id,
        any_value(kind) as kind,
        count(*) as legs,
        any_value(payout) as payout,
        coalesce(any_value(is_across_venues), false) and count(distinct platform) = 1 as is_on_one_venue,
        list(distinct missing order by missing) filter (missing is not null) as missing,
        cast(ceil(max(greatest(minimum_order_size, shares_of_a_dollar))) as bigint) as minimum_contracts,
        cast(floor(min(depth)) as bigint) as depth_contracts,
        case when count(best_price) = count(*) then sum(best_price) end as best_prices,
        max(quote_age_seconds) as quote_age_seconds,
        max(listing_age_seconds) as listing_age_seconds,
        coalesce(bool_or(is_assumed), false) as is_fee_assumed,
        coalesce(bool_or(tier = 'scored'), false) as has_scored_leg,
        coalesce(bool_or(is_in_review), false) as is_in_review,
        count(distinct window_ends_on) > 1 or count(window_ends_on) < count(*) as has_other_deadlines,
        case when bool_and(coalesce(decided_at, end_at) is not null) then max(coalesce(decided_at, end_at)) end
            as settles_at,
        min(holds_until) as holds_until,
        any_value(as_of) as as_of,
    from judged
    group by lock_id
),

locks as (
    select
        gathered.* exclude (missing, is_on_one_venue, is_in_review),
        pair_locks.pair_id,
        bundle_locks.event_key,
        pair_locks.reasoning,
        pair_locks.score,
        coalesce(pair_locks.relation, 'partition') as relation,
        coalesce(pair_locks.direction, bundle_locks.direction) as direction,
        coalesce(missing, []) || list_filter([
            case when minimum_contracts > depth_contracts then 'less on offer than the minimum order' end,
            -- Then it is the set of that venue, and would be counted twice.
            case when is_on_one_venue then 'every member is cheaper on one venue' end
        ], lambda reason: reason is not null) as blocked_reasons,
        len(blocked_reasons) = 0 as is_priced,
        list_filter([
            case
                when gathered.payout - best_prices > {{ var("suspicious_edge") }} * gathered.payout
                    then 'edge too good'
            end,
            case when quote_age_seconds > {{ var("maximum_quote_age_seconds") }} then 'quote too old' end,
            case when listing_age_seconds > {{ var("maximum_listing_age_seconds") }} then 'listing too old' end,
            case when is_fee_assumed then 'fee assumed' end,
            -- What one oracle quarrels about, the other venue decides by itself.
            case when is_in_review then 'outcome proposed or disputed' end,
            -- One side of an implication may well be decided before the other.
            case
                when coalesce(pair_locks.relation, '') not in ('k_implies_p', 'p_implies_k') and has_other_deadlines
                    then 'deadlines differ or were not read'
            end,
            case
                when relation = 'equal' and pair_locks.fungibility is null then 'the rules were not compared'
            end,
            -- A score sees words, not sentences: two listings that differ in one clause look the same to it.
            case when has_scored_leg then 'found by score only: read both rules' end
        ], lambda reason: reason is not null)
        || coalesce(pair_locks.caveat_reasons, []) as suspect_reasons,
        greatest(date_diff('second', as_of, settles_at) / 86400, 1) as days_locked,
    from gathered
    left join {{ ref("pair_locks") }} as pair_locks on gathered.lock_id = pair_locks.lock_id
    left join {{ ref("bundle_locks") }} as bundle_locks on gathered.lock_id = bundle_locks.lock_id
)

select * from locks
