"""The `marketfinder` command.

Exit codes: 0 fine, 1 the work failed (venue, file, warehouse), 2 wrong usage or settings, 3 done in
part (a venue or a publisher failed), 4 the warehouse is in use, 5 a step took too long, 130 and 143
told to stop.
"""

import os
import platform
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import duckdb
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column, Table

from ingestion import logs
from ingestion.books import ingest_books
from ingestion.build import BuildResult, Half, build, planned_models
from ingestion.client import shown_url
from ingestion.connections import check_connections
from ingestion.errors import MarketFinderError, WarehouseError
from ingestion.evaluation import evaluate
from ingestion.explanations import explain_pair
from ingestion.health import health_command
from ingestion.judge_commands import app as judge_app
from ingestion.last_run import copy_remarks
from ingestion.lineage import build_site, site_server, write_site
from ingestion.logs import is_json, log_as_json, logger
from ingestion.observation import begin, observed
from ingestion.order_book_commands import (
    DAYS,
    BuildSelection,
    DryRun,
    End,
    Exchange,
    Start,
    Symbol,
    build_order_books,
    ingest_segments,
    plan_order_books,
)
from ingestion.order_books import Selection
from ingestion.parquet_commands import app as parquet_app
from ingestion.pipeline import VENUES, IngestResult, ingest, ingest_files
from ingestion.pipeline import Progress as ProgressCallback
from ingestion.prompt import open_prompt
from ingestion.published_copy import Publication, publish_copy, readable_warehouse
from ingestion.publishing import Target, check_settings, publish
from ingestion.runs import DEMO_WAREHOUSE, RunStep, demo, recorded_build, run
from ingestion.schedule import run_every, seconds_of
from ingestion.screens import (
    show_against_truth,
    show_evaluation,
    show_funnel,
    show_models,
    show_opportunities,
    show_order_books,
    show_query,
    show_tiers,
)
from ingestion.settings import LogFormat, Settings, load_settings
from ingestion.training import show_training, train_scorer, training_pairs
from ingestion.warehouse import open_warehouse

app = typer.Typer(
    help="Prediction markets and order books in one DuckDB warehouse: matched contracts, locked"
    " profits, features and bars.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
ingest_app = typer.Typer(help="Load what the venues have, or recorders kept, into raw.")
build_app = typer.Typer(help="Build and test one half of the models with dbt.")
publish_app = typer.Typer(help="Give others what was built.")
app.add_typer(ingest_app, name="ingest", no_args_is_help=True)
app.add_typer(build_app, name="build", no_args_is_help=True)
app.add_typer(publish_app, name="publish", no_args_is_help=True)
app.add_typer(judge_app, name="judge", no_args_is_help=True)
app.add_typer(parquet_app, name="parquet", no_args_is_help=True)
app.command("health")(health_command)
output = Console()
messages = Console(stderr=True)

_PACKAGES = ("marketfinder", "duckdb", "dbt-core", "dbt-duckdb", "dlt")
_LAYERS = ("raw", "bronze", "silver", "gold")
_LAST_SWEEPS = 10
_IN_PART = 3


FullRefresh = Annotated[
    bool, typer.Option("--full-refresh", help="Forget what was built, and build it anew.")
]


Demo = Annotated[bool, typer.Option("--demo", help="Ask what the demo left behind.")]


class EntityName(StrEnum):
    """The kinds of records."""

    SERIES = "series"
    EVENT = "event"
    MARKET = "market"


def main() -> None:
    """The entry point: an error that the user can act on is a message, not a stack trace."""
    signal.signal(signal.SIGTERM, lambda number, frame: _stop(number))
    with observed():
        try:
            app()
        except MarketFinderError as error:
            tell_problem(str(error))
            sys.exit(error.exit_code)
        except KeyboardInterrupt as stopped:
            _stop(getattr(stopped, "signal_code", signal.SIGINT))
        except Exception:
            if not is_json():
                raise
            logger.exception("an error of the program itself")
            sys.exit(1)


def _stop(number: int) -> NoReturn:
    if is_json():
        logger.warning("stopped by signal %d; what was already loaded stays", number)
    else:
        messages.print("stopped; what was already loaded stays")
    sys.exit(128 + number)


def tell_problem(problem: str) -> None:
    """What went wrong, as a message or in the log."""
    if is_json():
        logger.error("%s", problem)
    else:
        messages.print(f"[bold red]error:[/] {escape(problem)}", highlight=False, soft_wrap=True)


@app.callback()
def _every_command(
    context: typer.Context,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            help="How commands tell of their work: to people, or as JSON on standard error.",
            show_default="human",
        ),
    ] = None,
) -> None:
    command = str(context.invoked_subcommand)
    is_at_work = begin(command)
    logs.run_id(logs.new_run_id())
    given = log_format or os.environ.get("MARKETFINDER_LOG_FORMAT")
    with suppress(MarketFinderError):  # settings that are wrong: the command says so
        given = log_format or load_settings().log_format
    if given != LogFormat.JSON:
        return
    log_as_json()
    os.environ["MARKETFINDER_LOG_FORMAT"] = LogFormat.JSON  # for the runs of a schedule
    # A collector has the tables' figures from the log; answers to questions are shown.
    output.quiet = is_at_work or command == "schedule"


