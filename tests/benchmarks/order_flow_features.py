"""Order-flow features, side by side: SQL range windows, Polars rolling, and the compiled kernel.

Run ``uv run python tests/benchmarks/order_flow_features.py`` from the repository root; see the
README beside this file for what is measured and how.
"""

import argparse
import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from python_models.kernels.order_flow_feature_table import FlowParameters, flow_features
from python_models.kernels.order_flow_features import (
    BOOKS_SCHEMA,
    TRADES_SCHEMA,
    OrderFlow,
    order_flow_features_reader,
)

WINDOWS = (5, 15, 60, 300, 900)
ROWS_AT_A_TIME = 100_000
PYTHON_ROWS = 3_000
BUCKET = 10.0
PARAMETERS = FlowParameters(bucket_volume=BUCKET)
Values = dict[str, Any]
PlainRow = tuple[Values, list[tuple[float, float, bool]]]  # a book, and what was traded before it
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
    false as is_late,
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
    imbalance_1,
    bid_slope,
    ask_slope,
    cog_vs_mid,
    bid_volume_band_0_5_bps + ask_volume_band_0_5_bps as near,
    best_bid_size + best_ask_size as best_size,
    features.log_return,
    features.order_flow_imbalance,
    multi_level_order_flow_imbalance as multi_level,
    features.log_return * features.log_return as square,
    abs(features.log_return) * abs(lag(features.log_return) over (order by book_number)) as bipower,
    buy_volume as buys,
    sell_volume as sells,
    buy_volume + sell_volume as volume,
    buy_volume - sell_volume as signed,
    mid_velocity as mid_change
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


def polars_all_windows(flow: pl.DataFrame) -> pl.DataFrame:
    """Every window of the kernel that ``rolling_*_by`` has a function for: 67 features."""
    columns = []
    sums = ["order_flow_imbalance", "multi_level", "square", "bipower", "buys", "sells", "volume"]
    by: Any
    for h in WINDOWS:
        by = {"by": "booked_at", "window_size": f"{h}s", "closed": "right"}
        columns += [pl.col(name).rolling_sum_by(**by).alias(f"{name}_{h}") for name in sums]
        columns.append(pl.col("log_return").rolling_std_by(**by).alias(f"deviation_{h}"))
        columns += [
            pl.col(name).rolling_mean_by(**by).alias(f"mean_{name}_{h}")
            for name in ("log_return", "relative_spread", "imbalance_1")
        ]
    by = {"by": "booked_at", "window_size": "60s", "closed": "right"}
    columns.append(pl.col("best_size").rolling_mean_by(**by).alias("best_size"))
    for name in ("bid_slope", "ask_slope", "cog_vs_mid"):
        columns.append(pl.col(name).rolling_mean_by(**by).alias(f"{name}_mean"))
        columns.append(pl.col(name).rolling_std_by(**by).alias(f"{name}_std"))
    by = {"by": "booked_at", "window_size": "300s", "closed": "right"}
    columns.append(pl.col("near").rolling_std_by(**by).alias("near_sigma"))
    for x_name, y_name in (("order_flow_imbalance", "log_return"), ("signed", "mid_change")):
        x, y = pl.col(x_name), pl.col(y_name)
        mean_x, mean_y = x.rolling_mean_by(**by), y.rolling_mean_by(**by)
        xy = (x * y).rolling_mean_by(**by) - mean_x * mean_y
        xx = (x * x).rolling_mean_by(**by) - mean_x * mean_x
        yy = (y * y).rolling_mean_by(**by) - mean_y * mean_y
        columns += [(xy / xx).alias(f"slope_{x_name}"), (xy * xy / xx / yy).alias(f"r2_{x_name}")]
    return flow.select("booked_at", *columns)


