"""Live sources against a scripted venue over real HTTP: paging, retries, answers that are wrong."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dlt
import pytest
from conftest import Answer, ListingScript, Query, QuietServer, ScriptedVenue, TickingClock
from dlt.extract import DltResource

from ingestion.books import ingest_books
from ingestion.errors import VenueError, WarehouseError
from ingestion.pipeline import SOURCES, ingest, venue_client
from ingestion.settings import Settings
from ingestion.venues import Entity, Listing
from ingestion.warehouse import open_warehouse


def market(number: int, **fields: object) -> dict[str, object]:
    """A Kalshi market."""
    return {"ticker": f"KX-{number}", "event_ticker": "KX", "status": "active", **fields}


def read_markets(settings: Settings, venue: str = "kalshi") -> list[Any]:
    """The markets that the source of a venue reads, without a warehouse."""
    records: list[Any] = []

    def read(entity: Entity, listing: Listing) -> DltResource:
        if entity.name == "market":
            for page in listing.pages:
                records.extend(page.records)
        return dlt.resource([], name=entity.table)

    with venue_client(venue, settings) as client:
        list(SOURCES[venue](client, read))
    return records


def sweep_markets(settings: Settings) -> None:
    """Sweeps the markets of Kalshi into the warehouse."""
    ingest("kalshi", settings, run_id="run", entities=["market"])


@pytest.fixture
def three_pages(venue: ScriptedVenue) -> ScriptedVenue:
    """Six Kalshi markets on three pages."""
    venue.kalshi(*([market(page * 2), market(page * 2 + 1)] for page in range(3)))
    return venue


def test_all_listings_are_asked_for_as_the_venues_want(
    venue: ScriptedVenue, settings: Settings
) -> None:
    for name in ("kalshi", "polymarket"):
        ingest(name, settings, run_id="run")
    assert dict(venue.requests) == {
        "/series": {},
        "/events": {"status": "open", "limit": "200"},
        "/markets": {"status": "open", "mve_filter": "exclude", "limit": "1000"},
        "/series/fee_changes": {"show_historical": "true"},
        "/events/fee_changes": {"show_historical": "true", "limit": "1000"},
        "/events/keyset": {"closed": "false", "limit": "100"},
        "/markets/keyset": {"closed": "false", "limit": "500"},
    }


def test_an_empty_page_with_a_live_cursor_goes_on(venue: ScriptedVenue, settings: Settings) -> None:
    venue.kalshi([market(1)], [], [], [market(2)])
    assert read_markets(settings) == [market(1), market(2)]
    assert [params.get("cursor") for _, params in venue.requests] == [
        None, "page-2", "page-3", "page-4",
    ]  # fmt: skip


def test_polymarket_pages_by_after_cursor(venue: ScriptedVenue, settings: Settings) -> None:
    venue.polymarket([{"id": "1"}], [{"id": "2"}], [{"id": "3"}])
    assert len(read_markets(settings, "polymarket")) == 3
    assert [params.get("after_cursor") for _, params in venue.requests] == [
        None, "page-2", "page-3",
    ]  # fmt: skip
    assert all("cursor" not in params and "offset" not in params for _, params in venue.requests)


@pytest.mark.parametrize(
    ("path", "venue_name", "renamed"),
    [
        ("/markets/keyset", "polymarket", {"nextCursor": "page-2"}),
        ("/markets/keyset", "polymarket", {"has_more": True}),
        ("/events/keyset", "polymarket", {"next": "page-2"}),
        ("/series", "kalshi", {"next_cursor": "page-2"}),
    ],
)
def test_a_cursor_of_another_name_is_not_the_end(
    path: str,
    venue_name: str,
    renamed: dict[str, object],
    venue: ScriptedVenue,
    settings: Settings,
) -> None:
    """Where the last page has no cursor, the first one would be all there is, and believed."""
    name = venue.scripts[path].name
    venue.scripts[path].for_ever[1] = Answer({name: [{"id": "1", "ticker": "A"}], **renamed})
    with pytest.raises(VenueError, match=rf"{path} \(page 1\): .* but {next(iter(renamed))!r}"):
        ingest(venue_name, settings, run_id="run")
    venue.scripts[path].for_ever[1] = Answer({name: [], "next": None, "has_more": False})
    ingest(venue_name, settings, run_id="run")


@pytest.mark.parametrize("name", ["kalshi", "polymarket"])
def test_a_repeated_cursor_is_an_error(name: str, venue: ScriptedVenue, settings: Settings) -> None:
    venue.kalshi([market(1)], [market(2)], [market(3)])
    venue.polymarket([{"id": "1"}], [{"id": "2"}], [{"id": "3"}])
    script = venue.scripts["/markets" if name == "kalshi" else "/markets/keyset"]
    script.for_ever[3] = Answer({"markets": [], script.cursor_field: "page-2"})
    with pytest.raises(VenueError, match=r"\(page 3\) sends the cursor 'page-2' a second time"):
        read_markets(settings, name)
    assert len(venue.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"error": "too many"}, status=429),
        Answer({"error": "oops"}, status=500),
        Answer(b"<html>bad gateway</html>", status=502, content_type="text/html"),
        Answer({"markets": [market(2)], "cursor": "page-3"}, sent_bytes=10),
        Answer({"markets": [market(2)], "cursor": "page-3"}, sent_bytes=0),
    ],
    ids=["429", "500", "502", "dropped in mid-answer", "dropped before the answer"],
)
def test_a_passing_failure_is_retried(
    answer: Answer, three_pages: ScriptedVenue, settings: Settings
) -> None:
    three_pages.scripts["/markets"].faults[2] = [answer, answer]
    assert len(read_markets(settings)) == 6
    assert len(three_pages.requests) == 5


def test_retry_after_is_honoured(venue: ScriptedVenue, settings: Settings) -> None:
    venue.polymarket([{"id": "1"}])
    slow_down = Answer({}, status=429, headers={"Retry-After": "1"})
    venue.scripts["/markets/keyset"].faults[1] = [slow_down]
    start = time.monotonic()
    assert len(read_markets(settings, "polymarket")) == 1
    assert time.monotonic() - start >= 1


def test_requests_are_paced(three_pages: ScriptedVenue, settings: Settings) -> None:
    start = time.monotonic()
    read_markets(settings.model_copy(update={"kalshi_requests_per_second": 2}))
    assert time.monotonic() - start >= 0.9


@pytest.mark.parametrize(
    ("answer", "message", "requests"),
    [
        (Answer({}, 500), r"kalshi /markets \(page 3\) answered 500 .* 5 times in a row", 7),
        (Answer({}, 429), "answered 429 .* Lower MARKETFINDER_KALSHI_REQUESTS_PER_SECOND", 7),
        (Answer({}, 404), "answered 404 .* Check MARKETFINDER_KALSHI_URL", 3),
        (Answer({"markets": []}, sent_bytes=5), "dropped the connection in mid-answer, 5 times", 7),
        (
            Answer(b"<!DOCTYPE html><title>Just a moment", content_type="text/html"),
            r"\(page 3\) did not answer in JSON \(text/html; it starts '<!DOCTYPE html>",
            3,
        ),
        (Answer(b'{"markets": [{"ticker": "KX'), r"\(page 3\) did not answer in JSON", 3),
        (Answer({"listings": [], "cursor": ""}), "no list in 'markets', only listings, cursor", 3),
        (Answer({"markets": {}, "cursor": ""}), "no list in 'markets'", 3),
        (Answer([market(4)]), "no list in 'markets', only list", 3),
        (Answer({}), "no list in 'markets', only an empty object", 3),
        (Answer({"markets": [market(4)]}), "no text in 'cursor'", 3),
        (Answer({"markets": [market(4)], "cursor": 7}), "no text in 'cursor'", 3),
    ],
    ids=["500", "429", "404", "dropped", "HTML", "truncated", "renamed field", "object",
         "bare list", "empty object", "no cursor", "cursor of another type"],
)  # fmt: skip
def test_a_lasting_failure_on_page_3_is_a_clear_error(
    answer: Answer, message: str, requests: int, three_pages: ScriptedVenue, settings: Settings
) -> None:
    three_pages.scripts["/markets"].for_ever[3] = answer
    with pytest.raises(VenueError, match=message):
        read_markets(settings)
    assert len(three_pages.requests) == requests


@pytest.mark.parametrize("answer", [Answer({}, 500), Answer(b"<html>"), Answer(b'{"markets": [')])
def test_a_failed_sweep_lands_nothing_and_is_noted(
    answer: Answer, three_pages: ScriptedVenue, settings: Settings, query: Query
) -> None:
    three_pages.scripts["/markets"].for_ever[3] = answer
    with pytest.raises(VenueError):
        sweep_markets(settings)
    assert query("select count(*) from raw.kalshi_markets") == [(0,)]
    assert query("select entity, source, pages, records, landed, is_complete from raw.sweeps") == [
        ("market", "/markets", 2, 4, 0, False)
    ]
    ((error,),) = query("select error from raw.sweeps")
    assert error.startswith("kalshi /markets (page 3)")


def test_what_was_loaded_before_a_failure_stays(
    three_pages: ScriptedVenue, settings: Settings, query: Query, clock: TickingClock
) -> None:
    ingest("kalshi", settings, run_id="first", clock=clock)
    before = query("select * from raw.kalshi_markets order by all")
    three_pages.scripts["/markets"].for_ever[2] = Answer({}, 503)
    with pytest.raises(VenueError):
        ingest("kalshi", settings, run_id="second", clock=clock)
    assert query("select * from raw.kalshi_markets order by all") == before
    # The sweeps before the failed one are complete.
    assert query(
        "select entity, is_complete from raw.sweeps where run_id = 'second' order by finished_at"
    ) == [("series", True), ("event", True), ("market", False)]


def test_fee_changes_may_all_be_gone(
    venue: ScriptedVenue, settings: Settings, query: Query, clock: TickingClock
) -> None:
    """What is to come may all be over by the next time; Kalshi writes null for an empty list."""
    changes = [{"id": str(number), "series_ticker": "S"} for number in range(4)]
    venue.kalshi(fee_changes={"/series/fee_changes": [changes]})
    ingest("kalshi", settings, run_id="first", clock=clock)
    venue.scripts["/series/fee_changes"].for_ever[1] = Answer(b'{"series_fee_change_arr": null}')
    ingest("kalshi", settings, run_id="second", clock=clock)
    rows = query(
        "select external_id, count(payload), count(*) from raw.kalshi_series_fee_changes"
        " group by all order by all"
    )
    assert rows == [(str(number), 1, 2) for number in range(4)]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:9", "the connection was refused"),
        ("http://venue.invalid", "the host name is not known"),
    ],
)
def test_an_unreachable_venue_is_a_clear_error(url: str, message: str, settings: Settings) -> None:
    nowhere = settings.model_copy(update={"kalshi_url": url, "request_attempts": 2})
    with pytest.raises(VenueError, match=f"{message}, 2 times .* MARKETFINDER_KALSHI_URL, now"):
        read_markets(nowhere)


def test_a_silent_venue_times_out(venue: ScriptedVenue, settings: Settings) -> None:
    venue.before_answer = lambda path, count: time.sleep(0.5)
    hurried = settings.model_copy(update={"request_timeout_seconds": 0.1, "request_attempts": 2})
    with pytest.raises(VenueError, match=r"did not answer within 0.1 s, 2 times in a row"):
        read_markets(hurried)


def test_a_record_that_is_none_is_rejected_and_the_rest_lands(
    venue: ScriptedVenue, settings: Settings, query: Query
) -> None:
    page = [market(1), "KX-2", None, market(4)]
    venue.scripts["/markets"].pages = [page]
    broken = (
        b'{"markets": [{"ticker": "KX-5", "last_price": NaN}, {"ticker": "KX-6"}], "cursor": ""}'
    )
    sweep_markets(settings)
    venue.kalshi([market(6)])
    venue.scripts["/markets"].for_ever[1] = Answer(broken)
    sweep_markets(settings)
    assert query(
        "select line, reason, value from raw.rejected_lines order by rejected_at, line"
    ) == [
        (2, "a record must be a JSON object", "KX-2"),
        (3, "a record must be a JSON object", "null"),
        (1, "NaN is not JSON", "{'ticker': 'KX-5', 'last_price': NaN}"),
    ]
    assert query("select records, landed, rejected_lines from raw.sweeps order by finished_at") == [
        (2, 2, 2),
        (1, 1, 1),
    ]


@pytest.mark.parametrize("pages", [1, 2])
def test_a_listing_that_cannot_be_written_is_not_kept_as_it_was(
    pages: int, venue: ScriptedVenue, settings: Settings, query: Query
) -> None:
    """It may be paused by now. Nor is what an earlier page of the same sweep had of it."""
    venue.kalshi([market(1), market(2)])
    sweep_markets(settings)
    paused = (
        b'{"markets": [{"ticker": "KX-1", "status": "paused", "volume": NaN}, {"ticker": "KX-2",'
        b' "event_ticker": "KX", "status": "active"}], "cursor": ""}'
    )
    venue.kalshi(*[[market(1, volume=1)], []][:pages])
    venue.scripts["/markets"].for_ever[pages] = Answer(paused)
    newest = (
        "select external_id, arg_max(payload is null, fetched_at) from raw.kalshi_markets"
        " group by all order by all"
    )
    for _ in range(2):
        sweep_markets(settings)
        assert query(newest) == [("KX-1", True), ("KX-2", False)]
    counts = "select gone, rejected_lines from raw.sweeps order by finished_at"
    again = (1, 1) if pages == 2 else (0, 1)
    assert query(counts) == [(0, 0), (1, 1), again]
    venue.kalshi([market(1), market(2)])
    sweep_markets(settings)
    assert query(newest) == [("KX-1", False), ("KX-2", False)]


def test_a_book_that_cannot_be_written_is_none(
    venue: ScriptedVenue, settings: Settings, query: Query
) -> None:
    """The one before it is not that of the moment."""
    with open_warehouse(settings.warehouse) as connection:
        connection.execute(
            "create schema silver; create table silver.watchlist as"
            " select 'kalshi' as platform, 'KX-1' as book_id, 1 as priority"
        )
    for level in (b'["0.40", "10"]', b"NaN"):
        book = (
            b'{"ticker": "KX-1", "orderbook_fp": {"yes_dollars": [%b], "no_dollars": []}}' % level
        )
        answer = Answer(b'{"orderbooks": [%b]}' % book)
        venue.scripts["/markets/orderbooks"] = ListingScript(
            [], "orderbooks", "", "", {}, for_ever={1: answer}
        )
        _, problems = ingest_books(settings, run_id="books")
        assert problems == []
    assert query("select payload is null from raw.kalshi_order_books order by fetched_at") == [
        (False,), (True,),
    ]  # fmt: skip


def fetch_books(
    settings: Settings, watched: int, answer: Callable[[list[str]], list[str] | int]
) -> list[str]:
    """Fetches the books of so many Kalshi markets from a venue that sends those `answer` gives, or
    refuses with its status; returns what went wrong."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = answer(parse_qs(urlsplit(self.path).query)["tickers"])
            tickers = [] if isinstance(sent, int) else sent
            books = [{"ticker": ticker, "orderbook_fp": {}} for ticker in tickers]
            self.send_response(sent if isinstance(sent, int) else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"orderbooks": books}).encode())

        def log_message(self, *args: object) -> None:
            pass

    with open_warehouse(settings.warehouse) as connection:
        connection.execute(
            "create schema if not exists silver; create or replace table silver.watchlist as"
            " select 'kalshi' as platform, 'KX-' || range as book_id, range as priority"
            f" from range({watched})"
        )
    server = QuietServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        return ingest_books(settings.model_copy(update={"kalshi_url": url}), run_id="books")[1]
    finally:
        server.shutdown()


