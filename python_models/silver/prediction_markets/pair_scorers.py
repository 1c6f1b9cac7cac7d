from typing import Any

import pyarrow as pa

from python_models.pair_scoring import current_scorer


def model(dbt: Any, session: Any) -> pa.Table:
    dbt.config(materialized="table")
    return current_scorer()
