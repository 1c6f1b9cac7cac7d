"""Hive-partitioned Parquet: what is written, what is left alone, what a kill leaves."""

import ctypes
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from ingestion import partition_files
from ingestion.compaction import compact, repartition
from ingestion.errors import ParquetError
from ingestion.parquet_commands import app
from ingestion.partition_files import KEYS, WORK, exchange, parquet_files, put, workspace
from ingestion.partitions import TABLES, ExportResult, export_table
from ingestion.warehouse import open_warehouse

TRADES = TABLES["silver.trades"]
BOOKS = TABLES["silver.order_books"]
BARS = TABLES["gold.trade_bars"]
Connection = duckdb.DuckDBPyConnection
Rows = list[tuple[Any, ...]]

TRADE_COLUMNS = (
    "exchange varchar, symbol varchar, trade_number bigint, traded_at timestamp,"
    " price decimal(18, 8), side varchar"
)


def make_trades(connection: Connection) -> None:
    connection.execute("create schema if not exists silver; create schema if not exists gold")
    connection.execute(f"create or replace table silver.trades ({TRADE_COLUMNS})")


def add_trades(connection: Connection, symbol: str | None, day: str, numbers: range) -> None:
    """A trade a second for each number."""
    connection.execute(
        """
        insert into silver.trades
        select 'binance', $symbol, number, $day::timestamp + to_seconds(number),
            100 + number / 100, if(number % 2 = 0, 'buy', 'sell')
        from unnest($numbers::bigint[]) as numbers (number)
        order by hash(number)
        """,
        {"symbol": symbol, "day": day, "numbers": list(numbers)},
    )


@pytest.fixture
def connection() -> Iterator[Connection]:
    with duckdb.connect() as opened:
        make_trades(opened)
        yield opened


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process has written outlives it without; only a machine that stops needs it."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "parquet"


def read(dataset: Path, columns: str = "*", *, typed: bool = False) -> Rows:
    """The rows of a dataset, as a user reads them."""
    types = ", hive_types = {'symbol': varchar}" if typed else ""
    with duckdb.connect() as reader:
        return reader.execute(
            f"select {columns} from read_parquet(?, hive_partitioning = true{types}) order by all",
            [f"{dataset}/**/*.parquet"],
        ).fetchall()


def table_rows(connection: Connection, columns: str, table: str = "silver.trades") -> Rows:
    return connection.execute(f"select {columns} from {table} order by all").fetchall()


TRADE = "exchange, symbol, trade_number, traded_at, price, side"


