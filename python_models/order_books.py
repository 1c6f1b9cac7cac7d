"""The structural features of every order book that has none yet, and which books are late.

Books of a source are late or not in the order of their numbers, whatever runs they come in: see
``kernels.late_order_books``.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from python_models.batches import BATCH_ROWS, last_value, read_ahead
from python_models.kernels.late_order_books import ARRIVALS_SCHEMA, are_late
from python_models.kernels.order_book_features import BOOKS_AT_A_TIME, order_book_features_reader

# What is known of the books before the new ones: of symbols with a book that is ahead of a new one
# in time, as no other's can be late. By such bounds DuckDB passes over all but the tables' ends.
_KNOWN = """
with new_books as (
    select
        coalesce(min(booked_at), 'infinity') as booked_at,
        coalesce(min(captured_at), 'infinity') as captured_at
    from silver.order_books
    where source = '{source}' and book_number > {after}
),

captured_ahead as (
    select exchange, symbol, frame_number, captured_at
    from bronze.ccxt_order_books
    where
        '{source}' = 'captured'
        and frame_number <= {after}
        and captured_at > (select captured_at from new_books)
),

late as (
    select book_number
    from {table}
    where
        is_late
        and book_number >= (select coalesce(min(frame_number), {after} + 1) from captured_ahead)
),

ahead as (
    select exchange, symbol, book_number, booked_at, cast(null as timestamp) as captured_at
    from {table}
    where
        source = '{source}' and not is_late
        and booked_at > (select booked_at from new_books)
    union all
    select exchange, symbol, frame_number as book_number, null as booked_at, captured_at
    from captured_ahead
    where frame_number not in (select book_number from late)
),

known as (
    select exchange, symbol, max(booked_at) as booked_at, max(captured_at) as captured_at
    from ahead
    group by all
),

last_streams as (
    select exchange, symbol, arg_max(stream, book_number) as stream
    from {table}
    where
        source = '{source}' and not is_late
        and book_number >= (select coalesce(min(book_number), {after} + 1) from ahead)
    group by all
)

select exchange, symbol, last_streams.stream, booked_at, captured_at
from known
inner join last_streams using (exchange, symbol)
"""
_NEW_BOOKS = """
select exchange, symbol, stream, book_number, booked_at, captured_at
from silver.order_books
where source = '{source}' and book_number > {after} {condition}
order by book_number
"""
# A replayed book arrives in order, and can only be late where a product has two streams.
_OF_TWO_STREAMS = """
    and (exchange, symbol) in (
        select exchange, symbol
        from (
            select exchange, symbol, stream
            from silver.order_books
            where source = 'replayed' and book_number > {after}
            union
            select exchange, symbol, stream from known
        )
        group by all
        having count(*) > 1
    )
"""
Key = tuple[str, str, int]


def new_rows(session: Any, table: str, is_incremental: bool) -> Any:
    """Return the rows that `table` lacks."""
    # The two sources are filled apart from each other; each is read from where it stood, and by a
    # query of its own: the rows of a union, of which one part is a join, come in no order.
    parts = []
    for source in ("replayed", "captured"):
        known = f"select max(book_number) from {table} where source = '{source}'"
        after = last_value(session, known) if is_incremental else -1
        late = _late_books(session, source, after, table if is_incremental else None)
        books = session.cursor().sql(
            f"from silver.order_books where source = '{source}' and book_number > {after}"
        )
        parts.append(_with_late(books.to_arrow_reader(BOOKS_AT_A_TIME), late))
    return order_book_features_reader(read_ahead(chain(*parts)))


def _late_books(session: Any, source: str, after: int, table: str | None) -> set[Key]:
    """The new books of a source that are late, by exchange, symbol and number."""
    reader = session.cursor()
    known = ARRIVALS_SCHEMA.empty_table()
    if table is not None:
        query = _KNOWN.format(table=table, source=source, after=after)
        known = reader.sql(query).to_arrow_table()
    reader.register("known", known)
    condition = _OF_TWO_STREAMS.format(after=after) if source == "replayed" else ""
    query = _NEW_BOOKS.format(source=source, after=after, condition=condition)
    late: set[Key] = set()
    names = ("exchange", "symbol", "book_number")
    for batch in reader.sql(query).to_arrow_reader(BATCH_ROWS):
        books = pa.Table.from_batches([batch])
        is_late, known = are_late(books, known)
        found = books.filter(pa.array(is_late))
        late.update(zip(*(found[name].to_pylist() for name in names), strict=True))
    return late


def _with_late(batches: Iterable[pa.RecordBatch], late: set[Key]) -> Iterator[pa.RecordBatch]:
    """The same books, and whether each is late."""
    numbers = np.array(sorted({number for _, _, number in late}), np.int64)
    for batch in batches:
        is_late = np.zeros(batch.num_rows, bool)
        if late:
            for place in np.flatnonzero(np.isin(batch["book_number"].to_numpy(), numbers)):
                names = (batch[name][place].as_py() for name in ("exchange", "symbol"))
                is_late[place] = (*names, batch["book_number"][place].as_py()) in late
        yield batch.append_column("is_late", pa.array(is_late))
