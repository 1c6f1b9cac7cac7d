"""Both venues over HTTP on loopback, one server with a prefix for each.

Cursors hold the number of the next listing and of the page, so a page is answered without looking
at the ones before it, and the same cursor always gets the same answer.
"""

import json
import socket
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ingestion.simulation import SERVER
from ingestion.simulator.faults import Faults, OnPage, PageFault, Record
from ingestion.simulator.layout import digest
from ingestion.simulator.world import World

KALSHI_PREFIX = "/kalshi/trade-api/v2"
GAMMA_PREFIX = "/polymarket/gamma"
CLOB_PREFIX = "/polymarket/clob"
# Kalshi's filter words and the words of the markets they select.
STATUSES: dict[str, set[str]] = {
    "open": {"active"},
    "closed": {"closed"},
    "settled": {"finalized"},
    "unopened": set(),
    "paused": set(),
}
EMPTY_PAGE_SHARE = 40  # of 256 cursors lead to an empty page first
OPEN, PARLAYS, SETTLED = "", "p", "s"  # the parts of a Kalshi list
KALSHI_LIMITS = {
    "/series": (10_000, 10_000),
    "/events": (100, 200),
    "/markets": (100, 1000),
    "/series/fee_changes": (100_000, 100_000),
    "/events/fee_changes": (100, 1000),
}
FEE_CHANGES = {
    "/series/fee_changes": "series_fee_change_arr",
    "/events/fee_changes": "event_fee_changes",
}
POLYMARKET_LIMITS = (20, 500)  # default and most records of a page


class Cursor(NamedTuple):
    """Where a page starts."""

    start: int = 0
    page: int = 1
    part: str = ""
    is_late: bool = False  # the empty page in front of it was served

    def encode(self) -> str:
        text = f"{self.start}:{self.page}:{self.part}:{int(self.is_late)}"
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Raises BadRequestError on anything that `encode` did not make."""
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            start, page, part, is_late = raw.split(":")
            return cls(int(start), int(page), part, is_late == "1")
        except ValueError as error:
            raise BadRequestError("invalid cursor") from error


class BadRequestError(Exception):
    """The venue does not accept a parameter."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Page:
    """A page of records and the cursor of the next; None at the end."""

    records: list[Record]
    next: Cursor | None


Query = dict[str, str]


@dataclass
class Simulator:
    """A running server. `world` may be replaced between sweeps."""

    world: World
    faults: Faults
    port: int = 0
    requests: list[str] = field(default_factory=list)  # path and query of every request served
    _spoiled: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def kalshi_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{KALSHI_PREFIX}"

    @property
    def polymarket_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{GAMMA_PREFIX}"

    @property
    def clob_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{CLOB_PREFIX}"

    def count(self, target: str) -> int:
        """Remember a request; returns how many there have been."""
        with self._lock:
            self.requests.append(target)
            return len(self.requests)

    def strikes(self, name: str, path: str, page: int) -> bool:
        """Whether the page fault `name` spoils this request."""
        fault: PageFault | None = getattr(self.faults, name)
        if fault is None:
            return False
        at = OnPage(*fault)
        if (at.page, at.path) != (page, path):
            return False
        with self._lock:
            self._spoiled[name] = self._spoiled.get(name, 0) + 1
            return at.times is None or self._spoiled[name] <= at.times


def _page(numbered: Iterator[tuple[int, Record]], cursor: Cursor, limit: int) -> Page:
    """The next `limit` records; knows whether there is one more."""
    taken = list(islice(numbered, limit + 1))
    records = [record for _, record in taken[:limit]]
    if len(taken) <= limit:
        return Page(records, None)
    return Page(records, Cursor(taken[limit][0], cursor.page + 1, cursor.part))


def _with_empty_pages(seed: int, path: str, cursor: Cursor, page: Page) -> Page:
    """In front of some pages the venue serves an empty one whose cursor is alive."""
    dice = digest(f"{seed}|empty|{path}|{cursor.part}|{cursor.start}")[0]
    if cursor.page == 1 or cursor.is_late or dice >= EMPTY_PAGE_SHARE:
        return page
    return Page([], cursor._replace(page=cursor.page + 1, is_late=True))


def _limit(query: Query, default: int, most: int) -> int:
    try:
        limit = int(query.get("limit", default))
    except ValueError as error:
        raise BadRequestError("limit must be an integer") from error
    if limit < 1:
        raise BadRequestError("limit must be positive")
    return min(limit, most)


def _kalshi_parts(path: str, status: str, has_parlays: bool) -> list[str]:
    """The lists that a Kalshi endpoint strings together for a status filter."""
    if status and status not in STATUSES:
        raise BadRequestError(f"invalid status filter: {status}")
    parts = [PARLAYS] if has_parlays and path == "/markets" else []
    parts += [OPEN]
    if status in ("", "open"):
        return parts if status else [*parts, SETTLED]
    return [SETTLED] if STATUSES[status] else []