def _read_from(is_demo: bool) -> Path:
    """The file that is asked, and never changed."""
    if is_demo:
        return DEMO_WAREHOUSE
    settings = load_settings()
    path = readable_warehouse(settings)
    if path == settings.published:
        for remark in copy_remarks(settings, datetime.now(UTC)):
            messages.print(escape(remark), style="dim", highlight=False, soft_wrap=True)
    return path


def _table(*names: str) -> Table:
    """A table whose long values are folded, not cut off."""
    return Table(*(Column(name, overflow="fold") for name in names))


@app.command("demo")
def demo_command(
    seed: Annotated[int, typer.Option(help="Another seed makes other markets.", min=0)] = 7,
) -> None:
    """Simulated venues and order books, ingested, built and shown: no network, no key."""
    with progress_bar() as progress:
        result, truth = demo(logs.run_id(), seed=seed, progress=progress)
    show_ingest(*result.ingested)
    with open_warehouse(DEMO_WAREHOUSE, read_only=True) as connection:
        show_findings(connection)
        show_against_truth(output, connection, truth)
        show_order_books(output, connection)
    output.print(
        f"Everything is in {DEMO_WAREHOUSE}. Ask it:"
        ' marketfinder sql --demo "from gold.arbitrage_opportunities"',
        highlight=False,
        soft_wrap=True,
    )


PublishTo = Annotated[
    list[Target] | None,
    typer.Option("--publish", help="Publish there too, after the copy. May be repeated."),
]
Wait = Annotated[
    str, typer.Option(help="How long to wait while another command has the warehouse: 90s, 10m.")
]


@app.command("run")
def run_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what a run would read and build.")
    ] = False,
    wait: Wait = "0s",
    step: Annotated[
        list[RunStep] | None,
        typer.Option(help="Only this step, for orchestrators. May be repeated."),
    ] = None,
    run_id: Annotated[
        str, typer.Option(help="A name that the steps of one run share.", show_default=False)
    ] = "",
    targets: PublishTo = None,
) -> None:
    """Ingest both venues, build and test every model, publish, and show what pays."""
    settings = load_settings()
    check_settings(targets or ())
    if dry_run:
        show_plan(settings)
        return
    steps = step or list(RunStep)
    with progress_bar() as progress:
        result = run(
            settings,
            run_id=logs.run_id(run_id),
            steps=steps,
            wait_seconds=seconds_of(wait),
            publish_to=targets or (),
            progress=progress,
        )
    show_ingest(*result.ingested)
    if result.published:
        with open_warehouse(result.published.path, read_only=True) as connection:
            show_findings(connection)
    show_built(result.built)
    show_published(result.published)
    for line in result.published_to:
        output.print(escape(line), highlight=False, soft_wrap=True)
    for problem in result.problems:
        tell_problem(problem)
    raise typer.Exit(_IN_PART if result.problems else 0)


