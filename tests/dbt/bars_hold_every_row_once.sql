-- The bars of each duration count every trade, every ticker and every snapshot that was not late once, and their
-- volumes add up to the trades (but for the rounding of each bar's figure).
with landed as (
    select
        'trade' as kind,
        exchange,
        symbol,
        count(*) as row_count,
        fsum(size) as volume,
        fsum(dollar_volume) as dollar_volume,
    from {{ ref("trades") }}
    group by all
    union all by name
    select
        'order_book' as kind,
        exchange,
        symbol,
        count(*) as row_count,
    from {{ ref("order_book_features") }}
    where not is_late
    group by all
    union all by name
    select
        'ticker' as kind,
        exchange,
        symbol,
        count(*) as row_count,
    from {{ ref("tickers") }}
    group by all
),

in_bars as (
    select
        'trade' as kind,
        exchange,
        symbol,
        duration_seconds,
        sum(trade_count) as row_count,
        fsum(volume) as volume,
        fsum(dollar_volume) as dollar_volume,
    from {{ ref("trade_bars") }}
    group by all
    union all by name
    select
        'order_book' as kind,
        exchange,
        symbol,
        duration_seconds,
        sum(snapshot_count) as row_count,
    from {{ ref("order_book_bars") }}
    group by all
    union all by name
    select
        'ticker' as kind,
        exchange,
        symbol,
        duration_seconds,
        sum(ticker_count) as row_count,
    from {{ ref("ticker_bars") }}
    group by all
),

expected as (
    select
        landed.*,
        durations.duration_seconds,
    from landed
    cross join unnest([{{ bar_durations() | join(", ") }}]) as durations (duration_seconds)
)

select
    expected.*,
    in_bars.row_count as row_count_in_bars,
    in_bars.volume as volume_in_bars,
    in_bars.dollar_volume as dollar_volume_in_bars,
from expected
full join in_bars
    on expected.kind = in_bars.kind
        and expected.exchange = in_bars.exchange
        and expected.symbol = in_bars.symbol
        and expected.duration_seconds = in_bars.duration_seconds
where
    expected.row_count is distinct from in_bars.row_count
    or abs(expected.volume - in_bars.volume) > 1e-9 * expected.volume
    or abs(expected.dollar_volume - in_bars.dollar_volume) > 1e-9 * abs(expected.dollar_volume)
