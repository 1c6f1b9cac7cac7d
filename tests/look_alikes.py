"""The look-alikes as the venues send them, and a warehouse of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import SOWN, build_tables, sow

from ingestion.build import Half
from ingestion.pipeline import ingest_files
from ingestion.settings import Settings

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
PAIRS = [
    json.loads(line)
    for line in Path(__file__).with_name("look_alikes.jsonl").read_text("utf-8").splitlines()
]

_KALSHI_MARKET = {
    "market_type": "binary",
    "close_time": "2028-06-30T15:00:00Z",
    "yes_bid_dollars": "0.4000",
    "yes_ask_dollars": "0.4200",
    "no_bid_dollars": "0.5800",
    "no_ask_dollars": "0.6000",
    "yes_bid_size_fp": "500.00",
    "yes_ask_size_fp": "500.00",
}
_POLYMARKET_MARKET = {
    "active": True,
    "closed": False,
    "acceptingOrders": True,
    "bestBid": 0.47,
    "bestAsk": 0.49,
    "endDate": "2027-12-31T00:00:00Z",
}


def pair_id(pair: dict[str, Any]) -> str:
    """The id under which a pair is found."""
    return f"kalshi:{pair['kalshi']['ticker']}|polymarket:{pair['polymarket']['id']}"


def payloads(
    pairs: list[dict[str, Any]] = PAIRS,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events of both venues with their nested markets, as the venues send them."""
    kalshi: dict[str, dict[str, Any]] = {}
    polymarket: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        listing = dict(pair["kalshi"])
        title, category = listing.pop("event_title"), listing.pop("category")
        ticker = listing["event_ticker"]
        event = kalshi.setdefault(
            ticker, {"event_ticker": ticker, "title": title, "category": category, "markets": []}
        )
        if listing["ticker"] not in {market["ticker"] for market in event["markets"]}:
            event["markets"].append({**_KALSHI_MARKET, **listing})
        listing = dict(pair["polymarket"])
        name = listing.pop("event_title")
        outcomes = json.dumps(listing.pop("outcomes"))
        tag = listing.pop("tag", "Politics")
        polymarket[listing["id"]] = {
            "id": f"event-{listing['id']}",
            "title": name,
            "tags": [{"label": tag}],
            "markets": [{**_POLYMARKET_MARKET, **listing, "outcomes": outcomes}],
        }
    return list(kalshi.values()), list(polymarket.values())


def ingest_events(
    folder: Path, kalshi: list[dict[str, Any]], polymarket: list[dict[str, Any]]
) -> Settings:
    """A warehouse into which the events of both venues were loaded."""
    settings = Settings(warehouse=folder / "warehouse.duckdb")
    for venue, events in (("kalshi", kalshi), ("polymarket", polymarket)):
        path = folder / f"{venue}.json"
        path.write_text(json.dumps({"events": events}), "utf-8")
        ingest_files(venue, [str(path)], settings, captured_at=NOW, run_id=venue)
    return settings


def build_warehouse(
    folder: Path, seeds: Path, kalshi: list[dict[str, Any]], polymarket: list[dict[str, Any]]
) -> Path:
    """A warehouse built from the events of both venues, and tested."""
    settings = ingest_events(folder, kalshi, polymarket)
    sow(settings.warehouse, seeds)
    build_tables(settings.warehouse, Half.PREDICTION_MARKETS, *SOWN, is_tested=True)
    return settings.warehouse
