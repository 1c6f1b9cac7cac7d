"""Publishing to Convex: everything arrives once, only what has changed, whatever happens."""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from convex_server import KEY, UPSERTS, ConvexServer, Fault
from pydantic import SecretStr

from ingestion.convex import FUNCTIONS, ConvexSettings, load_convex_settings
from ingestion.errors import BusyError, PublishError, SettingsError
from ingestion.publish_convex import ConvexPublication, publish_convex
from ingestion.published_copy import publish_copy
from ingestion.settings import Settings

# What each table of Convex is made of; `*` is a moment of the last change, not of the last build.
FIELDS = {
    "markets": (
        "gold.markets",
        "market_id platform external_id url title description category event_type outcomes end_at"
        " volume liquidity is_active tags processed_at*",
    ),
    "marketSimilarities": (
        "gold.market_similarities",
        "pair_id market1_id market2_id platform1 platform2 relation orientation fungibility tier"
        " judge_effect confidence reasoning analyzed_at*",
    ),
    "arbitrageOpportunities": (
        "gold.arbitrage_opportunities",
        "opportunity_id pair_id relation direction buy_market_id sell_market_id buy_platform"
        " sell_platform buy_outcome sell_outcome buy_token_id sell_token_id contracts cost profit"
        " profit_margin confidence status status_reasons detected_at quotes_expire_at",
    ),
    "syncLogs": (
        "gold.sync_logs",
        "sync_id outcome markets_processed opportunities_found errors duration timestamp",
    ),
}
AT_ONCE = {
    "markets": 100,
    "marketSimilarities": 50,
    "arbitrageOpportunities": 50,
    "syncLogs": 50,
}

# Publishes in children, each of which dies at the n-th call to Convex or thereabouts.
KILLED = """
    import os, signal, sys
    from ingestion import publish_convex
    from ingestion.convex import Convex, load_convex_settings
    from ingestion.settings import load_settings

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    mutate, send = Convex.mutate, publish_convex._Publication._send

    def arm(moment, count):
        left = count
        def dying_mutate(self, *arguments):
            nonlocal left
            left -= 1
            if not left and moment == "unsent":
                die()
            value = mutate(self, *arguments)
            if not left and moment == "unnoted":
                die()
            return value
        def dying_send(self, *arguments):
            send(self, *arguments)
            if left <= 0:
                die()
        Convex.mutate = dying_mutate
        if moment == "noted":
            publish_convex._Publication._send = dying_send

    for line in sys.stdin:
        moment, count = line.split()
        child = os.fork()
        if not child:
            arm(moment, int(count))
            publish_convex.publish_convex(load_settings(), load_convex_settings())
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def demo_copy(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of the demo, published: 650 markets, 260 similarities, 25 opportunities and a log, in
    tables that the tests can change."""
    folder = tmp_path_factory.mktemp("convex")
    settings = Settings(warehouse=folder / "demo.duckdb")
    shutil.copyfile(demo_build, settings.warehouse)
    with duckdb.connect(settings.warehouse) as connection:
        for name in ("markets", "arbitrage_opportunities"):
            connection.execute(f"create table gold.own as from gold.{name}")
            connection.execute(f"drop view gold.{name}")
            connection.execute(f"alter table gold.own rename to {name}")
        for table, key, count in (
            ("markets", "market_id", 650),
            ("market_similarities", "pair_id", 260),
        ):
            connection.execute(
                f"delete from gold.{table} where {key} not in"
                f" (select {key} from gold.{table} order by all limit {count})"
            )
    publish_copy(settings, run_id="first")
    return settings.published


@pytest.fixture
def settings(demo_copy: Path, tmp_path: Path) -> Settings:
    """A published copy of this test's own."""
    settings = Settings(warehouse=tmp_path / "warehouse.duckdb")
    shutil.copyfile(demo_copy, settings.published)
    return settings


@pytest.fixture
def server() -> Iterator[ConvexServer]:
    """An empty deployment."""
    started = ConvexServer()
    yield started
    started.close()


def at(server: ConvexServer, **other: Any) -> ConvexSettings:
    """Settings for the deployment."""
    known = {"url": server.url, "deploy_key": SecretStr(KEY), "backoff_seconds": 0.01}
    return ConvexSettings.model_validate(known | other)


