"""Whole runs: both venues into the warehouse, every model built and tested, a copy for readers."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.books import ingest_books
from ingestion.build import BuildResult, Half, Step, build
from ingestion.errors import MarketFinderError, VenueError
from ingestion.order_books import ingest_order_books
from ingestion.pipeline import VENUES, IngestResult, ingest
from ingestion.published_copy import Publication, publish_copy, require_place
from ingestion.publishing import Target, publish
from ingestion.run_log import WHOLE_RUN, Outcome, RunLog, StepResult
from ingestion.settings import Settings
from ingestion.simulation import note_simulation
from ingestion.simulator import Faults, TruePair, World, serve
from ingestion.simulator.order_books import BookFaults, LevelTwoStream, MarketSettings
from ingestion.venues import Clock, Progress, utc_now
from ingestion.warehouse import open_warehouse
from ingestion.warehouse_locks import locked

DEMO_WAREHOUSE = Path("data/demo.duckdb")
_DEMO_FRAMES = 20_000
_DEMO_STEPS = ("extract", "pairs", "books", "prices", "feed", "order books")
# A frame is lost, some come twice, and the connection is opened anew.
_DEMO_FAULTS = BookFaults(dropped=(9_000,), duplicated=(4_000, 4_001), reconnect_at=(11_000,))


class RunStep(StrEnum):
    """The steps of a run, in their order. Each can be done again, on what is there by then."""

    EXTRACT = "extract"
    PAIRS = "pairs"
    BOOKS = "books"
    PRICES = "prices"
    PUBLISH = "publish"


@dataclass
class RunResult:
    """What one run did; `problems` has a line for each venue and each publisher that failed."""

    ingested: list[IngestResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    built: BuildResult | None = None
    published: Publication | None = None
    published_to: list[str] = field(default_factory=list)


def run(
    settings: Settings,
    *,
    run_id: str,
    clock: Clock = utc_now,
    steps: Collection[RunStep] = tuple(RunStep),
    wait_seconds: float = 0,
    publish_to: Collection[Target] = (),
    progress: Progress | None = None,
) -> RunResult:
    """Ingests every venue, matches, fetches the order books of what was matched, prices, publishes.

    No other run comes in between, and raw.run_steps tells what each step came to. A venue that
    fails is noted and the others go on: its listings stay as they were, its books age. So is a
    place of `publish_to` that fails: the copy is published by then.
    Raises BusyError when the warehouse is not free after `wait_seconds`, TimedOutError, and another
    MarketFinderError when no venue could be read, a build failed or nothing could be published.
    """
    result = RunResult()
    log = RunLog(settings.warehouse, run_id, clock)
    is_whole = len(steps) == len(RunStep)
    with locked(settings.warehouse, wait_seconds=wait_seconds):
        if RunStep.PUBLISH in steps:  # better now than at the end
            require_place(settings)
        log.begin()
        with log.step(WHOLE_RUN) if is_whole else nullcontext(StepResult()) as whole:
            for number, step in enumerate(RunStep, 1):
                if step not in steps:
                    continue
                if progress:
                    progress(f"step {step}", number, len(RunStep))
                with log.step(step, settings.step_timeout_seconds) as part:
                    before = len(result.problems)
                    _take(step, settings, run_id, clock, progress, result, whole.outcome)
                    if result.problems[before:]:
                        part.outcome = whole.outcome = Outcome.IN_PART
                        part.problem = "\n".join(result.problems[before:])
            for target in publish_to:
                try:
                    with log.step(f"publish {target}", settings.step_timeout_seconds):
                        done = publish(target, settings, clock=clock, progress=progress)
                except MarketFinderError as error:
                    result.problems.append(str(error))
                    whole.outcome = Outcome.IN_PART
                else:
                    result.published_to.append(done)
    return result


@contextmanager
def recorded_build(settings: Settings, half: Half, run_id: str) -> Iterator[RunResult]:
    """A build by itself: noted in the run log, and published when it is green."""
    result = RunResult()
    log = RunLog(settings.warehouse, run_id, utc_now)
    with locked(settings.warehouse):
        log.begin()
        with log.step(f"build {half}"):
            yield result
        with log.step(RunStep.PUBLISH):
            result.published = publish_copy(settings, run_id=run_id)


def _take(
    step: RunStep,
    settings: Settings,
    run_id: str,
    clock: Clock,
    progress: Progress | None,
    result: RunResult,
    outcome: Outcome,
) -> None:
    """One step; adds to the result."""
    match step:
        case RunStep.EXTRACT:
            _ingest_venues(settings, run_id, clock, progress, result)
        case RunStep.PAIRS | RunStep.PRICES:
            part = Step.MATCHES if step is RunStep.PAIRS else Step.PRICES
            _add_built(result, build(settings.warehouse, part, progress=progress))
        case RunStep.BOOKS:
            _ingest_books(settings, run_id, clock, progress, result)
        case RunStep.PUBLISH:
            result.published = publish_copy(
                settings, run_id=run_id, clock=clock, run_outcome=outcome
            )


def _add_built(result: RunResult, built: BuildResult) -> None:
    result.built = result.built + built if result.built else built


def _ingest_books(
    settings: Settings, run_id: str, clock: Clock, progress: Progress | None, result: RunResult
) -> None:
    books, problems = ingest_books(settings, run_id=run_id, clock=clock, progress=progress)
    result.ingested += books
    result.problems += problems


def _ingest_venues(
    settings: Settings, run_id: str, clock: Clock, progress: Progress | None, result: RunResult
) -> None:
    for venue in VENUES:
        try:
            ingested = ingest(venue, settings, run_id=run_id, clock=clock, progress=progress)
        except VenueError as error:
            result.problems.append(str(error))
        else:
            result.ingested.append(ingested)
    if not result.ingested:
        raise VenueError("No venue could be read:\n" + "\n".join(result.problems))


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
    simulated from the seed, so every demo of one seed gives the same tables. Raises BusyError when
    the warehouse is not free: then it stays as it was.
    """
    with locked(warehouse):
        return _demo_of(warehouse, run_id, seed, progress)


