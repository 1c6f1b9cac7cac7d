-- Every market record is in the history of quotes or was turned away, and not both. Only the newest
-- 400 loads, a day of runs: a test of all would grow with history.
with records as (
    select
        'kalshi' as platform,
        record_number
    from {{ ref("kalshi_markets") }} where not is_gone and load_id in {{ newest_loads() }}
    union all
    select
        'polymarket',
        record_number
    from {{ ref("polymarket_markets") }} where not is_gone and load_id in {{ newest_loads() }}
),

quoted as (
    select
        quotes.platform,
        quotes.record_number
    from {{ ref("market_quotes") }} as quotes
    inner join records on quotes.platform = records.platform and quotes.record_number = records.record_number
),

rejected as (
    select distinct
        platform,
        record_number
    from {{ ref("rejected_records") }} where entity = 'market' and load_id in {{ newest_loads() }}
)

select
    records.*,
    quoted.record_number is not null as is_quoted,
    rejected.record_number is not null as is_rejected,
from records
left join quoted on records.platform = quoted.platform and records.record_number = quoted.record_number
left join rejected on records.platform = rejected.platform and records.record_number = rejected.record_number
where (quoted.record_number is not null) = (rejected.record_number is not null)
