"""Answers to ad hoc queries: the first rows on the screen, or all of them in a file."""

import re
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from ingestion.errors import FileError, SettingsError, WarehouseError
from ingestion.screens import paragraphs, plain
from ingestion.warehouse import open_warehouse

_SHOWN_ROWS = 100
# A screen or two, where each row takes as many lines as it has columns.
_SHOWN_ONE_BY_ONE = 10
_UNBOUNDED = 1_000_000
_FORMATS = (".csv", ".parquet")


def show_query(console: Console, warehouse: Path, query: str) -> None:
    """The answer to an ad hoc query. Raises WarehouseError."""
    with open_warehouse(warehouse, read_only=True) as connection:
        show_answer(console, connection, query)


def show_answer(console: Console, connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """The answer to each statement of a query, its first rows.

    Raises SettingsError when there is no statement in it, WarehouseError when one fails.
    """
    try:
        statements = _statements(connection, query)
        for statement in statements:
            if _is_question(statement):
                answer = connection.sql(statement)
                rows = answer.limit(_SHOWN_ROWS + 1).project(_as_texts(answer)).fetchall()
                _show_rows(console, answer.columns, rows)
                continue
            done = connection.execute(statement)
            if statement is statements[-1] and (rows := done.fetchmany(_SHOWN_ROWS + 1)):
                _show_rows(console, [column[0] for column in done.description or []], rows)
    except duckdb.Error as error:
        raise WarehouseError(f"The query failed: {error}") from None


def write_query(console: Console, warehouse: Path, query: str, out: Path) -> None:
    """Writes the answer to a query, all its rows, to `out`: CSV with a header, or Parquet.

    A file that is there is replaced when the new one is whole. Raises SettingsError when it is no
    place for an answer or there is none, WarehouseError when the query cannot be run, and FileError
    when it fails on its way into the file.
    """
    ending = out.suffix.lower()
    if ending not in _FORMATS:
        raise SettingsError(
            f"--out {out}: the ending says what is written, and {ending or 'no ending'} is none of"
            f" {' and '.join(_FORMATS)}. Such as: --out {out.stem or 'answer'}.parquet"
        )
    # As an absolute path it is a file of this machine, whatever is in its name.
    place = out.absolute()
    if re.match(r"\w+:/", str(out)):
        raise SettingsError(f"--out {out}: an answer is written to a file of this machine.")
    if place.is_dir():
        raise FileError(f"{out} was not written: it is a folder.")
    is_replaced = place.exists()
    with open_warehouse(warehouse, read_only=True) as connection:
        answer = _last_answer(connection, query)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{out} was not written: {error.strerror or error}.") from None
        try:
            if ending == ".csv":
                answer.write_csv(str(place))
            else:
                answer.write_parquet(str(place))
        except duckdb.Error as error:
            raise FileError(f"{out} was not written: {error}") from None
    text = f"{out}, {place.stat().st_size / 1000:,.1f} kB"
    replaced = ", in the place of the file that was there" if is_replaced else ""
    console.print(plain(text + replaced), soft_wrap=True)


def _last_answer(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.DuckDBPyRelation:
    """What the last statement asks for, not computed yet; those before it are run."""
    try:
        *before, last = _statements(connection, query)
        for statement in before:
            connection.execute(statement)
        answer = connection.sql(last)
    except duckdb.Error as error:
        raise WarehouseError(f"The query failed: {error}") from None
    # DuckDB 1.5 has no relation for `use gold`, 2.0 one of a column without rows.
    if answer is None or duckdb.ExpectedResultType.QUERY_RESULT not in last.expected_result_type:
        raise SettingsError("--out is for an answer, and the last statement gives none.")
    return answer


def _statements(connection: duckdb.DuckDBPyConnection, query: str) -> list[duckdb.Statement]:
    statements = connection.extract_statements(query)
    if not statements:
        raise SettingsError("There is no query in it. Such as: from gold.arbitrage_opportunities")
    return statements


def _as_texts(answer: duckdb.DuckDBPyRelation) -> str:
    """Each column in the words of SQL: 0.10, NULL and true also inside of lists. A list of texts
    with semicolons, for SQL quotes some of them and not others."""
    lists = [str(kind) == "VARCHAR[]" for kind in answer.types]
    if not any(lists) or len(set(answer.columns)) < len(lists):
        return "columns(*)::varchar"
    names = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in answer.columns]
    return ", ".join(
        f"array_to_string({name}, '; ') as {name}" if is_list else f"{name}::varchar as {name}"
        for name, is_list in zip(names, lists, strict=True)
    )


def _is_question(statement: duckdb.Statement) -> bool:
    """Not so `use gold`, `copy`, or what DuckDB 1.5 puts before a pivot, which 2.0 leaves whole."""
    return (
        statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]
        or statement.type == duckdb.StatementType.MULTI
    )


def _show_rows(console: Console, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    """The first rows as a table; where that is wider than the terminal, each as a list."""
    if not rows:
        console.print(plain(f"No rows. The columns: {', '.join(names)}"), highlight=False)
        return
    shown = [[paragraphs(value) for value in row] for row in rows[:_SHOWN_ROWS]]
    table = Table(*(Column(plain(name)) for name in names))
    for row in shown:
        table.add_row(*row)
    unbounded = console.options.update(max_width=_UNBOUNDED)
    if Measurement.get(console, unbounded, table).maximum > console.width:
        shown = shown[:_SHOWN_ONE_BY_ONE]
        _show_one_by_one(console, names, shown)
    else:
        console.print(table)
    if len(rows) > len(shown):
        console.print(f"The first {len(shown)} rows; there are more (all: --out answer.csv).")


def _show_one_by_one(console: Console, names: list[str], rows: list[list[Text]]) -> None:
    for number, row in enumerate(rows, 1):
        table = Table(title=f"row {number}", title_justify="left", show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in zip(names, row, strict=True):
            table.add_row(plain(name), value)
        console.print(table)
