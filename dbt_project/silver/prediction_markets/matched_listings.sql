{{ config(materialized="table") }}

-- What is compared: live listings that are for sale, and the labelled ones, each among those of its universe.
select
    texts.universe,
    texts.platform,
    texts.market_id,
from {{ ref("contract_texts") }} as texts
left join {{ ref("markets") }} as markets on texts.market_id = markets.market_id
where texts.universe != 'live' or markets.is_eligible or {{ var("matches_closed_listings") }}
