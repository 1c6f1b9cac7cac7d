"""Recorded order-book segments into the raw schema, each exactly once by its content.

Segments are loaded whole, a few of them a load package. Once the package is complete they are
archived, deleted or kept; after a kill before that, the next run finds them loaded and only puts
them away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.errors import FileError
from ingestion.landing import REJECTED_LINES, naive_utc, storable
from ingestion.segment_lines import CCXT_RECORDS, COINBASE_FRAMES, Batch, mentions, read_batches
from ingestion.segments import FEEDS, Segment, dispose, find_segments, sorted_name, unreadable
from ingestion.settings import Disposal, Settings
from ingestion.venues import Clock, Progress, utc_now
from ingestion.warehouse import for_table, load, missing_tables, open_warehouse, raw_tables

if TYPE_CHECKING:
    from dlt.extract import DltSource

SEGMENTS = pa.schema(
    [
        ("segment_number", pa.int64()),
        ("content_hash", pa.string()),
        ("feed", pa.string()),
        ("stream", pa.string()),
        ("name", pa.string()),
        ("file_bytes", pa.int64()),
        ("file_modified_at", pa.timestamp("us")),
        ("rows", pa.int64()),
        ("rejected_lines", pa.int64()),
        ("first_at", pa.timestamp("us")),
        ("last_at", pa.timestamp("us")),
        ("run_id", pa.string()),
        ("loaded_at", pa.timestamp("us")),
        ("error", pa.string()),
    ]
)
TABLES = {feed: CCXT_RECORDS for feed in FEEDS.values() if feed != "coinbase"} | {
    "coinbase_frames": COINBASE_FRAMES,
    "segments": SEGMENTS,
    "rejected_lines": REJECTED_LINES,
}

_TIMES = dict.fromkeys(TABLES, "captured_at") | {"coinbase_frames": "sent_at"}
# Left to itself DuckDB keeps what it loads in memory, up to four fifths of the machine's. A second
# thread loads no faster and holds another hundred thousand rows.
_LOADING = "set force_compression = 'zstd'; set threads = 1"
_MEMORY_BYTES = 512 << 20
_VECTOR_ROWS = 2_048
"""So many rows DuckDB holds at once at least, be they small or megabytes each."""
_PACKAGE_BYTES = 256 << 20
_PACKAGE_SEGMENTS = 200


class Fate(StrEnum):
    """What became, or would become, of a segment."""

    LOADED = "loaded"
    KNOWN = "already loaded"
    PASSED_OVER = "outside the filters"
    FAILED = "failed"


@dataclass(frozen=True)
class Selection:
    """Which segments are wanted; a segment is loaded whole when any of it may be wanted."""

    exchange: str | None = None
    symbol: str | None = None
    start: date | None = None
    """UTC; the first day that is wanted."""
    end: date | None = None
    """UTC; the last day that is wanted."""
    limit: int | None = None
    """No further segment is loaded once so many rows are."""

    def wants(self, segment: Segment, ends_at: datetime | None) -> bool:
        """Whether any of it may be wanted; `ends_at` is when the next one of its stream begins."""
        begins_at = segment.named_time
        if self.end and begins_at and begins_at.date() > self.end:
            return False
        if self.start and ends_at and ends_at.date() < self.start:
            return False
        is_coinbase = segment.feed == "coinbase"
        if is_coinbase and self.exchange not in (None, "coinbase"):
            return False
        # CCXT records Coinbase as well.
        texts = [self.symbol] if is_coinbase else [self.exchange, self.symbol]
        return mentions(segment, [text for text in texts if text])


@dataclass
class SegmentOutcome:
    """One segment, and what became (or, of a plan, would become) of it."""

    segment: Segment
    fate: Fate
    content_hash: str = ""
    rows: int = 0
    rejected_lines: int = 0
    is_late: bool = False
    """It was recorded before another of its stream that was loaded earlier."""
    error: str | None = None


@dataclass
class OrderBookIngest:
    """What one run did with each segment."""

    run_id: str
    outcomes: list[SegmentOutcome] = field(default_factory=list)

    def of(self, fate: Fate) -> list[SegmentOutcome]:
        """The segments of one fate."""
        return [outcome for outcome in self.outcomes if outcome.fate is fate]


class _DamagedSegmentError(FileError):
    """A segment of a load package cannot be read."""

    def __init__(self, outcome: SegmentOutcome, error: FileError) -> None:
        super().__init__(str(error))
        self.outcome = outcome


def planned_segments(settings: Settings, selection: Selection) -> list[SegmentOutcome]:
    """What `ingest_order_books` would do with each segment, but that nobody knows the rows of a
    limit, or a damage inside a text, before the segment is read. Raises MarketFinderError."""
    if not settings.warehouse.exists():
        with duckdb.connect() as nothing:
            return _plan(nothing, settings, selection)
    with open_warehouse(settings.warehouse, read_only=True) as connection:
        return _plan(connection, settings, selection)


def ingest_order_books(
    settings: Settings,
    *,
    run_id: str,
    selection: Selection | None = None,
    clock: Clock = utc_now,
    progress: Progress | None = None,
) -> OrderBookIngest:
    """Loads the complete segments that are not loaded yet, and puts them away.

    A segment that cannot be read is noted in raw.segments and stays; the others go on.
    Raises MarketFinderError; a loaded segment that cannot be put away is one once all are loaded.
    """
    selection = selection or Selection()
    if not settings.warehouse.exists():
        find_segments(settings.segments)  # without a folder of them no warehouse is made
    with open_warehouse(settings.warehouse) as connection:
        connection.execute(_LOADING)
        outcomes = _plan(connection, settings, selection)
        run = _Run(connection, settings.warehouse, run_id, clock, progress)
        loaded_rows = 0
        problems: list[str] = []
        for package in _packages([one for one in outcomes if one.fate is Fate.LOADED], selection):
            if selection.limit and loaded_rows >= selection.limit:
                for outcome in package:
                    outcome.fate = Fate.PASSED_OVER
                continue
            run.load(package)
            loaded_rows += sum(outcome.rows for outcome in package)
            problems += _put_away(package, Fate.LOADED, settings)
        _share_fates(outcomes)
        problems += _put_away(outcomes, Fate.KNOWN, settings)
        failed = [one for one in outcomes if one.fate is Fate.FAILED]
        run.note_failures(failed)
    if problems:
        raise FileError("\n".join([*problems, *(one.error for one in failed if one.error)]))
    return OrderBookIngest(run_id, outcomes)


def _put_away(outcomes: list[SegmentOutcome], fate: Fate, settings: Settings) -> list[str]:
    """Disposes of the segments of one fate; what went wrong, a line for each reason."""
    problems: dict[str, str] = {}
    for outcome in outcomes:
        if outcome.fate is fate:
            try:
                dispose(outcome.segment, settings.loaded_segments)
            except FileError as error:
                problems.setdefault(str(error).partition("moved away: ")[2], str(error))
    return list(problems.values())


def _share_fates(outcomes: list[SegmentOutcome]) -> None:
    """A file with the content of another one of the same run is known only if that was loaded."""
    firsts: dict[tuple[str, str], SegmentOutcome] = {}
    for outcome in outcomes:
        if not outcome.content_hash:
            continue
        first = firsts.setdefault((outcome.segment.feed, outcome.content_hash), outcome)
        if outcome.fate is Fate.KNOWN and first.fate in (Fate.FAILED, Fate.PASSED_OVER):
            outcome.fate = first.fate
            if first.fate is Fate.FAILED:
                outcome.error = (
                    f"{storable(str(outcome.segment.path))} was not loaded: it is the same as"
                    f" {first.segment.name}, which failed. It stays; the next run tries it again."
                )


def _plan(
    connection: duckdb.DuckDBPyConnection, settings: Settings, selection: Selection
) -> list[SegmentOutcome]:
    """The fate of each segment, in the order of loading."""
    # A file that is to be put away must be known for certain; one that is kept is not read again.
    known = _Known(connection, trusts_files=settings.loaded_segments is Disposal.KEEP)
    segments = find_segments(settings.segments)
    outcomes = []
    for segment, following in zip_longest(segments, segments[1:]):
        same_stream = following and (following.feed, following.stream) == (
            segment.feed,
            segment.stream,
        )
        ends_at = following.named_time if following and same_stream else None
        outcomes.append(_planned(segment, ends_at, known, selection))
    return outcomes


def _planned(
    segment: Segment, ends_at: datetime | None, known: "_Known", selection: Selection
) -> SegmentOutcome:
    try:
        if known.has_file(segment):
            return SegmentOutcome(segment, Fate.KNOWN)
        if not selection.wants(segment, ends_at):
            return SegmentOutcome(segment, Fate.PASSED_OVER)
        content = segment.content_hash()
    except FileError as error:
        return SegmentOutcome(segment, Fate.FAILED, error=str(error))
    if (segment.feed, content) in known.contents:
        return SegmentOutcome(segment, Fate.KNOWN, content)
    known.contents.add((segment.feed, content))
    return SegmentOutcome(segment, Fate.LOADED, content, is_late=known.has_later(segment))


class _Known:
    """The segments that the warehouse holds."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, trusts_files: bool) -> None:
        self.contents: set[tuple[str, str]] = set()
        self.files: set[tuple[str, int, datetime]] = set()
        self.last_names: dict[tuple[str, str], str] = {}
        if "segments" not in raw_tables(connection):
            return
        rows = connection.execute(
            """
            select content_hash, name, file_bytes, file_modified_at, feed, stream
            from raw.segments where error is null
            """
        ).fetchall()
        for content, name, size, modified_at, feed, stream in rows:
            self.contents.add((feed, content))
            if trusts_files:
                self.files.add((name, size, modified_at))
            last = self.last_names.get((feed, stream), name)
            self.last_names[feed, stream] = max(name, last, key=sorted_name)

    def has_file(self, segment: Segment) -> bool:
        """Whether this very file was loaded, as far as name, size and time tell."""
        return (segment.name, segment.file_bytes, naive_utc(segment.modified_at)) in self.files

    def has_later(self, segment: Segment) -> bool:
        """Whether a segment that follows on this one was loaded before."""
        last = self.last_names.get((segment.feed, segment.stream), "")
        return sorted_name(segment.name) < sorted_name(last)


