"""A warehouse after many runs: what is new costs what it did, and no row is another for it."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from compiled_models import compiled_models
from order_book_builds import WAREHOUSE, CompiledModels
from pipelines import (
    NOW,
    ask,
    contents,
    differing,
    scans_of,
    simulated,
    sweep,
)

from ingestion.books import ingest_books
from ingestion.pipeline import VENUES
from ingestion.runs import SimulatedClock
from ingestion.settings import Settings
from ingestion.simulator import World
from ingestion.venues import Entity
from ingestion.warehouse import _remove_incomplete_loads, known_records, open_warehouse

MODELS = ("listings", "delistings", "events", "market_quotes", "latest_books")
VERSIONED = [
    f"{venue}_{entity}"
    for venue in ("kalshi", "polymarket")
    for entity in ("markets", "order_books")
]
HISTORY = 500_000  # rows, of four row groups and more
COUNT = "select count(*) from bronze.kalshi_markets"


def market_world(tick: int) -> World:
    return World(seed=7, kalshi_markets=40, polymarket_markets=40, now=NOW, tick=tick)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    selected = " ".join(f"+{name}" for name in MODELS)
    return CompiledModels(tmp_path_factory.mktemp("models"), selected)


def fetch(settings: Settings, server: Any, tick: int) -> None:
    """One run's listings, and the order books of all of them that were listed at first."""
    server.world = market_world(tick)
    start = NOW + timedelta(minutes=30 * tick)
    sweep(settings, f"run-{tick}", start)
    with open_warehouse(settings.warehouse) as connection:
        connection.execute(
            """
            create schema if not exists silver;
            create table if not exists silver.watchlist as
            select 'kalshi' as platform, external_id as book_id, 1 as priority
            from raw.kalshi_markets where payload is not null
            union all
            select
                'polymarket', unnest(cast(payload ->> 'clobTokenIds' as json)::varchar []), 1
            from raw.polymarket_markets where payload is not null
            """
        )
    later = start + timedelta(minutes=10)
    _, problems = ingest_books(settings, run_id=f"run-{tick}", clock=SimulatedClock(later))
    assert problems == []


def put_back_the_clock(warehouse: Path) -> None:
    """The loads of the last run have names that sort before all others."""
    with duckdb.connect(warehouse) as connection:
        ((before,),) = connection.execute(
            "select max(_dlt_load_id) from raw.sweeps where run_id = 'run-1'"
        ).fetchall()
        for (table,) in connection.execute(
            "select table_name from duckdb_columns()"
            " where schema_name = 'raw' and column_name = '_dlt_load_id'"
        ).fetchall():
            connection.execute(
                f"update raw.{table} set _dlt_load_id = '0' || _dlt_load_id where _dlt_load_id > ?",
                [before],
            )
        connection.execute(
            "update raw._dlt_loads set load_id = '0' || load_id where load_id > ?", [before]
        )


def test_the_tables_of_many_builds_are_those_of_one(models: CompiledModels, tmp_path: Path) -> None:
    """Also where the clock was put back between two loads, whose names are times."""
    warehouse = tmp_path / "many" / WAREHOUSE
    warehouse.parent.mkdir()
    with simulated(warehouse, market_world(0)) as (settings, server):
        for tick in range(4):
            fetch(settings, server, tick)
            if tick == 2:
                put_back_the_clock(warehouse)
            before = ask(warehouse, COUNT) if tick else [(0,)]
            models.build(warehouse)
            assert ask(warehouse, COUNT) > before
    at_once = tmp_path / "once" / WAREHOUSE
    at_once.parent.mkdir()
    shutil.copy(warehouse, at_once)
    with duckdb.connect(at_once) as connection:
        connection.execute("drop schema bronze cascade")
        for model in MODELS:
            connection.execute(f"drop table silver.{model}")
    models.build(at_once)
    found = contents(warehouse)
    assert differing(found, contents(at_once)) == []
    assert all(found[f"silver.{model}"] for model in MODELS)
    assert all(found[f"bronze.{table}"] for table in VERSIONED)


