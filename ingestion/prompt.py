"""`marketfinder sql` without a query: the DuckDB CLI where it is installed, else our own prompt."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from ingestion.answers import show_answer
from ingestion.errors import MarketFinderError, WarehouseError
from ingestion.screens import plain
from ingestion.warehouse import open_warehouse, require_warehouse

_HISTORY = Path("~/.marketfinder_history")
_HISTORY_LINES = 1_000
_HELP = """A statement ends with a semicolon, on as many lines as it takes.
.tables    the tables and table macros of gold, and what each is; .tables silver for another layer
.help      this
copy (from gold.markets) to 'markets.parquet';    an answer into a file, .csv or .parquet
.quit      the end, as Ctrl-D"""
_TABLES = """
select schema_name || '.' || name, coalesce(split_part(comment, '. ', 1), '')
from (
    select schema_name, table_name as name, comment from duckdb_tables()
    union all
    select schema_name, view_name, comment from duckdb_views() where not internal
    union all
    select
        schema_name,
        function_name || '(' || array_to_string(parameters, ', ') || ')',
        comment
    from duckdb_functions()
    where function_type = 'table_macro'
)
where schema_name = ? and not starts_with(name, '_')
order by contains(name, '('), name
"""


def open_prompt(output: Console, warehouse: Path, *, in_browser: bool = False) -> int:
    """Questions to `warehouse`, one after the other, without a chance to change it; an exit code.

    Raises WarehouseError when the warehouse cannot be opened, or the DuckDB CLI is asked for its
    page (`in_browser`) and is not there.
    """
    require_warehouse(warehouse)
    if found := shutil.which("duckdb"):
        command = [found, "-readonly", *(["-ui"] if in_browser else []), str(warehouse)]
        return subprocess.run(command, check=False).returncode
    if in_browser:
        raise WarehouseError(
            "DuckDB's page needs the DuckDB CLI on the PATH: https://duckdb.org/install."
            " Without it, `marketfinder sql` is a prompt."
        )
    with open_warehouse(warehouse, read_only=True) as connection, _history():
        return _answer_all(output, connection)


def _answer_all(output: Console, connection: duckdb.DuckDBPyConnection) -> int:
    """Answers until there is nothing left to read. 1 when a question of a file or pipe failed."""
    is_terminal = sys.stdin.isatty()
    if is_terminal:
        output.print("Read-only. .tables shows what there is, .help what else.", highlight=False)
    failed = False
    for statement in _statements(is_terminal):
        try:
            if statement.split()[0] == ".tables":
                _show_tables(output, connection, [*statement.split(), "gold"][1])
            elif statement == ".help":
                output.print(_HELP, highlight=False)
            elif statement.startswith("."):
                raise WarehouseError(
                    f"There is no command {statement}; .help shows those there are."
                )
            else:
                show_answer(output, connection, statement)
        except MarketFinderError as error:
            output.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
            failed = True
        except KeyboardInterrupt:
            output.print("stopped")
    return int(failed and not is_terminal)


def _statements(is_terminal: bool) -> Iterator[str]:
    """What is typed: a command that begins with a dot, or all up to a semicolon at a line's end."""
    lines: list[str] = []
    while True:
        try:
            asked = ("   ...> " if lines else "marketfinder> ") if is_terminal else ""
            line = input(asked)
        except EOFError:
            break
        except KeyboardInterrupt:
            lines = []
            sys.stdout.write("\n")
            continue
        if not lines and line.strip() in (".quit", ".exit"):
            return
        if not lines and line.startswith("."):
            yield line.strip()
        elif line.strip() or lines:
            lines.append(line)
            if line.rstrip().endswith(";"):
                yield "\n".join(lines)
                lines = []
    if lines:
        yield "\n".join(lines)


def _show_tables(output: Console, connection: duckdb.DuckDBPyConnection, layer: str) -> None:
    table = Table(Column("table", no_wrap=True), Column("what it is", overflow="fold"))
    for name, meaning in connection.execute(_TABLES, [layer]).fetchall():
        table.add_row(plain(name), plain(meaning))
    output.print(table)


@contextmanager
def _history() -> Iterator[None]:
    """Lines of earlier sessions come back with the arrow keys, where the system has readline."""
    try:
        import readline  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    path = _HISTORY.expanduser()
    readline.set_history_length(_HISTORY_LINES)
    try:
        readline.read_history_file(path)
    except OSError:
        readline.clear_history()
    try:
        yield
    finally:
        if sys.stdin.isatty():
            # A home that cannot be written only forgets.
            with suppress(OSError):
                readline.write_history_file(path)
