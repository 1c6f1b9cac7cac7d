"""Landing: which records are new, as rows of the raw tables.

A record lands when its content differs from the newest row of the same id, so an unchanged payload
is not written again and a payload that changes back is. A listing that a complete sweep no longer
finds, or finds in a state that cannot be written, lands as a tombstone, a row without payload;
before that the venue is asked for it by its id, where it can be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import nlargest

import orjson
import pyarrow as pa

from ingestion.errors import RefusedError, VenueError
from ingestion.payloads import UnwritableRecordError, content_hash, digest, dump
from ingestion.venues import Entity, Listing, Page, as_id

LANDED_RECORDS = pa.schema(
    [
        ("record_id", pa.string()),
        ("venue", pa.string()),
        ("entity", pa.string()),
        ("external_id", pa.string()),
        ("parent_id", pa.string()),
        ("fetched_at", pa.timestamp("us")),
        ("content_hash", pa.string()),
        ("payload", pa.string()),
        ("source", pa.string()),
    ]
)
SWEEPS = pa.schema(
    [
        ("run_id", pa.string()),
        ("venue", pa.string()),
        ("entity", pa.string()),
        ("source", pa.string()),
        ("started_at", pa.timestamp("us")),
        ("finished_at", pa.timestamp("us")),
        ("pages", pa.int64()),
        ("records", pa.int64()),
        ("landed", pa.int64()),
        ("unchanged", pa.int64()),
        ("gone", pa.int64()),
        ("rejected_lines", pa.int64()),
        ("is_complete", pa.bool_()),
        ("error", pa.string()),
    ]
)
REJECTED_LINES = pa.schema(
    [
        ("run_id", pa.string()),
        ("venue", pa.string()),
        ("source", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("value", pa.string()),
        ("rejected_at", pa.timestamp("us")),
    ]
)

_BATCH_ROWS = 5_000
_VALUE_CHARACTERS = 200
_BELIEVABLE_SHARE = 0.5
# As many may slip between two pages while the venue's list moves on.
_BELIEVABLE_LEFT_OUT = 0.01
# One of them may close while it is asked for.
_SURE_IDS = 3
# Their names must fit into a URL.
_IDS_AT_ONCE = 50


def naive_utc(moment: datetime) -> datetime:
    """`moment` in UTC without its zone, as the raw tables hold it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def storable(text: str) -> str:
    """`text` with what is not Unicode (a lone surrogate) written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass
class Sweep:
    """One sweep of one entity, or one load of files: a row of raw.sweeps.

    records = landed + unchanged; tombstones and rejected lines are counted apart.
    """

    run_id: str
    venue: str
    entity: str | None
    source: str
    started_at: datetime
    finished_at: datetime
    pages: int = 0
    records: int = 0
    landed: int = 0
    unchanged: int = 0
    gone: int = 0
    rejected_lines: int = 0
    is_complete: bool = False
    error: str | None = None

    def counts(self) -> dict[str, object]:
        """Whose sweep it was, and its counts."""
        told = ("venue", "entity", "records", "landed", "unchanged", "gone", "rejected_lines")
        return {name: getattr(self, name) for name in told}

    def table(self) -> pa.Table:
        """This sweep as a table of one row."""
        row = asdict(self)
        row["started_at"] = naive_utc(self.started_at)
        row["finished_at"] = naive_utc(self.finished_at)
        row["source"] = storable(self.source)
        row["error"] = None if self.error is None else storable(self.error)
        return pa.Table.from_pylist([row], schema=SWEEPS)


@dataclass
class Known:
    """What the warehouse already holds of one entity."""

    newest: dict[str, str] = field(default_factory=dict)
    """Content hash of the newest row of each id, unless that is a tombstone."""
    live_listings: int = 0
    """Ids whose newest row came from a live sweep and is no tombstone."""
    without_id: set[str] = field(default_factory=set)
    """Content hashes of the records that have no id."""
    record_ids: set[str] = field(default_factory=set)
    """Rows that came from the files which are about to be read."""


def _asked(
    by_id: Callable[[Sequence[str]], Page], wanted: Sequence[str], sure: Sequence[str]
) -> Iterator[tuple[Sequence[str], Page]]:
    """The venue's answers about `wanted`, each with what it was asked for beside `sure`. An id that
    it refuses (of an archive, say) is none of its own, as long as it takes the others."""
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        some = wanted[start : start + _IDS_AT_ONCE]
        try:
            yield some, by_id([*some, *sure])
        except RefusedError:
            if len(some) == 1:
                yield [], by_id(sure)
            else:
                middle = len(some) // 2
                yield from _asked(by_id, some[:middle], sure)
                yield from _asked(by_id, some[middle:], sure)


class RejectedLines:
    """What could not be landed as a record, as rows of raw.rejected_lines."""

    def __init__(self, run_id: str, venue: str) -> None:
        self.run_id = run_id
        self.venue = venue
        self.rows: list[dict[str, object]] = []

    def add(self, source: str, line: int, reason: str, value: object, at: datetime) -> None:
        """Notes a value; of a long one the first 200 characters."""
        if not isinstance(value, str):
            try:
                value = dump(value)
            except UnwritableRecordError:
                value = repr(value)
        self.rows.append(
            {
                "run_id": self.run_id,
                "venue": self.venue,
                "source": source,
                "line": line,
                "reason": storable(reason),
                "value": storable(value[:_VALUE_CHARACTERS])[:_VALUE_CHARACTERS],
                "rejected_at": naive_utc(at),
            }
        )

    def full_batches(self) -> Iterator[pa.Table]:
        """The rows so far once they fill a batch."""
        if len(self.rows) >= _BATCH_ROWS:
            yield from self.rest()

    def rest(self) -> Iterator[pa.Table]:
        """The rows since the last batch, if there are any."""
        if self.rows:
            yield pa.Table.from_pylist(self.rows, schema=REJECTED_LINES)
            self.rows = []


class Landing:
    """The records of one entity in one sweep or one load of files."""

    def __init__(self, entity: Entity, known: Known, sweep: Sweep, rejected: RejectedLines) -> None:
        self.entity = entity
        self.known = known
        self.sweep = sweep
        self.rejected = rejected
        self.seen: set[str] = set()
        self.unwritable: set[str] = set()
        self.is_sure = False
        self._rows: list[tuple[object, ...]] = []
        self._moment: datetime | None = None
        self._versions: dict[str, int] = {}

    def add(
        self,
        record: object,
        *,
        fetched_at: datetime,
        source: str,
        line: int,
        enclosing_id: str | None = None,
    ) -> None:
        """Takes one record as it came; `enclosing_id` is the id of the record it was nested in."""
        if not isinstance(record, dict):
            self.reject(source, line, "a record must be a JSON object", record, fetched_at)
            return
        if self.entity.nested and isinstance(record.get(self.entity.nested), list):
            record = {name: record[name] for name in record if name != self.entity.nested}
        external_id = as_id(record.get(self.entity.id_field))
        if external_id is not None:
            self.seen.add(external_id)
        try:
            content = content_hash(self.entity.told(record))
            moment = self._moment_of(external_id, content, naive_utc(fetched_at))
            record_id = self._record_id(external_id, moment, content, source)
            is_new = self._is_new(external_id, content, record_id)
            payload = dump(record) if is_new else ""
        except UnwritableRecordError as error:
            # What was landed of it before is not what the venue says now: as if it were not sent.
            self.seen.discard(external_id or "")
            self.unwritable.add(external_id or "")
            self.reject(source, line, str(error), record, fetched_at)
            return
        self.sweep.records += 1
        if external_id is not None:
            self.known.newest[external_id] = content
        if not is_new:
            self.sweep.unchanged += 1
            return
        if external_id is None:
            self.known.without_id.add(content)
        self.sweep.landed += 1
        parent_id = self.entity.parent_id(record) or enclosing_id
        self._append(record_id, external_id, parent_id, moment, content, payload, source)

    def reject(self, source: str, line: int, reason: str, value: object, at: datetime) -> None:
        """Notes what cannot be landed."""
        self.rejected.add(source, line, reason, value, at)
        self.sweep.rejected_lines += 1

    def look_again(self, listing: Listing) -> Iterator[Page]:
        """What the pages of a live sweep left out and the venue, asked for it by id, still lists.

        A page that comes empty and without a cursor looks like the end (Kalshi's answer to a cursor
        that it has forgotten). Raises VenueError when it was none, and when the venue does not know
        by id what it has just listed. Of one that heeds no ids the list alone is known.
        """
        if listing.by_id is None or not self.seen:
            return
        where = f"{self.entity.venue} {listing.path}"
        sure = nlargest(_SURE_IDS, self.seen)
        missing = self.known.newest.keys() - self.seen - self.unwritable
        believable = len(self.seen) * _BELIEVABLE_LEFT_OUT
        left_out = 0
        for wanted, page in _asked(listing.by_id, sorted(missing), sure):
            records = [record for record in page.records if isinstance(record, dict)]
            found = {as_id(record.get(self.entity.id_field)): record for record in records}
            if others := [record for one, record in found.items() if one not in {*wanted, *sure}]:
                # It heeds no ids: its list is all there is to go by.
                reason = f"not asked for: {where} does not tell by id what is gone"
                self.reject(listing.path, 1, reason, others[0], page.fetched_at)
                return
            if found.keys().isdisjoint(sure):
                raise VenueError(
                    f"{where} does not know {sure[0]} by id, which it has just listed, so what it"
                    " did not list cannot be told to be gone. Nothing was landed. Try again later."
                )
            again = [record for one, record in found.items() if one not in sure]
            left_out += len(again)
            if left_out > believable:
                raise VenueError(
                    f"{where} left out {left_out:,} that it still has when it is asked for them by"
                    f" id, such as {next(one for one in found if one not in sure)}: its pages ended"
                    " too soon. Nothing was landed. Try again later."
                )
            yield Page(again, page.fetched_at, 1)
        self.is_sure = True

    def bury(self, fetched_at: datetime, source: str) -> Iterator[pa.Table]:
        """Ends a live sweep that reached its end: tombstones for the listings it did not find.

        Raises VenueError when it found fewer than half of the listings that are known, unless
        it was looked for each of the others or the entity may empty.
        """
        known = self.known.live_listings
        is_believed = self.is_sure or self.entity.may_empty
        if not is_believed and len(self.seen) < known * _BELIEVABLE_SHARE:
            raise VenueError(
                f"{self.entity.venue} {source} listed only {len(self.seen):,} where {known:,} are"
                " known. That is not believed, and nothing was landed. Try again later; if the"
                " venue has really shrunk, start a new warehouse (MARKETFINDER_WAREHOUSE)."
            )
        moment = naive_utc(fetched_at)
        for external_id in self.known.newest:
            if external_id not in self.seen:
                self.miss(external_id, moment, source)
                yield from self.full_batches()

    def miss(self, external_id: str, moment: datetime, source: str) -> None:
        """A tombstone: the venue does not have it at that moment (UTC without its zone)."""
        record_id = self._record_id(external_id, moment, None, source)
        self._append(record_id, external_id, None, moment, None, None, source)
        self.sweep.gone += 1

    def full_batches(self) -> Iterator[pa.Table]:
        """The rows so far once they fill a batch, so that memory stays bounded."""
        if len(self._rows) >= _BATCH_ROWS:
            yield from self.rest()

    def rest(self) -> Iterator[pa.Table]:
        """The rows since the last batch, if there are any."""
        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(column, kind.type)
            for column, kind in zip(columns, LANDED_RECORDS, strict=True)
        ]
        self._rows = []
        yield pa.Table.from_arrays(arrays, schema=LANDED_RECORDS)

    def _moment_of(self, external_id: str | None, content: str, fetched_at: datetime) -> datetime:
        """`fetched_at`, a microsecond later for each further version of the same listing in one
        answer or file, so that the versions keep their order."""
        if fetched_at != self._moment:
            self._moment, self._versions = fetched_at, {}
        if external_id is None:
            return fetched_at
        version = self._versions.get(external_id, -1)
        if version < 0 or self.known.newest.get(external_id) != content:
            version += 1
        self._versions[external_id] = version
        return fetched_at + timedelta(microseconds=version)

    def _is_new(self, external_id: str | None, content: str, record_id: str) -> bool:
        if external_id is None:
            return content not in self.known.without_id
        if self.known.newest.get(external_id) == content:
            return False
        return record_id not in self.known.record_ids

    def _record_id(
        self, external_id: str | None, moment: datetime, content: str | None, source: str
    ) -> str:
        entity = self.entity
        key = [entity.venue, entity.name, external_id, moment.isoformat(), content, source]
        return digest(orjson.dumps(key))

    def _append(self, record_id: str, *rest: str | datetime | None) -> None:
        """Adds a row: its id, and the columns from external_id on."""
        self._rows.append((record_id, self.entity.venue, self.entity.name, *rest))
