"""Ingest of NDJSON segments, side by side with DuckDB's bare ``read_ndjson`` of the same file.

Run ``uv run python tests/benchmarks/segments.py`` from the repository root; see the README beside
this file for what is measured and how.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import duckdb

from ingestion.order_books import ingest_order_books
from ingestion.settings import Disposal, Settings
from ingestion.simulator.order_books import BITCOIN, ETHER, LevelTwoStream, MarketSettings

MEGABYTE = 1_000_000
CONTENDERS = ("marketfinder", "read_ndjson_table", "read_ndjson_count")


def ingest(root: Path, work: Path) -> int:
    """The whole command: hash, parse, dlt, load, log."""
    settings = Settings(
        warehouse=work / "warehouse.duckdb", segments=root, loaded_segments=Disposal.KEEP
    )
    result = ingest_order_books(settings, run_id="benchmark")
    return sum(outcome.rows for outcome in result.outcomes)


def read_table(root: Path, work: Path) -> int:
    """Into a table of a database file."""
    with duckdb.connect(work / "bare.duckdb") as connection:
        connection.execute(f"create table frames as from {_read(root)}")
        return _count(connection, "frames")


def read_count(root: Path, work: Path) -> int:
    """Read and thrown away."""
    with duckdb.connect() as connection:
        return _count(connection, _read(root))


def _read(root: Path) -> str:
    return f"read_ndjson('{root}/raw/ready/coinbase/*', maximum_object_size = 67108864)"


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])


def turn(name: str, root: Path) -> dict[str, float]:
    """One contender once: seconds, and MB above what the imports hold."""
    run = dict(zip(CONTENDERS, (ingest, read_table, read_count), strict=True))[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as work:
        start, cpu = time.perf_counter(), time.process_time()
        rows = run(root, Path(work))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": rows,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "megabytes": (peak - before) * 1024 / MEGABYTE,
    }


def main() -> None:
    """Write the segments, run all contenders in turns, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[200, 800])
    parser.add_argument("--turn", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        print(json.dumps(turn(options.turn[0], Path(options.turn[1]))))
        return
    deep = (replace(BITCOIN, depth=20_000), replace(ETHER, depth=10_000))
    for size in options.megabytes:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            written = LevelTwoStream(MarketSettings(products=deep)).write(
                root,
                content_bytes=size * MEGABYTE,
                frames_per_segment=10**9,
                compression="none",
            )
            print(f"\n{size} MB, {written.frames:,} frames, {written.updates:,} updates")
            results: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
            for _ in range(options.rounds):
                for name in CONTENDERS:
                    command = [sys.executable, __file__, "--turn", name, str(root)]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    results[name].append(json.loads(done.stdout.splitlines()[-1]))
            assert len({found[0]["rows"] for found in results.values()}) == 1
            _show(results, size)


def _show(results: dict[str, list[dict[str, float]]], size: int) -> None:
    middle = {
        name: {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}
        for name, turns in results.items()
    }
    ours = middle["marketfinder"]["seconds"]
    for name, found in middle.items():
        print(
            f"{name:18} {found['seconds']:6.2f} s  ours takes {ours / found['seconds']:5.2f} x"
            f"  CPU {found['cpu_seconds']:6.2f} s  {size / found['seconds']:6.0f} MB/s"
            f"  peak {found['megabytes']:6.0f} MB"
        )


if __name__ == "__main__":
    main()
