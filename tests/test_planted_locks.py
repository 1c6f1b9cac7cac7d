"""Locks that the simulator planted, and its sets that pay, over twenty worlds: found to the cent.
What the pipeline itself finds beside them only a score has found: suspect, never active. No pair is
called equal that is not."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from order_book_builds import WAREHOUSE, CompiledModels
from pipelines import NOW, simulated, sweep

from ingestion.books import ingest_books
from ingestion.runs import SimulatedClock
from ingestion.simulator import TrueLock, World
from ingestion.simulator.books import Walked, dollars

Lock = tuple[str, str]  # pair and direction
Figures = tuple[int, Decimal, Decimal, Decimal]  # contracts, cost, worst fees, profit


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CompiledModels]:
    """A warehouse without a listing, and the models."""
    folder = tmp_path_factory.mktemp("models")
    return folder / WAREHOUSE, CompiledModels(folder, "tag:prediction_markets", has_seeds=True)


def key(lock: TrueLock) -> Lock:
    """The pair and direction under which a lock is found."""
    return f"kalshi:{lock.kalshi_ticker}|polymarket:{lock.polymarket_id}", lock.direction


def found_bundles(warehouse: Path) -> dict[tuple[str, str, bool], Figures]:
    """Sets, by event, direction, and whether they are held across venues."""
    with duckdb.connect(warehouse) as connection:
        rows = connection.execute(
            "select event_key, direction, platform = 'both', contracts, cost, fee_worst, profit"
            " from gold.bundle_opportunities where status != 'expired'"
        ).fetchall()
    return {(event, direction, across): (*rest,) for event, direction, across, *rest in rows}


def figures(best: Walked) -> Figures:
    """A true walk in dollars."""
    return best.contracts, dollars(best.cost), dollars(best.fees), dollars(best.profit)


def found(warehouse: Path) -> tuple[dict[Lock, Figures], set[Lock]]:
    """What gold shows, and which of it is suspect because only a score has found it."""
    with duckdb.connect(warehouse) as connection:
        rows = connection.execute(
            "select pair_id, direction, contracts, cost, fee_worst, profit, status = 'suspect'"
            " and list_contains(status_reasons, 'found by score only: read both rules')"
            " from gold.arbitrage_opportunities where status != 'expired'"
        ).fetchall()
    scored = {(pair, direction) for pair, direction, *_, is_scored in rows if is_scored}
    return {(pair, direction): (*figures,) for pair, direction, *figures, _ in rows}, scored


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_planted_locks_and_no_others(
    models: tuple[Path, CompiledModels], tmp_path: Path, seed: int
) -> None:
    empty, compiled = models
    warehouse = tmp_path / WAREHOUSE
    shutil.copy(empty, warehouse)
    world = World(seed=seed, kalshi_markets=600, polymarket_markets=1_200, now=NOW)
    names = [model.relation for model in compiled.models]
    related = names[: names.index("silver.market_pairs") + 1]
    rest = [name for name in names if name not in related]

    def price(fetch: Callable[[], object]) -> tuple[dict[Lock, Figures], set[Lock]]:
        compiled.build(warehouse, rest)
        fetch()
        compiled.build(warehouse, rest)
        return found(warehouse)

    with simulated(warehouse, world) as (settings, _):
        sweep(settings, "listings")
        compiled.build(warehouse)

        def fetch() -> None:
            ingest_books(settings, run_id="books", clock=SimulatedClock(NOW))

        by_rules, scored = price(fetch)
        bundles_by_rules = found_bundles(warehouse)
        with duckdb.connect(warehouse) as connection:
            called = dict(
                connection.execute(
                    "select pair_id, relation from silver.market_pairs"
                    " where relation != 'unclear' and fungibility is distinct from 'correlated'"
                ).fetchall()
            )
            connection.execute("delete from silver.market_pairs")
            true = [
                (
                    f"kalshi:{pair.kalshi_ticker}|polymarket:{pair.polymarket_id}",
                    pair.relation,
                    pair.orientation,
                    pair.yes_outcome_index,
                )
                for pair in world.truth()
                if pair.relation != "similar"
            ]
            connection.executemany(
                "insert into silver.market_pairs by name select $1 as pair_id,"
                " split_part($1, '|', 1) as kalshi_market_id,"
                " split_part($1, '|', 2) as polymarket_market_id, 'truth' as blocking_rule,"
                " $2 as relation, $3 as orientation, case $2 when 'equal' then 'clean' end"
                " as fungibility, 'truth' as tier, 'true' as reasoning,"
                " $4::bigint as polymarket_outcome_index, 1 as score",
                true,
            )
        by_truth, _ = price(fetch)
        bundles_by_truth = found_bundles(warehouse)
    planted = {key(lock): figures(lock.best) for lock in world.true_locks()}
    bundles = {
        (bundle.event_key, bundle.direction, bundle.is_across_venues): figures(bundle.best)
        for bundle in world.true_bundles(200)
    }
    assert planted
    assert bundles_by_truth == bundles
    # Which members a set can have on the other venue depends on the pairs that the rules know.
    on_one_venue = {name: best for name, best in bundles.items() if not name[2]}
    assert on_one_venue
    assert {name: best for name, best in bundles_by_rules.items() if not name[2]} == on_one_venue
    assert by_truth == planted
    equal = {pair for pair, relation, *_ in true if relation == "equal"}
    assert {pair for pair, relation in called.items() if relation == "equal"} <= equal
    # Whatever pair is called what it is, all that was planted in it is found.
    rightly_called = {pair for pair, relation, *_ in true if called.get(pair) == relation}
    assert {lock for lock in planted if lock[0] in rightly_called} <= by_rules.keys()
    for lock in by_rules.keys() & planted.keys():
        assert by_rules[lock] == planted[lock]
    assert by_rules.keys() - planted.keys() <= scored