def facts(dataset: Path) -> dict[str, tuple[int, int, int]]:
    """What would show that a file was touched: inode, size, time of modification."""
    return {
        str(file.relative_to(dataset)): (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        for file in dataset.rglob("*.parquet")
        for stat in [file.stat()]
    }


def day_directory(dataset: Path, day: int, symbol: str = "BTC-USD") -> Path:
    return dataset / f"exchange=binance/symbol={symbol}/year=2026/month=03/day={day:02d}"


# --- export ---------------------------------------------------------------------------------------


def test_the_layout_and_the_files(connection: Connection, target: Path) -> None:
    add_trades(connection, "BTC/USDT", "2026-03-09", range(1_000))
    add_trades(connection, "BTC/USDT", "2026-12-31 23:59:59", range(2))
    result = export_table(connection, TRADES, target)
    assert result == ExportResult("silver.trades", rows=1_002, written=3)
    dataset = target / "silver.trades"
    at = "exchange=binance/symbol=BTC%2FUSDT/"
    assert set(parquet_files(dataset)) == {
        at + "year=2026/month=03/day=09",
        at + "year=2026/month=12/day=31",
        at + "year=2027/month=01/day=01",
    }
    assert [path.name for path in target.iterdir()] == ["silver.trades"]
    file = pq.ParquetFile(parquet_files(dataset)[at + "year=2026/month=03/day=09"][0])
    assert file.schema_arrow.names == ["trade_number", "traded_at", "price", "side"]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    numbers = file.read(["trade_number"]).column(0).to_pylist()
    assert numbers == sorted(numbers)
    assert read(dataset, TRADE) == table_rows(connection, TRADE)
    assert set(read(dataset, "year::int, month::int, day::int")) == {
        (2026, 3, 9), (2026, 12, 31), (2027, 1, 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    "symbol",
    [
        "BTC/USDT", "..", ".", "../../escaped", "\\", "'\"", "", None, "ÜñⓂ-😀", "a b+c%2F=",
        "NULL",
        "null", "__HIVE_DEFAULT_PARTITION__", "2024", "2024-01-01", "1.5", " 5", "-1", "infinity",
        "*[x]?", "n\0z", "line\nbreak", "exchange=other", "1INCH-USD", "~", "epoch",
    ],
)  # fmt: skip
def test_a_symbol_is_only_text(connection: Connection, target: Path, symbol: str | None) -> None:
    add_trades(connection, symbol, "2026-03-09", range(3))
    for _ in range(2):
        export_table(connection, TRADES, target)
        assert read(target / "silver.trades", TRADE) == table_rows(connection, TRADE)
    assert [path.name for path in target.parent.iterdir()] == ["parquet"]
    [directory] = parquet_files(target / "silver.trades")
    assert len(Path(directory).parts) == 5


def test_odd_symbols_beside_each_other(connection: Connection, target: Path) -> None:
    symbols = ["", None, "NULL", "..", "a/b", "a%2Fb", "2024", "btc", "BTC", "'"]
    for symbol in symbols:
        add_trades(connection, symbol, "2026-03-09", range(2))
    assert export_table(connection, TRADES, target).written == len(symbols)
    assert read(target / "silver.trades", TRADE) == table_rows(connection, TRADE)
    assert repartition(target / "silver.trades", ["symbol", "year"]).partitions == len(symbols)
    assert read(target / "silver.trades", TRADE) == table_rows(connection, TRADE)


def test_a_target_with_odd_characters(connection: Connection, tmp_path: Path) -> None:
    target = tmp_path / "a[1] *'x"
    add_trades(connection, "BTC-USD", "2026-03-09", range(2))
    export_table(connection, TRADES, target)
    assert export_table(connection, TRADES, target).unchanged == 1
    repartition(target / "silver.trades", ["exchange"])
    [file] = (target / "silver.trades").rglob("*.parquet")
    assert pq.read_metadata(file).num_rows == 2


def test_nothing_is_rewritten_when_nothing_has_changed(
    connection: Connection, target: Path
) -> None:
    for day in ("2026-03-08", "2026-03-09"):
        add_trades(connection, "BTC-USD", day, range(10))
    export_table(connection, TRADES, target)
    before = facts(target)
    # The same rows in another order are the same rows.
    connection.execute(
        "create or replace table silver.trades as from silver.trades order by trade_number desc"
    )
    assert export_table(connection, TRADES, target) == ExportResult(
        "silver.trades", rows=20, unchanged=2
    )
    assert facts(target) == before


def test_a_late_row_rewrites_its_own_day_only(connection: Connection, target: Path) -> None:
    for day in ("2026-03-08", "2026-03-09", "2026-03-10"):
        add_trades(connection, "BTC-USD", day, range(10))
    export_table(connection, TRADES, target)
    before = facts(target)
    add_trades(connection, "BTC-USD", "2026-03-09", range(99, 100))
    assert export_table(connection, TRADES, target).written == 1
    after = facts(target)
    assert [name for name in before if before[name] != after[name]] == [
        name for name in before if "day=09" in name
    ]
    assert before.keys() == after.keys()
    assert read(target / "silver.trades", TRADE) == table_rows(connection, TRADE)


@pytest.mark.parametrize(
    "change",
    [
        "update silver.trades set side = null where trade_number = 3",
        "update silver.trades set side = '' where trade_number = 3",
        "update silver.trades set price = price + 0.00000001 where trade_number = 3",
        "insert into silver.trades from silver.trades where trade_number = 3",
        "delete from silver.trades where trade_number = 3",
        "alter table silver.trades add column note varchar",
        "alter table silver.trades rename column side to taker_side",
        "alter table silver.trades alter price type decimal(20, 8)",
    ],
)
def test_any_change_is_seen(connection: Connection, target: Path, change: str) -> None:
    add_trades(connection, "BTC-USD", "2026-03-09", range(10))
    export_table(connection, TRADES, target)
    connection.execute(change)
    assert export_table(connection, TRADES, target).written == 1
    assert export_table(connection, TRADES, target).unchanged == 1


def make_books(connection: Connection, bids: str, asks: str) -> None:
    connection.execute(
        f"""
        create or replace table silver.order_books as
        select 'kraken' as exchange, 'BTC-USD' as symbol, 1 as book_number,
            timestamp '2026-03-09 12:00:00' as booked_at,
            {bids}::struct(price decimal(18, 2), size double)[] as bids,
            {asks}::struct(price decimal(18, 2), size double)[] as asks
        """
    )


LEVELS = [
    ("[{price: 1, size: 2}, {price: 3, size: 4}]", "[]"),
    ("[{price: 1, size: 2}]", "[{price: 3, size: 4}]"),
    ("[]", "[{price: 1, size: 2}, {price: 3, size: 4}]"),
    ("[]", "[]"),
    ("null", "[]"),
    ("[null]", "[]"),
    ("[{price: 1, size: null}]", "[]"),
    ("[{price: null, size: 1}]", "[]"),
    ("[{price: 3, size: 4}, {price: 1, size: 2}]", "[]"),
]


def test_levels_that_move_between_sides_are_a_change(connection: Connection, target: Path) -> None:
    for bids, asks in LEVELS:
        make_books(connection, bids, asks)
        assert export_table(connection, BOOKS, target).written == 1
        assert export_table(connection, BOOKS, target).unchanged == 1
        columns = "booked_at, bids, asks"
        expected = table_rows(connection, columns, "silver.order_books")
        assert read(target / "silver.order_books", columns) == expected


def test_deeper_nesting_is_told_apart(connection: Connection, target: Path) -> None:
    values = ["[[1], [2]]", "[[1, 2]]", "[[1, 2], []]", "[[1, 2], null]", "[]", "null"]
    for value in values:
        connection.execute(
            f"""
            create or replace table gold.trade_bars as
            select 'x' as exchange, 'y' as symbol, 60 as duration_seconds,
                timestamp '2026-03-09' as started_at, {value}::int[][] as nested,
                {{sides: {value}::int[][]}} as sides, map {{'k': {value}::int[][]}} as named
            """
        )
        assert export_table(connection, BARS, target).written == 1
        assert export_table(connection, BARS, target).unchanged == 1


def test_types_that_parquet_does_not_have(connection: Connection, target: Path) -> None:
    connection.execute(
        """
        create type side as enum ('buy', 'sell');
        create table gold.trade_bars as
        select 'x' as exchange, 'y' as symbol, 60 as duration_seconds,
            timestamp_ns '2026-03-09 12:00:00.123456789' as started_at, 'sell'::side as side,
            1000000000000000000000000000001::hugeint as volume, [1::hugeint, null] as volumes,
            timestamp_s '2026-03-09 12:00:00' as ended_at, '{"a": 1}'::json as details
        """
    )
    export_table(connection, BARS, target)
    assert export_table(connection, BARS, target).unchanged == 1
    columns = "started_at::varchar, side, volume, volumes, ended_at"
    assert read(target / "gold.trade_bars", columns) == [
        ("2026-03-09 12:00:00.123456789", "sell", 10**30 + 1, [1, None],
         datetime(2026, 3, 9, 12)),
    ]  # fmt: skip
    connection.execute("alter table gold.trade_bars add column wait interval")
    connection.execute("update gold.trade_bars set wait = interval 1 microsecond")
    with pytest.raises(ParquetError, match="INTERVAL"):
        export_table(connection, BARS, target)
    assert len(read(target / "gold.trade_bars")) == 1


def test_a_day_is_a_utc_day_wherever_the_command_runs(connection: Connection, target: Path) -> None:
    for zone in ("America/New_York", "Pacific/Auckland", "UTC"):
        connection.execute(f"set TimeZone = '{zone}'")
        make_trades(connection)
        # Clocks change on 8 March 2026 in New York, on 5 April 2026 in Auckland.
        for day in ("2026-03-08", "2026-04-05"):
            add_trades(connection, "BTC-USD", f"{day} 00:00:00", range(1))
            add_trades(connection, "BTC-USD", f"{day} 23:59:59.999999", range(1))
        export_table(connection, TRADES, target)
        dates = read(
            target / "silver.trades", "format('{}-{}-{}', year, month, day), count(*) over()"
        )
        assert sorted(dates) == [("2026-03-08", 4)] * 2 + [("2026-04-05", 4)] * 2


def test_a_partition_that_is_gone_is_removed(connection: Connection, target: Path) -> None:
    add_trades(connection, "BTC-USD", "2026-03-09", range(2))
    add_trades(connection, "ETH-USD", "2026-03-09", range(2))
    export_table(connection, TRADES, target)
    connection.execute("delete from silver.trades where symbol = 'ETH-USD'")
    assert export_table(connection, TRADES, target).removed == 1
    assert not (target / "silver.trades/exchange=binance/symbol=ETH-USD").exists()
    assert read(target / "silver.trades", TRADE) == table_rows(connection, TRADE)
    connection.execute("delete from silver.trades")
    assert export_table(connection, TRADES, target).removed == 1
    assert list((target / "silver.trades").iterdir()) == []


def test_empty_tables(connection: Connection, target: Path) -> None:
    assert export_table(connection, TRADES, target) == ExportResult("silver.trades")
    assert export_table(connection, TRADES, target, since=date(2026, 3, 9)).rows == 0


def test_since_leaves_the_days_before_alone(connection: Connection, target: Path) -> None:
    for day in ("2026-03-08", "2026-03-09", "2026-03-10"):
        add_trades(connection, "BTC-USD", day, range(2))
    export_table(connection, TRADES, target)
    connection.execute("delete from silver.trades where traded_at < '2026-03-10'")
    add_trades(connection, "BTC-USD", "2026-03-10", range(5, 6))
    result = export_table(connection, TRADES, target, since=date(2026, 3, 9))
    assert result == ExportResult("silver.trades", rows=3, written=1, removed=1)
    days = {day for (day,) in read(target / "silver.trades", "day::int")}
    assert days == {8, 10}


def test_files_that_others_changed_are_put_right(connection: Connection, target: Path) -> None:
    for day in range(1, 5):
        add_trades(connection, "BTC-USD", f"2026-03-0{day}", range(10))
    export_table(connection, TRADES, target)
    dataset = target / "silver.trades"
    files = [next(day_directory(dataset, day).iterdir()) for day in range(1, 5)]
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:100])
    shutil.copy(files[2], files[2].with_name("appended.parquet"))
    files[2].with_name("notes.txt").write_text("kept")
    assert export_table(connection, TRADES, target).written == 3
    assert read(dataset, TRADE) == table_rows(connection, TRADE)
    assert files[2].with_name("notes.txt").read_text() == "kept"
    assert len(list(files[2].parent.glob("*.parquet"))) == 1


