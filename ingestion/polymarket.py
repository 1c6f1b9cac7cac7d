"""Polymarket's Gamma API: open events and open markets."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingestion.payloads import Record
from ingestion.venues import Entity, Listing, Page, SweepResource, Venue, as_id

if TYPE_CHECKING:
    from dlt.extract import DltResource

    from ingestion.client import VenueClient


def _first_id(records: object) -> str | None:
    """The id of the first record of a nested list."""
    if isinstance(records, list) and records and isinstance(records[0], dict):
        return as_id(records[0].get("id"))
    return None


def _without_totals(record: Record) -> Record:
    """Its event is a copy with running totals that change with every sibling's trade. Of that only
    the rules are told, where the market has none of its own."""
    told = {name: value for name, value in record.items() if name != "events"}
    match record:
        case {"events": [{"description": rules}, *_]} if rules and not record.get("description"):
            told["events"] = rules
    return told


EVENT = Entity(
    venue="polymarket",
    name="event",
    table="polymarket_events",
    id_field="id",
    parent_id=lambda record: _first_id(record.get("series")),
    nested="markets",
)
MARKET = Entity(
    venue="polymarket",
    name="market",
    table="polymarket_markets",
    id_field="id",
    parent_id=lambda record: _first_id(record.get("events")),
    told=_without_totals,
)
ORDER_BOOK = Entity(
    venue="polymarket",
    name="order_book",
    table="polymarket_order_books",
    id_field="asset_id",
    parent_id=lambda record: as_id(record.get("market")),
)

# The second spelling is that of archives reshaped by their collector.
_MARKET_FIELDS = {"question", "outcomes", "clobTokenIds", "clob_token_ids"}


def recognise(record: Record) -> Entity | None:
    """Which kind of Polymarket record this is; null for another (an order book, a trade)."""
    if _MARKET_FIELDS & record.keys():
        return MARKET
    if "id" in record and "title" in record and "slug" in record:
        return EVENT
    return None


POLYMARKET = Venue(
    name="polymarket",
    entities=(EVENT, MARKET),
    containers={"event": EVENT, "events": EVENT, "market": MARKET, "markets": MARKET},
    recognise=recognise,
)


def polymarket(client: "VenueClient", sweep: SweepResource) -> Iterator["DltResource"]:
    """What is open: events without their markets, and markets."""
    # The venue sends at most 100 events a page, whatever is asked; they carry their markets, which
    # are dropped: the markets' own listing brings them with more fields.
    yield sweep(EVENT, _listing(client, "/events/keyset", "events", limit=100))
    yield sweep(MARKET, _listing(client, "/markets/keyset", "markets", limit=500, asks_by_id=True))


def _listing(
    client: "VenueClient", path: str, field: str, limit: int, *, asks_by_id: bool = False
) -> Listing:
    # The next page is asked for by `after_cursor`: `cursor` is ignored and serves page one for
    # ever. The last page has no `next_cursor`.
    return client.listing(
        path,
        field,
        {"closed": "false", "limit": limit},
        cursor_param="after_cursor",
        cursor_field="next_cursor",
        cursor_required=False,
        ids=(lambda ids: {"id": ids}) if asks_by_id else None,
    )


def order_books(client: "VenueClient", tokens: Sequence[str]) -> Page:
    """The books of several outcome tokens, in one call to the CLOB."""
    wanted = [{"token_id": token} for token in tokens]
    return Page(client.records("POST", "/books", None, wanted), client.clock(), 1)
