"""A day of a busy symbol from silver.order_books to gold, and what later runs add to one.

Run ``uv run python tests/benchmarks/order_flow_pipeline.py`` from the repository root; see the
README beside this file for what is measured and how.
"""

import argparse
import os
import pickle
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from order_book_builds import WAREHOUSE, CompiledModel, CompiledModels, build_model

from ingestion.order_books import ingest_order_books
from ingestion.runs import SimulatedClock
from ingestion.settings import Disposal, Settings
from ingestion.simulator.order_books import BITCOIN, BookFaults, LevelTwoStream, MarketSettings
from python_models.kernels.order_book_features import order_book_features

START = datetime(2026, 10, 1, tzinfo=UTC)
# About 7 books and 6 trades a second of one product.
MARKET = MarketSettings(
    start=START, products=(replace(BITCOIN, depth=400),), steps_per_second=7, trade_share=420
)
TABLES = ("silver.order_book_features", "silver.order_flow_rows")
# How much of the day is there before the run that is measured.
HELD = {"day": 0, "hour": 23, "hours": 1}
LATER = """
create temp table later_{name} as
from silver.{name} where frame_number > (
    select quantile_disc(frame_number, {hours} / 24) from silver.replayed_order_books
);
delete from silver.{name} where frame_number in (select frame_number from later_{name});
"""
# A frame tells of one symbol more for each copy.
COPIES = """
create or replace table silver.{name} as
select told.* replace ({symbol} || '-' || number as {symbol})
from silver.{name} as told, range({symbols}) as copies (number)
order by frame_number, number
"""


def prepare(root: Path, frames: int) -> None:
    """Simulate the day, load it and build every model."""
    os.environ.setdefault("DBT_TARGET_PATH", str(root / "target"))
    LevelTwoStream(MARKET, BookFaults()).write(root, frames=frames, frames_per_segment=100_000)
    warehouse = root / "prepared" / WAREHOUSE
    settings = Settings(warehouse=warehouse, segments=root, loaded_segments=Disposal.KEEP)
    ingest_order_books(settings, run_id="run", clock=SimulatedClock(START))
    (root / "compiled").mkdir()
    models = CompiledModels(root / "compiled", "+gold_order_book_features")
    models.build(warehouse)
    timed = [model for model in models.models if model.relation in TABLES]
    (root / "models").write_bytes(pickle.dumps(timed))


def measure(root: Path, what: str, threads: int, symbols: int) -> None:
    """Build the features of the day, or of some of its hours, and print seconds and memory."""
    models: list[CompiledModel] = pickle.loads((root / "models").read_bytes())
    warehouse = root / what / WAREHOUSE
    warehouse.parent.mkdir(exist_ok=True)
    shutil.copy(root / "prepared" / WAREHOUSE, warehouse)
    connection = connected(warehouse, threads)
    # Nothing is new, and one book: neither imports nor what numba loads are what is measured.
    for model in models:
        build_model(connection, model)
    one = connection.sql(
        "select *, false as is_late from silver.order_books limit 1"
    ).to_arrow_table()
    list(order_book_features([one]))
    for model in models:
        connection.execute(f"drop table {model.relation}")
    if symbols > 1:
        for name, symbol in (("trades", "symbol"), ("replayed_order_books", "product_id")):
            connection.execute(COPIES.format(name=name, symbol=symbol, symbols=symbols))
    if HELD[what]:
        for name in ("trades", "replayed_order_books"):
            connection.execute(LATER.format(name=name, hours=HELD[what]))
        for model in models:
            build_model(connection, model)
        for name in ("replayed_order_books", "trades"):
            connection.execute(f"insert into silver.{name} from later_{name}")
        # A later run is another process, which finds the tables on disk.
        connection.close()
        connection = connected(warehouse, threads)
    connection.execute("checkpoint")
    held = rows_of(connection) if HELD[what] else 0
    taken = []
    for model in models:
        start, cpu = time.perf_counter(), time.process_time()
        build_model(connection, model)
        taken += [time.perf_counter() - start, time.process_time() - cpu]
    start, cpu = time.perf_counter(), time.process_time()
    connection.execute(
        "select max(columns(* exclude (exchange, symbol, source, stream)))"
        " from gold.order_book_features"
    ).fetchall()
    taken += [time.perf_counter() - start, time.process_time() - cpu]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # What DuckDB alone takes to write these rows.
    start, cpu = time.perf_counter(), time.process_time()
    for name in TABLES:
        connection.execute(f"create or replace table silver.copied as from {name}")
    taken += [time.perf_counter() - start, time.process_time() - cpu]
    rows = rows_of(connection) - held
    connection.close()
    print(rows, memory, *taken)
    shutil.rmtree(warehouse.parent)


def connected(warehouse: Path, threads: int) -> duckdb.DuckDBPyConnection:
    """A connection as dbt's are."""
    connection = duckdb.connect(warehouse)
    connection.execute(f"set TimeZone = 'UTC'; set threads = {threads}")
    return connection


def rows_of(connection: duckdb.DuckDBPyConnection) -> int:
    """How many books have order flow."""
    [(rows,)] = connection.execute(
        "select count(*) from silver.order_flow_rows where run_number = 0"
    ).fetchall()
    return int(rows)


def main() -> None:
    """Measure in turns, each in a process of its own, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=1_250_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--symbols", type=int, default=1, help="so many times the same one")
    parser.add_argument("--root", type=Path, help="keep what is simulated here")
    parser.add_argument("--only", help="day, hour or hours, as a process of its own")
    arguments = parser.parse_args()
    if arguments.only:
        measure(arguments.root, arguments.only, arguments.threads, arguments.symbols)
        return
    with tempfile.TemporaryDirectory() as directory:
        root = arguments.root or Path(directory)
        if not (root / "models").exists():
            prepare(root, arguments.frames)
        found: dict[str, list[list[float]]] = {what: [] for what in HELD}
        for _ in range(arguments.rounds):
            for what, results in found.items():
                command = [sys.executable, __file__, "--root", str(root), "--only", what]
                command += ["--threads", str(arguments.threads)]
                command += ["--symbols", str(arguments.symbols)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                results.append([float(value) for value in done.stdout.split()])
    day = 0.0
    for what, results in found.items():
        rows, memory, *taken = map(statistics.median, zip(*results, strict=True))
        wall, cpu = taken[0] + taken[2], taken[1] + taken[3]
        day = day or cpu
        print(
            f"{what:>5}: {rows:.0f} books, {memory:.2f} GB;"
            f" structural {taken[0]:.2f} s ({taken[1]:.2f} s of CPU),"
            f" order flow {taken[2]:.2f} s ({taken[3]:.2f} s of CPU):"
            f" {rows / wall:.0f} books/s, {rows / cpu:.0f} a second of CPU,"
            f" 1/{day / cpu:.1f} of the day's CPU;"
            f" all of gold read in {taken[4]:.2f} s ({taken[5]:.2f} s of CPU);"
            f" both tables, whole, copied in {taken[6]:.2f} s ({taken[7]:.2f} s of CPU)"
        )


if __name__ == "__main__":
    main()
