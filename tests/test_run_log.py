"""The log of runs: how each step ended, and what the next run says of one that did not."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Query, ScriptedVenue, TickingClock

from ingestion import cli
from ingestion.build import PROJECT
from ingestion.errors import MarketFinderError, TimedOutError, VenueError, WarehouseError
from ingestion.last_run import read_last_run
from ingestion.observation import begin
from ingestion.pipeline import ingest
from ingestion.run_log import Outcome, RunLog
from ingestion.runs import RunStep, run
from ingestion.settings import Settings
from ingestion.warehouse_locks import locked


def steps(warehouse: Path) -> dict[str, tuple[Any, ...]]:
    """Outcome and problem of each step."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        rows = connection.execute("select step, outcome, problem from raw.run_steps").fetchall()
    return {step: tuple(rest) for step, *rest in rows}


def raised(error: BaseException) -> Callable[[], None]:
    """Raises it."""

    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("act", "outcome", "problem"),
    [
        (lambda: None, Outcome.DONE, None),
        (raised(VenueError("kalshi is down")), Outcome.FAILED, "kalshi is down"),
        (raised(ZeroDivisionError()), Outcome.FAILED, "ZeroDivisionError"),
        (raised(KeyboardInterrupt()), Outcome.STOPPED, "It was told to stop."),
        (raised(SystemExit(143)), Outcome.STOPPED, "It was told to stop."),
    ],
)
def test_each_end_has_its_row(
    act: Callable[[], None],
    outcome: Outcome,
    problem: str | None,
    settings: Settings,
    clock: TickingClock,
    query: Query,
) -> None:
    log = RunLog(settings.warehouse, "one", clock)
    log.begin()
    try:
        with log.step("extract"):
            act()
    except BaseException:
        assert outcome != Outcome.DONE
    assert steps(settings.warehouse) == {"extract": (outcome, problem)}
    ((finished, seconds),) = query("select finished_at > started_at, seconds from raw.run_steps")
    assert finished
    assert 0 <= seconds < 60


def test_a_run_that_was_killed_is_interrupted(
    settings: Settings, clock: TickingClock, query: Query
) -> None:
    log = RunLog(settings.warehouse, "killed", clock)
    log.begin()
    query("insert into raw.run_steps (run_id, step, outcome) values ('killed', 'pairs', 'running')")
    RunLog(settings.warehouse, "next", clock).begin()
    assert steps(settings.warehouse) == {
        "pairs": ("interrupted", "It was killed, or the machine went down, before it ended.")
    }


def test_the_row_is_written_when_the_step_begins(settings: Settings, clock: TickingClock) -> None:
    log = RunLog(settings.warehouse, "one", clock)
    log.begin()
    with log.step("extract"):
        assert steps(settings.warehouse) == {"extract": ("running", None)}


