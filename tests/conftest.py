"""Fixtures for all tests: the real captures, and venues and models on loopback."""

import fcntl
import functools
import json
import os
import shutil
import ssl
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import duckdb
import pytest
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from ingestion.settings import Settings
from python_models.kernels.pair_judge.settings import JudgeSettings

if TYPE_CHECKING:
    from judge_endpoint import ScriptedEndpoint
    from playwright.sync_api import Browser

# How long an example takes says how busy the machine is.
hypothesis_settings.register_profile("any machine", deadline=None)
hypothesis_settings.load_profile("any machine")

# The tests start a hundred Pythons, dbt mostly: each would compile all that it imports anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Two builds at a time, of small tables (macros/builds.sql).
os.environ["MARKETFINDER_DUCKDB_THREADS"] = "1"


@pytest.fixture(scope="session", autouse=True)
def dbt_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests run side by side: what dbt leaves behind is not mixed up. Its log would be 20 lines a
    node that nobody reads; a test shows what dbt has printed."""
    for name in ("target", "log"):
        os.environ[f"DBT_{name.upper()}_PATH"] = str(tmp_path_factory.mktemp(f"dbt_{name}"))
    os.environ["DBT_LOG_LEVEL_FILE"] = "none"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real captures, which are not part of the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("MARKETFINDER_SHARED_DATA", beside))
    if not path.is_dir():
        pytest.skip(f"the real captures are not at {path} (MARKETFINDER_SHARED_DATA)")
    return path


@pytest.fixture(scope="session", autouse=True)
def no_judge_of_the_developer() -> Iterator[None]:
    """A build of the tests spends nobody's money, whatever key is in .env."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARKETFINDER_JUDGE_ENABLED", "false")
        yield


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that is filled once for all files and workers of a run: to be read, or copied by who
    changes it."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    done = folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeds, with few labels, to sow in a warehouse."""
    from pipelines import few_seeds

    name = "seeds.duckdb"
    return made_once(tmp_path_factory, "seeds", lambda folder: few_seeds(folder / name)) / name


@pytest.fixture(scope="session")
def look_alikes(tmp_path_factory: pytest.TempPathFactory, seeds: Path) -> Path:
    """A warehouse of the look-alikes, built without a judge, with few labels. Tests that change it
    take a copy."""
    from look_alikes import build_warehouse, payloads

    def build(folder: Path) -> None:
        build_warehouse(folder, seeds, *payloads())

    return made_once(tmp_path_factory, "first_look_alikes", build) / "warehouse.duckdb"


