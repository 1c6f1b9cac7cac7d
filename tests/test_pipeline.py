"""From simulated venues to gold, with real HTTP, the real loader and real dbt builds."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pipelines import (
    NOW,
    RUN_COLUMNS,
    SOWN,
    ask,
    build_tables,
    dbt,
    differing,
    digests,
    simulated,
    small_world,
    sow,
    sweep,
)

from ingestion.books import ingest_books
from ingestion.build import PROJECT, Half, Step, build
from ingestion.pipeline import ingest
from ingestion.runs import SimulatedClock, demo
from ingestion.simulator import Faults, TrueLock, TruePair, World
from ingestion.simulator.books import dollars


def pair_id(pair: TruePair) -> str:
    """The id under which a pair is found."""
    return f"kalshi:{pair.kalshi_ticker}|polymarket:{pair.polymarket_id}"


def lock_key(lock: TrueLock) -> tuple[str, str]:
    """The pair and direction under which a lock is found."""
    return f"kalshi:{lock.kalshi_ticker}|polymarket:{lock.polymarket_id}", lock.direction


@pytest.fixture(scope="module")
def first_demo(
    demo_build: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[TruePair]]:
    """A warehouse that the demo left behind, and the truth about its pairs."""
    warehouse = shutil.copy(demo_build, tmp_path_factory.mktemp("demo"))
    return Path(warehouse), World(seed=7).truth()


def test_the_log_of_the_demo_has_its_steps(first_demo: tuple[Path, list[TruePair]]) -> None:
    warehouse, _ = first_demo
    ((outcome, steps, duration),) = ask(
        warehouse, "select outcome, steps, duration from gold.sync_logs"
    )
    named = ["extract", "pairs", "books", "prices", "feed", "order books"]
    assert (outcome, [step["step"] for step in steps]) == ("done", named)
    assert {step["outcome"] for step in steps} == {"done"}
    assert duration > 0


def test_no_pair_is_called_equal_that_is_not(first_demo: tuple[Path, list[TruePair]]) -> None:
    warehouse, truth = first_demo
    equal = {pair_id(pair) for pair in truth if pair.relation == "equal"}
    found = {
        row
        for (row,) in ask(
            warehouse,
            "select pair_id from silver.market_pairs where relation = 'equal' and tier != 'scored'",
        )
    }
    assert found <= equal
    assert len(found) >= len(equal) // 6


def test_a_score_calls_nothing_equal_that_is_not(
    first_demo: tuple[Path, list[TruePair]],
) -> None:
    """Teams that meet on one day in two cups, an office and its deputy, a film and its sequel: the
    simulator lists them without what they resemble, so that no better match tells them apart."""
    warehouse, truth = first_demo
    equal = {pair_id(pair) for pair in truth if pair.relation == "equal"}
    called = {
        row
        for (row,) in ask(
            warehouse,
            "select pair_id from silver.market_pairs"
            " where relation = 'equal' and fungibility != 'correlated'",
        )
    }
    assert called <= equal
    assert len(called) > 0.7 * len(equal)
    locked = {pair_id(pair) for pair in truth if pair.lock_direction}
    shown = {
        row
        for (row,) in ask(
            warehouse,
            "select pair_id from gold.arbitrage_opportunities where status != 'expired'",
        )
    }
    assert shown <= locked
    assert shown


def test_the_models_pass_their_unit_tests(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    """What `build` leaves out, for all models at once."""
    copy = shutil.copy(first_demo[0], tmp_path)
    done = dbt(Path(copy), "test", "--select", "test_type:unit", "--vars", "{}")
    assert done.returncode == 0, done.stdout
    assert "PASS=0" not in done.stdout


def test_blocking_loses_no_equal_pair(first_demo: tuple[Path, list[TruePair]]) -> None:
    warehouse, truth = first_demo
    eligible = {
        name for (name,) in ask(warehouse, "select market_id from silver.markets where is_eligible")
    }
    equal = {
        pair_id(pair)
        for pair in truth
        if pair.relation == "equal" and f"polymarket:{pair.polymarket_id}" in eligible
    }
    candidates = {row for (row,) in ask(warehouse, "select pair_id from silver.candidate_pairs")}
    assert equal
    assert equal <= candidates
    assert len(candidates) < 50 * len(eligible)


def test_orientation_is_the_true_one(first_demo: tuple[Path, list[TruePair]]) -> None:
    warehouse, truth = first_demo
    planted = {pair_id(pair): (pair.orientation, pair.yes_outcome_index) for pair in truth}
    equal = {pair_id(pair) for pair in truth if pair.relation == "equal"}
    rows = ask(
        warehouse,
        "select pair_id, orientation, polymarket_outcome_index, tier from silver.market_pairs"
        " where relation = 'equal'",
    )
    assert {tier for *_, tier in rows} == {"rules_only", "scored"}
    for name, orientation, outcome, tier in rows:
        if tier != "scored":
            assert planted[name] == (orientation, outcome)
        elif name in equal:
            assert planted[name][1] == outcome


def test_opportunities_are_planted_locks_with_the_planted_profit(
    first_demo: tuple[Path, list[TruePair]],
) -> None:
    """The simulator walked both books through every number of contracts with code of its own."""
    warehouse, _ = first_demo
    planted = {lock_key(lock): lock.best for lock in World(seed=7).true_locks()}
    rows = ask(
        warehouse,
        "select pair_id, direction, contracts, cost, fee_worst, profit, status"
        " from gold.arbitrage_opportunities where status = 'active'",
    )
    assert rows
    for name, direction, contracts, *money, status in rows:
        best = planted[name, direction]
        assert contracts == best.contracts
        assert money == [dollars(best.cost), dollars(best.fees), dollars(best.profit)]
        assert status == "active"


def test_fees_of_single_events_and_announced_ones_are_known(
    first_demo: tuple[Path, list[TruePair]],
) -> None:
    """From the venue's list of fee changes to the opportunity: events do not tell of them."""
    warehouse, _ = first_demo
    own: dict[str, list[tuple[float | None, str]]] = {}
    for change in World(seed=7).kalshi_event_fee_changes():
        told = (change["fee_multiplier_override"], change["scheduled_ts"])
        own.setdefault(change["event_ticker"], []).append(told)
    rows = ask(
        warehouse,
        "select event_id, taker_rate, effective_from > timestamp '2026-10-02'"
        " from silver.fee_schedules inner join gold.markets using (market_id)"
        " where fee_schedules.platform = 'kalshi' and taker_rate is not null"
        " order by effective_from",
    )
    found: dict[str, list[tuple[Decimal, bool]]] = {}
    for event, *rate in rows:
        found.setdefault(event, []).append((rate[0], rate[1]))
    seen = set()
    for event, rates in found.items():
        match own.get(event, []):
            case [(0.5, _)]:
                seen.add("in force")
                assert rates[0] == (Decimal("0.035"), False)
            case [(3, _)]:
                seen.add("to come")
                assert (Decimal("0.21"), True) in rates
                assert rates[0][0] < Decimal("0.21")
            case [_, (None, _)]:
                seen.add("over")
                assert rates[0] in {(Decimal("0.07"), False), (Decimal("0.035"), False)}
    assert seen == {"in force", "to come", "over"}
    # The profit of each is the planted one (above), and the planted one knows of the lower fee.
    cheaper = ask(
        warehouse,
        "select event_id from gold.arbitrage_opportunities"
        " inner join gold.markets on market_id in (buy_market_id, sell_market_id)"
        " where gold.markets.platform = 'kalshi'",
    )
    assert any(own.get(event, [(None, "")])[0][0] == 0.5 for (event,) in cheaper)


