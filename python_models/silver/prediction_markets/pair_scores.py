from typing import Any

import pyarrow as pa

from python_models.pair_scoring import scored_pairs


def model(dbt: Any, session: Any) -> pa.RecordBatchReader:
    dbt.config(materialized="table")
    dbt.ref("pair_features")
    return scored_pairs(session)
