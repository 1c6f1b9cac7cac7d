"""Pairs of listings that look alike: none that pays in other worlds is called the same contract.

tests/look_alikes.jsonl holds them, a pair a line, written for this project: what sets the two apart
("trap"), whether they are the same contract all the same, and what each venue says.
"""

import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from look_alikes import PAIRS, ingest_events, pair_id, payloads
from pipelines import ask, build_tables, dbt

from ingestion.build import Half


@pytest.fixture
def warehouse(look_alikes: Path) -> Path:
    """A warehouse built from the pairs."""
    return look_alikes


def test_the_pairs_are_all_there(warehouse: Path) -> None:
    kinds = Counter(pair["same"] for pair in PAIRS)
    assert kinds[False] > 280
    assert kinds[True] > 60
    listed = ask(warehouse, "select count(*) from silver.markets where is_eligible")
    tickers = {pair["kalshi"]["ticker"] for pair in PAIRS if pair["kalshi"]["status"] == "active"}
    assert listed == [(len(tickers) + len({pair["polymarket"]["id"] for pair in PAIRS}),)]


def test_no_look_alike_is_called_the_same(warehouse: Path) -> None:
    equal = {
        name
        for (name,) in ask(
            warehouse,
            "select pair_id from silver.market_pairs where relation = 'equal' and tier != 'scored'",
        )
    }
    same = {pair_id(pair) for pair in PAIRS if pair["same"]}
    assert equal - same == set()
    # Silence would pass the line above: what is the same in plain words is found.
    assert len(equal & same) >= 18


def test_no_look_alike_is_an_opportunity(warehouse: Path) -> None:
    """What is not the same has no sides to buy, unless the score alone has found it."""
    same = {pair_id(pair) for pair in PAIRS if pair["same"]}
    found = {
        row
        for (row,) in ask(warehouse, "select pair_id from silver.pair_locks where tier != 'scored'")
    }
    assert found
    assert found <= same


@pytest.mark.slow
def test_few_look_alikes_are_clean_by_a_score(tmp_path: Path) -> None:
    """Read with all labels, which say what words make no difference. The score alone cannot tell
    them apart, so that none is an opportunity; few have nothing that is said against them."""
    settings = ingest_events(tmp_path, *payloads())
    build_tables(settings.warehouse, Half.PREDICTION_MARKETS)
    called = "select pair_id from silver.market_pairs where relation = 'equal'"
    same = {pair_id(pair) for pair in PAIRS if pair["same"]}
    clean = {name for (name,) in ask(settings.warehouse, f"{called} and fungibility = 'clean'")}
    assert len(clean & same) >= 20
    assert len(clean - same) <= 19


def test_a_build_fails_below_a_floor(demo_build: Path, tmp_path: Path) -> None:
    """Our own labels are measured in every build, and a floor that is not reached is named."""
    warehouse = Path(shutil.copy(demo_build, tmp_path))
    named = ("--select", "matching_is_as_good_as_stated", "--vars", "{}")
    # No pair is called related: a precision of nothing is no precision.
    for number, missed in enumerate(("recall_after_blocking = 0.9", "related_precision = null"), 1):
        with duckdb.connect(warehouse) as connection:
            connection.execute(f"update gold.matching_quality set {missed}")
        done = dbt(warehouse, "test", *named)
        assert done.returncode == 1
        assert f"FAIL {number} matching_is_as_good_as_stated" in done.stdout
