{{ config(materialized="view") }}

with listings as (
    select terms.*
    from {{ ref("contract_terms") }} as terms
    left join {{ ref("markets") }} as markets on terms.market_id = markets.market_id
    where terms.universe = 'labelled' or markets.is_eligible
)

select * from listings
