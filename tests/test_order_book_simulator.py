"""The simulator of level-2 streams: its wire formats, its truth, its faults and its files."""

import gzip
import itertools
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.simulator.order_books import (
    BITCOIN,
    ETHER,
    Book,
    BookFaults,
    CcxtSettings,
    Frame,
    LevelTwoStream,
    Line,
    MarketSettings,
    OneIn,
    Product,
    TouchedLine,
    Trade,
    Written,
    write_ccxt_segments,
)
from ingestion.simulator.order_books.ccxt import SCHEMAS, CcxtRecorder, FileFormat, Table
from ingestion.simulator.order_books.feeds import Instants
from ingestion.simulator.order_books.segments import Compression
from ingestion.simulator.order_books.stream import FeedName

Message = dict[str, Any]
Levels = dict[Decimal, Decimal]
Sides = tuple[Levels, Levels]

SHALLOW = (replace(BITCOIN, depth=150), replace(ETHER, depth=80))
SMALL = MarketSettings(products=SHALLOW)
FEEDS: tuple[FeedName, ...] = ("advanced_trade", "exchange")
COUNT = 4_000
SIDES = {"bid": 0, "buy": 0, "offer": 1, "sell": 1}


def apply(books: dict[str, Sides], message: Message) -> str | None:
    """Replay one message of either feed into plain dicts; the product whose book it is of."""
    if message.get("channel") == "l2_data":
        (event,) = message["events"]
        product, is_snapshot = event["product_id"], event["type"] == "snapshot"
        rows = [(u["side"], u["price_level"], u["new_quantity"]) for u in event["updates"]]
    elif message.get("type") in ("snapshot", "l2update"):
        product, is_snapshot = message["product_id"], message["type"] == "snapshot"
        rows = [tuple(change) for change in message.get("changes", ())]
        rows += [("buy", *level) for level in message.get("bids", ())]
        rows += [("sell", *level) for level in message.get("asks", ())]
    else:
        return None
    if is_snapshot:
        books[product] = ({}, {})
    for side, price, size in rows:
        levels = books[product][SIDES[side]]
        levels[Decimal(price)] = Decimal(size)
        if not levels[Decimal(price)]:
            del levels[Decimal(price)]
    return str(product)


def true_sides(book: Book) -> Sides:
    """The whole true book in decimals."""
    product = book.product
    bids, asks = (
        {product.price(price): product.size(size) for price, size in levels}
        for levels in (book.bids(), book.asks())
    )
    return bids, asks


def parsed(frames: Iterable[Frame]) -> Iterator[tuple[Frame, Message]]:
    """Frames with their JSON."""
    for frame in frames:
        yield frame, json.loads(frame.content)


def contents(lines: Iterable[Line]) -> list[bytes]:
    """The lines that are written."""
    return [line.content for line in lines if line.content]


def spoilt_by(count: int = 400, **faults: Any) -> list[Line]:
    """The lines of a small stream with some faults."""
    return list(LevelTwoStream(SMALL, BookFaults(**faults)).lines(count))


def plain(count: int = 400) -> list[bytes]:
    """The lines of the same stream without any."""
    return contents(LevelTwoStream(SMALL).lines(count))


def read_lines(written: Written) -> list[bytes]:
    """What all files hold, in order."""
    return [line for path in written.paths for line in read(path).splitlines(keepends=True)]


