from typing import Any

import pyarrow as pa

from python_models.replay import new_rows


def model(dbt: Any, session: Any) -> pa.RecordBatchReader:
    dbt.config(materialized="incremental", incremental_strategy="append")
    dbt.ref("order_book_updates")
    # Reads order_book_checkpoints of the run before, by name: a ref would be a cycle.
    return new_rows(
        session,
        dbt.is_incremental,
        depth=int(dbt.config.get("depth")),
        interval=1000 * int(dbt.config.get("interval_ms") or 0),
    )
