"""Recorded segments of order-book feeds: which files there are, and what becomes of them.

A recorder writes below `raw/active/` and moves a segment to `raw/ready/` when it is complete; only
`ready` is read. The folder says what a file holds: `coinbase/`, `ccxt/orderbook/`, `ccxt/trades/`,
`ccxt/ticker/`. A folder below one of these is a stream of its own: another recorder, another
connection. Segments of a stream follow on one another in order of name, numbers in it by value.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingestion.errors import FileError
from ingestion.landing import storable
from ingestion.settings import Disposal

READY = Path("raw/ready")
ARCHIVE = Path("raw/archive")
FEEDS = {
    "coinbase": "coinbase",
    "ccxt/orderbook": "ccxt_order_books",
    "ccxt/trades": "ccxt_trades",
    "ccxt/ticker": "ccxt_tickers",
}
"""The folder of each feed below `raw/ready`, and its name, which is also its raw table's
(Coinbase's are frames)."""

_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_NAMED_TIME = re.compile(r"(\d{8}T\d{6})")
_READ_BYTES = 1 << 20
_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 20_000
_AS_JSON = """
select line, to_json(row)::varchar as text, null::varchar as trouble
from batch
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Segment:
    """One file below `raw/ready`."""

    root: Path
    path: Path
    feed: str
    stream: str
    """Its folder below `raw/ready`."""
    file_bytes: int
    modified_at: datetime

    @property
    def name(self) -> str:
        """Its path below `raw/ready`, fit to be stored."""
        return storable(self.path.relative_to(self.root / READY).as_posix())

    @property
    def is_parquet(self) -> bool:
        """Whether it is Parquet; else it is text, one JSON object a line."""
        return self.path.suffix == ".parquet"

    @property
    def named_time(self) -> datetime | None:
        """When it was begun, if its name says so (segment_20260809T210548_00001)."""
        found = _NAMED_TIME.search(self.path.name)
        try:
            return (
                datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found else None
            )
        except ValueError:
            return None

    def open(self) -> IO[bytes]:
        """Its content, unpacked. Raises FileError."""
        compression = _COMPRESSIONS.get(self.path.suffix)
        with reading(self.path):
            # As bytes, because a name need not be Unicode.
            file = pa.OSFile(os.fsencode(self.path))
            if compression is None:
                return cast(IO[bytes], file)
            if not file.size():
                raise unreadable(self.path, f"it is empty, which no {compression} file is")
            return cast(IO[bytes], pa.CompressedInputStream(file, compression))

    def json_rows(self) -> Iterator[pa.Table]:
        """The rows of a Parquet file as JSON, as if each were a line: line (from 1), text, trouble
        (always null). Raises FileError."""
        before = 0
        with reading(self.path), self.open() as file, duckdb.connect() as writer:
            writer.execute("set TimeZone = 'UTC'; set threads = 2")
            table = pq.ParquetFile(file, buffer_size=_READ_BYTES)
            for batch in table.iter_batches(_batch_rows(table.metadata)):
                batch.validate(full=True)
                numbers = pa.array(range(before + 1, before + 1 + len(batch)), pa.int64())
                before += len(batch)
                rows = pa.table({"line": numbers, "row": batch.to_struct_array()})
                yield writer.register("batch", rows).sql(_AS_JSON).to_arrow_table()

    def content_hash(self) -> str:
        """SHA-256 of the unpacked lines, of a Parquet file of its rows as JSON: the same content
        packed otherwise is the same segment.

        Raises FileError.
        """
        digest = hashlib.sha256()
        if self.is_parquet:
            for rows in self.json_rows():
                for text in rows["text"].chunks:
                    lines = pa.ListArray.from_arrays([0, len(text)], text)
                    digest.update(pc.binary_join(lines, "\n")[0].as_buffer())
                    digest.update(b"\n")
            return digest.hexdigest()
        with reading(self.path), self.open() as content:
            while block := content.read(_READ_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def has_changed(self) -> bool:
        """Whether the file is another than when it was found, or is gone."""
        try:
            state = self.path.stat()
        except OSError:
            return True
        return (state.st_size, _moment(state)) != (self.file_bytes, self.modified_at)


def _moment(state: os.stat_result) -> datetime:
    return _EPOCH + timedelta(microseconds=state.st_mtime_ns // 1_000)


def _batch_rows(metadata: pq.FileMetaData) -> int:
    """How many rows of a Parquet file are read at once: few where they are large."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    largest = max((one.total_byte_size // max(one.num_rows, 1) for one in groups), default=0)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(largest, 1)))


def unreadable(path: Path, reason: str) -> FileError:
    """The error of a damaged segment."""
    return FileError(
        f"{storable(str(path))} cannot be read: {reason.rstrip('.')}. It stays where it is and"
        " nothing of it was loaded; record or copy it again, or move it away."
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what reading a damaged file raises into a FileError that names it."""
    try:
        yield
    except (OSError, pa.ArrowException, duckdb.Error) as error:
        number = getattr(error, "errno", None)
        first, *_ = str(error).splitlines() or [type(error).__name__]
        raise unreadable(path, os.strerror(number) if number else first) from None


def find_segments(root: Path) -> list[Segment]:
    """The complete segments below `root`/raw/ready, in the order in which they are loaded.

    Raises FileError when there is no such folder.
    """
    ready = root / READY
    if not ready.is_dir():
        raise FileError(
            f"{ready} is not there. Recorders put complete segments into its folders"
            f" {', '.join(FEEDS)}; set MARKETFINDER_SEGMENTS if they are elsewhere."
        )
    return sorted(
        _segments(root, ready), key=lambda one: (one.feed, one.stream, *sorted_name(one.path.name))
    )


def sorted_name(name: str) -> tuple[str, str]:
    """What names are sorted by: segment_9 goes before segment_10."""
    return re.sub("[0-9]+", lambda number: number[0].zfill(20), name), name


def _segments(root: Path, ready: Path) -> Iterator[Segment]:
    for folder, feed in FEEDS.items():
        for path in (ready / folder).rglob("*"):
            is_hidden = any(part.startswith(".") for part in path.relative_to(ready).parts)
            if is_hidden or not _is_segment(path, feed):
                continue
            try:
                state = path.stat()
            except FileNotFoundError:
                continue  # somebody took it away just now
            yield Segment(
                root,
                path,
                feed,
                storable(path.parent.relative_to(ready).as_posix()),
                state.st_size,
                _moment(state),
            )


def _is_segment(path: Path, feed: str) -> bool:
    name = path.stem if path.suffix in _COMPRESSIONS else path.name
    is_text = name.endswith((".ndjson", ".jsonl"))
    is_table = path.suffix == ".parquet" and feed != "coinbase"
    return (is_text or is_table) and path.is_file()


def dispose(segment: Segment, how: Disposal) -> None:
    """Moves a loaded segment to `raw/archive`, deletes it or leaves it. Raises FileError."""
    try:
        if how is Disposal.DELETE:
            segment.path.unlink(missing_ok=True)
        elif how is Disposal.ARCHIVE and segment.path.exists():
            target = segment.root / ARCHIVE / segment.path.relative_to(segment.root / READY)
            target.parent.mkdir(parents=True, exist_ok=True)
            segment.path.rename(_free_name(target))
    except OSError as error:
        raise FileError(
            f"{storable(str(segment.path))} is loaded, but it cannot be moved away:"
            f" {error.strerror or error}. It will not be loaded again."
        ) from None


def _free_name(target: Path) -> Path:
    """`target`, or the same with a number where another segment of that name was archived."""
    name, number = target, 1
    while name.exists():
        number += 1
        name = target.with_name(f"{number}-{target.name}")
    return name
