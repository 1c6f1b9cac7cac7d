"""The structural features of every order book that has none yet, and which books are late."""

from typing import Any

from python_models.batches import stream_of
from python_models.order_books import new_rows


def model(dbt: Any, session: Any) -> Any:
    """Return the features of the books beyond the last one known of each source."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    dbt.ref("order_books")
    return stream_of(new_rows(session, str(dbt.this), dbt.is_incremental))