def read(path: Path) -> bytes:
    """A file, decompressed."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        content: bytes = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd").read()
        return content
    return path.read_bytes()


@pytest.mark.parametrize("feed", FEEDS)
def test_the_written_frames_replay_to_the_true_book(feed: FeedName) -> None:
    books: dict[str, Sides] = {}
    replayed = 0
    stream = LevelTwoStream(SMALL, BookFaults(reconnect_at=(1_500,)), feed)
    for frame, message in parsed(stream.frames(COUNT)):
        product = apply(books, message)
        assert (product is None) == (frame.updates is None)
        if product is None:
            continue
        assert frame.book is not None
        bids, asks = books[product]
        assert (bids, asks) == true_sides(frame.book)
        assert max(bids) < min(asks)
        assert frame.book.best_bid == frame.book.bids(1)[0] == frame.book.bids()[0]
        assert frame.book.best_ask == frame.book.asks(1)[0] == frame.book.asks()[0]
        replayed += 1
    assert replayed > COUNT / 2


@pytest.mark.parametrize("feed", FEEDS)
def test_updates_hold_each_level_once_and_tell_of_the_frame(feed: FeedName) -> None:
    for frame in LevelTwoStream(SMALL, feed=feed).frames(1_000):
        if frame.updates is None:
            continue
        assert frame.product_id is not None
        levels = [(side, price if side else -price) for side, price, _ in frame.updates]
        assert levels == sorted(set(levels))
        assert frame.book is not None
        for side, price, size in frame.updates:
            assert dict((frame.book.bids, frame.book.asks)[side]()).get(price, 0) == size


@pytest.mark.parametrize("feed", FEEDS)
def test_the_same_seed_writes_the_same_bytes(feed: FeedName, tmp_path: Path) -> None:
    stream = LevelTwoStream(SMALL, feed=feed)
    for compression in ("none", "gzip", "zstd"):
        files = [
            stream.write(tmp_path / name, frames=900, frames_per_segment=400).paths
            for name in (f"{compression}-one", f"{compression}-two")
        ]
        for one, two in zip(*files, strict=True):
            assert one.name == two.name
            assert one.read_bytes() == two.read_bytes()
    other = LevelTwoStream(replace(SMALL, seed=8), feed=feed)
    assert contents(other.lines(50)) != contents(stream.lines(50))


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ingestion.simulator.order_books", "--frames", "300"]
    for hash_seed in ("1", "2"):
        subprocess.run(
            [*command, "--root", str(tmp_path / hash_seed), "--ccxt-steps", "100"],
            check=True,
            env={"PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).resolve().parent.parent,
            capture_output=True,
        )
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in files}
        for name, files in (
            (name, sorted((tmp_path / name).rglob("segment_*"))) for name in ("1", "2")
        )
    )
    assert len(one) == 4
    assert one == two


def test_sequence_numbers_count_every_frame_of_a_connection() -> None:
    stream = LevelTwoStream(SMALL, BookFaults(reconnect_at=(700, 1_100)))
    messages = list(parsed(stream.frames(1_500)))
    numbers = [message["sequence_num"] for _, message in messages]
    assert numbers == [*range(700), *range(400), *range(400)]
    assert [frame.connection for frame, _ in messages] == [0] * 700 + [1] * 400 + [2] * 400
    assert [frame.number for frame, _ in messages] == list(range(1_500))
    assert numbers == [frame.sequence for frame, _ in messages]


def test_a_heartbeat_comes_every_second_of_a_connection() -> None:
    stream = LevelTwoStream(SMALL, BookFaults(reconnect_at=(700,), steps_away=300))
    beats: dict[int, list[int]] = defaultdict(list)
    for frame, message in parsed(stream.frames(1_400)):
        if frame.channel == "heartbeats":
            beats[frame.connection].append(message["events"][0]["heartbeat_counter"])
    for counters in beats.values():
        assert counters == list(range(counters[0], counters[0] + len(counters)))
        assert len(counters) > 10
    assert beats[1][0] > beats[0][-1] + 5


@pytest.mark.parametrize("feed", FEEDS)
def test_every_connection_shows_every_book_again(feed: FeedName) -> None:
    frames = LevelTwoStream(SMALL, BookFaults(reconnect_at=(700,)), feed).frames(1_500)
    shown: dict[int, list[str | None]] = defaultdict(list)
    for frame in frames:
        if frame.updates is not None:
            if frame.is_snapshot:
                shown[frame.connection].append(frame.product_id)
            assert frame.product_id in shown[frame.connection]
    assert shown == {0: ["BTC-USD", "ETH-USD"], 1: ["BTC-USD", "ETH-USD"]}


def test_frames_are_as_coinbase_sends_them() -> None:
    channels: set[tuple[str, str | None]] = set()
    last = ""
    spelled = set()
    for frame, message in parsed(LevelTwoStream(SMALL).frames(COUNT)):
        assert list(message) == ["channel", "timestamp", "sequence_num", "events"]
        assert message["channel"] == frame.channel
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z", message["timestamp"]
        )
        sent = nanoseconds(message["timestamp"])
        assert sent == f"{frame.sent_at:020d}" > last
        last = sent
        (event,) = message["events"]
        channels.add((frame.channel, event.get("type")))
        if frame.channel == "heartbeats":
            pattern = r"2026-10-01 12:\d\d:\d\d\.\d{9} \+0000 UTC m=\+\d+\.\d{9}"
            assert re.fullmatch(pattern, event["current_time"])
        for update in event.get("updates", ()):
            assert list(update) == ["side", "event_time", "price_level", "new_quantity"]
            if not Decimal(update["new_quantity"]):
                spelled.add(update["new_quantity"])
            else:
                assert update["new_quantity"] == shortest(update["new_quantity"])
    assert spelled == {"0", "0.0", "0.00", "0.00000000"}
    assert channels == {
        ("subscriptions", None),
        ("heartbeats", None),
        *itertools.product(("l2_data", "market_trades", "ticker"), ("snapshot", "update")),
    }


def shortest(text: str) -> str:
    """A decimal without trailing zeros."""
    return f"{Decimal(text):f}".rstrip("0").rstrip(".") if "." in text else text


def nanoseconds(text: str) -> str:
    """An RFC 3339 instant as 20 digits of nanoseconds since 1970."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    second = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return f"{second * 10**9 + int(fraction.ljust(9, '0')):020d}"


