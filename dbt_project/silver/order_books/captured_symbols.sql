{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["exchange", "symbol"],
    pre_hook="{{ keep_to_filters() }}",
) }}

with new_books as (
    select
        exchange,
        symbol,
        min(frame_number) as first_book_number,
        max(frame_number) as last_book_number,
    from {{ ref("ccxt_order_books") }}
    where frame_number > {{ highest_held("last_book_number") }} and {{ is_told_once() }}
    group by exchange, symbol
),

new_trades as (
    select
        exchange,
        symbol,
        max(trade_number) as last_trade_number,
    from {{ ref("trades") }}
    where trade_number > {{ highest_held("last_trade_number") }} and feed = 'ccxt'
    group by exchange, symbol
),

told as (
    select
        exchange,
        symbol,
        first_book_number,
        last_book_number,
        null as last_trade_number,
    from new_books
    union all
    select
        exchange,
        symbol,
        null as first_book_number,
        null as last_book_number,
        last_trade_number,
    from new_trades
    {%- if is_incremental() %}
    union all
    select * from {{ this }}
    {%- endif %}
),

symbols as (
    select
        exchange,
        symbol,
        min(first_book_number) as first_book_number,
        max(last_book_number) as last_book_number,
        max(last_trade_number) as last_trade_number,
    from told
    group by exchange, symbol
)

select * from symbols
