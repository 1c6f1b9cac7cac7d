{{ config(materialized="view") }}

with checkpoints as (
    select
        *,
        -- The replay stands at the last frame of a book: a gap may have been seen since.
        is_valid and not has_crossed and not exists (
            select 1
            from {{ ref("sequence_gaps") }} as gaps
            where
                gaps.ends_books
                and gaps.stream = checkpoints.stream
                and gaps.frame_number > checkpoints.replayed_to
        ) as is_known,
    from {{ ref("order_book_checkpoints") }} as checkpoints
),

levels as (
    {% for side in ["bid", "ask"] -%}
    {{ "union all" if not loop.first }}
    select
        product_id as symbol,
        stream,
        '{{ side }}' as side,
        unnest(range(1, len({{ side }}s) + 1)) as level,
        unnest({{ side }}s) as kept,
        latest_at as booked_at,
        is_known as is_valid,
    from checkpoints
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