def test_instants_with_and_without_a_fraction() -> None:
    instants, second = Instants(), 1_786_309_548
    assert instants.short(second * 10**9) == "2026-08-09T21:05:48Z"
    assert instants.short(second * 10**9 + 50_000_000) == "2026-08-09T21:05:48.05Z"
    assert instants.microseconds(second * 10**9 + 1_999) == "2026-08-09T21:05:48.000001Z"
    assert instants.go(second * 10**9 + 1) == "2026-08-09 21:05:48.000000001 +0000 UTC"


def test_empty_updates_and_deletes_of_levels_never_shown_occur() -> None:
    books: dict[str, Sides] = {}
    empty = orphans = deletes = 0
    for frame, message in parsed(LevelTwoStream(SMALL).frames(COUNT)):
        if frame.updates is not None and not frame.is_snapshot and frame.book is not None:
            empty += not message["events"][0]["updates"]
            for side, price, size in frame.updates:
                known = books[frame.book.product.product_id][side]
                deletes += not size
                orphans += not size and frame.book.product.price(price) not in known
        apply(books, message)
    assert 3 < empty < 60
    assert 0.02 < orphans / deletes < 0.12


def test_a_trade_takes_its_size_from_the_best_level_it_hits() -> None:
    books: dict[str, Sides] = {}
    expected: dict[str, dict[tuple[int, Decimal], Decimal]] = {}
    fills = sweeps = compared = 0
    for _, message in parsed(LevelTwoStream(SMALL).frames(COUNT)):
        (event,) = message["events"]
        # The wire has the newest trade first, and the maker's side.
        trades = list(reversed(event["trades"])) if "trades" in event else []
        product = trades[0]["product_id"] if trades else ""
        if product in books:
            sides = tuple(dict(side) for side in books[product])
            expected[product] = {}
            for trade in trades:
                number, best = (0, max) if trade["side"] == "BUY" else (1, min)
                price, size = Decimal(trade["price"]), Decimal(trade["size"])
                assert price == best(sides[number])
                rest = sides[number].pop(price) - size
                assert size > 0
                assert rest >= 0
                if rest:
                    sides[number][price] = rest
                expected[product][number, price] = rest
                fills += 1
                sweeps += not rest
        name = apply(books, message)
        if name in expected:
            # Nothing else touches a level in the step in which it traded.
            for (number, price), rest in expected.pop(name).items():
                assert books[name][number].get(price, 0) == rest
                compared += 1
    assert fills > 200
    assert sweeps > 20
    assert compared > 200
    assert not expected


