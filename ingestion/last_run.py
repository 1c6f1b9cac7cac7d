"""What the last run came to, in a small file beside the warehouse: known while another run has the
warehouse, and of a run that could not publish."""

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.settings import Settings

_ENDED_WELL = ("done", "in part")


@dataclass(frozen=True)
class LastRun:
    """The newest step of the newest run. Times are ISO 8601, UTC; `problem` and `finished_at` are
    null while there is none. `outcome` as in raw.run_steps."""

    run_id: str
    step: str
    outcome: str
    problem: str | None
    process: int
    host: str
    started_at: str
    finished_at: str | None

    @property
    def is_cut_off(self) -> bool:
        """Whether it never ended: its process is gone."""
        if self.outcome != "running" or self.host != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    @property
    def has_failed(self) -> bool:
        """Whether what it has built, if anything, was not published."""
        return self.is_cut_off or self.outcome not in (*_ENDED_WELL, "running")

    @property
    def at(self) -> datetime:
        """When it ended; when it began, while it has not."""
        return datetime.fromisoformat(self.finished_at or self.started_at)

    def ended(self, run_id: str, outcome: str) -> bool:
        """Whether it is of this run, and came to this."""
        return (self.run_id, self.outcome) == (run_id, outcome)

    def __str__(self) -> str:
        """What became of it, in a line."""
        outcome = "was killed" if self.is_cut_off else f"is {self.outcome}"
        problem = f": {self.problem.splitlines()[0].rstrip('.')}" if self.problem else ""
        return f"run {self.run_id} {outcome} (step {self.step}){problem}"


def _place(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.stem}.last_run.json")


def write_last_run(warehouse: Path, last: LastRun) -> None:
    """Replaces the file at once. Where it cannot be written the run goes on without."""
    place = _place(warehouse)
    new = place.with_suffix(".new")
    with suppress(OSError):
        new.write_text(json.dumps(asdict(last)) + "\n", encoding="utf-8")
        new.replace(place)


def read_last_run(warehouse: Path) -> LastRun | None:
    """What the file says; null when there is none that can be read."""
    try:
        return LastRun(**json.loads(_place(warehouse).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@dataclass(frozen=True)
class CopyState:
    """Of which run the published copy is, and of when (UTC)."""

    run_id: str
    published_at: datetime


def copy_state(connection: duckdb.DuckDBPyConnection) -> CopyState:
    """What a published copy says of itself. Raises duckdb.Error when it is none."""
    rows = connection.execute("select run_id, published_at from gold.publication").fetchall()
    if not rows:
        raise duckdb.InvalidInputException("gold.publication is empty")
    run_id, published_at = rows[0]
    return CopyState(run_id, published_at.replace(tzinfo=UTC))


def age(seconds: float) -> str:
    """A time in words: 45 s, 12 min, 3.5 h, 2.1 days."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3_600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.{1 if unit == 'h' else 0}f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def copy_remarks(settings: Settings, now: datetime) -> list[str]:
    """What a reader of the published copy should know: its age, and a later run that failed."""
    try:
        with duckdb.connect(settings.published, read_only=True) as connection:
            state = copy_state(connection)
    except duckdb.Error:
        return []
    old = age(max(0.0, (now - state.published_at).total_seconds()))
    remarks = [
        f"{settings.published}: of {state.published_at:%Y-%m-%d %H:%M:%S} UTC, {old} ago, run"
        f" {state.run_id}"
    ]
    last = read_last_run(settings.warehouse)
    if last and last.has_failed and last.at > state.published_at:
        remarks.append(f"Since then, {last}. What you read is of before; marketfinder health")
    return remarks
