"""Order-flow features, side by side: SQL range windows, Polars rolling, and the compiled kernel.

Run ``uv run python tests/benchmarks/order_flow_features.py`` from the repository root; see the
README beside this file for what is measured and how.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from python_models.kernels.order_flow_feature_table import FlowParameters
from python_models.kernels.order_flow_features import (
    BOOKS_SCHEMA,
    TRADES_SCHEMA,
    OrderFlow,
    order_flow_features_reader,
)

WINDOWS = (5, 15, 60, 300, 900)
ROWS_AT_A_TIME = 100_000
PARAMETERS = FlowParameters(bucket_volume=10)
# Mid walks by half ticks; times are unique, or a range frame would take in later rows.
BOOKS = """
create table books as
with steps as (
    select
        book,
        10 * book + hash(book, 0) % 9 as hundredth,
        5000000 + sum((hash(book, 1) % 5)::integer - 2) over (order by book) as middle,
        1 + hash(book, 2) % 2 as half_spread
    from range({books}) as numbers (book)
)

select
    'simulated' as exchange,
    'BTC-USD' as symbol,
    'replayed' as source,
    'level2' as stream,
    book as book_number,
    timestamp '2026-01-01' + to_microseconds((hundredth * {microseconds})::bigint) as booked_at,
    true as is_valid,
    false as is_snapshot,
    book as arrival,
    (middle - half_spread) / 100 as best_bid_price,
    (middle + half_spread) / 100 as best_ask_price,
    (1 + hash(book, 3) % 1000) / 1e3 as best_bid_size,
    (1 + hash(book, 4) % 1000) / 1e3 as best_ask_size,
    2 * half_spread / middle as relative_spread,
    (best_bid_size - best_ask_size) / (best_bid_size + best_ask_size) as imbalance_1,
    hash(book, 5) % 100 / 10 as bid_slope,
    hash(book, 6) % 100 / 10 as ask_slope,
    hash(book, 7) % 100 / 10 as cog_vs_mid,
    hash(book, 8) % 1000 / 1e2 as bid_volume_band_0_5_bps,
    hash(book, 9) % 1000 / 1e2 as ask_volume_band_0_5_bps,
    list_transform(range(10), lambda level: {{
        'price': (middle - half_spread - level) / 100,
        'size': (1 + hash(book, level, 3) % 1000) / 1e3
    }}) as bids,
    list_transform(range(10), lambda level: {{
        'price': (middle + half_spread + level) / 100,
        'size': (1 + hash(book, level, 4) % 1000) / 1e3
    }}) as asks
from steps
order by book
"""
TRADES = """
create table trades as
select
    exchange,
    symbol,
    book_number as trade_number,
    book_number as arrival,
    booked_at as told_at,
    booked_at as traded_at,
    best_ask_price as price,
    best_ask_size as size,
    hash(book_number, 10) % 2 = 0 as is_buy,
    false as is_backfill
from books
where book_number % 2 = 0
order by book_number
"""
# What SQL and Polars begin with is computed for them beforehand, by the kernel.
INPUT = """
create table flow as
select
    booked_at,
    relative_spread,
    features.log_return,
    features.order_flow_imbalance
from features inner join books using (book_number, booked_at)
order by book_number
"""


def sql() -> str:
    """Four features of five windows, and one Kyle's lambda."""
    windows = ", ".join(
        f"w{h} as (order by booked_at range between interval '{h * 1_000_000 - 1} microseconds'"
        " preceding and current row)"
        for h in WINDOWS
    )
    columns = ", ".join(
        f"sum(order_flow_imbalance) over w{h} as order_flow_imbalance_sum_{h},"
        f" avg(log_return) over w{h} as mean_return_{h},"
        f" stddev_samp(log_return) over w{h} as realised_volatility_{h},"
        f" avg(relative_spread) over w{h} as mean_spread_{h}"
        for h in WINDOWS
    )
    kyle = "regr_slope(log_return, order_flow_imbalance) over w300 as kyle_lambda_300"
    return f"select booked_at, {columns}, {kyle} from flow window {windows}"