def publish(settings: Settings, server: ConvexServer) -> ConvexPublication:
    """Publishes; the calls of before are forgotten."""
    server.calls.clear()
    server.writes.clear()
    return publish_convex(settings, at(server))


def change(settings: Settings, *statements: str) -> None:
    """Another published copy in the place of this one."""
    new = settings.published.with_suffix(".new.duckdb")
    shutil.copyfile(settings.published, new)
    with duckdb.connect(new) as connection:
        for statement in statements:
            connection.execute(statement)
    new.replace(settings.published)


def as_sent(value: object) -> object:
    """A value of gold as JSON holds it."""
    match value:
        case Decimal():
            return float(value)
        case datetime():
            return int(value.replace(tzinfo=UTC).timestamp() * 1000)
        case date():
            raise TypeError("a date has no place here")
        case list():
            return [as_sent(one) for one in value]
        case dict():
            return {camel(name): as_sent(one) for name, one in value.items()}
        case _:
            return value


def camel(name: str) -> str:
    """external_id as externalId; end_at is called endDate."""
    first, *rest = {"end_at": "end_date"}.get(name, name).split("_")
    return first + "".join(word.capitalize() for word in rest)


def gold(settings: Settings) -> dict[str, dict[str, dict[str, Any]]]:
    """What Convex is to hold, row by row, without moments that every build moves on."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with duckdb.connect(settings.published, read_only=True) as connection:
        for table, (relation, columns) in FIELDS.items():
            names = [name for name in columns.split() if not name.endswith("*")]
            rows = connection.execute(f"select {', '.join(names)} from {relation}").fetchall()
            found[table] = {
                row[0]: {
                    camel(name): as_sent(value) for name, value in zip(names, row, strict=True)
                }
                for row in rows
            }
    return found


def held(server: ConvexServer) -> dict[str, dict[str, dict[str, Any]]]:
    """What Convex holds, comparable to gold; documents have exactly the fields that they should."""
    found = server.contents()
    for table, (_, columns) in FIELDS.items():
        expected = {camel(name.removesuffix("*")) for name in columns.split()}
        for document in found[table].values():
            assert document.keys() == expected
            for name in columns.split():
                if name.endswith("*"):
                    assert isinstance(document.pop(camel(name[:-1])), int)
    return found


def test_everything_arrives_once(settings: Settings, server: ConvexServer) -> None:
    server.faults = {
        1: Fault(429, {"Retry-After": "1"}),
        2: Fault(429),
        4: Fault(cut="before"),
        6: Fault(cut="after"),
        9: Fault(503),
        14: Fault(cut="after"),
        18: Fault(502, body=b"<html>"),
    }
    begun = time.monotonic()
    done = publish(settings, server)
    assert time.monotonic() - begun >= 1
    assert held(server) == gold(settings)
    assert done.written == {table: len(rows) for table, rows in gold(settings).items()}
    assert sum(done.removed.values()) == 0
    # Only the two batches whose answers were lost were put twice.
    assert sorted(set(server.writes.values())) == [1, 2]
    assert sum(count == 2 for count in server.writes.values()) == 100 + 50
    for path, arguments in server.calls:
        if table := UPSERTS.get(path):
            assert 0 < len(arguments["documents"]) <= AT_ONCE[table]
    order = list(dict.fromkeys(path.removeprefix("marketfinder:") for path, _ in server.calls))
    assert order == [
        *(path.removeprefix("marketfinder:") for path in UPSERTS),
        *("removeOlder", "writeSyncStatus"),
    ]
    assert server.status["runId"] == "first"


def test_only_what_has_changed_is_sent(settings: Settings, server: ConvexServer) -> None:
    publish(settings, server)
    again = publish(settings, server)
    assert server.counted() == {"writeSyncStatus": 1}
    assert (again.written, again.removed, again.calls) == ({}, {}, 1)

    nasty = "\U0001f4b0 \\u0000 \\\" 'quoted'\n{}[],</script>é"
    change(
        settings,
        "update gold.markets set processed_at = processed_at + interval 30 minutes",
        f"update gold.markets set title = '{nasty.replace(chr(39), chr(39) * 2)}' || chr(0)"
        " where market_id = (select min(market_id) from gold.markets)",
        "delete from gold.markets where market_id = (select max(market_id) from gold.markets)",
        "update gold.arbitrage_opportunities set status = 'expired', profit = null"
        " where opportunity_id = (select min(opportunity_id) from gold.arbitrage_opportunities)",
        "delete from gold.arbitrage_opportunities"
        " where opportunity_id = (select max(opportunity_id) from gold.arbitrage_opportunities)",
        "update gold.market_similarities set confidence = 'nan'"
        " where pair_id = (select min(pair_id) from gold.market_similarities)",
    )
    done = publish(settings, server)
    expected = gold(settings)
    pair_id = min(expected["marketSimilarities"])
    expected["marketSimilarities"][pair_id]["confidence"] = None
    assert held(server) == expected
    assert nasty + "\0" in {market["title"] for market in expected["markets"].values()}
    changed = {"markets": 1, "marketSimilarities": 1, "arbitrageOpportunities": 1}
    assert done.written == changed
    assert {table: count for table, count in done.removed.items() if count} == {
        "markets": 1,
        "arbitrageOpportunities": 1,
    }
    assert sum(server.writes.values()) == 3


def killer(settings: Settings, server: ConvexServer) -> subprocess.Popen[str]:
    """A process that is told at which moment its next child is to die."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED)],
        cwd=Path(__file__).parents[1],
        env=environment(settings, server),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def environment(settings: Settings, server: ConvexServer, **other: str) -> dict[str, str]:
    """The environment that means these settings."""
    return {
        **os.environ,
        "MARKETFINDER_WAREHOUSE": str(settings.warehouse),
        "MARKETFINDER_PUBLISHED": str(settings.published),
        "MARKETFINDER_CONVEX_URL": server.url,
        "MARKETFINDER_CONVEX_DEPLOY_KEY": KEY,
        "MARKETFINDER_CONVEX_BACKOFF_SECONDS": "0.01",
        "COLUMNS": "200",
        **other,
    }


