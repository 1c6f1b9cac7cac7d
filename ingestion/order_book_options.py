"""The options of `marketfinder ingest order-books` and `build order-books`, and their effect."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.markup import escape

from ingestion.build import BuildResult, Half, build, planned_models
from ingestion.console import folded_table
from ingestion.errors import FileError, SettingsError
from ingestion.order_books import (
    Fate,
    SegmentOutcome,
    Selection,
    ingest_order_books,
    planned_segments,
)
from ingestion.screens import show_models
from ingestion.segments import FEEDS, READY
from ingestion.settings import Settings, load_settings
from ingestion.venues import Progress
from ingestion.warehouse import open_warehouse, raw_tables

DAYS = ["%Y-%m-%d"]
Exchange = Annotated[
    str | None, typer.Option(help="Only this exchange: coinbase, or CCXT's name of one.")
]
Symbol = Annotated[
    str | None, typer.Option(help="Only this market, as its feed names it: BTC-USD, BTC/USDT.")
]
Start = Annotated[datetime | None, typer.Option(help="The first day, UTC.", formats=DAYS)]
End = Annotated[datetime | None, typer.Option(help="The last day, UTC.", formats=DAYS)]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would be read; change nothing.")
]

_SHOWN_SEGMENTS = 20


def ingest_segments(
    output: Console, run_id: str, selection: Selection, *, dry_run: bool, progress: Progress
) -> int:
    """Loads recorded segments and shows what became of them; the exit code."""
    settings = load_settings()
    if dry_run:
        outcomes = planned_segments(settings, selection)
        _show_outcomes(output, outcomes, "would be")
        output.print("Nothing was loaded or moved; rows are counted when they are loaded.")
        _refuse_filters_without_a_match(settings, outcomes)
        return 0
    result = ingest_order_books(settings, run_id=run_id, selection=selection, progress=progress)
    _show_outcomes(output, result.outcomes, "was")
    _refuse_filters_without_a_match(settings, result.outcomes)
    if any(outcome.is_late for outcome in result.of(Fate.LOADED)):
        output.print(
            "[yellow]A segment came late, after one that follows on it: its trades and tickers"
            " are taken, its books cannot be replayed any more (silver.sequence_gaps).[/]"
        )
    return 1 if result.of(Fate.FAILED) else 0


def _refuse_filters_without_a_match(settings: Settings, outcomes: list[SegmentOutcome]) -> None:
    """Raises FileError where all is passed over and nothing was loaded before: a filter is wrong.

    Later the others lie there for good, and it is usual that nothing new is to be loaded.
    """
    if not outcomes or any(outcome.fate is not Fate.PASSED_OVER for outcome in outcomes):
        return
    if settings.warehouse.exists():
        with open_warehouse(settings.warehouse, read_only=True) as connection:
            if "segments" in raw_tables(connection):
                return
    raise FileError(
        f"No segment in {settings.segments / READY} ({len(outcomes):,} there) matches --exchange,"
        " --symbol, --start and --end. A symbol is written as its feed has it: BTC-USD, BTC/USDT."
    )


def _show_outcomes(output: Console, outcomes: list[SegmentOutcome], tense: str) -> None:
    shown = [outcome for outcome in outcomes if outcome.fate is not Fate.PASSED_OVER]
    table = folded_table("segment", "rows", "rejected")
    table.add_column(f"it {tense}")
    for outcome in shown[:_SHOWN_SEGMENTS]:
        rows = f"{outcome.rows:,}" if outcome.rows else ""
        rejected = f"{outcome.rejected_lines:,}" if outcome.rejected_lines else ""
        table.add_row(escape(outcome.segment.name), rows, rejected, outcome.fate.value)
    if shown:
        output.print(table)
    if len(shown) > _SHOWN_SEGMENTS:
        output.print(f"… and {len(shown) - _SHOWN_SEGMENTS:,} segments more.")
    counts = [
        f"{sum(one.fate is fate for one in outcomes):,} {fate.value}"
        for fate in Fate
        if any(one.fate is fate for one in outcomes)
    ]
    total = sum(outcome.rows for outcome in outcomes)
    is_done = tense == "was"
    begin, end = ("Segments", f"; {total:,} rows") if is_done else ("Segments would be", "")
    output.print(f"{begin}: {', '.join(counts) or 'none'}{end}.", highlight=False)
    for outcome in outcomes:
        if outcome.error:
            output.print(f"[red]{escape(outcome.error)}[/]", soft_wrap=True, highlight=False)


@dataclass(frozen=True)
class BuildSelection:
    """What a build reads of the feeds: dbt's vars of the same names."""

    exchange: str | None
    symbol: str | None
    start: datetime | None
    end: datetime | None
    limit: int | None

    def variables(self) -> dict[str, str | int]:
        """The vars that are given."""
        given = {
            "exchange": self.exchange,
            "symbol": self.symbol,
            "start_date": self.start and f"{self.start:%Y-%m-%d}",
            "end_date": self.end and f"{self.end:%Y-%m-%d}",
            "limit_rows": self.limit,
        }
        return {name: value for name, value in given.items() if value}


