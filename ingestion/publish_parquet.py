"""`marketfinder publish parquet`: a whole set of Parquet files, at once or not at all.

DuckDB writes them itself: dlt's filesystem destination would know neither the descriptions of the
columns nor a moment at which one set of files takes the place of another.
"""

import json
import os
import shutil
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import duckdb

from ingestion.errors import PublishError
from ingestion.outward import only_publisher, quoted, refuse_the_other_kind
from ingestion.publish_tables import PUBLICATION, Table, TablesPublication, chosen_tables
from ingestion.settings import Settings
from ingestion.simulation import MARK, is_simulated
from ingestion.venues import Progress


def publish_parquet(
    settings: Settings,
    *,
    names: Sequence[str] = (),
    to: Path | None = None,
    progress: Progress | None = None,
) -> TablesPublication:
    """Writes a Parquet file for each table into a new folder, and turns the link `current` to it.

    Whoever has resolved the link reads the set before to its end: it stays until the one after the
    next.
    Raises PublishError, and what was published before stays.
    """
    begun = time.monotonic()
    with (
        only_publisher(settings, "parquet") as own,
        chosen_tables(settings, names) as (connection, tables),
    ):
        target = to or own
        ((state,),) = connection.execute("select warehouse_state from gold.publication").fetchall()
        key = sha256(json.dumps([state, [table.name for table in tables]]).encode()).hexdigest()
        # Names begin with the second, so that they sort in time.
        ((stamp,),) = connection.execute(
            "select strftime(published_at, '%Y%m%dT%H%M%S') from gold.publication"
        ).fetchall()
        folder, current = target / f"{stamp}-{key[:12]}", target / "current"
        rows: dict[str, int] = {}
        try:
            before = current.resolve().name if current.exists() else ""
            if before == folder.name:
                return TablesPublication(str(current), rows, 0)
            if before:
                held = _holds_simulated(connection, current)
                refuse_the_other_kind(str(target), held, is_simulated(connection))
            _write_set(connection, tables, folder, rows, progress)
            _turn(current, folder.name)
            _forget(target, {folder.name, before})
        except (OSError, duckdb.Error) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise PublishError(
                f"{target} cannot be written: {reason} What was published before stays."
            ) from None
    return TablesPublication(str(current), rows, time.monotonic() - begun)


def _holds_simulated(connection: duckdb.DuckDBPyConnection, current: Path) -> bool:
    """Whether the current set is of simulated data, as it says itself; one of before it did so is
    not."""
    file = quoted(current / f"{PUBLICATION.short}.parquet")
    told = connection.execute(
        "select coalesce(bool_or(is_simulated), false) from"
        f" (select false as is_simulated union all by name from read_parquet({file}))"
    ).fetchall()
    return bool(told[0][0])


def _write_set(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[Table],
    folder: Path,
    rows: dict[str, int],
    progress: Progress | None,
) -> None:
    new = folder.with_name(f".new-{folder.name}")
    for left in (new, folder):
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir(parents=True)
    mark = f"{MARK} " if is_simulated(connection) else ""
    for number, table in enumerate(tables, 1):
        description, columns = _comments(connection, table)
        path = new / f"{table.short}.parquet"
        ((count,),) = connection.execute(
            f"copy {table.name} to {quoted(path)} (format parquet, compression zstd, kv_metadata {{"
            f"description: {quoted(mark + description)}, columns: {quoted(json.dumps(columns))}}})"
        ).fetchall()
        rows[table.short] = count
        _flush(path)
        if progress:
            progress("parquet", number, len(tables))
    new.rename(folder)


def _comments(
    connection: duckdb.DuckDBPyConnection, table: Table
) -> tuple[str, dict[str, str | None]]:
    """What a table is, and each of its columns."""
    own = connection.execute(
        """
        select comment from duckdb_tables() where schema_name = 'gold' and table_name = $name
        union all
        select comment from duckdb_views() where schema_name = 'gold' and view_name = $name
        """,
        {"name": table.short},
    ).fetchall()
    columns = connection.execute(
        "select column_name, comment from duckdb_columns()"
        " where schema_name = 'gold' and table_name = $name order by column_index",
        {"name": table.short},
    ).fetchall()
    return (own[0][0] or "" if own else ""), dict(columns)


def _turn(current: Path, name: str) -> None:
    """The link, from one set to the next, at once."""
    new = current.with_name(".new-current")
    new.unlink(missing_ok=True)
    new.symlink_to(name)
    new.replace(current)
    _flush(current.parent)


def _forget(target: Path, kept: set[str]) -> None:
    """Removes sets that are neither current nor the one before, and what killed ones have left."""
    for folder in target.iterdir():
        is_set = (folder / f"{PUBLICATION.short}.parquet").exists()
        is_ours = is_set or folder.name.startswith(".new-")
        if is_ours and not folder.is_symlink() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
