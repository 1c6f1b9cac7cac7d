-- The newest landed record of every market is in silver.markets or in silver.rejected_records,
-- once; a record without an id is in rejected_records. A row here is a market that was lost or
-- counted twice. Only the newest 400 loads, a day of runs: a test of all would grow with history.
-- An old archive that was loaded lately is newer than nothing that the venue sent later.
with landed as (
    select
        'kalshi' as platform,
        ticker as external_id,
        record_number,
        fetched_at,
        is_gone
    from {{ ref("kalshi_markets") }}
    where load_id in {{ newest_loads() }}
    union all
    select
        'polymarket',
        polymarket_id,
        record_number,
        fetched_at,
        is_gone
    from {{ ref("polymarket_markets") }}
    where load_id in {{ newest_loads() }}
),

newest as (
    select
        platform,
        external_id,
        arg_max(record_number, (fetched_at, record_number)) as record_number,
        max(fetched_at) as fetched_at
    from landed
    where external_id is not null and not is_gone
    group by platform, external_id
    union all
    select
        platform,
        external_id,
        record_number,
        fetched_at
    from landed
    where external_id is null
),

kept as (
    select
        platform,
        external_id,
        record_number,
        count(*) as times
    from {{ ref("markets") }}
    group by all
),

rejected as (
    select distinct
        platform,
        external_id,
        record_number
    from {{ ref("rejected_records") }}
    where entity = 'market' and load_id in {{ newest_loads() }}
)

select
    newest.* exclude (fetched_at),
    coalesce(kept.times, 0) as times_in_markets,
    rejected.record_number is not null as is_in_rejected,
from newest
left join kept
    on newest.platform = kept.platform and newest.record_number = kept.record_number
left join rejected
    on newest.platform = rejected.platform and newest.record_number = rejected.record_number
left join {{ ref("listings") }} as listings
    on newest.platform = listings.platform and newest.external_id = listings.external_id
where
    coalesce(listings.fetched_at <= newest.fetched_at, true)
    and coalesce(kept.times, 0) + (rejected.record_number is not null)::integer != 1
