"""A run that is killed with SIGKILL, and two runs at once."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import dlt
import duckdb
import killed_loads
import pytest
from conftest import Query, ScriptedVenue

from ingestion.errors import WarehouseError
from ingestion.landing import Sweep
from ingestion.pipeline import ingest, ingest_files
from ingestion.settings import Settings
from ingestion.warehouse import for_table, load, open_warehouse

# A run in a process of its own, which kills itself where the first argument says.
PROGRAM = """
    from datetime import UTC, datetime

    from killed_loads import die_at, given

    from ingestion.pipeline import ingest

    point, settings = given()
    die_at(point, "kalshi_markets")
    ingest("kalshi", settings, run_id="second", clock=lambda: datetime(2026, 10, 2, tzinfo=UTC),
           entities=["market"])
"""


def start(settings: Settings, point: str = "nowhere") -> subprocess.Popen[bytes]:
    """Starts a run in a process of its own."""
    return killed_loads.start(PROGRAM, point, settings)


def first_day(venue: ScriptedVenue, settings: Settings) -> None:
    """What was loaded before: 100 markets."""
    venue.kalshi([{"ticker": f"KX-{number}", "volume": 1} for number in range(100)])
    ingest("kalshi", settings, run_id="first", entities=["market"],
           clock=lambda: datetime(2026, 10, 1, tzinfo=UTC))  # fmt: skip


def second_day(venue: ScriptedVenue) -> None:
    """Ten markets are gone, thirty have changed, ten are new; four pages."""
    markets = [
        {"ticker": f"KX-{number}", "volume": 1 if number < 70 else 2} for number in range(10, 110)
    ]
    venue.kalshi(*(markets[start : start + 25] for start in range(0, 100, 25)))


def run_second_day(settings: Settings) -> None:
    """A clean run of the second day."""
    ingest("kalshi", settings, run_id="second", entities=["market"],
           clock=lambda: datetime(2026, 10, 2, tzinfo=UTC))  # fmt: skip


Content = dict[str, list[tuple[Any, ...]]]


def content(settings: Settings) -> Content:
    """All rows of complete loads and of no other, without the name of the load."""
    tables = ("kalshi_markets", "sweeps")
    with duckdb.connect(settings.warehouse) as connection:
        return {
            table: connection.execute(
                f"""
                select * exclude (_dlt_load_id), _dlt_load_id in (
                    select load_id from raw._dlt_loads where status = 0
                )
                from raw.{table} order by all
                """
            ).fetchall()
            for table in tables
        }


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """What two clean runs leave."""
    venue = ScriptedVenue()
    settings = Settings(
        warehouse=tmp_path_factory.mktemp("clean") / "warehouse.duckdb",
        kalshi_url=venue.url,
        kalshi_requests_per_second=1_000,
    )
    first_day(venue, settings)
    second_day(venue)
    run_second_day(settings)
    venue.close()
    return content(settings)


def check_next_run(settings: Settings, expected: Content, *, runs_logged: int = 2) -> None:
    """The next run leaves what clean runs leave, and no working files."""
    run_second_day(settings)
    landed = content(settings)
    assert landed["kalshi_markets"] == expected["kalshi_markets"]
    assert len(landed["kalshi_markets"]) == 100 + 30 + 10 + 10
    assert len(landed["sweeps"]) == runs_logged
    assert set(landed["sweeps"]) >= set(expected["sweeps"])
    assert list(settings.warehouse.with_suffix(".dlt").iterdir()) == []


def test_a_run_killed_while_it_fetches(
    venue: ScriptedVenue, settings: Settings, expected: Content
) -> None:
    first_day(venue, settings)
    second_day(venue)
    before = content(settings)
    child = start(settings)

    def kill_on_page_3(path: str, count: int) -> None:
        if count == 4:
            child.kill()
            child.wait()

    venue.before_answer = kill_on_page_3
    assert child.wait(60) == -signal.SIGKILL
    venue.before_answer = lambda path, count: None
    assert content(settings) == before
    check_next_run(settings, expected)


@pytest.mark.parametrize(
    "point",
    [
        "after the load job of kalshi_markets",
        pytest.param("between extract and normalize", marks=pytest.mark.slow),
        pytest.param("between normalize and load", marks=pytest.mark.slow),
        pytest.param("before the load is complete", marks=pytest.mark.slow),
        pytest.param("after the load is complete", marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_while_it_loads(
    point: str, venue: ScriptedVenue, settings: Settings, expected: Content
) -> None:
    first_day(venue, settings)
    second_day(venue)
    assert start(settings, point).wait(60) == -signal.SIGKILL
    # A load that was complete when the run was killed has its place in the log.
    runs_logged = 3 if point == "after the load is complete" else 2
    check_next_run(settings, expected, runs_logged=runs_logged)


@pytest.mark.slow
def test_the_very_first_load_killed(venue: ScriptedVenue, settings: Settings, query: Query) -> None:
    venue.kalshi([{"ticker": "A"}])
    assert start(settings, "after the load job of kalshi_markets").wait(60) == -signal.SIGKILL
    run_second_day(settings)
    complete = "_dlt_load_id in (select load_id from raw._dlt_loads where status = 0)"
    assert query(f"select external_id, {complete} from raw.kalshi_markets") == [("A", True)]


@contextmanager
def another_run(venue: ScriptedVenue, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A run in another process that waits for its first answer."""
    asked, answer = threading.Event(), threading.Event()

    def wait(path: str, count: int) -> None:
        asked.set()
        answer.wait(60)

    venue.before_answer = wait
    child = start(settings)
    try:
        assert asked.wait(60)
        yield child
    finally:
        answer.set()
        child.wait(60)


def test_two_runs_at_once(venue: ScriptedVenue, settings: Settings, query: Query) -> None:
    venue.kalshi([{"ticker": "A"}])
    with another_run(venue, settings) as child:
        in_use = rf"warehouse\.duckdb is in use by process {child.pid} \(.*\)\. Wait until it ends"
        with pytest.raises(WarehouseError, match=in_use):
            ingest("kalshi", settings, run_id="run")
        with pytest.raises(WarehouseError, match=in_use):
            ingest_files("kalshi", ["absent.json"], settings, run_id="run")
    assert child.returncode == 0
    assert query("select external_id from raw.kalshi_markets") == [("A",)]


def test_what_a_failed_load_left_goes_before_the_next(
    venue: ScriptedVenue, settings: Settings, query: Query
) -> None:
    """On one connection too: what is looked for later is the end of each table."""
    first_day(venue, settings)
    moment = datetime(2026, 10, 2, tzinfo=UTC)
    note = Sweep("second", "kalshi", "market", "/markets", moment, moment, error="no answer")

    def source() -> Any:
        rows = dlt.resource(lambda: iter([for_table("sweeps", note.table())]), name="failed_sweep")
        return dlt.source(lambda: rows, name="kalshi")()

    with open_warehouse(settings.warehouse) as connection:
        connection.execute(
            "insert into raw.sweeps by name"
            " select * replace ('failed' as _dlt_load_id) from raw.sweeps"
        )
        load(connection, settings.warehouse, source)
    assert query("select run_id, error from raw.sweeps order by all") == [
        ("first", None), ("second", "no answer"),
    ]  # fmt: skip