def _kalshi_list(
    world: World, path: str, part: str, start: int, query: Query
) -> Iterator[tuple[int, Record]]:
    """The records of one part of a list, from a number on."""
    if path == "/series":
        return islice(enumerate(world.kalshi_series()), start, None)
    if path == "/series/fee_changes":
        return islice(enumerate(world.kalshi_series_fee_changes()), start, None)
    if path == "/events/fee_changes":
        return islice(enumerate(world.kalshi_event_fee_changes()), start, None)
    if path == "/events":
        has_markets = query.get("with_nested_markets", "").lower() == "true"
        return world.kalshi_events_from(start, part == OPEN, has_markets)
    if part == PARLAYS:
        return world.kalshi_parlays_from(start)
    wanted = STATUSES[query["status"]] if query.get("status") else set.union(*STATUSES.values())
    markets = world.kalshi_markets_from(start, is_open=part == OPEN)
    named = query["tickers"].split(",") if query.get("tickers") else None
    return (
        (number, record)
        for number, record in markets
        if record["status"] in wanted and (named is None or record["ticker"] in named)
    )


def kalshi_page(world: World, path: str, query: Query) -> tuple[str, Page, Cursor]:
    """The list's name, a page of it, and the cursor it was asked with."""
    name = FEE_CHANGES.get(path, path.removeprefix("/"))
    limit = _limit(query, *KALSHI_LIMITS[path])
    parts = [OPEN]
    if path in ("/events", "/markets"):
        has_parlays = query.get("mve_filter") != "exclude"
        parts = _kalshi_parts(path, query.get("status", ""), has_parlays)
    if not parts:
        return name, Page([], None), Cursor()
    cursor = Cursor(part=parts[0])
    if query.get("cursor"):
        cursor = Cursor.decode(query["cursor"])
    page = _page(_kalshi_list(world, path, cursor.part, cursor.start, query), cursor, limit)
    rest = parts[parts.index(cursor.part) + 1 :] if cursor.part in parts else []
    if page.next is None and rest:
        page = Page(page.records, Cursor(0, cursor.page + 1, rest[0]))
    return name, _with_empty_pages(world.seed, path, cursor, page), cursor


def polymarket_page(world: World, path: str, query: Query) -> tuple[str, Page, Cursor]:
    """The same for Gamma. `cursor` is an unknown parameter there, and ignored like any other."""
    if "offset" in query:
        raise BadRequestError("offset is not supported on keyset endpoints", 422)
    after = query.get("after_cursor")
    cursor = Cursor.decode(after) if after else Cursor()
    limit = _limit(query, *POLYMARKET_LIMITS)
    is_open = query.get("closed", "false").lower() != "true"
    name = path.split("/")[1]
    if name == "events":
        records = world.polymarket_events_from(cursor.start, is_open)
    else:
        records = world.polymarket_markets_from(cursor.start, is_open)
    if "id" in query:
        ids = query["id"].split(",")
        records = ((number, record) for number, record in records if record["id"] in ids)
    page = _page(records, cursor, limit)
    return name, _with_empty_pages(world.seed, path, cursor, page), cursor


ENTITIES = {
    ("kalshi", "series"): "kalshi_series",
    ("kalshi", "events"): "kalshi_event",
    ("kalshi", "markets"): "kalshi_market",
    ("kalshi", "series_fee_change_arr"): "kalshi_series_fee_change",
    ("kalshi", "event_fee_changes"): "kalshi_event_fee_change",
    ("polymarket", "events"): "polymarket_event",
    ("polymarket", "markets"): "polymarket_market",
}


def _mutated(faults: Faults, entity: str, record: Record) -> Record:
    """The record as the fault wants it, and the markets nested in it."""
    if faults.mutate is None:
        return record
    if "markets" in record:
        market = entity.replace("event", "market")
        nested = [faults.mutate(market, child) for child in record["markets"]]
        record = {**record, "markets": nested}
    return faults.mutate(entity, record)


