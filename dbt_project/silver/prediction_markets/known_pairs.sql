{{ config(materialized="view") }}

-- What is known of pairs: the labels, and that listings of two events which no label joins are unrelated.
with listing_groups as (
    select distinct
        kalshi_market_id as market_id,
        event_group,
        split,
    from {{ ref("labels") }}
    where universe = 'labelled'
    union
    select distinct
        polymarket_market_id as market_id,
        event_group,
        split,
    from {{ ref("labels") }}
    where universe = 'labelled'
),

listings as (
    select
        market_id,
        list(event_group order by event_group) as event_groups,
        list(distinct split) as splits,
    from listing_groups
    group by market_id
),

strangers as (
    select
        candidates.pair_id as label_id,
        'labelled' as universe,
        candidates.kalshi_market_id,
        candidates.polymarket_market_id,
        kalshi.event_groups[1] as event_group,
        'strangers' as contract_class,
        null as trap,
        'unrelated' as relation,
        null as orientation,
        null as fungibility,
        kalshi.splits[1] as split,
        'Listings of two events.' as note,
        candidates.pair_id,
        false as is_same_contract,
        false as is_clean,
    from {{ ref("candidate_pairs") }} as candidates
    inner join listings as kalshi on candidates.kalshi_market_id = kalshi.market_id
    inner join listings as polymarket on candidates.polymarket_market_id = polymarket.market_id
    where
        not list_has_any(kalshi.event_groups, polymarket.event_groups)
        -- All in one split. An equation of two columns would be joined by: every listing with half of all.
        and len(list_distinct(kalshi.splits || polymarket.splits)) = 1
)

select * from {{ ref("labels") }}
union all by name
select * from strangers
