"""Where what was built can be published to, besides the copy that people read here."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from ingestion.convex import load_convex_settings
from ingestion.outward import published_copy
from ingestion.publish_convex import publish_convex
from ingestion.publish_parquet import publish_parquet
from ingestion.publish_postgres import load_postgres_settings, publish_postgres
from ingestion.publish_tables import TablesPublication
from ingestion.settings import Settings
from ingestion.simulation import MARK, is_simulated
from ingestion.venues import Clock, Progress, utc_now
from python_models.kernels.pair_judge.settings import load_judge_settings


class Target(StrEnum):
    """The places."""

    CONVEX = "convex"
    PARQUET = "parquet"
    POSTGRES = "postgres"


def check_settings(targets: Sequence[Target]) -> None:
    """Raises SettingsError when something is not set that one of them needs, or the judge, who is
    asked before."""
    load_judge_settings()
    if Target.CONVEX in targets:
        load_convex_settings()
    if Target.POSTGRES in targets:
        load_postgres_settings()


def publish(
    target: Target,
    settings: Settings,
    *,
    clock: Clock = utc_now,
    tables: Sequence[str] = (),
    to: Path | None = None,
    progress: Progress | None = None,
) -> str:
    """Publishes the copy to one place; `tables` and `to` as the commands have them.

    Returns a line that says what it came to. Raises MarketFinderError.
    """
    done = _published(target, settings, clock, tables, to, progress)
    with published_copy(settings) as connection:
        return f"{done} {MARK}" if is_simulated(connection) else done


def _published(
    target: Target,
    settings: Settings,
    clock: Clock,
    tables: Sequence[str],
    to: Path | None,
    progress: Progress | None,
) -> str:
    match target:
        case Target.CONVEX:
            done = publish_convex(settings, load_convex_settings(), clock=clock, progress=progress)
            written, removed = sum(done.written.values()), sum(done.removed.values())
            return (
                f"Convex, {done.url}: {written:,} documents were new or changed, {removed:,} are"
                f" gone, in {done.calls:,} calls and {done.seconds:.1f} s."
            )
        case Target.PARQUET:
            return _line(publish_parquet(settings, names=tables, to=to, progress=progress))
        case Target.POSTGRES:
            return "PostgreSQL, " + _line(
                publish_postgres(
                    settings, load_postgres_settings(), names=tables, progress=progress
                )
            )


def _line(done: TablesPublication) -> str:
    if not done.seconds:
        return f"{done.place} holds what the copy holds already."
    return (
        f"{done.place}: {len(done.rows) - 1} tables with {sum(done.rows.values()) - 1:,} rows,"
        f" in {done.seconds:.1f} s."
    )