@pytest.fixture(scope="session")
def demo_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo leaves behind: to be read, or copied by who changes it."""
    from ingestion.runs import demo

    def build(folder: Path) -> None:
        demo("first", seed=7, warehouse=folder / "demo.duckdb")

    return made_once(tmp_path_factory, "first_demo", build) / "demo.duckdb"


@pytest.fixture(scope="module")  # its event loop is in the way of other files
def browser() -> Iterator["Browser"]:
    """A Chromium that is on the machine, with nothing but what a test opens in it."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = [path for name in names if (path := shutil.which(name))]
    if not found:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    flags = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=found[0],
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", *flags],
        )
        yield started
        started.close()


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `sent_bytes`: the connection is dropped after so many bytes of the body."""

    body: object = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    sent_bytes: int | None = None

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


# How a listing is asked for some of its records by their ids.
IDS = {"/markets": "tickers", "/markets/keyset": "id"}


@dataclass
class ListingScript:
    """The pages of one endpoint, and what it answers in place of some of them."""

    pages: Sequence[Sequence[object]]
    name: str
    cursor_param: str
    cursor_field: str
    last_cursor: dict[str, str]
    faults: dict[int, list[Answer]] = field(default_factory=dict)
    for_ever: dict[int, Answer] = field(default_factory=dict)
    by_id: Answer | None = None
    refused: Collection[str] = ()

    def answer(self, params: dict[str, str], ids: Collection[str] = ()) -> Answer:
        """The page that the cursor asks for; page one without a cursor. Or what is asked by id."""
        if ids:
            if not set(ids).isdisjoint(self.refused):
                return Answer({}, status=422)
            records = [record for page in self.pages for record in page if isinstance(record, dict)]
            found = [r for r in records if not {r.get("ticker"), r.get("id")}.isdisjoint(ids)]
            return self.by_id or Answer({self.name: found, **self.last_cursor})
        number = int(params.get(self.cursor_param, "page-1").removeprefix("page-"))
        if self.faults.get(number):
            return self.faults[number].pop(0)
        if number in self.for_ever:
            return self.for_ever[number]
        more = {self.cursor_field: f"page-{number + 1}"}
        rest = more if number < len(self.pages) else self.last_cursor
        return Answer({self.name: self.pages[number - 1] if self.pages else [], **rest})


class QuietServer(ThreadingHTTPServer):
    """Says nothing of a client that has gone away."""

    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        pass


class ScriptedVenue:
    """Both venues on one loopback server. `requests` are the paths and parameters asked for."""

    def __init__(self) -> None:
        self.scripts: dict[str, ListingScript] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.before_answer: Callable[[str, int], None] = lambda path, count: None
        venue = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                params = dict(parse_qsl(parts.query))
                venue.requests.append((parts.path, params))
                venue.before_answer(parts.path, venue.count(parts.path))
                script = venue.scripts.get(parts.path)
                ids = parse_qs(parts.query).get(IDS.get(parts.path, ""), [])
                ids = [one for some in ids for one in some.split(",")]
                answer = script.answer(params, ids) if script else Answer({}, status=404)
                content = answer.content
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(content)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content[: answer.sent_bytes])
                if answer.sent_bytes is not None:
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def kalshi(
        self,
        *markets: Sequence[object],
        events: Sequence[Sequence[object]] = (),
        series: Sequence[Sequence[object]] = (),
        fee_changes: Mapping[str, Sequence[Sequence[object]]] = MappingProxyType({}),
    ) -> None:
        """Serves Kalshi: the pages of its markets, events, series, and fee changes by path."""
        for name, pages in {"series": series, "events": events, "markets": markets}.items():
            self.scripts[f"/{name}"] = ListingScript(
                pages, name, "cursor", "cursor", last_cursor={"cursor": ""}
            )
        for path, name in {
            "/series/fee_changes": "series_fee_change_arr",
            "/events/fee_changes": "event_fee_changes",
        }.items():
            self.scripts[path] = ListingScript(
                fee_changes.get(path, ()), name, "cursor", "cursor", last_cursor={"cursor": ""}
            )

    def polymarket(
        self, *markets: Sequence[object], events: Sequence[Sequence[object]] = ()
    ) -> None:
        """Serves Polymarket: the pages of its markets and events."""
        for name, pages in {"events": events, "markets": markets}.items():
            self.scripts[f"/{name}/keyset"] = ListingScript(
                pages, name, "after_cursor", "next_cursor", last_cursor={}
            )

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(1 for asked, _ in self.requests if asked == path)

    def close(self) -> None:
        """Stops the server."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    """A venue that answers as the test scripts it, without listings at first."""
    scripted = ScriptedVenue()
    scripted.kalshi()
    scripted.polymarket()
    yield scripted
    scripted.close()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, venue: ScriptedVenue) -> Settings:
    """A new warehouse, and both venues on loopback; nothing of the developer's environment."""
    for name in list(os.environ):
        if name.startswith("MARKETFINDER_") and name != "MARKETFINDER_SHARED_DATA":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Settings(
        warehouse=tmp_path / "warehouse.duckdb",
        kalshi_url=venue.url,
        polymarket_url=venue.url,
        clob_url=venue.url,
        kalshi_requests_per_second=1_000,
        polymarket_requests_per_second=1_000,
        request_backoff_seconds=0.01,
        request_timeout_seconds=5,
    )


class TickingClock:
    """A clock that goes on one second whenever it is read."""

    def __init__(self) -> None:
        self.now = datetime(2026, 10, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> TickingClock:
    """A clock that a test can foretell."""
    return TickingClock()


Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def query(settings: Settings) -> Query:
    """Asks the warehouse; each question opens and closes it."""

    def ask(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(settings.warehouse) as connection:
            return connection.execute(sql, parameters).fetchall()

    return ask


KEY = "sk-secret-4711-do-not-show"


@pytest.fixture
def endpoint() -> Iterator["ScriptedEndpoint"]:
    """A language model's endpoint on loopback; its model finds every pair equal."""
    from judge_endpoint import ScriptedEndpoint

    scripted = ScriptedEndpoint()
    yield scripted
    scripted.close()


@pytest.fixture
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's environment."""
    for name in list(os.environ):
        if name.startswith(("MARKETFINDER_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


# Reading the certificates takes longer than a test, and nothing here is encrypted.
tls_context = functools.cache(ssl.create_default_context)


@pytest.fixture
def judge_settings(
    clean_environment: None,
    endpoint: "ScriptedEndpoint",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> JudgeSettings:
    """A key, the endpoint on loopback, and prices: a call costs 0.0014 USD."""
    monkeypatch.setattr(ssl, "create_default_context", tls_context)
    return JudgeSettings(
        api_key=SecretStr(KEY),
        base_url=endpoint.url,
        model="scripted",
        ledger=tmp_path / "judge.sqlite",
        usd_per_million_input_tokens=Decimal(1),
        usd_per_million_output_tokens=Decimal(2),
        max_output_tokens=1_000,
        timeout_seconds=5,
        backoff_seconds=0.01,
    )