class Announced(World):
    """The demo's universe, in which the fees of some series will be twenty times as high from a
    moment on; its list of changes ends after so many."""

    def __init__(self, series: list[str], at: datetime, most: int | None) -> None:
        super().__init__(seed=7)
        self.series, self.at, self.most = series, at, most

    def kalshi_series_fee_changes(self) -> Iterator[dict[str, Any]]:
        announced = (
            {
                "id": f"rise of {name}",
                "series_ticker": name,
                "fee_type": "quadratic",
                "fee_multiplier": 20,
                "scheduled_ts": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            }
            for name in self.series
        )
        return islice(chain(super().kalshi_series_fee_changes(), announced), self.most)


def test_an_announced_fee_that_a_list_leaves_out_is_not_forgotten(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    """A list that ends too soon says nothing of what it lacks. Once the series and its changes are
    listed anew, so long after the moment that no record can be of before it, it was withdrawn."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copy(first_demo[0], warehouse)
    series = "select distinct series_id from silver.markets where platform = 'kalshi'"
    every = [name for (name,) in ask(warehouse, series)]
    at = NOW + timedelta(minutes=20)
    announced, cut = Announced(every, at, None), Announced(every, at, 3)
    lists = ["series", "series_fee_change"]
    of_fees = (
        "kalshi_series kalshi_series_fee_changes clock fee_changes fee_terms+"
        " kalshi_order_books+ polymarket_order_books+"
    )

    def active(minutes: int, world: World, entities: list[str] | None) -> int:
        """How many pairs pay so many minutes later, of events without a fee of their own."""
        clock = SimulatedClock(NOW + timedelta(minutes=minutes))
        with simulated(warehouse, world) as (settings, _):
            for venue in ["kalshi", "polymarket"] if entities is None else ["kalshi"]:
                if entities != []:  # of no entity: the books alone
                    ingest(venue, settings, run_id=f"{minutes}", clock=clock, entities=entities)
            ingest_books(settings, run_id=f"{minutes}", clock=clock)
        build_tables(warehouse, Half.PREDICTION_MARKETS if entities is None else of_fees)
        ((count,),) = ask(
            warehouse,
            "select count(*) from silver.found_opportunities"
            " inner join silver.markets on legs[1].market_id = market_id"
            " where found_opportunities.status = 'active' and kind = 'pair'"
            " and event_id not in (select ticker from silver.fee_changes where level = 'event')",
        )
        return int(count)

    before = active(5, announced, lists)
    assert before > 0
    assert active(10, cut, lists) == before
    assert active(21, cut, []) == 0
    # Listed anew so soon, the series may say what they have said before.
    assert active(23, cut, lists) == 0
    assert active(81, cut, None) == before


def test_a_planted_lock_of_an_equal_pair_is_found(first_demo: tuple[Path, list[TruePair]]) -> None:
    warehouse, truth = first_demo
    equal = {
        row
        for (row,) in ask(
            warehouse,
            "select pair_id from silver.market_pairs where relation = 'equal' and tier != 'scored'",
        )
    }
    locks = {pair_id(pair) for pair in truth if pair.lock_direction} & equal
    found = {
        row
        for (row,) in ask(
            warehouse, "select pair_id from gold.arbitrage_opportunities where status = 'active'"
        )
    }
    assert locks
    assert found == locks


def test_a_lock_whose_book_is_gone_expires_with_the_reason(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    """A minute later Kalshi sends no book of one market; the others are still there."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copy(first_demo[0], warehouse)
    before = ask(warehouse, "select opportunity_id from gold.arbitrage_opportunities order by all")
    with duckdb.connect(warehouse) as connection:
        (gone,) = connection.execute(
            "select list_sort([buy_market_id, sell_market_id])[1]"
            " from gold.arbitrage_opportunities where status = 'active' order by opportunity_id"
        ).fetchall()[0]
        connection.execute(
            "insert into raw.kalshi_order_books by name"
            " select * exclude (payload) replace ('gone' as record_id,"
            " fetched_at + interval 1 minute as fetched_at, 'later' as _dlt_load_id)"
            " from raw.kalshi_order_books where external_id = ? limit 1",
            [gone.removeprefix("kalshi:")],
        )
        connection.execute(
            "insert into raw._dlt_loads select * replace ('later' as load_id)"
            " from raw._dlt_loads where status = 0 limit 1"
        )
    build(warehouse, Step.PRICES)
    after = ask(
        warehouse,
        "select opportunity_id, status, status_reasons, gone, detected_at, last_seen_at"
        " from (select *, ? in (buy_market_id, sell_market_id) as gone"
        " from gold.arbitrage_opportunities)"
        " inner join gold.arbitrage_history using (opportunity_id) order by all",
        gone,
    )
    assert [row[:1] for row in after] == before
    for _, status, reasons, is_gone, detected_at, last_seen_at in after:
        assert detected_at == last_seen_at
        if is_gone:
            assert status == "expired"
            assert "kalshi: order book rejected, the venue sent none" in reasons
        elif status == "suspect":
            assert "found by score only: read both rules" in reasons
        else:
            assert (status, reasons) == ("active", [])
    seen = ask(warehouse, "select sightings, duration_seconds from gold.arbitrage_history")
    assert {(1, 0.0)} < set(seen)


def test_a_failed_build_leaves_nothing_active(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    """Nor does a fetch that no build has followed."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copy(first_demo[0], warehouse)

    def reprice(*variables: str, **environment: str) -> int:
        arguments = ["run", "--quiet", "--select", "lock_prices+", *variables]
        return dbt(warehouse, *arguments, **environment).returncode

    def states() -> set[tuple[str, tuple[str, ...]]]:
        query = (
            "select status, status_reasons from gold.arbitrage_opportunities"
            " where not list_contains(status_reasons, 'found by score only: read both rules')"
        )
        return {(status, tuple(reasons)) for status, reasons in ask(warehouse, query)}

    assert states() == {("active", ())}
    for refused in ("minimum_margin: no_number", "minimum_margni: 0.03"):
        assert reprice("--vars", refused, DBT_TARGET_PATH=str(tmp_path)) != 0
        assert states() == {("active", ())}
    too_long = ["--vars", f"maximum_quote_age_seconds: {10**29}"]
    assert reprice(*too_long, DBT_TARGET_PATH=str(tmp_path)) != 0
    assert states() == {("suspect", ("a build since has failed or was not finished",))}
    assert reprice() == 0
    assert states() == {("active", ())}
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            "insert into raw.sweeps by name select * replace ('9' as _dlt_load_id)"
            " from raw.sweeps where entity = 'market' limit 1"
        )
    assert states() == {("suspect", ("listings were fetched since, and not matched",))}
    # Its quotes are of the simulator's time: by the wall clock nothing can be traded.
    assert ask(warehouse, "from gold.live_opportunities()") == []


def test_prices_do_not_make_up_for_a_build_of_matching_that_failed(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    """A market is not listed any more, and the build that was to take it out of its pairs is cut
    off: prices made of the pairs of before show none of them as active."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copy(first_demo[0], warehouse)
    unfinished = "select model from bronze.unfinished_builds"
    active = "select buy_market_id, sell_market_id from gold.arbitrage_opportunities"
    active += " where status = 'active'"
    reasons = "select list_contains(status_reasons, 'a build since has failed or was not finished')"
    reasons += " from gold.arbitrage_opportunities where status != 'expired'"

    def run(*arguments: str) -> int:
        return dbt(warehouse, "run", "--quiet", *arguments).returncode

    assert ask(warehouse, unfinished) == []
    before = ask(warehouse, active)
    gone = next(market for legs in before for market in legs if market.startswith("kalshi:"))
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            f"""
            insert into raw._dlt_loads by name select * replace (load_id || '.1' as load_id)
            from raw._dlt_loads where load_id = (select max(load_id) from raw._dlt_loads);
            insert into raw.kalshi_markets by name
            select
                * replace (
                    'gone' as record_id, fetched_at + interval 1 minute as fetched_at,
                    null as content_hash, null as payload,
                    (select max(load_id) from raw._dlt_loads) as _dlt_load_id
                )
            from raw.kalshi_markets where 'kalshi:' || external_id = '{gone}' limit 1;
            insert into raw.sweeps by name
            select * replace (
                finished_at + interval 1 minute as finished_at,
                (select max(load_id) from raw._dlt_loads) as _dlt_load_id
            )
            from raw.sweeps where entity in ('market', 'order_book');
            """
        )
    too_long = ["--vars", f"maximum_quote_age_seconds: {10**29}"]
    assert run("--select", "clock", "lock_prices+", *too_long) != 0
    assert run("--selector", "prices") == 0
    assert ask(warehouse, active) == []
    assert set(ask(warehouse, reasons)) == {(True,)}
    left = {model for (model,) in ask(warehouse, unfinished)}
    # What failed, and what it would have changed; not what has been priced since.
    assert {"clock", "markets", "market_pairs"} <= left
    assert not left & {"lock_prices", "opportunities", "kalshi_markets"}
    # One model of them, made anew by hand, makes up for none of the others.
    assert run("--select", "clock") == 0
    assert run("--selector", "prices") == 0
    assert {model for (model,) in ask(warehouse, unfinished)} == left - {"clock"}
    assert ask(warehouse, active) == []
    # Matched anew, and the prices are still those of before.
    assert run("--selector", "matches") == 0
    left = {model for (model,) in ask(warehouse, unfinished)}
    assert {"pricing_clock", "locks", "opportunities"} <= left
    assert "market_pairs" not in left
    assert ask(warehouse, active) == []
    assert run("--selector", "prices") == 0
    assert ask(warehouse, unfinished) == []
    now = ask(warehouse, active)
    assert now
    assert not any(gone in legs for legs in now)


def test_what_a_build_saw_that_failed_is_no_opportunity_of_the_past(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    """Its tests come after what it has found is noted."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copy(first_demo[0], warehouse)
    history = "select opportunity_id, last_status, active_sightings from gold.arbitrage_history"
    before = ask(warehouse, f"{history} order by all")
    with duckdb.connect(warehouse) as connection:
        connection.execute("update silver.locks set relation = null where suspect_reasons = []")
    found = ("found_opportunities", "opportunity_sightings", "arbitrage_history")
    arguments = ("--quiet", "--vars", "{}", "--exclude-resource-type", "unit_test")
    assert dbt(warehouse, "build", *arguments, "--select", *found).returncode != 0
    assert dbt(warehouse, "run", "--quiet", "--select", "arbitrage_history").returncode == 0
    assert {row[1:] for row in ask(warehouse, history)} == {("suspect", 0)}
    reasons = (
        "select distinct suspect_reasons from silver.opportunity_sightings where relation is null"
    )
    assert ask(warehouse, reasons) == [(["its build has not passed"],)]
    # Built anew of the same data, and well, it was one.
    assert dbt(warehouse, "run", "--quiet", "--selector", "prices").returncode == 0
    assert ask(warehouse, f"{history} order by all") == before


def test_what_a_build_saw_that_was_killed_is_no_opportunity_of_the_past(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    """Nor is it one after the next build, which may be of other data."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copy(first_demo[0], warehouse)
    history = "select opportunity_id, last_status, active_sightings from gold.arbitrage_history"
    before = ask(warehouse, f"{history} order by all")
    command = (sys.executable, "-m", "ingestion.dbt_process", "build", "--selector", "prices")
    with subprocess.Popen(
        [*command, "--exclude-resource-type", "unit_test"],
        cwd=PROJECT,
        env={**os.environ, "MARKETFINDER_WAREHOUSE": str(warehouse)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "OK" in line and "silver.opportunity_sightings" in line:
                break
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert {row[1:] for row in ask(warehouse, history)} == {("suspect", 0)}
    # A build of matching alone has not seen anything.
    assert dbt(warehouse, "run", "--quiet", "--selector", "matches").returncode == 0
    assert dbt(warehouse, "run", "--quiet", "--select", "opportunity_sightings").returncode == 0
    assert {row[1:] for row in ask(warehouse, history)} == {("suspect", 0)}
    assert dbt(warehouse, "run", "--quiet", "--selector", "prices").returncode == 0
    assert ask(warehouse, f"{history} order by all") == before


UNKNOWN_MARKETS = (
    "update silver.opportunities set legs ="
    " list_transform(legs, lambda leg: struct_update(leg, market_id := 'kalshi:of nobody'))"
)


@pytest.mark.parametrize(
    ("named", "fault"),
    [
        ("opportunities_lock_their_profit", UNKNOWN_MARKETS),
        ("bundles_lock_their_profit", UNKNOWN_MARKETS),
        (
            "bundles_lock_their_profit",
            "update silver.opportunities set capital = capital - 1 where kind = 'bundle'",
        ),
        (
            "bundles_lock_their_profit",
            "update silver.opportunities set status_reasons = ['fee assumed']"
            " where kind = 'bundle' and status = 'active'",
        ),
    ],
)
def test_a_build_fails_where_an_opportunity_does_not_hold(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path, named: str, fault: str
) -> None:
    warehouse = Path(shutil.copy(first_demo[0], tmp_path))
    select = ("--select", named, "--vars", "{}")
    assert dbt(warehouse, "test", *select).returncode == 0
    with duckdb.connect(warehouse) as connection:
        connection.execute(fault)
    done = dbt(warehouse, "test", *select)
    assert done.returncode == 1
    assert named in done.stdout


def test_what_if(first_demo: tuple[Path, list[TruePair]]) -> None:
    warehouse, _ = first_demo
    pair, direction, contracts, cost, profit, market = ask(
        warehouse,
        "select pair_id, direction, contracts, cost, profit, buy_market_id"
        " from gold.arbitrage_opportunities order by opportunity_id",
    )[0]
    at_size = "select cost, profit from gold.pair_at_size(?, ?) where direction = ?"
    assert ask(warehouse, at_size, pair, contracts, direction) == [(cost, profit)]
    too_many = "select profit, blocked_reasons from gold.pair_at_size(?, 900000)"
    assert all("only" in reasons[0] for _, reasons in ask(warehouse, too_many, pair))
    for size in ("0", "-3", "2.5", "1e30", "null"):
        rows = ask(warehouse, f"from gold.pair_at_size(?, {size})", pair)
        assert {(contracts, profit) for _, contracts, _, _, profit, *_ in rows} == {(None, None)}
        assert {tuple(reasons) for *_, reasons, _ in rows} == {
            ("a number of contracts is whole, and at least 1",)
        }
    strict, loose = (
        {row for (row,) in ask(warehouse, f"select lock_id from gold.locks_above({margin})")}
        for margin in ("0.03", "0.005")
    )
    assert strict < loose
    rich = ask(warehouse, "select annualised_return from gold.annualised_above(0.2)")
    assert all(annual > Decimal("0.2") for (annual,) in rich)
    levels = ask(warehouse, "select outcome, side, price from gold.book_at(?, now())", market)
    assert {(outcome, side) for outcome, side, _ in levels} >= {("Yes", "ask"), ("No", "bid")}
    assert ask(warehouse, "from gold.book_at(?, '2020-01-01')", market) == []


def test_the_funnel_narrows_from_all_possible_pairs(
    first_demo: tuple[Path, list[TruePair]],
) -> None:
    warehouse, _ = first_demo
    stages = ask(warehouse, "select pairs from gold.matching_funnel order by stage_number")
    counts = [pairs for (pairs,) in stages]
    assert counts == sorted(counts, reverse=True)
    possible = ask(
        warehouse,
        "select count(*) filter (platform = 'kalshi') * count(*) filter (platform = 'polymarket')"
        " from gold.markets where is_eligible",
    )
    assert counts[0] == possible[0][0]


@pytest.mark.slow
def test_a_second_demo_finds_the_same(
    first_demo: tuple[Path, list[TruePair]], tmp_path: Path
) -> None:
    first, _ = first_demo
    second = tmp_path / "demo.duckdb"
    demo("second", seed=7, warehouse=second)
    # How fast the simulator answered, and how long each step took, is another matter.
    metrics = {"silver.ingestion_metrics", "gold.run_metrics"}
    metrics |= {"bronze.run_steps", "silver.runs", "gold.sync_logs"}
    differ = differing(digests(first, RUN_COLUMNS), digests(second, RUN_COLUMNS))
    assert set(differ) <= metrics


def test_a_second_build_changes_nothing(first_demo: tuple[Path, list[TruePair]]) -> None:
    warehouse, _ = first_demo
    before = digests(warehouse)
    build_tables(warehouse, Half.PREDICTION_MARKETS)
    assert differing(before, digests(warehouse)) == []


def test_two_runs_give_what_one_rebuild_gives(tmp_path: Path, seeds: Path) -> None:
    """Changed quotes, closed and new markets: incremental tables are those of a full refresh."""
    warehouse = tmp_path / "warehouse.duckdb"
    with simulated(warehouse, small_world(0), Faults.usual()) as (settings, server):
        sweep(settings, "one", NOW)
        sow(warehouse, seeds)
        build_tables(warehouse, Half.PREDICTION_MARKETS, *SOWN)
        first = ask(warehouse, "select count(*) from silver.market_quotes")
        server.world = small_world(3)
        sweep(settings, "two", NOW + timedelta(minutes=30))
        build_tables(warehouse, Half.PREDICTION_MARKETS, *SOWN)
    # The log of a run that another followed does not know what was found in its own time.
    log_of_its_time = {"opportunities_found", "pairs_unevaluated", "pairs_over_budget"}
    step_by_step = digests(warehouse, log_of_its_time)
    landed, gone = ask(
        warehouse, "select records_landed, records_gone from gold.sync_logs where sync_id = 'two'"
    )[0]
    assert 0 < landed < 800
    assert gone > 0
    assert ask(warehouse, "select count(*) from silver.market_quotes") > first
    assert ask(warehouse, "select count(*) from silver.markets where is_delisted")[0][0] > 0
    build_tables(warehouse, Half.PREDICTION_MARKETS, *SOWN, "--full-refresh")
    assert differing(step_by_step, digests(warehouse, log_of_its_time)) == []


@pytest.mark.slow
def test_one_venue_may_be_empty(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with simulated(warehouse, small_world(), Faults(empty_universe="polymarket")) as (settings, _):
        sweep(settings, "one")
    build(warehouse, Half.PREDICTION_MARKETS)
    platforms = ask(warehouse, "select distinct platform from gold.markets")
    assert platforms == [("kalshi",)]
    assert (
        ask(warehouse, "select pairs, share_of_possible from gold.matching_funnel")
        == [(0, None)] * 9
    )


def test_an_empty_warehouse_builds(tmp_path: Path, seeds: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    sow(warehouse, seeds)
    build_tables(warehouse, Half.PREDICTION_MARKETS, *SOWN, is_tested=True)
    assert ask(warehouse, "select count(*) from gold.markets") == [(0,)]
    schemas = ask(
        warehouse,
        "select distinct schema_name from duckdb_tables() where not internal order by all",
    )
    assert schemas == [("bronze",), ("gold",), ("raw",), ("silver",)]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    command = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    assert f"```sh\n{command}\n```" in readme
