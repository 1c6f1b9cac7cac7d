"""Records that cannot be read: each is turned away with its reason, and everything else goes on."""

from pathlib import Path
from typing import Any

import pytest
from pipelines import NOW, SOWN, ask, build_tables, simulated, small_world, sow, sweep

from ingestion.simulator import Faults

Record = dict[str, Any]

# What bad input reaches: the layers below matching, and the log. (A market that was turned away is
# in no table that matching reads.)
REACHED = "+gold_markets +runs"

# What is done to the n-th market of a venue, and the field, value and reason it must be turned
# away with.
KALSHI_FAULTS: list[tuple[Record, str, str | None, str]] = [
    ({"yes_ask_dollars": "abc"}, "yes_ask", "abc", "not a number"),
    ({"yes_ask_dollars": "2.0"}, "yes_ask", "2.0", "not between 0 and 1"),
    ({"yes_bid_dollars": "-0.1"}, "yes_bid", "-0.1", "not between 0 and 1"),
    ({"no_ask_dollars": "NaN"}, "no_ask", "NaN", "not a number"),
    ({"status": "hibernating"}, "status", "hibernating", "unknown value"),
    ({"status": None}, "status", None, "missing"),
    ({"market_type": "ternary"}, "market_type", "ternary", "unknown value"),
    ({"title": None}, "title", None, "missing"),
    ({"title": {"en": "Title"}}, "title", '{"en":"Title"}', "not a text"),
    ({"close_time": "next Tuesday"}, "close_time", "next Tuesday", "not a time"),
    ({"close_time": None}, "close_time", None, "missing"),
    ({"volume_fp": "many"}, "volume", "many", "not a number"),
    ({"floor_strike": "high"}, "floor_strike", "high", "not a number"),
    ({"ticker": None}, "ticker", None, "missing"),
    ({"ticker": {"is": "an object"}}, "ticker", '{"is":"an object"}', "missing"),
    # A contract that does not pay a dollar is priced as if it did.
    ({"notional_value_dollars": "0.0100"}, "notional_value_dollars", "0.0100", "not 1"),
]
POLYMARKET_FAULTS: list[tuple[Record, str, str | None, str]] = [
    ({"bestAsk": "abc"}, "bestAsk", "abc", "not a number"),
    ({"bestAsk": 2.0}, "bestAsk", "2.0", "not between 0 and 1"),
    ({"bestBid": -0.1}, "bestBid", "-0.1", "not between 0 and 1"),
    ({"outcomes": "Yes or No"}, "outcomes", "Yes or No", "not a list in a text"),
    ({"outcomes": None}, "outcomes", None, "missing"),
    ({"clobTokenIds": '["1"]'}, "clobTokenIds", '["1"]', "not as many as outcomes"),
    (
        {"outcomePrices": '["0.1", "0.2", "0.7"]'},
        "outcomePrices",
        '["0.1", "0.2", "0.7"]',
        "not as many as outcomes",
    ),
    ({"active": "sometimes"}, "active", "sometimes", "not true or false"),
    ({"closed": None}, "closed", None, "missing"),
    ({"question": 7}, "question", "7", "not a text"),
    ({"endDate": "soon"}, "endDate", "soon", "not a time"),
    ({"volume": "1e400"}, "volume", "1e400", "not a number"),
    ({"id": None}, "id", None, "missing"),
    ({"id": True}, "id", "true", "missing"),
    ({"acceptingOrders": "paused"}, "acceptingOrders", "paused", "not true or false"),
    ({"archived": "half"}, "archived", "half", "not true or false"),
]


