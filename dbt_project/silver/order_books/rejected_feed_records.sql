{{ config(materialized="view") }}

with rejected as (
    {% for table, symbol, place in [
        ("coinbase_level2_updates", "product_id", "update_number"),
        ("coinbase_trades", "product_id", "record_number"),
        ("coinbase_tickers", "product_id", "record_number"),
        ("ccxt_order_books", "symbol", "0"),
        ("ccxt_trades", "symbol", "0"),
        ("ccxt_tickers", "symbol", "0"),
    ] -%}
    {{ "union all" if not loop.first }}
    select
        '{{ table }}' as feed_table,
        {{ symbol }} as symbol,
        segment_number,
        line,
        frame_number,
        {{ place }} as record_number,
        unnest(rejections) as rejection,
    from {{ ref(table) }}
    where len(rejections) > 0
    {% endfor %}
)

select
    concat_ws(
        ':', rejected.feed_table, rejected.frame_number, rejected.record_number, rejection.field, rejection.reason
    ) as rejection_id,
    rejected.feed_table,
    rejected.symbol,
    rejection.field as field,
    rejection.value as value,
    rejection.reason as reason,
    segments.name as source,
    rejected.line,
    rejected.frame_number,
    segments.run_id,
from rejected
inner join {{ ref("segments") }} as segments on rejected.segment_number = segments.segment_number