def test_trades_follow_one_another_and_the_truth_has_the_aggressor() -> None:
    last_ids: dict[str, int] = {}
    sides: Counter[str] = Counter()
    for frame, message in parsed(LevelTwoStream(SMALL).frames(COUNT)):
        if frame.channel != "market_trades":
            continue
        wire = list(reversed(message["events"][0]["trades"]))
        assert len(wire) == len(frame.trades) <= 100
        for sent, trade in zip(wire, frame.trades, strict=True):
            assert sent["trade_id"] == str(trade.trade_id)
            assert sent["side"] == {"buy": "SELL", "sell": "BUY"}[trade.aggressor]
            assert nanoseconds(sent["time"]) == f"{trade.happened_at:020d}"
            assert trade.happened_at < frame.sent_at
            product = next(p for p in SHALLOW if p.product_id == trade.product_id)
            assert Decimal(sent["price"]) == product.price(trade.price)
            assert Decimal(sent["size"]) == product.size(trade.size)
            if not frame.is_snapshot:
                assert trade.trade_id == last_ids[trade.product_id] + 1
                sides[trade.aggressor] += 1
            last_ids[trade.product_id] = trade.trade_id
    assert min(sides["buy"], sides["sell"]) > 100


def test_the_trades_missed_while_away_are_in_the_next_snapshot() -> None:
    faults = BookFaults(reconnect_at=(2_000,), steps_away=200)
    seen: dict[str, list[Trade]] = defaultdict(list)
    missed = 0
    for frame in LevelTwoStream(SMALL, faults).frames(2_500):
        if frame.channel != "market_trades" or frame.product_id is None:
            continue
        known = seen[frame.product_id]
        if frame.is_snapshot:
            assert frame.trades[-1].happened_at < frame.sent_at
            if known:
                missed += sum(trade not in known for trade in frame.trades)
        else:
            known.extend(frame.trades)
    assert missed > 5


@pytest.mark.parametrize("feed", FEEDS)
def test_tickers_carry_the_best_of_the_true_book(feed: FeedName) -> None:
    tickers = 0
    last_prices: dict[str, Decimal] = {}
    for frame, message in parsed(LevelTwoStream(SMALL, feed=feed).frames(COUNT)):
        for trade in frame.trades:
            product = next(p for p in SHALLOW if p.product_id == trade.product_id)
            last_prices[trade.product_id] = product.price(trade.price)
        if frame.channel != "ticker" or frame.book is None:
            continue
        ticker = message["events"][0]["tickers"][0] if "events" in message else message
        bids, asks = true_sides(frame.book)
        size = "quantity" if "events" in message else "size"
        assert Decimal(ticker["best_bid"]) == max(bids)
        assert Decimal(ticker["best_ask"]) == min(asks)
        assert Decimal(ticker[f"best_bid_{size}"]) == bids[max(bids)]
        assert Decimal(ticker[f"best_ask_{size}"]) == asks[min(asks)]
        assert Decimal(ticker["price"]) == last_prices[ticker["product_id"]]
        tickers += 1
    assert tickers > COUNT / 30


def test_both_feeds_and_ccxt_tell_of_the_same_trades() -> None:
    flows = []
    for feed in FEEDS:
        frames = LevelTwoStream(SMALL, feed=feed).frames(COUNT)
        flows.append([t for frame in frames if not frame.is_snapshot for t in frame.trades])
    shorter = min(map(len, flows))
    assert shorter > 200
    assert flows[0][:shorter] == flows[1][:shorter]
    rows = [
        row for table, row in CcxtRecorder(SMALL, CcxtSettings()).rows(3_000) if table == "trades"
    ]
    assert len(rows) > 200
    for row, trade in zip(rows, flows[0], strict=False):
        assert (row["trade_id"], row["side"]) == (str(trade.trade_id), trade.aggressor)
        assert row["symbol"] == trade.product_id.replace("-", "/")


