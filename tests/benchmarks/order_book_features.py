"""Structural order-book features, side by side: SQL over list columns, and the compiled kernel.

Run ``uv run python tests/benchmarks/order_book_features.py`` from the repository root; see the
README beside this file for what is measured and how.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from python_models.kernels.order_book_features import (
    features_schema,
    order_book_features_reader,
)

BOOKS_AT_A_TIME = 100_000
BOOKS = """
create table books as
select
    'simulated' as exchange,
    'BTC-USD' as symbol,
    'replayed' as source,
    'level2' as stream,
    book as book_number,
    timestamp '2026-01-01' + to_seconds(book) as booked_at,
    true as is_valid,
    false as is_snapshot,
    false as is_late,
    list_transform(range({depth}), lambda level: {{
        'price': (5000000 - 1 - level * 100 - hash(book, level, 0) % 100) / 100,
        'size': (1 + hash(book, level, 1) % 100000000) / 1e8
    }}) as bids,
    list_transform(range({depth}), lambda level: {{
        'price': (5000000 + 1 + level * 100 + hash(book, level, 2) % 100) / 100,
        'size': (1 + hash(book, level, 3) % 100000000) / 1e8
    }}) as asks,
    {depth}::integer as bid_level_count,
    {depth}::integer as ask_level_count
from range({books}) as numbers (book)
"""
DEPTHS = (1, 3, 5, 10, 20)
BANDS = ((0, 5), (5, 10), (10, 25), (25, 50), (50, 100))
SIDES = (("bid", "bids"), ("ask", "asks"))
MID = "(select *, (bids[1].price + asks[1].price) / 2 as mid from books)"


def depths_sql() -> str:
    """Depth and imbalance of 5 numbers of levels: 15 features."""
    sums = ", ".join(
        f"list_sum(list_transform({levels}[:{depth}], lambda level: level.size))"
        f" as {side}_depth_{depth}"
        for depth in DEPTHS
        for side, levels in SIDES
    )
    imbalances = ", ".join(
        f"(bid_depth_{depth} - ask_depth_{depth})"
        f" / nullif(bid_depth_{depth} + ask_depth_{depth}, 0) as imbalance_{depth}"
        for depth in DEPTHS
    )
    return f"select *, {imbalances} from (select book_number, {sums} from books)"


def bands_sql() -> str:
    """Volume in 5 distance bands of both sides: 10 features, decided in doubles."""
    sums = ", ".join(
        f"list_sum(list_transform(list_filter({levels}, lambda level:"
        f" abs(level.price - mid) / mid * 1e4 > {low} and"
        f" abs(level.price - mid) / mid * 1e4 <= {high}), lambda level: level.size))"
        f" as {side}_volume_band_{low}_{high}_bps"
        for low, high in BANDS
        for side, levels in SIDES
    )
    return f"select book_number, {sums} from {MID}"


def slopes_sql() -> str:
    """Slope of cumulative size on distance over 10 levels of both sides: 2 features."""
    points = ", ".join(
        f"list_transform({levels}[:10], lambda level: abs(level.price - mid) / mid * 1e4)"
        f" as {side}_x, list_transform(range(1, 11), lambda depth:"
        f" list_sum(list_transform({levels}[:depth], lambda level: level.size))) as {side}_y"
        for side, levels in SIDES
    )
    slopes = ", ".join(
        f"list_sum(list_transform(range(1, 11), lambda point:"
        f" ({side}_x[point] - list_avg({side}_x)) * {side}_y[point]))"
        f" / list_sum(list_transform({side}_x, lambda x: (x - list_avg({side}_x)) ** 2))"
        f" as {side}_slope"
        for side, _ in SIDES
    )
    return f"select book_number, {slopes} from (select book_number, {points} from {MID})"


def ginis_sql() -> str:
    """Gini coefficient of the sizes of both sides: 2 features."""
    sizes = ", ".join(
        f"list_sort(list_transform({levels}, lambda level: level.size)) as {side}_sizes"
        for side, levels in SIDES
    )
    ginis = ", ".join(
        f"list_sum(list_transform(range(1, len({side}_sizes) + 1), lambda rank:"
        f" (2 * rank - len({side}_sizes) - 1) * {side}_sizes[rank]))"
        f" / (len({side}_sizes) * list_sum({side}_sizes)) as {side}_gini"
        for side, _ in SIDES
    )
    return f"select book_number, {ginis} from (select book_number, {sizes} from books)"


SQL = {"depths": depths_sql, "bands": bands_sql, "slopes": slopes_sql, "ginis": ginis_sql}


def run_sql(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Write one family of features to a table."""
    connection.execute(f"create or replace table {name} as {SQL[name]()}")


def run_kernel(connection: duckdb.DuckDBPyConnection) -> None:
    """Write every feature to a table, as the dbt model does."""
    reader = order_book_features_reader(
        connection.sql("select * from books").to_arrow_reader(BOOKS_AT_A_TIME)
    )
    writer = connection.cursor()
    writer.register("features_reader", reader)
    writer.execute("create or replace table features as from features_reader")
    writer.unregister("features_reader")


def run_kernel_alone(connection: duckdb.DuckDBPyConnection) -> None:
    """Compute every feature and let it go."""
    books = connection.sql("select * from books").to_arrow_reader(BOOKS_AT_A_TIME)
    for _ in order_book_features_reader(books):
        pass


def check(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise where SQL and kernel differ by more than rounding, bands at their edges left out."""
    for name in SQL:
        described = connection.execute(f"describe {name}").fetchall()
        for column in (row[0] for row in described if row[0] != "book_number"):
            feature = column.replace("depth_20", "depth_all").replace("ance_20", "ance_all")
            [(differing,)] = connection.execute(
                f"select count(*) from {name} inner join features using (book_number)"
                f" where abs(coalesce({name}.{column}, 0) - coalesce(features.{feature}, 0)) > 1e-6"
            ).fetchall()
            if differing:
                raise AssertionError(f"{name}.{column} differs from the kernel in {differing} rows")


def main() -> None:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--books", type=int, default=200_000)
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    connection = duckdb.connect()
    connection.execute(f"set threads = {arguments.threads}")
    connection.execute(BOOKS.format(books=arguments.books, depth=arguments.depth))
    work: dict[str, Callable[[], None]] = {
        name: lambda name=name: run_sql(connection, name)  # type: ignore[misc]
        for name in SQL
    }
    work["kernel"] = lambda: run_kernel(connection)
    work["kernel_alone"] = lambda: run_kernel_alone(connection)
    run_kernel(connection)  # compiles
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(arguments.rounds):
        for name, job in work.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    check(connection)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    total = sum(medians[name] for name in SQL)
    columns = len(features_schema()) - 7
    print(f"{arguments.books} books of {arguments.depth} levels, {arguments.threads} threads")
    for name, seconds in [*medians.items(), ("sql_together", total)]:
        speed = arguments.books / seconds / 1e6
        print(f"{name:>12}: {speed:6.3f} million books/s, {seconds / medians['kernel']:5.2f} ×")
    print(f"{columns} features by the kernel, 29 by SQL; numpy {np.__version__}")


if __name__ == "__main__":
    main()
