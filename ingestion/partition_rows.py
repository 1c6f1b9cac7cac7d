"""Rows cut into Hive partitions, in SQL: their directories, their fingerprints, their files."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ingestion.errors import ParquetError
from ingestion.partition_files import DAY_KEYS, FINGERPRINT, KEYS, literal, read_list

# Part of every fingerprint: another number has every file written anew.
_FORMAT = 1
_ROW_GROUP_SIZE = 122_880  # DuckDB's default; a thread works on one row group at a time
_SOURCE_FILE = "_source_file"


@dataclass(frozen=True)
class Rows:
    """What can be cut into partitions: something to select from, its columns and their types.

    `order` is the time, then the key. `files` says that each row's file is known.
    """

    relation: str
    columns: Mapping[str, str]
    order: tuple[str, ...]
    files: bool = False


@dataclass(frozen=True)
class Partition:
    """Rows that share a directory: how to find them, and what they amount to."""

    directory: str
    rows: int
    fingerprint: str
    condition: str
    parameters: tuple[Any, ...]
    files: tuple[Path, ...] = ()


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Names and types of what can be selected from."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    return {name: type_name for name, type_name, *_ in described}


def _hashed(columns: Mapping[str, str]) -> str:
    """The hash of one row, whatever the order of its columns.

    DuckDB's hash of a nested value runs over what is in it and not over where it begins and ends:
    `{a: [1], b: [2]}` and `{a: [1, 2], b: []}` are equal to it, and so are `[]` and null. A plain
    list is told apart by its length; other nested values by their text, at ten times the cost.
    """
    values = []
    for name, type_name in sorted(columns.items()):
        value = quoted(name)
        if re.fullmatch(r"(?!.*(MAP|UNION)\()[^\[\]]+\[\]", type_name):
            values += [f"len({value})", value]
        elif re.search(r"\[|(STRUCT|MAP|UNION)\(", type_name):
            values.append(f"{value}::varchar")
        else:
            values.append(value)
    return f"hash({', '.join(values)})"


def _fingerprint(columns: Mapping[str, str], rows: int, hashes: int | None) -> str:
    """A text that is equal for the same rows in any order, with the same columns."""
    names = repr(sorted(columns.items())).encode()
    return f"{_FORMAT}-{rows}-{hashes or 0:x}-{hashlib.sha256(names).hexdigest()[:16]}"


def fingerprint(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, str]
) -> tuple[int, str]:
    """How many rows there are, and their fingerprint."""
    query = f"select count(*), sum({_hashed(columns)}) from {relation}"
    [(rows, hashes)] = connection.execute(query).fetchall()
    return rows, _fingerprint(columns, rows, hashes)


def _key_value(key: str, time: str) -> str:
    return f"{key}({quoted(time)})" if key in DAY_KEYS else f"{quoted(key)}::varchar"


def _directory_name(key: str) -> str:
    """The name of a partition's directory, as DuckDB writes it.

    DuckDB reads back what looks like a number or a date as one if all do, and the text 'NULL' as
    null, unless a character is encoded.
    """
    if key == "year":
        return "'year=' || format('{:04d}', year)"
    if key in DAY_KEYS:
        return f"'{key}=' || format('{{:02d}}', {key})"
    encoded = f"url_encode({key})"
    return f"""'{key}=' || case
        when {key} is null then '__HIVE_DEFAULT_PARTITION__'
        when upper({key}) in ('NULL', '__HIVE_DEFAULT_PARTITION__')
            or try_cast({encoded} as bigint) is not null
            or try_cast({encoded} as timestamp) is not null
        then '%' || hex({key}[1]) || url_encode({key}[2:])
        else {encoded}
    end"""


def partitions(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    keys: Sequence[str],
    *,
    since: str | None = None,
) -> list[Partition]:
    """The partitions of the rows, with fingerprints of their content, in one pass.

    Raises ParquetError for rows without a day.
    """
    content = without(rows.columns, keys)
    time = quoted(rows.order[0])
    values = ", ".join(f"{_key_value(key, rows.order[0])} as {key}" for key in keys)
    files = f"list(distinct {_SOURCE_FILE})" if rows.files else "[]::varchar[]"
    # The range is kept as text: Python's datetime has no nanoseconds.
    found = connection.execute(
        f"""
        with cut as (
            select
                {values},
                count(*) as row_count,
                sum({_hashed(content)}) as hashes,
                min({time})::varchar as first_time,
                max({time})::varchar as last_time,
                count(*) filter (where {time} is null or not isfinite({time})) as timeless,
                {files} as files,
            from {rows.relation}
            {f"where {time} >= cast(? as timestamp)" if since else ""}
            group by {", ".join(map(str, range(1, len(keys) + 1)))}
        )

        select
            concat_ws('/', {", ".join(map(_directory_name, keys))}) as directory,
            row_count, hashes, first_time, last_time, timeless, files,
            {", ".join(keys)},
        from cut
        order by directory
        """,
        [since] if since else [],
    ).fetchall()
    if timeless := sum(row[5] for row in found):
        raise ParquetError(
            f"{timeless:,} rows have no {rows.order[0]}, or an infinite one, so they belong to no"
            " day. Correct them, or leave them out of the table."
        )
    cut = []
    for directory, count, hashes, first, last, _, sources, *key_values in found:
        condition, parameters = _condition(rows, dict(zip(keys, key_values, strict=True)))
        cut.append(
            Partition(
                directory,
                count,
                _fingerprint(content, count, hashes),
                condition,
                (first, last, *parameters),
                tuple(map(Path, sources)),
            )
        )
    return cut


def _condition(rows: Rows, key_values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The rows of one partition; the range of times lets DuckDB skip what lies elsewhere."""
    time = quoted(rows.order[0])
    time_type = rows.columns[rows.order[0]]
    conditions = [f"{time} between cast(? as {time_type}) and cast(? as {time_type})"]
    parameters = []
    for key, value in key_values.items():
        expression = _key_value(key, rows.order[0])
        conditions.append(f"{expression} is null" if value is None else f"{expression} = ?")
        parameters += [] if value is None else [value]
    return " and ".join(conditions), parameters


