"""Which books are late: they were told again, or after a book that they should have come before.

A book is late in two cases, each beside the books of its exchange, symbol and source that came
before it in the order of book numbers and were not late themselves:

* It was captured before one of them: the segment that holds it was loaded after one that follows.
* It is of another stream than the last of them, and its time is before the latest of theirs: two
  recorders follow one product at the same time, and the first of them has told it.

A late book is left out of order flow and of bars, and changes nothing for the books after it: as
far as one stream lies in the time of another, the other's rows are what they are without it.

State is data: what is known of the books before follows from the rows that are there.
"""

from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from python_models.kernels.compilation import compiled

Int64s = NDArray[np.int64]
NEVER = int(np.iinfo(np.int64).min)
TIME = pa.timestamp("us")

ARRIVALS_SCHEMA = pa.schema(
    [
        pa.field("exchange", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("stream", pa.string()),
        pa.field("booked_at", TIME),
        pa.field("captured_at", TIME),  # null where the order of the books is that of arrival
    ]
)
"""Books of one source, in the order of their numbers.

As a state, one row an exchange and symbol: the stream of the last book that was not late, and the
latest times of all of those.
"""


class Lateness(NamedTuple):
    """Which books are late, and what is known of all that were not, ``ARRIVALS_SCHEMA``."""

    is_late: NDArray[np.bool_]
    states: pa.Table


def are_late(books: pa.Table, states: pa.Table | None = None) -> Lateness:
    """Say which books are late.

    Args:
        books: ``ARRIVALS_SCHEMA``; more columns are left out.
        states: What is known of the books before, ``ARRIVALS_SCHEMA``; None: there are none.
    """
    known = ARRIVALS_SCHEMA.empty_table() if states is None else states
    both = pa.concat_tables(
        [part.select(ARRIVALS_SCHEMA.names).cast(ARRIVALS_SCHEMA) for part in (known, books)]
    )
    # A state is like a book that came first.
    exchanges, symbols, streams = (_codes(both[name]) for name in ARRIVALS_SCHEMA.names[:3])
    names, keys = np.unique(exchanges * (symbols.max(initial=0) + 1) + symbols, return_inverse=True)
    count = len(names)
    last_books = np.full(count, -1, np.int64)
    latest_times, latest_captures = np.full((2, count), NEVER, np.int64)
    found = np.zeros(both.num_rows, bool)
    _mark(
        keys,
        streams,
        _microseconds(both["booked_at"]),
        _microseconds(both["captured_at"]),
        last_books,
        latest_times,
        latest_captures,
        found,
    )
    told = both.take(pa.array(last_books))
    times = (
        pa.array(latest, mask=latest == NEVER).cast(TIME)
        for latest in (latest_times, latest_captures)
    )
    latest = pa.table([*told.columns[:3], *times], ARRIVALS_SCHEMA)
    return Lateness(found[known.num_rows :], latest)


@compiled
def _mark(
    keys: Int64s,
    streams: Int64s,
    times: Int64s,
    captures: Int64s,
    last_books: Int64s,
    latest_times: Int64s,
    latest_captures: Int64s,
    found: NDArray[np.bool_],
) -> None:
    """Write which books are late; what is known of each key is changed in place."""
    for book in range(len(keys)):
        key, stream, time, capture = keys[book], streams[book], times[book], captures[book]
        is_first = last_books[key] < 0
        found[book] = (capture != NEVER and capture < latest_captures[key]) or (
            not is_first
            and stream != streams[last_books[key]]
            and time != NEVER
            and time < latest_times[key]
        )
        if not found[book]:
            last_books[key] = book
            latest_times[key] = max(latest_times[key], time)
            latest_captures[key] = max(latest_captures[key], capture)


def _codes(names: pa.ChunkedArray) -> Int64s:
    """Return a number for each text, the same for the same."""
    encoded = names.combine_chunks().dictionary_encode("encode")
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return cast(Int64s, encoded.indices.to_numpy().astype(np.int64))


def _microseconds(times: pa.ChunkedArray) -> Int64s:
    """Return times as int64, ``NEVER`` where null."""
    return cast(Int64s, pc.fill_null(times.cast(pa.int64()), NEVER).to_numpy())
