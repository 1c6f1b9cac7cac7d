"""The order-book replay against a plain slow one, against real captures, and cut into runs."""

import csv
import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_book_captures import (
    Quote,
    UpdateList,
    binance_capture,
    coinbase_answers,
    coinbase_updates,
    units,
)

from python_models.kernels import order_book_ladder as ladder
from python_models.kernels.order_book_replay import (
    NO_FRAME,
    BookRows,
    BookSide,
    BookState,
    BookUpdates,
    OrderBook,
    UpdateKind,
    empty_state,
    replay_order_book,
)
from python_models.kernels.order_book_tables import (
    UPDATES_SCHEMA,
    ConnectionReplay,
    replay_order_books,
    whole_frames,
)

ROOT = Path(__file__).resolve().parents[1]
Row = tuple[Any, ...]
Update = tuple[int, int, int, int, int]  # frame, kind, side, price, size


def plain_replay(updates: list[Update], depth: int) -> tuple[list[Row], tuple[Any, ...]]:
    """The replay as one would first write it: a dict of price to size a side, sorted when read."""
    books: tuple[dict[int, int], dict[int, int]] = ({}, {})
    is_valid, rows, last_frame = False, [], NO_FRAME
    frames = sorted({update[0] for update in updates})
    for frame in frames:
        touched = is_snapshot = False
        counts = [0, 0, 0]
        for _, kind, side, price, size in (update for update in updates if update[0] == frame):
            if kind == UpdateKind.GAP:
                is_valid = False
                continue
            touched = True
            if kind == UpdateKind.SNAPSHOT:
                books, is_valid, is_snapshot = ({}, {}), True, True
            elif kind == UpdateKind.UPDATE:
                counts[0] += 1
                if size:
                    books[side][price] = size
                else:
                    counts[1] += 1
                    counts[2] += books[side].pop(price, None) is None
        last_frame = frame
        if touched:
            bids, asks = sorted(books[0].items(), reverse=True), sorted(books[1].items())
            is_crossed = bool(bids and asks and bids[0][0] >= asks[0][0])
            rows.append(
                (
                    frame,
                    is_valid,
                    is_crossed,
                    is_snapshot,
                    *counts,
                    len(bids),
                    len(asks),
                    bids[:depth],
                    asks[:depth],
                )
            )
    levels = [(0, *level) for level in sorted(books[0].items(), reverse=True)]
    levels += [(1, *level) for level in sorted(books[1].items())]
    return rows, (levels, is_valid, last_frame)


def columns(updates: list[Update]) -> BookUpdates:
    """Return plain updates as arrays."""
    values = np.array(updates, np.int64).reshape(-1, 5).T
    return BookUpdates(
        values[0], values[1].astype(np.int8), values[2].astype(np.int8), values[3], values[4]
    )


def plain_rows(rows: BookRows) -> list[Row]:
    """Return the kernel's rows in the plain replay's shape."""
    flags = zip(
        rows.frames.tolist(),
        rows.is_valid.tolist(),
        rows.is_crossed.tolist(),
        rows.is_snapshot.tolist(),
        rows.update_counts.tolist(),
        rows.delete_counts.tolist(),
        rows.orphan_delete_counts.tolist(),
        rows.bid_level_counts.tolist(),
        rows.ask_level_counts.tolist(),
        strict=True,
    )
    return [(*flag, rows.bids(row), rows.asks(row)) for row, flag in enumerate(flags)]


def plain_state(state: BookState) -> tuple[Any, ...]:
    """Return the kernel's state in the plain replay's shape."""
    levels = zip(
        state.sides.tolist(), state.price_ticks.tolist(), state.size_lots.tolist(), strict=True
    )
    return list(levels), state.is_valid, state.last_frame


def assert_equal_arrays(left: Any, right: Any) -> None:
    """Assert that two dataclasses of arrays are equal bit for bit, types included."""
    for field in fields(left):
        first, second = getattr(left, field.name), getattr(right, field.name)
        if isinstance(first, np.ndarray):
            assert first.dtype == second.dtype, field.name
            assert first.tobytes() == second.tobytes(), field.name
        else:
            assert first == second, field.name


