"""Reads new rows of a relation in order, a bounded number at a time, for the Python models.

Frame numbers give the order (a segment's number, then the line), so a range of frame numbers holds
whole frames, and tables that were filled in that order are read without the rest.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa

Batch = TypeVar("Batch", pa.RecordBatch, pa.Table)

BATCH_ROWS = 500_000
_BLOCK_FRAMES = 1024


class FrameRange(NamedTuple):
    """Frames after ``after``, up to and with ``last``."""

    after: int
    last: int


def frame_ranges(
    session: Any, relation: str, column: str, after: int, last: int | None = None
) -> list[FrameRange]:
    """The frames of a relation in ranges of about ``BATCH_ROWS`` rows, or one block of frames.

    Args:
        session: A DuckDB connection.
        relation: The name of a table.
        column: Its frame number.
        after: The last frame that is not wanted any more.
        last: The last frame that is wanted, by default the last there is.
    """
    upper = f"and {column} <= {last}" if last is not None else ""
    blocks = session.execute(
        f"""
        select max({column}), count(*)
        from {relation} where {column} > {after} {upper}
        group by {column} // {_BLOCK_FRAMES} order by 1
        """
    ).fetchall()
    ranges, waiting = [], 0
    for number, (end, rows) in enumerate(blocks, 1):
        waiting += rows
        if waiting >= BATCH_ROWS or number == len(blocks):
            ranges.append(FrameRange(after, end))
            after, waiting = end, 0
    return ranges


def read_ranges(session: Any, query: str, ranges: list[FrameRange]) -> Iterator[pa.Table]:
    """The answer of ``query`` for each range; ``{after}`` and ``{last}`` stand for its ends."""
    reader = session.cursor()
    for frames in ranges:
        yield reader.sql(query.format(after=frames.after, last=frames.last)).to_arrow_table()


def last_value(session: Any, query: str) -> int:
    """The one number a query gives; -1 where it is null."""
    ((found,),) = session.execute(query).fetchall()
    return -1 if found is None else int(found)


def read_ahead(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same batches; the next one is read in a thread while the one given is worked on."""
    unread = iter(batches)
    with ThreadPoolExecutor(1, "read_ahead") as reader:
        upcoming = reader.submit(next, unread, None)
        while (batch := upcoming.result()) is not None:
            upcoming = reader.submit(next, unread, None)
            yield batch


def stream_of(rows: pa.RecordBatchReader) -> Any:
    """The rows as the bare Arrow stream: each thread of DuckDB takes a batch and writes it.

    A reader DuckDB hands to a scanner of pyarrow, which computes far ahead in a thread of its own,
    with a batch in memory for each step, while the threads that write wait for one another.
    """
    return rows.__arrow_c_stream__()


def has_table(session: Any, schema: str, name: str) -> bool:
    """Whether a table is there yet."""
    query = "select 1 from duckdb_tables() where schema_name = ? and table_name = ?"
    return bool(session.execute(query, [schema, name]).fetchall())
