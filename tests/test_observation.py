"""What a run tells while one venue is down: its log, metrics, health and freshness."""

import csv
import json
import os
import re
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Query, ScriptedVenue, TickingClock
from pipelines import ask, simulated, small_world, sow
from prometheus_client.parser import text_string_to_metric_families

from ingestion import logs
from ingestion.build import PROJECT, dbt_events
from ingestion.health import check_health
from ingestion.last_run import LastRun, age, copy_remarks, read_last_run, write_last_run
from ingestion.metrics import command_metrics
from ingestion.pipeline import ingest
from ingestion.settings import Settings
from ingestion.simulator import Faults
from ingestion.warehouse_locks import locked

KEY = "sk-planted-4711"
PASSWORD = "planted-password-4712"


@dataclass(frozen=True)
class Observed:
    """A run, and what it told."""

    settings: Settings
    metrics: Path
    code: int
    shown: str
    lines: list[str]


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment that means these settings."""
    mine = {
        f"MARKETFINDER_{name.upper()}": str(value) for name, value in settings if value is not None
    }
    return {**os.environ, **mine, **more}


def marketfinder(
    arguments: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """The command, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "ingestion.command", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory, seeds: Path) -> Observed:
    """A run while Polymarket does not list its markets. What its tests say is not the subject."""
    folder = tmp_path_factory.mktemp("observed")
    down = Faults(server_error_on_page=(1, "/markets/keyset", None))
    with simulated(folder / "warehouse.duckdb", small_world(), down) as (plain, _):
        sow(plain.warehouse, seeds)
        url = plain.polymarket_url.replace("://", f"://me:{PASSWORD}@")
        settings = plain.model_copy(
            update={"request_attempts": 2, "metrics": folder / "metrics", "polymarket_url": url}
        )
        done = marketfinder(
            ["--log-format", "json", "run"],
            environment(
                settings,
                DBT_EXCLUDE_RESOURCE_TYPES="test unit_test seed",
                DBT_LOG_LEVEL_FILE="debug",
                MARKETFINDER_JUDGE_API_KEY=KEY,
            ),
        )
    metrics = folder / "metrics"
    return Observed(settings, metrics, done.returncode, done.stdout, done.stderr.splitlines())


def families(text: str) -> dict[str, Any]:
    """Metrics by name, as Prometheus reads them."""
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family
    return found


def test_a_venue_that_is_down_does_not_stop_the_other(observed: Observed) -> None:
    assert observed.code == 3, observed.lines
    told = "\n".join(observed.lines)
    assert "polymarket /markets/keyset (page 1) answered 500" in told
    assert "Traceback" not in told
    assert ask(observed.settings.warehouse, "select distinct platform from gold.markets") == [
        ("kalshi",)
    ]
    ((outcome, errors),) = ask(
        observed.settings.published, "select outcome, errors from gold.sync_logs"
    )
    assert outcome == "in part"
    assert len(errors) == 1
    assert errors[0].startswith("polymarket market: polymarket /markets/keyset (page 1)")


def test_every_line_is_json_and_of_the_run(observed: Observed) -> None:
    events = [json.loads(line) for line in observed.lines]
    ((run_id,),) = ask(observed.settings.published, "select run_id from gold.publication")
    assert {event["run_id"] for event in events} == {run_id}
    assert {"marketfinder", "dbt"} <= {event["source"] for event in events}
    for event in events:
        assert {"time", "level", "message"} <= event.keys()
        assert datetime.fromisoformat(event["time"]).tzinfo
    steps = [event["step"] for event in events if event.get("outcome") == "done"]
    assert steps == ["pairs", "books", "prices", "publish"]
    swept = {event["entity"]: event["landed"] for event in events if event.get("venue") == "kalshi"}
    assert swept["market"] == 400
    nodes = {event["node"] for event in events if event.get("event") == "LogModelResult"}
    assert "model.marketfinder.run_metrics" in nodes
    assert observed.shown == ""