def kill(process: subprocess.Popen[str], moment: str) -> None:
    """Has the next child die at a moment."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(moment + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == f"{-signal.SIGKILL}\n", moment


def number_of_documents(server: ConvexServer) -> int:
    """All that Convex holds but the sync status."""
    return sum(len(rows) for rows in server.documents.values())


def test_a_publication_that_is_killed_is_made_whole(
    settings: Settings, server: ConvexServer
) -> None:
    """Killed at seven moments of the first publication, and at four of one that changes things."""
    process = killer(settings, server)
    for moment in ("unsent 1", "unnoted 1", "noted 3", "unsent 2", "unnoted 4", "noted 3"):
        kill(process, moment)
    # The rest: three batches of similarities, one each of what else there is, a look for older
    # documents of each table, and the sync status, which has arrived when the process dies.
    kill(process, "unnoted 10")
    assert server.status["completed"]
    # What was noted was not sent again, only a batch of markets and one of similarities.
    assert sum(server.writes.values()) == number_of_documents(server) + 100 + 50
    done = publish(settings, server)
    assert held(server) == gold(settings)
    assert server.counted() == {"removeOlder": 4, "writeSyncStatus": 1}
    assert done.written == {}

    change(
        settings,
        "delete from gold.markets where hash(market_id) % 10 = 0",
        "update gold.markets set volume = coalesce(volume, 0) + 1 where hash(market_id) % 10 = 1",
        "delete from gold.arbitrage_opportunities where status = 'suspect'",
    )
    for moment in ("unsent 2", "unnoted 2", "noted 2", "unnoted 4"):
        kill(process, moment)
    process.kill()
    process.communicate()
    for path in settings.published.parent.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    publish(settings, server)
    assert held(server) == gold(settings)
    # The sync status had arrived, and Convex knows it: not everything is sent once more.
    assert server.counted() == {"writeSyncStatus": 1}


def test_what_is_in_doubt_is_sent_again_though_gold_is_as_before(
    settings: Settings, server: ConvexServer
) -> None:
    """Convex took a change that was never noted, and then gold took it back."""
    publish(settings, server)
    before = settings.published.read_bytes()
    change(settings, "update gold.markets set title = 'wrong' where platform = 'kalshi'")
    with killer(settings, server) as process:
        kill(process, "unnoted 2")
        process.kill()
    assert "wrong" in {market["title"] for market in held(server)["markets"].values()}
    settings.published.unlink()
    settings.published.write_bytes(before)
    publish(settings, server)
    assert held(server) == gold(settings)


def test_any_duckdb_that_we_run_on_can_read_the_state(
    settings: Settings, server: ConvexServer
) -> None:
    publish(settings, server)
    (state,) = settings.published.with_name("marketfinder-convex").glob("*.duckdb")
    with duckdb.connect(state, read_only=True) as connection:
        query = "select tags['storage_version'] from duckdb_databases() where path is not null"
        assert connection.execute(query).fetchall() == [("v1.2.0+",)]


def test_a_deployment_that_was_emptied_and_a_state_that_was_lost(
    settings: Settings, server: ConvexServer
) -> None:
    publish(settings, server)
    server.documents = {table: {} for table in server.documents}
    server.status = {}
    publish(settings, server)
    assert held(server) == gold(settings)

    shutil.rmtree(settings.published.with_name("marketfinder-convex"))
    stranger = next(iter(server.documents["markets"].values()))
    for number in range(450):
        server.documents["markets"][f"old-{number}"] = {**stranger, "marketId": f"old-{number}"}
    done = publish(settings, server)
    assert held(server) == gold(settings)
    assert done.removed["markets"] == 450
    publish(settings, server)
    assert server.counted() == {"writeSyncStatus": 1}


@pytest.mark.slow
def test_live_documents_are_not_replaced_by_simulated_ones(
    settings: Settings, server: ConvexServer
) -> None:
    """The demo's say so themselves; one of an older version had not said what it holds."""
    server.status = {"publication": 1, "completed": 1, "runId": "live"}
    with pytest.raises(PublishError, match="holds data of the other kind"):
        publish(settings, server)
    assert not any(server.contents().values())
    server.status = {}
    publish(settings, server)
    assert server.status["isSimulated"]
    change(settings, "drop table raw.simulations")
    with pytest.raises(PublishError, match="holds data of the other kind"):
        publish(settings, server)
    assert held(server) == gold(settings)


