"""The structural features of every order book that has none yet, and which books are late."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from python_models.batches import BATCH_ROWS, last_value, read_ahead, stream_of
from python_models.kernels.late_order_books import ARRIVALS_SCHEMA, are_late
from python_models.kernels.order_book_features import BOOKS_AT_A_TIME, order_book_features_reader

# What is known of the books before the new ones.
_KNOWN = """
with held as (
    select exchange, symbol, arg_max(stream, book_number) as stream, max(booked_at) as booked_at
    from {table}
    where source = '{source}' and not is_late
    group by all
),

captures as (
    select exchange, symbol, max(captured_at) as captured_at
    from bronze.ccxt_order_books
    where
        '{source}' = 'captured'
        and frame_number <= {after}
        and frame_number not in (select book_number from {table} where is_late)
    group by all
)

select held.*, captures.captured_at
from held
left join captures using (exchange, symbol)
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


def model(dbt: Any, session: Any) -> Any:
    """Return the features of the books beyond the last one known of each source."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    dbt.ref("order_books")
    # The two sources are filled apart from each other; each is read from where it stood, and by a
    # query of its own: the rows of a union, of which one part is a join, come in no order.
    parts = []
    for source in ("replayed", "captured"):
        known = f"select max(book_number) from {dbt.this} where source = '{source}'"
        after = last_value(session, known) if dbt.is_incremental else -1
        late = _late_books(session, source, after, str(dbt.this) if dbt.is_incremental else None)
        books = session.cursor().execute(
            f"from silver.order_books where source = '{source}' and book_number > {after}"
        )
        parts.append(_with_late(books.to_arrow_reader(BOOKS_AT_A_TIME), late))
    return stream_of(order_book_features_reader(read_ahead(chain(*parts))))


def _late_books(session: Any, source: str, after: int, table: str | None) -> set[Key]:
    """The new books of a source that are late, by exchange, symbol and number."""
    reader = session.cursor()
    known = ARRIVALS_SCHEMA.empty_table()
    if table is not None:
        query = _KNOWN.format(table=table, source=source, after=after)
        known = reader.execute(query).to_arrow_table()
    reader.register("known", known)
    condition = _OF_TWO_STREAMS.format(after=after) if source == "replayed" else ""
    query = _NEW_BOOKS.format(source=source, after=after, condition=condition)
    late: set[Key] = set()
    names = ("exchange", "symbol", "book_number")
    for batch in reader.execute(query).to_arrow_reader(BATCH_ROWS):
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