def joined(parts: list[BookRows]) -> BookRows:
    """Return the rows of several runs as if they were of one."""
    values: dict[str, Any] = {}
    for field in fields(BookRows):
        arrays = [getattr(part, field.name) for part in parts]
        if field.name.endswith("_offsets"):
            ends = np.cumsum([0, *(array[-1] for array in arrays)])
            arrays = [array[:-1] + end for array, end in zip(arrays, ends[:-1], strict=True)] + [
                ends[-1:]
            ]
            values[field.name] = np.concatenate(arrays).astype(np.int32)
        else:
            values[field.name] = np.concatenate(arrays)
    return BookRows(**values)


def in_runs(
    updates: BookUpdates, cuts: list[int], depth: int, **sizes: int
) -> tuple[BookRows, BookState]:
    """Replay in runs that end before the rows ``cuts``, each from the state of the one before."""
    state, parts = empty_state(), []
    for start, end in zip([0, *cuts], [*cuts, len(updates)], strict=True):
        book = OrderBook(state, depth, **sizes)
        parts.append(book.apply(updates[start:end]))
        state = book.state()
    return joined(parts), state


def frame_starts(updates: BookUpdates) -> list[int]:
    """Return the rows at which a frame after the first begins."""
    return (np.flatnonzero(np.diff(updates.frames)) + 1).tolist()


# --- against the plain replay -----------------------------------------------------------------

# Small enough that a handful of updates overflows chunks, leaves the window and re-centres it.
SMALLEST = {"ladder_slots": 64, "chunks": 1, "chunk_levels": 4}
SIZES = st.sampled_from(
    [SMALLEST, {"ladder_slots": 192, "chunks": 2, "chunk_levels": 5}, {"ladder_slots": 8192}, {}]
)


