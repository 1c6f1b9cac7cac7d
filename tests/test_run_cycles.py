"""Thirty runs over markets that change: nothing creeps, and every figure adds up.

pytest -m slow -n 0 -s tests/test_run_cycles.py     shows the table too
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pytest
from pipelines import NOW, ask, simulated, small_world

from ingestion.runs import SimulatedClock, run
from ingestion.settings import Settings
from ingestion.simulator import Faults

pytestmark = pytest.mark.slow

CYCLES = 30


@dataclass
class Universe:
    """The venues, the warehouse, and what each cycle cost."""

    settings: Settings
    server: Any
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Universe]:
    """An empty warehouse, and venues with a 429 and a dropped connection now and then."""
    path = tmp_path_factory.mktemp("cycles") / "warehouse.duckdb"
    with simulated(path, small_world(), Faults.usual()) as (settings, server):
        yield Universe(settings, server)


@pytest.mark.parametrize("cycle", range(1, CYCLES + 1))
def test_every_figure_adds_up(cycle: int, universe: Universe) -> None:
    settings, world = universe.settings, small_world(cycle)
    universe.server.world = world
    run(
        settings,
        run_id=f"cycle-{cycle:02}",
        clock=SimulatedClock(NOW + timedelta(minutes=30 * cycle)),
    )
    universe.seconds.append(check_log(settings.warehouse, cycle))
    universe.megabytes.append(settings.warehouse.stat().st_size / 1e6)
    assert settings.published.stat().st_size < 1.05 * settings.warehouse.stat().st_size
    listed = (sum(1 for _ in world.kalshi_markets()), sum(1 for _ in world.polymarket_markets()))
    assert ask(
        settings.published,
        "select kalshi_markets_processed, polymarket_markets_processed"
        " from gold.sync_logs order by sync_id desc limit 1",
    ) == [listed]


def test_neither_time_nor_size_creeps(
    universe: Universe, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is kept of a cycle is what was new in it, so the file grows by as much in each."""
    seconds, megabytes = universe.seconds, universe.megabytes
    with capsys.disabled():
        for number in (1, 5, 10, 20, 30):
            print(  # noqa: T201
                f"\ncycle {number}: {seconds[number - 1]:.1f} s, {megabytes[number - 1]:.1f} MB",
                end="",
            )
    assert median(seconds[-5:]) < 1.5 * median(seconds[1:6])
    # The first cycles fill the blocks that every later one writes again.
    assert megabytes[-1] - megabytes[14] < 1.5 * (megabytes[14] - megabytes[0])


_LANDED = """
select run_id, count(*) filter (payload is not null), count(*) filter (payload is null)
from ({rows})
inner join (select distinct run_id, _dlt_load_id from raw.sweeps) using (_dlt_load_id)
group by run_id
order by run_id
"""


def check_log(warehouse: Path, cycle: int) -> float:
    """The log of all cycles against the rows they wrote; the seconds that the last one took."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_columns() where schema_name = 'raw'"
            " and column_name = 'payload' and regexp_matches(table_name, '^(kalshi|polymarket)_')"
        ).fetchall()
        rows = " union all by name ".join(
            f"select payload, _dlt_load_id from raw.{table}" for (table,) in tables
        )
        written = connection.execute(_LANDED.format(rows=rows)).fetchall()
        logged = connection.execute(
            "select sync_id, records_landed, records_gone from gold.sync_logs order by sync_id"
        ).fetchall()
        ends = connection.execute(
            """
            select distinct
                outcome, errors, len(steps),
                markets_processed - kalshi_markets_processed - polymarket_markets_processed
            from gold.sync_logs
            """
        ).fetchall()
        ((found, shown, duration, in_steps),) = connection.execute(
            """
            select
                opportunities_found,
                (select count(*) from gold.arbitrage_opportunities where status != 'expired'),
                duration,
                list_sum(list_transform(steps, lambda step: step.seconds))
            from gold.sync_logs order by sync_id desc limit 1
            """
        ).fetchall()
    assert len(logged) == cycle
    assert logged == written
    assert ends == [("done", [], 5, 0)]
    assert found == shown
    assert 0.9 * duration < in_steps < duration
    return float(duration)
