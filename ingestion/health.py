"""`marketfinder health`, for probes: a line a check, exit code 1 when one fails.

It reads the published copy and the file of the last run, and never the warehouse itself, so it
answers while a run is at work and disturbs none.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

import duckdb
import typer

from ingestion.last_run import age, copy_state, read_last_run
from ingestion.schedule import seconds_of
from ingestion.settings import Settings, load_settings

_VENUES = ("kalshi", "polymarket")
_FRESHNESS = """
select venue, max(finished_at) filter (is_complete)
from bronze.sweeps
where list_contains(?, venue) and entity = 'market'
group by venue
"""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    is_fine: bool
    finding: str
    seconds: float | None = None
    """Its age, where it has one."""


def check_health(settings: Settings, now: datetime, longest: float) -> list[Check]:
    """All checks. What is older than `longest` seconds is not fine."""
    return [
        _last_run(settings, now, longest),
        *_published(settings, now, longest),
        _room(settings),
    ]


def _aged(name: str, what: str, at: datetime, now: datetime, longest: float) -> Check:
    seconds = (now - at).total_seconds()
    is_fine = seconds <= longest
    than = "" if is_fine else f", more than {age(longest)}"
    return Check(name, is_fine, f"{what}, {age(max(0.0, seconds))} ago{than}", seconds)


def _last_run(settings: Settings, now: datetime, longest: float) -> Check:
    last = read_last_run(settings.warehouse)
    if last is None:
        return Check("last run", False, f"no run of {settings.warehouse} is known")
    check = _aged("last run", str(last), last.at, now, longest)
    return Check(check.name, check.is_fine and not last.has_failed, check.finding, check.seconds)


def _published(settings: Settings, now: datetime, longest: float) -> Iterator[Check]:
    if not settings.published.exists():
        yield Check("published copy", False, f"{settings.published} is not there yet")
        return
    try:
        with duckdb.connect(settings.published, read_only=True) as connection:
            state = copy_state(connection)
            newest = dict(connection.execute(_FRESHNESS, [list(_VENUES)]).fetchall())
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
        yield Check("published copy", False, f"{settings.published} cannot be read: {problem}")
        return
    # A copy is published by a run that was green, for one venue at least.
    what = f"{settings.published}, of run {state.run_id}"
    yield _aged("published copy", what, state.published_at, now, longest)
    for venue in _VENUES:
        read = newest.get(venue)
        if read is None:
            yield Check(f"{venue} markets", False, "never read to the end")
        else:
            yield _aged(f"{venue} markets", "read", read.replace(tzinfo=UTC), now, longest)


def _room(settings: Settings) -> Check:
    folder = settings.published.absolute().parent
    try:
        free = shutil.disk_usage(folder).free
        needed = 2 * settings.warehouse.stat().st_size if settings.warehouse.exists() else 0
    except OSError as error:
        return Check("disk", False, f"{folder}: {error.strerror}")
    is_fine = free > needed and os.access(folder, os.W_OK)
    return Check(
        "disk",
        is_fine,
        f"{free / 1e6:,.0f} MB free in {folder}; the next run and its copy need {needed / 1e6:,.0f}"
        + ("" if os.access(folder, os.W_OK) else "; the folder cannot be written"),
    )


def health_command(
    longest: Annotated[
        str, typer.Option("--max-age", help="What is older is not fine: 90m, 2h.")
    ] = "90m",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Is it well: the last run, the published copy, both venues' data, the disk?"""
    checks = check_health(load_settings(), datetime.now(UTC), seconds_of(longest))
    is_fine = all(check.is_fine for check in checks)
    if as_json:
        typer.echo(json.dumps({"is_fine": is_fine, "checks": [asdict(check) for check in checks]}))
    else:
        for check in checks:
            typer.echo(f"{'ok  ' if check.is_fine else 'FAIL'} {check.name}: {check.finding}")
    raise typer.Exit(0 if is_fine else 1)
