"""Recorded segments of order-book feeds: which files there are, and what becomes of them.

A recorder writes below `raw/active/` and moves a segment to `raw/ready/` when it is complete; only
`ready` is read. The folder says what a file holds: `coinbase/`, `ccxt/orderbook/`, `ccxt/trades/`,
`ccxt/ticker/`. A folder below one of these is a stream of its own: another recorder, another
connection. Segments of a stream follow on one another in order of name.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from ingestion.errors import FileError
from ingestion.landing import storable

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


class Disposal(StrEnum):
    """What becomes of a segment once it is loaded."""

    ARCHIVE = "archive"
    DELETE = "delete"
    KEEP = "keep"


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
            return cast(IO[bytes], pa.input_stream(str(self.path), compression=compression))

    def content_hash(self) -> str:
        """SHA-256 of the unpacked content: the same lines packed otherwise are the same segment.

        Raises FileError.
        """
        digest = hashlib.sha256()
        with reading(self.path), self.open() as content:
            while block := content.read(_READ_BYTES):
                digest.update(block)
        return digest.hexdigest()


def unreadable(path: Path, reason: str) -> FileError:
    """The error of a damaged segment."""
    return FileError(
        f"{path} cannot be read: {reason}. It stays where it is and nothing of it was loaded;"
        " record or copy it again, or move it away."
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what reading a damaged file raises into a FileError that names it."""
    try:
        yield
    except (EOFError, OSError, pa.ArrowInvalid) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise unreadable(path, reason) from None


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
    return sorted(_segments(root, ready), key=lambda one: (one.feed, one.stream, one.path.name))


def _segments(root: Path, ready: Path) -> Iterator[Segment]:
    for folder, feed in FEEDS.items():
        for path in (ready / folder).rglob("*"):
            if path.name.startswith(".") or not _is_segment(path, feed):
                continue
            state = path.stat()
            yield Segment(
                root,
                path,
                feed,
                storable(path.parent.relative_to(ready).as_posix()),
                state.st_size,
                datetime.fromtimestamp(int(state.st_mtime), UTC),
            )


def _is_segment(path: Path, feed: str) -> bool:
    name = path.name
    for suffix in _COMPRESSIONS:
        name = name.removesuffix(suffix)
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
            f"{segment.path} is loaded, but it cannot be moved away: {error.strerror or error}."
            " It will not be loaded again."
        ) from None


def _free_name(target: Path) -> Path:
    """`target`, or the same with a number where another segment of that name was archived."""
    name, number = target, 1
    while name.exists():
        number += 1
        name = target.with_name(f"{number}-{target.name}")
    return name