def test_the_exchange_feed_is_as_archives_hold_it() -> None:
    keys: dict[str, set[str]] = {}
    sequences: dict[str, int] = {}
    for _, message in parsed(LevelTwoStream(SMALL, feed="exchange").frames(COUNT)):
        keys.setdefault(message["type"], set(message))
        assert keys[message["type"]] == set(message)
        if "sequence" in message:
            assert message["sequence"] >= sequences.get(message["product_id"], 0)
            sequences[message["product_id"]] = message["sequence"]
        for side, price, size in message.get("changes", ()):
            assert side in ("buy", "sell")
            assert re.fullmatch(r"\d+\.\d{2}", price)
            assert re.fullmatch(r"\d+\.\d{8}", size)
    match = {"type", "trade_id", "maker_order_id", "taker_order_id", "side", "size", "price"}
    match |= {"product_id", "sequence", "time"}
    ticker = {"type", "sequence", "product_id", "price", "open_24h", "volume_24h", "low_24h"}
    ticker |= {"high_24h", "volume_30d", "best_bid", "best_bid_size", "best_ask"}
    ticker |= {"best_ask_size", "side", "time", "trade_id", "last_size"}
    assert keys == {
        "subscriptions": {"type", "channels"},
        "snapshot": {"type", "product_id", "bids", "asks"},
        "l2update": {"type", "product_id", "time", "changes"},
        "match": match,
        "last_match": match,
        "ticker": ticker,
        "heartbeat": {"type", "sequence", "last_trade_id", "product_id", "time"},
    }


def test_dropped_duplicated_and_swapped_lines() -> None:
    was = plain()
    lines = spoilt_by(dropped=(50, 51))
    assert contents(lines) == was[:50] + was[52:]
    assert [line.frame.number for line in lines if "dropped" in line.faults] == [50, 51]
    lines = spoilt_by(duplicated=(50,))
    assert contents(lines) == [*was[:51], *was[50:]]
    assert [line.faults for line in lines[50:52]] == [(), ("duplicated",)]
    lines = spoilt_by(swapped=(50, 399))
    assert contents(lines) == [*was[:50], was[51], was[50], *was[52:]]
    assert [number for number, line in enumerate(lines) if line.faults] == [50, 51]


def test_lines_that_hold_no_frame_and_marks_in_front_of_lines() -> None:
    was = plain()
    lines = spoilt_by(no_json_before=(50, 60, 61, 62), blank_before=(60,), byte_order_mark_at=(70,))
    spoilt = contents(lines)
    others = [line.content for line in lines if not line.holds_frame]
    assert spoilt[50] == others[0]
    assert others[1] == b"\n"
    for text in (*others[:1], *others[2:]):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
    assert [line.faults for line in lines if not line.holds_frame] == [
        ("no_json_before",),
        ("blank_before",),
        *[("no_json_before",)] * 3,
    ]
    frames = [line for line in lines if line.holds_frame]
    assert frames[70].content == b"\xef\xbb\xbf" + was[70]
    assert frames[70].faults == ("byte_order_mark_at",)
    assert [line.content for line in frames[:70] + frames[71:]] == was[:70] + was[71:]


@pytest.mark.parametrize("feed", FEEDS)
def test_values_that_cannot_be(feed: FeedName) -> None:
    faults = BookFaults(negative_size=(50,), not_a_number_size=(90,), crossed_snapshot=(0,))
    stream = LevelTwoStream(SMALL, faults, feed)
    lines, was = list(stream.lines(400)), contents(LevelTwoStream(SMALL, feed=feed).lines(400))
    spoilt = {fault: line for line in lines for fault in line.faults}
    assert set(spoilt) == {"negative_size", "not_a_number_size", "crossed_snapshot"}
    different = [number for number, line in enumerate(lines) if line.content != was[number]]
    assert different == sorted(line.frame.number for line in spoilt.values())
    assert 50 <= spoilt["negative_size"].frame.number < 60
    assert first_sizes(spoilt["negative_size"])[0] < 0
    assert 90 <= spoilt["not_a_number_size"].frame.number < 100
    assert first_sizes(spoilt["not_a_number_size"])[0].is_nan()
    assert spoilt["crossed_snapshot"].frame.is_snapshot
    books: dict[str, Sides] = {}
    product = apply(books, json.loads(spoilt["crossed_snapshot"].content))
    assert product is not None
    assert max(books[product][0]) > min(books[product][1])