def test_a_view_is_read_as_it_is(connection: Connection, target: Path) -> None:
    add_trades(connection, "BTC-USD", "2026-03-09", range(3))
    connection.execute(
        """
        create view silver.tickers as
        select exchange, symbol, trade_number as ticker_number, traded_at as ticked_at, price
        from silver.trades
        """
    )
    assert export_table(connection, TABLES["silver.tickers"], target).written == 1


def test_row_groups_follow_each_other_in_time(connection: Connection, target: Path) -> None:
    connection.execute(
        """
        insert into silver.trades
        select 'binance', 'BTC-USD', number, timestamp '2026-03-09' + to_milliseconds(number * 250),
            1, 'buy'
        from range(300_000) as numbers (number)
        order by hash(number)
        """
    )
    export_table(connection, TRADES, target)
    file = pq.ParquetFile(next(day_directory(target / "silver.trades", 9).iterdir()))
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    ranges = [(time.min, time.max) for group in groups for time in [group.column(1).statistics]]
    assert len(ranges) == 3
    assert [edge for edges in ranges for edge in edges] == sorted(sum(ranges, ()))


# --- errors ---------------------------------------------------------------------------------------


def test_what_cannot_be_exported(connection: Connection, target: Path) -> None:
    with pytest.raises(ParquetError, match=r"silver\.tickers is not in the warehouse.*dbt build"):
        export_table(connection, TABLES["silver.tickers"], target)
    connection.execute("create table silver.tickers (exchange varchar, symbol varchar)")
    with pytest.raises(ParquetError, match="no column ticked_at, ticker_number"):
        export_table(connection, TABLES["silver.tickers"], target)
    connection.execute("alter table silver.trades add column day int")
    with pytest.raises(ParquetError, match="a column day"):
        export_table(connection, TRADES, target)
    connection.execute("alter table silver.trades drop column day")
    add_trades(connection, "BTC-USD", "2026-03-09", range(3))
    connection.execute("update silver.trades set traded_at = null where trade_number = 1")
    connection.execute("update silver.trades set traded_at = 'infinity' where trade_number = 2")
    with pytest.raises(ParquetError, match="2 rows have no traded_at"):
        export_table(connection, TRADES, target)
    connection.execute("delete from silver.trades")
    connection.execute("alter table silver.trades alter traded_at type timestamptz")
    with pytest.raises(ParquetError, match="not a TIMESTAMP in UTC"):
        export_table(connection, TRADES, target)
    assert not (target / "silver.trades").exists()


