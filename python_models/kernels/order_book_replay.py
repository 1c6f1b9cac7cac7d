"""Replay of level-2 updates: the top N levels of a book after each frame, and the book at the end.

Two faces of one kernel (``order_book_ladder``):

* ``OrderBook`` and ``replay_order_book``: one product, NumPy arrays.
* ``replay_order_books`` (in ``order_book_tables``): all products of a connection, Arrow batches.

**Updates.** An update sets the absolute size at a price; size zero deletes the level, and a delete
of a level that is not there (an orphan, routine on real venues) changes nothing and is counted.
Prices are integer ticks in any unit that divides every price, sizes integer lots (1e-8 of the base
currency). Four kinds of rows, in the order in which they were received:

=========  ========================================================================================
UPDATE     sets the size at a price of one side
SNAPSHOT   empties the book and makes it valid; the UPDATE rows that follow fill it
GAP        something is missing from the sequence here: the book is invalid until a SNAPSHOT
TOUCH      the frame names the product but updates nothing (an empty ``updates`` list)
=========  ========================================================================================

SNAPSHOT, GAP and TOUCH rows carry no level: side, price and size of theirs are not read.

**Rows.** One after each frame that has any row other than GAP. A frame is all updates of equal
frame index: what one message carried. The index is any integer that grows along the connection,
reconnects included (a sequence number that restarts does not do). After a GAP updates are applied
to the book as known, and its rows say ``is_valid = false``.

**Runs.** The state a replay leaves is the whole book. A replay cut at any frames into any number of
runs, each begun from the state the one before left, gives the same rows and the same last state,
bit for bit.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python_models.kernels import order_book_ladder as ladder
from python_models.kernels.order_book_ladder import Int64s

DEFAULT_DEPTH = 20
# 2^18 slots reach $1,966 below and $655 above the best bid at one-cent steps, and take 4 MB a
# product, of which the operating system hands out the pages that levels lie in. 2^17 slots took a
# fifth longer on Binance's spot capture and as long on the others; more did not help.
LADDER_SLOTS = 1 << 18
CHUNKS = 16
CHUNK_LEVELS = 256
NO_FRAME = int(np.iinfo(np.int64).min)


class UpdateKind(IntEnum):
    """What a row of the input says; see the module's description."""

    UPDATE = ladder.UPDATE
    SNAPSHOT = ladder.SNAPSHOT
    GAP = ladder.GAP
    TOUCH = ladder.TOUCH


class BookSide(IntEnum):
    """Which side of the book a level is on (Coinbase: bid, offer)."""

    BID = ladder.BID
    ASK = ladder.ASK


@dataclass(frozen=True)
class BookUpdates:
    """Updates of one product in the order received; all arrays of equal length.

    Attributes:
        frames: int64, never decreasing; equal values are one frame.
        kinds: int8, ``UpdateKind``.
        sides: int8, ``BookSide``.
        price_ticks: int64 within ±2^61, in the product's tick.
        size_lots: int64, 1e-8 of the base currency, absolute, not negative.

    Raises:
        TypeError: An array does not hold integers (a float price would be cut short silently).
        ValueError: The arrays differ in length or are not one-dimensional.
    """

    frames: Int64s
    kinds: NDArray[np.int8]
    sides: NDArray[np.int8]
    price_ticks: Int64s
    size_lots: Int64s

    def __post_init__(self) -> None:
        for name, dtype in (
            ("frames", np.int64),
            ("kinds", np.int8),
            ("sides", np.int8),
            ("price_ticks", np.int64),
            ("size_lots", np.int64),
        ):
            object.__setattr__(self, name, _integers(f"updates.{name}", getattr(self, name), dtype))
            if len(getattr(self, name)) != len(self.frames):
                raise ValueError(
                    f"updates.{name} has {len(getattr(self, name))} elements and updates.frames "
                    f"{len(self.frames)}: they must be columns of the same rows."
                )

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: slice) -> "BookUpdates":
        """Return the updates of a slice of rows."""
        return BookUpdates(
            self.frames[rows],
            self.kinds[rows],
            self.sides[rows],
            self.price_ticks[rows],
            self.size_lots[rows],
        )