def first_sizes(line: Line) -> list[Decimal]:
    """The sizes of a line's updates."""
    message = json.loads(line.content)
    if "changes" in message:
        return [Decimal(size) for _, _, size in message["changes"]]
    return [Decimal(update["new_quantity"]) for update in message["events"][0]["updates"]]


def test_faults_by_chance_are_the_same_every_time() -> None:
    faults = BookFaults(
        dropped=OneIn(40),
        duplicated=OneIn(40),
        swapped=OneIn(40),
        byte_order_mark_at=OneIn(40),
        no_json_before=OneIn(40),
        blank_before=OneIn(40),
        negative_size=OneIn(40),
        not_a_number_size=OneIn(40),
        crossed_snapshot=OneIn(1),
    )
    stream = LevelTwoStream(SMALL, faults)
    lines = list(stream.lines(2_000))
    assert contents(lines) == contents(stream.lines(2_000))
    counts = Counter(fault for line in lines for fault in line.faults)
    assert counts.pop("crossed_snapshot") == 2
    assert set(counts) == {
        column.name
        for column in fields(BookFaults)
        if isinstance(getattr(faults, column.name), OneIn) and column.name != "crossed_snapshot"
    }
    assert all(20 < count < 130 for count in counts.values())
    other = LevelTwoStream(replace(SMALL, seed=8), faults)
    assert [x.frame.number for x in other.lines(2_000) if x.faults] != [
        x.frame.number for x in lines if x.faults
    ]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_segments_hold_the_stream_once_and_in_order(
    tmp_path: Path, compression: Compression
) -> None:
    stream = LevelTwoStream(SMALL)
    written = stream.write(tmp_path, frames=1_050, frames_per_segment=500, compression=compression)
    suffix = {"none": "", "gzip": ".gz", "zstd": ".zst"}[compression]
    ready = tmp_path / "raw" / "ready" / "coinbase"
    assert sorted(ready.iterdir()) == written.paths
    assert not list((tmp_path / "raw" / "active").rglob("segment*"))
    for number, path in enumerate(written.paths, 1):
        pattern = rf"segment_20261001T1200\d\d_{number:05d}\.ndjson{re.escape(suffix)}"
        assert re.fullmatch(pattern, path.name)
    assert [read(path).count(b"\n") for path in written.paths] == [500, 500, 50]
    assert read_lines(written) == contents(stream.lines(1_050))
    assert written.frames == 1_050
    assert written.content_bytes == sum(map(len, read_lines(written)))
    assert written.updates == sum(len(frame.updates or ()) for frame in stream.frames(1_050))
    assert not written.touched
    count = duckdb.execute(
        f"select count(*) from read_csv('{ready}/*', delim = '', quote = '', escape = '', "
        "header = false, columns = {'line': 'varchar'})"
    ).fetchall()
    assert count == [(1_050,)]


def test_touched_lines_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    faults = BookFaults(
        dropped=(30, 99),
        duplicated=(60,),
        swapped=(150,),
        byte_order_mark_at=(160,),
        no_json_before=(100, 170),
        blank_before=(170,),
        negative_size=(200,),
        byte_order_mark_segments=(2,),
        truncated_segments=(1, 3),
    )
    written = LevelTwoStream(SMALL, faults).write(tmp_path, frames=299, frames_per_segment=100)
    files = {path.name: read(path).split(b"\n") for path in written.paths}
    names = [path.name for path in written.paths]
    was = [line.removesuffix(b"\n") for line in plain(299)]
    places: dict[str, list[TouchedLine]] = defaultdict(list)
    for touched in written.touched:
        places[touched.fault].append(touched)

    def content(touched: TouchedLine) -> bytes:
        return files[touched.segment][touched.line - 1]

    assert [touched.frame for touched in places["dropped"]] == [30, 99]
    assert content(places["dropped"][0]) == was[31]
    assert content(places["duplicated"][0]) == was[60] == files[names[0]][59]
    assert [content(touched) for touched in places["swapped"]] == [was[151], was[150]]
    assert content(places["byte_order_mark_at"][0]) == b"\xef\xbb\xbf" + was[160]
    assert content(places["blank_before"][0]) == b""
    assert b"-" in content(places["negative_size"][0])
    (mark,) = places["byte_order_mark_segments"]
    assert (mark.segment, mark.line) == (names[1], 1)
    assert content(mark) == b"\xef\xbb\xbf" + was[mark.frame]
    for touched, name in zip(places["truncated_segments"], (names[0], names[2]), strict=True):
        assert touched.segment == name
        assert touched.line == len(files[name])
        assert was[touched.frame].startswith(content(touched))
        assert 0 < len(content(touched)) < len(was[touched.frame])
    assert len(written.touched) == 2 + 1 + 2 + 1 + 2 + 1 + 1 + 1 + 2