@st.composite
def streams(draw: st.DrawFn) -> list[Update]:
    """Draw a stream: a price that stays, walks or jumps; any tick; gaps, snapshots, orphans."""
    random = draw(st.randoms(use_true_random=False))
    tick = draw(st.sampled_from([1, 1, 5, 48, 1_000_000, 3 << 40]))
    centre = draw(st.sampled_from([0, 100, -70, 10_000, (1 << 61) // tick - 500]))
    spread = draw(st.sampled_from([3, 40, 400]))
    stride = draw(st.sampled_from([0, 1, 30]))
    frame = draw(st.integers(-5, 5))
    updates: list[Update] = []
    for _ in range(draw(st.integers(1, 60))):
        frame += random.choice([1, 1, 1, 7])
        kind = random.random()
        if kind < 0.05:
            updates.append((frame, UpdateKind.GAP, 0, 0, 0))
        if kind < 0.12:
            updates.append((frame, UpdateKind.SNAPSHOT, 0, 0, 0))
        if 0.1 < kind < 0.15:
            updates.append((frame, UpdateKind.TOUCH, 0, 0, 0))
        centre += random.randint(-stride, stride)
        limit = (1 << 61) // tick
        for _ in range(random.choice([0, 1, 3, 12])):
            price = centre + random.randint(-spread, spread)
            if random.random() < 0.05:
                price = random.choice([1, -1, limit, -limit, centre * 2 + 1])
            price = max(-limit, min(limit, price)) * tick
            if random.random() < 0.02:
                price = max(-(1 << 61), min(1 << 61, price + random.randint(-3, 3)))
            size = random.choice([0, 0, 1, 2, random.randint(1, 1 << 62)])
            updates.append((frame, UpdateKind.UPDATE, random.randint(0, 1), price, size))
    return updates


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(updates=streams(), depth=st.integers(1, 50), sizes=SIZES)
def test_equals_the_plain_replay(updates: list[Update], depth: int, sizes: dict[str, int]) -> None:
    rows, state = plain_replay(updates, depth)
    book = OrderBook(None, depth, **sizes)
    assert plain_rows(book.apply(columns(updates))) == rows
    assert plain_state(book.state()) == (state if updates else ([], False, NO_FRAME))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(updates=streams(), depth=st.integers(1, 50), sizes=SIZES, data=st.data())
def test_any_split_into_runs_is_identical(
    updates: list[Update], depth: int, sizes: dict[str, int], data: st.DataObject
) -> None:
    stream = columns(updates)
    starts = frame_starts(stream)
    cuts = sorted(data.draw(st.sets(st.sampled_from(starts)))) if starts else []
    whole, state = in_runs(stream, [], depth)
    rows, end = in_runs(stream, cuts, depth, **sizes)
    assert_equal_arrays(rows, whole)
    assert_equal_arrays(end, state)


@pytest.mark.parametrize("order", ["best first", "worst first", "shuffled"])
@pytest.mark.parametrize("sizes", [SMALLEST, {"ladder_slots": 4096, "chunk_levels": 16}, {}])
def test_a_large_book_that_is_taken_down_again(order: str, sizes: dict[str, int]) -> None:
    random = np.random.default_rng(3)
    asks = np.unique(random.integers(1, 10**7, 3000))
    prices = {"best first": asks, "worst first": asks[::-1], "shuffled": random.permutation(asks)}
    updates: list[Update] = [(1, UpdateKind.SNAPSHOT, 0, 0, 0)]
    updates += [(1, 0, 1, int(price), 5) for price in prices[order]]
    updates += [(1, 0, 0, -int(price), 5) for price in prices[order]]
    for frame, price in enumerate(random.permutation(asks)[:2900].tolist(), 2):
        updates += [(frame, 0, 1, price, 0), (frame, 0, 0, -price, 0)]
    rows, state = plain_replay_of_large(updates)
    book = OrderBook(None, 5, **sizes)
    assert plain_rows(book.apply(columns(updates))) == rows
    assert plain_state(book.state()) == state


def plain_replay_of_large(updates: list[Update]) -> tuple[list[Row], tuple[Any, ...]]:
    """The plain replay, frame by frame from its own state: the one above rescans all updates."""
    books: tuple[dict[int, int], dict[int, int]] = ({}, {})
    rows: list[Row] = []
    for index, (frame, kind, side, price, size) in enumerate(updates):
        if kind == UpdateKind.UPDATE and size:
            books[side][price] = size
        elif kind == UpdateKind.UPDATE:
            del books[side][price]
        if index + 1 == len(updates) or updates[index + 1][0] != frame:
            bids, asks = sorted(books[0].items(), reverse=True), sorted(books[1].items())
            sets = len(updates) - 2 * 2900 - 1
            counts = (sets, 0, 0) if frame == 1 else (2, 2, 0)
            crossed = bids[0][0] >= asks[0][0]
            rows.append(
                (
                    frame,
                    True,
                    crossed,
                    frame == 1,
                    *counts,
                    len(bids),
                    len(asks),
                    bids[:5],
                    asks[:5],
                )
            )
    levels = [(0, *level) for level in sorted(books[0].items(), reverse=True)]
    levels += [(1, *level) for level in sorted(books[1].items())]
    return rows, (levels, True, updates[-1][0])


def test_the_ladder_follows_a_price_that_walks_away() -> None:
    """Far from where it began, the book is again in the ladder, and what is far is few."""
    updates: list[Update] = [(0, UpdateKind.SNAPSHOT, 0, 0, 0)]
    for frame in range(1, 20_000):
        updates.append((frame, 0, 0, 10_000 + frame, 7))
        updates.append((frame, 0, 1, 10_002 + frame, 7))
        updates.append((frame, 0, 1, 10_001 + frame, 0))
        if frame > 20:
            updates.append((frame, 0, 0, 10_000 + frame - 20, 0))
    book = OrderBook(depth=1, ladder_slots=1024)
    rows = book.apply(columns(updates))
    assert (rows.bid_price_ticks == 10_000 + rows.frames[1:]).all()
    window = book._book.window
    assert window[:, 7].sum() < 40  # far levels
    # The best bid as a rank; the window lags by the misses that pay for moving it.
    assert window[0, 4] - 100 < -29_999 < window[0, 4] + window[0, 5]


def test_a_lone_absurd_price_neither_moves_the_window_nor_stays() -> None:
    snapshot: list[Update] = [(0, UpdateKind.SNAPSHOT, 0, 0, 0)]
    snapshot += [(0, 0, 0, 6_000_000 - level, 1) for level in range(1000)]
    book = OrderBook(depth=2)
    book.apply(columns(snapshot))
    base = book._book.window[0, 4]
    rows = book.apply(
        columns([(1, 0, 0, 10**12, 3), (2, 0, 0, 5_999_999, 9), (3, 0, 0, 10**12, 0)])
    )
    assert rows.bids(0) == [(10**12, 3), (6_000_000, 1)]
    assert rows.bids(2) == [(6_000_000, 1), (5_999_999, 9)]
    assert book._book.window[0, 4] == base


def test_memory_does_not_grow_with_the_stream() -> None:
    """The arrays of a book depend on how many levels it holds, not on how many came and went."""
    random = np.random.default_rng(5)
    book = OrderBook(depth=3, ladder_slots=64, chunk_levels=16)
    sizes = []
    for batch in range(30):
        prices = random.integers(-(10**9), 10**9, 2000)
        frames = np.repeat(batch * 2000 + np.arange(2000), 2)
        lots = np.tile(np.array([4, 0]), 2000)
        # Each level is deleted at once; the ladder and the chunks see 60,000 of them.
        book.apply(
            BookUpdates(
                frames,
                np.zeros(4000, np.int8),
                np.zeros(4000, np.int8),
                np.repeat(prices, 2),
                lots,
            )
        )
        sizes.append(sum(array.nbytes for array in book._book))
    assert sizes[0] == sizes[-1]


# --- what the rows say ------------------------------------------------------------------------


def test_a_gap_invalidates_until_the_next_snapshot() -> None:
    rows, state = replay_order_book(
        columns(
            [
                (1, UpdateKind.UPDATE, 0, 100, 1),
                (2, UpdateKind.SNAPSHOT, 0, 0, 0),
                (2, UpdateKind.UPDATE, 0, 101, 2),
                (3, UpdateKind.GAP, 0, 0, 0),
                (4, UpdateKind.UPDATE, 1, 103, 3),
                (5, UpdateKind.TOUCH, 0, 0, 0),
                (6, UpdateKind.SNAPSHOT, 0, 0, 0),
                (7, UpdateKind.GAP, 0, 0, 0),
            ]
        )
    )
    assert rows.frames.tolist() == [1, 2, 4, 5, 6]
    assert rows.is_valid.tolist() == [False, True, False, False, True]
    assert rows.is_snapshot.tolist() == [False, True, False, False, True]
    assert [rows.bids(row) for row in range(5)] == [[(100, 1)]] + 3 * [[(101, 2)]] + [[]]
    assert (state.is_valid, state.last_frame, len(state.sides)) == (False, 7, 0)


def test_crossed_and_locked_books_say_so_and_are_kept() -> None:
    rows, _ = replay_order_book(
        columns(
            [
                (1, UpdateKind.SNAPSHOT, 0, 0, 0),
                (1, 0, 0, 100, 1),
                (1, 0, 1, 101, 1),
                (2, 0, 1, 100, 4),
                (3, 0, 1, 99, 4),
                (4, 0, 0, 100, 0),
            ]
        )
    )
    assert rows.is_crossed.tolist() == [False, True, True, False]
    assert rows.is_valid.all()
    assert rows.bids(2) == [(100, 1)]
    assert rows.asks(2) == [(99, 4), (100, 4), (101, 1)]


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ((3, 0, 0, 100, -1), r"Update 1 \(frame 3\) has size_lots -1: .* never negative"),
        ((3, 0, 2, 100, 1), r"Update 1 \(frame 3\) has side 2"),
        ((3, 4, 0, 100, 1), r"Update 1 \(frame 3\) has kind 4"),
        ((3, 0, 0, (1 << 61) + 1, 1), r"Update 1 \(frame 3\) has price_ticks .* larger ticks"),
        ((3, 0, 0, -(1 << 63), 1), r"Update 1 \(frame 3\) has price_ticks"),
        ((1, 0, 0, 100, 1), r"Update 1 \(frame 1\) comes after frame 2"),
    ],
)
def test_an_impossible_update_is_named_and_changes_nothing(update: Update, words: str) -> None:
    book = OrderBook(depth=1)
    book.apply(columns([(1, UpdateKind.SNAPSHOT, 0, 0, 0), (1, 0, 1, 105, 2)]))
    before = book.state()
    with pytest.raises(ValueError, match=words):
        book.apply(columns([(2, 0, 0, 99, 1), update]))
    assert_equal_arrays(book.state(), before)


def test_a_frame_is_not_replayed_twice_or_in_two_parts() -> None:
    book = OrderBook()
    book.apply(columns([(4, 0, 0, 99, 1)]))
    with pytest.raises(ValueError, match=r"Update 0 \(frame 4\) comes after frame 4"):
        book.apply(columns([(4, 0, 0, 98, 1)]))


def test_floats_are_refused_and_other_integers_taken() -> None:
    one: Any = np.ones(1, np.int64)
    with pytest.raises(TypeError, match="price_ticks is float64"):
        BookUpdates(one, one, one, np.array([1.5]), one)
    with pytest.raises(ValueError, match="size_lots holds a value outside int64"):
        BookUpdates(one, one, one, one, np.array([1 << 63], np.uint64))
    with pytest.raises(ValueError, match="sides has 2 elements"):
        BookUpdates(one, one, np.ones(2, np.int8), one, one)
    assert BookUpdates(one, one, one, one.astype(np.uint32), one).price_ticks.dtype == np.int64


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([(0, 100, 1), (0, 100, 1)], "level 1 .* out of order"),
        ([(1, 101, 1), (0, 100, 1)], "level 1 .* out of order"),
        ([(0, 100, 1), (0, 101, 1)], "level 1 .* out of order"),
        ([(0, 100, 0)], "level 0 has size_lots 0"),
        ([(2, 100, 1)], "sides holds something other"),
        ([(0, 1 << 62, 1)], "beyond"),
    ],
)
def test_a_state_that_is_no_book_is_refused(levels: list[tuple[int, int, int]], words: str) -> None:
    values = np.array(levels, np.int64).T
    with pytest.raises(ValueError, match=words):
        BookState(values[0].astype(np.int8), values[1], values[2], True, 1)


