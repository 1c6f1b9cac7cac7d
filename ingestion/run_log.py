"""raw.run_steps: what each run and each of its steps came to, whatever happened.

A row is written when a step begins and completed when it ends. One that never ended belongs to a
run that was killed, and the next run, which has the lock, says so.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb

from ingestion.errors import MarketFinderError, TimedOutError, WarehouseError
from ingestion.landing import naive_utc, storable
from ingestion.last_run import LastRun, read_last_run, write_last_run
from ingestion.logs import logger
from ingestion.venues import Clock
from ingestion.warehouse import open_warehouse, raw_tables

WHOLE_RUN = "run"

_TABLE = """
create schema if not exists raw;
create table if not exists raw.run_steps (
    run_id varchar,
    step varchar,
    process varchar,
    started_at timestamp,
    finished_at timestamp,
    seconds double,
    outcome varchar,
    problem varchar
)
"""
# A clock that was put right by a few seconds is no reason to stop.
_CLOCK_TOLERANCE = timedelta(seconds=60)
_REMINDER_SECONDS = 30


class Outcome(StrEnum):
    """What became of a run or a step."""

    RUNNING = "running"
    DONE = "done"
    IN_PART = "in part"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass
class StepResult:
    """What a step says of itself when it ends well."""

    outcome: Outcome = Outcome.DONE
    problem: str | None = None


@dataclass(frozen=True)
class RunLog:
    """The log of one run, in a warehouse that this process has locked."""

    warehouse: Path
    run_id: str
    clock: Clock

    def begin(self) -> None:
        """Notes what killed runs left, and refuses a clock that is behind the data.

        Raises WarehouseError.
        """
        now = naive_utc(self.clock())
        with open_warehouse(self.warehouse) as connection:
            _execute(connection, _TABLE)
            _execute(
                connection,
                "update raw.run_steps set outcome = ?, problem = ? where outcome = ?",
                [
                    Outcome.INTERRUPTED,
                    "It was killed, or the machine went down, before it ended.",
                    Outcome.RUNNING,
                ],
            )
            if "sweeps" not in raw_tables(connection):
                return
            query = "select max(finished_at) from raw.sweeps"
            ((newest,),) = connection.execute(query).fetchall()
        if newest and now < newest - _CLOCK_TOLERANCE:
            raise WarehouseError(
                f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, and {self.warehouse} has data of"
                f" {newest:%Y-%m-%d %H:%M:%S}: what is fetched now would count as the older. Put"
                " the clock right. If it was ahead when that data came, wait until then, or begin"
                " another warehouse."
            )

    @contextmanager
    def step(self, name: str, time_limit: float | None = None) -> Iterator[StepResult]:
        """A step of the run, with its row. `time_limit` in seconds holds on the main thread.

        Raises TimedOutError when it does not end in time.
        """
        result = StepResult()
        key = [self.run_id, name, naive_utc(self.clock())]
        begun = time.monotonic()
        process = f"{os.getpid()} on {socket.gethostname()}"
        is_noted = False
        try:
            with open_warehouse(self.warehouse) as connection:
                _execute(
                    connection,
                    "insert into raw.run_steps (run_id, step, started_at, process, outcome)"
                    " values (?, ?, ?, ?, ?)",
                    [*key, process, Outcome.RUNNING],
                )
                is_noted = True
            self._tell(name, key, StepResult(Outcome.RUNNING), None)
            with _limited(name, time_limit):
                yield result
        except BaseException as error:
            if not is_noted:
                raise
            result.outcome, result.problem = _failure(error)
            self._tell(name, key, result, time.monotonic() - begun)
            # The error itself is what matters; if not even this can be written, the next run notes
            # that this one was cut off.
            with suppress(MarketFinderError):
                self._end(key, begun, result)
            raise
        self._end(key, begun, result)
        self._tell(name, key, result, time.monotonic() - begun)

    def _tell(self, name: str, key: list[Any], result: StepResult, seconds: float | None) -> None:
        """Says so where no lock keeps anybody from reading it."""
        is_over = seconds is not None
        is_bad = result.outcome not in (Outcome.RUNNING, Outcome.DONE)
        before = read_last_run(self.warehouse)
        # A whole run ends as one of its steps did, which is the one to name.
        is_told = is_bad and before is not None and before.ended(self.run_id, result.outcome)
        last = LastRun(
            run_id=self.run_id,
            step=before.step if before and is_told else name,
            outcome=result.outcome,
            problem=None if result.problem is None else storable(result.problem),
            process=os.getpid(),
            host=socket.gethostname(),
            started_at=f"{key[2].isoformat()}+00:00",
            finished_at=self.clock().astimezone(UTC).isoformat() if is_over else None,
        )
        write_last_run(self.warehouse, last)
        more = {
            "step": name,
            "outcome": result.outcome,
            "seconds": seconds,
            "problem": last.problem,
        }
        logger.log(
            logging.WARNING if is_bad else logging.INFO,
            "step %s: %s",
            name,
            result.outcome,
            extra={name: value for name, value in more.items() if value is not None},
        )

    def _end(self, key: list[object], begun: float, result: StepResult) -> None:
        problem = None if result.problem is None else storable(result.problem)
        ended = [naive_utc(self.clock()), time.monotonic() - begun, result.outcome, problem]
        with open_warehouse(self.warehouse) as connection:
            _execute(
                connection,
                "update raw.run_steps set finished_at = ?, seconds = ?, outcome = ?, problem = ?"
                " where run_id = ? and step = ? and started_at = ?",
                [*ended, *key],
            )


def _execute(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[object] | None = None
) -> None:
    try:
        connection.execute(query, parameters)
    except duckdb.Error as error:
        raise WarehouseError(
            f"The run log cannot be written, so nothing more was done: {error}"
        ) from None


def _failure(error: BaseException) -> tuple[Outcome, str]:
    if isinstance(error, TimedOutError):
        return Outcome.TIMED_OUT, str(error)
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return Outcome.STOPPED, "It was told to stop."
    return Outcome.FAILED, str(error) or type(error).__name__


class _TimeIsUp(BaseException):
    """Passes every `except Exception` on its way out."""


@contextmanager
def _limited(step: str, seconds: float | None) -> Iterator[None]:
    """Ends what is done inside after so many seconds, which are counted by no clock on the wall."""
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    # Again and again, in case something on the way swallows it.
    signal.setitimer(signal.ITIMER_REAL, seconds, _REMINDER_SECONDS)
    try:
        yield
    except _TimeIsUp:
        raise TimedOutError(
            f"The step {step!r} did not end within {seconds:g} s and was stopped. What it had"
            " finished stays, and the next run goes on from there. If it needs more time, raise"
            " MARKETFINDER_STEP_TIMEOUT_SECONDS."
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