@pytest.mark.parametrize("is_swallowed_once", [False, True])
def test_a_step_ends_when_its_time_is_up(
    is_swallowed_once: bool,
    settings: Settings,
    clock: TickingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingestion.run_log._REMINDER_SECONDS", 0.2)
    log = RunLog(settings.warehouse, "one", clock)
    log.begin()
    begun = time.monotonic()

    def wait() -> None:
        try:
            time.sleep(60)
        except BaseException:
            if not is_swallowed_once:
                raise
        time.sleep(60)

    told_why = r"'pairs' did not end within 0\.2 s .* goes on"
    with pytest.raises(TimedOutError, match=told_why) as told, log.step("pairs", 0.2):
        wait()
    assert told.value.exit_code == 5
    assert time.monotonic() - begun < 5
    assert steps(settings.warehouse)["pairs"] == ("timed out", str(told.value))
    with log.step("prices", 0.2):
        pass
    time.sleep(0.3)


def test_a_venue_that_hangs_has_no_more_time_than_the_step(
    venue: ScriptedVenue, settings: Settings, query: Query
) -> None:
    venue.kalshi([{"ticker": "A"}])
    go_on = threading.Event()

    def hang(path: str, count: int) -> None:
        go_on.wait(60)

    venue.before_answer = hang
    patient = settings.model_copy(
        update={"step_timeout_seconds": 2.0, "request_timeout_seconds": 300}
    )
    begun = time.monotonic()
    with pytest.raises(TimedOutError, match="'extract'"):
        run(patient, run_id="slow", steps=[RunStep.EXTRACT])
    assert time.monotonic() - begun < 20
    go_on.set()
    run(settings, run_id="next", steps=[RunStep.EXTRACT])
    assert query("select run_id, outcome from raw.run_steps order by started_at") == [
        ("slow", "timed out"),
        ("next", "done"),
    ]
    assert query("select external_id from raw.kalshi_markets") == [("A",)]


def test_a_build_that_takes_too_long_is_ended(settings: Settings) -> None:
    short = settings.model_copy(update={"step_timeout_seconds": 1.0})
    with pytest.raises(TimedOutError, match="'pairs'"):
        run(short, run_id="slow", steps=[RunStep.PAIRS])
    # Its dbt process, which has the lock as well, is gone.
    with locked(settings.warehouse):
        pass
    assert steps(settings.warehouse)["pairs"][0] == "timed out"


def test_a_build_that_is_told_to_stop(settings: Settings) -> None:
    command = [sys.executable, "-m", "ingestion.cli", "run", "--step", "pairs"]
    lock = settings.warehouse.with_suffix(".lock")
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, "MARKETFINDER_WAREHOUSE": str(settings.warehouse)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # It has written that the step begins, and goes on for seconds.
        while not (lock.exists() and settings.warehouse.exists() and steps_or_none(settings)):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        assert process.stderr is not None
        told = process.stderr.read()
        assert told == "step pairs (2 of 5)\nstopped; what was already loaded stays\n"
    assert steps(settings.warehouse) == {"pairs": ("stopped", "It was told to stop.")}


def test_a_run_that_is_stopped_names_the_step_it_was_in(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    log = RunLog(warehouse, "one", lambda: datetime(2026, 10, 1, 12, tzinfo=UTC))
    log.begin()
    with pytest.raises(KeyboardInterrupt), log.step("run"), log.step("pairs"):
        raise KeyboardInterrupt
    last = read_last_run(warehouse)
    assert str(last) == "run one is stopped (step pairs): It was told to stop"


@pytest.mark.parametrize(
    ("command", "said"), [("docs", "stopped"), ("run", "stopped; what was already loaded stays")]
)
def test_only_what_loads_says_that_something_stays(
    command: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(command)
    with pytest.raises(SystemExit):
        cli._stop(signal.SIGINT)
    begin("sql")
    assert capsys.readouterr().err == f"{said}\n"


def steps_or_none(settings: Settings) -> dict[str, tuple[Any, ...]] | None:
    """The steps, once another process has written one and closed the file; of a copy, whose reader
    is in nobody's way."""
    copy = settings.warehouse.with_name("copy.duckdb")
    shutil.copy(settings.warehouse, copy)
    try:
        return steps(copy)
    except duckdb.Error:
        return None


def test_a_clock_behind_the_data_is_refused(
    venue: ScriptedVenue, settings: Settings, query: Query
) -> None:
    """What it fetched would count as older than what is there, and nobody would notice."""
    venue.kalshi([{"ticker": "A"}])
    noon = datetime(2026, 10, 1, 12, tzinfo=UTC)
    ingest("kalshi", settings, run_id="one", clock=lambda: noon)
    early = noon - timedelta(hours=2)
    with pytest.raises(
        WarehouseError, match=r"The clock says 2026-10-01 10:00:00 UTC, and .* 12:00"
    ):
        run(settings, run_id="two", clock=lambda: early)
    assert query("select count(*) from raw.run_steps") == [(0,)]
    # A few seconds are none of its business.
    late = noon - timedelta(seconds=5)
    run(settings, run_id="three", steps=[RunStep.EXTRACT], clock=lambda: late)


def test_a_full_disk_in_a_load(venue: ScriptedVenue, settings: Settings, query: Query) -> None:
    """No file may be longer than 100 bytes, dlt's own neither."""
    venue.kalshi([{"ticker": "A"}])
    ingest("kalshi", settings, run_id="one")
    venue.kalshi([{"ticker": "A"}, {"ticker": "B"}])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(WarehouseError, match=r"File too large") as told:
            ingest("kalshi", settings, run_id="two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "Traceback" not in str(told.value)
    assert query("select external_id from raw.kalshi_markets") == [("A",)]
    ingest("kalshi", settings, run_id="three")
    assert query("select external_id from raw.kalshi_markets order by all") == [("A",), ("B",)]


def test_no_folder_for_the_warehouse(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in place of a folder")
    nowhere = settings.model_copy(update={"warehouse": tmp_path / "file" / "warehouse.duckdb"})
    with pytest.raises(MarketFinderError, match="needs a folder that can be written"):
        run(nowhere, run_id="one")
