{{ config(
    materialized="incremental",
    incremental_strategy="append",
    pre_hook="{{ keep_to_filters() }}",
) }}

with arrived as (
    select
        'coinbase' as feed,
        'coinbase' as exchange,
        product_id as symbol,
        frame_number,
        record_number,
        ticked_at,
        last_price,
        best_bid_price,
        best_ask_price,
        best_bid_size,
        best_ask_size,
        volume_24h,
    from {{ ref("coinbase_tickers") }}
    where
        frame_number not in (select frame_number from {{ ref("sequence_gaps") }} where kind = 'duplicate')
        -- Whether a frame is a duplicate is known only as far as the frames are sequenced.
        and frame_number <= (select max(frame_number) from {{ ref("sequenced_frames") }})
        and {{ is_new_frame("coinbase") }}
        and len(rejections) = 0
    union all
    select
        'ccxt' as feed,
        exchange,
        symbol,
        frame_number,
        0 as record_number,
        coalesce(exchange_at, captured_at) as ticked_at,
        last_price,
        best_bid_price,
        best_ask_price,
        best_bid_size,
        best_ask_size,
        volume_24h,
    from {{ ref("ccxt_tickers") }}
    where {{ is_new_frame("ccxt") }} and len(rejections) = 0
),

numbered as (
    select
        *,
        row_number() over (order by frame_number, record_number)
        + {{ highest_held("ticker_number") }} as ticker_number,
        best_bid_price < best_ask_price as is_quoted,
    from arrived
)

select
    exchange,
    symbol,
    ticker_number,
    ticked_at,
    last_price,
    best_bid_price,
    best_ask_price,
    best_bid_size,
    best_ask_size,
    volume_24h,
    case when is_quoted then (best_bid_price + best_ask_price) / 2 end as mid_price,
    case when is_quoted then best_ask_price - best_bid_price end as spread,
    spread / mid_price as relative_spread,
    relative_spread * 1e4 as spread_bps,
    feed,
    frame_number,
from numbered