def age(connection: duckdb.DuckDBPyConnection) -> None:
    """Half a million rows before the first of each table."""
    older = {
        f"raw.{table}": "md5(number::varchar) as record_id, '0' as _dlt_load_id"
        for table in VERSIONED
    }
    older |= {
        f"bronze.{table}": f"'0' as load_id, number - {HISTORY} as record_number"
        for table in VERSIONED
    }
    older |= {"silver.market_quotes": f"number - {HISTORY} as record_number"}
    older |= {"raw._dlt_loads": "'0' as load_id"}
    for table, values in older.items():
        rows = 1 if table == "raw._dlt_loads" else HISTORY
        connection.execute(
            f"""
            create or replace table {table} as
            select first.* replace ({values})
            from (from {table} limit 1) as first, range({rows}) as before (number)
            union all
            from {table}
            """
        )
    connection.execute("checkpoint")


@pytest.fixture(scope="module")
def aged(models: CompiledModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with a long history, and a run since the last build."""
    warehouse = tmp_path_factory.mktemp("aged") / WAREHOUSE
    with simulated(warehouse, market_world(0)) as (settings, server):
        fetch(settings, server, 0)
        models.build(warehouse)
        with duckdb.connect(warehouse) as connection:
            age(connection)
        fetch(settings, server, 1)
    return warehouse


def test_a_later_build_passes_over_history(models: CompiledModels, aged: Path) -> None:
    with duckdb.connect(aged, read_only=True) as connection:
        read = {
            model.relation: sum(
                scan.read for scan in scans_of(connection, model.later) if len(scan.columns) > 1
            )
            for model in models.models
        }
    assert {f"bronze.{table}" for table in VERSIONED} < read.keys()
    assert {relation: rows for relation, rows in read.items() if rows > HISTORY // 2} == {}


class Scanning:
    """A connection that counts the rows which scans of its queries pass on."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.rows = 0

    def execute(self, query: str, *given: Any) -> duckdb.DuckDBPyConnection:
        self.rows += sum(scan.passed for scan in scans_of(self.connection, query, *given))
        return self.connection.execute(query, *given)


def test_what_a_load_has_left_is_looked_for_at_the_end(aged: Path) -> None:
    with duckdb.connect(aged) as connection:
        scanning = Scanning(connection)
        _remove_incomplete_loads(cast(duckdb.DuckDBPyConnection, scanning))
        assert 0 < scanning.rows < 1_000
        connection.execute(
            "insert into raw.kalshi_markets by name"
            " select * replace ('killed' as _dlt_load_id) from raw.kalshi_markets limit 3"
        )
    ((rows,),) = ask(aged, "select count(*) from raw.kalshi_markets")
    with open_warehouse(aged):
        pass
    assert ask(aged, "select count(*) from raw.kalshi_markets") == [(rows - 3,)]


def test_what_is_gone_takes_no_memory(aged: Path) -> None:
    entity: Entity = VENUES["kalshi"].entity("market")
    with duckdb.connect(aged, read_only=True) as connection:
        known = known_records(connection, entity)
        gone = connection.execute(
            "select external_id from raw.kalshi_markets where payload is null"
        ).fetchall()
    assert gone
    assert not known.newest.keys() & {external_id for (external_id,) in gone}
    assert len(known.newest) == known.live_listings == 40


def test_prices_read_the_latest_books_alone(aged: Path) -> None:
    """They are found by their place: of the others no level is read."""
    functions, compiled = compiled_models("outcome_books")
    with duckdb.connect(aged) as connection:
        connection.execute(functions)
        connection.execute(
            """
            create table silver.pricing_clock as
            select max(fetched_at) as as_of from silver.latest_books;
            create table silver.lock_legs as
            select
                'kalshi:' || book_id || ':0' as outcome_id, 'kalshi:' || book_id as market_id,
                platform, book_id as external_id, book_id as token_id
            from silver.latest_books where platform = 'kalshi'
            """
        )
        books = connection.execute(
            f"select external_id from ({compiled['outcome_books']})"
        ).fetchall()
        scans = scans_of(connection, compiled["outcome_books"])
    assert len(books) == 40
    assert sum(scan.passed for scan in scans if len(scan.columns) > 1) < 1_000