class Spoiler:
    """Spoils the first markets of each venue that come by, each in one way."""

    def __init__(self) -> None:
        self.left = {
            "kalshi_market": list(KALSHI_FAULTS),
            "polymarket_market": list(POLYMARKET_FAULTS),
        }
        self.spoilt: dict[str, Record] = {}

    def __call__(self, entity: str, record: Record) -> Record:
        """The record that is sent instead; a market that comes by again is spoilt the same way."""
        key = f"{entity}:{record.get('ticker') or record.get('id')}"
        if key not in self.spoilt and self.left.get(entity):
            change, *_ = self.left[entity].pop(0)
            self.spoilt[key] = change
        changed = {**record, **self.spoilt.get(key, {})}
        return {name: value for name, value in changed.items() if value is not None}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, seeds: Path) -> Path:
    """A built warehouse, some of whose records were spoilt on the wire."""
    path = tmp_path_factory.mktemp("bad_input") / "warehouse.duckdb"
    with simulated(path, small_world(), Faults(mutate=Spoiler())) as (settings, _):
        sweep(settings, "one")
    sow(path, seeds)
    build_tables(path, REACHED, *SOWN, is_tested=True)
    return path


@pytest.mark.parametrize(
    ("platform", "field", "value", "reason"),
    [
        *(("kalshi", *fault[1:]) for fault in KALSHI_FAULTS),
        *(("polymarket", *fault[1:]) for fault in POLYMARKET_FAULTS),
    ],
)
def test_a_bad_field_turns_its_record_away(
    warehouse: Path, platform: str, field: str, value: str | None, reason: str
) -> None:
    found = ask(
        warehouse,
        "select value, source from silver.rejected_records"
        " where platform = ? and field = ? and reason = ? and value is not distinct from ?",
        *(platform, field, reason, value),
    )
    endpoint = "/markets" if platform == "kalshi" else "/markets/keyset"
    assert found == [(value, endpoint)]


def test_nothing_else_is_turned_away_or_lost(warehouse: Path) -> None:
    counts = ask(
        warehouse,
        "select platform, count(distinct record_number) from silver.rejected_records"
        " group by all order by all",
    )
    assert counts == [("kalshi", len(KALSHI_FAULTS)), ("polymarket", len(POLYMARKET_FAULTS))]
    kept = ask(warehouse, "select platform, count(*) from silver.markets group by all order by all")
    assert kept == [
        ("kalshi", 400 - len(KALSHI_FAULTS)),
        ("polymarket", 800 - len(POLYMARKET_FAULTS)),
    ]


def test_the_run_says_how_many(warehouse: Path) -> None:
    rejected = ask(warehouse, "select records_rejected from silver.runs")
    assert rejected == [(len(KALSHI_FAULTS) + len(POLYMARKET_FAULTS),)]


def test_a_market_that_goes_bad_leaves_and_comes_back(tmp_path: Path, seeds: Path) -> None:
    """A market is not shown as it was before its newest record could no longer be read; one that
    changes its type stays, but is not matched."""
    path = tmp_path / "warehouse.duckdb"
    world = small_world()
    broken, changed = [record["ticker"] for record in list(world.kalshi_markets())[:2]]

    def spoil(entity: str, record: Record) -> Record:
        if record.get("ticker") == broken and entity == "kalshi_market":
            return {**record, "yes_ask_dollars": "abc"}
        if record.get("ticker") == changed and entity == "kalshi_market":
            return {**record, "market_type": "scalar"}
        return record

    shown = (
        "select external_id, event_type, is_eligible from silver.markets"
        " where list_contains(?, external_id) order by external_id = ?"
    )
    with simulated(path, world) as (settings, _):
        sweep(settings, "good", NOW)
        sow(path, seeds)
        build_tables(path, REACHED, *SOWN)
        assert [row[:2] for row in ask(path, shown, [broken, changed], changed)] == [
            (broken, "binary"),
            (changed, "binary"),
        ]
    with simulated(path, world, Faults(mutate=spoil)) as (settings, _):
        sweep(settings, "bad", NOW.replace(hour=13))
        build_tables(path, REACHED, *SOWN)
        assert ask(path, shown, [broken, changed], changed) == [(changed, "scalar", False)]
        rejected = "select external_id, field from silver.rejected_records"
        assert ask(path, rejected) == [(broken, "yes_ask")]
    with simulated(path, world) as (settings, _):
        sweep(settings, "good again", NOW.replace(hour=14))
        build_tables(path, REACHED, *SOWN)
        assert [row[:2] for row in ask(path, shown, [broken, changed], changed)] == [
            (broken, "binary"),
            (changed, "binary"),
        ]
        assert ask(path, rejected) == [(broken, "yes_ask")]
