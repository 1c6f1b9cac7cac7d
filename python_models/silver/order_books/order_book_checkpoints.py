from typing import Any

import pyarrow as pa

from python_models.replay import new_states


def model(dbt: Any, session: Any) -> pa.Table:
    dbt.config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key=["stream", "product_id"],
    )
    dbt.ref("order_book_updates")
    dbt.ref("replayed_order_books")
    return new_states(session, dbt.is_incremental)
