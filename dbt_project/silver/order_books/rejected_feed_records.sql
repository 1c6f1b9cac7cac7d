{{ config(materialized="view") }}

with rejected as (
    {% for table, symbol in [
        ("coinbase_level2_updates", "product_id"),
        ("coinbase_trades", "product_id"),
        ("coinbase_tickers", "product_id"),
        ("ccxt_order_books", "symbol"),
        ("ccxt_trades", "symbol"),
        ("ccxt_tickers", "symbol"),
    ] -%}
    {{ "union all" if not loop.first }}
    select
        '{{ table }}' as feed_table,
        {{ symbol }} as symbol,
        segment_number,
        line,
        frame_number,
        {{ "update_number" if "level2" in table else ("record_number" if "coinbase" in table else "0") }} as record_number,
        unnest(rejections) as rejection,
    from {{ ref(table) }}
    where len(rejections) > 0
    {% endfor %}
)

select
    concat_ws(':', rejected.feed_table, frame_number, record_number, rejection.field, rejection.reason) as rejection_id,
    rejected.feed_table,
    rejected.symbol,
    rejection.field as field,
    rejection.value as value,
    rejection.reason as reason,
    segments.name as source,
    rejected.line,
    frame_number,
    segments.run_id,
from rejected
inner join {{ ref("segments") }} as segments using (segment_number)
