"""Pairs of listings that look alike: none that pays in other worlds is called the same contract.

tests/look_alikes.jsonl holds them, a pair a line, written for this project: what sets the two apart
("trap"), whether they are the same contract all the same, and what each venue says.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pipelines import ask

from ingestion.build import Half, build
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


def payloads() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events of both venues with their nested markets, as the venues send them."""
    kalshi: dict[str, dict[str, Any]] = {}
    polymarket: dict[str, dict[str, Any]] = {}
    for pair in PAIRS:
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
        polymarket[listing["id"]] = {
            "id": f"event-{listing['id']}",
            "title": name,
            "tags": [{"label": "Politics"}],
            "markets": [{**_POLYMARKET_MARKET, **listing, "outcomes": outcomes}],
        }
    return list(kalshi.values()), list(polymarket.values())


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse built from the pairs."""
    folder = tmp_path_factory.mktemp("look_alikes")
    settings = Settings(warehouse=folder / "warehouse.duckdb")
    for venue, events in zip(("kalshi", "polymarket"), payloads(), strict=True):
        path = folder / f"{venue}.json"
        path.write_text(json.dumps({"events": events}), "utf-8")
        ingest_files(venue, [str(path)], settings, captured_at=NOW, run_id=venue)
    build(settings.warehouse, Half.PREDICTION_MARKETS)
    return settings.warehouse


def pair_id(pair: dict[str, Any]) -> str:
    """The id under which a pair is found."""
    return f"kalshi:{pair['kalshi']['ticker']}|polymarket:{pair['polymarket']['id']}"


def test_the_pairs_are_all_there(warehouse: Path) -> None:
    kinds = Counter(pair["same"] for pair in PAIRS)
    assert kinds[False] > 140
    assert kinds[True] > 25
    listed = ask(warehouse, "select count(*) from silver.markets where is_eligible")
    tickers = {pair["kalshi"]["ticker"] for pair in PAIRS if pair["kalshi"]["status"] == "active"}
    assert listed == [(len(tickers) + len({pair["polymarket"]["id"] for pair in PAIRS}),)]


def test_no_look_alike_is_called_the_same(warehouse: Path) -> None:
    equal = {
        name
        for (name,) in ask(
            warehouse, "select pair_id from silver.market_pairs where relation = 'equal'"
        )
    }
    same = {pair_id(pair) for pair in PAIRS if pair["same"]}
    assert equal - same == set()
    # Silence would pass the line above: what is the same in plain words is found.
    assert len(equal & same) >= 16


def test_no_look_alike_is_an_opportunity(warehouse: Path) -> None:
    """All are quoted alike: Yes at 42 and No at 53 would lock a profit, were they the same."""
    same = {pair_id(pair) for pair in PAIRS if pair["same"]}
    found = {row for (row,) in ask(warehouse, "select pair_id from gold.arbitrage_opportunities")}
    assert found
    assert found <= same
