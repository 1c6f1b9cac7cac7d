"""The warehouse file: opened by one process at a time, loaded by dlt, package by package.

A load package is complete or it never happened: rows of a package that was killed half-way are
removed before anything else is loaded.
"""

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from ingestion.errors import BusyError, MarketFinderError, WarehouseError
from ingestion.landing import LANDED_RECORDS, REJECTED_LINES, SWEEPS, Known
from ingestion.venues import Entity
from ingestion.warehouse_locks import locked

if TYPE_CHECKING:
    from dlt.common.schema.typing import TColumnSchema
    from dlt.extract import DltSource

RAW = "raw"

# A new file can hold ZSTD-compressed payloads, which shrink to a tenth, and DuckDB 1.5 can read it
# where 2.0 has made it.
STORAGE_VERSION = "v1.2.0"
_CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": STORAGE_VERSION
}
_DLT_TYPES: dict[pa.DataType, "TColumnSchema"] = {
    pa.string(): {"data_type": "text"},
    pa.int64(): {"data_type": "bigint"},
    pa.bool_(): {"data_type": "bool"},
    pa.timestamp("us"): {"data_type": "timestamp", "timezone": False, "precision": 6},
}


@contextmanager
def open_warehouse(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, locked against other processes, without rows of incomplete loads.

    Raises BusyError when another process has it open, WarehouseError when it is no DuckDB file, or
    is to be read and not there.
    """
    if read_only:
        require_warehouse(path)
    with locked(path, shared=read_only):
        try:
            connection = duckdb.connect(path, read_only=read_only, config=_CONFIGURATION)
        except duckdb.Error as error:
            raise _opening_error(path, error) from None
        try:
            if not read_only:
                try:
                    _remove_incomplete_loads(connection)
                except duckdb.Error as error:
                    raise _opening_error(path, error) from None
            yield connection
        finally:
            connection.close()


def require_warehouse(path: Path) -> None:
    """Raises WarehouseError, with what to do, where nothing was ever loaded."""
    if not path.exists():
        raise WarehouseError(
            f"Nothing is loaded yet: {path} is not there yet. `marketfinder run` loads live data,"
            " `marketfinder demo` simulated data, which is read with --demo."
        )


def _opening_error(path: Path, error: Exception) -> WarehouseError:
    text = str(error)
    if "lock" in text:
        holder = re.search(r"held in (.*?) \(PID (\d+)\)", text)
        by = f"process {holder[2]} ({Path(holder[1]).name})" if holder else "another process"
        return BusyError(
            f"{path} is in use by {by}. Wait until it ends, or close the program that has it open."
        )
    if "newer version of DuckDB" in text:
        return WarehouseError(
            f"{path} was made by a newer DuckDB than {duckdb.__version__}, which is installed here."
            " Read it with that one, or set MARKETFINDER_WAREHOUSE to another path."
        )
    return WarehouseError(
        f"{path} cannot be opened as a DuckDB database: {text.splitlines()[0]} Move the file away,"
        " or set MARKETFINDER_WAREHOUSE to another path."
    )


def raw_tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The names of the tables of the raw schema."""
    query = "select table_name from duckdb_tables() where schema_name = ?"
    return {name for (name,) in connection.execute(query, [RAW]).fetchall()}


def _remove_incomplete_loads(connection: duckdb.DuckDBPyConnection) -> None:
    """Such rows are the last ones of a table, since they leave before anything else is loaded: what
    is before the last row is read only where that is one of them."""
    complete = (
        "select load_id from raw._dlt_loads where status = 0 and load_id is not null"
        if "_dlt_loads" in raw_tables(connection)
        else "select null where false"
    )
    query = "select table_name from duckdb_columns() where schema_name = ? and column_name = ?"
    tables = [name for (name,) in connection.execute(query, [RAW, "_dlt_load_id"]).fetchall()]
    # The row ids of n rows end at n - 1, or above where rows were removed.
    last_rows = " union all ".join(
        f"select '{table}' as name, _dlt_load_id from raw.\"{table}\""
        f' where rowid >= (select count(*) from raw."{table}") - 1'
        for table in tables
    )
    if not last_rows:
        return
    left = f"select distinct name from ({last_rows}) where _dlt_load_id not in ({complete})"
    for (table,) in connection.execute(left).fetchall():
        connection.execute(f'delete from raw."{table}" where _dlt_load_id not in ({complete})')


def known_records(
    connection: duckdb.DuckDBPyConnection, entity: Entity, sources: Collection[str] = ()
) -> Known:
    """What the warehouse holds of `entity`; of the files `sources` every row's id as well.

    The newest row of an id is the one the venue sent last, then the one loaded last.
    """
    if entity.table not in raw_tables(connection):
        return Known()
    known = Known()
    # A row an id in memory, however many versions it has; what is gone is as if never seen.
    newest = connection.execute(
        f"""
        select external_id, content_hash, source like '/%'
        from raw.{entity.table}
        where content_hash is not null and rowid in (
            select arg_max(rowid, (fetched_at, _dlt_load_id, record_id))
            from raw.{entity.table}
            where external_id is not null
            group by external_id
        )
        """
    )
    while rows := newest.fetchmany(10_000):
        for external_id, content, is_live in rows:
            known.newest[external_id] = content
            known.live_listings += is_live
    known.without_id = {
        content
        for (content,) in connection.execute(
            f"select content_hash from raw.{entity.table} where external_id is null"
        ).fetchall()
    }
    if sources:
        known.record_ids = {
            record_id
            for (record_id,) in connection.execute(
                f"select record_id from raw.{entity.table} where list_contains(?, source)",
                [sorted(sources)],
            ).fetchall()
        }
    return known


def for_table(table: str, rows: pa.Table) -> Any:
    """`rows`, marked for a raw table that is created when it is not there."""
    import dlt

    columns: list[TColumnSchema] = [
        {
            "name": column.name,
            **({"data_type": "json"} if column.name == "payload" else _DLT_TYPES[column.type]),
        }
        for column in rows.schema
    ]
    hints = dlt.mark.make_hints(table_name=table, columns=columns, write_disposition="append")
    return dlt.mark.with_hints(rows, hints, create_table_variant=True)


def listing_tables(entities: Collection[Entity]) -> dict[str, pa.Schema]:
    """The raw tables of these listings, and of the log of their sweeps."""
    schemas = {entity.table: LANDED_RECORDS for entity in entities}
    return schemas | {"sweeps": SWEEPS, "rejected_lines": REJECTED_LINES}


def missing_tables(
    connection: duckdb.DuckDBPyConnection, schemas: Mapping[str, pa.Schema]
) -> Iterator[Any]:
    """An item without rows for each raw table that is not there, so that the load creates it."""
    for table in sorted(schemas.keys() - raw_tables(connection)):
        yield for_table(table, schemas[table].empty_table())


def load(
    connection: duckdb.DuckDBPyConnection, path: Path, make_source: Callable[[], "DltSource"]
) -> None:
    """Runs a dlt source into the raw schema as one load package.

    dlt's working files live beside the warehouse and belong to this call: what a killed run has
    left is removed. Raises the source's own error, or WarehouseError.
    """
    import dlt
    from dlt.pipeline.exceptions import PipelineStepFailed

    # dlt writes a table once it has 5,000 rows, which may be gigabytes; each of ours is a batch.
    os.environ["DATA_WRITER__BUFFER_MAX_ITEMS"] = "1"
    working = path.with_suffix(".dlt")
    try:
        # Of a load that has failed a moment ago, on this connection.
        _remove_incomplete_loads(connection)
    except duckdb.Error as error:
        raise WarehouseError(f"{path}: what a failed load left stays: {error}") from None
    try:
        shutil.rmtree(working, ignore_errors=True)
        working.mkdir()
    except OSError as error:
        raise WarehouseError(f"{working} cannot be made: {error.strerror or error}.") from None
    with TemporaryDirectory(dir=working, ignore_cleanup_errors=True) as directory:
        try:
            pipeline = dlt.pipeline(
                "marketfinder",
                pipelines_dir=directory,
                destination=dlt.destinations.duckdb(connection),
                dataset_name=RAW,
            )
            try:
                pipeline.run(make_source(), loader_file_format="parquet")
            finally:
                pipeline.deactivate()
        except PipelineStepFailed as error:
            raise _own_error(error) or WarehouseError(
                f"{path}: the load failed while dlt ran its step {error.step!r}: {error.exception}"
            ) from error
        except OSError as error:
            # Of dlt's own files, which it does not wrap: a full disk.
            raise WarehouseError(
                f"{working} cannot be written: {error.strerror or error}. Nothing of this load is"
                " kept; run again when there is room."
            ) from None


def _own_error(error: BaseException | None) -> MarketFinderError | None:
    """The error of this package that dlt has wrapped."""
    while error is not None and not isinstance(error, MarketFinderError):
        error = error.__cause__ or error.__context__
    return error
