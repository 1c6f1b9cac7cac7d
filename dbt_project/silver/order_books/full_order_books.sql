{{ config(materialized="view") }}

with levels as (
    {% for side in ["bid", "ask"] -%}
    {{ "union all" if not loop.first }}
    select
        product_id as symbol,
        stream,
        '{{ side }}' as side,
        unnest(range(1, len({{ side }}s) + 1)) as level,
        unnest({{ side }}s) as kept,
        latest_at as booked_at,
        is_valid,
    from {{ ref("order_book_checkpoints") }}
    {% endfor %}
)

select
    'coinbase' as exchange,
    symbol,
    stream,
    side,
    cast(level as integer) as level,
    kept.price_ticks / 1e8 as price,
    kept.size_lots / 1e8 as size,
    booked_at,
    is_valid,
from levels
