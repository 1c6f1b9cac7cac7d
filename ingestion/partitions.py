"""Order-book tables as Hive-partitioned Parquet: one sorted file a day of a symbol on an exchange.

Each file's footer holds the fingerprint of its rows. So the file and what is known about it change
in the same step, no list beside the files can disagree with them, and a partition is written again
when its file is not what the table holds, whoever changed which.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from ingestion.errors import ParquetError
from ingestion.partition_files import (
    DAY_KEYS,
    KEYS,
    is_laid_out,
    literal,
    parquet_files,
    put,
    remove_empty,
    stored_fingerprints,
    workspace,
)
from ingestion.partition_rows import Rows, columns_of, partitions, quoted, write_partition


@dataclass(frozen=True)
class Table:
    """A table of the warehouse: the column of its time, and the key of its rows."""

    name: str
    time: str
    key: tuple[str, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """How the rows are sorted in a file."""
        return (self.time, *(name for name in self.key if name != self.time))

    @property
    def source(self) -> str:
        """The table's name in SQL."""
        return ".".join(map(quoted, self.name.split(".")))


_BAR_KEY = ("duration_seconds", "started_at")
TABLES = {
    table.name: table
    for table in (
        Table("silver.order_books", "booked_at", ("book_number",)),
        Table("silver.trades", "traded_at", ("trade_number",)),
        Table("silver.tickers", "ticked_at", ("ticker_number",)),
        Table("silver.order_book_features", "booked_at", ("book_number",)),
        Table("silver.order_flow_features", "booked_at", ("book_number",)),
        Table("gold.order_book_features", "booked_at", ("book_number",)),
        Table("gold.trade_bars", "started_at", _BAR_KEY),
        Table("gold.order_book_bars", "started_at", _BAR_KEY),
        Table("gold.ticker_bars", "started_at", _BAR_KEY),
    )
}


@dataclass
class ExportResult:
    """What one export of a table did to its partitions."""

    table: str
    rows: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0


def find_table(name: str) -> Table:
    """The table of that name. Raises ParquetError, with the names there are."""
    if name not in TABLES:
        raise ParquetError(f"{name!r} is not an order-book table. There are {', '.join(TABLES)}.")
    return TABLES[name]


def export_table(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    target: Path,
    *,
    since: date | None = None,
) -> ExportResult:
    """Makes `<target>/<schema>.<table>` hold what the table holds, partition by partition.

    Only partitions whose rows have changed are written; those that are no longer in the table are
    removed. With `since`, days before it are neither read nor touched.

    Raises ParquetError when the table or a column is not there, when the directory holds files in
    another layout, or when it cannot be written.
    """
    _require_table(connection, table)
    dataset = target.resolve() / table.name
    result = ExportResult(table.name)
    with workspace(dataset) as work, _snapshot(connection) as snapshot:
        rows = _rows_to_export(snapshot, table, work)
        first_day = since.isoformat() if since else None
        cut = partitions(snapshot, rows, KEYS, since=first_day)
        present = _present_files(dataset, first_day)
        with connection.cursor() as reader:  # an error would end the snapshot
            stored = stored_fingerprints(reader, [file for old in present.values() for file in old])
        for number, partition in enumerate(cut):
            result.rows += partition.rows
            old = present.pop(partition.directory, [])
            if len(old) == 1 and stored.get(old[0]) == partition.fingerprint:
                result.unchanged += 1
                continue
            staged = work / f"{number}.staged"
            write_partition(snapshot, rows, partition, KEYS, staged)
            put(staged, dataset / partition.directory, [file.name for file in old], work)
            result.written += 1
        for directory, old in present.items():
            put(None, dataset / directory, [file.name for file in old], work)
            remove_empty(dataset / directory, dataset)
            result.removed += 1
    return result


@contextmanager
def _snapshot(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables as they are now, for as long as it takes.

    Raises ParquetError for what DuckDB cannot do.
    """
    with connection.cursor() as snapshot:
        snapshot.begin()
        try:
            yield snapshot
        except duckdb.Error as error:
            raise ParquetError(f"The export has failed: {error}") from None
        finally:
            snapshot.rollback()


def _require_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    try:
        columns_of(connection, table.source)
    except duckdb.CatalogException:
        raise ParquetError(
            f"{table.name} is not in the warehouse. Build it with `dbt build`."
        ) from None


def _rows_to_export(connection: duckdb.DuckDBPyConnection, table: Table, work: Path) -> Rows:
    """The table's rows, in types that Parquet keeps."""
    columns = columns_of(connection, table.source)
    if missing := [name for name in ("exchange", "symbol", *table.order) if not columns.get(name)]:
        raise ParquetError(
            f"{table.name} has no column {', '.join(missing)}: it cannot be partitioned and sorted."
        )
    if taken := sorted(DAY_KEYS & columns.keys()):
        raise ParquetError(
            f"{table.name} has a column {', '.join(taken)}, which is the name of a partition key."
            " Rename it."
        )
    if not columns[table.time].startswith("TIMESTAMP") or "ZONE" in columns[table.time]:
        raise ParquetError(
            f"{table.name}.{table.time} is {columns[table.time]}, not a TIMESTAMP in UTC, so its"
            f" day depends on the reader. Cast it: {table.time} at time zone 'UTC'."
        )
    stored = _stored_types(connection, table, work / "types")
    casts = ", ".join(
        f"cast({quoted(name)} as {stored[name]}) as {quoted(name)}"
        for name in columns
        if stored[name] != columns[name]
    )
    replaced = f"replace ({casts})" if casts else ""
    return Rows(f"(select * {replaced} from {table.source})", stored, table.order)


def _stored_types(
    connection: duckdb.DuckDBPyConnection, table: Table, file: Path
) -> dict[str, str]:
    """The types in which Parquet gives the columns back, such as text for an ENUM.

    A HUGEINT, DuckDB's type for sums of integers, would come back as a double that has lost
    digits; it is kept as a decimal.
    """
    columns = columns_of(connection, table.source)
    connection.execute(
        f"copy (from {table.source} limit 0) to {literal(str(file))} (format parquet)"
    )
    stored = columns_of(connection, f"read_parquet({literal(str(file))})")
    for name, type_name in columns.items():
        if "HUGEINT" in type_name:
            exact = type_name.replace("UHUGEINT", "HUGEINT").replace("HUGEINT", "DECIMAL(38,0)")
            stored[name] = exact
    return stored


def _present_files(dataset: Path, first_day: str | None) -> dict[str, list[Path]]:
    """The Parquet files of the partitions, by directory; with `first_day`, of those from it on.

    Raises ParquetError when a file lies where an export would not put it: next to such files, rows
    would be found twice.
    """
    present = parquet_files(dataset)
    for directory, files in present.items():
        if not is_laid_out(directory, KEYS):
            raise ParquetError(
                f"{files[0]} is not laid out as an export is ({'/'.join(f'{k}=…' for k in KEYS)})."
                " Export into another directory, or bring this one into shape with repartition."
            )
    if first_day is None:
        return present
    return {name: files for name, files in present.items() if _day(name) >= first_day}


def _day(directory: str) -> str:
    """The ISO date of a partition's directory."""
    return "-".join(part.partition("=")[2] for part in directory.split("/")[-3:])
