"""The `marketfinder publish` commands: others are given what was built."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ingestion import logs
from ingestion.console import output, progress_bar
from ingestion.logs import logger
from ingestion.published_copy import Publication, publish_copy
from ingestion.publishing import Target, publish
from ingestion.settings import load_settings
from ingestion.warehouse import require_warehouse

app = typer.Typer(help="Give others what was built.")

OnlyTables = Annotated[
    list[str] | None,
    typer.Option("--table", help="Only this table of gold, such as markets. May be repeated."),
]


@app.command("copy")
def publish_copy_command() -> None:
    """Replace the copy that people read by the warehouse, if its last build was green."""
    settings = load_settings()
    require_warehouse(settings.warehouse)
    show_published(publish_copy(settings, run_id=logs.run_id()))


@app.command("convex")
def publish_convex_command() -> None:
    """Bring a Convex deployment to what the published copy holds: only what has changed."""
    publish_to(Target.CONVEX)


@app.command("parquet")
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


@app.command("postgres")
def publish_postgres_command(table: OnlyTables = None) -> None:
    """Replace gold tables in a PostgreSQL database."""
    publish_to(Target.POSTGRES, table)


def publish_to(target: Target, tables: list[str] | None = None, to: Path | None = None) -> None:
    """Publishes the copy to one place, and says what that came to."""
    with progress_bar() as progress:
        done = publish(target, load_settings(), tables=tables or (), to=to, progress=progress)
    output.print(escape(done), highlight=False, soft_wrap=True)


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
