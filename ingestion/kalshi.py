"""Kalshi, trade API v2: series, open events, open markets, and fee changes that were announced."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingestion.payloads import Record
from ingestion.venues import Entity, Page, SweepResource, Venue, as_id

if TYPE_CHECKING:
    from dlt.extract import DltResource

    from ingestion.client import VenueClient

SERIES = Entity(
    venue="kalshi",
    name="series",
    table="kalshi_series",
    id_field="ticker",
    parent_id=lambda record: None,
)
EVENT = Entity(
    venue="kalshi",
    name="event",
    table="kalshi_events",
    id_field="event_ticker",
    parent_id=lambda record: as_id(record.get("series_ticker")),
    nested="markets",
)
MARKET = Entity(
    venue="kalshi",
    name="market",
    table="kalshi_markets",
    id_field="ticker",
    parent_id=lambda record: as_id(record.get("event_ticker")),
)
SERIES_FEE_CHANGE = Entity(
    venue="kalshi",
    name="series_fee_change",
    table="kalshi_series_fee_changes",
    id_field="id",
    parent_id=lambda record: as_id(record.get("series_ticker")),
    may_empty=True,
)
EVENT_FEE_CHANGE = Entity(
    venue="kalshi",
    name="event_fee_change",
    table="kalshi_event_fee_changes",
    id_field="id",
    parent_id=lambda record: as_id(record.get("event_ticker")),
    may_empty=True,
)
ORDER_BOOK = Entity(
    venue="kalshi",
    name="order_book",
    table="kalshi_order_books",
    id_field="ticker",
    parent_id=lambda record: None,
)

_SERIES_FIELDS = {"settlement_sources", "frequency", "fee_type", "contract_url"}
_MARKET_FIELDS = {"yes_sub_title", "rules_primary", "market_type", "yes_bid", "yes_bid_dollars"}


def recognise(record: Record) -> Entity | None:
    """Which kind of Kalshi record this is; null for another (an order book, a trade)."""
    if "scheduled_ts" in record:
        return EVENT_FEE_CHANGE if "event_ticker" in record else SERIES_FEE_CHANGE
    if {"event_ticker", "ticker"} <= record.keys() or _MARKET_FIELDS & record.keys():
        return MARKET
    if "event_ticker" in record:
        return EVENT
    if "ticker" in record and _SERIES_FIELDS & record.keys():
        return SERIES
    return None


KALSHI = Venue(
    name="kalshi",
    entities=(SERIES, EVENT, MARKET, SERIES_FEE_CHANGE, EVENT_FEE_CHANGE),
    containers={
        "series": SERIES,
        "event": EVENT,
        "events": EVENT,
        "market": MARKET,
        "markets": MARKET,
        "series_fee_change_arr": SERIES_FEE_CHANGE,
        "event_fee_changes": EVENT_FEE_CHANGE,
    },
    recognise=recognise,
)


def kalshi(client: "VenueClient", sweep: SweepResource) -> Iterator["DltResource"]:
    """All series, and what is open: events without their markets, markets without parlays; and what
    is announced of the fees of series and events."""
    yield sweep(SERIES, client.listing("/series", "series", cursor_required=False))
    yield sweep(EVENT, client.listing("/events", "events", {"status": "open", "limit": 200}))
    # Parlays (multivariate events) flood the list and are no listing of their own.
    yield sweep(
        MARKET,
        client.listing(
            "/markets",
            "markets",
            {"status": "open", "mve_filter": "exclude", "limit": 1000},
            ids=lambda tickers: {"tickers": ",".join(tickers)},
        ),
    )
    history = {"show_historical": "true"}
    yield sweep(
        SERIES_FEE_CHANGE,
        client.listing(
            "/series/fee_changes", "series_fee_change_arr", history, cursor_required=False
        ),
    )
    yield sweep(
        EVENT_FEE_CHANGE,
        client.listing("/events/fee_changes", "event_fee_changes", {**history, "limit": 1000}),
    )


def order_books(client: "VenueClient", tickers: Sequence[str]) -> Page:
    """The books of at most 100 markets, in one call."""
    records = client.records("GET", "/markets/orderbooks", "orderbooks", {"tickers": list(tickers)})
    return Page(records, client.clock(), 1)
