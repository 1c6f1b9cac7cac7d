"""`marketfinder demo`, `run` and `schedule`: whole runs."""

from typing import Annotated

import duckdb
import typer
from rich.markup import escape

from ingestion import logs
from ingestion.build import Half, planned_models
from ingestion.build_commands import show_built
from ingestion.console import IN_PART, folded_table, output, progress_bar, tell_problem
from ingestion.environment import shown_url
from ingestion.ingest_commands import show_ingest
from ingestion.landing import naive_utc
from ingestion.logs import is_json, logger
from ingestion.pipeline import VENUES
from ingestion.publish_commands import show_published
from ingestion.publishing import Target, check_settings
from ingestion.runs import DEMO_WAREHOUSE, RunStep, demo, run
from ingestion.schedule import SHORTEST_INTERVAL, run_every, seconds_of
from ingestion.screens import (
    show_against_truth,
    show_funnel,
    show_models,
    show_opportunities,
    show_order_books,
    show_tiers,
    show_validity,
)
from ingestion.settings import Settings, load_settings
from ingestion.venues import utc_now
from ingestion.warehouse import open_warehouse
from ingestion.warehouse_locks import locked

PublishTo = Annotated[
    list[Target] | None,
    typer.Option("--publish", help="Publish there too, after the copy. May be repeated."),
]
Wait = Annotated[
    str, typer.Option(help="How long to wait while another command has the warehouse: 90s, 10m.")
]


def demo_command(
    seed: Annotated[int, typer.Option(help="Another seed makes other markets.", min=0)] = 7,
) -> None:
    """Simulated venues and order books, ingested, built and shown: no network, no key."""
    with locked(DEMO_WAREHOUSE):  # until it is shown: another demo begins with an empty file
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
    if result.published:
        with open_warehouse(result.published.path, read_only=True) as connection:
            show_validity(output, connection, naive_utc(utc_now()))
    for problem in result.problems:
        tell_problem(problem)
    raise typer.Exit(IN_PART if result.problems else 0)


def schedule_command(
    every: Annotated[str, typer.Option(help="The interval: 30m is on the hour and half past.")],
    wait: Wait = "0s",
    targets: PublishTo = None,
) -> None:
    """Run now and then in every slot, one run at a time, until it is told to stop."""
    interval = seconds_of(every)
    if interval < SHORTEST_INTERVAL:
        raise typer.BadParameter(
            f"--every {every} is less than a run takes, and more than the venues should be asked:"
            " give 1m or more"
        )
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


def show_plan(settings: Settings) -> None:
    """What a run would read, and what it would build."""
    table = folded_table("would read", "from")
    for name, venue in VENUES.items():
        url = shown_url(getattr(settings, f"{name}_url"))
        for entity in venue.entities:
            table.add_row(f"{name} {entity.table.removeprefix(f'{name}_')}", escape(url))
    output.print(table)
    show_models(output, planned_models(Half.PREDICTION_MARKETS))
    output.print(f"Into {settings.warehouse}. Nothing was read or changed.", soft_wrap=True)


def show_findings(connection: duckdb.DuckDBPyConnection) -> None:
    """How matching went, and what pays."""
    show_funnel(output, connection)
    show_tiers(output, connection)
    show_opportunities(output, connection)