class Handler(BaseHTTPRequestHandler):
    """One request: health, a fault, or a page."""

    protocol_version = "HTTP/1.1"
    server_version = SERVER
    disable_nagle_algorithm = True
    simulator: Simulator

    def do_POST(self) -> None:
        """Answer a request for books of several tokens."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        number = self.simulator.count(self.path)
        if self.path != f"{CLOB_PREFIX}/books":
            self._json({"error": "not found"}, 404)
            return
        try:
            tokens = [str(wanted["token_id"]) for wanted in json.loads(body)]
        except (ValueError, TypeError, KeyError):
            self._json({"error": "Invalid payload"}, 400)
            return
        world = self.simulator.world
        self._books("polymarket", [world.polymarket_order_book(token) for token in tokens], number)

    def do_GET(self) -> None:
        """Answer a request."""
        target = urlsplit(self.path)
        number = self.simulator.count(self.path)
        faults = self.simulator.faults
        if faults.latency_seconds:
            time.sleep(faults.latency_seconds)
        query = {
            name: ",".join(values) if name == "id" else values[-1]
            for name, values in parse_qs(target.query).items()
        }
        for prefix, venue in ((KALSHI_PREFIX, "kalshi"), (GAMMA_PREFIX, "polymarket")):
            path = target.path.removeprefix(prefix)
            if target.path.startswith(prefix) and path in PATHS[venue]:
                self._list(venue, path, query, number)
                return
        if target.path == f"{KALSHI_PREFIX}/markets/orderbooks":
            tickers = parse_qs(target.query).get("tickers", [])
            if not 0 < len(tickers) <= 100:
                self._json({"error": {"code": "bad_request", "message": "1 to 100 tickers"}}, 400)
                return
            world = self.simulator.world
            books = [world.kalshi_order_book(ticker) for ticker in tickers]
            self._books("kalshi", books, number)
            return
        health = HEALTH.get(target.path.rstrip("/"))
        if health is None:
            self._json({"error": {"code": "not_found", "message": "not found"}}, 404)
        else:
            self._json(health)

    def _books(self, venue: str, books: list[Record | None], number: int) -> None:
        """The books that are there; a market without one is left out."""
        faults = self.simulator.faults
        if _is_nth(number, faults.too_many_requests_every):
            self._json({"error": {"code": "too_many_requests"}}, 429)
            return
        found: list[Any] = [
            _mutated(faults, f"{venue}_order_book", record) for record in books if record
        ]
        found = [record for record in found if record]
        self._json({"orderbooks": found} if venue == "kalshi" else found)

    def _list(self, venue: str, path: str, query: Query, number: int) -> None:
        simulator, faults = self.simulator, self.simulator.faults
        if _is_nth(number, faults.too_many_requests_every):
            headers = {"Retry-After": "1"} if venue == "polymarket" else {}
            self._json({"error": {"code": "too_many_requests"}}, 429, headers)
            return
        build = kalshi_page if venue == "kalshi" else polymarket_page
        try:
            name, page, cursor = build(simulator.world, path, query)
        except BadRequestError as error:
            body: Record = {"type": "validation error", "error": str(error)}
            if venue == "kalshi":
                body = {"error": {"code": "bad_request", "message": str(error)}}
            self._json(body, error.status)
            return
        if faults.empty_universe == venue:
            page = Page([], None)
        if simulator.strikes("server_error_on_page", path, cursor.page):
            self._json({"error": {"code": "internal_server_error"}}, 500)
            return
        if simulator.strikes("html_on_page", path, cursor.page):
            html = "<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>"
            self._send(html.encode(), "text/html; charset=utf-8")
            return
        following = page.next
        if simulator.strikes("repeated_cursor_on_page", path, cursor.page):
            following = cursor
        entity = ENTITIES[venue, name]
        answer: Record = {name: [_mutated(faults, entity, record) for record in page.records]}
        if venue == "kalshi":
            answer["cursor"] = following.encode() if following else ""
        elif following:
            answer["next_cursor"] = following.encode()
        body_bytes = json.dumps(answer).encode()
        if simulator.strikes("truncated_json_on_page", path, cursor.page):
            body_bytes = body_bytes[: len(body_bytes) // 2]
        if _is_nth(number, faults.drop_connection_every):
            self._drop(body_bytes)
            return
        self._send(body_bytes, "application/json")

    def _json(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(body).encode(), "application/json", status, headers)

    def _send(
        self, body: bytes, kind: str, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self, body: bytes) -> None:
        """Half of an answer, then the end of the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Silence: the requests are in `Simulator.requests`."""


PATHS = {
    "kalshi": tuple(KALSHI_LIMITS),
    "polymarket": ("/events/keyset", "/markets/keyset"),
}
HEALTH: dict[str, Any] = {
    f"{KALSHI_PREFIX}/exchange/status": {"exchange_active": True, "trading_active": True},
    f"{GAMMA_PREFIX}/status": "OK",
    CLOB_PREFIX: "OK",
}


def _is_nth(number: int, every: int | None) -> bool:
    return every is not None and number % every == 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def serve(world: World, faults: Faults | None = None, port: int = 0) -> Iterator[Simulator]:
    """Serve a world on 127.0.0.1 until the block ends; port 0 takes a free one."""
    simulator = Simulator(world, faults or Faults())
    handler = type("BoundHandler", (Handler,), {"simulator": simulator})
    server = _Server(("127.0.0.1", port), handler)
    simulator.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield simulator
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
