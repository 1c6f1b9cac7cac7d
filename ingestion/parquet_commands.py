"""The `marketfinder parquet` commands: order-book tables as Hive-partitioned Parquet."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ingestion.compaction import compact, repartition
from ingestion.console import folded_table, output
from ingestion.partition_files import KEYS
from ingestion.partitions import TABLES, export_table, find_table
from ingestion.settings import load_settings
from ingestion.warehouse import open_warehouse

app = typer.Typer(
    help="Order-book tables as Hive-partitioned Parquet: export, compact, repartition.",
    no_args_is_help=True,
)

_TARGET = Path("data/parquet")
_MEGABYTE = 1_000_000
Dataset = Annotated[Path, typer.Argument(help="The dataset's directory.", file_okay=False)]
OrderBy = Annotated[
    str,
    typer.Option(
        help="Columns to sort by, the time first, such as 'traded_at,trade_number';"
        " order-book tables are known by their columns."
    ),
]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@app.command("export")
def export_command(
    target: Annotated[Path, typer.Option(help="Where the datasets are.")] = _TARGET,
    table: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this table ({', '.join(TABLES)}). May be repeated."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="Leave the days before alone, unread.", formats=["%Y-%m-%d"]),
    ] = None,
) -> None:
    """Write the partitions that have changed since the last export, and remove those gone."""
    tables = [find_table(name) for name in table or TABLES]
    first_day = since.date() if since else None
    shown = folded_table("table", "rows")
    for name in ("written", "unchanged", "removed"):
        shown.add_column(f"partitions {name}")
    with open_warehouse(load_settings().warehouse, read_only=True) as connection:
        for each in tables:
            result = export_table(connection, each, target, since=first_day)
            counts = (result.rows, result.written, result.unchanged, result.removed)
            shown.add_row(result.table, *(f"{count:,}" for count in counts))
    output.print(shown)
    output.print(f"In {target}/<table>/{'/'.join(f'{key}=…' for key in KEYS)}/", soft_wrap=True)


@app.command("compact")
def compact_command(
    dataset: Dataset,
    smaller_than: Annotated[
        float, typer.Option(help="Merge files smaller than so many megabytes.", min=0)
    ] = 64,
    order_by: OrderBy = "",
) -> None:
    """Merge the small files of each partition into one sorted file."""
    size = int(smaller_than * _MEGABYTE)
    result = compact(dataset, smaller_than=size, order_by=_names(order_by))
    output.print(
        f"{result.files:,} files of {result.partitions:,} partitions, with {result.rows:,} rows,"
        f" became {result.partitions:,}; {result.unchanged:,} partitions had nothing to merge.",
        soft_wrap=True,
    )


@app.command("repartition")
def repartition_command(
    dataset: Dataset,
    by: Annotated[
        str, typer.Option(help=f"The new keys, the outermost first; of {','.join(KEYS)}.")
    ],
    into: Annotated[
        Path | None, typer.Option(help="A new directory; by default the dataset's own place.")
    ] = None,
    order_by: OrderBy = "",
) -> None:
    """Cut a dataset along other partition keys, into a new directory or in its own place."""
    result = repartition(dataset, _names(by), into=into, order_by=_names(order_by))
    output.print(
        f"{result.rows:,} rows are in {result.partitions:,} partitions of {result.dataset}."
        if result.partitions
        else f"{dataset} has this layout already.",
        soft_wrap=True,
    )
