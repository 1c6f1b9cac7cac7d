"""The `marketfinder build` commands: one half of the models, built and tested with dbt."""

from collections.abc import Collection
from typing import Annotated

import typer

from ingestion import logs
from ingestion.build import BuildResult, Half, build
from ingestion.console import output, progress_bar
from ingestion.errors import WarehouseError
from ingestion.order_book_options import (
    BuildSelection,
    DryRun,
    End,
    Exchange,
    Start,
    Symbol,
    build_order_books,
    plan_order_books,
)
from ingestion.pipeline import VENUES
from ingestion.publish_commands import show_published
from ingestion.published_copy import readable_warehouse
from ingestion.runs import recorded_build
from ingestion.screens import show_tiers
from ingestion.settings import Settings, load_settings
from ingestion.warehouse import open_warehouse, raw_tables
from python_models.kernels.pair_judge.settings import load_judge_settings

app = typer.Typer(help="Build and test one half of the models with dbt.")

FullRefresh = Annotated[
    bool, typer.Option("--full-refresh", help="Forget what was built, and build it anew.")
]


@app.command("prediction-markets")
def build_prediction_markets_command(full_refresh: FullRefresh = False) -> None:
    """Build and test the models of the prediction markets."""
    settings = load_settings()
    load_judge_settings()  # what is wrong with them is better told now than in the middle
    half = Half.PREDICTION_MARKETS
    listings = {entity.table for venue in VENUES.values() for entity in venue.entities}
    _require_any(settings, listings, "`marketfinder ingest kalshi` and `ingest polymarket` load")
    with progress_bar() as progress, recorded_build(settings, half, logs.run_id()) as result:
        result.built = build(settings.warehouse, half, full_refresh=full_refresh, progress=progress)
    with open_warehouse(readable_warehouse(settings), read_only=True) as connection:
        show_tiers(output, connection)
    show_built(result.built)
    show_published(result.published)


@app.command("order-books")
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
    _require_any(settings, {"segments"}, "`marketfinder ingest order-books` loads")
    with (
        progress_bar() as progress,
        recorded_build(settings, Half.ORDER_BOOKS, logs.run_id()) as result,
    ):
        result.built = build_order_books(
            settings, selection, full_refresh=full_refresh, progress=progress
        )
    show_built(result.built)
    show_published(result.published)


def _require_any(settings: Settings, tables: Collection[str], loading: str) -> None:
    """Raises WarehouseError where a build would find nothing, and take as long as another."""
    path = settings.warehouse
    if path.exists():
        with open_warehouse(path, read_only=True) as connection:
            if not raw_tables(connection).isdisjoint(tables):
                return
    raise WarehouseError(f"There is nothing to build in {path}: {loading} what it is made of.")


def show_built(result: BuildResult | None) -> None:
    """How many models and tests passed."""
    if result is None:
        return
    warned = f", {result.warned} warnings" if result.warned else ""
    output.print(f"{result.passed} models, seeds and tests passed{warned}.")