def test_no_updates_give_no_rows() -> None:
    rows, state = replay_order_book(columns([]))
    assert len(rows) == 0
    assert_equal_arrays(state, empty_state())
    with pytest.raises(ValueError, match="depth is 0"):
        OrderBook(depth=0)


# --- tables -----------------------------------------------------------------------------------


def updates_table(
    rows: Sequence[tuple[str | None, int, int, int | None, int | None, int | None]],
) -> Any:
    """Return rows of (product, frame, kind, side, price, size) as a table of updates."""
    return pa.table(
        [
            pa.array(list(column), field.type)
            for column, field in zip(zip(*rows, strict=True), UPDATES_SCHEMA, strict=True)
        ],
        schema=UPDATES_SCHEMA,
    )


MIXED = [
    ("ETH", 1, UpdateKind.SNAPSHOT, None, None, None),
    ("ETH", 1, UpdateKind.UPDATE, 0, 50, 1),
    ("BTC", 2, UpdateKind.SNAPSHOT, None, None, None),
    ("BTC", 2, UpdateKind.UPDATE, 1, 70, 2),
    ("ETH", 3, UpdateKind.UPDATE, 1, 52, 4),
    (None, 5, UpdateKind.GAP, None, None, None),
    ("BTC", 5, UpdateKind.UPDATE, 1, 69, 8),
    ("ETH", 6, UpdateKind.TOUCH, None, None, None),
]