@dataclass(frozen=True)
class BookState:
    """The full book of one product where a replay stopped: all the next run needs.

    Levels stand best first, bids before asks, so that equal books are equal arrays.

    Attributes:
        sides: (levels,) int8, ``BookSide``.
        price_ticks: (levels,) int64, each at most once a side.
        size_lots: (levels,) int64, positive.
        is_valid: False before the first snapshot and from a gap to the next one.
        last_frame: Frame index of the last update seen; ``NO_FRAME`` before the first.

    Raises:
        TypeError: An array does not hold integers.
        ValueError: The levels are not as described above.
    """

    sides: NDArray[np.int8]
    price_ticks: Int64s
    size_lots: Int64s
    is_valid: bool
    last_frame: int

    def __post_init__(self) -> None:
        for name, dtype in (("sides", np.int8), ("price_ticks", np.int64), ("size_lots", np.int64)):
            object.__setattr__(self, name, _integers(f"state.{name}", getattr(self, name), dtype))
        if not len(self.sides) == len(self.price_ticks) == len(self.size_lots):
            raise ValueError(
                f"The state has {len(self.sides)} sides, {len(self.price_ticks)} prices and "
                f"{len(self.size_lots)} sizes: they must be columns of the same levels."
            )
        if len(self.sides) and not 0 <= self.sides.min() <= self.sides.max() <= 1:
            raise ValueError("state.sides holds something other than 0 (bid) and 1 (ask).")
        if len(self.price_ticks) and (
            self.price_ticks.min() < -ladder.PRICE_LIMIT
            or self.price_ticks.max() > ladder.PRICE_LIMIT
        ):
            raise ValueError(
                "state.price_ticks holds a price beyond ±2^61 ticks: use larger ticks."
            )
        ranks = np.where(self.sides == BookSide.ASK, self.price_ticks, -self.price_ticks)
        same_side = self.sides[1:] == self.sides[:-1]
        ordered = np.where(same_side, ranks[1:] > ranks[:-1], self.sides[1:] > self.sides[:-1])
        if not ordered.all():
            level = int(np.argmin(ordered)) + 1
            raise ValueError(
                f"state level {level} (price_ticks {self.price_ticks[level]}) is out of order: "
                "levels stand best first without repeats, all bids before all asks."
            )
        if (self.size_lots <= 0).any():
            level = int(np.argmax(self.size_lots <= 0))
            raise ValueError(
                f"state level {level} has size_lots {self.size_lots[level]}: a level that is in "
                "the book has a positive size."
            )

    def side(self, side: BookSide) -> tuple[Int64s, Int64s]:
        """Return prices in ticks and sizes in lots of one side, best first; (levels,) each."""
        mask = self.sides == side
        return self.price_ticks[mask], self.size_lots[mask]


def empty_state() -> BookState:
    """Return the state before anything was received: no levels, not valid."""
    nothing = np.empty(0, np.int64)
    return BookState(nothing.astype(np.int8), nothing, nothing, False, NO_FRAME)


@dataclass(frozen=True)
class BookRows:
    """The book after each touched frame, as columns; ``rows`` of them.

    The best levels of a side are packed: those of row r are elements ``offsets[r]`` up to, not
    including, ``offsets[r + 1]`` of the side's two level arrays, best first, at most N of them.
    This is how an Arrow list column is laid out.

    Attributes:
        frames: (rows,) int64.
        is_valid: (rows,) bool; false before the first snapshot and from a gap to the next one.
        is_crossed: (rows,) bool; the best bid is at or above the best ask.
        is_snapshot: (rows,) bool; the frame held a snapshot.
        update_counts: (rows,) int32; levels set or deleted by the frame.
        delete_counts: (rows,) int32; of these, sizes of zero.
        orphan_delete_counts: (rows,) int32; of these, deletes of levels that were not there.
        bid_level_counts, ask_level_counts: (rows,) int32; levels in the full book.
        bid_offsets, ask_offsets: (rows + 1,) int32.
        bid_price_ticks, bid_size_lots: (bid_offsets[-1],) int64.
        ask_price_ticks, ask_size_lots: (ask_offsets[-1],) int64.
    """

    frames: Int64s
    is_valid: NDArray[np.bool_]
    is_crossed: NDArray[np.bool_]
    is_snapshot: NDArray[np.bool_]
    update_counts: NDArray[np.int32]
    delete_counts: NDArray[np.int32]
    orphan_delete_counts: NDArray[np.int32]
    bid_level_counts: NDArray[np.int32]
    ask_level_counts: NDArray[np.int32]
    bid_offsets: NDArray[np.int32]
    bid_price_ticks: Int64s
    bid_size_lots: Int64s
    ask_offsets: NDArray[np.int32]
    ask_price_ticks: Int64s
    ask_size_lots: Int64s

    def __len__(self) -> int:
        return len(self.frames)

    def bids(self, row: int) -> list[tuple[int, int]]:
        """Return (price in ticks, size in lots) of the best bids of a row, for a person to read."""
        levels = slice(self.bid_offsets[row], self.bid_offsets[row + 1])
        return list(
            zip(
                self.bid_price_ticks[levels].tolist(),
                self.bid_size_lots[levels].tolist(),
                strict=True,
            )
        )

    def asks(self, row: int) -> list[tuple[int, int]]:
        """Return (price in ticks, size in lots) of the best asks of a row, for a person to read."""
        levels = slice(self.ask_offsets[row], self.ask_offsets[row + 1])
        return list(
            zip(
                self.ask_price_ticks[levels].tolist(),
                self.ask_size_lots[levels].tolist(),
                strict=True,
            )
        )


