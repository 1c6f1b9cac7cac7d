"""Parquet datasets made better to read: small files merged, partitions cut along other keys.

Both work on any Hive-partitioned dataset, whoever wrote it. While they run, other programs may add
files to a dataset that is compacted, but may not rewrite its files in place.

At no moment does a directory hold old files beside new ones. But a reader takes several steps: one
that has listed files and opens them after they were replaced gets an error and has to ask again,
and one that is listing them at that very moment can miss the partition (DuckDB asks for each name
it has listed whether it is a file, and passes over those that are gone: about one read in ten
thousand of a reader that never pauses, while a partition is replaced five times a second). Who
cannot have that repartitions into a new directory and then points the readers to it.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import duckdb

from ingestion.errors import ParquetError
from ingestion.partition_files import (
    DAY_KEYS,
    KEYS,
    exchange,
    flush,
    is_laid_out,
    new_name,
    parquet_files,
    put,
    read_list,
    unreadable,
    workspace,
)
from ingestion.partition_rows import (
    Rows,
    check_keys,
    columns_of,
    fingerprint,
    partitions,
    scan,
    write_partition,
    write_sorted,
)
from ingestion.partitions import TABLES


@dataclass
class CompactResult:
    """What one compaction did: directories with merged files, and files and rows in them."""

    partitions: int = 0
    files: int = 0
    rows: int = 0
    unchanged: int = 0


@dataclass
class RepartitionResult:
    """What one repartition wrote, and where; nothing if the dataset had this layout already."""

    dataset: Path
    partitions: int = 0
    rows: int = 0


def compact(
    dataset: Path, *, smaller_than: int = 64_000_000, order_by: Sequence[str] = ()
) -> CompactResult:
    """Merges the files of each directory that are smaller than so many bytes into a sorted one.

    `order_by` are the columns to sort by; by default the time and key of the order-book table that
    has the same columns. The merged file is read again and compared before the others go.

    Raises ParquetError when a file cannot be read, or the file system refuses.
    """
    dataset = _existing(dataset)
    result = CompactResult()
    with workspace(dataset) as work, _engine(work) as connection:
        for files in _some_files(dataset).values():
            small = [file for file in files if file.stat().st_size < smaller_than]
            if len(small) < 2:
                result.unchanged += 1
                continue
            result.rows += _merge(connection, small, order_by, work)
            result.partitions += 1
            result.files += len(small)
    return result


def _merge(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    order_by: Sequence[str],
    work: Path,
) -> int:
    """Puts one sorted file in the place of some of a directory; returns how many rows it has."""
    relation = f"read_parquet({read_list(files)}, union_by_name = true, hive_partitioning = false)"
    staged = work / f"{uuid4().hex}.staged"
    try:
        columns = columns_of(connection, relation)
        order = _order(columns, order_by, files[0])
        rows, expected = fingerprint(connection, relation, columns)
        query = f"select * from {relation}"
        write_sorted(connection, query, (), columns, order, expected, staged)
    except duckdb.Error as error:
        raise unreadable(connection, files, error) from None
    put(staged, files[0].parent, [file.name for file in files], work)
    return rows


def repartition(
    dataset: Path,
    keys: Sequence[str],
    *,
    into: Path | None = None,
    order_by: Sequence[str] = (),
) -> RepartitionResult:
    """Cuts a dataset along other keys, into a new directory or in its own place.

    `keys` are some of exchange, symbol, year, month and day, the outermost first. The new files
    are complete before any of them is seen: the directory gets its place in one step.

    Raises ParquetError when the keys do not fit, a file cannot be read, or `into` holds something.
    """
    check_keys(keys)
    dataset = _existing(dataset)
    if into and into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise ParquetError(f"{into} is there already. Choose a new directory, or empty that one.")
    into = into and into.resolve()
    result = RepartitionResult(into or dataset)
    with workspace(result.dataset, dataset) as work, _engine(work) as connection:
        present = _some_files(dataset)
        if not into and all(is_laid_out(directory, keys) for directory in present):
            return result
        files = [file for group in present.values() for file in group]
        new = work / "dataset"
        try:
            rows, hive_keys = _rows_of(connection, dataset, present, order_by)
            if missing := sorted({"exchange", "symbol"} & set(keys) - rows.columns.keys()):
                raise ParquetError(f"{dataset} has no column {', '.join(missing)} to be cut along.")
            cut = partitions(connection, rows, keys)
            if not cut:
                raise ParquetError(f"{dataset} has files but no row, so there is nothing to cut.")
            for partition in cut:
                place = new / partition.directory
                place.mkdir(parents=True)
                own = replace(rows, relation=scan(partition.files, hive_keys, rows.columns))
                write_partition(connection, own, partition, keys, place / new_name())
                result.rows += partition.rows
                result.partitions += 1
        except duckdb.Error as error:
            raise unreadable(connection, files, error) from None
        for path in (*new.rglob("*"), new):
            flush(path)
        if into:
            new.rename(into)
        else:
            _take_place(new, dataset, present)
        flush(result.dataset.parent)
    return result


def _take_place(new: Path, dataset: Path, present: dict[str, list[Path]]) -> None:
    """Exchanges the new files for the old ones, unless more than those would go with them."""
    others = [
        path
        for path in dataset.rglob("*")
        if path.suffix != ".parquet" and not path.is_dir() and path.name[0] not in "._"
    ]
    if others:
        raise ParquetError(
            f"{others[0]} is no Parquet file and would be lost. Move it out of the dataset, or"
            " repartition into a new directory."
        )
    shutil.copymode(dataset, new)
    exchange(new, dataset)
    if _names(parquet_files(new)) != _names(present):
        exchange(new, dataset)
        raise ParquetError(
            f"{dataset} was written to by another program in the meantime. It is as it was; run"
            " again when that has ended."
        )


def _names(present: dict[str, list[Path]]) -> dict[str, list[str]]:
    return {directory: [file.name for file in files] for directory, files in present.items()}


def _rows_of(
    connection: duckdb.DuckDBPyConnection,
    dataset: Path,
    present: dict[str, list[Path]],
    order_by: Sequence[str],
) -> tuple[Rows, list[str]]:
    """The rows of a dataset, without what follows from their time, and its own partition keys."""
    hive_keys = _hive_keys(dataset, present)
    files = [file for group in present.values() for file in group]
    columns = columns_of(
        connection,
        f"read_parquet({read_list(files)}, union_by_name = true, hive_partitioning = false)",
    )
    order = _order(columns, order_by, dataset)
    if not columns[order[0]].startswith("TIMESTAMP") or "ZONE" in columns[order[0]]:
        raise ParquetError(
            f"{dataset}: {order[0]} is {columns[order[0]]}, not a TIMESTAMP in UTC, so its day"
            " depends on the reader. Sort by another column, or write it as one."
        )
    if taken := sorted(DAY_KEYS & columns.keys() - set(hive_keys)):
        raise ParquetError(
            f"{dataset} has a column {', '.join(taken)}, which is the name of a partition key."
            " Rename it."
        )
    texts = dict.fromkeys(hive_keys, "VARCHAR")
    kept = {
        name: type_name for name, type_name in (columns | texts).items() if name not in DAY_KEYS
    }
    return Rows(scan(files, hive_keys, kept), kept, order, files=True), hive_keys


def _hive_keys(dataset: Path, present: dict[str, list[Path]]) -> list[str]:
    """The keys in the names of the directories. Raises ParquetError unless all have the same."""
    layouts = {
        tuple(part.partition("=")[0] for part in directory.split("/") if "=" in part)
        for directory in present
    }
    if len(layouts) > 1:
        shown = " and ".join("/".join(layout) or "no keys" for layout in sorted(layouts))
        raise ParquetError(
            f"{dataset} mixes layouts ({shown}), so rows may be in it twice. Move the files of one"
            " of them away."
        )
    hive_keys = list(layouts.pop())
    if unknown := [key for key in hive_keys if key not in KEYS]:
        raise ParquetError(
            f"{dataset} is cut along {', '.join(unknown)}; only {', '.join(KEYS)} are understood."
        )
    return hive_keys


def _existing(dataset: Path) -> Path:
    """The directory itself, not a link to it: its files are exchanged where they are."""
    if dataset.is_dir():
        return dataset.resolve()
    raise ParquetError(f"{dataset} is not a directory. Name that of a dataset.")


def _some_files(dataset: Path) -> dict[str, list[Path]]:
    if present := parquet_files(dataset):
        return present
    raise ParquetError(f"{dataset} holds no Parquet file. Is it the dataset's own directory?")


def _order(columns: dict[str, str], order_by: Sequence[str], place: Path) -> tuple[str, ...]:
    """What to sort by: as told, else as the order-book table with such columns."""
    known = [table.order for table in TABLES.values() if set(table.order) <= columns.keys()]
    order = tuple(order_by) or next(iter(known), ())
    if order and set(order) <= columns.keys():
        return order
    missing = ", ".join(name for name in order if name not in columns)
    raise ParquetError(
        f"{place} has no column {missing}; it has {', '.join(columns)}."
        if missing
        else f"{place} has no known time column, only {', '.join(columns)}. Name the columns to"
        " sort by, the time first, with --order-by."
    )


@contextmanager
def _engine(work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB without a warehouse; what does not fit into memory goes beside the dataset."""
    with duckdb.connect() as connection:
        connection.execute("set temp_directory = ?", [str(work / "spilled")])
        yield connection
