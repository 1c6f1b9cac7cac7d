"""Replay of one stream's books in runs: which frames give a row, and what the next run must know.

Adds to ``order_book_tables`` the time of each row, a time grid, and the state that both need, so
that a stream cut into any runs gives the same rows.

A row of a **time grid** is the book after the first frame of a time step (of ``interval``
microseconds, aligned to the epoch) that no earlier frame of the product had reached. Nothing later
than the frame is looked at. Rows that begin or end a doubt are kept besides: snapshots, and the
first row that is sound, or not, unlike the one before.

A gap of the connection gives a row to each book that was sound, at the frame where it is noticed:
who looks up the last row of a quiet product must not find the one from before the gap.

A replay without a flaw never crosses. A book that did is wrong somewhere, even when it no longer
looks so: ``has_crossed`` stays true to the product's next snapshot.

A snapshot without a time (the older feed has such) is in no day, and its row is not shown. So the
product's next row that has a time says ``is_snapshot`` as well: the rows on either side of it are
of different books.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from python_models.kernels.order_book_ladder import Int64s
from python_models.kernels.order_book_replay import DEFAULT_DEPTH, UpdateKind
from python_models.kernels.order_book_tables import (
    CHECKPOINTS_SCHEMA,
    ROWS_SCHEMA,
    UPDATES_SCHEMA,
    ConnectionReplay,
)

NEVER = np.iinfo(np.int64).min
TIME = pa.timestamp("us")

TIMED_UPDATES_SCHEMA = UPDATES_SCHEMA.append(pa.field("sent_at", TIME))
"""Null where the venue gives no time; such a frame has no row in a time grid."""

BOOK_ROWS_SCHEMA = pa.schema(
    [
        pa.field("stream", pa.string()),
        pa.field("product_id", pa.string()),  # null on a progress row
        pa.field("frame_number", pa.int64(), nullable=False),
        pa.field("booked_at", TIME),
        *(pa.field(f.name, f.type) for f in ROWS_SCHEMA if f.name not in ("product_id", "frame")),
        pa.field("has_crossed", pa.bool_()),  # since the product's last snapshot
    ]
)
"""A progress row has nothing but ``frame_number``: the last frame that the run has replayed."""

STATES_SCHEMA = pa.schema(
    [
        pa.field("stream", pa.string(), nullable=False),
        *CHECKPOINTS_SCHEMA,
        pa.field("latest_at", TIME),  # of all frames with a row
        # The last row: valid, not crossed; null from a snapshot without a time until a row has one.
        pa.field("row_is_sound", pa.bool_()),
        pa.field("has_crossed", pa.bool_()),
        pa.field("replayed_to", pa.int64(), nullable=False),  # frame number, of any product
    ]
)


_PAST_COLUMNS = ("latest_at", "row_is_sound", "has_crossed")


@dataclass
class _Past:
    """What must be known of a product besides its book."""

    latest: int = NEVER  # microseconds
    is_sound: bool | None = None
    has_crossed: bool = False
    has_untold_snapshot: bool = False  # one without a time, and no row since that has one


class StreamReplay:
    """The books of one stream, kept in memory between batches; see ``ConnectionReplay``.

    Args:
        stream: Its name.
        states: Where the run before stopped (``STATES_SCHEMA``, this stream's rows only).
        depth: Levels a side in each row, from 1.
        interval: Length of a time step in microseconds; 0 gives every frame a row.
    """

    def __init__(
        self,
        stream: str,
        states: pa.Table | None = None,
        depth: int = DEFAULT_DEPTH,
        interval: int = 0,
    ) -> None:
        self.stream = stream
        self._interval = interval
        self._pasts: dict[str, _Past] = {}
        if states is not None:
            for state in states.select(["product_id", "is_valid", *_PAST_COLUMNS]).to_pylist():
                time = state["latest_at"]
                latest = NEVER if time is None else pa.scalar(time, TIME).value
                has_crossed = bool(state["has_crossed"])
                past = _Past(latest, state["row_is_sound"], has_crossed)
                if past.is_sound is None:
                    past.is_sound = bool(state["is_valid"]) and not has_crossed
                    past.has_untold_snapshot = True
                self._pasts[state["product_id"]] = past
            states = states.select(CHECKPOINTS_SCHEMA.names).cast(CHECKPOINTS_SCHEMA)
        self._replay = ConnectionReplay(states, depth)

    def apply(self, updates: pa.Table) -> pa.Table:
        """Apply whole frames (``TIMED_UPDATES_SCHEMA``); return their rows, ``BOOK_ROWS_SCHEMA``.

        Raises:
            ValueError: An update is impossible; the message names product and update.
        """
        touched = self._with_touches(updates)
        rows = self._replay.apply(touched.select(UPDATES_SCHEMA.names))
        times = _times(touched, rows["frame"].to_numpy())
        is_touched = _is_touched(updates, rows)
        kept = np.ones(len(times), bool)
        has_crossed = np.zeros(len(times), bool)
        is_snapshot = rows["is_snapshot"].to_numpy().copy()
        for product, start, end in _runs_of_products(rows):
            past = self._pasts.setdefault(product, _Past())
            own = rows.slice(start, end - start)
            has_crossed[start:end] = _crossings(past, own)
            is_snapshot[start:end] = _told_snapshots(past, times[start:end], own)
            own = _with_snapshots(own, is_snapshot[start:end])
            kept[start:end] = self._kept(
                past, times[start:end], own, has_crossed[start:end], is_touched[start:end]
            )
        rows = _with_snapshots(rows, is_snapshot)
        table = pa.table(
            [
                pa.repeat(pa.scalar(self.stream, pa.string()), len(times)),
                rows["product_id"],
                rows["frame"],
                pa.array(times, pa.int64(), mask=times == NEVER).cast(TIME),
                *(rows[name] for name in BOOK_ROWS_SCHEMA.names[4:-1]),
                pa.array(has_crossed),
            ],
            schema=BOOK_ROWS_SCHEMA,
        )
        return table if kept.all() else table.filter(pa.array(kept))

    def states(self, replayed_to: int) -> pa.Table:
        """Return what the next run must know, ``STATES_SCHEMA``."""
        checkpoints = self._replay.checkpoints()
        pasts = [self._pasts.get(name, _Past()) for name in checkpoints["product_id"].to_pylist()]
        latest = np.array([past.latest for past in pasts], np.int64)
        count = len(pasts)
        return pa.table(
            [
                pa.repeat(pa.scalar(self.stream, pa.string()), count),
                *checkpoints.columns,
                pa.array(latest, mask=latest == NEVER).cast(TIME),
                pa.array(
                    [None if past.has_untold_snapshot else past.is_sound for past in pasts],
                    pa.bool_(),
                ),
                pa.array([past.has_crossed for past in pasts], pa.bool_()),
                pa.repeat(pa.scalar(replayed_to, pa.int64()), count),
            ],
            schema=STATES_SCHEMA,
        )

    def _with_touches(self, updates: pa.Table) -> pa.Table:
        """Add, to each gap of the connection, a TOUCH of every product that is known by then."""
        is_gap = pc.is_null(updates["product_id"])
        gaps = updates.filter(is_gap)
        if not gaps.num_rows:
            return updates
        known = dict.fromkeys(self._pasts, -1)
        named = updates.filter(pc.invert(is_gap))
        for first in named.group_by("product_id").aggregate([("frame", "min")]).to_pylist():
            known.setdefault(first["product_id"], first["frame_min"])
        tables = [updates]
        for product, frame in known.items():
            touches = gaps.filter(pc.greater(gaps["frame"], frame))
            for name, value in (("product_id", product), ("kind", UpdateKind.TOUCH)):
                place = gaps.schema.get_field_index(name)
                field = gaps.schema.field(place)
                column = pa.repeat(pa.scalar(value, field.type), touches.num_rows)
                touches = touches.set_column(place, field, column)
            tables.append(touches)
        table = pa.concat_tables(tables)
        # After the gap, and before what else is in the frame.
        rank = np.ones(table.num_rows, np.int64)
        rank[: updates.num_rows] = np.where(is_gap.to_numpy(), 0, 2)
        return table.take(np.lexsort((rank, table["frame"].to_numpy())))

    def _kept(
        self,
        past: _Past,
        times: Int64s,
        rows: pa.Table,
        has_crossed: NDArray[np.bool_],
        is_touched: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Return which rows of a product are kept, and move its past on."""
        is_sound = rows["is_valid"].to_numpy() & ~has_crossed
        turns = np.append(past.is_sound != is_sound[0], is_sound[1:] != is_sound[:-1])
        kept: NDArray[np.bool_] = ~is_touched | turns
        latest = np.maximum.accumulate(np.append(past.latest, np.where(kept, times, NEVER)))
        past.latest, past.is_sound = int(latest[-1]), bool(is_sound[-1])
        if self._interval:
            steps = latest // self._interval
            kept &= rows["is_snapshot"].to_numpy() | turns | (steps[1:] > steps[:-1])
        return kept


def _is_touched(updates: pa.Table, rows: pa.Table) -> NDArray[np.bool_]:
    """Return which rows would not be there without a gap of the connection."""
    gaps = pc.unique(updates["frame"].filter(pc.is_null(updates["product_id"])))
    touched = np.zeros(rows.num_rows, bool)
    if len(gaps):
        at_gap = pc.is_in(rows["frame"], gaps)
        own = updates.filter(pc.is_in(updates["frame"], gaps))
        touched[at_gap.to_numpy()] = pc.invert(
            pc.is_in(_keys(rows.filter(at_gap)), _keys(own))
        ).to_numpy()
    return touched


def _keys(table: pa.Table) -> pa.ChunkedArray:
    """Return product and frame as one text."""
    return pc.binary_join_element_wise(table["product_id"], table["frame"].cast(pa.string()), ":")


def _crossings(past: _Past, rows: pa.Table) -> NDArray[np.bool_]:
    """Return which rows of a product have crossed since its last snapshot, and keep the last."""
    places = np.arange(rows.num_rows)
    crossed = np.where(rows["is_crossed"].to_numpy(), places, -1)
    snapshots = np.where(rows["is_snapshot"].to_numpy(), places, -1)
    last_crossed = np.maximum.accumulate(crossed)
    last_snapshot = np.maximum.accumulate(snapshots)
    has_crossed: NDArray[np.bool_] = (last_crossed >= last_snapshot) & (last_crossed >= 0)
    has_crossed |= past.has_crossed & (last_snapshot < 0)
    past.has_crossed = bool(has_crossed[-1])
    return has_crossed


def _told_snapshots(past: _Past, times: Int64s, rows: pa.Table) -> NDArray[np.bool_]:
    """Return which rows of a product tell of a snapshot: its own, or one before without a time."""
    is_snapshot: NDArray[np.bool_] = rows["is_snapshot"].to_numpy().copy()
    timed = np.flatnonzero(times != NEVER)
    untold = np.append([past.has_untold_snapshot], is_snapshot & (times == NEVER))
    # How many untold ones came before each row, and had come before the last row with a time.
    before = np.cumsum(untold)[:-1]
    is_snapshot[timed] |= np.diff(before[timed], prepend=0) > 0
    past.has_untold_snapshot = bool(untold.sum() > (before[timed[-1]] if len(timed) else 0))
    return is_snapshot


def _with_snapshots(rows: pa.Table, is_snapshot: NDArray[np.bool_]) -> pa.Table:
    """Return rows with another ``is_snapshot``."""
    place = rows.schema.get_field_index("is_snapshot")
    return rows.set_column(place, ROWS_SCHEMA.field(place), pa.array(is_snapshot))


def progress_row(frame_number: int) -> pa.Table:
    """Return the row that says how far a run has replayed."""
    empty = [pa.nulls(1, field.type) for field in BOOK_ROWS_SCHEMA]
    empty[BOOK_ROWS_SCHEMA.get_field_index("frame_number")] = pa.array([frame_number])
    return pa.table(empty, schema=BOOK_ROWS_SCHEMA)


def _times(updates: pa.Table, frames: Int64s) -> Int64s:
    """Return the time of each frame in microseconds, ``NEVER`` where it has none.

    A frame's time is that of its last update, which comes after the marker of a gap.
    """
    all_frames = updates["frame"].to_numpy()
    times = pc.fill_null(updates["sent_at"].cast(pa.int64()), NEVER).to_numpy()
    place = np.searchsorted(all_frames, frames, side="right") - 1
    found: Int64s = times[place]
    return found


def _runs_of_products(rows: pa.Table) -> list[tuple[str, int, int]]:
    """Return each product with the range of its rows; rows come product by product."""
    if not rows.num_rows:
        return []
    encoded = rows["product_id"].combine_chunks().dictionary_encode()
    encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    codes = encoded.indices.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    ends = np.append(starts[1:], len(codes))
    names = encoded.dictionary.to_pylist()
    return [
        (names[codes[start]], int(start), int(end)) for start, end in zip(starts, ends, strict=True)
    ]
