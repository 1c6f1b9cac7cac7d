-- Every market record is in the history of quotes or was turned away, and not both.
with records as (
    select
        'kalshi' as platform,
        record_number
    from {{ ref("kalshi_markets") }} where not is_gone
    union all
    select
        'polymarket',
        record_number
    from {{ ref("polymarket_markets") }} where not is_gone
),

quoted as (
    select
        platform,
        record_number
    from {{ ref("market_quotes") }}
),

rejected as (
    select distinct
        platform,
        record_number
    from {{ ref("rejected_records") }} where entity = 'market'
)

select
    records.*,
    quoted.record_number is not null as is_quoted,
    rejected.record_number is not null as is_rejected,
from records
left join quoted on records.platform = quoted.platform and records.record_number = quoted.record_number
left join rejected on records.platform = rejected.platform and records.record_number = rejected.record_number
where (quoted.record_number is not null) = (rejected.record_number is not null)
