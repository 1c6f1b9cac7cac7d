{{ config(materialized="view") }}

with replayed as (
    select
        'replayed' as source,
        'coinbase' as exchange,
        product_id as symbol,
        stream,
        frame_number as book_number,
        booked_at,
        cast(null as timestamp) as captured_at,
        is_snapshot,
        case
            when not is_valid then 'sequence gap'
            when has_crossed then 'crossed'
            when len(bids) = 0 or len(asks) = 0 then 'one side is empty'
        end as invalid_reason,
        {{ in_decimals("bids") }} as bids,
        {{ in_decimals("asks") }} as asks,
        bid_level_count,
        ask_level_count,
    from {{ ref("replayed_order_books") }}
    -- Without a product it says how far the replay is; without a time it has no place in a day.
    where product_id is not null and booked_at is not null
),

present as (
    select * replace ({{ present_levels("bids") }} as bids, {{ present_levels("asks") }} as asks),
    from {{ ref("ccxt_order_books") }}
),

captured as (
    select
        'captured' as source,
        exchange,
        symbol,
        segments.stream,
        frame_number as book_number,
        coalesce(exchange_at, captured_at) as booked_at,
        captured_at,
        false as is_snapshot,
        case
            when len(rejections) > 0 then 'unreadable'
            when len(bids) = 0 or len(asks) = 0 then 'one side is empty'
            when bids[1].price >= asks[1].price then 'crossed'
            when {{ is_unsorted("bids", "<") }} or {{ is_unsorted("asks", ">") }} then 'not in order of price'
        end as invalid_reason,
        bids[:{{ var("order_book_depth") }}] as bids,
        asks[:{{ var("order_book_depth") }}] as asks,
        cast(len(bids) as integer) as bid_level_count,
        cast(len(asks) as integer) as ask_level_count,
    from present as books
    inner join {{ ref("segments") }} as segments
        on books.segment_number = segments.segment_number
    where {{ is_told_once() }}
),

books as (
    select * from replayed
    union all
    select * from captured
)

select
    exchange,
    symbol,
    source,
    stream,
    book_number,
    booked_at,
    captured_at,
    invalid_reason is null as is_valid,
    invalid_reason,
    is_snapshot,
    bids,
    asks,
    bid_level_count,
    ask_level_count,
from books