def _packages(
    outcomes: list[SegmentOutcome], selection: Selection
) -> Iterator[list[SegmentOutcome]]:
    """The segments in groups of one load each; one by one where the rows are limited."""
    package: list[SegmentOutcome] = []
    for outcome in outcomes:
        package.append(outcome)
        size = sum(one.segment.file_bytes for one in package)
        if selection.limit or size >= _PACKAGE_BYTES or len(package) >= _PACKAGE_SEGMENTS:
            yield package
            package = []
    if package:
        yield package


@dataclass
class _Run:
    """What all loads of one run share."""

    connection: duckdb.DuckDBPyConnection
    warehouse: Path
    run_id: str
    clock: Clock
    progress: Progress | None

    def load(self, package: list[SegmentOutcome]) -> None:
        """Loads segments as one package. One that turns out to be damaged fails, and the package
        is loaded again without it."""
        while package:
            try:
                self._load(self._rows(package), "segments")
            except _DamagedSegmentError as error:
                error.outcome.fate = Fate.FAILED
                error.outcome.error = str(error)
                error.outcome.rows = error.outcome.rejected_lines = 0
                package = [outcome for outcome in package if outcome.fate is Fate.LOADED]
            else:
                return

    def note_failures(self, failed: list[SegmentOutcome]) -> None:
        """Notes in raw.segments what could not be read."""
        if not failed:
            return

        def rows() -> Iterator[Any]:
            yield from missing_tables(self.connection, TABLES)
            for outcome in failed:
                yield for_table("segments", self._log(outcome, None, [], []))

        self._load(rows(), "failed_segments")

    def _load(self, rows: Iterator[Any], name: str) -> None:
        def source() -> "DltSource":
            import dlt

            resource = dlt.resource(rows, name=name)
            return dlt.source(lambda: resource, name="order_books")()

        load(self.connection, self.warehouse, source)

    def _rows(self, outcomes: list[SegmentOutcome]) -> Iterator[Any]:
        yield from missing_tables(self.connection, TABLES)
        vector_rows = vector_bytes = largest_vector = 0
        for number, outcome in enumerate(outcomes, self._next_number()):
            outcome.rows = outcome.rejected_lines = 0
            firsts: list[datetime] = []
            lasts: list[datetime] = []
            table = (
                "coinbase_frames" if outcome.segment.feed == "coinbase" else outcome.segment.feed
            )
            try:
                for batch in read_batches(outcome.segment, number):
                    yield for_table(table, batch.rows)
                    outcome.rows += batch.rows.num_rows
                    vector_rows += batch.rows.num_rows
                    vector_bytes += batch.rows.nbytes
                    largest_vector = max(largest_vector, vector_bytes)
                    if vector_rows >= _VECTOR_ROWS:
                        vector_rows = vector_bytes = 0
                    if batch.rejected.num_rows:
                        outcome.rejected_lines += batch.rejected.num_rows
                        yield for_table("rejected_lines", self._rejected(outcome, batch))
                    times = pc.min_max(batch.rows.column(_TIMES[table]))
                    if times["min"].is_valid:
                        firsts.append(times["min"].as_py())
                        lasts.append(times["max"].as_py())
                    if self.progress:
                        self.progress(outcome.segment.name, outcome.rows, None)
                if outcome.segment.has_changed():
                    raise unreadable(outcome.segment.path, "it changed while it was read")
            except FileError as error:
                raise _DamagedSegmentError(outcome, error) from error
            yield for_table("segments", self._log(outcome, number, firsts, lasts))
        megabytes = (_MEMORY_BYTES + 2 * largest_vector) >> 20
        self.connection.execute(f"set memory_limit = '{megabytes}MiB'")

    def _next_number(self) -> int:
        if "segments" not in raw_tables(self.connection):
            return 1
        ((highest,),) = self.connection.execute(
            "select coalesce(max(segment_number), 0) from raw.segments"
        ).fetchall()
        return 1 + int(highest)

    def _rejected(self, outcome: SegmentOutcome, batch: Batch) -> pa.Table:
        count = batch.rejected.num_rows
        columns = {
            "run_id": pa.repeat(self.run_id, count),
            "venue": pa.repeat(outcome.segment.feed, count),
            "source": pa.repeat(outcome.segment.name, count),
            "line": batch.rejected["line"],
            "reason": batch.rejected["reason"],
            "value": batch.rejected["rejected_text"],
            "rejected_at": pa.repeat(pa.scalar(naive_utc(self.clock()), pa.timestamp("us")), count),
        }
        return pa.table(columns).select(REJECTED_LINES.names).cast(REJECTED_LINES)

    def _log(
        self,
        outcome: SegmentOutcome,
        number: int | None,
        firsts: list[datetime],
        lasts: list[datetime],
    ) -> pa.Table:
        segment = outcome.segment
        row = {
            "segment_number": number,
            "content_hash": outcome.content_hash or None,
            "feed": segment.feed,
            "stream": segment.stream,
            "name": segment.name,
            "file_bytes": segment.file_bytes,
            "file_modified_at": naive_utc(segment.modified_at),
            "rows": outcome.rows,
            "rejected_lines": outcome.rejected_lines,
            "first_at": min(firsts, default=None),
            "last_at": max(lasts, default=None),
            "run_id": self.run_id,
            "loaded_at": naive_utc(self.clock()),
            "error": None if outcome.error is None else storable(outcome.error),
        }
        return pa.Table.from_pylist([row], schema=SEGMENTS)
