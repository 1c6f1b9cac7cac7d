"""Real pairs that others have labelled, by their titles alone: no rules, no dates, no outcomes.

Of most a language model that saw the titles only has said what they are. It calls two that name a
season on one side only another contract, and "$79.99 or above" of one hour that of another.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from ingestion.evaluation import evaluate

CAPTURED = datetime(2026, 5, 1, tzinfo=UTC)


def event_of(ticker: str) -> str:
    return ticker.rpartition("-")[0]


def kalshi_events(pairs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The labelled titles ("event — outcome") as Kalshi sends its events."""
    titles = {pair["kalshi_id"]: pair["kalshi_title"].partition(" — ") for pair in pairs}
    return [
        {
            "event_ticker": event,
            "title": titles[(own := list(tickers))[0]][0],
            "markets": [
                {
                    "ticker": ticker,
                    "event_ticker": event,
                    "title": titles[ticker][0],
                    "yes_sub_title": titles[ticker][2],
                    "status": "active",
                    "market_type": "binary",
                    "close_time": "2029-01-01T00:00:00Z",
                }
                for ticker in own
            ],
        }
        for event, tickers in groupby(
            sorted(titles, key=lambda one: (event_of(one), one)), event_of
        )
    ]


def polymarket_events(pairs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The labelled titles as Polymarket sends its events."""
    titles = {pair["pm_id"]: pair["pm_title"] for pair in pairs}
    return [
        {
            "id": f"event-{market}",
            "title": title,
            "markets": [
                {
                    "id": market,
                    "question": title,
                    "description": "",
                    "outcomes": '["Yes", "No"]',
                    "active": True,
                    "closed": False,
                    "endDate": "2029-01-01T00:00:00Z",
                }
            ],
        }
        for market, title in titles.items()
    ]


@pytest.mark.slow
def test_no_real_pair_is_lost_before_it_is_scored(shared_data: Path, tmp_path: Path) -> None:
    labels = shared_data / "markets" / "labelled_pairs.jsonl"
    pairs = [json.loads(line) for line in labels.read_text("utf-8").splitlines()]
    for venue, events in (
        ("kalshi", kalshi_events(pairs)),
        ("polymarket", polymarket_events(pairs)),
    ):
        (tmp_path / f"{venue}_events.json").write_text(json.dumps({"events": events}), "utf-8")
    found = evaluate(
        labels, [str(tmp_path / "*_events.json")], run_id="labels", captured_at=CAPTURED
    )
    [all_pairs] = [row for row in found.quality if row["contract_class"] == "all"]
    assert (all_pairs["same_pairs"], all_pairs["absent_pairs"]) == (82, 0)
    assert all_pairs["recall_after_blocking"] == 1
    assert all_pairs["recall_after_vetoes"] == 1
    assert all_pairs["same_pairs_found"] >= 66
    assert all_pairs["equal_precision"] > 0.95
    # Without rules nobody knows what is paid.
    assert all_pairs["published_pairs"] == 0
