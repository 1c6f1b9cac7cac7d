"""Parquet files in Hive directories, and how a set of them takes the place of another in one step.

Files are prepared in a directory beside the dataset and get their place by a single system call.
So a killed command leaves the old files or the new ones, and in that directory nothing that would
be missed: the next command empties it, and there is nothing to replay.
"""

import ctypes
import errno
import os
import re
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import duckdb

from ingestion.errors import ParquetError

if sys.platform != "win32":
    import fcntl

# The key of a Parquet footer that says what the file holds.
FINGERPRINT = "marketfinder_fingerprint"
# Beside a dataset, not in it: globs of DuckDB find hidden directories too.
WORK = ".parquet_work"

_ENCODED = "(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})*"
_KEY_PATTERNS = {
    "exchange": _ENCODED,
    "symbol": _ENCODED,
    "year": r"-?\d{3,}",
    "month": r"\d\d",
    "day": r"\d\d",
}
KEYS = tuple(_KEY_PATTERNS)
DAY_KEYS = frozenset({"year", "month", "day"})


def parquet_files(dataset: Path) -> dict[str, list[Path]]:
    """The Parquet files below a directory, by their own directory relative to it."""
    files: dict[str, list[Path]] = {}
    for file in sorted(dataset.rglob("*.parquet")):
        if file.is_file() and WORK not in file.relative_to(dataset).parts:
            files.setdefault(file.parent.relative_to(dataset).as_posix(), []).append(file)
    return files


def is_laid_out(directory: str, keys: Sequence[str]) -> bool:
    """Whether a directory is named as this package names the partitions of these keys."""
    pattern = "/".join(f"{key}={_KEY_PATTERNS[key]}" for key in keys)
    return re.fullmatch(pattern, directory, re.ASCII) is not None


def stored_fingerprints(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path]
) -> dict[Path, str]:
    """What the files say that they hold; not of files that say nothing or cannot be read."""
    if not files:
        return {}
    query = f"""
        select file_name, value
        from parquet_kv_metadata({read_list(files)})
        where key = '{FINGERPRINT}'::blob
    """
    try:
        found = connection.execute(query).fetchall()
    except duckdb.Error:
        # One file of many is damaged: which one, only asking for each can tell.
        middle = len(files) // 2
        if not middle:
            return {}
        first, second = files[:middle], files[middle:]
        return stored_fingerprints(connection, first) | stored_fingerprints(connection, second)
    return {Path(file): value.decode(errors="replace") for file, value in found}


@contextmanager
def workspace(*datasets: Path) -> Iterator[Path]:
    """An empty directory beside the first dataset, while no other command works on any of them.

    Raises ParquetError for what the file system refuses, here and in the block.
    """
    if sys.platform == "win32":
        raise ParquetError("Partitions can be kept on Linux and macOS only.")
    work = datasets[0].parent / WORK
    with ExitStack() as ends:
        try:
            for dataset in datasets:
                dataset.parent.mkdir(parents=True, exist_ok=True)
            # The dataset as well: its parent is not locked by who works on a part of it.
            places = {path.resolve() for dataset in datasets for path in (dataset, dataset.parent)}
            for place in sorted(filter(Path.is_dir, places)):
                _lock(place, ends)
            if work.exists():
                shutil.rmtree(work)
            work.mkdir()
            ends.callback(shutil.rmtree, work, ignore_errors=True)
            yield work
        except OSError as error:
            file = error.filename2 or error.filename or work
            raise ParquetError(
                f"{file} cannot be written: {error.strerror or error}. Choose a directory that"
                " you may write to, with room. No partition was left half-written."
            ) from None


def _lock(directory: Path, ends: ExitStack) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    ends.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ParquetError(
            f"Another command is working on {directory}. Wait until it ends."
        ) from None


def put(staged: Path | None, directory: Path, replaced: Collection[str], work: Path) -> None:
    """Replaces files of a directory by one file, or by none, in one step for its readers.

    One file is replaced under its own name. Of several the whole directory is exchanged for
    another, in which the new file has a new name: a reader that has listed the old names opens
    all of them or gets an error; it never reads old rows beside new ones.
    """
    if len(replaced) > 1:
        _exchange_files(staged, directory, replaced, work)
    elif staged:
        flush(staged)
        directory.mkdir(parents=True, exist_ok=True)
        staged.replace(directory / next(iter(replaced), new_name()))
        flush(directory)
    else:
        for name in replaced:
            (directory / name).unlink()
        flush(directory)


def _exchange_files(
    staged: Path | None, directory: Path, replaced: Collection[str], work: Path
) -> None:
    before = {entry.name for entry in directory.iterdir()}
    twin = work / uuid4().hex
    twin.mkdir()
    shutil.copymode(directory, twin)
    for name in before - set(replaced):
        if (directory / name).is_dir():
            raise ParquetError(
                f"{directory} holds both Parquet files and the directory {name}. Bring the dataset"
                " into one layout with repartition."
            )
        os.link(directory / name, twin / name)
    if staged:
        flush(staged)
        staged.rename(twin / new_name())
    flush(twin)
    exchange(twin, directory)
    if {entry.name for entry in twin.iterdir()} != before:
        exchange(twin, directory)
        raise ParquetError(
            f"{directory} was written to by another program while its files were merged. They are"
            " as they were; run again when it has ended."
        )
    flush(directory.parent)
    shutil.rmtree(twin)


def new_name() -> str:
    """A file name that no listing of a reader can hold yet."""
    return f"data_{uuid4().hex}.parquet"


def remove_empty(directory: Path, dataset: Path) -> None:
    """Removes a directory and those above it, up to the dataset, as far as they are empty."""
    while directory != dataset and not any(directory.iterdir()):
        directory.rmdir()
        directory = directory.parent


def flush(path: Path) -> None:
    """Waits until a file, or the entries of a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exchange(one: Path, other: Path) -> None:
    """Gives two directories each other's name in one step: at no moment is either absent.

    Raises ParquetError when the file system has no such step.
    """
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        failed = library.renamex_np(*names, 2)  # RENAME_SWAP
    elif hasattr(library, "renameat2"):
        here = -100  # AT_FDCWD, for paths that are relative
        failed = library.renameat2(here, names[0], here, names[1], 2)  # RENAME_EXCHANGE
    else:
        failed, _ = -1, ctypes.set_errno(errno.ENOSYS)
    if not failed:
        return
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV}:
        raise ParquetError(
            f"The file system of {other} cannot exchange two directories in one step, so readers"
            " could see rows twice or not at all. Use a local disk (ext4, XFS, btrfs, APFS), or"
            " repartition into a new directory there."
        )
    raise OSError(code, os.strerror(code), str(other))


def read_list(files: Sequence[Path]) -> str:
    """The files as a list in SQL."""
    return f"[{', '.join(literal(str(file)) for file in files)}]"


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def unreadable(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], error: duckdb.Error
) -> ParquetError:
    """Names the file for which a query over `files` has failed."""
    for file in files:
        try:
            # A hash has every value read; a count can be answered from the footer.
            connection.execute(
                f"select max(hash(columns(*))) from read_parquet({read_list([file])})"
            )
        except duckdb.Error as problem:
            reason = str(problem).splitlines()[0]
            return ParquetError(
                f"{file} cannot be read as Parquet: {reason} Restore it, or move it out of the"
                " dataset, and run again; nothing was changed in its directory."
            )
    return ParquetError(
        f"The files of {files[0].parent} can be read one by one, but not put together: {error}"
    )
