"""The order flow of every book that has none yet, and the states that the next run needs."""

from typing import Any

import pyarrow as pa

from python_models.order_flow import new_rows


def model(dbt: Any, session: Any) -> pa.RecordBatchReader:
    """Return the rows after those that are there."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    dbt.ref("order_books")
    dbt.ref("order_book_features")
    dbt.ref("trades")
    return new_rows(session, str(dbt.this), dbt.is_incremental, dbt.config.get("variables"))
