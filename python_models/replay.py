"""Drives the replay of all streams over a warehouse: what its two models share.

``replayed_order_books`` goes first: from the checkpoints of the run before, over all updates since,
and writes the rows it has not written yet. ``order_book_checkpoints`` follows over the same
updates, up to where the rows have come. Each can be repeated, or fail, without the other: the rows
say in a progress row how far they are, and a checkpoint that lags behind only makes the next run
go over some updates twice.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from python_models.batches import FrameRange, frame_ranges, has_table, last_value, read_ranges
from python_models.kernels.order_book_replay import BookSide, UpdateKind
from python_models.kernels.order_book_runs import (
    BOOK_ROWS_SCHEMA,
    STATES_SCHEMA,
    StreamReplay,
    progress_row,
)

_UPDATES = f"""
select
    stream,
    product_id,
    frame_number as frame,
    case kind
        when 'update' then {UpdateKind.UPDATE:d}
        when 'snapshot' then {UpdateKind.SNAPSHOT:d}
        when 'gap' then {UpdateKind.GAP:d}
        else {UpdateKind.TOUCH:d}
    end::tinyint as kind,
    case side
        when 'bid' then {BookSide.BID:d}
        when 'ask' then {BookSide.ASK:d}
    end::tinyint as side,
    price_ticks,
    size_lots,
    sent_at,
from silver.order_book_updates
where frame_number > {{after}} and frame_number <= {{last}}
order by frame_number, update_number, kind = 'snapshot' desc
"""
_CHANGES = "bronze.coinbase_level2_updates"


def new_rows(session: Any, is_incremental: bool, depth: int, interval: int) -> pa.RecordBatchReader:
    """The rows of all books after the frames that have none yet, ``BOOK_ROWS_SCHEMA``."""
    written = states = None
    if is_incremental:
        _refuse_other_depth(session, depth)
        written = last_value(
            session,
            "select max(frame_number) from silver.replayed_order_books where product_id is null",
        )
        if has_table(session, "silver", "order_book_checkpoints"):
            states = _states(session)
    replays = _Replays(states, depth, interval)
    ranges = frame_ranges(
        session, _CHANGES, "frame_number", replays.replayed_to, _sequenced_to(session)
    )
    return pa.RecordBatchReader.from_batches(
        BOOK_ROWS_SCHEMA, _rows(session, replays, ranges, -1 if written is None else written)
    )


def new_states(session: Any, is_incremental: bool) -> pa.Table:
    """Where the rows have come to: the full books, ``STATES_SCHEMA``."""
    replays = _Replays(_states(session) if is_incremental else None, depth=1, interval=0)
    last = last_value(
        session,
        "select max(frame_number) from silver.replayed_order_books where product_id is null",
    )
    ranges = frame_ranges(session, _CHANGES, "frame_number", replays.replayed_to, last)
    for updates in read_ranges(session, _UPDATES, ranges):
        replays.apply(updates)
    return replays.states(max(last, replays.replayed_to))


class _Replays:
    """The replay of every stream."""

    def __init__(self, states: pa.Table | None, depth: int, interval: int) -> None:
        self._depth, self._interval = depth, interval
        self._streams: dict[str, StreamReplay] = {}
        self.replayed_to = -1
        if states is not None and states.num_rows:
            self.replayed_to = pc.max(states["replayed_to"]).as_py()
            for stream in pc.unique(states["stream"]).to_pylist():
                own = states.filter(pc.equal(states["stream"], stream))
                self._streams[stream] = StreamReplay(stream, own, depth, interval)

    def apply(self, updates: pa.Table) -> pa.Table:
        """The rows of whole frames of any streams."""
        tables = [BOOK_ROWS_SCHEMA.empty_table()]
        for stream in sorted(pc.unique(updates["stream"]).to_pylist()):
            if stream not in self._streams:
                self._streams[stream] = StreamReplay(stream, None, self._depth, self._interval)
            own = updates.filter(pc.equal(updates["stream"], stream))
            tables.append(self._streams[stream].apply(own))
        return pa.concat_tables(tables)

    def states(self, replayed_to: int) -> pa.Table:
        """The states of all streams."""
        states = [self._streams[stream].states(replayed_to) for stream in sorted(self._streams)]
        return pa.concat_tables([STATES_SCHEMA.empty_table(), *states])


def _rows(
    session: Any, replays: _Replays, ranges: list[FrameRange], written: int
) -> Iterator[pa.RecordBatch]:
    for updates in read_ranges(session, _UPDATES, ranges):
        rows = replays.apply(updates)
        yield from rows.filter(pc.greater(rows["frame_number"], written)).to_batches()
    if ranges and ranges[-1].last > written:
        yield from progress_row(ranges[-1].last).to_batches()


def _refuse_other_depth(session: Any, depth: int) -> None:
    """Raise where rows of another depth are held. (sequenced_frames keeps it: see keep_to.)"""
    if not has_table(session, "bronze", "kept_vars"):
        return
    kept = session.execute(
        "select chosen from bronze.kept_vars where model = 'sequenced_frames' and about = 'setting'"
    ).fetchall()
    if kept and f"order_book_depth={depth}," not in f"{kept[0][0]},":
        raise ValueError(
            f"silver.replayed_order_books was built with {kept[0][0]}, and now is asked for depth "
            f"{depth}. Build with the same, or everything anew (--full-refresh)."
        )


def _sequenced_to(session: Any) -> int:
    """The last frame whose place in its connection is known: beyond it a gap would not be seen."""
    return last_value(session, "select max(frame_number) from silver.sequenced_frames")


def _states(session: Any) -> pa.Table:
    query = f"select {', '.join(STATES_SCHEMA.names)} from silver.order_book_checkpoints"
    return session.sql(query).to_arrow_table().cast(STATES_SCHEMA)
