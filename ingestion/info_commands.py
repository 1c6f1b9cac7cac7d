"""`marketfinder info` and `test-connection`: what is set, what is there, who answers."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from ingestion.connections import check_connections
from ingestion.console import folded_table, messages, output
from ingestion.environment import shown_url
from ingestion.errors import SettingsError
from ingestion.settings import Settings, load_settings
from ingestion.warehouse import open_warehouse
from python_models.kernels.pair_judge.settings import load_judge_settings

_PACKAGES = ("marketfinder", "duckdb", "dbt-core", "dbt-duckdb", "dlt")
_LAYERS = ("raw", "bronze", "silver", "gold")

_LAST_SWEEPS = 10


def info_command() -> None:
    """Show the versions, the settings in force, and what the warehouse holds."""
    settings = load_settings()
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    output.print(f"{packages}, Python {platform.python_version()}", highlight=False)
    table = Table(Column("setting", no_wrap=True), Column("value", overflow="fold"))
    for name, value in settings.model_dump().items():
        shown = shown_url(value) if name.endswith("_url") else str(value)
        table.add_row(f"MARKETFINDER_{name.upper()}", escape(shown))
    for name, shown in _judge_settings().items():
        table.add_row(f"MARKETFINDER_JUDGE_{name}", escape(shown))
    output.print(table)
    _show_warehouse(settings)


def test_connection_command() -> None:
    """Ask each venue for one record: is it reachable, how fast, and what is wrong?"""
    connections = check_connections(load_settings())
    table = folded_table("connection", "URL", "answer", "time")
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


def _judge_settings() -> dict[str, str]:
    """What the judge is asked with, and never the key; what is wrong with it, if anything is."""
    try:
        judge = load_judge_settings()
    except SettingsError as error:
        return {"…": str(error)}
    key = "set" if judge.api_key.get_secret_value() else "not set"
    return {
        "API_KEY": key if judge.is_on else f"{key}: the judge is off ({judge.why_off})",
        "BASE_URL": shown_url(judge.base_url),
        "MODEL": judge.model or "none",
        "MAX_…_PER_RUN": f"{judge.max_calls_per_run:,} calls, {judge.max_usd_per_run:f} USD",
        "MAX_…_PER_DAY": f"{judge.max_calls_per_day:,} calls, {judge.max_usd_per_day:f} USD",
    }


def _show_warehouse(settings: Settings) -> None:
    path = settings.warehouse
    if not path.exists():
        output.print(f"{path} is not there yet: marketfinder ingest creates it.", soft_wrap=True)
        return
    output.print(f"{path.resolve()}, {path.stat().st_size / 1e6:,.1f} MB", soft_wrap=True)
    rows, sweeps = _warehouse_content(path)
    table = folded_table("table", "rows")
    for name, count in rows:
        table.add_row(name, f"{count:,}")
    output.print(table)
    table = folded_table("sweep ended (UTC)", "listing", "records", "landed", "gone", "error")
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
            counting = f'select count(*) from {schema}."{table}"'
            ((counted,),) = connection.execute(counting).fetchall()
            rows.append((name, counted))
        if ("raw.sweeps",) not in names:
            return rows, []
        sweeps = connection.execute(
            f"""
            select finished_at, venue, entity, records, landed, gone, error
            from raw.sweeps order by finished_at desc limit {_LAST_SWEEPS}
            """
        ).fetchall()
        return rows, sweeps
