"""The `marketfinder ingest` commands: what the venues have, or recorders kept, into raw."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from ingestion import logs
from ingestion.books import ingest_books
from ingestion.console import IN_PART, folded_table, output, progress_bar, tell_problem
from ingestion.order_book_options import DryRun, End, Exchange, Start, Symbol, ingest_segments
from ingestion.order_books import Selection
from ingestion.pipeline import IngestResult, ingest, ingest_files
from ingestion.settings import load_settings

app = typer.Typer(help="Load what the venues have, or recorders kept, into raw.")


class EntityName(StrEnum):
    """The kinds of records."""

    SERIES = "series"
    EVENT = "event"
    MARKET = "market"


FurtherFiles = Annotated[list[str] | None, typer.Argument(hidden=True)]
Files = Annotated[
    list[str] | None,
    typer.Option(
        help="Load archived payload files instead of asking the venue: a path or a pattern in"
        " quotes, such as 'captures/*.json.gz'. May be repeated.",
    ),
]
CapturedAt = Annotated[
    str | None,
    typer.Option(
        help="When the files were captured (ISO 8601, UTC unless it says otherwise);"
        " by default when each was last modified.",
    ),
]
Entities = Annotated[
    list[EntityName] | None, typer.Option(help="Only this kind of record. May be repeated.")
]


@app.command("kalshi")
def ingest_kalshi(
    further_files: FurtherFiles = None,
    files: Files = None,
    captured_at: CapturedAt = None,
    entity: Entities = None,
) -> None:
    """Land Kalshi's open listings, or archived payload files, in the raw schema."""
    ingest_venue("kalshi", [*(files or []), *(further_files or [])], files, captured_at, entity)


@app.command("polymarket")
def ingest_polymarket(
    further_files: FurtherFiles = None,
    files: Files = None,
    captured_at: CapturedAt = None,
    entity: Entities = None,
) -> None:
    """Land Polymarket's open listings, or archived payload files, in the raw schema."""
    ingest_venue("polymarket", [*(files or []), *(further_files or [])], files, captured_at, entity)


@app.command("books")
def ingest_books_command() -> None:
    """Fetch the order books of what is matched (silver.watchlist) from both venues."""
    with progress_bar() as progress:
        results, problems = ingest_books(load_settings(), run_id=logs.run_id(), progress=progress)
    show_ingest(*results)
    for problem in problems:
        tell_problem(problem)
    raise typer.Exit(IN_PART if problems else 0)


@app.command("order-books")
def ingest_order_books_command(
    exchange: Exchange = None,
    symbol: Symbol = None,
    start: Start = None,
    end: End = None,
    limit: Annotated[
        int | None, typer.Option(help="Begin no further segment after so many rows.", min=1)
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Load recorded order-book segments, each once. The filters choose among whole segments."""
    selection = Selection(exchange, symbol, start and start.date(), end and end.date(), limit)
    with progress_bar() as progress:
        code = ingest_segments(output, logs.run_id(), selection, dry_run=dry_run, progress=progress)
    raise typer.Exit(code)


def ingest_venue(
    venue: str,
    patterns: list[str],
    files: list[str] | None,
    captured_at: str | None,
    entity: list[EntityName] | None,
) -> None:
    """Ingests a venue's listings, or its archived files."""
    settings = load_settings()
    # A pattern that was not quoted arrives as one option and further arguments.
    if patterns and not files:
        raise typer.BadParameter(f"unexpected argument {patterns[0]!r}; files go after --files")
    if files and entity:
        raise typer.BadParameter("--entity is for live listings: a file's records are all loaded")
    if captured_at and not files:
        raise typer.BadParameter("--captured-at is for --files")
    run_id = logs.run_id()
    with progress_bar() as progress:
        if files:
            moment = instant(captured_at) if captured_at else None
            result = ingest_files(
                venue, patterns, settings, captured_at=moment, run_id=run_id, progress=progress
            )
        else:
            result = ingest(venue, settings, run_id=run_id, entities=entity, progress=progress)
    show_ingest(result)


def instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not an ISO 8601 time such as 2026-03-01T18:00:00Z"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise typer.BadParameter(f"{text} lies in the future")
    return moment


def show_ingest(*results: IngestResult) -> None:
    """A table of what one run landed."""
    table = folded_table("listing", "records", "new or changed", "unchanged", "gone", "rejected")
    for sweep in (sweep for result in results for sweep in result.sweeps):
        counts = (sweep.records, sweep.landed, sweep.unchanged, sweep.gone, sweep.rejected_lines)
        table.add_row(
            f"{sweep.venue} {sweep.entity or 'other'}", *(f"{count:,}" for count in counts)
        )
    output.print(table)
    for result in results:
        if rejected := result.total("rejected_lines"):
            output.print(f"{rejected:,} rejected: see raw.rejected_lines, run {result.run_id}")
        if not result.total("records"):
            output.print(f"[yellow]{result.venue}: nothing was found, no record was landed.[/]")