def test_one_process_publishes_at_a_time(settings: Settings, server: ConvexServer) -> None:
    found: list[Exception] = []

    def publish_too(number: int) -> None:
        if number == 1:
            try:
                publish_convex(settings, at(server))
            except BusyError as error:
                found.append(error)

    server.before = publish_too
    done = command(settings, server)
    assert done.returncode == 0, done.stderr
    assert "marketfinder-convex" in str(found[0])
    assert held(server) == gold(settings)


def command(
    settings: Settings, server: ConvexServer, *arguments: str, **other: str
) -> subprocess.CompletedProcess[str]:
    """The command, as a process of its own; `publish convex` unless it says otherwise."""
    program = [sys.executable, "-c", "from ingestion.cli import main; main()"]
    return subprocess.run(
        [*program, *(arguments or ("publish", "convex"))],
        cwd=settings.published.parent,
        env=environment(settings, server, **other),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_publishes_and_a_place_that_fails_is_noted(
    demo_build: Path, tmp_path: Path, server: ConvexServer
) -> None:
    """The steps after the copy: what is green is published where that goes, and the run goes on."""
    settings = Settings(warehouse=tmp_path / "demo.duckdb")
    shutil.copyfile(demo_build, settings.warehouse)
    server.faults = dict.fromkeys(range(2, 20), Fault(403))
    places = ("--publish", "convex", "--publish", "parquet")
    done = command(settings, server, "run", "--step", "publish", "--run-id", "mine", *places)
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.splitlines()) == 2  # the step, and the error
    assert "Check MARKETFINDER_CONVEX_DEPLOY_KEY" in done.stderr
    assert "marketfinder-parquet/current: 8 tables" in done.stdout
    assert settings.published.exists()
    with duckdb.connect(settings.warehouse) as connection:
        steps = connection.execute(
            "select step, outcome, problem like '%403%' from raw.run_steps"
            " where run_id = 'mine' order by rowid"
        ).fetchall()
    assert steps == [
        ("publish", "done", None),
        ("publish convex", "failed", True),
        ("publish parquet", "done", None),
    ]
    server.faults = {}
    publish(settings, server)
    assert held(server) == gold(settings)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(500), "answered 500 Internal Server Error, 2 times in a row"),
        (Fault(429), "answered 429 Too Many Requests, 2 times in a row"),
        (Fault(cut="before"), "cannot be reached at http://127.0.0.1"),
        (Fault(301, {"Location": "https://example.com"}), "answered 301 Moved Permanently"),
        (Fault(200, body=b"<html>"), "no answer of its functions"),
        (
            Fault(200, body=b'{"status": "error", "errorMessage": "Uncaught\\n\\u001b[2J no"}'),
            "marketfinder:upsertMarkets was refused: Uncaught [2J no",
        ),
        (
            Fault(560, body=b'{"status": "error", "errorMessage": "no %s"}' % KEY.encode()),
            "upsertMarkets was refused: no ***",
        ),
        (Fault(403, body=b'{"code": "BadDeployKey", "message": "The deploy key was invalid"}'),
         "Check MARKETFINDER_CONVEX_DEPLOY_KEY"),
    ],
)  # fmt: skip
def test_a_failure_is_told_in_words(
    fault: Fault, words: str, settings: Settings, server: ConvexServer,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    server.faults = dict.fromkeys(range(3, 20), fault)
    with pytest.raises(PublishError) as failed:
        publish_convex(settings, at(server, attempts=2))
    assert words in str(failed.value)
    assert KEY not in str(failed.value)
    assert str(failed.value).isprintable()
    # dlt says nothing of its own about it.
    assert capfd.readouterr().err == ""
    refused = fault.status in (200, 301, 403, 560)
    assert len(server.calls) == (3 if refused else 4)
    server.faults = {}
    publish(settings, server)
    assert held(server) == gold(settings)


def test_the_command(settings: Settings, server: ConvexServer) -> None:
    done = command(settings, server)
    assert done.returncode == 0, done.stderr
    sent = f"{number_of_documents(server)} documents were new or changed, 0 are gone, in 20 calls"
    assert sent in done.stdout
    functions = '{"syncStatus": "mine:status"}'
    failed = command(settings, server, MARKETFINDER_CONVEX_FUNCTIONS=functions)
    assert failed.returncode == 1
    assert "mine:status was refused: [Request ID: 1] Server Error Could not find" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


def test_the_functions_of_the_example_are_those_that_are_called() -> None:
    folder = Path(__file__).parents[1] / "examples" / "convex"
    functions = re.findall(
        r"export const (\w+) = internalMutation", (folder / "marketfinder.ts").read_text()
    )
    assert {f"marketfinder:{name}" for name in functions} == set(FUNCTIONS.values())
    schema = (folder / "schema.ts").read_text()
    shapes = re.findall(r"^export const \w+ = \{(.*?)^\};", schema, re.DOTALL | re.MULTILINE)
    for shape, (_, columns) in zip(shapes, FIELDS.values(), strict=True):
        fields = re.findall(r"^  (\w+):", shape, re.MULTILINE)
        assert set(fields) == {camel(name.removesuffix("*")) for name in columns.split()}


def test_settings_that_are_wrong_are_told_without_their_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKETFINDER_CONVEX_DEPLOY_KEY", KEY)
    for name, value, words in (
        ("URL", "", "MARKETFINDER_CONVEX_URL is not set"),
        ("DEPLOY_KEY", "", "MARKETFINDER_CONVEX_DEPLOY_KEY is not set"),
        ("URL", "http://happy-otter-123.convex.cloud", "https://"),
        ("URL", "https://happy-otter-123.convex.site", "HTTP actions"),
        ("URL", KEY, "must be a URL"),
        ("DEPLOY_KEY", "two\nlines", "printable"),
        ("FUNCTIONS", '{"market": "a:b"}', "has no 'market'"),
        ("FUNCTIONS", '{"markets": "a\\", \\"x"}', "must be paths"),
        ("FUNCTIONS", KEY, "functions"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv("MARKETFINDER_CONVEX_URL", "https://happy-otter-123.convex.cloud")
            patch.setenv(f"MARKETFINDER_CONVEX_{name}", value)
            with pytest.raises(SettingsError, match=words) as wrong:
                load_convex_settings()
        assert not value or value not in str(wrong.value)
        assert KEY not in str(wrong.value)