def without(columns: Mapping[str, str], keys: Collection[str]) -> dict[str, str]:
    """The columns that are in a file: those that are not in its directory's name."""
    return {name: type_name for name, type_name in columns.items() if name not in keys}


def write_partition(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    partition: Partition,
    keys: Sequence[str],
    file: Path,
) -> None:
    """Writes the sorted rows of one partition into a file, as `write_sorted`."""
    content = without(rows.columns, keys)
    query = f"""
        select {", ".join(map(quoted, content))}
        from {rows.relation}
        where {partition.condition}
    """
    write_sorted(
        connection, query, partition.parameters, content, rows.order, partition.fingerprint, file
    )


def write_sorted(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[Any],
    columns: Mapping[str, str],
    order: Sequence[str],
    expected: str,
    file: Path,
) -> None:
    """Writes what a query finds into one file, sorted, and reads it again.

    Raises ParquetError when the fingerprint of the file's rows is not the expected one.
    """
    sort = ", ".join(quoted(name) for name in order if name in columns)
    connection.execute(
        f"""
        copy ({query} order by {sort}) to {literal(str(file))} (
            format parquet,
            compression zstd,
            compression_level 3,
            row_group_size {_ROW_GROUP_SIZE},
            kv_metadata {{{FINGERPRINT}: {literal(expected)}}}
        )
        """,
        parameters,
    )
    relation = f"read_parquet({literal(str(file))}, hive_partitioning = false)"
    _, found = fingerprint(connection, relation, columns_of(connection, relation))
    if found != expected:
        raise ParquetError(
            f"What was written is not what was read (fingerprint {found}, not {expected}), so the"
            " files are left as they were. A column's type may not fit Parquet: cast it, for"
            " instance an INTERVAL to a number of microseconds."
        )


def check_keys(keys: Sequence[str]) -> None:
    """Raises ParquetError unless these can be keys of partitions."""
    if not keys or len(set(keys)) < len(keys) or not set(keys) <= set(KEYS):
        raise ParquetError(
            f"{', '.join(keys) or 'Nothing'} cannot be the partition keys: choose from"
            f" {', '.join(KEYS)}, each once."
        )


def scan(files: Sequence[Path], hive_keys: Sequence[str], columns: Mapping[str, str]) -> str:
    """The rows of files to select from, with the columns in their directories' names as texts."""
    types = ", ".join(f"{key}: varchar" for key in hive_keys)
    return f"""(
        select {", ".join(map(quoted, columns))}, {_SOURCE_FILE}
        from read_parquet(
            {read_list(files)},
            union_by_name = true,
            filename = '{_SOURCE_FILE}',
            hive_partitioning = {"true" if hive_keys else "false"}
            {f", hive_types = {{{types}}}" if hive_keys else ""}
        )
    )"""
