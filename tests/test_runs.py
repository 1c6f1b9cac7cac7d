"""The whole-run commands as a person calls them, and runs that are killed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from pipelines import NOW, RUN_COLUMNS, ask, contents, differing, simulated, small_world, sweep

from ingestion.build import PROJECT
from ingestion.errors import WarehouseError
from ingestion.runs import SimulatedClock, run
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse

# A run whose every step is announced, so that it can be killed at one of them.
_ANNOUNCED_RUN = """
import sys
from datetime import datetime
from ingestion.runs import SimulatedClock, run
from ingestion.settings import load_settings

def progress(what, done, expected):
    print(what, flush=True)

clock = SimulatedClock(datetime.fromisoformat(sys.argv[2]))
run(load_settings(), run_id=sys.argv[1], clock=clock, progress=progress)
"""


def environment(settings: Settings) -> dict[str, str]:
    """The environment that means these settings."""
    given = {name: value for name, value in settings if value is not None}
    mine = {f"MARKETFINDER_{name.upper()}": str(value) for name, value in given.items()}
    return {**os.environ, **mine, "COLUMNS": "200"}


def marketfinder(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a process of its own."""
    command = [sys.executable, "-c", "from ingestion.cli import main; main()", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environment(settings), capture_output=True, text=True, check=False
    )


@dataclass(frozen=True)
class Moment:
    """The n-th announcement of a step."""

    step: str
    count: int