@app.command("schedule")
def schedule_command(
    every: Annotated[str, typer.Option(help="The interval: 30m is on the hour and half past.")],
    wait: Wait = "0s",
    targets: PublishTo = None,
) -> None:
    """Run now and then in every slot, one run at a time, until it is told to stop."""
    interval = seconds_of(every)
    if interval <= 0:
        raise typer.BadParameter("--every must be more than nothing")
    seconds_of(wait)
    load_settings()
    check_settings(targets or ())
    run_every(
        interval,
        ["--wait", wait, *(f"--publish={target}" for target in targets or ())],
        lambda line: (
            logger.info("%s", line)
            if is_json()
            else output.print(escape(line), highlight=False, soft_wrap=True)
        ),
    )


@publish_app.command("copy")
def publish_copy_command() -> None:
    """Replace the copy that people read by the warehouse, if its last build was green."""
    show_published(publish_copy(load_settings(), run_id=logs.run_id()))


OnlyTables = Annotated[
    list[str] | None,
    typer.Option("--table", help="Only this table of gold, such as markets. May be repeated."),
]


@publish_app.command("convex")
def publish_convex_command() -> None:
    """Bring a Convex deployment to what the published copy holds: only what has changed."""
    publish_to(Target.CONVEX)


@publish_app.command("parquet")
def publish_parquet_command(
    table: OnlyTables = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="The folder; by default marketfinder-parquet beside the copy.", file_okay=False
        ),
    ] = None,
) -> None:
    """Write gold tables as a set of Parquet files; `current` leads to the newest whole set."""
    publish_to(Target.PARQUET, table, to)


@publish_app.command("postgres")
def publish_postgres_command(table: OnlyTables = None) -> None:
    """Replace gold tables in a PostgreSQL database."""
    publish_to(Target.POSTGRES, table)


def publish_to(target: Target, tables: list[str] | None = None, to: Path | None = None) -> None:
    """Publishes the copy to one place, and says what that came to."""
    with progress_bar() as progress:
        done = publish(target, load_settings(), tables=tables or (), to=to, progress=progress)
    output.print(escape(done), highlight=False, soft_wrap=True)


@app.command("sql")
def sql_command(
    query: Annotated[
        str | None, typer.Argument(help="A DuckDB query, such as 'from gold.sync_logs'.")
    ] = None,
    is_demo: Demo = False,
    in_browser: Annotated[
        bool, typer.Option("--ui", help="Open the page of the DuckDB CLI, where it is installed.")
    ] = False,
) -> None:
    """Ask the warehouse, without a chance to change it; without a query, as often as you like."""
    if query is None:
        raise typer.Exit(open_prompt(output, _read_from(is_demo), in_browser=in_browser))
    if in_browser:
        raise typer.BadParameter("--ui is for questions that are asked there: leave the query out")
    show_query(output, _read_from(is_demo), query)


@app.command("explain")
def explain_command(
    kalshi_ticker: Annotated[str, typer.Argument(help="As in gold.markets: KXBTC-26DEC31-T100.")],
    polymarket_id: Annotated[str, typer.Argument(help="The market's number, as in gold.markets.")],
    is_demo: Demo = False,
) -> None:
    """Why a pair is, or is not, the same contract: texts, terms, vetoes, score and verdict."""
    explain_pair(output, _read_from(is_demo), kalshi_ticker, polymarket_id)