def test_products_share_the_gaps_of_their_connection() -> None:
    rows, checkpoints = replay_order_books(updates_table(MIXED), depth=1)
    found = rows.select(["product_id", "frame", "is_valid", "bids", "asks"]).to_pylist()
    level = {"price_ticks": 69, "size_lots": 8}
    assert [(row["product_id"], row["frame"], row["is_valid"]) for row in found] == [
        ("BTC", 2, True),
        ("BTC", 5, False),
        ("ETH", 1, True),
        ("ETH", 3, True),
        ("ETH", 6, False),
    ]
    assert (found[1]["bids"], found[1]["asks"]) == ([], [level])
    assert checkpoints.select(["product_id", "last_frame", "is_valid"]).to_pylist() == [
        {"product_id": "BTC", "last_frame": 5, "is_valid": False},
        {"product_id": "ETH", "last_frame": 6, "is_valid": False},
    ]
    assert len(checkpoints["asks"][0].as_py()) == 2


def test_a_gap_reaches_a_product_without_updates() -> None:
    _, checkpoints = replay_order_books(updates_table(MIXED[:5]))
    assert checkpoints["is_valid"].to_pylist() == [True, True]
    rows, checkpoints = replay_order_books(updates_table(MIXED[5:6]), checkpoints)
    assert rows.num_rows == 0
    assert checkpoints["is_valid"].to_pylist() == [False, False]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(updates=streams(), data=st.data())
