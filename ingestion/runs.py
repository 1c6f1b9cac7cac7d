"""Whole runs: both venues into the warehouse, then every model built and tested."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.books import ingest_books
from ingestion.build import BuildResult, Half, Step, build
from ingestion.errors import VenueError
from ingestion.order_books import ingest_order_books
from ingestion.pipeline import VENUES, IngestResult, Progress, ingest
from ingestion.settings import Settings
from ingestion.simulator import Faults, TruePair, World, serve
from ingestion.simulator.order_books import BookFaults, LevelTwoStream, MarketSettings
from ingestion.venues import Clock, utc_now

DEMO_WAREHOUSE = Path("data/demo.duckdb")
_DEMO_FRAMES = 20_000
# A frame is lost, some come twice, and the connection is opened anew.
_DEMO_FAULTS = BookFaults(dropped=(9_000,), duplicated=(4_000, 4_001), reconnect_at=(11_000,))


@dataclass
class RunResult:
    """What one run did; `problems` has a line for each venue that failed."""

    ingested: list[IngestResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    built: BuildResult | None = None


def run(
    settings: Settings, *, run_id: str, clock: Clock = utc_now, progress: Progress | None = None
) -> RunResult:
    """Ingests every venue, matches, fetches the order books of what was matched, and prices.

    A venue that fails is noted and the others go on: its listings stay as they were, its books age.
    Raises MarketFinderError when no venue could be read, or a build failed.
    """
    result = _ingest_venues(settings, run_id, clock, progress)
    _price(settings, run_id, clock, progress, result)
    return result


def _price(
    settings: Settings,
    run_id: str,
    clock: Clock,
    progress: Progress | None,
    result: RunResult,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Pairs, books and prices of what was ingested; adds to the result."""
    build_step = partial(build, settings.warehouse, environment=environment, progress=progress)
    matched = build_step(Step.MATCHES)
    books, problems = ingest_books(settings, run_id=run_id, clock=clock, progress=progress)
    result.ingested += books
    result.problems += problems
    result.built = matched + build_step(Step.PRICES)


def _ingest_venues(
    settings: Settings, run_id: str, clock: Clock, progress: Progress | None
) -> RunResult:
    result = RunResult()
    for venue in VENUES:
        try:
            ingested = ingest(venue, settings, run_id=run_id, clock=clock, progress=progress)
        except VenueError as error:
            result.problems.append(str(error))
        else:
            result.ingested.append(ingested)
    if not result.ingested:
        raise VenueError("No venue could be read:\n" + "\n".join(result.problems))
    return result


@dataclass
class SimulatedClock:
    """A clock that starts at a given instant and moves on by a step whenever it is read."""

    now: datetime
    step: timedelta = timedelta(milliseconds=10)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


def demo(
    run_id: str, *, seed: int, warehouse: Path = DEMO_WAREHOUSE, progress: Progress | None = None
) -> tuple[RunResult, list[TruePair]]:
    """One run against simulated venues and a recorded feed, into a warehouse that starts empty.

    Returns the result and the truth about the simulated pairs. Venues, feed, faults and clock are
    simulated from the seed, so every demo of one seed gives the same tables.
    """
    for file in (warehouse, warehouse.with_name(warehouse.name + ".wal")):
        file.unlink(missing_ok=True)
    world = World(seed=seed)
    clock = SimulatedClock(world.now)
    with serve(world, faults=Faults.usual()) as server, TemporaryDirectory() as recorded:
        settings = Settings(
            warehouse=warehouse,
            segments=Path(recorded),
            kalshi_url=server.kalshi_url,
            polymarket_url=server.polymarket_url,
            clob_url=server.clob_url,
            kalshi_requests_per_second=1_000,
            polymarket_requests_per_second=1_000,
            request_backoff_seconds=0.05,
        )
        result = _ingest_venues(settings, run_id, clock, progress)
        # Whatever key and answers there are: a demo costs nothing, and every one is the same.
        judge = {
            "MARKETFINDER_JUDGE_ENABLED": "false",
            "MARKETFINDER_JUDGE_LEDGER": str(Path(recorded) / "judge.sqlite"),
        }
        _price(settings, run_id, clock, progress, result, environment=judge)
        market = MarketSettings(seed=seed, start=world.now)
        LevelTwoStream(market, _DEMO_FAULTS).write(settings.segments, frames=_DEMO_FRAMES)
        ingest_order_books(settings, run_id=run_id, clock=clock, progress=progress)
        books = build(warehouse, Half.ORDER_BOOKS, environment=judge, progress=progress)
        result.built = result.built + books if result.built else books
    return result, world.truth()
