"""Replay of one stream's books in runs: which frames give a row, and what the next run must know.

Adds to ``order_book_tables`` the time of each row, a time grid, and the state that both need, so
that a stream cut into any runs gives the same rows.

A row of a **time grid** is the book after the first frame of a time step (of ``interval``
microseconds, aligned to the epoch) that no earlier frame of the product had reached. Nothing later
than the frame is looked at. Rows that begin or end a doubt are kept besides: snapshots, and the
first row that is valid, or not, unlike the one before.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from python_models.kernels.order_book_replay import DEFAULT_DEPTH
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
    ]
)
"""A progress row has nothing but ``frame_number``: the last frame that the run has replayed."""

STATES_SCHEMA = pa.schema(
    [
        pa.field("stream", pa.string(), nullable=False),
        *CHECKPOINTS_SCHEMA,
        pa.field("latest_at", TIME),  # of all frames with a row
        pa.field("row_is_valid", pa.bool_()),  # of the last row; null before the first
        pa.field("replayed_to", pa.int64(), nullable=False),  # frame number, of any product
    ]
)


@dataclass
class _Clock:
    """What the time grid must know of a product."""

    latest: int = NEVER  # microseconds
    is_valid: bool | None = None


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
        self._clocks: dict[str, _Clock] = {}
        if states is not None:
            latest = pc.fill_null(states["latest_at"].cast(pa.int64()), NEVER)
            for product, time, is_valid in zip(
                states["product_id"].to_pylist(),
                latest.to_pylist(),
                states["row_is_valid"].to_pylist(),
                strict=True,
            ):
                self._clocks[product] = _Clock(time, is_valid)
            states = states.select(CHECKPOINTS_SCHEMA.names).cast(CHECKPOINTS_SCHEMA)
        self._replay = ConnectionReplay(states, depth)

    def apply(self, updates: pa.Table) -> pa.Table:
        """Apply whole frames (``TIMED_UPDATES_SCHEMA``); return their rows, ``BOOK_ROWS_SCHEMA``.

        Raises:
            ValueError: An update is impossible; the message names product and update.
        """
        rows = self._replay.apply(updates.select(UPDATES_SCHEMA.names))
        times = _times(updates, rows["frame"].to_numpy())
        kept = np.ones(len(times), bool)
        for product, start, end in _runs_of_products(rows):
            clock = self._clocks.setdefault(product, _Clock())
            kept[start:end] = self._on_grid(clock, times[start:end], rows.slice(start, end - start))
        table = pa.table(
            [
                pa.repeat(pa.scalar(self.stream, pa.string()), len(times)),
                rows["product_id"],
                rows["frame"],
                pa.array(times, pa.int64(), mask=times == NEVER).cast(TIME),
                *(rows[name] for name in BOOK_ROWS_SCHEMA.names[4:]),
            ],
            schema=BOOK_ROWS_SCHEMA,
        )
        return table if kept.all() else table.filter(pa.array(kept))

    def states(self, replayed_to: int) -> pa.Table:
        """Return what the next run must know, ``STATES_SCHEMA``."""
        checkpoints = self._replay.checkpoints()
        clocks = [self._clocks.get(name, _Clock()) for name in checkpoints["product_id"].to_pylist()]
        latest = np.array([clock.latest for clock in clocks], np.int64)
        count = len(clocks)
        return pa.table(
            [
                pa.repeat(pa.scalar(self.stream, pa.string()), count),
                *checkpoints.columns,
                pa.array(latest, mask=latest == NEVER).cast(TIME),
                pa.array([clock.is_valid for clock in clocks], pa.bool_()),
                pa.repeat(pa.scalar(replayed_to, pa.int64()), count),
            ],
            schema=STATES_SCHEMA,
        )

    def _on_grid(self, clock: _Clock, times: NDArray[np.int64], rows: pa.Table) -> NDArray[np.bool_]:
        """Return which rows of a product the grid keeps, and move its clock on."""
        is_valid = rows["is_valid"].to_numpy()
        turns = np.append(clock.is_valid != is_valid[0], is_valid[1:] != is_valid[:-1])
        latest = np.maximum.accumulate(np.concatenate([[clock.latest], times]))
        clock.latest, clock.is_valid = int(latest[-1]), bool(is_valid[-1])
        if not self._interval:
            return np.ones(len(times), bool)
        steps = latest // self._interval
        return (steps[1:] > steps[:-1]) | turns | rows["is_snapshot"].to_numpy()


def progress_row(frame_number: int) -> pa.Table:
    """Return the row that says how far a run has replayed."""
    empty = [pa.nulls(1, field.type) for field in BOOK_ROWS_SCHEMA]
    empty[BOOK_ROWS_SCHEMA.get_field_index("frame_number")] = pa.array([frame_number])
    return pa.table(empty, schema=BOOK_ROWS_SCHEMA)


def _times(updates: pa.Table, frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the time of each frame in microseconds, ``NEVER`` where it has none.

    The marker of a gap has no time, so a frame's time is that of its last update.
    """
    all_frames = updates["frame"].to_numpy()
    times = pc.fill_null(updates["sent_at"].cast(pa.int64()), NEVER).to_numpy()
    place = np.searchsorted(all_frames, frames, side="right") - 1
    found: NDArray[np.int64] = times[place]
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