def test_batches_that_end_anywhere_give_the_same_tables(
    updates: list[Update], data: st.DataObject
) -> None:
    if not updates:
        return
    names = data.draw(
        st.lists(st.sampled_from(["A", "B"]), min_size=len(updates), max_size=len(updates))
    )
    table = updates_table(
        [
            (None if update[1] == UpdateKind.GAP else name, *update)
            for name, update in zip(names, updates, strict=True)
        ]
    )
    whole, checkpoints = replay_order_books(table, depth=4)
    size = data.draw(st.integers(1, len(updates)))
    batches = table.to_batches(max_chunksize=size)
    parts, state = [], None
    for part in whole_frames(batches):
        replay = ConnectionReplay(state, depth=4)
        parts.append(replay.apply(part))
        state = replay.checkpoints()
    order = [("product_id", "ascending"), ("frame", "ascending")]
    assert pa.concat_tables(parts).sort_by(order).to_pylist() == whole.to_pylist()
    assert state is not None
    by_name = {row["product_id"]: row for row in checkpoints.to_pylist()}
    for row in state.to_pylist():
        assert row == by_name[row["product_id"]]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((None, 1, UpdateKind.UPDATE, 0, 1, 1), "has no product_id and kind 0"),
        (("BTC", 1, UpdateKind.UPDATE, 0, None, 1), "Update 0 has no price_ticks"),
        (("BTC", 1, UpdateKind.UPDATE, 0, 1, -1), "BTC: Update 0 .* size_lots -1"),
    ],
)
def test_a_bad_row_of_a_table_is_named(row: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replay_order_books(updates_table([row]))


# --- real captures ----------------------------------------------------------------------------


def test_coinbase_best_bid_and_offer_after_every_frame(shared_data: Path) -> None:
    replayed = {
        product: replay_order_book(updates, depth=10)[0]
        for product, updates in coinbase_updates(shared_data).items()
    }
    answers = coinbase_answers(shared_data)
    assert replayed.keys() == answers.keys()
    for product, rows in replayed.items():
        expected = answers[product]
        assert rows.frames.tolist() == [int(row["sequence_num"]) for row in expected]
        assert rows.is_valid.all()
        assert not rows.is_crossed.any()
        for index, row in enumerate(expected):
            bids, asks = rows.bids(index), rows.asks(index)
            assert bids[0] == (units(row["best_bid"]), units(row["best_bid_qty"]))
            assert asks[0] == (units(row["best_ask"]), units(row["best_ask_qty"]))
            assert sum(size for _, size in bids) == units(row["top10_bid_qty"])
            assert sum(size for _, size in asks) == units(row["top10_ask_qty"])
        for column, name in (
            (rows.update_counts, "n_updates"),
            (rows.delete_counts, "n_delete"),
            (rows.orphan_delete_counts, "n_orphan_delete"),
            (rows.bid_level_counts, "levels_bid"),
            (rows.ask_level_counts, "levels_ask"),
        ):
            assert column.tolist() == [int(row[name]) for row in expected], name


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_coinbase_in_any_runs(shared_data: Path, data: st.DataObject) -> None:
    for updates in coinbase_updates_once(shared_data).values():
        cuts = sorted(data.draw(st.sets(st.sampled_from(frame_starts(updates)), max_size=12)))
        whole, state = in_runs(updates, [], 20)
        rows, end = in_runs(updates, cuts, 20)
        assert_equal_arrays(rows, whole)
        assert_equal_arrays(end, state)


_COINBASE: dict[str, BookUpdates] = {}


def coinbase_updates_once(shared_data: Path) -> dict[str, BookUpdates]:
    """Return the capture, read once."""
    if not _COINBASE:
        _COINBASE.update(coinbase_updates(shared_data))
    return _COINBASE


@pytest.mark.parametrize(
    ("name", "frames"), [("spot_btcusdt_20240808", 3450), ("usdm_btcusdt_20240808", 6548)]
)
def test_binance_best_bid_and_offer_equal_book_ticker(
    shared_data: Path, name: str, frames: int
) -> None:
    """After each depth difference, the best is what the last quote up to its update id said."""
    capture = binance_capture(shared_data / f"order_books/binance/{name}.gz")
    assert capture.broken_links == 0
    rows, _ = replay_order_book(capture.updates, depth=1)
    quote_ids = np.array(sorted(capture.quotes))
    latest = np.searchsorted(quote_ids, capture.update_ids, side="right") - 1
    assert len(rows) == frames
    assert latest.min() >= 0  # so that every frame is compared
    for row, quote_id in enumerate(quote_ids[latest].tolist()):
        quote: Quote = (*rows.bids(row)[0], *rows.asks(row)[0])
        assert quote == capture.quotes[quote_id], row


def test_lobster_book_at_all_levels_after_every_message(shared_data: Path) -> None:
    """Updates come from the messages' own arithmetic, answers from the book file.

    The files show 10 levels a side. A level that comes into view from beyond them is taken from the
    book file, and one that leaves is deleted, for what happens to it there is in no message.
    """
    folder = shared_data / "order_books/lobster"
    with gzip.open(folder / "AAPL_2012-06-21_orderbook_10.csv.gz", "rt", newline="") as file:
        lines = [[int(value) for value in line] for line in csv.reader(file)]
    with gzip.open(folder / "AAPL_2012-06-21_message_10.csv.gz", "rt", newline="") as file:
        messages = [[int(value) for value in line[1:]] for line in csv.reader(file)]
    assert len(messages) == len(lines) == 999
    collected = UpdateList()
    collected.mark(0, UpdateKind.SNAPSHOT)
    books: tuple[dict[int, int], dict[int, int]] = ({}, {})
    by_message = 0
    for frame, (line, (kind, _, size, price, direction)) in enumerate(
        zip(lines, messages, strict=True)
    ):
        collected.mark(frame, UpdateKind.TOUCH)
        if frame and kind in (1, 2, 3, 4):  # new, part cancelled, deleted, executed; 5 is hidden
            side = BookSide.BID if direction == 1 else BookSide.ASK
            books[side][price] = books[side].get(price, 0) + (size if kind == 1 else -size)
            collected.level(frame, side, price, books[side][price])
            by_message += 1
            if not books[side][price]:
                del books[side][price]
        for side, first in ((BookSide.BID, 2), (BookSide.ASK, 0)):
            shown = dict(zip(line[first::4], line[first + 1 :: 4], strict=True))
            worst = list(shown)[-1]
            sign = 1 if side is BookSide.ASK else -1
            for level in [level for level in books[side] if sign * level > sign * worst]:
                del books[side][level]
                collected.level(frame, side, level, 0)
            deepest = max((sign * level for level in books[side]), default=0)
            for level in shown.keys() - books[side].keys():
                assert frame == 0 or sign * level > deepest
                books[side][level] = shown[level]
                collected.level(frame, side, level, shown[level])
    assert by_message > 900
    rows, _ = replay_order_book(collected.updates(), depth=10)
    for row, line in enumerate(lines):
        assert rows.asks(row) == list(zip(line[0::4], line[1::4], strict=True))
        assert rows.bids(row) == list(zip(line[2::4], line[3::4], strict=True))


# --- compilation ------------------------------------------------------------------------------


def test_what_only_compiled_functions_call_raises_where_python_does() -> None:
    """It has no way in, and would end the process."""
    with pytest.raises(TypeError, match=r"slot_of is for compiled functions.*slot_of\.py_func"):
        ladder.slot_of(ladder.empty_book(64, 1, 4), 0, 0)


def test_kernels_run_where_no_cache_can_be_written(tmp_path: Path) -> None:
    """An installed tree may be read-only and its user without a home: compile, do not fail."""
    package = tmp_path / "python_models"
    shutil.copytree(
        ROOT / "python_models", package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    # A file stands where the cache folder would be made, for root too.
    (package / "kernels" / "__pycache__").write_text("")
    program = (
        "import python_models.kernels.order_book_ladder as ladder;"
        "assert ladder.__file__.startswith(__import__('os').getcwd());"
        "print(ladder.greatest_common_divisor(12, 18))"
    )
    environment = {**os.environ, "HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null"}
    environment |= {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "6"
