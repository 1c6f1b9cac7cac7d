"""Real payloads of both venues through the code that reads live ones."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pipelines import SOWN, ask, build_tables, differing, digests, sow

from ingestion.build import Half
from ingestion.pipeline import ingest_files
from ingestion.settings import Settings

CAPTURED = datetime(2026, 3, 1, 18, tzinfo=UTC)


def load(settings: Settings, venue: str, *paths: Path, captured_at: datetime = CAPTURED) -> None:
    """Loads archived files."""
    names = [str(path) for path in paths]
    ingest_files(venue, names, settings, captured_at=captured_at, run_id=str(captured_at))


@pytest.fixture(scope="module")
def capture(shared_data: Path) -> Path:
    """The capture of 2026-03-01, when look-alikes about Iran were listed on both venues."""
    return shared_data / "markets" / "capture_2026-03-01_wire"


@pytest.fixture(scope="module")
def warehouse(capture: Path, seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse built from the capture. Its tests are run when it is built once more, below."""
    path = tmp_path_factory.mktemp("capture") / "warehouse.duckdb"
    for venue in ("kalshi", "polymarket"):
        load(Settings(warehouse=path), venue, capture / f"{venue}_events.json.gz")
    sow(path, seeds)
    build_tables(path, Half.PREDICTION_MARKETS, *SOWN)
    return path


def test_every_market_of_the_capture_is_there(capture: Path, warehouse: Path) -> None:
    for venue, field in (("kalshi", "ticker"), ("polymarket", "id")):
        events = json.loads(gzip.decompress((capture / f"{venue}_events.json.gz").read_bytes()))
        sent = {market[field] for event in events for market in event["markets"]}
        shown = ask(warehouse, "select external_id from gold.markets where platform = ?", venue)
        assert {name for (name,) in shown} == sent
    assert ask(warehouse, "select count(*) from silver.rejected_records") == [(0,)]
    counts = "select platform, count(*) from gold.markets group by all order by all"
    assert ask(warehouse, counts) == [("kalshi", 719), ("polymarket", 237)]
    # Traded on while their outcome was disputed.
    disputed = "select title, is_active from gold.markets where venue_status = 'in review'"
    assert sorted(ask(warehouse, disputed)) == [
        (f"Will the US next strike Iran on February {day}, 2026 (ET)?", True) for day in (26, 28)
    ]


def test_prices_of_the_capture_are_the_venues(capture: Path, warehouse: Path) -> None:
    """Every quote, read again from the files with other code; 0 and 1 are no quotes."""

    def quote(value: object) -> float | None:
        price = None if value is None else float(str(value))
        return None if price in (None, 0.0, 1.0) else price

    expected = {}
    for event in json.loads(gzip.decompress((capture / "kalshi_events.json.gz").read_bytes())):
        for market in event["markets"]:
            expected[f"kalshi:{market['ticker']}:0"] = quote(market["yes_ask_dollars"])
            expected[f"kalshi:{market['ticker']}:1"] = quote(market["no_ask_dollars"])
    for event in json.loads(gzip.decompress((capture / "polymarket_events.json.gz").read_bytes())):
        for market in event["markets"]:
            bid = quote(market.get("bestBid"))
            expected[f"polymarket:{market['id']}:0"] = quote(market.get("bestAsk"))
            expected[f"polymarket:{market['id']}:1"] = None if bid is None else round(1 - bid, 8)
    rows = ask(warehouse, "select outcome_id, ask_price::double from silver.market_outcomes")
    assert dict(rows) == pytest.approx(expected, abs=1e-9)


def test_nothing_is_published_from_look_alikes(warehouse: Path) -> None:
    """Both rules of each pair that shares a subject were read: none is the same contract to the
    letter. Kalshi's recognition of Reza Pahlavi needs an official act, Polymarket's an
    announcement."""
    candidates = ask(warehouse, "select count(*) from silver.candidate_pairs")
    assert candidates[0][0] > 0
    related = ask(
        warehouse,
        "select pair_id, relation, fungibility, tier from silver.market_pairs"
        " where relation != 'unclear'",
    )
    # The score finds it; that only one side's rules say how an announcement counts is its caveat.
    pahlavi = "kalshi:KXRECOGPERSONIRAN-26|polymarket:1115288"
    assert related == [(pahlavi, "equal", "caveat", "scored")]
    assert ask(warehouse, "select * from gold.arbitrage_opportunities") == []


def test_the_same_files_again_change_nothing(
    capture: Path, warehouse: Path, tmp_path: Path
) -> None:
    # Only the log of runs, and the clock, know that somebody asked; what dbt tests now held before.
    before = digests(warehouse)
    for venue in ("kalshi", "polymarket"):
        path = capture / f"{venue}_events.json.gz"
        load(Settings(warehouse=warehouse), venue, path, captured_at=CAPTURED.replace(hour=19))
    build_tables(warehouse, Half.PREDICTION_MARKETS, *SOWN, is_tested=True)
    logs = {"bronze.sweeps", "gold.sync_logs", "silver.runs", "silver.run_findings"}
    logs |= {"silver.ingestion_metrics", "gold.run_metrics"}
    clocks = {"silver.clock", "silver.pricing_clock"}
    assert set(differing(before, digests(warehouse))) <= logs | clocks


def test_wire_fixtures_of_three_months(shared_data: Path, seeds: Path, tmp_path: Path) -> None:
    """The newest wire shapes of each endpoint: every record that is a series, event or market."""
    folder = shared_data / "markets"
    path = tmp_path / "warehouse.duckdb"
    settings = Settings(warehouse=path)
    kalshi = sorted(folder.glob("wire_fixtures_*/kalshi*.json"))
    polymarket = sorted(
        [
            *folder.glob("wire_fixtures_*/polymarket*.json"),
            *folder.glob("wire_fixtures_*/pm_*.json"),
        ]
    )
    assert kalshi
    assert polymarket
    load(settings, "kalshi", *kalshi, captured_at=datetime(2026, 9, 16, 12, tzinfo=UTC))
    load(settings, "polymarket", *polymarket, captured_at=datetime(2026, 9, 16, 12, tzinfo=UTC))
    sow(path, seeds)
    build_tables(path, Half.PREDICTION_MARKETS, *SOWN, is_tested=True)
    landed = ask(
        path,
        "select 'kalshi', count(distinct external_id) from raw.kalshi_markets"
        " union all select 'polymarket', count(distinct external_id) from raw.polymarket_markets",
    )
    shown = ask(path, "select platform, count(*) from gold.markets group by all")
    rejected = ask(
        path,
        "select platform, count(distinct external_id) from silver.rejected_records"
        " where entity = 'market' group by all",
    )
    total = dict(shown)
    for platform, count in rejected:
        total[platform] += count
    assert total == dict(landed)
    assert rejected == []
    # Books and trades are no listings: they are set aside, not lost.
    reasons = ask(path, "select distinct reason from bronze.rejected_lines")
    assert reasons
    assert all(reason.startswith("not a record of") for (reason,) in reasons)
    scalar = ask(path, "select count(*) from gold.markets where venue_status = 'finalized'")
    assert scalar[0][0] > 0
    assert ask(path, "select * from gold.arbitrage_opportunities") == []