class OrderBook:
    """The book of one product, kept in memory between batches of updates.

    Memory: two ladders of ``ladder_slots`` × 8 bytes, of which only pages with levels are resident,
    and at most 128 bytes a far level; nothing grows with the number of updates. A call adds the
    rows it returns, 32 bytes a level and row.

    Args:
        state: The book to begin with; none: empty and not valid.
        depth: Levels a side in each row, from 1.
        ladder_slots: Price steps in the ladder of a side; a multiple of 64.
        chunks: Chunks of far levels to begin with; more are made when needed.
        chunk_levels: Levels in a chunk, 4 or more.
    """

    def __init__(
        self,
        state: BookState | None = None,
        depth: int = DEFAULT_DEPTH,
        *,
        ladder_slots: int = LADDER_SLOTS,
        chunks: int = CHUNKS,
        chunk_levels: int = CHUNK_LEVELS,
    ) -> None:
        if depth < 1:
            raise ValueError(f"depth is {depth}: a row has at least the best level of each side.")
        state = empty_state() if state is None else state
        self._depth = depth
        self._is_valid = state.is_valid
        self._last_frame = state.last_frame
        self._book = ladder.empty_book(ladder_slots, chunks, chunk_levels)
        for side in BookSide:
            prices, sizes = state.side(side)
            if not len(prices):
                continue
            ranks = prices if side is BookSide.ASK else -prices
            while not ladder.has_room(self._book, len(ranks)):
                self._book = ladder.with_more_room(self._book)
            self._book.spare_ranks[0, : len(ranks)] = ranks
            self._book.spare_sizes[0, : len(ranks)] = sizes
            step = max(int(np.gcd.reduce(ranks)), 1)
            ladder.load_side(self._book, int(side), step, int(ranks[0]), len(ranks))

    def apply(self, updates: BookUpdates) -> BookRows:
        """Apply whole frames of updates and return a row after each frame that touched the book.

        Raises:
            ValueError: An update is impossible, or a frame does not come after the last one
                applied; the message names the update. The book is as it was before the call.
        """
        columns = (
            updates.frames,
            updates.kinds,
            updates.sides,
            updates.price_ticks,
            updates.size_lots,
        )
        count, fault, index = map(int, ladder.check_updates(*columns, self._last_frame))
        if fault != ladder.SOUND:
            raise ValueError(_describe(updates, fault, index, self._last_frame))
        if count * self._depth > np.iinfo(np.int32).max:
            raise ValueError(
                f"{count} rows of {self._depth} levels pass 2^31 levels a side: "
                "hand over fewer frames at a time."
            )
        rows = ladder.RowArrays(
            frames=np.empty(count, np.int64),
            flags=np.empty((3, count), np.bool_),
            counts=np.empty((5, count), np.int32),
            offsets=np.zeros((2, count + 1), np.int32),
            price_ticks=np.empty((2, count * self._depth), np.int64),
            size_lots=np.empty((2, count * self._depth), np.int64),
        )
        progress = np.zeros(ladder.PROGRESS_ELEMENTS, np.int64)
        progress[ladder.IS_VALID] = self._is_valid
        progress[ladder.FRAME] = self._last_frame
        while not ladder.replay_rows(self._book, progress, *columns, self._depth, rows):
            self._book = ladder.with_more_room(self._book)
        self._is_valid = bool(progress[ladder.IS_VALID])
        self._last_frame = int(progress[ladder.FRAME])
        bids, asks = int(rows.offsets[ladder.BID, -1]), int(rows.offsets[ladder.ASK, -1])
        return BookRows(
            frames=rows.frames,
            is_valid=rows.flags[0],
            is_crossed=rows.flags[1],
            is_snapshot=rows.flags[2],
            update_counts=rows.counts[0],
            delete_counts=rows.counts[1],
            orphan_delete_counts=rows.counts[2],
            bid_level_counts=rows.counts[3],
            ask_level_counts=rows.counts[4],
            bid_offsets=rows.offsets[ladder.BID],
            bid_price_ticks=rows.price_ticks[ladder.BID, :bids],
            bid_size_lots=rows.size_lots[ladder.BID, :bids],
            ask_offsets=rows.offsets[ladder.ASK],
            ask_price_ticks=rows.price_ticks[ladder.ASK, :asks],
            ask_size_lots=rows.size_lots[ladder.ASK, :asks],
        )

    def state(self) -> BookState:
        """Return the full book as it stands."""
        counts = self._book.window[:, ladder.LEVELS].tolist()
        prices = np.empty((1, sum(counts)), np.int64)
        sizes = np.empty((1, sum(counts)), np.int64)
        for side, start in ((BookSide.BID, 0), (BookSide.ASK, counts[0])):
            sign = 1 if side is BookSide.ASK else -1
            ladder.copy_side(self._book, int(side), sign, prices, sizes, start)
        return BookState(
            np.repeat(np.array([BookSide.BID, BookSide.ASK], np.int8), counts),
            prices[0],
            sizes[0],
            self._is_valid,
            self._last_frame,
        )


