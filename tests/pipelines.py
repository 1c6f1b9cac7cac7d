"""What the pipeline tests share: simulated runs into a warehouse, and whole-table comparisons."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from ingestion.build import PROJECT, Half, dbt_events
from ingestion.pipeline import VENUES, ingest
from ingestion.runs import SimulatedClock
from ingestion.settings import Settings
from ingestion.simulator import Faults, World, serve
from ingestion.warehouse import open_warehouse

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
LAYERS = ("bronze", "silver", "gold")
# After `sow` the seeds stay as they are, and so few labels measure nothing. Unit tests bring rows
# of their own: `test_the_models_pass_their_unit_tests` runs them once.
SOWN = (
    *("--exclude-resource-type", "seed", "--exclude-resource-type", "unit_test"),
    *("--exclude", "matching_is_as_good_as_stated"),
)

# A run's own name, the load that the loader numbers by the time of day, and files' own times.
RUN_COLUMNS = {"run_id", "sync_id", "sweep_id", "load_id", "last_load_id"}
RUN_COLUMNS |= {"listing_load_id", "book_load_id"}
RUN_COLUMNS |= {"segment_id", "file_modified_at"}
# How fast the simulator answered.
RUN_COLUMNS |= {"api_request_id", "answer_seconds", "longest_answer_seconds"}


def small_world(tick: int = 0, seed: int = 7) -> World:
    """A universe of a few hundred markets."""
    return World(seed=seed, kalshi_markets=400, polymarket_markets=800, now=NOW, tick=tick)


@contextmanager
def simulated(
    warehouse: Path, world: World, faults: Faults | None = None
) -> Iterator[tuple[Settings, Any]]:
    """Settings for a warehouse and a running simulator, and the simulator."""
    with serve(world, faults=faults or Faults()) as server:
        yield (
            Settings(
                warehouse=warehouse,
                kalshi_url=server.kalshi_url,
                polymarket_url=server.polymarket_url,
                clob_url=server.clob_url,
                kalshi_requests_per_second=1_000,
                polymarket_requests_per_second=1_000,
                request_backoff_seconds=0.01,
            ),
            server,
        )


def sweep(settings: Settings, run_id: str, start: datetime = NOW) -> None:
    """Ingests both venues with a clock that starts at `start`."""
    clock = SimulatedClock(start)
    for venue in VENUES:
        ingest(venue, settings, run_id=run_id, clock=clock)


def few_seeds(warehouse: Path) -> None:
    """A warehouse of seeds alone, with the labels of one event in sixteen."""
    done = dbt(warehouse, "seed", "--quiet", "--vars", "{}")
    assert done.returncode == 0, done.stdout
    with open_warehouse(warehouse) as connection:
        connection.execute(
            "delete from silver.labelled_pairs where not starts_with(md5(event_group), '0');"
            "delete from silver.labelled_listings where market_id not in"
            " (select unnest([kalshi_market_id, polymarket_market_id]) from silver.labelled_pairs)"
        )


def sow(warehouse: Path, seeds: Path) -> None:
    """Gives a warehouse the tables of `few_seeds`. A build reads the listings of all labels in most
    of its time, and they never meet those that a test has made: where matching is not measured, a
    few of them stand for all."""
    with open_warehouse(warehouse) as connection:
        connection.execute(f"attach '{seeds}' as seeds (read_only)")
        connection.execute("create schema if not exists silver")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables()"
            " where database_name = 'seeds' and schema_name = 'silver'"
        ).fetchall():
            connection.execute(f"create table silver.{name} as from seeds.silver.{name}")


def build_tables(
    warehouse: Path, part: Half | str, *arguments: str, is_tested: bool = False
) -> None:
    """As ``build``, of a half of the project or of what dbt is to select. Without dbt's tests,
    which take most of its time and write nothing, or with those of what is selected alone."""
    selected = ["--select", *(f"tag:{part}" if isinstance(part, Half) else part).split()]
    tests = (
        ["--indirect-selection", "cautious"]
        if is_tested
        else ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    )
    # The vars as ``build`` has them: to dbt, others are another project, which it parses anew.
    command = ["build", "--no-write-json", "--vars", "{}", *selected, *tests, *arguments]
    events = list(dbt_events(warehouse, command, {}))
    stats = [event["data"]["stats"] for event in events if event["info"]["name"] == "StatsLine"]
    said = "\n".join(event["info"]["msg"] for event in events)
    assert stats, said
    assert not stats[0]["error"], said


def dbt(warehouse: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A dbt command, run to its end as a build runs it: the project is parsed only where it, or its
    vars, are others than at the last command with the same DBT_TARGET_PATH. Its manifest and its
    results are written for who asks for them (DBT_WRITE_JSON)."""
    command = [sys.executable, "-m", "ingestion.dbt_process", *arguments]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env={
            **os.environ,
            "MARKETFINDER_WAREHOUSE": str(warehouse),
            "DBT_WRITE_JSON": "false",
            **environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        shown = process.stdout.read()
    return subprocess.CompletedProcess(command, process.returncode, shown)


def ask(warehouse: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        return connection.execute(query, parameters).fetchall()


def contents(warehouse: Path, ignored: set[str] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Every table and view of the built layers with all its rows, sorted; columns in `ignored`
    (by default none) left out."""
    return _of_each_table(warehouse, ignored, "select {columns} from {table} order by all")


def digests(warehouse: Path, ignored: set[str] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Of every table, as ``contents`` has them, a digest of its rows in any order: whether they are
    the same is known in a quarter of the time."""
    rows = "select count(*), sum(hash(row)) from (select struct_pack({packed}) as row from {table})"
    return _of_each_table(warehouse, ignored, rows)


def _of_each_table(
    warehouse: Path, ignored: set[str] | None, query: str
) -> dict[str, list[tuple[Any, ...]]]:
    tables: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect(warehouse, read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where list_contains(?, table_schema) order by all",
            [LAYERS],
        ).fetchall()
        for schema, table in names:
            columns = connection.execute(
                "select column_name from information_schema.columns"
                " where table_schema = ? and table_name = ? order by ordinal_position",
                [schema, table],
            ).fetchall()
            kept = [f'"{name}"' for (name,) in columns if name not in (ignored or set())]
            tables[f"{schema}.{table}"] = connection.execute(
                query.format(
                    columns=", ".join(kept),
                    packed=", ".join(f"{name} := {name}" for name in kept),
                    table=f'{schema}."{table}"',
                )
            ).fetchall()
    return tables


def differing(
    one: dict[str, list[tuple[Any, ...]]], other: dict[str, list[tuple[Any, ...]]]
) -> list[str]:
    """The names of the tables that are not the same."""
    return [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]


class Scan(NamedTuple):
    """A scan of a table: the columns it reads, rows it looks at, and rows it passes on."""

    columns: list[str]
    read: int
    passed: int


def scans_of(connection: duckdb.DuckDBPyConnection, query: str, *given: Any) -> list[Scan]:
    """The scans of tables by a query, which is run."""
    [(_, plan)] = connection.execute(f"explain (analyze, format json) {query}", *given).fetchall()
    found, operators = [], [json.loads(plan)]
    for operator in operators:
        operators += operator.get("children", operator.get("operator", []))
        about = operator.get("extra_info", {})
        if {"Table", "Projections"} <= about.keys():
            columns = about["Projections"]  # the name itself where it is one
            names = ["rows_scanned", "intermediate_rows"]
            if "operator_rows_scanned" in operator:  # so DuckDB 1.5 calls them
                names = ["operator_rows_scanned", "operator_cardinality"]
            read, passed = (int(operator[name]) for name in names)
            found.append(Scan([columns] if isinstance(columns, str) else columns, read, passed))
    return found
