"""Trade bars of four durations, side by side: the model's SQL on DuckDB, and Polars.

Run ``uv run python tests/benchmarks/bars.py`` from the repository root; see the README beside this
file for what is measured and how.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

ROOT = Path(__file__).resolve().parents[2]
DURATIONS = (60, 300, 900, 3600)
CONTENDERS = ("marketfinder", "polars", "polars_told_sorted")
STREAMS = {"dense": (4, 100), "sparse": (100, 7)}  # symbols; trades a symbol and minute, about
KEY = ["exchange", "symbol", "duration_seconds", "started_at"]
Frame = pl.DataFrame


def simulate(path: Path, trades: int, symbols: int, rate: int) -> None:
    """Writes trades as they land: by time but for one in a hundred that is up to a minute late."""
    step = 60_000_000 // (symbols * rate)  # microseconds between trades
    duckdb.execute(f"""
        copy (
            select
                'venue' as exchange, symbol, row_number() over (order by landing) as trade_number,
                cast(i as varchar) as trade_id, traded_at, price, size, is_buy,
                price * size as dollar_volume
            from (
                select
                    i, 'COIN' || hash(i) % {symbols} as symbol,
                    make_timestamp(1772323200000000 + i // 3 * 3 * {step}) as traded_at,
                    i + if(hash(i + 1) % 100 = 0, 60000000 // {step}, 0) as landing,
                    round(100 + sin(i / 1e5) + (hash(i + 2) % 100) / 1e3, 2) as price,
                    (hash(i + 3) % 100000 + 1) / 1e5 as size,
                    hash(i + 4) % 2 = 0 as is_buy
                from range({trades}) as numbers (i)
            )
            order by trade_number
        ) to '{path}'
    """)


def model_sql(folder: Path) -> str:
    """The model as dbt compiles it for a full refresh, reading a table `trades`."""
    arguments = ["compile", "--target", "lint", "--quiet", "--select", "trade_bars"]
    subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments, "--target-path", str(folder)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "DBT_LOG_PATH": str(folder)},
    )
    path = "compiled/marketfinder/dbt_project/gold/order_books/trade_bars.sql"
    return (folder / path).read_text().replace('"memory"."silver"."trades"', "trades")


def duckdb_bars(sql: str, path: Path, threads: int) -> Frame:
    """The model's SQL on a Parquet file."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute(f"create view trades as from read_parquet('{path}')")
    return pl.DataFrame(pl.from_arrow(connection.sql(sql).to_arrow_table()))


def log_ratio(price: str, other: str) -> pl.Expr:
    """The logarithm of the ratio of two columns."""
    return (pl.col(price) / pl.col(other)).log()


def polars_bars(path: Path, *, told_sorted: bool) -> Frame:
    """The same columns with `group_by_dynamic`, a duration at a time. `told_sorted`: the file has
    the right order already, and Polars is told so instead of sorting."""
    trades = pl.read_parquet(path).with_columns(
        number=pl.col("trade_id").cast(pl.UInt64, strict=False)
    )
    trades = trades.drop("trade_id")
    order = ["exchange", "symbol", "traded_at", "number", "trade_number"]
    trades = trades if told_sorted else trades.sort(order, nulls_last=True)
    side, size, price = pl.col("is_buy"), pl.col("size"), pl.col("price")
    tables = []
    for seconds in DURATIONS:
        full = (
            trades.group_by_dynamic(
                "traded_at", every=f"{seconds}s", group_by=["exchange", "symbol"]
            )
            .agg(
                open=price.first(),
                high=price.max(),
                low=price.min(),
                close=price.last(),
                volume=size.sum(),
                dollar_volume=pl.col("dollar_volume").sum(),
                buy_volume=size.filter(side).sum(),
                sell_volume=size.filter(~side).sum(),
                realised_variance=price.log().diff().pow(2).sum(),
                trade_count=pl.len().cast(pl.Int64),
                last_trade_number=pl.col("trade_number").max(),
            )
            .rename({"traded_at": "started_at"})
        )
        grid = (
            full.group_by("exchange", "symbol")
            .agg(
                pl.datetime_range(
                    pl.col("started_at").min(), pl.col("started_at").max(), f"{seconds}s"
                ).alias("started_at")
            )
            .explode("started_at")
        )
        filled = grid.join(full, on=["exchange", "symbol", "started_at"], how="left").sort(
            "exchange", "symbol", "started_at"
        )
        is_empty = pl.col("trade_count").is_null()
        close = pl.col("close").forward_fill().over("exchange", "symbol")
        counted = ["volume", "dollar_volume", "buy_volume", "sell_volume", "trade_count"]
        tables.append(
            filled.with_columns(
                pl.lit(seconds).cast(pl.Int32).alias("duration_seconds"),
                is_empty.alias("is_forward_filled"),
                pl.when(pl.col("trade_count") > 1).then("realised_variance"),
                *(pl.col(name).fill_null(close) for name in ("open", "high", "low", "close")),
                *(pl.col(name).fill_null(0) for name in counted),
            ).with_columns(
                (pl.col("started_at") + pl.duration(seconds=seconds)).alias("ended_at"),
                pl.when(pl.col("volume") > 0)
                .then(pl.col("dollar_volume") / pl.col("volume"))
                .alias("vwap"),
                pl.when(pl.col("volume") > 0)
                .then(pl.col("buy_volume") / (pl.col("buy_volume") + pl.col("sell_volume")))
                .alias("buy_ratio"),
                (log_ratio("high", "low") ** 2 / 2.772588722239781).alias("parkinson_variance"),
                (
                    log_ratio("high", "low") ** 2 / 2
                    - 0.3862943611198906 * log_ratio("close", "open") ** 2
                ).alias("garman_klass_variance"),
                (
                    log_ratio("high", "close") * log_ratio("high", "open")
                    + log_ratio("low", "close") * log_ratio("low", "open")
                ).alias("rogers_satchell_variance"),
                pl.concat_str(
                    "exchange", "symbol", "duration_seconds",
                    pl.col("started_at").dt.epoch("s"), separator=":",
                ).alias("bar_id"),
            )
        )  # fmt: skip
    return pl.concat(tables)


def peak_kilobytes() -> int:
    """The most memory that this process has held (Linux; getrusage counts the parent's too)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def turn(contender: str, path: Path, sql: str, answer: Path) -> dict[str, float]:
    """One run in this process: seconds, CPU seconds, peak memory above what stood before in MB."""
    before = peak_kilobytes()
    start, start_cpu = time.perf_counter(), time.process_time()
    if contender == "marketfinder":
        table = duckdb_bars(sql, path, pl.thread_pool_size())
    else:
        table = polars_bars(path, told_sorted=contender == "polars_told_sorted")
    elapsed, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak = peak_kilobytes() - before
    table.select(sorted(table.columns)).sort(KEY).write_parquet(answer)
    return {"seconds": elapsed, "cpu": cpu, "megabytes": peak / 1024, "bars": table.height}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trades", type=int, default=10_000_000)
    parser.add_argument("--only", choices=STREAMS, nargs="+", default=list(STREAMS))
    parser.add_argument("--turn", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        contender, *paths = options.turn
        trades, sql, answer = (Path(path) for path in paths)
        print(json.dumps(turn(contender, trades, sql.read_text(), answer)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sql = folder / "model.sql"
        sql.write_text(model_sql(folder))
        for stream in options.only:
            symbols, rate = STREAMS[stream]
            landed, ordered = folder / "landed.parquet", folder / "ordered.parquet"
            simulate(landed, options.trades, symbols, rate)
            pl.read_parquet(landed).with_columns(n=pl.col("trade_id").cast(pl.UInt64)).sort(
                "exchange", "symbol", "traded_at", "n"
            ).drop("n").write_parquet(ordered)
            turns: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
            for _ in range(options.rounds):
                for contender in CONTENDERS:
                    source = ordered if contender == "polars_told_sorted" else landed
                    answer = folder / f"{contender}.parquet"
                    arguments = [contender, str(source), str(sql), str(answer)]
                    output = subprocess.run(
                        [sys.executable, __file__, "--turn", *arguments],
                        check=True, capture_output=True, text=True,
                    ).stdout  # fmt: skip
                    turns[contender].append(json.loads(output))
            report(stream, turns, folder)


def report(stream: str, turns: dict[str, list[dict[str, Any]]], folder: Path) -> None:
    """Prints medians, and fails where the tables differ by more than rounding."""
    median = {
        contender: {field: statistics.median(turn[field] for turn in found) for field in found[0]}
        for contender, found in turns.items()
    }
    ours = median["marketfinder"]
    expected = pl.read_parquet(folder / "marketfinder.parquet")
    for contender, found in median.items():
        print(
            f"{stream:8}{contender:20}"
            f"{found['seconds']:8.2f} s{found['seconds'] / ours['seconds']:7.2f} x"
            f"{found['cpu']:8.2f} CPU s{found['cpu'] / ours['cpu']:7.2f} x"
            f"{found['megabytes']:8.0f} MB{found['bars']:12,.0f} bars"
        )
        actual = pl.read_parquet(folder / f"{contender}.parquet")
        assert_frame_equal(
            actual.drop("last_trade_number"), expected.drop("last_trade_number"),
            check_exact=False, rel_tol=1e-9, abs_tol=1e-15,
        )  # fmt: skip


if __name__ == "__main__":
    main()