def test_a_stream_ends_after_so_many_bytes(tmp_path: Path) -> None:
    written = LevelTwoStream(SMALL).write(tmp_path, content_bytes=300_000, compression="none")
    assert 300_000 <= written.content_bytes < 310_000
    assert written.content_bytes == sum(path.stat().st_size for path in written.paths)
    with pytest.raises(ValueError, match="say how many frames"):
        LevelTwoStream(SMALL).write(tmp_path)


def test_ccxt_books_are_the_true_ones_at_the_end_of_their_interval() -> None:
    recorder = CcxtRecorder(SMALL, CcxtSettings(levels=5, interval_ms=250))
    rows = [row for table, row in recorder.rows(1_500) if table == "orderbook"]
    books: dict[str, Sides] = {}
    shown: Counter[str] = Counter()
    # Changes of the old feed carry the market's own time.
    for _, message in parsed(LevelTwoStream(SMALL, feed="exchange").frames(3_000)):
        if message["type"] == "l2update":
            happened_at = int(nanoseconds(message["time"]))
            while rows and rows[0]["timestamp"] * 1_000_000 <= happened_at:
                row = rows.pop(0)
                assert row["timestamp"] % 250 == 0
                assert row["collected_at"] > row["timestamp"]
                if len(books) == 2:
                    bids, asks = books[row["symbol"].replace("/", "-")]
                    assert levels(row["bids"]) == sorted(bids.items(), reverse=True)[:5]
                    assert levels(row["asks"]) == sorted(asks.items())[:5]
                    shown[row["symbol"]] += 1
        apply(books, message)
    assert not rows
    assert min(shown["BTC/USD"], shown["ETH/USD"]) > 50


def levels(rows: list[dict[str, float]]) -> list[tuple[Decimal, Decimal]]:
    """CCXT's levels in decimals: the shortest decimal of a float is the venue's."""
    return [(Decimal(repr(row["price"])), Decimal(repr(row["size"]))) for row in rows]


TABLES: tuple[Table, ...] = ("orderbook", "trades", "ticker")


@pytest.mark.parametrize("file_format", ["parquet", "ndjson"])
def test_ccxt_segments_hold_all_rows_in_order(tmp_path: Path, file_format: FileFormat) -> None:
    recorder = CcxtSettings(has_statistics=True)
    paths = write_ccxt_segments(
        tmp_path, SMALL, recorder, steps=1_500, rows_per_segment=300, file_format=file_format
    )
    rows: dict[Table, list[Message]] = {table: [] for table in TABLES}
    for table, row in CcxtRecorder(SMALL, recorder).rows(1_500):
        rows[table].append(row)
    assert not list(tmp_path.glob("raw/active/ccxt/*/*"))
    for table, files in paths.items():
        assert sorted((tmp_path / "raw" / "ready" / "ccxt" / table).iterdir()) == files
        if file_format == "parquet":
            tables = [pq.read_table(path) for path in files]
            assert all(one.schema.equals(SCHEMAS[table]) for one in tables)
            found = [one.to_pylist() for one in tables]
        else:
            found = [[json.loads(line) for line in path.open()] for path in files]
            for row in itertools.chain(*found):
                row["capture_ts"] = datetime.fromisoformat(row["capture_ts"])
        assert [len(part) for part in found[:-1]] == [300] * (len(files) - 1)
        assert list(itertools.chain(*found)) == [
            {name: row.get(name) for name in found[0][0]} for row in rows[table]
        ]
    assert len(paths["orderbook"]) > 1


