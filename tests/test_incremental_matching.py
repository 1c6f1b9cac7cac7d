"""Matching after random changes of the listings: the tables are those of a build from nothing."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pipelines import NOW, ask

from ingestion.build import PROJECT
from ingestion.pipeline import ingest_files
from ingestion.settings import Settings
from ingestion.simulator import World

MODELS = (
    *("contract_texts", "contract_windows", "contract_amounts", "contract_markers"),
    *("contract_names", "contract_subjects", "contract_wordings", "contract_terms"),
    *("market_words", "word_weights"),
    *("blocking_keys", "similar_pairs", "candidate_pairs", "pair_sides", "pair_vetoes"),
    *("filtered_pairs", "related_pairs", "pair_doubts", "harmless_words"),
    *("pair_features", "pair_scores"),
)
Market = dict[str, Any]
Venue = dict[str, Any]  # a venue's events, as it sends them


def markets_of(venue: Venue) -> list[Market]:
    return [market for event in venue["events"] for market in event["markets"]]


# -- what may happen to a listing ------------------------------------------------------------------


def reworded(market: Market, rng: random.Random) -> None:
    """Another number, another word, or another rule."""
    texts = ("title", "question", "description", "rules_primary", "yes_sub_title")
    key = rng.choice([text for text in texts if market.get(text)])
    digits = [place for place, sign in enumerate(market[key]) if sign.isdigit()]
    if digits and rng.random() < 0.6:
        place = rng.choice(digits)
        market[key] = market[key][:place] + str(rng.randint(1, 9)) + market[key][place + 1 :]
    else:
        market[key] += rng.choice([" Not in Ohio.", " Binance decides.", " First half.", " Zyx."])


def closed(market: Market, _: random.Random) -> None:
    if "ticker" in market:
        market["status"] = "finalized"
    else:
        market |= {"active": False, "closed": True}


def reopened(market: Market, _: random.Random) -> None:
    if "ticker" in market:
        market["status"] = "active"
    else:
        market |= {"active": True, "closed": False}


def turned_into_three(market: Market, _: random.Random) -> None:
    """A market of three outcomes takes no part in matching; on Kalshi there are none."""
    if "outcomes" in market and len(json.loads(market["outcomes"])) == 2:
        market["outcomes"] = json.dumps([*json.loads(market["outcomes"]), "Neither"])
        for key in ("outcomePrices", "clobTokenIds"):
            market[key] = json.dumps([*json.loads(market[key]), "0"])


def turned_into_two(market: Market, _: random.Random) -> None:
    for key in ("outcomes", "outcomePrices", "clobTokenIds"):
        if key in market:
            market[key] = json.dumps(json.loads(market[key])[:2])


CHANGES: tuple[Callable[[Market, random.Random], None], ...] = (
    *(reworded, reworded, reworded, closed, closed, reopened, reopened),
    *(turned_into_three, turned_into_two),
)


# -- builds ----------------------------------------------------------------------------------------


def land(warehouse: Path, venues: dict[str, Venue], at: datetime) -> None:
    """Ingests what each venue sends at a time."""
    for name, venue in venues.items():
        path = warehouse.with_name(f"{name}.json")
        path.write_text(json.dumps(venue), "utf-8")
        ingest_files(
            name, [str(path)], Settings(warehouse=warehouse), captured_at=at, run_id=f"{name}{at}"
        )


def build(warehouse: Path, command: str, *arguments: str) -> None:
    """Builds the models and all that they need; `run` leaves the seeds as they are."""
    subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", command, "--quiet", *arguments),
            *("--select", "+pair_scores", "+pair_doubts"),
        ],
        cwd=PROJECT,
        env={**os.environ, "MARKETFINDER_WAREHOUSE": str(warehouse)},
        check=True,
    )


def differences(warehouse: Path, twin: Path) -> dict[str, int]:
    """Rows of each table that only one of the two warehouses has."""
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{warehouse}' as ours (read_only); attach '{twin}' as theirs (read_only)"
        )
        found = {}
        for model in MODELS:
            for one, other in (("ours", "theirs"), ("theirs", "ours")):
                ((rows,),) = connection.execute(
                    f"select count(*) from"
                    f" (from {one}.silver.{model} except all from {other}.silver.{model})"
                ).fetchall()
                if rows:
                    found[f"{model}, only {one}"] = rows
        return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_changes_end_in_the_tables_of_a_build_from_nothing(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    world = World(seed=seed, kalshi_markets=300, polymarket_markets=500, now=NOW)
    venues: dict[str, Venue] = {
        "kalshi": {"events": [event for _, event in world.kalshi_events_from(0, has_markets=True)]},
        "polymarket": {"events": list(world.polymarket_events())},
    }
    # Some events come later.
    later = {
        name: [venue["events"].pop(rng.randrange(len(venue["events"]))) for _ in range(9)]
        for name, venue in venues.items()
    }
    warehouse, twin = tmp_path / "warehouse.duckdb", tmp_path / "twin.duckdb"
    at = NOW
    land(warehouse, venues, at)
    build(
        warehouse,
        "build",
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
    )
    before = ask(warehouse, "from silver.pair_scores")
    assert before
    for step in range(2):
        at += rng.choice([timedelta(hours=1), timedelta(days=20)])
        for name, venue in venues.items():
            venue["events"] += later[name][2 * step : 2 * step + 2]
            markets = markets_of(venue)
            for market in rng.sample(markets, len(markets) // 20):
                rng.choice(CHANGES)(market, rng)
        land(warehouse, venues, at)
        with duckdb.connect(warehouse) as connection:
            # Labels are taken out and corrected, too.
            connection.execute(
                f"delete from silver.labelled_listings where hash(market_id) % 40 = {step};"
                "update silver.labelled_listings set title = title || ' Really?'"
                f" where hash(market_id) % 40 = {step + 10}"
            )
        build(warehouse, "run")
        shutil.copy(warehouse, twin)
        build(twin, "run", "--full-refresh")
        assert differences(warehouse, twin) == {}
    assert ask(warehouse, "from silver.pair_scores") != before
