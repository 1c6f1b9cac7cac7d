"""What each column of the feature tables is: for dbt's YAML, and for ``gold.feature_dictionary``.

``uv run python -m python_models.order_flow_docs`` writes the YAML again, for the vars that
dbt_project.yml has; a test fails when it is not what the tables of features say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from python_models.kernels.order_book_feature_docs import (
    IDENTITY_COLUMNS,
    column_lines,
    table_header,
)
from python_models.kernels.order_book_feature_table import structural_features
from python_models.kernels.order_flow_feature_table import flow_features
from python_models.order_flow import flow_parameters

PROJECT = Path(__file__).parents[1]
SILVER_PATH = PROJECT / "dbt_project/silver/order_books/order_flow_features.yml"
GOLD_PATH = PROJECT / "dbt_project/gold/order_books/gold_order_book_features.yml"
DEFINITIONS_SCHEMA = pa.schema(
    [
        pa.field("position", pa.int32(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("feature_group", pa.string(), nullable=False),
        pa.field("formula", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("window_seconds", pa.int32()),
        pa.field("null_when", pa.string()),
        pa.field("data_type", pa.string(), nullable=False),
    ]
)
CONTRACT = """\
      contract:
        enforced: true
"""
SILVER_DESCRIPTION = """\
What a book says with those before it and with the trades that had arrived when it did: order
      flow, returns, rolling windows, Kyle's lambda, VPIN. A trade counts at the first book that
      arrived after it; no row looks at what came later, and none ever changes. A book that came
      late (is_late) has a row without features, and the rows after it are as if it were not there;
      so where two streams tell a product at the same time, the features are those of the first,
      but for its trades: they are told by either stream, each once. is_reset and is_stale say where
      the past is not known. A prime marks the valid row before that was not late."""
GOLD_DESCRIPTION = """\
Every feature of an order book beside its best levels. Groups that the var
      order_book_feature_groups leaves out are null. Features of order flow are null where
      awaits_order_flow is true, and come later; all others never change."""
AWAITS = (
    "True when the features of order flow are not there yet: trades up to the book's time are not "
    "loaded, or silver.order_flow_rows has not been built since. Never null."
)


@dataclass(frozen=True)
class Column:
    """A feature with its group."""

    name: str
    group: str
    formula: str
    unit: str
    source: str
    window: int
    null_when: str
    data_type: str
    description: str


def columns(variables: Mapping[str, Any]) -> list[Column]:
    """Return every feature of ``gold.order_book_features``, in its order."""
    raw = [
        Column(
            name=f"{side}_{what}_{level}",
            group="raw",
            formula=f"{what.capitalize()} of {side} level {level}, 0 the best",
            unit=unit,
            source="",
            window=0,
            null_when=f"the side has no level {level}",
            data_type="DOUBLE",
            description=f"{what.capitalize()} of {side} level {level}, 0 the best, as the feed "
            f"told it, of an invalid book too. Unit: {unit}. Null when the side has no level "
            f"{level}.",
        )
        for level in range(int(variables["order_book_shown_levels"]))
        for side in ("bid", "ask")
        for what, unit in (("price", "quote currency"), ("size", "base currency"))
    ]
    structural = [
        Column(
            name=feature.name,
            group="structural",
            formula=feature.formula,
            unit=feature.unit,
            source="",
            window=0,
            null_when=feature.null_when,
            data_type=feature.value_type,
            description=feature.description(),
        )
        for feature in structural_features()
    ]
    flow = [
        Column(
            name=feature.name,
            group=feature.group,
            formula=feature.formula,
            unit=feature.unit,
            source=feature.source,
            window=feature.window,
            null_when=feature.null_when,
            data_type=feature.value_type,
            description=feature.description(),
        )
        for feature in flow_features(flow_parameters(variables))
    ]
    return [*raw, *structural, *flow]


def feature_definitions(variables: str | Mapping[str, Any]) -> pa.Table:
    """Return one row a feature, ``DEFINITIONS_SCHEMA``; source, window, null_when null for none."""
    found = columns(json.loads(variables) if isinstance(variables, str) else variables)
    rows = [
        {
            "position": position,
            "name": column.name,
            "feature_group": column.group,
            "formula": column.formula,
            "unit": column.unit,
            "source": column.source or None,
            "window_seconds": column.window or None,
            "null_when": _null_when(column),
            "data_type": column.data_type,
        }
        for position, column in enumerate(found, 1)
    ]
    return pa.Table.from_pylist(rows, DEFINITIONS_SCHEMA)


def _null_when(column: Column) -> str:
    conditions = [] if column.group == "raw" else ["is_valid is false"]
    if column.group not in ("raw", "structural"):
        conditions += ["is_late is true", "awaits_order_flow is true"]
    return " or ".join([*conditions, *filter(None, [column.null_when])])


def silver_yaml(variables: Mapping[str, Any]) -> str:
    """Return the YAML of ``silver.order_flow_features``."""
    flow = [column for column in columns(variables) if column.group not in ("raw", "structural")]
    return _yaml("order_flow_features", SILVER_DESCRIPTION, {}, flow)


def gold_yaml(variables: Mapping[str, Any]) -> str:
    """Return the YAML of ``gold.order_book_features``."""
    awaits = {"awaits_order_flow": ("BOOLEAN", AWAITS)}
    return _yaml("gold_order_book_features", GOLD_DESCRIPTION, awaits, columns(variables))


def _yaml(
    name: str,
    description: str,
    more: Mapping[str, tuple[str, str]],
    features: list[Column],
) -> str:
    identity = {**IDENTITY_COLUMNS, **more}
    lines = [column_lines(column, *rest) for column, rest in identity.items()]
    lines += [
        column_lines(column.name, column.data_type, column.description) for column in features
    ]
    return table_header("python_models.order_flow_docs", name, description, CONTRACT) + "".join(
        lines
    )


def project_variables() -> dict[str, Any]:
    """Return the vars of dbt_project.yml."""
    found: dict[str, Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    return found


if __name__ == "__main__":
    SILVER_PATH.write_text(silver_yaml(project_variables()))
    GOLD_PATH.write_text(gold_yaml(project_variables()))
