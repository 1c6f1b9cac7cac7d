from typing import Any

import pyarrow as pa

from python_models.judging import judge_usage


def model(dbt: Any, session: Any) -> pa.Table:
    dbt.config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key=["run_id", "day"],
    )
    dbt.ref("pair_verdicts")
    return judge_usage(session, known=str(dbt.this) if dbt.is_incremental else None)
