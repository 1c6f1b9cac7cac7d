"""Recorded feeds through ingestion, bronze and silver: the books they give, and what faults do."""

import csv
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from order_book_builds import WAREHOUSE, CompiledModels
from pipelines import ask, scans_of

from ingestion.order_books import Fate, ingest_order_books
from ingestion.runs import SimulatedClock
from ingestion.segment_lines import read_batches
from ingestion.segments import find_segments
from ingestion.settings import Disposal, Settings
from ingestion.simulator.order_books import (
    BITCOIN,
    ETHER,
    BookFaults,
    LevelTwoStream,
    MarketSettings,
    write_ccxt_segments,
)
from ingestion.simulator.order_books.ccxt import CcxtSettings

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
SMALL = MarketSettings(
    seed=7, start=START, products=(replace(BITCOIN, depth=60), replace(ETHER, depth=40))
)
# Each example is some builds: few of them, and no search for a smaller one.
FEW = hypothesis_settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
BUILT = (
    "bronze.coinbase_level2_updates",
    "silver.sequenced_frames",
    "silver.replayed_order_books",
    "silver.order_book_checkpoints",
    "silver.order_books",
    "silver.trades",
    "silver.tickers",
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    """The order-book models, compiled by dbt once."""
    return CompiledModels(tmp_path_factory.mktemp("models"))


def load(root: Path, warehouse: Path) -> Settings:
    """Ingests all segments below `root`, which are kept where they are."""
    settings = Settings(warehouse=warehouse, segments=root, loaded_segments=Disposal.KEEP)
    result = ingest_order_books(settings, run_id="run", clock=SimulatedClock(START))
    assert not result.of(Fate.FAILED)
    return settings


def built(models: CompiledModels, root: Path, **config: Any) -> Path:
    """A warehouse with all segments below `root`, built at once."""
    warehouse = root / "all" / WAREHOUSE
    load(root, warehouse)
    models.build(warehouse, **config)
    return warehouse


def rows(warehouse: Path, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table, sorted; the rows that say how far a replay has come left out."""
    where = "where product_id is not null" if table.endswith("replayed_order_books") else ""
    return ask(
        warehouse,
        f"select * exclude (replayed_to) from {table} {where} order by all"
        if table.endswith("checkpoints")
        else f"from {table} {where} order by all",
    )


def best(frame: Any) -> tuple[float, float, float, float]:
    """The true best bid and offer of a frame, price and size."""
    product = frame.book.product
    (bid, bid_size), (ask_price, ask_size) = frame.book.best_bid, frame.book.best_ask
    return (
        float(product.price(bid)),
        float(product.size(bid_size)),
        float(product.price(ask_price)),
        float(product.size(ask_size)),
    )


QUOTES = """
select symbol, sequence_num, is_valid,
    bids[1].price, bids[1].size, asks[1].price, asks[1].size
from silver.order_books
join silver.sequenced_frames on book_number = frame_number
"""


# Real captures


def test_coinbase_best_bid_and_offer_after_every_frame(
    models: CompiledModels, shared_data: Path, tmp_path: Path
) -> None:
    """The whole way from the file to silver.order_books."""
    warehouse = tmp_path / WAREHOUSE
    load(shared_data / "order_books/coinbase", warehouse)
    models.build(warehouse)
    found = {
        (symbol, number): tuple(quote)
        for symbol, number, is_valid, *quote in ask(warehouse, QUOTES)
        if is_valid
    }
    answers = shared_data / "order_books/coinbase/best_bid_offer_after_each_l2_frame.csv"
    with answers.open(newline="") as file:
        expected = {
            (row["product_id"], int(row["sequence_num"])): tuple(
                float(row[name])
                for name in ("best_bid", "best_bid_qty", "best_ask", "best_ask_qty")
            )
            for row in csv.DictReader(file)
        }
    assert len(expected) == 438
    assert found == expected


def test_ccxt_captures_are_books_of_their_own(
    models: CompiledModels, shared_data: Path, tmp_path: Path
) -> None:
    warehouse = tmp_path / WAREHOUSE
    load(shared_data / "order_books/ccxt", warehouse)
    models.build(warehouse)
    captured = f"'{shared_data}/order_books/ccxt/raw/ready/ccxt/orderbook/*.parquet'"
    assert ask(
        warehouse, "select count(*), count(*) filter (is_valid) from silver.order_books"
    ) == [(5596, 5596)]
    different = ask(
        warehouse,
        f"""
        (select exchange, symbol, bids[:20], asks[:20] from read_parquet({captured}))
        except all
        (select exchange, symbol, bids, asks from silver.order_books)
        """,
    )
    assert different == []
    assert ask(warehouse, "select count(*), count(distinct trade_id) from silver.trades") == [
        (10104, 10104)
    ]


# Any split into runs


class Runs:
    """One segment, of which each run sees some further lines."""

    def __init__(self, root: Path, warehouse: Path) -> None:
        segment = find_segments(root)[0]
        batches = [batch.rows for batch in read_batches(segment, 1)]
        self._frames = pa.concat_tables(batches)
        self.warehouse = warehouse
        warehouse.parent.mkdir(parents=True, exist_ok=True)
        load(root, warehouse)
        with duckdb.connect(warehouse) as connection:
            ((self.load_id,),) = connection.execute("select load_id from raw._dlt_loads").fetchall()
            connection.execute("delete from raw.coinbase_frames")

    def add(self, first: int, last: int) -> None:
        """Lands the frames from one line to before another."""
        part = self._frames.slice(first, last - first)
        with duckdb.connect(self.warehouse) as connection:
            connection.register("part", part)
            connection.execute(
                "insert into raw.coinbase_frames by name select *, ? as _dlt_load_id from part",
                [self.load_id],
            )

    def __len__(self) -> int:
        return int(self._frames.num_rows)


def in_runs(models: CompiledModels, runs: Runs, cuts: list[int], **config: Any) -> dict[str, Any]:
    """Builds after each cut; all rows of all tables in the end."""
    ends = sorted({*cuts, len(runs)})
    for first, last in zip([0, *ends], ends, strict=False):
        runs.add(first, last)
        models.build(runs.warehouse, **config)
    return {table: rows(runs.warehouse, table) for table in BUILT}


FAULTY = BookFaults(
    dropped=(70, 150),
    duplicated=(30, 90, 91),
    swapped=(110,),
    no_json_before=(50,),
    blank_before=(55,),
    negative_size=(200,),
    not_a_number_size=(230,),
    reconnect_at=(170,),
)


@pytest.mark.parametrize("interval_ms", [0, 250])
def test_any_split_of_a_faulty_stream_gives_the_same_rows(
    models: CompiledModels, tmp_path_factory: pytest.TempPathFactory, interval_ms: int
) -> None:
    """Gaps, reconnects, repeated and rejected lines fall on either side of a cut."""
    root = tmp_path_factory.mktemp("faulty")
    LevelTwoStream(SMALL, FAULTY).write(root, frames=260)
    count = len(Runs(root, root / "count" / WAREHOUSE))
    at_once = in_runs(models, Runs(root, root / "whole" / WAREHOUSE), [], interval_ms=interval_ms)
    assert {
        kind for (kind,) in ask(root / "whole" / WAREHOUSE, "select kind from silver.sequence_gaps")
    } == {
        "gap",
        "reconnect",
        "late",
        "duplicate",
        "set aside",
    }
    seen = iter(range(1_000))

    @FEW
    @given(st.lists(st.integers(1, count - 1), min_size=1, max_size=4))
    def check(cuts: list[int]) -> None:
        runs = Runs(root, root / f"cut-{next(seen)}" / WAREHOUSE)
        split = in_runs(models, runs, cuts, interval_ms=interval_ms)
        assert [name for name in BUILT if split[name] != at_once[name]] == []

    check()


def test_coinbase_capture_split_at_any_frames(
    models: CompiledModels, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = shared_data / "order_books/coinbase"
    place = tmp_path_factory.mktemp("splits")
    at_once = in_runs(models, Runs(root, place / "whole" / WAREHOUSE), [])
    seen = iter(range(1_000))

    @hypothesis_settings(FEW, max_examples=3)
    @given(st.lists(st.integers(1, 599), min_size=1, max_size=5))
    def check(cuts: list[int]) -> None:
        runs = Runs(root, place / f"cut-{next(seen)}" / WAREHOUSE)
        split = in_runs(models, runs, cuts)
        assert [name for name in BUILT if split[name] != at_once[name]] == []

    check()


# Faults, and what becomes of them


def truth(
    stream: LevelTwoStream, frames: int, with_snapshots: bool = True
) -> dict[tuple[str | None, int], Any]:
    """The true best bid and offer after each frame of the book, by symbol and time, in order."""
    return {
        (frame.product_id, frame.sent_at // 1000): best(frame)
        for frame in stream.frames(frames)
        if frame.updates is not None and (with_snapshots or not frame.is_snapshot)
    }


def found_quotes(warehouse: Path) -> list[tuple[tuple[str | None, int], str | None, Any]]:
    """What silver.order_books says: symbol and time, why it is not valid, best bid and offer."""
    return [
        ((symbol, time), reason, tuple(quote))
        for symbol, time, reason, *quote in ask(
            warehouse,
            """
            select symbol, epoch_us(booked_at), invalid_reason,
                bids[1].price, bids[1].size, asks[1].price, asks[1].size
            from silver.order_books order by book_number
            """,
        )
    ]


def kinds(warehouse: Path) -> list[tuple[Any, ...]]:
    """The irregular frames, in order."""
    return ask(
        warehouse, "select kind, missing_frames from silver.sequence_gaps order by frame_number"
    )


@pytest.mark.parametrize("feed", ["advanced_trade", "exchange"])
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_stream_without_faults_equals_the_truth(
    models: CompiledModels, tmp_path: Path, feed: Any, compression: Any
) -> None:
    stream = LevelTwoStream(SMALL, feed=feed)
    stream.write(tmp_path, frames=400, compression=compression, frames_per_segment=150)
    warehouse = built(models, tmp_path)
    found = found_quotes(warehouse)
    # A snapshot of the older feed has no time, and so no row; its other times are the market's.
    is_newer = feed == "advanced_trade"
    true = truth(stream, 400, with_snapshots=is_newer)
    assert [(key[0], quote) for key, _, quote in found] == [
        (symbol, quote) for (symbol, _), quote in true.items()
    ]
    assert not is_newer or [key for key, _, _ in found] == list(true)
    assert {reason for _, reason, _ in found} == {None}
    assert kinds(warehouse) == []
    trades = {
        (trade.product_id, str(trade.trade_id)): trade.aggressor
        for frame in stream.frames(400)
        for trade in frame.trades
    }
    told = ask(warehouse, "select symbol, trade_id, side from silver.trades")
    assert {(symbol, trade_id): side for symbol, trade_id, side in told} == trades
    assert len(told) == len(trades)


FAULTS_AND_KINDS: dict[str, tuple[BookFaults, list[tuple[str, int | None]]]] = {
    "a dropped frame": (BookFaults(dropped=(200,)), [("gap", 1)]),
    "dropped frames": (BookFaults(dropped=(200, 201, 202)), [("gap", 3)]),
    "a line twice": (BookFaults(duplicated=(200,)), [("duplicate", None)]),
    "swapped lines": (BookFaults(swapped=(200,)), [("gap", 1), ("late", None)]),
    "a reconnect": (BookFaults(reconnect_at=(200,)), [("reconnect", None)]),
    "a line without JSON": (BookFaults(no_json_before=(200,)), [("set aside", None)]),
    "a blank line": (BookFaults(blank_before=(200,)), []),
    "byte-order marks": (
        BookFaults(byte_order_mark_at=(200,), byte_order_mark_segments=(1,)),
        [],
    ),
    "a negative size": (BookFaults(negative_size=(200,)), []),
    "a size that is no number": (BookFaults(not_a_number_size=(200,)), []),
    "a crossed snapshot": (BookFaults(crossed_snapshot=(0,)), []),
    "a cut last line": (
        BookFaults(truncated_segments=(1,)),
        [("set aside", None), ("gap", 1)],
    ),
}
HARMLESS = {
    "a reconnect",
    "a line twice",
    "a line without JSON",
    "a blank line",
    "byte-order marks",
}


@pytest.mark.parametrize("name", FAULTS_AND_KINDS)
def test_a_fault_never_gives_a_wrong_book(
    models: CompiledModels, tmp_path: Path, name: str
) -> None:
    """A book that is said to be valid is the true one; a harmless fault costs no book at all."""
    faults, expected = FAULTS_AND_KINDS[name]
    stream = LevelTwoStream(SMALL, replace(faults, reconnect_at=(*faults.reconnect_at, 330)))
    stream.write(tmp_path, frames=420, frames_per_segment=210)
    warehouse = built(models, tmp_path)
    assert kinds(warehouse) == [*expected, ("reconnect", None)]
    true = truth(stream, 420)
    found = found_quotes(warehouse)
    assert [key for key, reason, quote in found if reason is None and quote != true[key]] == []
    # The reconnect's snapshots end every doubt: three steps later all books are sound again.
    assert all(reason is None for _, reason, _ in found[-40:])
    doubted = [reason for _, reason, _ in found if reason]
    # A reconnect ends both books once, until their snapshots, which come before any update.
    at_reconnects = 2 * (len(faults.reconnect_at) + 1)
    assert len(doubted) >= at_reconnects
    assert (len(doubted) == at_reconnects) == (name in HARMLESS)
    assert set(doubted) <= {"sequence gap", "crossed"}
    assert ("crossed" in doubted) == (name == "a crossed snapshot")


def test_a_rejected_update_is_shown(models: CompiledModels, tmp_path: Path) -> None:
    faults = BookFaults(negative_size=(150,), not_a_number_size=(200,))
    written = LevelTwoStream(SMALL, faults).write(tmp_path, frames=260)
    warehouse = built(models, tmp_path)
    lines = {touched.fault: touched.line for touched in written.touched}
    assert ask(
        warehouse, "select line, field, reason from silver.rejected_feed_records order by line"
    ) == [
        (lines["negative_size"], "new_quantity", "negative"),
        (lines["not_a_number_size"], "new_quantity", "not a number"),
    ]


def test_an_unreadable_line_of_the_older_feed_ends_the_books(
    models: CompiledModels, tmp_path: Path
) -> None:
    """The older feed has no numbers that would show whether something is missing."""
    stream = LevelTwoStream(SMALL, BookFaults(no_json_before=(200,)), feed="exchange")
    stream.write(tmp_path, frames=300)
    warehouse = built(models, tmp_path)
    assert kinds(warehouse) == [("unreadable", None)]
    reasons = [reason for _, reason, _ in found_quotes(warehouse)]
    turn = reasons.index("sequence gap")
    assert set(reasons[:turn]) == {None}
    assert set(reasons[turn:]) == {"sequence gap"}


def test_streams_have_connections_of_their_own(models: CompiledModels, tmp_path: Path) -> None:
    """Two recorders, a product each, in folders of their own."""
    products = SMALL.products
    for folder, product, frames in (("one", products[0], 300), ("two", products[1], 280)):
        stream = LevelTwoStream(replace(SMALL, products=(product,)))
        stream.write(tmp_path, frames=frames, folder=f"coinbase/{folder}", frames_per_segment=90)
    warehouse = built(models, tmp_path)
    assert kinds(warehouse) == []
    assert {reason for _, reason, _ in found_quotes(warehouse)} == {None}
    assert ask(
        warehouse, "select distinct stream, symbol from silver.order_books order by all"
    ) == [("coinbase/one", "BTC-USD"), ("coinbase/two", "ETH-USD")]


def test_ccxt_text_equals_ccxt_parquet(models: CompiledModels, tmp_path: Path) -> None:
    tables = []
    for file_format in ("parquet", "ndjson"):
        root = tmp_path / file_format
        write_ccxt_segments(
            root, SMALL, CcxtSettings(), steps=300, rows_per_segment=100, file_format=file_format
        )
        warehouse = built(models, root)
        tables.append(
            [rows(warehouse, f"silver.{name}") for name in ("order_books", "trades", "tickers")]
        )
    assert all(tables[0])
    assert tables[0] == tables[1]


# Frames written by hand


def seconds(second: float) -> str:
    """A time of the day of all frames written by hand."""
    return f"2026-10-01T12:00:{second:09.6f}Z"


def frame(number: int, channel: str, *events: Any) -> dict[str, Any]:
    """A frame of Advanced Trade, sent as many seconds after noon as its number says."""
    return {
        "channel": channel,
        "timestamp": seconds(number),
        "sequence_num": number,
        "events": list(events),
    }


def level2(number: int, *updates: tuple[str, str, str], **event: Any) -> dict[str, Any]:
    """A frame of one event: updates of BTC-USD, or what `event` says instead."""
    levels = [
        {"side": side, "price_level": price, "new_quantity": size} for side, price, size in updates
    ]
    event = {"type": "update", "product_id": "BTC-USD", "updates": levels, **event}
    return frame(number, "l2_data", {name: it for name, it in event.items() if it is not None})


def trade(**fields: Any) -> dict[str, Any]:
    """A trade as Advanced Trade tells it."""
    known = {"product_id": "BTC-USD", "price": "100", "size": "1", "side": "BUY"}
    return {**known, "trade_id": "1", "time": seconds(1), **fields}


def captured(feed: str, **fields: Any) -> dict[str, Any]:
    """A record as CCXT's text segments hold it."""
    noon = int(START.timestamp() * 1000)
    record = {"exchange": "kraken", "symbol": "BTC/USD", "collected_at": noon, "timestamp": noon}
    if feed == "orderbook":
        record |= {"bids": [[100, 1]], "asks": [[101, 1]]}
    if feed == "trades":
        record |= {"trade_id": "1", "side": "buy", "price": 100, "amount": 1}
    return record | fields


def write(root: Path, name: str, lines: list[dict[str, Any]], feed: str = "coinbase") -> Path:
    """A segment of these lines."""
    path = root / "raw/ready" / feed / f"{name}.ndjson"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def reasons(warehouse: Path) -> list[str | None]:
    """Why each book is not valid, in order."""
    return [reason for _, reason, _ in found_quotes(warehouse)]


BOOK = [("bid", "100", "1"), ("bid", "99", "2"), ("offer", "101", "1")]
SNAPSHOT = level2(0, *BOOK, type="snapshot")


def test_an_impossible_update_ends_the_book_and_not_the_build(
    models: CompiledModels, tmp_path: Path
) -> None:
    """The replay would stop at a price beyond its own range, and at a snapshot of no product."""
    write(tmp_path, "1", [SNAPSHOT, level2(1, ("offer", "30000000000", "1")), level2(2, BOOK[0])])
    write(tmp_path, "2", [level2(3, *BOOK, type="snapshot"), level2(4, BOOK[0])])
    nameless = level2(5, *BOOK, type="snapshot", product_id=None)
    write(tmp_path, "3", [nameless, level2(6, BOOK[0])])
    warehouse = built(models, tmp_path)
    gap = "sequence gap"
    assert reasons(warehouse) == [None, gap, gap, None, None, gap, gap]
    assert ask(
        warehouse,
        "select distinct field, reason from silver.rejected_feed_records order by all",
    ) == [("price_level", "above 23 billion"), ("product_id", "missing")]


def test_a_snapshot_goes_before_its_levels_however_they_are_stored(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Marker and first level have one number, and DuckDB's sort may turn equal rows round."""
    many = [("bid", str(1000 - level), "1") for level in range(5)]
    snapshots = [level2(number, *many, type="snapshot") for number in range(60)]
    write(tmp_path, "1", snapshots)
    warehouse = tmp_path / "all" / WAREHOUSE
    load(tmp_path, warehouse)
    models.build(warehouse, ["bronze.coinbase_level2_updates"])
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            """
            create or replace table bronze.coinbase_level2_updates as
            from bronze.coinbase_level2_updates order by hash(frame_number, update_number)
            """
        )
    models.build(warehouse)
    books = "select bid_level_count, count(*) from silver.order_books group by all"
    assert ask(warehouse, books) == [(5, 60)]


def test_a_later_build_passes_over_history(models: CompiledModels, tmp_path: Path) -> None:
    """What is held is read by bounds, which the minima and maxima of row groups answer."""
    trades = [{"type": "update", "trades": [trade(trade_id=str(number))]} for number in range(3)]
    lines = [SNAPSHOT, *(frame(1 + n, "market_trades", told) for n, told in enumerate(trades))]
    write(tmp_path, "1", lines[:3])
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", lines[3:])
    load(tmp_path, warehouse)
    held = {
        "raw.coinbase_frames": "0 as segment_number, number - 1_000_000 as frame_number",
        "silver.sequenced_frames": "number - 1_000_000 as frame_number",
        "silver.trades": "traded_at - to_days(20 - number // 100_000) as traded_at",
    }
    with duckdb.connect(warehouse) as connection:
        for table, values in held.items():
            connection.execute(
                f"""
                create or replace table {table} as
                select first.* replace ({values})
                from (from {table} limit 1) as first, range(1_000_000) as before (number)
                union all
                from {table}
                """
            )
        connection.execute("checkpoint")
        for model in models.models:
            if model.relation in ("silver.sequenced_frames", "silver.trades"):
                scans = scans_of(connection, model.later)
                read = sum(scan.read for scan in scans if len(scan.columns) > 1)
                assert 0 < read < 500_000, model.relation


def test_books_and_tickers_wait_for_the_sequence(models: CompiledModels, tmp_path: Path) -> None:
    """`dbt run --select coinbase_level2_updates+` leaves out what says that a frame is missing."""
    ticker = frame(1, "ticker", {"type": "update", "tickers": [{"product_id": "BTC-USD"}]})
    write(tmp_path, "1", [SNAPSHOT])
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", [ticker, ticker, level2(3, BOOK[0])])
    load(tmp_path, warehouse)
    chosen = ["bronze.coinbase_level2_updates", "bronze.coinbase_tickers", "silver.tickers"]
    chosen += ["silver.replayed_order_books", "silver.order_book_checkpoints"]
    models.build(warehouse, chosen)
    models.build(warehouse)
    assert reasons(warehouse) == [None, "sequence gap"]
    assert ask(warehouse, "select count(*) from silver.tickers") == [(1,)]


OLDER_BOOK = {"bids": [["100", "1"]], "asks": [["101", "1"]]}


def older(second: float, size: str) -> dict[str, Any]:
    """An update of the older feed."""
    changes = [["buy", "100", size]]
    known = {"type": "l2update", "product_id": "BTC-USD", "time": seconds(second)}
    return {**known, "changes": changes}


@pytest.mark.parametrize("fate", ["late", "damaged"])
def test_a_segment_of_the_older_feed_is_missed(
    models: CompiledModels, tmp_path: Path, fate: str
) -> None:
    """It has no numbers: that a segment came late, or was lost, is told by the segments."""
    opening: list[dict[str, Any]] = [
        {"type": "subscriptions", "channels": []},
        {"type": "snapshot", "product_id": "BTC-USD", **OLDER_BOOK},
    ]
    write(tmp_path, "1", [*opening, older(1, "1")])
    write(tmp_path, "3", [older(3, "3")])
    if fate == "damaged":
        damaged = tmp_path / "raw/ready/coinbase/2.ndjson.gz"
        damaged.write_bytes(gzip.compress(json.dumps(older(2, "2")).encode())[:-12])
        settings = Settings(
            warehouse=tmp_path / WAREHOUSE, segments=tmp_path, loaded_segments=Disposal.KEEP
        )
        ingest_order_books(settings, run_id="run", clock=SimulatedClock(START))
        models.build(settings.warehouse)
        assert reasons(settings.warehouse) == [None, "sequence gap"]
        return
    warehouse = built(models, tmp_path)
    assert reasons(warehouse) == [None, None]
    for name in ("2", "4"):
        write(tmp_path, name, [older(int(name), name)])
        load(tmp_path, warehouse)
        models.build(warehouse)
    assert reasons(warehouse) == [None, None, "sequence gap", "sequence gap"]
    assert kinds(warehouse) == [("late", None)]


def test_lines_of_the_older_feed_out_of_order_end_the_books(
    models: CompiledModels, tmp_path: Path
) -> None:
    """A product's time goes back, within a build or from one to the next; another's may lag."""
    opening: list[dict[str, Any]] = [
        {"type": "subscriptions", "channels": []},
        {"type": "snapshot", "product_id": "BTC-USD", **OLDER_BOOK},
        {"type": "snapshot", "product_id": "ETH-USD", **OLDER_BOOK},
    ]
    lagging = {**older(2, "2"), "product_id": "ETH-USD"}
    write(tmp_path, "1", [*opening, older(3, "3"), lagging])
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", [{**lagging, "time": seconds(2.5)}, older(2.9, "2"), older(4, "4")])
    load(tmp_path, warehouse)
    models.build(warehouse)
    assert kinds(warehouse) == [("late", None)]
    assert reasons(warehouse) == [None, None, None, *["sequence gap"] * 3]


OLDER_OPENING: list[dict[str, Any]] = [
    {"type": "subscriptions", "channels": []},
    {"type": "snapshot", "product_id": "BTC-USD", **OLDER_BOOK},
]


@pytest.mark.parametrize("name", ["1", "3-merged"])
def test_a_segment_of_the_older_feed_told_again_gives_no_books(
    models: CompiledModels, tmp_path: Path, name: str
) -> None:
    """It grew, or hours were merged to a day. It opens a connection, in which its times go on."""
    lines = [*OLDER_OPENING, older(1, "1"), older(2, "2")]
    write(tmp_path, "1", lines)
    warehouse = built(models, tmp_path)
    write(tmp_path, name, [*lines, older(3, "3")])
    load(tmp_path, warehouse)
    models.build(warehouse)
    write(tmp_path, "4", [*OLDER_OPENING, older(4, "4")])
    load(tmp_path, warehouse)
    models.build(warehouse)
    assert [(key[1], reason) for key, reason, _ in found_quotes(warehouse)] == [
        (int((START + timedelta(seconds=second)).timestamp() * 1e6), reason)
        for second, reason in ((1, None), (2, None), (2, "sequence gap"), (4, None))
    ]


@pytest.mark.parametrize("interval_ms", [0, 60_000])
@pytest.mark.parametrize("cut", range(1, 9))
def test_a_snapshot_without_a_time_is_told_by_the_next_row(
    models: CompiledModels, tmp_path: Path, cut: int, interval_ms: int
) -> None:
    """Subscribed anew, and the acknowledgement was not recorded: the books before and after it are
    not to be compared. In any two runs, and on a time grid too."""
    lines = [*OLDER_OPENING, older(1, "1"), older(2, "2"), OLDER_OPENING[1], OLDER_OPENING[1]]
    lines += [{**older(3, "3"), "time": None}, older(4, "4"), older(5, "5")]
    write(tmp_path, "1", lines[:cut])
    warehouse = built(models, tmp_path, interval_ms=interval_ms)
    write(tmp_path, "2", lines[cut:])
    load(tmp_path, warehouse)
    models.build(warehouse, interval_ms=interval_ms)
    found = ask(
        warehouse,
        """
        select cast(bids[1].size as int), is_snapshot, is_valid
        from silver.order_books order by book_number
        """,
    )
    expected = [(1, True, True), (2, False, True), (4, True, True), (5, False, True)]
    assert found == (expected[::2] if interval_ms else expected)


@pytest.mark.parametrize(("silence", "outcome"), [(89, []), (91, [("reconnect", None)])])
def test_no_connection_outlives_a_long_silence(
    models: CompiledModels, tmp_path: Path, silence: int, outcome: list[Any]
) -> None:
    """The beginning of the new one was lost, and by chance its numbers go on."""
    later = {**level2(2, BOOK[0]), "timestamp": f"2026-10-01T12:01:{silence - 59:02d}Z"}
    write(tmp_path, "1", [SNAPSHOT, level2(1, BOOK[0]), later])
    warehouse = built(models, tmp_path)
    assert kinds(warehouse) == outcome
    assert reasons(warehouse) == [None, None, "sequence gap" if outcome else None]


def test_a_numbered_segment_that_comes_late_leaves_the_books_alone(
    models: CompiledModels, tmp_path: Path
) -> None:
    """That it was missing has been noticed, and a snapshot has come since."""
    write(tmp_path, "1", [SNAPSHOT, level2(1, BOOK[0])])
    write(tmp_path, "3", [level2(4, *BOOK, type="snapshot"), level2(5, BOOK[0])])
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", [level2(2, ("bid", "100", "9")), level2(3, BOOK[0])])
    load(tmp_path, warehouse)
    models.build(warehouse)
    write(tmp_path, "4", [level2(6, BOOK[0])])
    load(tmp_path, warehouse)
    models.build(warehouse)
    assert kinds(warehouse) == [("gap", 2), ("late segment", None), ("late segment", None)]
    assert reasons(warehouse) == [None] * 5


def test_a_late_segment_of_a_connection_that_has_ended(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Its numbers are higher than those of the connection since: that one goes on unharmed."""
    write(tmp_path, "1", [SNAPSHOT, *(level2(number, BOOK[0]) for number in range(1, 5))])
    opened = [
        {**line, "timestamp": seconds(20 + number)}
        for number, line in enumerate((SNAPSHOT, level2(1, BOOK[0])))
    ]
    write(tmp_path, "3", opened)
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", [level2(5, BOOK[0]), level2(6, BOOK[0])])
    load(tmp_path, warehouse)
    write(tmp_path, "4", [{**level2(2, BOOK[0]), "timestamp": seconds(22)}])
    load(tmp_path, warehouse)
    models.build(warehouse)
    late = ("late segment", None)
    assert kinds(warehouse) == [("reconnect", None), late, late]
    assert reasons(warehouse) == [None] * 8


def as_of(warehouse: Path, second: int) -> list[Any]:
    """Of each product, whether the last row up to a time is valid."""
    return ask(
        warehouse,
        """
        select symbol, arg_max(is_valid, book_number) from silver.order_books
        where booked_at <= ? group by all order by all
        """,
        START.replace(tzinfo=None) + timedelta(seconds=second),
    )


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_gap_leaves_a_row_of_every_book(models: CompiledModels, tmp_path: Path, cut: int) -> None:
    """Who looks up the last row of a quiet product must not find the one from before the gap."""
    ether = {"product_id": "ETH-USD"}
    lines = [
        SNAPSHOT,
        level2(1, *BOOK, type="snapshot", **ether),
        frame(5, "heartbeats"),
        frame(9, "heartbeats"),
        level2(10, BOOK[0], **ether),
        level2(11, *BOOK, type="snapshot"),
    ]
    write(tmp_path, "1", lines[:cut])
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", lines[cut:])
    load(tmp_path, warehouse)
    models.build(warehouse)
    assert as_of(warehouse, 4) == [("BTC-USD", True), ("ETH-USD", True)]
    assert as_of(warehouse, 5) == [("BTC-USD", False), ("ETH-USD", False)]
    # One row a book, however many gaps.
    assert len(reasons(warehouse)) == 6
    assert as_of(warehouse, 11) == [("BTC-USD", True), ("ETH-USD", False)]


def test_a_full_book_is_doubted_by_a_gap_that_no_book_has_followed(
    models: CompiledModels, tmp_path: Path
) -> None:
    write(tmp_path, "1", [SNAPSHOT, frame(5, "heartbeats")])
    warehouse = built(models, tmp_path)
    assert ask(warehouse, "select distinct is_valid from silver.full_order_books") == [(False,)]


def test_a_full_book_that_has_crossed_is_not_valid(models: CompiledModels, tmp_path: Path) -> None:
    """As its rows are not, though it no longer looks so."""
    lines = [SNAPSHOT, level2(1, ("bid", "102", "1")), level2(2, ("bid", "102", "0"))]
    write(tmp_path, "1", lines)
    warehouse = built(models, tmp_path)
    assert reasons(warehouse) == [None, "crossed", "crossed"]
    assert ask(warehouse, "select distinct is_valid from silver.full_order_books") == [(False,)]


@pytest.mark.parametrize("name", ["0-merged", "3-merged"])
def test_frames_of_an_ended_connection_told_again(
    models: CompiledModels, tmp_path: Path, name: str
) -> None:
    """Hours merged to a day: the old numbers go on from those of the connection since."""
    old = [SNAPSHOT, *(level2(number, ("bid", "100", str(number))) for number in range(1, 5))]
    new = [{**level2(number, BOOK[0]), "timestamp": seconds(20 + number)} for number in range(1, 4)]
    new = [{**SNAPSHOT, "timestamp": seconds(20)}, *new]
    write(tmp_path, "1", old)
    write(tmp_path, "2", new[:3])
    warehouse = built(models, tmp_path)
    write(tmp_path, name, [*old, *new[:2]])
    load(tmp_path, warehouse)
    models.build(warehouse)
    write(tmp_path, "4", new[3:])
    load(tmp_path, warehouse)
    models.build(warehouse)
    told_again = [("duplicate", None)] * 7
    assert kinds(warehouse) == [("reconnect", None), *told_again]
    # At the reconnect the snapshot is in the very frame that shows it.
    assert reasons(warehouse) == [None] * 9


def test_a_time_that_cannot_be_does_not_outshine_those_that_come(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Of the older feed, within a day it ends the books, until the next connection."""
    opening: list[dict[str, Any]] = [
        {"type": "subscriptions", "channels": []},
        {"type": "snapshot", "product_id": "BTC-USD", **OLDER_BOOK},
    ]
    for stream, time in (("older/a", "2099-01-01T00:00:00Z"), ("older/b", seconds(50))):
        lines = [*opening, {**older(1, "1"), "time": time}, older(2, "2"), *opening, older(3, "3")]
        write(tmp_path / "older", "1", lines, f"coinbase/{stream}")
    numbered = [SNAPSHOT, {**level2(1, BOOK[0]), "timestamp": "2199-01-01T00:00:00Z"}]
    numbered += [
        {**SNAPSHOT, "timestamp": seconds(20)},
        {**level2(1, BOOK[0]), "timestamp": seconds(21)},
    ]
    write(tmp_path / "older", "1", numbered, "coinbase/numbered")
    warehouse = built(models, tmp_path / "older")
    late = "select stream, status, count(*) from silver.sequenced_frames group by all order by all"
    assert ask(warehouse, f"from ({late}) where status in ('late', 'reconnect')") == [
        ("coinbase/numbered", "reconnect", 1),
        ("coinbase/older/a", "reconnect", 1),
        ("coinbase/older/b", "late", 1),
        ("coinbase/older/b", "reconnect", 1),
    ]
    valid = "select stream, arg_max(is_valid, book_number) from silver.order_books group by all"
    assert {is_valid for _, is_valid in ask(warehouse, valid)} == {True}


def test_a_side_without_sizes_is_empty_and_a_text_is_no_side(
    models: CompiledModels, tmp_path: Path
) -> None:
    sides: list[Any] = [[[100, 1]], [[100, 0]], [[102, 0], [100, 1]], "abc", 5, ""]
    books = [captured("orderbook", bids=side) for side in sides]
    write(tmp_path, "1", books, "ccxt/orderbook")
    warehouse = built(models, tmp_path)
    assert reasons(warehouse) == [None, "one side is empty", None, *["unreadable"] * 3]


NOT_TRADES: list[dict[str, Any]] = [
    {"price": None},
    {"price": "0"},
    {"price": "1e300"},
    {"price": "1e-300"},
    {"size": ""},
    {"size": "1e20"},
    {"time": "infinity"},
    {"time": "290000-01-01T00:00:00Z"},
    {"time": "1970-01-21T16:20:00Z"},
    {"time": "2026-10-03T12:00:01Z"},
]


def test_what_no_bar_could_hold_is_no_trade(models: CompiledModels, tmp_path: Path) -> None:
    """One such trade, once it is held, would stop the bars of all markets in every build."""
    trades = [trade(trade_id=str(number), **odd) for number, odd in enumerate(NOT_TRADES)]
    trades.append(trade(trade_id="good"))
    write(tmp_path, "1", [frame(0, "market_trades", {"type": "update", "trades": trades})])
    far = captured("trades", timestamp=9_223_372_036_854_775)
    second = captured("trades", trade_id="", id="2")
    write(tmp_path, "1", [far, second], "ccxt/trades")
    warehouse = built(models, tmp_path)
    assert ask(warehouse, "select trade_id from silver.trades order by all") == [("2",), ("good",)]
    assert ask(warehouse, "select count(*) from silver.rejected_feed_records") == [
        (len(NOT_TRADES) + 1,)
    ]


# CCXT's id, the side by CCXT, what the exchange sent, and who took. As CCXT 4.5.90 gives them:
# coinbaseexchange turns round what the exchange says of the maker, unless it has both orders' ids.
CCXT_SIDES: list[tuple[str, str | None, dict[str, str] | None, str | None]] = [
    ("binance", "buy", None, "buy"),
    ("coinbase", "buy", {"side": "BUY"}, "sell"),
    ("coinbase", "sell", None, "buy"),
    ("coinbase", None, {"side": "UNKNOWN_ORDER_SIDE"}, None),
    ("coinbaseadvanced", "sell", {"side": "SELL"}, "buy"),
    ("coinbaseexchange", "buy", {"side": "sell"}, "buy"),
    ("coinbaseexchange", "sell", {"side": "buy"}, "sell"),
    ("coinbaseexchange", "sell", {"side": "sell", "taker_order_id": "2"}, "buy"),
    ("coinbaseexchange", "buy", None, "buy"),
    ("coinbasepro", "buy", {"side": "sell"}, "buy"),
    ("coinbaseinternational", "buy", {"direction": "buy"}, "buy"),
    ("coinbaseinternational", "sell", {"aggressor_side": "SELL"}, "sell"),
    ("coinbasetomorrow", "buy", {"side": "buy"}, None),
]


def test_a_captured_trade_is_of_the_side_that_took(models: CompiledModels, tmp_path: Path) -> None:
    """CCXT's ids of Coinbase name the maker, or who took, or the one and the other."""
    lines = [
        captured("trades", exchange=exchange, trade_id=str(number), side=side)
        | ({"info_json": json.dumps(info)} if number % 2 else {"info": info})
        for number, (exchange, side, info, _) in enumerate(CCXT_SIDES)
    ]
    write(tmp_path, "1", lines, "ccxt/trades")
    sides = dict(ask(built(models, tmp_path), "select trade_id, side from bronze.ccxt_trades"))
    assert sides == {str(number): side for number, (*_, side) in enumerate(CCXT_SIDES)}


def test_a_frame_without_its_list_is_turned_away(models: CompiledModels, tmp_path: Path) -> None:
    """A format that has moved on must not look like a quiet market."""
    moved = frame(0, "market_trades", {"type": "update", "fills": [trade()]})
    bare = {**frame(1, "ticker"), "events": None}
    write(tmp_path, "1", [moved, bare, frame(2, "ticker")])
    warehouse = built(models, tmp_path)
    assert ask(
        warehouse,
        "select distinct feed_table, line from silver.rejected_feed_records order by line",
    ) == [("coinbase_trades", 1), ("coinbase_tickers", 2)]


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_venue_may_begin_anew_with_its_numbers(
    models: CompiledModels, tmp_path: Path, cut: int
) -> None:
    """An hour on, the same id is another trade, in one build or in two."""
    told = [trade(), trade(time="2026-10-01T15:00:00Z", price="130")]
    frames = [
        frame(number, "market_trades", {"type": "update", "trades": [one]})
        for number, one in enumerate(told)
    ]
    write(tmp_path, "1", frames[:cut])
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", frames[cut:])
    load(tmp_path, warehouse)
    models.build(warehouse)
    assert ask(warehouse, "select price from silver.trades order by all") == [(100,), (130,)]


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4])
def test_no_return_looks_back_at_a_trade_that_came_after(
    models: CompiledModels, tmp_path: Path, cut: int
) -> None:
    """A trade told late has no return; the next one goes on from the one traded last."""
    frames = [
        frame(number, "market_trades", {"type": "update", "trades": [told]})
        for number, told in enumerate(
            trade(trade_id=str(second), time=seconds(second), price=str(100 + second))
            for second in (1, 3, 2, 4)
        )
    ]
    write(tmp_path, "1", frames[:cut])
    warehouse = built(models, tmp_path)
    write(tmp_path, "2", frames[cut:])
    load(tmp_path, warehouse)
    models.build(warehouse)
    returns = ask(warehouse, "select exp(log_return) from silver.trades order by trade_number")
    assert [found for (found,) in returns] == [
        None,
        pytest.approx(103 / 101),
        None,
        pytest.approx(104 / 103),
    ]


def test_a_trade_told_again_more_exactly_is_the_same(
    models: CompiledModels, tmp_path: Path
) -> None:
    """In one build it is known by its id; in two it must be as well."""
    for name, time in (("1", seconds(1.123)), ("2", seconds(1.123456))):
        told = {"type": "update", "trades": [trade(time=time)]}
        write(tmp_path, name, [frame(int(name), "market_trades", told)])
        warehouse = built(models, tmp_path)
    assert ask(warehouse, "select count(*) from silver.trades") == [(1,)]


def test_a_time_of_the_exchange_that_cannot_be_is_turned_away(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Before 2009, as of seconds, or more than a day after the capture, as of microseconds."""
    noon = int(START.timestamp() * 1000)
    first = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp() * 1000)
    ahead = noon + 86_400_000
    cannot_be = [0, noon // 1000, first - 1, ahead + 1, noon * 1000, noon * 10**6, "noon"]
    for place, time in enumerate([first, ahead, *cannot_be]):
        for feed in ("orderbook", "trades", "ticker"):
            record = captured(feed, timestamp=time, last=100, trade_id=str(place))
            write(tmp_path, f"{place}", [record], f"ccxt/{feed}")
    warehouse = built(models, tmp_path)
    can_be = [(datetime(2009, 1, 1),), (START.replace(tzinfo=None) + timedelta(days=1),)]
    for table, time in (
        ("order_books where is_valid", "booked_at"),
        ("trades", "traded_at"),
        ("tickers", "ticked_at"),
    ):
        found = ask(warehouse, f"select {time} from silver.{table} order by all")
        assert found == can_be, table
    rejected = """
        select feed_table, count(*) from silver.rejected_feed_records
        where field = 'timestamp' and reason like '%from 2009%' group by all order by all
    """
    assert ask(warehouse, rejected) == [
        (f"ccxt_{table}", len(cannot_be)) for table in ("order_books", "tickers", "trades")
    ]
    others = "select distinct booked_at, invalid_reason from silver.order_books where not is_valid"
    assert ask(warehouse, others) == [(START.replace(tzinfo=None), "unreadable")]


@pytest.mark.parametrize("is_incremental", [False, True])
def test_a_captured_line_told_twice_is_one_row(
    models: CompiledModels, tmp_path: Path, is_incremental: bool
) -> None:
    """The second is shown, of another segment too (one that grew); one that differs is a row."""
    warehouse = tmp_path / "all" / WAREHOUSE
    for name in ("1", "2"):
        for feed, wide in (("orderbook", {"nonce": 1}), ("ticker", {"last": 100})):
            first = captured(feed, **wide)
            other = first | {"nonce": 2, "last": 101}
            lines = [first, other, first, first]
            if name == "2":
                lines = [first, captured(feed, **wide, symbol="ETH/USD"), captured(feed)]
            write(tmp_path, name, lines, f"ccxt/{feed}")
        load(tmp_path, warehouse)
        if is_incremental or name == "2":
            models.build(warehouse)
    for table in ("order_books", "tickers"):
        assert ask(warehouse, f"select count(*) from silver.{table}") == [(4,)]
    shown = """
        select feed_table, line, field, reason from silver.rejected_feed_records order by all
    """
    assert ask(warehouse, shown) == [
        (f"ccxt_{table}", line, "line", "told before")
        for table in ("order_books", "tickers")
        for line in (1, 3, 4)
    ]


def test_batched_tickers_are_tickers(models: CompiledModels, tmp_path: Path) -> None:
    """Coinbase tells them on a channel of their own, every five seconds and without quotes."""
    tickers = [{"product_id": "BTC-USD", "price": "100"}]
    frames = [
        frame(number, channel, {"type": "update", "tickers": tickers})
        for number, channel in enumerate(("ticker", "ticker_batch", "candles"))
    ]
    write(tmp_path, "1", frames)
    assert ask(
        built(models, tmp_path), "select epoch(ticked_at) % 60, last_price from silver.tickers"
    ) == [(0, 100), (1, 100)]


@pytest.mark.parametrize("is_damaged", [False, True])
def test_numbers_in_names_of_segments_go_by_value(
    models: CompiledModels, tmp_path: Path, is_damaged: bool
) -> None:
    """segment_10 follows on segment_9. Of the older feed, one that is damaged is missed."""
    for second in range(1, 13):
        write(tmp_path, f"segment_{second}", [level2(second, *BOOK, type="snapshot")])
        lines = [*OLDER_OPENING, older(1, "1")] if second == 1 else [older(second, "2")]
        write(tmp_path, f"segment_{second}", lines, "coinbase/older")
    if is_damaged:
        older_9 = tmp_path / "raw/ready/coinbase/older/segment_9.ndjson"
        older_9.unlink()
        older_9.with_suffix(".ndjson.gz").write_bytes(b"no gzip")
    warehouse = tmp_path / WAREHOUSE
    settings = Settings(warehouse=warehouse, segments=tmp_path, loaded_segments=Disposal.KEEP)
    ingest_order_books(settings, run_id="run", clock=SimulatedClock(START))
    models.build(warehouse)
    assert kinds(warehouse) == ([("unreadable", None)] if is_damaged else [])
    valid = "select stream, count(*) filter (is_valid) from silver.order_books group by all"
    assert dict(ask(warehouse, valid)) == {
        "coinbase": 12,
        "coinbase/older": 8 if is_damaged else 12,
    }


def test_a_ticker_with_an_unreadable_quote_is_shown(models: CompiledModels, tmp_path: Path) -> None:
    """Of either feed; a quote of 0 or none at all is no fault."""
    noon = int(START.timestamp() * 1000)
    quotes = [("99", "101"), ("abc", "101"), ("99", "-1"), ("0", None)]
    tickers = [
        {"product_id": "BTC-USD", "price": "100", "best_bid": bid, "best_ask": ask_price}
        for bid, ask_price in quotes
    ]
    write(tmp_path, "1", [frame(0, "ticker", {"type": "update", "tickers": tickers})])
    lines = [
        captured("ticker", last=100, bid=bid, ask=ask_price, collected_at=noon + number)
        for number, (bid, ask_price) in enumerate(quotes)
    ]
    write(tmp_path, "1", lines, "ccxt/ticker")
    warehouse = built(models, tmp_path)
    shown = "select feed_table, field, value from silver.rejected_feed_records order by all"
    assert ask(warehouse, shown) == [
        ("ccxt_tickers", "ask", "-1"),
        ("ccxt_tickers", "bid", "abc"),
        ("coinbase_tickers", "best_ask", "-1"),
        ("coinbase_tickers", "best_bid", "abc"),
    ]
    counts = "select feed, count(*) from silver.tickers group by all order by all"
    assert ask(warehouse, counts) == [("ccxt", 2), ("coinbase", 2)]


def test_what_cannot_be_read_is_shown_and_stops_nothing(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Values beyond what the replay, the calendar or a sum holds, and lists that are not there."""

    def frame(number: int, channel: str, **event: object) -> str:
        time = f"2026-10-01T12:00:0{number}Z"
        return json.dumps(
            {"channel": channel, "sequence_num": number, "timestamp": time, "events": [event]}
        )

    def level(side: str, price: str, size: str) -> dict[str, str]:
        return {"side": side, "price_level": price, "new_quantity": size}

    def trade(number: int, **fields: str) -> dict[str, str]:
        told = {"price": "100", "size": "1", "time": "2026-10-01T12:00:00Z", "side": "SELL"}
        return {"product_id": "BTC-USD", "trade_id": str(number), **told, **fields}

    book = [level("bid", "100", "1"), level("offer", "101", "1e-3")]
    trades = [trade(1), trade(2, time="infinity"), trade(3, price=""), trade(4, size="1e300")]
    lines = [
        frame(0, "l2_data", type="snapshot", product_id="BTC-USD", updates=book),
        frame(1, "market_trades", type="update", trades=trades),
        frame(2, "market_trades", type="update"),
        frame(
            3,
            "l2_data",
            type="update",
            product_id="BTC-USD",
            updates=[level("bid", "50000000000", "1")],
        ),
        frame(4, "l2_data", type="update", product_id="BTC-USD", updates=[]),
    ]
    ready = tmp_path / "raw/ready"
    (ready / "coinbase").mkdir(parents=True)
    (ready / "coinbase/segment_20261001T120000_00001.ndjson").write_text("\n".join(lines))
    captured = {"exchange": "binance", "symbol": "BTC/USDT", "collected_at": 1_790_856_000_000}
    books = [
        {**captured, "bids": "no list", "asks": [[101, 1]]},
        {**captured, "bids": [[100, 0]], "asks": [[101, 1]]},
        {**captured, "bids": [[100, 1], [100, 2]], "asks": [[101, 1]]},
        {**captured, "bids": [[100, 1]], "asks": [[101, 1]]},
    ]
    (ready / "ccxt/orderbook").mkdir(parents=True)
    (ready / "ccxt/orderbook/segment_1.ndjson").write_text("\n".join(map(json.dumps, books)))
    warehouse = built(models, tmp_path)
    rejected = ask(
        warehouse, "select feed_table, line, field from silver.rejected_feed_records order by all"
    )
    assert rejected == [
        ("ccxt_order_books", 1, "bids"),
        ("coinbase_level2_updates", 4, "price_level"),
        ("coinbase_trades", 2, "price"),
        ("coinbase_trades", 2, "size"),
        ("coinbase_trades", 2, "time"),
        *(
            ("coinbase_trades", 3, name)
            for name in ("price", "product_id", "size", "time", "trade_id")
        ),
    ]
    assert ask(warehouse, "select trade_id from silver.trades") == [("1",)]
    assert ask(
        warehouse, "select source, invalid_reason from silver.order_books order by book_number"
    ) == [
        ("captured", "unreadable"),
        ("captured", "one side is empty"),
        ("captured", "not in order of price"),
        ("captured", None),
        ("replayed", None),
        ("replayed", "sequence gap"),
        ("replayed", "sequence gap"),
    ]