def test_a_target_that_cannot_be_written(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    add_trades(connection, "BTC-USD", "2026-03-09", range(1))
    with pytest.raises(ParquetError, match=r"file.* cannot be written"):
        export_table(connection, TRADES, tmp_path / "file" / "parquet")
    connection.execute("update silver.trades set symbol = repeat('long', 100)")
    with pytest.raises(ParquetError, match="File name too long"):
        export_table(connection, TRADES, tmp_path / "parquet")


def test_files_in_another_layout_are_not_written_beside(
    connection: Connection, target: Path
) -> None:
    add_trades(connection, "BTC-USD", "2026-03-09", range(1))
    export_table(connection, TRADES, target)
    dataset = target / "silver.trades"
    for keys in (["exchange", "symbol", "year", "month"], ["symbol", *KEYS[2:]]):
        repartition(dataset, keys)
        before = facts(dataset)
        with pytest.raises(ParquetError, match="not laid out as an export is"):
            export_table(connection, TRADES, target)
        assert facts(dataset) == before
    repartition(dataset, KEYS)
    assert export_table(connection, TRADES, target).unchanged == 1


def test_two_commands_at_once(connection: Connection, target: Path) -> None:
    with (
        workspace(target / "silver.trades"),
        pytest.raises(ParquetError, match="Another command"),
    ):
        export_table(connection, TRADES, target)
    export_table(connection, TRADES, target)


def test_a_file_system_that_cannot_exchange(
    connection: Connection, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scatter(connection, target)
    before = facts(target)
    monkeypatch.setattr(ctypes, "CDLL", lambda *args, **options: object())
    with pytest.raises(ParquetError, match="cannot exchange two directories"):
        compact(target / "silver.trades")
    assert facts(target) == before


# --- compact --------------------------------------------------------------------------------------


def scatter(connection: Connection, target: Path, days: int = 2, files: int = 3) -> Path:
    """A dataset that others have written: unsorted small files, not from exports."""
    dataset = target / "silver.trades"
    for day in range(1, days + 1):
        add_trades(connection, "BTC-USD", f"2026-03-{day:02d}", range(10 * files))
        directory = day_directory(dataset, day)
        directory.mkdir(parents=True)
        for number in range(files):
            connection.execute(
                f"""
                copy (
                    select * exclude (exchange, symbol) from silver.trades
                    where day(traded_at) = {day} and trade_number % {files} = {number}
                ) to '{directory}/part-{number}.parquet'
                """
            )
    return dataset


def test_small_files_become_one_sorted_file(connection: Connection, target: Path) -> None:
    dataset = scatter(connection, target)
    result = compact(dataset)
    assert (result.partitions, result.files, result.rows) == (2, 6, 60)
    assert read(dataset, TRADE) == table_rows(connection, TRADE)
    for files in parquet_files(dataset).values():
        [file] = files
        numbers = pq.read_table(file, partitioning=None).column("trade_number").to_pylist()
        assert numbers == sorted(numbers)
    before = facts(dataset)
    assert compact(dataset).unchanged == 2
    assert facts(dataset) == before
    # The merged file says what it holds, so an export of the same rows has nothing to do.
    assert export_table(connection, TRADES, target).unchanged == 2


def test_all_datasets_below_a_directory(connection: Connection, target: Path) -> None:
    dataset = scatter(connection, target)
    make_books(connection, *LEVELS[0])
    export_table(connection, BOOKS, target)
    [file] = (target / "silver.order_books").rglob("*.parquet")
    shutil.copy(file, file.with_name("more.parquet"))
    assert compact(target).partitions == 3
    assert read(dataset, TRADE) == table_rows(connection, TRADE)
    assert read(target / "silver.order_books", "count(*)") == [(2,)]


def test_a_dataset_behind_a_link(connection: Connection, target: Path) -> None:
    dataset = scatter(connection, target)
    link = target.parent / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(dataset)
    assert compact(link).partitions == 2
    assert repartition(link, ["exchange"]).rows == 60
    assert link.is_symlink()
    assert read(dataset, TRADE) == table_rows(connection, TRADE)


def test_large_files_stay_as_they_are(connection: Connection, target: Path) -> None:
    dataset = scatter(connection, target, days=1)
    directory = day_directory(dataset, 1)
    connection.execute(
        f"""
        copy (
            select 1000 + range as trade_number, timestamp '2026-03-01' as traded_at,
                random()::decimal(18, 8) as price, md5(range::varchar) as side
            from range(5000)
        ) to '{directory}/large.parquet'
        """
    )
    before = facts(dataset)
    expected = read(dataset, TRADE)
    assert compact(dataset, smaller_than=50_000).files == 3
    name = f"{directory.relative_to(dataset)}/large.parquet"
    assert facts(dataset)[name] == before[name]
    assert len(facts(dataset)) == 2
    assert read(dataset, TRADE) == expected


def test_files_with_other_columns_are_merged_by_name(connection: Connection, target: Path) -> None:
    dataset = scatter(connection, target, days=1)
    connection.execute(
        f"""
        copy (select timestamp '2026-03-01' as traded_at, 99::int as trade_number, 'x' as note)
        to '{day_directory(dataset, 1)}/newer.parquet'
        """
    )
    compact(dataset)
    rows = read(dataset, "trade_number, price, note")
    assert len(rows) == 31
    assert rows[-1] == (99, None, "x")


def test_a_corrupted_file_is_named_and_nothing_is_changed(
    connection: Connection, target: Path
) -> None:
    dataset = scatter(connection, target, days=1)
    file = day_directory(dataset, 1) / "part-1.parquet"
    content = file.read_bytes()
    for broken in (content[:50], b"", content[:4] + b"\0" * 150 + content[154:]):
        file.write_bytes(broken)
        before = facts(dataset)
        with pytest.raises(ParquetError, match=r"part-1\.parquet.*(Restore|move)"):
            compact(dataset)
        with pytest.raises(ParquetError, match=r"part-1\.parquet.*(Restore|move)"):
            repartition(dataset, ["exchange"])
        assert facts(dataset) == before


def test_what_to_sort_by(connection: Connection, target: Path) -> None:
    directory = target / "other/exchange=x/day=01"
    directory.mkdir(parents=True)
    for number in (2, 1):
        connection.execute(f"copy (select {number} as at) to '{directory}/{number}.parquet'")
    with pytest.raises(ParquetError, match=r"no known time column.*--order-by"):
        compact(target / "other")
    with pytest.raises(ParquetError, match="no column nothing"):
        compact(target / "other", order_by=["nothing"])
    compact(target / "other", order_by=["at"])
    assert len(facts(target)) == 1
    (target / "empty").mkdir()
    with pytest.raises(ParquetError, match="no Parquet file"):
        compact(target / "empty")
    with pytest.raises(ParquetError, match="not a directory"):
        compact(target / "no" / "where")
    assert not (target / "no").exists()


def test_files_that_are_added_meanwhile_are_kept(
    connection: Connection, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = scatter(connection, target, days=1)
    directory = day_directory(dataset, 1)
    added = directory / "added.parquet"

    def add_and_exchange(one: Path, other: Path) -> None:
        if not added.exists():
            added.write_bytes(b"added")
        exchange(one, other)

    monkeypatch.setattr(partition_files, "exchange", add_and_exchange)
    with pytest.raises(ParquetError, match="another program"):
        compact(dataset)
    assert {file.name for file in directory.iterdir()} == {
        "added.parquet", "part-0.parquet", "part-1.parquet", "part-2.parquet",
    }  # fmt: skip


# --- repartition ----------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [KEYS, ("exchange", "symbol", "year", "month"), ("day", "symbol")])
@pytest.mark.parametrize("source", ["export", "flat", "spark"])
def test_any_layout_becomes_any_other(
    connection: Connection, target: Path, tmp_path: Path, keys: tuple[str, ...], source: str
) -> None:
    dataset = tmp_path / "source"
    for symbol in ("BTC/USDT", "2024", ""):
        add_trades(connection, symbol, "2026-03-08 23:59:00", range(120))
        add_trades(connection, symbol, "2026-12-01", range(10))
    if source == "export":
        export_table(connection, TRADES, target)
        dataset = target / "silver.trades"
    elif source == "flat":
        dataset.mkdir()
        connection.execute(f"copy silver.trades to '{dataset}/all.parquet'")
    else:
        connection.execute(
            f"""
            copy (select *, month(traded_at) as month from silver.trades) to '{dataset}'
            (format parquet, partition_by (month, symbol))
            """
        )
    into = tmp_path / "into"
    result = repartition(dataset, keys, into=into)
    assert result.rows == 390
    assert read(into, TRADE, typed="symbol" in keys) == table_rows(connection, TRADE)
    for directory in parquet_files(into):
        assert tuple(part.partition("=")[0] for part in directory.split("/")) == keys
    before = facts(into)
    assert repartition(into, keys).partitions == 0
    assert facts(into) == before
    repartition(dataset, keys)
    assert read(dataset, TRADE, typed="symbol" in keys) == table_rows(connection, TRADE)
    assert facts(into) == before


def test_what_cannot_be_repartitioned(connection: Connection, target: Path) -> None:
    dataset = scatter(connection, target)
    for keys in ([], ["exchange", "exchange"], ["hour"]):
        with pytest.raises(ParquetError, match="cannot be the partition keys"):
            repartition(dataset, keys)
    with pytest.raises(ParquetError, match="there already"):
        repartition(dataset, ["year"], into=target)
    (dataset / "README.txt").write_text("mine")
    with pytest.raises(ParquetError, match=r"README\.txt is no Parquet file and would be lost"):
        repartition(dataset, ["year"])
    (dataset / "README.txt").unlink()
    flat = target / "flat"
    flat.mkdir()
    connection.execute(f"copy (from silver.trades select * exclude (symbol)) to '{flat}/a.parquet'")
    with pytest.raises(ParquetError, match="no column symbol"):
        repartition(flat, ["symbol"])
    connection.execute(f"copy (from silver.trades limit 0) to '{flat}/a.parquet'")
    with pytest.raises(ParquetError, match="no row"):
        repartition(flat, ["symbol"])
    shutil.copy(flat / "a.parquet", dataset / "a.parquet")
    with pytest.raises(ParquetError, match="mixes layouts"):
        repartition(dataset, ["year"])


# --- killed at every step -------------------------------------------------------------------------

# Whatever Python does that changes a directory; ctypes is for the exchange of two directories. The
# state before each step is the state after the one before it, so none is left out.
_STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.rmtree",
          "ctypes.dlopen"}  # fmt: skip


# Children are forked from a process that has imported what they need.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "typer.testing", "ingestion.parquet_commands"])


def run_scenario(scenario: str, root: Path) -> None:
    """The command of a scenario, on what was prepared below `root`."""
    dataset = root / "parquet" / "silver.trades"
    if scenario == "export":
        with open_warehouse(root / "warehouse.duckdb", read_only=True) as connection:
            export_table(connection, TRADES, root / "parquet")
    elif scenario == "compact":
        compact(dataset)
    elif scenario == "repartition":
        repartition(dataset, ["symbol", "year", "month"])
    else:
        repartition(dataset, ["symbol", "year", "month"], into=root / "parquet" / "into")


def run_until_killed(scenario: str, root: Path, last_step: int) -> None:
    """Kills its own process before the step of that number that touches the file system."""

    os.fsync = lambda fd: None
    steps = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        place = str(arguments[0]) if arguments else ""
        is_below = str(root) in place or event == "ctypes.dlopen"
        if event not in _STEPS or not is_below:
            return
        if steps == last_step:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    sys.addaudithook(count)
    run_scenario(scenario, root)


def prepare(scenario: str, root: Path) -> tuple[Rows, Rows]:
    """What the command finds; returns the rows before it, and after."""
    target = root / "parquet"
    dataset = target / "silver.trades"
    with duckdb.connect(root / "warehouse.duckdb") as connection:
        make_trades(connection)
        if scenario != "export":
            scatter(connection, target)
            rows = table_rows(connection, TRADE)
            return rows, rows
        # The days: 1 is unchanged, 2 changes, 3 changes and has two files, 4 goes, 5 goes and has
        # two files, 6 is new.
        for day in range(1, 6):
            add_trades(connection, "BTC-USD", f"2026-03-{day:02d}", range(5))
        export_table(connection, TRADES, target)
        for day in (3, 5):
            directory = day_directory(dataset, day)
            file = next(directory.iterdir())
            relation = f"read_parquet('{file}', hive_partitioning = false)"
            connection.execute(f"copy (from {relation} limit 2) to '{directory}/more.parquet'")
        before = read(dataset, TRADE)
        for day in (2, 3, 6):
            add_trades(connection, "BTC-USD", f"2026-03-{day:02d}", range(7, 9))
        connection.execute("delete from silver.trades where day(traded_at) in (4, 5)")
        return before, table_rows(connection, TRADE)


def by_day(rows: Rows) -> dict[date, Rows]:
    days: dict[date, Rows] = {}
    for row in rows:
        days.setdefault(row[3].date(), []).append(row)
    return days


@pytest.mark.parametrize("scenario", ["export", "compact", "repartition", "repartition into"])
def test_killed_at_every_step(scenario: str, tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    before, after = prepare(scenario, prepared)
    old, new = by_day(before), by_day(after)
    for step in range(200):
        root = tmp_path / f"step-{step}"
        shutil.copytree(prepared, root)
        child = PROCESSES.Process(target=run_until_killed, args=(scenario, root, step))
        child.start()
        child.join(60)
        dataset = root / "parquet" / "silver.trades"
        seen = by_day(read(dataset, TRADE))
        for day in old.keys() | new.keys():
            assert seen.get(day, []) in (old.get(day, []), new.get(day, [])), (step, day)
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        into = root / "parquet" / "into"
        if scenario == "repartition into":
            dataset = into
        if not into.exists():
            run_scenario(scenario, root)
            assert not (root / "parquet" / WORK).exists()
        assert read(dataset, TRADE) == after, step
        assert all(len(files) == 1 for files in parquet_files(dataset).values())
        shutil.rmtree(root)
    assert child.exitcode == 0
    assert step > 10


def _export_for_ever(warehouse: Path, target: Path) -> None:
    while True:
        with duckdb.connect(warehouse, read_only=True) as connection:
            export_table(connection, BOOKS, target)
        shutil.rmtree(target / "silver.order_books")


def test_killed_while_duckdb_writes(tmp_path: Path) -> None:
    warehouse, target = tmp_path / "warehouse.duckdb", tmp_path / "parquet"
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            """
            create schema silver;
            create table silver.order_books as
            select 'kraken' as exchange, 'BTC-USD' as symbol, range as book_number,
                timestamp '2026-03-09' + to_seconds(range) as booked_at,
                [{price: random(), size: random()} for level in range(10)] as bids
            from range(100_000)
            """
        )
    for milliseconds in (150, 250, 350):
        child = PROCESSES.Process(target=_export_for_ever, args=(warehouse, target))
        child.start()
        time.sleep(milliseconds / 1000)
        child.kill()
        child.join()
        for files in parquet_files(target).values():
            assert pq.read_metadata(files[0]).num_rows > 0
        with duckdb.connect(warehouse, read_only=True) as connection:
            export_table(connection, BOOKS, target)
        assert read(target / "silver.order_books", "count(*)") == [(100_000,)]
        assert not (target / WORK).exists()


# --- readers meanwhile ----------------------------------------------------------------------------


def watch(dataset: Path, command: Callable[[], object]) -> tuple[set[tuple[int, ...]], list[str]]:
    """What a reader sees over and over while a command runs: counts by day, and errors."""
    seen: set[tuple[int, ...]] = set()
    errors: list[str] = []
    ended = threading.Event()

    def look() -> None:
        with duckdb.connect() as reader:
            while not ended.is_set():
                try:
                    rows = reader.execute(
                        "select count(*) from read_parquet(?, hive_partitioning = true)"
                        " group by day order by day",
                        [f"{dataset}/**/*.parquet"],
                    ).fetchall()
                except duckdb.Error as error:
                    errors.append(str(error))
                else:
                    seen.add(tuple(count for (count,) in rows))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        command()
    finally:
        ended.set()
        thread.join()
    return seen, errors


def test_a_reader_of_an_export_sees_the_old_or_the_new(
    connection: Connection, target: Path
) -> None:
    add_trades(connection, "BTC-USD", "2026-03-01", range(10))
    add_trades(connection, "BTC-USD", "2026-03-02", range(10))
    export_table(connection, TRADES, target)

    def grow_and_shrink() -> None:
        for _ in range(15):
            add_trades(connection, "BTC-USD", "2026-03-01", range(50, 60))
            export_table(connection, TRADES, target)
            connection.execute("delete from silver.trades where trade_number >= 50")
            export_table(connection, TRADES, target)

    seen, errors = watch(target / "silver.trades", grow_and_shrink)
    assert seen <= {(10, 10), (20, 10)}
    assert errors == []


def test_a_reader_of_a_compaction_sees_no_row_twice(connection: Connection, target: Path) -> None:
    dataset = scatter(connection, target, days=2, files=8)
    day = day_directory(dataset, 2)
    scattered = target / "scattered"
    shutil.copytree(day, scattered)

    def compact_and_scatter() -> None:
        for number in range(15):
            compact(dataset)
            again = target / f"again-{number}"
            again.mkdir()
            for file in scattered.iterdir():
                shutil.copy(file, again / f"{number}-{file.name}")
            exchange(again, day)

    seen, errors = watch(dataset, compact_and_scatter)
    # A file that was listed and then merged away is an error, not a wrong answer. DuckDB passes
    # over one that goes between the two calls by which it lists: then the partition is not there.
    assert (80, 80) in seen
    assert seen <= {(80, 80), (80,)}
    assert all("No such file" in error or "No files found" in error for error in errors)


def test_put_leaves_what_it_does_not_replace(tmp_path: Path) -> None:
    directory, work = tmp_path / "directory", tmp_path / "work"
    directory.mkdir()
    work.mkdir()
    for name in "abc":
        (directory / name).write_text(name)
    (directory / "below").mkdir()
    (work / "staged").write_text("new")
    with pytest.raises(ParquetError, match="the directory below"):
        put(work / "staged", directory, ["a", "b"], work)
    (directory / "below").rmdir()
    put(work / "staged", directory, ["a", "b"], work)
    assert sorted(file.read_text() for file in directory.iterdir()) == ["c", "new"]


# --- commands -------------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKETFINDER_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        make_trades(connection)
        add_trades(connection, "BTC-USD", "2026-03-09", range(3))

    def invoke(*arguments: str) -> str:
        answer = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return answer.output

    export = ("export", "--target", str(target), "--table", "silver.trades")
    assert "silver.trades" in invoke(*export)
    assert "silver.trades" in invoke(*export, "--since", "2026-03-10")
    dataset = str(target / "silver.trades")
    assert "1 partitions had nothing to merge" in invoke("compact", dataset)
    assert "3 rows are in 1 partitions" in invoke("repartition", dataset, "--by", "exchange, year")
    assert "has this layout already" in invoke("repartition", dataset, "--by", "exchange,year")
    with pytest.raises(ParquetError, match="not an order-book table"):
        invoke("export", "--table", "silver.nothing")


@pytest.mark.slow
def test_two_million_rows(connection: Connection, target: Path) -> None:
    """An export that changes nothing costs one scan of the table."""
    connection.execute(
        """
        insert into silver.trades
        select 'binance', 'BTC-USD', range, timestamp '2026-01-01' + to_seconds(range * 4),
            random(), 'buy'
        from range(2_000_000)
        """
    )
    started = time.perf_counter()
    assert export_table(connection, TRADES, target).written == 93
    first = time.perf_counter() - started
    started = time.perf_counter()
    assert export_table(connection, TRADES, target).unchanged == 93
    assert time.perf_counter() - started < first / 3
    assert timedelta(seconds=first) < timedelta(minutes=1)
