-- A group or an event in both splits would let the test set be learnt by heart; a trap that is the same
-- contract is none.
with pairs as (
    select
        labelled_pairs.*,
        kalshi.platform as kalshi_platform,
        polymarket.platform as polymarket_platform,
        [kalshi.event_id, polymarket.event_id] as event_ids,
    from {{ ref("labelled_pairs") }} as labelled_pairs
    inner join {{ ref("labelled_listings") }} as kalshi
        on labelled_pairs.kalshi_market_id = kalshi.market_id
    inner join {{ ref("labelled_listings") }} as polymarket
        on labelled_pairs.polymarket_market_id = polymarket.market_id
),

pair_events as (
    select
        event_group,
        split,
        unnest(event_ids) as event_id,
    from pairs
)

select
    'group in both splits' as problem,
    event_group as subject,
from pairs
group by event_group
having count(distinct split) > 1
union all
select
    'event in several groups',
    event_id,
from pair_events
group by event_id
having count(distinct event_group) > 1
union all
select
    'pair labelled twice',
    kalshi_market_id || ' ' || polymarket_market_id,
from pairs
group by kalshi_market_id, polymarket_market_id
having count(*) > 1
union all
select
    'sides of the wrong venues',
    pair_id,
from pairs
where kalshi_platform != 'kalshi' or polymarket_platform != 'polymarket'
union all
select
    'orientation and fungibility belong to equal pairs, and to all of them',
    pair_id,
from pairs
where
    (relation = 'equal') != (orientation is not null)
    or (relation = 'equal') != (fungibility is not null)
union all
select
    'trap that is the same contract',
    pair_id,
from pairs
where trap is not null and relation = 'equal' and fungibility = 'clean'