class RowByRow:
    """Every feature of the kernel, a row at a time in plain Python: deques that are gone through.

    Each row is put into the window's deque, what is too old is popped, and each feature is computed
    from what is there, so that sums do not drift. No NumPy, no state that outlives the process.
    """

    def __init__(self) -> None:
        self.windows = {h: deque[Values]() for h in WINDOWS}
        self.previous: Values | None = None
        self.has_traded, self.buckets = False, 0
        self.bucket, self.close = {True: 0.0, False: 0.0}, math.nan
        self.aggressor, self.bulk = deque[float](maxlen=50), deque[float](maxlen=50)
        self.changes = deque[float](maxlen=20)

    def update(self, row: Values, trades: list[tuple[float, float, bool]]) -> Values:
        """Return the features of one row; a feature that is null is left out."""
        for trade in trades:
            self.has_traded = True
            self.fill_buckets(*trade)
        out: Values = {"is_reset": True}
        if self.previous is not None:
            out = self.compare(row, trades)
        for h, window in self.windows.items():
            window.append(row)
            while window[0]["time"] <= row["time"] - h * 1_000_000:
                window.popleft()
            out |= self.rolling(h, [*window])
        short, long = [*self.windows[60]], [*self.windows[300]]
        for name in ("bid_slope", "ask_slope", "cog_momentum"):
            values = [one[name] for one in short]
            out[f"{name}_mean_60"], out[f"{name}_std_60"] = mean(values), deviation(values)
        out["near_depth_sigma_300"] = deviation([one["near"] for one in long])
        if "flow" in row:
            depth = mean([one["best"] for one in short]) / 2
            out["normalised_order_flow_imbalance"] = row["flow"] / depth
        spread = row["spread"]
        below = sum(one["spread"] < spread for one in long)
        equal = sum(one["spread"] == spread for one in long)
        out["spread_percentile_300"] = share = (below + equal / 2) / len(long)
        out["spread_regime"] = "tight" if share <= 0.2 else "wide" if share >= 0.8 else "normal"
        row["regime"] = out["spread_regime"]
        times = {"tight": 0, "normal": 0, "wide": 0}
        for one in long:
            if "before" in one:
                regime, begin = one["before"]
                times[regime] += one["time"] - max(begin, row["time"] - 300_000_000)
        if sum(times.values()):
            for regime in ("tight", "wide"):
                out[f"{regime}_fraction_300"] = times[regime] / sum(times.values())
        pairs = (("kyle_lambda", "flow", "return"), ("kyle_lambda_trades", "signed", "change"))
        for name, cause, outcome in pairs:
            points = [(one[cause], one[outcome]) for one in long if cause in one]
            if len(points) >= 10:
                out[f"{name}_300"], out[f"{name}_r2_300"] = line(points)
        if len(self.aggressor) == 50:
            out |= {"vpin_aggressor": mean([*self.aggressor]), "vpin_bulk": mean([*self.bulk])}
        if self.has_traded:
            out["vpin_bucket"] = self.buckets
            out["bucket_fill"] = sum(self.bucket.values()) / BUCKET
        self.previous = row
        return out

    def compare(self, row: Values, trades: list[tuple[float, float, bool]]) -> Values:
        """What compares a row with the one before."""
        old = self.previous
        assert old is not None
        seconds, change = (row["time"] - old["time"]) / 1e6, row["mid"] - old["mid"]
        out: Values = {"is_reset": False, "is_stale": seconds > 300}
        row["return"] = out["log_return"] = math.log(row["mid"] / old["mid"])
        row["velocity"] = out["mid_velocity"] = change / seconds
        if "velocity" in old:
            mean_seconds = (seconds + old["seconds"]) / 2
            out["mid_acceleration"] = (row["velocity"] - old["velocity"]) / mean_seconds
        weighted = 0.0
        for level in range(10):
            flow = 0.0
            for side, up in (("bids", 1), ("asks", -1)):
                (price, size), (old_price, old_size) = row[side][level], old[side][level]
                if price == old_price:
                    flow += up * (size - old_size)
                else:
                    flow += up * (size if up * price > up * old_price else -old_size)
            out[f"order_flow_imbalance_level_{level}"] = flow
            weighted += math.exp(-0.5 * level) * flow
        row["flow"] = out["order_flow_imbalance"] = out["order_flow_imbalance_level_0"]
        row["levels_flow"] = out["multi_level_order_flow_imbalance"] = weighted
        row["buys"] = out["buy_volume"] = sum(size for _, size, is_buy in trades if is_buy)
        row["sells"] = out["sell_volume"] = sum(size for _, size, is_buy in trades if not is_buy)
        out["trade_count"] = len(trades)
        if trades:
            out["trade_flow_imbalance"] = imbalance(row["buys"], row["sells"])
        row["signed"] = row["buys"] - row["sells"]
        row["seconds"], row["change"] = seconds, change
        row["before"] = old["regime"], old["time"]
        return out

    def rolling(self, h: int, window: list[Values]) -> Values:
        """The features of one window."""
        linked = [one for one in window if "return" in one]
        out: Values = {
            "mean_spread": mean([one["spread"] for one in window]),
            "mean_imbalance_1": mean([one["imbalance"] for one in window]),
        }
        if linked:
            returns = [one["return"] for one in linked]
            buys, sells = (sum(one[name] for one in linked) for name in ("buys", "sells"))
            out |= {
                "order_flow_imbalance_sum": sum(one["flow"] for one in linked),
                "multi_level_order_flow_imbalance_sum": sum(one["levels_flow"] for one in linked),
                "mean_return": mean(returns),
                "realised_volatility": deviation(returns),
                "realised_variance": sum(value * value for value in returns),
                "trade_flow_imbalance": imbalance(buys, sells),
                "trade_volume": buys + sells,
            }
            if len(returns) > 1:
                products = sum(abs(old) * abs(new) for old, new in pairwise(returns))
                out["bipower_variation"] = math.pi / 2 * products
        return {f"{name}_{h}": value for name, value in out.items()}

    def fill_buckets(self, price: float, size: float, is_buy: bool) -> None:
        """Fill the open bucket with a trade, and those that it overflows into."""
        while size >= (missing := BUCKET - sum(self.bucket.values())) - 1e-9:
            self.bucket[is_buy] += missing
            size -= missing
            self.aggressor.append(abs(self.bucket[True] - self.bucket[False]) / BUCKET)
            if not math.isnan(self.close):
                self.changes.append(price - self.close)
            bulk = math.nan
            if len(self.changes) == 20 and (sigma := deviation([*self.changes])):
                bulk = math.erf(abs(price - self.close) / sigma / math.sqrt(2))
            self.bulk.append(bulk)
            self.close, self.buckets = price, self.buckets + 1
            self.bucket = {True: 0.0, False: 0.0}
        self.bucket[is_buy] += max(size, 0.0)