@app.command("report")
def report_command(
    is_demo: Demo = False,
    exchange: Exchange = None,
    symbol: Symbol = None,
    day: Annotated[
        datetime | None,
        typer.Option(help="The UTC day of the order books; the newest by default.", formats=DAYS),
    ] = None,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
) -> None:
    """Write one page to look at: opportunities, matching, their past, freshness, order books."""
    from ingestion.report import write_report

    write_report(
        _read_from(is_demo),
        out,
        exchange=exchange,
        symbol=symbol,
        day=day.date() if day else None,
    )
    size = out.stat().st_size / 1000
    output.print(f"{escape(str(out))}, {size:,.0f} kB: open it in a browser.", soft_wrap=True)


@app.command("train")
def train_command(
    is_forced: Annotated[
        bool, typer.Option("--force", help="Replace a scorer that is better on the held-out pairs.")
    ] = False,
) -> None:
    """Fit the scorer of pairs to the labels in seeds/, and write python_models/pair_scorer.json."""
    with progress_bar() as progress:
        pairs = training_pairs(progress)
        training = train_scorer(pairs, datetime.now(UTC).date(), is_forced=is_forced)
    show_training(output, training)


@app.command("evaluate")
def evaluate_command(
    further_markets: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labelled pairs: CSV as seeds/labelled_pairs.csv (kalshi_market_id,"
            " polymarket_market_id and relation will do), or JSON lines with kalshi_id, pm_id and"
            " label. Without it, matching is measured on the project's own labels.",
        ),
    ] = None,
    markets: Annotated[
        list[str] | None,
        typer.Option(
            help="Archived payload files of both venues that hold the labelled listings: a path or"
            " a pattern in quotes. May be repeated.",
        ),
    ] = None,
    captured_at: Annotated[
        str | None, typer.Option(help="When the files were captured, as for `ingest --files`.")
    ] = None,
) -> None:
    """How good is matching? Measured on labelled pairs, in a warehouse that is thrown away."""
    # A pattern that was not quoted arrives as one option and further arguments.
    patterns = [*(markets or []), *(further_markets or [])]
    if further_markets and not markets:
        raise typer.BadParameter(
            f"unexpected argument {further_markets[0]!r}; files go after --markets"
        )
    if bool(labels) != bool(patterns):
        raise typer.BadParameter("--labels and --markets go together")
    moment = _instant(captured_at) if captured_at else None
    with progress_bar() as progress:
        result = evaluate(
            labels, patterns, run_id=logs.run_id(), captured_at=moment, progress=progress
        )
    show_evaluation(output, result)


@app.command("docs")
def docs_command(
    is_demo: Demo = False,
    static: Annotated[
        Path | None, typer.Option(help="Write it to this file, as one page, instead of serving it.")
    ] = None,
    port: Annotated[int, typer.Option(help="Where to serve it.", min=0, max=65_535)] = 8080,
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser.")] = False,
) -> None:
    """The lineage site: every table and column, what it is made of, and who reads it."""
    page, doubt = build_site(_read_from(is_demo))
    if doubt:
        messages.print(f"Without types of columns: {escape(doubt)}", soft_wrap=True)
    if static:
        write_site(page, static)
        output.print(f"{escape(str(static))}: open it in a browser.", soft_wrap=True)
        return
    with site_server(page, port) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        output.print(f"{address} until Ctrl-C", highlight=False)
        if not no_open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


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


@ingest_app.command("kalshi")
def ingest_kalshi(
    further_files: FurtherFiles = None,
    files: Files = None,
    captured_at: CapturedAt = None,
    entity: Entities = None,
) -> None:
    """Land Kalshi's open listings, or archived payload files, in the raw schema."""
    ingest_venue("kalshi", [*(files or []), *(further_files or [])], files, captured_at, entity)


@ingest_app.command("polymarket")
def ingest_polymarket(
    further_files: FurtherFiles = None,
    files: Files = None,
    captured_at: CapturedAt = None,
    entity: Entities = None,
) -> None:
    """Land Polymarket's open listings, or archived payload files, in the raw schema."""
    ingest_venue("polymarket", [*(files or []), *(further_files or [])], files, captured_at, entity)


