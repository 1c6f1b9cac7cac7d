"""The structural features of every order book that has none yet."""

from itertools import chain
from typing import Any

from python_models.batches import last_value, read_ahead, stream_of
from python_models.kernels.order_book_features import BOOKS_AT_A_TIME, order_book_features_reader


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
        books = session.cursor().execute(
            f"from silver.order_books where source = '{source}' and book_number > {after}"
        )
        parts.append(books.to_arrow_reader(BOOKS_AT_A_TIME))
    return stream_of(order_book_features_reader(read_ahead(chain(*parts))))
