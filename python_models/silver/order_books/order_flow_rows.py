"""The order flow of every book that has none yet, and the states that the next run needs."""

from typing import Any

from python_models.batches import stream_of
from python_models.order_flow import new_rows


def model(dbt: Any, session: Any) -> Any:
    """Return the rows after those that are there."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    dbt.ref("order_books")
    dbt.ref("order_book_features")
    dbt.ref("trades")
    dbt.ref("captured_symbols")
    dbt.ref("sequence_gaps")
    variables = dbt.config.get("variables")
    return stream_of(new_rows(session, str(dbt.this), dbt.is_incremental, variables))