@ingest_app.command("books")
def ingest_books_command() -> None:
    """Fetch the order books of what is matched (silver.watchlist) from both venues."""
    with progress_bar() as progress:
        results, problems = ingest_books(load_settings(), run_id=logs.run_id(), progress=progress)
    show_ingest(*results)
    for problem in problems:
        tell_problem(problem)
    raise typer.Exit(_IN_PART if problems else 0)


@ingest_app.command("order-books")
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


@build_app.command("prediction-markets")
def build_prediction_markets_command(full_refresh: FullRefresh = False) -> None:
    """Build and test the models of the prediction markets."""
    settings = load_settings()
    half = Half.PREDICTION_MARKETS
    with progress_bar() as progress, recorded_build(settings, half, logs.run_id()) as result:
        result.built = build(settings.warehouse, half, full_refresh=full_refresh, progress=progress)
    with open_warehouse(readable_warehouse(settings), read_only=True) as connection:
        show_tiers(output, connection)
    show_built(result.built)
    show_published(result.published)


@build_app.command("order-books")
def build_order_books_command(
    exchange: Exchange = None,
    symbol: Symbol = None,
    start: Start = None,
    end: End = None,
    limit: Annotated[
        int | None,
        typer.Option(help="At most so many new frames; the next build goes on from there.", min=1),
    ] = None,
    full_refresh: FullRefresh = False,
    dry_run: DryRun = False,
) -> None:
    """Build and test the order-book models. A warehouse keeps to the filters it was begun with."""
    settings = load_settings()
    selection = BuildSelection(exchange, symbol, start, end, limit)
    if dry_run:
        plan_order_books(output, settings, selection, full_refresh=full_refresh)
        return
    with (
        progress_bar() as progress,
        recorded_build(settings, Half.ORDER_BOOKS, logs.run_id()) as result,
    ):
        result.built = build_order_books(
            settings, selection, full_refresh=full_refresh, progress=progress
        )
    show_built(result.built)
    show_published(result.published)


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
            moment = _instant(captured_at) if captured_at else None
            result = ingest_files(
                venue, patterns, settings, captured_at=moment, run_id=run_id, progress=progress
            )
        else:
            result = ingest(venue, settings, run_id=run_id, entities=entity, progress=progress)
    show_ingest(result)


@app.command()
def info() -> None:
    """Show the versions, the settings in force, and what the warehouse holds."""
    settings = load_settings()
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    output.print(f"{packages}, Python {platform.python_version()}", highlight=False)
    table = _table("setting", "value")
    for name, value in settings.model_dump().items():
        shown = shown_url(value) if name.endswith("_url") else str(value)
        table.add_row(f"MARKETFINDER_{name.upper()}", escape(shown))
    output.print(table)
    _show_warehouse(settings)


@app.command("test-connection")
def test_connection() -> None:
    """Ask each venue for one record: is it reachable, how fast, and what is wrong?"""
    connections = check_connections(load_settings())
    table = _table("connection", "URL", "answer", "time")
    for connection in connections:
        table.add_row(
            connection.name,
            connection.url,
            "[red]failed[/]" if connection.problem else "[green]fine[/]",
            f"{connection.milliseconds:.0f} ms",
        )
    output.print(table)
    failed = [connection for connection in connections if connection.problem]
    for connection in failed:
        messages.print(
            f"[bold red]{connection.name}:[/] {escape(connection.problem or '')}",
            highlight=False,
            soft_wrap=True,
        )
    raise typer.Exit(1 if failed else 0)


