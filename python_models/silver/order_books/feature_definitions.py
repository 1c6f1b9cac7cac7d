"""What each feature of an order book is, from the tables that the kernels are built on."""

from typing import Any

import pyarrow as pa

from python_models.order_flow_docs import feature_definitions


def model(dbt: Any, session: Any) -> pa.Table:
    """Return one row a feature."""
    dbt.config(materialized="table")
    return feature_definitions(dbt.config.get("variables"))
