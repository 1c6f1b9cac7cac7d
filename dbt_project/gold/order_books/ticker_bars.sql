{{ config(
    materialized="incremental",
    pre_hook=[
        "{{ keep_to_filters() }}",
        "{{ keep_to(['bar_durations_seconds', 'maximum_filled_days']) }}",
    ],
    incremental_strategy="delete+insert",
    unique_key=["exchange", "symbol", "duration_seconds", "started_at"],
) }}

with tickers as (
    {{ rows_to_slice(ref("tickers"), "ticked_at", [is_above_held("ticker_number", "last_ticker_number")]) }}
),

-- Ties in time as they landed.
ordered as (
    select
        *,
        row_number() over ticking as position,
        {{ squared_return("last_price", "lag(last_price ignore nulls) over ticking") }} as squared_return,
    from tickers
    window ticking as (partition by slice_at, exchange, symbol order by ticked_at, ticker_number)
),

slices as (
    select
        exchange,
        symbol,
        slice_at,
        arg_min(last_price, position) as open,
        max(last_price) as high,
        min(last_price) as low,
        arg_max(last_price, position) as close,
        arg_max(best_bid_price, position) as last_bid_price,
        arg_max(best_ask_price, position) as last_ask_price,
        min(spread_bps) as minimum_spread_bps,
        max(spread_bps) as maximum_spread_bps,
        sum({{ exact("spread_bps") }}) as spread_sum,
        count(spread_bps) as spread_count,
        sum(squared_return) as squared_returns,
        count(*) as ticker_count,
        max(ticker_number) as last_ticker_number,
    from ordered
    group by all
),

slices_of_bars as (
    {{ slices_of_bars("slices") }}
),

reopened as (
    select
        exchange,
        symbol,
        duration_seconds,
        started_at,
        arg_min(open, slice_at) as open,
        max(high) as high,
        min(low) as low,
        arg_max(close, slice_at) as close,
        arg_max(last_bid_price, slice_at) as last_bid_price,
        arg_max(last_ask_price, slice_at) as last_ask_price,
        {{ as_double("sum(spread_sum)") }} / nullif(sum(spread_count), 0) as mean_spread_bps,
        min(minimum_spread_bps) as minimum_spread_bps,
        max(maximum_spread_bps) as maximum_spread_bps,
        {{ realised_variance() }} as realised_variance,
        cast(sum(ticker_count) as bigint) as ticker_count,
        max(last_ticker_number) as last_ticker_number,
    from slices_of_bars
    group by all
    having {{ is_above_held("max(last_ticker_number)", "last_ticker_number") }}
),

empty as (
    {{ empty_bars("reopened", ["close", "last_bid_price", "last_ask_price"]) }}
),

filled as (
    select
        *,
        false as is_forward_filled,
    from reopened
    union all by name
    select
        *,
        close as open,
        close as high,
        close as low,
        0 as ticker_count,
        true as is_forward_filled,
    from empty
),

bars as (
    select
        {{ bar_id() }} as bar_id,
        exchange,
        symbol,
        duration_seconds,
        open,
        high,
        low,
        close,
        last_bid_price,
        last_ask_price,
        mean_spread_bps,
        minimum_spread_bps,
        maximum_spread_bps,
        realised_variance,
        {{ range_variances() }}
        ticker_count,
        last_ticker_number,
        is_forward_filled,
        started_at,
        started_at + to_seconds(duration_seconds) as ended_at,
    from filled
)

select * from bars
order by exchange, symbol, duration_seconds, started_at
