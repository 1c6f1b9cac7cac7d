"""Order-book models built without dbt's own seconds: compiled by dbt once, run on DuckDB often.

The SQL is dbt's, of a first build and of a later one; the Python models are called as dbt calls
them. What dbt adds (hooks, tests, transactions) is left to the tests that run dbt itself.
"""

import importlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from pipelines import dbt

WAREHOUSE = "warehouse.duckdb"  # dbt's SQL names the database, which is called after the file
SELECTED = "+path:dbt_project/silver/order_books +path:python_models/silver/order_books"


@dataclass(frozen=True)
class CompiledModel:
    """One model: its SQL for an empty warehouse and for one that has been built."""

    relation: str
    materialized: str
    first: str
    later: str
    unique_key: list[str]
    python: str | None  # the module of a Python model
    config: dict[str, Any]


@dataclass(frozen=True)
class _Config:
    values: dict[str, Any]

    def __call__(self, **_: object) -> None:
        """What the model says of itself is known already."""

    def get(self, name: str, default: Any = None) -> Any:
        """A value of the model's YAML."""
        return self.values.get(name, default)


@dataclass(frozen=True)
class _Dbt:
    """What a Python model sees of dbt."""

    is_incremental: bool
    config: _Config
    this: str

    def ref(self, name: str) -> str:
        """The models say which relations they read; here the name is enough."""
        return name


class CompiledModels:
    """All order-book models in the order in which they are built."""

    def __init__(
        self, directory: Path, selected: str = SELECTED, *, has_seeds: bool = False
    ) -> None:
        self._directory = directory
        self._selected = selected.split()
        if has_seeds:
            self._dbt("seed")
        self._dbt("run")
        first = self._compiled()
        self._dbt("compile")
        later = self._compiled()
        nodes = _artefact("manifest.json")["nodes"]
        names = self._in_order(nodes, set(later))
        self.models = [
            CompiledModel(
                relation=f"{nodes[name]['schema']}.{nodes[name]['alias']}",
                materialized=nodes[name]["config"]["materialized"],
                first=first[name],
                later=later[name],
                unique_key=_as_list(nodes[name]["config"].get("unique_key")),
                python=_module(nodes[name]),
                config=nodes[name]["config"],
            )
            for name in names
        ]

    def build(
        self, warehouse: Path, relations: Collection[str] | None = None, **config: Any
    ) -> None:
        """One build: every model, or these, first or incremental as its table is there or not."""
        assert warehouse.name == WAREHOUSE
        with duckdb.connect(warehouse) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for schema in ("bronze", "silver", "gold"):
                connection.execute(f"create schema if not exists {schema}")
            for model in self.models:
                if relations is None or model.relation in relations:
                    build_model(connection, model, config)

    def _dbt(self, command: str) -> None:
        arguments = [command, "--select", *self._selected, "--quiet"]
        done = dbt(self._directory / WAREHOUSE, *arguments, DBT_WRITE_JSON="true")
        assert done.returncode == 0, done.stdout

    def _compiled(self) -> dict[str, str]:
        """The compiled text of each model that was selected."""
        return {
            result["unique_id"]: result["compiled_code"]
            for result in _artefact("run_results.json")["results"]
            if result["unique_id"].startswith("model.")
        }

    def _in_order(self, nodes: dict[str, Any], selected: set[str]) -> list[str]:
        """The models, each after those it reads."""
        ordered: list[str] = []

        def add(name: str) -> None:
            for parent in nodes[name]["depends_on"]["nodes"]:
                if parent in selected and parent not in ordered:
                    add(parent)
            if name not in ordered:
                ordered.append(name)

        for name in sorted(selected):
            add(name)
        return ordered


def build_model(
    connection: duckdb.DuckDBPyConnection,
    model: CompiledModel,
    config: dict[str, Any] | None = None,
) -> None:
    """One model of a build."""
    if model.materialized == "view":
        connection.execute(f"create or replace view {model.relation} as {model.first}")
        return
    schema, name = model.relation.split(".")
    is_first = not connection.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = ?", [schema, name]
    ).fetchall()
    if model.python:
        module = importlib.import_module(model.python)
        dbt = _Dbt(not is_first, _Config({**model.config, **(config or {})}), model.relation)
        connection.register("python_rows", connection.from_arrow(module.model(dbt, connection)))
        query = "from python_rows"
    else:
        query = model.first if is_first else model.later
    if is_first or model.materialized == "table":
        connection.execute(f"create or replace table {model.relation} as {query}")
        return
    # As macros/python_models.sql has it, a stream is not held anywhere before it is inserted.
    held = "view" if model.python else "table"
    connection.execute(f"create temp {held} arrived as {query}")
    if model.unique_key:
        same = " and ".join(f"held.{key} = arrived.{key}" for key in model.unique_key)
        connection.execute(f"delete from {model.relation} held using arrived where {same}")
    connection.execute(f"insert into {model.relation} by name select * from arrived")
    connection.execute(f"drop {held} arrived")


def _artefact(name: str) -> dict[str, Any]:
    """What the last dbt command has written of itself."""
    content: dict[str, Any] = json.loads((Path(os.environ["DBT_TARGET_PATH"]) / name).read_text())
    return content


def _as_list(value: str | list[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else value


def _module(node: dict[str, Any]) -> str | None:
    if node["language"] != "python":
        return None
    return str(Path(node["original_file_path"]).with_suffix("")).replace("/", ".")