class RunningSums:
    """The same windows a row at a time in plain Python: running sums over deques, lists per row.

    Without the bits of the kernel (sums are subtracted from), spread percentile, buckets and state.
    """

    def __init__(self) -> None:
        self.windows = [(h * 1_000_000, deque[Any](), [0.0] * 20) for h in (*WINDOWS, 60, 300)]
        self.previous: Any = None

    def update(self, time: int, bids: Any, asks: Any, shape: Any, trades: Any) -> list[float]:
        """Return the features of one row."""
        bid, ask = bids[0], asks[0]
        mid = (bid[0] + ask[0]) / 2
        spread, sizes = (ask[0] - bid[0]) / mid, bid[1] + ask[1]
        out, flows, ret = [], [], 0.0
        buys = sum(size for size, is_buy in trades if is_buy)
        sells = sum(size for size, is_buy in trades if not is_buy)
        if self.previous is not None:
            old_time, old_bids, old_asks, old_mid, old_ret = self.previous
            ret = math.log(mid / old_mid)
            out.append((mid - old_mid) / max(time - old_time, 1))
            for level in range(10):
                flow = 0.0
                for new, old, sign in (
                    (bids[level], old_bids[level], 1),
                    (asks[level], old_asks[level], -1),
                ):
                    if new[0] == old[0]:
                        flow += sign * (new[1] - old[1])
                    elif sign * new[0] > sign * old[0]:
                        flow += sign * new[1]
                    else:
                        flow -= sign * old[1]
                flows.append(flow)
            change = mid - old_mid
        else:
            flows, change, old_ret = [0.0] * 10, 0.0, 0.0
        weighted = sum(math.exp(-0.5 * level) * flow for level, flow in enumerate(flows))
        x, signed = flows[0], buys - sells
        values: tuple[Any, ...]
        values = (
            x,
            weighted,
            ret,
            ret * ret,
            abs(ret * old_ret),
            spread,
            (bid[1] - ask[1]) / sizes,
        )
        values += (buys, sells, buys + sells, sizes, *shape, x * x, x * ret, signed * signed)
        values += (signed * change,)
        out += [ret, weighted, *flows, buys, sells, len(trades)]
        for length, rows, sums in self.windows:
            rows.append((time, values))
            for place, value in enumerate(values):
                sums[place] += value
            while rows[0][0] <= time - length:
                for place, value in enumerate(rows.popleft()[1]):
                    sums[place] -= value
            count = len(rows)
            mean, variance = sums[2] / count, sums[3] - sums[2] * sums[2] / count
            out += [
                sums[0],
                sums[1],
                mean,
                math.sqrt(max(variance, 0) / max(count - 1, 1)),
                sums[3],
            ]
            traded = sums[7] + sums[8]
            out += [math.pi / 2 * sums[4], sums[5] / count, sums[6] / count, sums[9]]
            out.append((sums[7] - sums[8]) / traded if traded else math.nan)
        self.previous = time, bids, asks, mid, ret
        return out