def test_no_secret_is_told(observed: Observed) -> None:
    """Nor by what dbt keeps of its own log, by the run log, or by a metric."""
    told = [*Path(os.environ["DBT_LOG_PATH"]).rglob("*.log")]
    assert told
    files = [*observed.metrics.iterdir(), *told]
    kept = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    asked = (
        "select to_json(steps)::varchar from raw.run_steps as steps"
        " union all select to_json(sweeps)::varchar from raw.sweeps as sweeps"
        " union all select to_json(asked)::varchar from raw.api_requests as asked"
    )
    kept += [row for (row,) in ask(observed.settings.warehouse, asked)]
    for text in (*observed.lines, *kept):
        assert KEY not in text
        assert PASSWORD not in text


def test_a_secret_in_a_message_is_struck_out(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whoever says it: a library, a stack trace, a message with an argument."""
    code = f"""
import logging, os
from ingestion import logs
logs.log_as_json()
logging.getLogger("some.library").warning("Authorization: Bearer %s", os.environ["THEIR_API_KEY"])
logs.logger.info("asked", extra={{"url": "postgres://me:{PASSWORD}@host/base", "of": [{KEY!r}]}})
try:
    raise ValueError("https://me:another@host failed with {KEY}")
except ValueError:
    logs.logger.exception("failed")
"""
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, "THEIR_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    library, ours, failed = [json.loads(line) for line in told.splitlines()]
    assert library["message"] == "Authorization: Bearer ***"
    assert library["source"] == "some.library"
    assert (ours["url"], ours["of"]) == ("postgres://***@host/base", ["***"])
    assert "ValueError: https://***@host failed with ***" in failed["traceback"]
    assert logs.is_json() is False


def test_the_files_say_what_sql_says(observed: Observed) -> None:
    told = families((observed.metrics / "marketfinder.prom").read_text())
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in told.values()
        for sample in family.samples
    }
    rows = ask(observed.settings.warehouse, "select metric, labels, value from gold.run_metrics")
    assert samples == {(name, tuple(sorted(of.items()))): value for name, of, value in rows}
    for name, family in told.items():
        assert family.type in ("counter", "gauge")
        assert name.endswith("_total") == (family.type == "counter")
        assert family.documentation
    requests = {
        (of["venue"], of["endpoint"], of["outcome"]): value
        for name, of, value in rows
        if name == "marketfinder_api_requests_total"
    }
    assert requests["polymarket", "/markets/keyset", "server error"] == 2
    assert requests["kalshi", "/markets", "ok"] == 1
    assert "other" not in {endpoint for _, endpoint, _ in requests}
    assert samples["marketfinder_runs_total", (("outcome", "in part"),)] == 1
    assert samples["marketfinder_table_rows", (("table", "silver.markets"),)] == 400
    command = families((observed.metrics / "marketfinder_command.prom").read_text())
    assert command["marketfinder_command_exit_code"].samples[0].value == 3
    assert {path.suffix for path in observed.metrics.iterdir()} == {".prom"}


@pytest.fixture(scope="module")
def meanings() -> dict[str, tuple[str, str]]:
    """Kind and help of every metric there is."""
    with (PROJECT / "seeds" / "metric_meanings.csv").open(encoding="utf-8") as file:
        found = {row["metric"]: (row["kind"], row["help"]) for row in csv.DictReader(file)}
    told = families(command_metrics(Settings(warehouse=PROJECT / "uv.duckdb"), "run", 0, 1))
    # Of files that are there.
    told |= {
        name: told["marketfinder_disk_free_bytes"]
        for name in ("marketfinder_file_bytes", "marketfinder_file_modified_timestamp_seconds")
        if name not in told
    }
    return found | {name: (family.type, family.documentation) for name, family in told.items()}


def test_every_metric_is_written_by_a_run(
    observed: Observed, meanings: dict[str, tuple[str, str]]
) -> None:
    """But for those of what did not happen: no judge was asked, and no record was turned away."""
    text = "".join(path.read_text() for path in sorted(observed.metrics.iterdir()))
    missing = meanings.keys() - families(text).keys()
    assert {re.sub("_llm_.*", "_llm_", name) for name in missing} == {
        "marketfinder_llm_",
        "marketfinder_rejected_records_total",
    }
    assert families(text).keys() <= meanings.keys()


@pytest.mark.parametrize(
    ("file", "is_complete"),
    [
        ("examples/grafana/marketfinder.json", True),
        ("examples/prometheus/alerts.yml", False),
        ("docs/observing.md", True),
    ],
)
def test_what_is_shown_is_what_is_written(
    file: str, is_complete: bool, meanings: dict[str, tuple[str, str]]
) -> None:
    text = (PROJECT / file).read_text(encoding="utf-8")
    named = set(re.findall(r"\bmarketfinder_[a-z_]+[a-z]\b(?!\.)", text))
    assert named
    assert named <= meanings.keys()
    assert not is_complete or named == meanings.keys()


def test_the_docs_tell_kind_labels_and_meaning(
    observed: Observed, meanings: dict[str, tuple[str, str]]
) -> None:
    text = (PROJECT / "docs" / "observing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", text, re.MULTILINE)
    files = "".join(path.read_text() for path in sorted(observed.metrics.iterdir()))
    labels = {
        name: ", ".join(sorted(family.samples[0].labels))
        for name, family in families(files).items()
    }
    for name, kind, told_labels, told in rows:
        if not name.startswith("marketfinder_file"):
            assert (kind, told) == meanings[name], name
        assert labels.get(name, told_labels) == told_labels, name


def test_a_failed_command_has_its_exit_code(tmp_path: Path) -> None:
    """The figures of before stay where the warehouse cannot be read."""
    metrics = tmp_path / "metrics"
    settings = Settings(
        warehouse=tmp_path / "warehouse.duckdb",
        metrics=metrics,
        kalshi_url="http://127.0.0.1:9",
        polymarket_url="http://127.0.0.1:9",
        request_attempts=1,
    )
    metrics.mkdir()
    (metrics / "marketfinder.prom").write_text("of before")
    wrong = marketfinder(["run"], environment(settings, MARKETFINDER_REQUEST_ATTEMPTS="many"))
    failed = marketfinder(["run"], environment(settings))
    codes = []
    with locked(settings.warehouse):
        codes.append(exit_code(metrics))
        busy = marketfinder(["run"], environment(settings))
        codes.append(exit_code(metrics))
    assert [done.returncode for done in (wrong, failed, busy)] == [2, 1, 4]
    assert codes == [1, 4]
    assert (metrics / "marketfinder.prom").read_text() == "of before"
    last = read_last_run(settings.warehouse)
    assert last is not None
    assert (last.step, last.outcome, last.has_failed) == ("extract", "failed", True)


def exit_code(metrics: Path) -> float:
    """What the last command ended with."""
    told = families((metrics / "marketfinder_command.prom").read_text())
    value: float = told["marketfinder_command_exit_code"].samples[0].value
    return value


def test_health_says_which_venue_is_stale_while_a_run_is_at_work(observed: Observed) -> None:
    settings = observed.settings
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with locked(settings.warehouse), duckdb.connect(settings.warehouse):
        done = marketfinder(["health"], environment(settings))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 1, done.stderr
    found = {line[5:].split(":")[0]: line[:4] for line in done.stdout.splitlines()}
    assert found == {
        "last run": "ok  ",
        "published copy": "ok  ",
        "kalshi markets": "ok  ",
        "polymarket markets": "FAIL",
        "disk": "ok  ",
    }
    # Of the processor: on a machine that is at work the clock says nothing. The start included.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5
    told = json.loads(marketfinder(["health", "--json"], environment(settings)).stdout)
    assert told["is_fine"] is False
    assert [check["name"] for check in told["checks"] if not check["is_fine"]] == [
        "polymarket markets"
    ]


def test_health_knows_age(observed: Observed) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    checks = {check.name: check for check in check_health(observed.settings, later, 3_600)}
    for name in ("last run", "published copy", "kalshi markets"):
        assert not checks[name].is_fine
        assert "ago, more than 60 min" in checks[name].finding
    nowhere = Settings(warehouse=observed.settings.warehouse.with_name("nowhere.duckdb"))
    nowhere = nowhere.model_copy(update={"published": nowhere.warehouse})
    found = [(check.name, check.is_fine) for check in check_health(nowhere, later, 3_600)]
    assert found == [("last run", False), ("published copy", False), ("disk", True)]


def test_who_reads_the_copy_is_told_of_a_later_run(observed: Observed) -> None:
    settings = observed.settings
    of = read_last_run(settings.warehouse)
    assert of is not None
    now = datetime.now(UTC)
    (fine,) = copy_remarks(settings, now)
    assert re.search(rf"of \d{{4}}-.* UTC, .* ago, run {of.run_id}$", fine)
    try:
        later = replace(of, run_id="later", started_at=now.isoformat(), finished_at=None)
        write_last_run(settings.warehouse, replace(later, outcome="running", process=os.getpid()))
        assert len(copy_remarks(settings, now)) == 1
        failed = replace(later, outcome="failed", step="prices", problem="A test.\nand more")
        write_last_run(settings.warehouse, failed)
        said = marketfinder(["sql", "select 1"], environment(settings)).stderr.splitlines()
        assert said[1].startswith("Since then, run later is failed (step prices): A test. What")
        write_last_run(settings.warehouse, replace(later, outcome="running", process=gone()))
        assert "run later was killed (step run)" in copy_remarks(settings, now)[1]
        health = check_health(settings, now, 3_600)[0]
        assert (health.name, health.is_fine) == ("last run", False)
    finally:
        write_last_run(settings.warehouse, of)


def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_last_run_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    assert read_last_run(warehouse) is None
    (tmp_path / "warehouse.last_run.json").write_text('{"run_id": "one"')
    assert read_last_run(warehouse) is None
    elsewhere = LastRun("one", "run", "running", None, 1, "elsewhere", "2026-10-01T12:00", None)
    write_last_run(warehouse, elsewhere)
    assert read_last_run(warehouse) == elsewhere
    # Whether a process of another machine is alive is not known here.
    assert not replace(elsewhere, process=gone()).is_cut_off
    assert replace(elsewhere, process=gone(), host=socket.gethostname()).is_cut_off
    write_last_run(tmp_path / "no" / "folder" / "warehouse.duckdb", elsewhere)


def test_ages_in_words() -> None:
    assert [age(seconds) for seconds in (5, 600, 9_000, 200_000)] == [
        "5 s",
        "10 min",
        "2.5 h",
        "2.3 days",
    ]


def test_dbt_knows_which_source_is_stale(observed: Observed) -> None:
    command = ["source", "freshness", "--vars", "{}"]
    said = [event["info"]["msg"] for event in dbt_events(observed.settings.warehouse, command, {})]
    found = Path(os.environ["DBT_TARGET_PATH"]) / "sources.json"
    assert found.exists(), said
    results = json.loads(found.read_text())["results"]
    states = {result["unique_id"].rpartition(".")[2]: result["status"] for result in results}
    assert {name for name, state in states.items() if state != "pass"} == {"polymarket_markets"}
    # One that was never read: dbt has no time of it.
    assert states["polymarket_markets"] in ("error", "runtime error")
    venues = {name for name in states if name.startswith(("kalshi", "polymarket"))}
    assert len(venues) == 9


@pytest.fixture
def slow_answer(venue: ScriptedVenue) -> None:
    """Each second answer for Kalshi's markets takes 0.2 s."""
    venue.before_answer = lambda path, count: (
        time.sleep(0.2) if path == "/markets" and count == 2 else None
    )


def test_each_try_counts_with_its_outcome(
    venue: ScriptedVenue,
    settings: Settings,
    clock: TickingClock,
    query: Query,
    slow_answer: None,
) -> None:
    from conftest import Answer

    venue.kalshi([{"ticker": "A"}])
    script = venue.scripts["/markets"]
    script.faults[1] = [
        Answer(status=429),
        Answer(status=503),
        Answer(b'{"markets"', sent_bytes=5, headers={}),
    ]
    ingest("kalshi", settings, run_id="one", clock=clock, entities=["market"])
    rows = query(
        "select outcome, requests, seconds, longest_seconds from raw.api_requests"
        " where endpoint = '/markets' order by outcome"
    )
    counts = {outcome: requests for outcome, requests, *_ in rows}
    assert counts == {"no connection": 1, "ok": 1, "rate limited": 1, "server error": 1}
    seconds = {outcome: total for outcome, _, total, _ in rows}
    assert seconds["server error"] >= 0.2
    assert all(total == pytest.approx(longest) for _, _, total, longest in rows)