def run_until(
    settings: Settings,
    moment: Moment,
    run_id: str = "killed",
    *,
    now: datetime = NOW,
    alone: bool = False,
) -> None:
    """Starts a run in a process group of its own, and kills the group with SIGKILL at a moment; or
    the run alone, and not the dbt process that it has started."""
    with subprocess.Popen(
        [sys.executable, "-c", _ANNOUNCED_RUN, run_id, now.isoformat()],
        cwd=PROJECT,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            seen += moment.step in line
            if seen == moment.count:
                (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
                break
        assert seen == moment.count
        assert process.wait() == -signal.SIGKILL
    # The children die a moment later, and their lock on the file with them.
    for _ in range(300):
        try:
            with open_warehouse(settings.warehouse, read_only=True):
                return
        except WarehouseError:
            time.sleep(0.1)
    raise AssertionError("a killed run still holds the warehouse")


def finish(settings: Settings) -> None:
    """An undisturbed run at the same simulated time."""
    run(settings, run_id="finished", clock=SimulatedClock(NOW))


@pytest.mark.parametrize(
    "moment",
    [
        Moment("dbt build", 25),
        Moment("kalshi /markets", 1),
        Moment("polymarket /markets/keyset", 2),
        Moment("dbt build", 1),
        Moment("dbt build", 100),
        Moment("dbt build", 200),
    ],
    ids=str,
)
@pytest.mark.slow  # three minutes each
def test_a_killed_run_leaves_nothing_behind(moment: Moment, tmp_path: Path) -> None:
    clean, killed = tmp_path / "clean.duckdb", tmp_path / "killed.duckdb"
    with simulated(clean, small_world()) as (settings, _):
        finish(settings)
        # The log says what each run saw new; in a finished run after a killed one that is less.
        published = tmp_path / "published.duckdb"
        again = settings.model_copy(update={"warehouse": killed, "published": published})
        # What readers had before the run that is killed.
        shutil.copyfile(settings.published, published)
        with duckdb.connect(published) as connection:  # as if it were of the second warehouse
            connection.execute("update gold.publication set warehouse = ?", [str(killed)])
        before = sha256(published.read_bytes()).digest()
        run_until(again, moment)
        assert sha256(published.read_bytes()).digest() == before
        finish(again)
    assert [path.name for path in tmp_path.glob(".*")] == []
    assert ask(published, "select run_id, warehouse from gold.publication") == [
        ("finished", str(killed))
    ]
    assert contents(published, set()).keys() - contents(killed).keys() == {"gold.publication"}
    outcomes = dict(ask(published, "select sync_id, outcome from gold.sync_logs"))
    assert outcomes == {"killed": "interrupted", "finished": "done"}
    logs = {"bronze.sweeps", "gold.sync_logs", "silver.runs", "bronze.run_steps"}
    logs |= {"bronze.api_requests", "silver.ingestion_metrics", "gold.run_metrics"}
    # Every fetch of a book lands, and every build that prices it leaves a sighting.
    logs |= {"bronze.kalshi_order_books", "bronze.polymarket_order_books"}
    logs |= {"silver.opportunity_sightings", "gold.arbitrage_history"}
    ignored = RUN_COLUMNS | {"fetched_at", "quoted_at", "as_of", "last_seen_at", "processed_at"}
    ignored |= {"record_id", "detected_at", "analyzed_at", "days_locked", "annualised_return"}
    assert set(differing(contents(clean, ignored), contents(killed, ignored))) <= logs


@pytest.mark.slow
def test_runs_killed_at_each_step_in_turn(tmp_path: Path) -> None:
    """What readers have stays whole all the while, and the run after them all goes through."""
    path = tmp_path / "warehouse.duckdb"
    steps = {
        "extract": Moment("polymarket /markets/keyset", 1),
        "pairs": Moment("dbt build", 50),
        "books": Moment("step books", 1),
        "prices": Moment("step prices", 1),
        "publish": Moment("step publish", 1),
    }
    with simulated(path, small_world()) as (settings, server):
        finish(settings)
        before = ask(settings.published, "from gold.arbitrage_opportunities order by all")
        server.world = small_world(3)
        for number, (step, moment) in enumerate(steps.items(), 1):
            now = NOW + timedelta(minutes=number)
            run_until(settings, moment, step, now=now, alone=True)
            assert ask(settings.published, "select run_id from gold.publication") == [("finished",)]
            assert before == ask(
                settings.published, "from gold.arbitrage_opportunities order by all"
            )
        run(settings, run_id="last", clock=SimulatedClock(NOW + timedelta(hours=1)))
    outcomes = dict(ask(settings.published, "select sync_id, outcome from gold.sync_logs"))
    assert outcomes == {"finished": "done", "last": "done"} | dict.fromkeys(steps, "interrupted")
    assert ask(settings.published, "select run_id from gold.publication") == [("last",)]
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        "marketfinder.duckdb",
        "warehouse.duckdb",
        "warehouse.last_run.json",
        "warehouse.lock",
    }


def test_a_dry_run_reads_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with simulated(path, small_world()) as (settings, server):
        done = marketfinder(settings, "run", "--dry-run")
        assert done.returncode == 0, done.stderr
        assert not server.requests
    assert not path.exists()
    for name in ("kalshi markets", "polymarket events", "kalshi_markets", "market_pairs"):
        assert name in done.stdout
    assert re.search(r"gold .*arbitrage_opportunities", done.stdout)


def test_a_query_cannot_change_the_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with simulated(path, small_world()) as (settings, _):
        sweep(settings, "one")
    counted = marketfinder(settings, "sql", "select count(*) as markets from raw.kalshi_markets")
    assert counted.returncode == 0, counted.stderr
    assert "400" in counted.stdout
    for query in ("drop table raw.kalshi_markets", "select nothing from nowhere", "selec"):
        refused = marketfinder(settings, "sql", query)
        assert refused.returncode == 1
        assert "error: The query failed: " in refused.stderr
        assert "Traceback" not in refused.stderr
    assert ask(path, "select count(*) from raw.kalshi_markets") == [(400,)]
    nowhere = settings.model_copy(update={"warehouse": tmp_path / "nowhere.duckdb"})
    assert "is not there yet" in marketfinder(nowhere, "sql", "select 1").stderr


def test_a_broken_build_says_what_broke(tmp_path: Path) -> None:
    """Somebody else's table in the way: which model, and why, without a stack trace."""
    path = tmp_path / "warehouse.duckdb"
    with simulated(path, small_world()) as (settings, _):
        sweep(settings, "one")
    import duckdb

    with duckdb.connect(path) as connection:
        connection.execute("create schema bronze; create table bronze.kalshi_markets (x integer)")
    with simulated(path, small_world()) as (settings, _):
        done = marketfinder(settings, "run")
    assert done.returncode == 1
    assert "dbt build failed" in done.stderr
    assert "kalshi_markets" in done.stderr
    assert "Traceback" not in done.stderr
    assert not settings.published.exists()
    logged = dict(ask(path, "select step, outcome from raw.run_steps"))
    assert logged == {"run": "failed", "extract": "done", "pairs": "failed"}
