with listings as (
    select * from {{ ref("listings") }} where not is_rejected
),

events as (
    select * from {{ ref("events") }}
),

series as (
    select * from {{ ref("series") }}
),

category_labels as (
    select * from {{ ref("category_labels") }}
),

-- The standard category is that of the most telling of an event's labels.
event_categories as (
    select
        labelled.event_key,
        arg_min(category_labels.category, (category_labels.priority, category_labels.label)) as category,
    from (
        select
            event_key,
            unnest(list_append(tags, venue_category)) as label,
        from events
    ) as labelled
    inner join category_labels on lower(labelled.label) = category_labels.label
    group by labelled.event_key
),

-- What did not change since it landed was still seen by every later complete sweep.
last_sweeps as (
    select
        venue as platform,
        max(load_id) as load_id,
        arg_max(started_at, load_id) as started_at,
    from {{ ref("sweeps") }}
    where is_complete and entity = 'market'
    group by venue
),

assembled as (
    select
        listings.market_id,
        listings.platform,
        listings.external_id,
        listings.event_id,
        -- As the event names it; the ticker's first part is not always the series.
        coalesce(events.series_id, listings.series_id) as series_id,
        {{ market_url(
            "listings.platform", "coalesce(events.series_id, listings.series_id)", "listings.event_id", "listings.slug"
        ) }} as url,
        listings.title,
        listings.subtitle,
        coalesce(events.title, listings.listed_event_title) as event_title,
        events.subtitle as event_subtitle,
        listings.description,
        listings.strike_type,
        listings.floor_strike,
        listings.cap_strike,
        listings.sports_market_type,
        listings.slug,
        listings.resolution_source,
        coalesce(event_categories.category, series_labels.category, listing_labels.category) as category,
        coalesce(events.venue_category, series.venue_category, listings.listed_category) as venue_category,
        listings.event_type,
        listings.venue_status,
        listings.outcomes,
        coalesce(events.tags, []) as tags,
        listings.record_number,
        listings.volume,
        listings.volume_24h,
        listings.liquidity,
        listings.is_active,
        listings.is_closed,
        listings.is_parlay,
        coalesce(delistings.fetched_at > listings.fetched_at, false) as is_delisted,
        coalesce(events.is_mutually_exclusive, false) as is_mutually_exclusive,
        len(listings.outcomes) = 2 and listings.event_type != 'scalar' as has_two_outcomes,
        coalesce(listings.end_at > clock.as_of, false) as closes_in_future,
        listings.end_at,
        listings.expected_at,
        case
            when delistings.fetched_at > listings.fetched_at then listings.fetched_at
            when last_sweeps.load_id > listings.load_id then greatest(last_sweeps.started_at, listings.fetched_at)
            else listings.fetched_at
        end as last_seen_at,
        clock.as_of as processed_at,
    from listings
    cross join {{ ref("clock") }} as clock
    left join events on listings.platform || ':' || listings.event_id = events.event_key
    left join event_categories on events.event_key = event_categories.event_key
    left join series on listings.platform || ':' || coalesce(events.series_id, listings.series_id) = series.series_key
    left join category_labels as series_labels on lower(series.venue_category) = series_labels.label
    left join category_labels as listing_labels on lower(listings.listed_category) = listing_labels.label
    left join {{ ref("delistings") }} as delistings on listings.market_id = delistings.market_id
    left join last_sweeps on listings.platform = last_sweeps.platform
),

judged as (
    select
        *,
        list_filter([
            case when is_delisted then 'no longer listed' end,
            case when is_closed then 'closed' end,
            case when not is_active and not is_closed then 'not active' end,
            case when not has_two_outcomes then 'not two outcomes' end,
            case when not closes_in_future then 'close not in the future' end,
            case when is_parlay then 'parlay' end
        ], lambda reason: reason is not null) as ineligible_reasons,
        len(ineligible_reasons) = 0 as is_eligible,
    from assembled
)

select * from judged