def polars_features(flow: pl.DataFrame) -> pl.DataFrame:
    """The same, the slope from rolling covariance and variance."""
    columns = []
    by: Any
    for h in WINDOWS:
        by = {"by": "booked_at", "window_size": f"{h}s", "closed": "right"}
        columns += [
            pl.col("order_flow_imbalance")
            .rolling_sum_by(**by)
            .alias(f"order_flow_imbalance_sum_{h}"),
            pl.col("log_return").rolling_mean_by(**by).alias(f"mean_return_{h}"),
            pl.col("log_return").rolling_std_by(**by).alias(f"realised_volatility_{h}"),
            pl.col("relative_spread").rolling_mean_by(**by).alias(f"mean_spread_{h}"),
        ]
    by = {"by": "booked_at", "window_size": "300s", "closed": "right"}
    x, y = pl.col("order_flow_imbalance"), pl.col("log_return")
    mean_x, mean_y = x.rolling_mean_by(**by), y.rolling_mean_by(**by)
    covariance = (x * y).rolling_mean_by(**by) - mean_x * mean_y
    variance = (x * x).rolling_mean_by(**by) - mean_x * mean_x
    columns.append((covariance / variance).alias("kyle_lambda_300"))
    return flow.select("booked_at", *columns)


def run_kernel(connection: duckdb.DuckDBPyConnection) -> None:
    """Write every feature to a table, as a dbt model does."""
    flow = OrderFlow(None, PARAMETERS)
    books, trades = (
        connection.cursor().sql(f"from {name}").to_arrow_reader(ROWS_AT_A_TIME)
        for name in ("books", "trades")
    )
    writer = connection.cursor()
    writer.register("features_reader", order_flow_features_reader(flow, books, trades))
    writer.execute("create or replace table features as from features_reader")
    writer.unregister("features_reader")


def run_kernel_alone(books: pa.Table, trades: pa.Table) -> None:
    """Compute every feature from Arrow in memory and let it go."""
    flow = OrderFlow(None, PARAMETERS)
    for _ in flow.features(books.to_batches(max_chunksize=ROWS_AT_A_TIME), [trades]):
        pass


def check(connection: duckdb.DuckDBPyConnection, flow: pl.DataFrame) -> None:
    """Raise where the others differ from the kernel by more than rounding, few rows left out."""
    connection.register("polars_table", polars_features(flow).to_arrow())
    families = ("mean_return", "realised_volatility", "order_flow_imbalance_sum", "mean_spread")
    names = [f"{name}_{h}" for h in WINDOWS for name in families]
    for other in ("polars_table", "sql_table"):
        for name in [*names, "kyle_lambda_300"]:
            [(differing,)] = connection.execute(f"""
                select count(*) from {other} as other inner join features using (booked_at)
                where book_number > 1000
                    and abs(other.{name} - features.{name}) > 1e-6 * abs(features.{name}) + 1e-9
            """).fetchall()
            if differing:
                raise AssertionError(f"{other}.{name} differs from the kernel in {differing} rows")


def main() -> None:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--books", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=10, help="books a second")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    connection = duckdb.connect()
    connection.execute(f"set threads = {arguments.threads}")
    microseconds = 100_000 // arguments.rate
    connection.execute(BOOKS.format(books=arguments.books, microseconds=microseconds))
    connection.execute(TRADES)
    run_kernel(connection)  # compiles
    connection.execute(INPUT)
    flow = connection.execute("from flow").pl()
    books = connection.sql("from books").to_arrow_table().cast(BOOKS_SCHEMA)
    trades = connection.sql("from trades").to_arrow_table().cast(TRADES_SCHEMA)
    work: dict[str, Callable[[], object]] = {
        "sql": lambda: connection.execute(f"create or replace table sql_table as {sql()}"),
        "polars": lambda: polars_features(flow),
        "kernel": lambda: run_kernel(connection),
        "kernel_alone": lambda: run_kernel_alone(books, trades),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(arguments.rounds):
        for name, job in work.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    check(connection, flow)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"{arguments.books} books, {arguments.rate} a second, {arguments.threads} threads")
    for name, seconds in medians.items():
        speed = arguments.books / seconds / 1e6
        ratio = seconds / medians["kernel_alone"]
        print(f"{name:>12}: {speed:6.3f} million books/s, {ratio:6.2f} × kernel_alone")


if __name__ == "__main__":
    main()