def replay_order_book(
    updates: BookUpdates, state: BookState | None = None, depth: int = DEFAULT_DEPTH
) -> tuple[BookRows, BookState]:
    """Replay the updates of one product from a state; return the rows and the state at the end.

    Args:
        updates: Whole frames, all after ``state.last_frame``.
        state: Where the run before stopped; none: an empty book that is not valid.
        depth: Levels a side in each row, from 1.

    Raises:
        ValueError: See ``OrderBook.apply``.
    """
    book = OrderBook(state, depth)
    rows = book.apply(updates)
    return rows, book.state()


def _integers(name: str, values: Any, dtype: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """Return ``values`` as a contiguous array of ``dtype``, refusing what is not an integer."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} dimensions: one is needed.")
    if array.size and array.dtype != dtype:
        if array.dtype.kind not in "iu":
            raise TypeError(f"{name} is {array.dtype}: integers are needed.")
        limits = np.iinfo(dtype)
        if array.max() > limits.max or array.min() < limits.min:
            raise ValueError(f"{name} holds a value outside {limits.dtype}.")
    return np.ascontiguousarray(array, dtype=dtype)


def _describe(updates: BookUpdates, fault: int, index: int, last_frame: int) -> str:
    """Return what is wrong with an update, which one it is, and what to do."""
    frame = int(updates.frames[index])
    at = f"Update {index} (frame {frame})"
    if fault == ladder.BAD_FRAME:
        before = last_frame if index == 0 else int(updates.frames[index - 1])
        return (
            f"{at} comes after frame {before}: frames must grow, and a call takes whole frames. "
            "Sort by frame, or skip what was replayed before."
        )
    if fault == ladder.BAD_KIND:
        return f"{at} has kind {updates.kinds[index]}: an UpdateKind, 0 to 3, is needed."
    if fault == ladder.BAD_SIDE:
        return f"{at} has side {updates.sides[index]}: 0 (bid) or 1 (ask) is needed."
    if fault == ladder.BAD_PRICE:
        return f"{at} has price_ticks {updates.price_ticks[index]}, beyond ±2^61: use larger ticks."
    return (
        f"{at} has size_lots {updates.size_lots[index]}: sizes are absolute and never negative. "
        "Turn such a line away before the replay and mark a gap there."
    )
