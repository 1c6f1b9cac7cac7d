"""`marketfinder sql`, `explain`, `report` and `docs`: what there is, to read."""

import webbrowser
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperCommand

from ingestion.answers import show_query, write_query
from ingestion.console import messages, output
from ingestion.errors import BusyError, MarketFinderError
from ingestion.explanations import explain_pair
from ingestion.last_run import copy_remarks
from ingestion.lineage import build_site, site_server, write_site
from ingestion.order_book_options import DAYS, Exchange, Symbol
from ingestion.prompt import open_prompt
from ingestion.published_copy import readable_warehouse
from ingestion.runs import DEMO_WAREHOUSE
from ingestion.settings import load_settings
from ingestion.simulation import is_simulated
from ingestion.warehouse import open_warehouse


class QueryCommand(TyperCommand):
    """A command whose argument is a query: one that begins with a comment is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """No option has a space in it; a line before the comment means nothing to the query."""
        return super().parse_args(
            ctx,
            ["\n" + arg if arg.startswith("--") and len(arg.split()) > 1 else arg for arg in args],
        )


Demo = Annotated[bool, typer.Option("--demo", help="Ask what the demo left behind.")]


def sql_command(
    query: Annotated[
        str | None, typer.Argument(help="A DuckDB query, such as 'from gold.sync_logs'.")
    ] = None,
    is_demo: Demo = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the whole answer to this file: .csv or .parquet."),
    ] = None,
    in_browser: Annotated[
        bool, typer.Option("--ui", help="Open the page of the DuckDB CLI, where it is installed.")
    ] = False,
) -> None:
    """Ask the warehouse, without a chance to change it; without a query, as often as you like."""
    if query is None and out:
        raise typer.BadParameter("--out is for the answer to one query: put it in quotes before it")
    if query is None:
        raise typer.Exit(open_prompt(output, _read_from(is_demo), in_browser=in_browser))
    if in_browser:
        raise typer.BadParameter("--ui is for questions that are asked there: leave the query out")
    if out:
        write_query(output, _read_from(is_demo), query, out)
    else:
        show_query(output, _read_from(is_demo), query)


def explain_command(
    kalshi_ticker: Annotated[str, typer.Argument(help="As in gold.markets: KXBTC-26DEC31-T100.")],
    polymarket_id: Annotated[str, typer.Argument(help="The market's number, as in gold.markets.")],
    is_demo: Demo = False,
) -> None:
    """Is a pair the same contract, may it be an opportunity, and why: the verdict, then texts,
    terms, vetoes, score and judge."""
    explain_pair(output, _read_from(is_demo), kalshi_ticker, polymarket_id)


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
        is_demo=is_demo,
    )
    size = out.stat().st_size / 1000
    output.print(f"{escape(str(out))}, {size:,.0f} kB: open it in a browser.", soft_wrap=True)


def docs_command(
    is_demo: Demo = False,
    static: Annotated[
        Path | None, typer.Option(help="Write it to this file, as one page, instead of serving it.")
    ] = None,
    port: Annotated[int, typer.Option(help="Where to serve it.", min=0, max=65_535)] = 8080,
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser.")] = False,
) -> None:
    """The lineage site: every table and column, what it is made of, and who reads it."""
    warehouse = _read_from(is_demo, may_be_busy=True)
    if static:
        write_site(_site(warehouse), static)
        output.print(f"{escape(str(static))}: open it in a browser.", soft_wrap=True)
        return
    with site_server(port) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        output.print(f"{address} once it is made, until Ctrl-C", highlight=False)
        server.page = _site(warehouse)
        if not no_open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _site(warehouse: Path) -> str:
    """The page of the lineage site, and what is to be said of it."""
    messages.print("dbt reads the project and the warehouse: a minute or two.", highlight=False)
    page, doubt = build_site(warehouse)
    if doubt:
        messages.print(f"Without types of columns: {escape(doubt)}", soft_wrap=True)
    return page


def _read_from(is_demo: bool, *, may_be_busy: bool = False) -> Path:
    """The file that is asked, and never changed."""
    if is_demo:
        return DEMO_WAREHOUSE
    settings = load_settings()
    path = readable_warehouse(settings)
    if path == settings.published:
        for remark in copy_remarks(settings, datetime.now(UTC)):
            messages.print(escape(remark), style="dim", highlight=False, soft_wrap=True)
    try:
        is_made_up = _holds_simulated_data(path)
    except BusyError as error:
        if not may_be_busy:
            more = "Nothing is published yet, so there is no copy to read meanwhile."
            raise BusyError(f"{error} {more}") from None
        is_made_up = False
    if is_made_up:
        messages.print(
            f"[bold yellow]Simulated data:[/] a simulator made up what is in {escape(str(path))}."
            " Nothing of it can be traded.",
            highlight=False,
            soft_wrap=True,
        )
    return path


def _holds_simulated_data(path: Path) -> bool:
    """False where the file cannot be read, which whoever asks it is told. Raises BusyError."""
    try:
        with open_warehouse(path, read_only=True) as connection:
            return is_simulated(connection)
    except BusyError:
        raise
    except MarketFinderError:
        return False
