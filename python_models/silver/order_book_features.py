"""The structural features of every order book that has none yet."""

from typing import Any

from python_models.kernels.order_book_features import order_book_features_reader

BOOKS_AT_A_TIME = 100_000


def model(dbt: Any, session: Any) -> Any:
    """Return the features of the books beyond the last one known of each exchange and symbol."""
    # Until silver.order_books is there.
    dbt.config(materialized="incremental", incremental_strategy="append", enabled=False)
    books = dbt.ref("order_books")
    if dbt.is_incremental:
        books = session.sql(f"""
            select books.*
            from books
            left join (
                select exchange, symbol, max(book_number) as last_book_number
                from {dbt.this}
                group by all
            ) as known using (exchange, symbol)
            where known.last_book_number is null or books.book_number > known.last_book_number
        """)
    return order_book_features_reader(books.to_arrow_reader(BOOKS_AT_A_TIME))
