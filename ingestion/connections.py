"""Is each venue reachable, how fast does it answer, and what is wrong?"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import requests

from ingestion.environment import shown_url
from ingestion.errors import VenueError
from ingestion.pipeline import venue_client
from ingestion.settings import Settings

_CONNECTION_SECONDS = 10.0


@dataclass(frozen=True)
class Connection:
    """One thing that was tried. `problem` says what is wrong and what to do; null when fine."""

    name: str
    url: str
    milliseconds: float
    problem: str | None


def check_connections(settings: Settings) -> list[Connection]:
    """Asks each venue for one record, once, without retries."""
    once = settings.model_copy(
        update={
            "request_attempts": 1,
            "request_timeout_seconds": min(settings.request_timeout_seconds, _CONNECTION_SECONDS),
        }
    )
    return [
        _try("kalshi", settings.kalshi_url, lambda: _ask(once, "kalshi", "/markets")),
        _try(
            "polymarket",
            settings.polymarket_url,
            lambda: _ask(once, "polymarket", "/markets/keyset"),
        ),
        _try("polymarket order books", settings.clob_url, lambda: _ask_order_books(once)),
    ]


def _try(name: str, url: str, ask: Callable[[], None]) -> Connection:
    start = perf_counter()
    try:
        ask()
        problem = None
    except VenueError as error:
        problem = str(error)
    return Connection(name, shown_url(url), (perf_counter() - start) * 1_000, problem)


def _ask(settings: Settings, venue: str, path: str) -> None:
    with venue_client(venue, settings) as client:
        listing = client.listing(path, "markets", {"limit": 1}, cursor_required=False)
        next(listing.pages)


def _ask_order_books(settings: Settings) -> None:
    """The health answer of the order-book service."""
    url = shown_url(settings.clob_url)
    advice = f"Check the network and MARKETFINDER_CLOB_URL, now {url}."
    try:
        answer = requests.get(settings.clob_url + "/", timeout=settings.request_timeout_seconds)
    except requests.RequestException as error:
        raise VenueError(f"cannot be reached ({type(error).__name__}). {advice}") from None
    if not answer.ok:
        raise VenueError(f"answered {answer.status_code} {answer.reason}. {advice}")
