"""The `marketfinder` command as a user meets it: output, messages and exit codes."""

import fcntl
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from conftest import Answer, Query, ScriptedVenue

from ingestion import cli
from ingestion.console import progress_bar
from ingestion.environment import shown_url
from ingestion.settings import Settings, load_settings
from ingestion.warehouse import open_warehouse
from python_models.kernels.pair_judge.texts import PAIRS_SCHEMA


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `marketfinder` with the settings of the test in the environment."""
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in settings.model_dump(exclude_none=True).items():
        monkeypatch.setenv(f"MARKETFINDER_{name.upper()}", str(value))

    def run_command(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["marketfinder", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return run_command


def test_ingest(venue: ScriptedVenue, run: Run, query: Query) -> None:
    venue.kalshi([{"ticker": "A"}, 7], events=[[{"event_ticker": "E"}]])
    outcome = run("ingest", "kalshi")
    # Nobody looks at a terminal: each listing is told when it is read.
    listings = ("series", "events", "markets", "series/fee_changes", "events/fee_changes")
    assert outcome.err.splitlines() == [f"kalshi /{name}" for name in listings]
    assert outcome.code == 0
    assert "kalshi market" in outcome.out
    assert "1 rejected: see raw.rejected_lines, run 2" in outcome.out
    assert run("ingest", "polymarket", "--entity", "market").code == 0
    assert query("select venue, entity from raw.sweeps order by finished_at") == [
        ("kalshi", "series"), ("kalshi", "event"), ("kalshi", "market"),
        ("kalshi", "series_fee_change"), ("kalshi", "event_fee_change"), ("polymarket", "market"),
    ]  # fmt: skip
    assert query("select count(distinct run_id) from raw.sweeps") == [(2,)]


def test_ingest_says_when_nothing_was_found(run: Run) -> None:
    outcome = run("ingest", "polymarket")
    assert outcome.code == 0
    assert "nothing was found" in outcome.out


def test_ingest_files(run: Run, query: Query, tmp_path: Path) -> None:
    for name in "ab":
        market = {"ticker": name, "event_ticker": "E"}
        (tmp_path / f"{name}.json").write_text(json.dumps([market]))
    moment = ("--captured-at", "2026-03-01T18:00")
    assert run("ingest", "kalshi", "--files", f"{tmp_path}/*.json", *moment).code == 0
    # Without quotes the shell expands the pattern.
    expanded = run("ingest", "kalshi", "--files", f"{tmp_path}/a.json", f"{tmp_path}/b.json")
    assert expanded.code == 0
    assert query("select external_id, fetched_at::varchar from raw.kalshi_markets order by 1") == [
        ("a", "2026-03-01 18:00:00"), ("b", "2026-03-01 18:00:00"),
    ]  # fmt: skip


def test_a_failure_is_one_message_and_code_1(venue: ScriptedVenue, run: Run) -> None:
    outcome = run("ingest", "kalshi", "--files", "absent.json")
    assert outcome.code == 1
    assert outcome.err.startswith("error: absent.json is not there.")
    assert outcome.err.count("\n") == 1
    venue.scripts["/series"].for_ever[1] = Answer(b"<html>", content_type="text/html")
    outcome = run("ingest", "kalshi")
    assert outcome.code == 1
    assert outcome.err.startswith("error: kalshi /series (page 1) did not answer in JSON")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ingest", "betfair"),
        ("ingest", "kalshi", "--entity", "trade"),
        ("ingest", "polymarket", "--entity", "series"),
        ("ingest", "kalshi", "stray.json"),
        ("ingest", "kalshi", "--captured-at", "2026-03-01"),
        ("ingest", "kalshi", "--files", "a.json", "--captured-at", "yesterday"),
        ("ingest", "kalshi", "--files", "a.json", "--captured-at", "2999-01-01"),
        ("ingest", "kalshi", "--files", "a.json", "--entity", "market"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_code_2(arguments: tuple[str, ...], run: Run) -> None:
    outcome = run(*arguments)
    assert outcome.code == 2
    assert outcome.err


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("REQUEST_ATTEMPTS", "many", "Input should be a valid integer"),
        ("REQUEST_ATTEMPTS", "0", "Input should be greater than or equal to 1"),
        ("KALSHI_REQUESTS_PER_SECOND", "-1", "Input should be greater than 0"),
        ("KALSHI_URL", "kalshi.com", "must be a URL such as https://example.com/api"),
        ("WAREHOUSE", "data/silver.duckdb", "must not be called silver"),
        ("WAREHOUSE", "data", "must be a file name that ends in .duckdb"),
    ],
)
def test_a_bad_setting_is_one_line_and_code_2(
    name: str, value: str, message: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MARKETFINDER_{name}", value)
    outcome = run("info")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: MARKETFINDER_{name}: {message}")
    assert outcome.err.count("\n") == 1


def test_a_warehouse_that_is_wrong_is_one_line_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MARKETFINDER_WAREHOUSE", str(tmp_path))
    monkeypatch.delenv("MARKETFINDER_PUBLISHED")
    outcome = run("info")
    assert outcome.code == 2
    assert outcome.err.startswith("error: MARKETFINDER_WAREHOUSE: must be a file name")
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("place", ["environment", "file"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WAREHOSE", "WAREHOUSE"),
        ("JUDGE_MAX_USD_PER_DAYS", "JUDGE_MAX_USD_PER_DAY"),
        ("JUGDE_API_KEY", "JUDGE_API_KEY"),
        ("CONVEX_DEPLOYKEY", "CONVEX_DEPLOY_KEY"),
        ("WAREHOUSE_OLD", None),
        ("SHARED_DATA", None),
    ],
)
def test_a_misspelt_setting_is_not_passed_over(
    name: str, meant: str | None, place: str, tmp_path: Path, run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if place == "file":
        (tmp_path / ".env").write_text(f"MARKETFINDER_{name}=hunter2\n")
    else:
        monkeypatch.setenv(f"MARKETFINDER_{name}", "hunter2")
    outcome = run("run", "--step", "publish")
    assert outcome.code == (2 if meant else 1)
    said = f"error: MARKETFINDER_{name} is no setting: MARKETFINDER_{meant} is\n"
    assert (outcome.err == said) == bool(meant)
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize("command", ["run", "build prediction-markets"])
def test_a_judge_without_prices_is_told_before_anything_is_done(
    command: str, run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETFINDER_JUDGE_API_KEY", "hunter2")
    outcome = run(*command.split())
    assert outcome.code == 2
    assert outcome.err.startswith("error: MARKETFINDER_JUDGE_API_KEY is set, but not")
    assert not settings.warehouse.exists()


def test_a_batch_that_was_not_sent_is_not_said_to_be(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_warehouse(settings.warehouse) as connection:
        texts = ", ".join(f"'one' as {name}" for name in PAIRS_SCHEMA.names)
        connection.execute(
            "create schema silver;"
            f"create view silver.pair_questions as select 1 as question_number, {texts}"
        )
    for name, value in {
        "API_KEY": "hunter2",
        "MODEL": "any",
        "BASE_URL": "http://127.0.0.1:9/v1",
        "USD_PER_MILLION_INPUT_TOKENS": "1",
        "USD_PER_MILLION_OUTPUT_TOKENS": "1",
    }.items():
        monkeypatch.setenv(f"MARKETFINDER_JUDGE_{name}", value)
    sent = run("judge", "submit")
    assert (sent.code, "no connection; 1 questions" in sent.out) == (1, True)
    assert "The batch is not known to have been sent." in sent.err
    assert "are ready" not in sent.out
    assert "not known to be sent" in run("judge", "collect").out


def test_settings_come_from_a_file_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("MARKETFINDER_REQUEST_ATTEMPTS=3\nOTHER=1\n")
    assert load_settings().request_attempts == 3
    monkeypatch.setenv("MARKETFINDER_REQUEST_ATTEMPTS", "4")
    assert load_settings().request_attempts == 4


def test_the_example_settings_are_the_defaults(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    defaults = load_settings()
    example = Path(__file__).resolve().parents[1] / ".env.example"
    text = example.read_text()
    for field in Settings.model_fields:
        assert f"MARKETFINDER_{field.upper()}=" in text
    (tmp_path / ".env").write_text(text.replace("# MARKETFINDER_", "MARKETFINDER_"))
    assert load_settings() == defaults


def test_info(run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run("info")
    assert outcome.code == 0
    assert f"duckdb {duckdb.__version__}" in outcome.out
    assert "is not there yet" in outcome.out
    assert not settings.warehouse.exists()
    run("ingest", "polymarket")
    monkeypatch.setenv("MARKETFINDER_CLOB_URL", "http://user:hunter2@127.0.0.1/books?key=hunter2")
    outcome = run("info")
    assert "raw.polymarket_markets" in outcome.out
    assert "polymarket event" in outcome.out
    assert "http://127.0.0.1/books" in outcome.out
    assert "hunter2" not in outcome.out + outcome.err


def words(shown: str) -> set[str]:
    """What a table says, wherever its lines are broken."""
    return set(shown.replace("│", " ").split())


def test_info_shows_what_the_judge_is_asked_with(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    off = run("info").out
    assert {"MARKETFINDER_JUDGE_API_KEY", "judge", "off"} <= words(off)
    monkeypatch.setenv("MARKETFINDER_JUDGE_API_KEY", "hunter2")
    wrong = run("info")
    assert (wrong.code, "hunter2" in wrong.out + wrong.err) == (0, False)
    assert {"set,", "but", "not"} <= words(wrong.out)
    for name, value in {
        "MODEL": "scripted",
        "USD_PER_MILLION_INPUT_TOKENS": "1",
        "USD_PER_MILLION_OUTPUT_TOKENS": "2",
        "MAX_USD_PER_DAY": "3.5",
    }.items():
        monkeypatch.setenv(f"MARKETFINDER_JUDGE_{name}", value)
    on = run("info")
    assert {"scripted", "5,000", "3.5"} <= words(on.out)
    assert "hunter2" not in on.out + on.err


def test_info_while_the_warehouse_is_in_use_or_broken(run: Run, settings: Settings) -> None:
    settings.warehouse.write_text("not a database")
    outcome = run("info")
    assert (outcome.code, f"duckdb {duckdb.__version__}" in outcome.out) == (1, True)
    assert "cannot be opened as a DuckDB database" in outcome.err
    settings.warehouse.unlink()
    duckdb.connect(settings.warehouse).close()
    assert run("info").code == 0
    with settings.warehouse.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = run("info")
    assert (outcome.code, "is in use by" in outcome.err) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sql", "select 1"), "Nothing is loaded yet"),
        (("sql",), "Nothing is loaded yet"),
        (("explain", "KXA", "1"), "Nothing is loaded yet"),
        (("report", "--out", "pages/today.html"), "Nothing is loaded yet"),
        (("report", "--demo", "--out", "pages/today.html"), "Nothing is loaded yet"),
        (("parquet", "export"), "Nothing is loaded yet"),
        (("publish", "copy"), "Nothing is loaded yet"),
        (("publish", "parquet"), "is not there yet"),
        (("ingest", "books"), "Nothing is loaded yet"),
        (("ingest", "order-books"), "raw/ready is not there"),
        (("build", "prediction-markets"), "There is nothing to build"),
        (("build", "order-books"), "There is nothing to build"),
    ],
)
def test_where_nothing_was_loaded_a_command_says_so_and_leaves_nothing(
    arguments: tuple[str, ...], told: str, run: Run, tmp_path: Path
) -> None:
    outcome = run(*arguments)
    assert outcome.code == 1
    assert told in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("parquet", "export"), "is not in the warehouse"),
        (("report", "--out", "pages/today.html"), "Nothing is loaded in"),
        (("build", "order-books"), "There is nothing to build"),
    ],
)
def test_an_empty_warehouse_is_told_and_gains_nothing(
    arguments: tuple[str, ...], told: str, run: Run, settings: Settings, tmp_path: Path
) -> None:
    duckdb.connect(settings.warehouse).close()
    outcome = run(*arguments)
    assert outcome.code == 1
    assert told in outcome.err
    assert list(tmp_path.iterdir()) == [settings.warehouse]


@pytest.mark.parametrize("query", ["", ";", "/* x */", "-- nothing but this", "--dmo"])
def test_a_query_without_a_statement_is_told_so(query: str, run: Run, settings: Settings) -> None:
    duckdb.connect(settings.warehouse).close()
    outcome = run("sql", query)
    assert outcome.code == 2
    assert "There is no query in it" in outcome.err or "No such option: --dmo" in outcome.err


def test_every_statement_of_a_query_is_answered(run: Run, settings: Settings) -> None:
    duckdb.connect(settings.warehouse).close()
    outcome = run("sql", "set threads = 1; select 6 * 7 as one; select 6 * 8 as other")
    assert outcome.code == 0
    assert re.findall(r"\w+", outcome.out) == ["one", "42", "other", "48"]
    outcome = run("sql", "pivot (select 5 as one) on one using sum(one * 9); select 6 * 8 as other")
    assert re.findall(r"\w+", outcome.out) == ["5", "45", "other", "48"]
    failed = run("sql", "select 6 * 7 as one; select nothing")
    assert (failed.code, "42" in failed.out) == (1, True)
    assert failed.err.startswith("error: The query failed: ")


def test_a_query_may_begin_with_a_comment(run: Run, settings: Settings) -> None:
    duckdb.connect(settings.warehouse).close()
    outcome = run("sql", "-- how many = it is\nselect 6 * 7 as answer")
    assert (outcome.code, "42" in outcome.out) == (0, True)


def test_segments_are_not_counted_before_they_are_read(run: Run, settings: Settings) -> None:
    segment = settings.segments / "raw/ready/coinbase/one.ndjson"
    segment.parent.mkdir(parents=True)
    segment.write_text('{"channel": "heartbeats", "product_id": "BTC-USD"}\n' * 3)
    planned = run("ingest", "order-books", "--dry-run")
    assert planned.code == 0
    assert "Segments would be: 1 loaded." in planned.out
    assert "0 rows" not in planned.out
    for arguments in ((), ("--dry-run",)):
        nothing = run("ingest", "order-books", "--symbol", "NOPE", *arguments)
        assert nothing.code == 1
        assert "(1 there) matches --exchange" in nothing.err
    assert run("ingest", "order-books").code == 0
    segment.write_text('{"channel": "heartbeats", "product_id": "ETH-USD"}\n')
    assert run("ingest", "order-books", "--symbol", "BTC-USD").code == 0


def test_steps_are_told_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as progress:
        progress("step pairs", 2, 6)
        progress("dbt build", 1, 9)
        progress("dbt build", 2, 9)
    assert capsys.readouterr().err == "step pairs (2 of 6)\n"


def test_test_connection(venue: ScriptedVenue, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    venue.scripts["/"] = venue.scripts["/markets"]
    outcome = run("test-connection")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.count("fine") == 3
    monkeypatch.setenv("MARKETFINDER_KALSHI_URL", "http://127.0.0.1:9")
    venue.scripts["/markets/keyset"].for_ever[1] = Answer({}, 500)
    del venue.scripts["/"]
    asked = len(venue.requests)
    outcome = run("test-connection")
    assert outcome.code == 1
    assert len(venue.requests) == asked + 2
    assert "the connection was refused" in outcome.err
    assert "answered 500 Internal Server Error once. Try again later" in outcome.err
    assert "answered 404 Not Found. Check the network and MARKETFINDER_CLOB_URL" in outcome.err


def test_shown_url() -> None:
    assert shown_url("https://me:secret@host:1/path?key=secret#x") == "https://host:1/path"


def test_a_path_in_brackets_is_no_markup(run: Run) -> None:
    outcome = run("ingest", "kalshi", "--files", "[bold]absent[/].json")
    assert "[bold]absent[/].json" in outcome.err


@pytest.mark.parametrize(
    "command",
    ["--help", "run --help", "info", "sql 'select 1'", "explain KX-1 1", "parquet export --help"],
)
def test_what_only_reads_does_not_load_what_loads(command: str, settings: Settings) -> None:
    """dlt takes a second to import, and so do dbt and matplotlib."""
    with open_warehouse(settings.warehouse):
        pass
    code = (
        "import sys\n"
        "from ingestion.command import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*{'dlt', 'dbt', 'matplotlib'} & sys.modules.keys(), file=sys.stderr)"
    )
    environment = {**os.environ, "MARKETFINDER_WAREHOUSE": str(settings.warehouse)}
    ended = subprocess.run(
        [sys.executable, "-c", code, *shlex.split(command)],
        env={**environment, "MARKETFINDER_PUBLISHED": str(settings.warehouse)},
        cwd=settings.warehouse.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ended.stderr.replace("SystemExit", "")
    assert ended.stderr.splitlines()[-1] == ""


def test_help_runs_without_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETFINDER_REQUEST_ATTEMPTS", "many")
    assert run("--help").code == 0