def _demo_of(
    warehouse: Path, run_id: str, seed: int, progress: Progress | None
) -> tuple[RunResult, list[TruePair]]:
    """The demo, in a warehouse that this process has locked: what was there is removed first."""
    for file in (warehouse, warehouse.with_name(warehouse.name + ".wal")):
        file.unlink(missing_ok=True)
    world = World(seed=seed)
    clock = SimulatedClock(world.now)
    with open_warehouse(warehouse) as connection:
        note_simulation(connection, run_id, clock())
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
        result = RunResult()
        log = RunLog(warehouse, run_id, clock)
        log.begin()

        @contextmanager
        def step(name: str) -> Iterator[None]:
            if progress:
                progress(f"step {name}", _DEMO_STEPS.index(name) + 1, len(_DEMO_STEPS))
            with log.step(name):
                yield

        # Whatever key and answers there are: a demo costs nothing, and every one is the same.
        judge = {
            "MARKETFINDER_JUDGE_ENABLED": "false",
            "MARKETFINDER_JUDGE_LEDGER": str(Path(recorded) / "judge.sqlite"),
        }
        build_step = partial(build, warehouse, environment=judge, progress=progress)
        with log.step(WHOLE_RUN):
            with step("extract"):
                _ingest_venues(settings, run_id, clock, progress, result)
            with step("pairs"):
                _add_built(result, build_step(Step.MATCHES))
            with step("books"):
                _ingest_books(settings, run_id, clock, progress, result)
            with step("prices"):
                _add_built(result, build_step(Step.PRICES))
            with step("feed"):
                market = MarketSettings(seed=seed, start=world.now)
                LevelTwoStream(market, _DEMO_FAULTS).write(settings.segments, frames=_DEMO_FRAMES)
                ingest_order_books(settings, run_id=run_id, clock=clock, progress=progress)
            with step("order books"):
                _add_built(result, build_step(Half.ORDER_BOOKS))
    return result, world.truth()