def build_order_books(
    settings: Settings, selection: BuildSelection, *, full_refresh: bool, progress: Progress
) -> BuildResult:
    """Builds and tests the order-book models. Raises SettingsError for filters that differ."""
    if not full_refresh:
        _refuse_other_filters(settings, selection)
    return build(
        settings.warehouse,
        Half.ORDER_BOOKS,
        variables=selection.variables(),
        full_refresh=full_refresh,
        progress=progress,
    )


def plan_order_books(
    output: Console, settings: Settings, selection: BuildSelection, *, full_refresh: bool
) -> None:
    """Shows what would be built. Raises SettingsError as a build would."""
    if not full_refresh:
        _refuse_other_filters(settings, selection)
    _show_waiting(output, settings, selection, full_refresh)
    show_models(output, planned_models(Half.ORDER_BOOKS))
    output.print(f"In {settings.warehouse}. Nothing was read or changed.", soft_wrap=True)


def _refuse_other_filters(settings: Settings, selection: BuildSelection) -> None:
    """Says once what each model would say: a warehouse keeps to its filters."""
    chosen = {name: value for name, value in selection.variables().items() if name != "limit_rows"}
    asked = ", ".join(f"{name}={value}" for name, value in chosen.items()) or "no filter"
    if not settings.warehouse.exists():
        return
    with open_warehouse(settings.warehouse, read_only=True) as connection:
        if not _is_built(connection, "bronze", "kept_vars"):
            return
        known = connection.execute(
            "select distinct chosen from bronze.kept_vars where about = 'filter'"
        )
        others = [filters for (filters,) in known.fetchall() if filters != asked]
    if others:
        raise SettingsError(
            f"{settings.warehouse} was built with {others[0]}, and now is asked for {asked}. Frames"
            " that the one passes over the other would never see. Build with the same filters, or"
            " everything anew (--full-refresh), or into another warehouse (MARKETFINDER_WAREHOUSE)."
        )


def _is_built(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    query = "select 1 from duckdb_tables() where schema_name = ? and table_name = ?"
    return bool(connection.execute(query, [schema, table]).fetchall())


def _show_waiting(
    output: Console, settings: Settings, selection: BuildSelection, full_refresh: bool
) -> None:
    """A table of the segments that a build would read of."""
    table = folded_table("would read of", "segments")
    table.add_column("frames, at most")
    table.add_column("from (UTC)")
    table.add_column("to (UTC)")
    for feed, count, rows, first_at, last_at in _waiting(settings, selection, full_refresh):
        times = (f"{time:%Y-%m-%d %H:%M:%S}" if time else "" for time in (first_at, last_at))
        table.add_row(feed, f"{count:,}", f"{min(rows, selection.limit or rows):,}", *times)
    output.print(table if table.row_count else "No new frames.")


def _waiting(
    settings: Settings, selection: BuildSelection, full_refresh: bool
) -> list[tuple[str, int, int, datetime | None, datetime | None]]:
    if not settings.warehouse.exists():
        return []
    with open_warehouse(settings.warehouse, read_only=True) as connection:
        if "segments" not in raw_tables(connection):
            return []
        taken = "-1"
        if _is_built(connection, "silver", "sequenced_frames") and not full_refresh:
            tables = {feed: f"bronze.{feed}" for feed in FEEDS.values()}
            tables["coinbase"] = "silver.sequenced_frames"
            cases = " ".join(
                f"when '{feed}' then (select max(frame_number) >> 36 from {table})"
                for feed, table in tables.items()
            )
            taken = f"coalesce(case feed {cases} end, -1)"
        return connection.execute(
            f"""
            select feed, count(*), sum(rows), min(first_at), max(last_at)
            from raw.segments
            where
                error is null
                and segment_number > {taken}
                and (last_at >= $start or $start is null)
                and (first_at < $end::timestamp + interval 1 day or $end is null)
                and ($exchange is null or (feed = 'coinbase') = ($exchange = 'coinbase'))
            group by feed order by feed
            """,
            {"start": selection.start, "end": selection.end, "exchange": selection.exchange},
        ).fetchall()
