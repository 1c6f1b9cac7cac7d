from typing import Any

import pyarrow as pa

from python_models.judging import judged_pairs


def model(dbt: Any, session: Any) -> pa.Table:
    dbt.config(materialized="table")
    dbt.ref("pair_questions")
    return judged_pairs(session)