def test_ccxt_rows_are_sound() -> None:
    captured_at = 0
    for table, row in CcxtRecorder(SMALL, CcxtSettings(latency_us=-20_000)).rows(1_500):
        assert row["collected_at"] == int(row["capture_ts"].timestamp() * 1_000) >= captured_at
        captured_at = row["collected_at"]
        if table == "ticker":
            assert row["bid"] < row["ask"]
            assert row["last"] is None
        if table == "trades":
            exact = Decimal(repr(row["price"])) * Decimal(repr(row["amount"]))
            assert row["cost"] == float(exact)
            assert json.loads(row["info_json"])["m"] == (row["side"] == "sell")


@pytest.mark.parametrize("table", TABLES)
def test_ccxt_schemas_are_the_real_ones(shared_data: Path, tmp_path: Path, table: Table) -> None:
    write_ccxt_segments(tmp_path, SMALL, CcxtSettings(), steps=300)
    ours, real = (
        duckdb.execute(f"describe from '{root}/raw/ready/ccxt/{table}/*.parquet'").fetchall()
        for root in (tmp_path, shared_data / "order_books" / "ccxt")
    )
    assert ours == real


def test_frames_have_the_real_ones_keys(shared_data: Path) -> None:
    def shapes(messages: Iterable[Message]) -> dict[tuple[str, Any], set[Any]]:
        found: dict[tuple[str, Any], set[Any]] = {}
        for message in messages:
            for event in message["events"]:
                parts: list[Any] = [tuple(message), tuple(event)]
                for name in ("updates", "trades", "tickers"):
                    parts += [tuple(item) for item in event.get(name, ())]
                kind = (message["channel"], event.get("type"))
                found.setdefault(kind, set()).update(parts)
        return found

    folder = shared_data / "order_books" / "coinbase" / "raw" / "ready" / "coinbase"
    with gzip.open(next(folder.glob("*.ndjson.gz")), "rt") as lines:
        real = shapes(map(json.loads, lines))
    ours = shapes(message for _, message in parsed(LevelTwoStream(SMALL).frames(1_000)))
    assert {kind for kind in real if kind[0] != "candles"} == set(ours)
    assert ours == {kind: real[kind] for kind in ours}


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="each once"):
        MarketSettings(products=(BITCOIN, BITCOIN))
    with pytest.raises(ValueError, match="no time zone"):
        MarketSettings(start=datetime(2026, 10, 1))
    with pytest.raises(ValueError, match="twice the depth"):
        Product("X-USD", first_price=10, depth=10)
    with pytest.raises(ValueError, match="size_digits"):
        Product("X-USD", first_price=100, depth=10, size_digits=9)


PRODUCTS = st.builds(
    lambda depth, more, price_digits, size_digits: Product(
        "X-USD", 2 * depth + more, depth, price_digits, size_digits
    ),
    st.integers(4, 60),
    st.integers(0, 10**7),
    st.integers(0, 9),
    st.integers(0, 8),
)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**63),
    product=PRODUCTS,
    updates=st.integers(1, 40),
    trade_share=st.integers(0, 1_024),
    earlier=st.integers(0, 100),
    feed=st.sampled_from(FEEDS),
    reconnect_at=st.integers(1, 300),
)
def test_any_market_replays_to_its_truth(
    seed: int,
    product: Product,
    updates: int,
    trade_share: int,
    earlier: int,
    feed: FeedName,
    reconnect_at: int,
) -> None:
    market = MarketSettings(
        seed,
        products=(product, replace(product, product_id="Y-USD")),
        updates_per_step=updates,
        trade_share=trade_share,
        earlier_trades=earlier,
    )
    books: dict[str, Sides] = {}
    last = 0
    for frame, message in parsed(
        LevelTwoStream(market, BookFaults(reconnect_at=(reconnect_at,)), feed).frames(300)
    ):
        assert frame.sent_at > last
        last = frame.sent_at
        name = apply(books, message)
        if name is not None and frame.book is not None:
            bids, asks = books[name]
            assert (bids, asks) == true_sides(frame.book)
            assert 0 < max(bids) < min(asks)
            assert min(len(bids), len(asks)) >= 3