@pytest.mark.parametrize(
    ("refused", "status", "landed", "problem"),
    [
        ({"KX-3"}, 404, 8, None),
        ({"KX-0", "KX-7"}, 400, 7, None),
        ({f"KX-{number}" for number in range(9)}, 404, 0, "answered 404"),
        ({"KX-3"}, 401, 0, "answered 401"),
        ({"KX-3"}, 403, 0, "answered 403"),
    ],
)
def test_a_book_that_the_venue_refuses_costs_no_other(
    refused: set[str],
    status: int,
    landed: int,
    problem: str | None,
    settings: Settings,
    query: Query,
) -> None:
    def answer(asked: list[str]) -> list[str] | int:
        return status if refused & set(asked) else asked

    problems = fetch_books(settings, 9, answer)
    assert [str(problem) in text for text in problems] == ([True] if problem else [])
    if problem:
        assert query("select count(*) from raw.sweeps where is_complete and venue = 'kalshi'") == [
            (0,)
        ]
        return
    assert query("select count(*) from raw.kalshi_order_books where payload is not null") == [
        (landed,)
    ]
    gone = "select external_id from raw.kalshi_order_books where payload is null order by all"
    assert query(gone) == [(ticker,) for ticker in sorted(refused)]
    assert query("select value, reason from raw.rejected_lines order by all") == [
        (ticker, f"the venue refuses its book ({status})") for ticker in sorted(refused)
    ]
    assert query("select gone, rejected_lines from raw.sweeps where venue = 'kalshi'") == [
        (len(refused), len(refused))
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "Nothing is watched yet: build the matched pairs first"),
        ("platform varchar, token varchar", "silver.watchlist is of another version"),
    ],
)
def test_books_of_a_watchlist_that_is_none(
    table: str | None, message: str, settings: Settings
) -> None:
    with open_warehouse(settings.warehouse) as connection:
        if table:
            connection.execute(f"create schema silver; create table silver.watchlist ({table})")
    with pytest.raises(WarehouseError, match=message):
        ingest_books(settings, run_id="run")


@pytest.mark.parametrize("answered", [0, 1, 2])
@pytest.mark.parametrize("then", [404, []], ids=["refuses", "sends none"])
def test_a_venue_that_stops_sending_books_has_failed(
    answered: int, then: list[str] | int, settings: Settings, query: Query
) -> None:
    """That it has none of the rest is not known then."""
    calls: list[int] = []

    def answer(asked: list[str]) -> list[str] | int:
        calls.append(len(asked))
        return asked if len(calls) <= answered else then

    (problem,) = fetch_books(settings, 250, answer)
    assert problem.startswith("kalshi ")
    assert query("select landed, gone, is_complete from raw.sweeps where venue = 'kalshi'") == [
        (0, 0, False)
    ]
    assert len(calls) < 20 or not answered


def test_books_that_a_venue_does_not_have_are_none(settings: Settings, query: Query) -> None:
    """A whole batch of them too, as long as it sends those it has."""
    assert fetch_books(settings, 250, lambda asked: [t for t in asked if len(t) < 6]) == []
    rows = "select payload is null, count(*) from raw.kalshi_order_books group by all order by all"
    assert query(rows) == [(False, 100), (True, 150)]
    assert fetch_books(settings, 0, lambda asked: 404) == []