def mean(values: list[float]) -> float:
    """Mean of some values."""
    return sum(values) / len(values)


def deviation(values: list[float]) -> float:
    """Sample standard deviation; NaN under 2 values."""
    if len(values) < 2:
        return math.nan
    center = mean(values)
    return math.sqrt(sum((value - center) ** 2 for value in values) / (len(values) - 1))


def imbalance(buys: float, sells: float) -> float:
    """Their difference over their sum; NaN where nothing was traded."""
    return (buys - sells) / (buys + sells) if buys + sells else math.nan


def line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Slope and R² of the least-squares line; NaN where one of them is not known."""
    x_mean, y_mean = mean([x for x, _ in points]), mean([y for _, y in points])
    xx = sum((x - x_mean) ** 2 for x, _ in points)
    yy = sum((y - y_mean) ** 2 for _, y in points)
    xy = sum((x - x_mean) * (y - y_mean) for x, y in points)
    return (xy / xx if xx else math.nan), (xy * xy / xx / yy if xx and yy else math.nan)


def python_rows(books: pa.Table, trades: pa.Table) -> list[PlainRow]:
    """Rows as plain Python has them, each with its trades, made before the clock starts."""
    arrived = {trade["arrival"]: trade for trade in trades.to_pylist()}
    times = books["booked_at"].cast(pa.int64()).to_pylist()
    rows: list[PlainRow] = []
    for book, time_us in zip(books.to_pylist(), times, strict=True):
        (bid, ask), (bid_size, ask_size) = (
            (book[f"best_bid_{what}"], book[f"best_ask_{what}"]) for what in ("price", "size")
        )
        near = [book[f"{side}_volume_band_0_5_bps"] for side in ("bid", "ask")]
        row = {
            "time": time_us,
            "mid": (bid + ask) / 2,
            "spread": book["relative_spread"],
            "imbalance": book["imbalance_1"],
            "best": bid_size + ask_size,
            "bid_slope": book["bid_slope"],
            "ask_slope": book["ask_slope"],
            "cog_momentum": book["cog_vs_mid"],
            "near": sum(near),
        }
        for side, best in (("bids", (bid, bid_size)), ("asks", (ask, ask_size))):
            row[side] = [best, *((level["price"], level["size"]) for level in book[side][1:])]
        trade = arrived.get(book["arrival"] - 1)
        rows.append((row, [(trade["price"], trade["size"], trade["is_buy"])] if trade else []))
    return rows


def run_row_by_row(rows: list[PlainRow]) -> list[Values]:
    """Compute the features of the first rows; their windows are still filling."""
    processor = RowByRow()
    return [processor.update({**row}, trades) for row, trades in rows]


def run_running_sums(rows: list[PlainRow]) -> None:
    """Compute the windows of the first rows and let them go."""
    processor = RunningSums()
    for row, trades in rows:
        shape = (row["bid_slope"], row["ask_slope"], row["cog_momentum"], row["near"])
        traded = [(size, is_buy) for _, size, is_buy in trades]
        processor.update(row["time"], row["bids"], row["asks"], shape, traded)


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


def check_row_by_row(connection: duckdb.DuckDBPyConnection, found: list[Values]) -> None:
    """Raise where the row by row processor differs from the kernel by more than rounding."""
    features = connection.sql("from features order by book_number").to_arrow_table()
    names = [feature.name for feature in flow_features(PARAMETERS)]
    for place, expected in enumerate(features.select(names).slice(0, len(found)).to_pylist()):
        for name, value in expected.items():
            other = found[place].get(name)
            other = None if isinstance(other, float) and math.isnan(other) else other
            if value is None or other is None or isinstance(value, str):
                is_same = value == other
            else:
                is_same = math.isclose(value, other, rel_tol=1e-6, abs_tol=1e-8)
            if not is_same:
                raise AssertionError(f"{name} of row {place} is {other}, the kernel's {value}")


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
    flow = connection.sql("from flow").pl()
    books = connection.sql("from books").to_arrow_table().cast(BOOKS_SCHEMA)
    trades = connection.sql("from trades").to_arrow_table().cast(TRADES_SCHEMA)
    plain_rows = python_rows(books.slice(0, PYTHON_ROWS), trades)
    # Once: it takes longer than all the others together.
    start, cpu = time.perf_counter(), time.process_time()
    found = run_row_by_row(plain_rows)
    scale = arguments.books / PYTHON_ROWS
    times = {"python": [(time.perf_counter() - start) * scale]}
    cpu_times = {"python": [(time.process_time() - cpu) * scale]}
    check_row_by_row(connection, found)
    work: dict[str, Callable[[], object]] = {
        "sql": lambda: connection.execute(f"create or replace table sql_table as {sql()}"),
        "polars": lambda: polars_features(flow),
        "polars_all": lambda: polars_all_windows(flow),
        "python_sums": lambda: run_running_sums(plain_rows),
        "kernel": lambda: run_kernel(connection),
        "kernel_alone": lambda: run_kernel_alone(books, trades),
    }
    times |= {name: [] for name in work}
    cpu_times |= {name: [] for name in work}
    for _ in range(arguments.rounds):
        for name, job in work.items():
            start, cpu = time.perf_counter(), time.process_time()
            job()
            rows = PYTHON_ROWS if name == "python_sums" else arguments.books
            times[name].append((time.perf_counter() - start) * arguments.books / rows)
            cpu_times[name].append((time.process_time() - cpu) * arguments.books / rows)
    check(connection, flow)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"{arguments.books} books, {arguments.rate} a second, {arguments.threads} threads")
    for name, seconds in medians.items():
        speed = arguments.books / seconds / 1e6
        ratio = seconds / medians["kernel_alone"]
        cpu = arguments.books / statistics.median(cpu_times[name]) / 1e6
        print(
            f"{name:>12}: {speed:9.5f} million books/s, {ratio:7.2f} × kernel_alone;"
            f" {cpu:9.5f} million a second of CPU"
        )


if __name__ == "__main__":
    main()