def _instant(text: str) -> datetime:
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


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """A bar for each listing, file or build; silent when nobody looks at a terminal."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=messages,
        disable=is_json() or not messages.is_terminal,
        transient=True,
    )
    tasks = {}

    def update(what: str, records: int, expected: int | None) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(escape(what))
        bar.update(tasks[what], completed=records, total=expected and max(expected, records))

    with bar:
        yield update


def show_ingest(*results: IngestResult) -> None:
    """A table of what one run landed."""
    table = _table("listing", "records", "new or changed", "unchanged", "gone", "rejected")
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


def show_findings(connection: duckdb.DuckDBPyConnection) -> None:
    """How matching went, and what pays."""
    show_funnel(output, connection)
    show_tiers(output, connection)
    show_opportunities(output, connection)


def show_published(publication: Publication | None) -> None:
    """What publishing cost."""
    if publication is None:
        return
    logger.info(
        "published",
        extra={"bytes": publication.file_bytes, "seconds": publication.seconds},
    )
    size = f"{publication.path}, {publication.file_bytes / 1e6:,.1f} MB"
    output.print(
        f"Published {size}, in {publication.seconds:.2f} s."
        if publication.seconds
        else f"{size}, holds what the warehouse holds already.",
        highlight=False,
        soft_wrap=True,
    )


def show_built(result: BuildResult | None) -> None:
    """How many models and tests passed."""
    if result is None:
        return
    warned = f", {result.warned} warnings" if result.warned else ""
    output.print(f"{result.passed} models, seeds and tests passed{warned}.")


def show_plan(settings: Settings) -> None:
    """What a run would read, and what it would build."""
    table = _table("would read", "from")
    for name, venue in VENUES.items():
        url = shown_url(getattr(settings, f"{name}_url"))
        for entity in venue.entities:
            table.add_row(f"{name} {entity.table.removeprefix(f'{name}_')}", escape(url))
    output.print(table)
    show_models(output, planned_models(Half.PREDICTION_MARKETS))
    output.print(f"Into {settings.warehouse}. Nothing was read or changed.", soft_wrap=True)


def _show_warehouse(settings: Settings) -> None:
    path = settings.warehouse
    if not path.exists():
        output.print(f"{path} is not there yet: marketfinder ingest creates it.", soft_wrap=True)
        return
    output.print(f"{path.resolve()}, {path.stat().st_size / 1e6:,.1f} MB", soft_wrap=True)
    try:
        rows, sweeps = _warehouse_content(path)
    except WarehouseError as error:
        output.print(f"[yellow]{escape(str(error))}[/]", soft_wrap=True)
        return
    table = _table("table", "rows")
    for name, count in rows:
        table.add_row(name, f"{count:,}")
    output.print(table)
    table = _table("sweep ended (UTC)", "listing", "records", "landed", "gone", "error")
    for ended, venue, entity, records, landed, gone, problem in sweeps:
        listing = f"{venue} {entity or ''}".strip()
        counts = (f"{records:,}", f"{landed:,}", f"{gone:,}")
        table.add_row(f"{ended:%Y-%m-%d %H:%M:%S}", listing, *counts, escape(problem or ""))
    output.print(table)


def _warehouse_content(path: Path) -> tuple[list[tuple[str, int]], list[tuple[Any, ...]]]:
    """Row counts of the tables of all layers, and the last sweeps."""
    with open_warehouse(path, read_only=True) as connection:
        names = connection.execute(
            """
            select schema_name || '.' || table_name
            from duckdb_tables()
            where list_contains(?, schema_name) and not starts_with(table_name, '_')
            order by list_position(?, schema_name), table_name
            """,
            [_LAYERS, _LAYERS],
        ).fetchall()
        rows: list[tuple[str, int]] = []
        for (name,) in names:
            schema, table = name.split(".", 1)
            counted = connection.execute(f'select count(*) from {schema}."{table}"').fetchone()
            rows.append((name, counted[0] if counted else 0))
        if ("raw.sweeps",) not in names:
            return rows, []
        sweeps = connection.execute(
            f"""
            select finished_at, venue, entity, records, landed, gone, error
            from raw.sweeps order by finished_at desc limit {_LAST_SWEEPS}
            """
        ).fetchall()
        return rows, sweeps


if __name__ == "__main__":
    main()
