"""One run of ingestion: sweeps of a venue's listings, or a load of archived files."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ingestion.errors import MarketFinderError, SettingsError
from ingestion.files import ArchiveFile, BadLine, find_files, read_file
from ingestion.kalshi import KALSHI, kalshi
from ingestion.landing import Landing, RejectedLines, Sweep
from ingestion.logs import logger
from ingestion.polymarket import POLYMARKET, polymarket
from ingestion.settings import Settings
from ingestion.venues import Clock, Entity, Listing, Progress, SweepResource, Venue, utc_now
from ingestion.warehouse import (
    for_table,
    known_records,
    listing_tables,
    load,
    missing_tables,
    open_warehouse,
)

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

    from ingestion.client import VenueClient

VENUES: dict[str, Venue] = {venue.name: venue for venue in (KALSHI, POLYMARKET)}
SOURCES: dict[str, Callable[["VenueClient", SweepResource], Iterator["DltResource"]]] = {
    "kalshi": kalshi,
    "polymarket": polymarket,
}


@dataclass
class IngestResult:
    """What one run did."""

    run_id: str
    venue: str
    sweeps: list[Sweep] = field(default_factory=list)

    def total(self, count: str) -> int:
        """The sum of one count (records, landed, unchanged, gone, rejected_lines) of all sweeps."""
        return sum(getattr(sweep, count) for sweep in self.sweeps)


def venue_client(
    venue: str, settings: Settings, clock: Clock = utc_now, url_name: str | None = None
) -> "VenueClient":
    """The client of a venue's listings (or of what `url_name` names), as the settings say."""
    from ingestion.client import VenueClient

    return VenueClient(
        venue,
        getattr(settings, f"{url_name or venue}_url"),
        requests_per_second=getattr(settings, f"{venue}_requests_per_second"),
        attempts=settings.request_attempts,
        timeout_seconds=settings.request_timeout_seconds,
        backoff_seconds=settings.request_backoff_seconds,
        clock=clock,
        url_name=url_name,
    )


def ingest(
    venue: str,
    settings: Settings,
    *,
    run_id: str,
    clock: Clock = utc_now,
    entities: Collection[str] | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    """Sweeps the open listings of `venue` into the raw schema, one load package an entity.

    A sweep that fails lands nothing and is noted in raw.sweeps; what earlier sweeps landed stays.
    Raises MarketFinderError.
    """
    listings = _venue(venue)
    chosen = _entities(listings, entities)
    result = IngestResult(run_id, venue)
    with (
        open_warehouse(settings.warehouse) as connection,
        venue_client(venue, settings, clock) as client,
    ):
        run = VenueRun(connection, settings.warehouse, listings, run_id, clock, progress)
        try:
            for entity in chosen:
                result.sweeps.append(run.sweep(entity, client))
        finally:
            client.log.write(connection, run_id, venue, clock)
    return result


def ingest_files(
    venue: str,
    patterns: Sequence[str],
    settings: Settings,
    *,
    run_id: str,
    captured_at: datetime | None = None,
    clock: Clock = utc_now,
    progress: Progress | None = None,
) -> IngestResult:
    """Loads archived payload files into the raw schema, all of them in one load package or none.

    Raises MarketFinderError; a FileError is noted in raw.sweeps.
    """
    listings = _venue(venue)
    with open_warehouse(settings.warehouse) as connection:
        run = VenueRun(connection, settings.warehouse, listings, run_id, clock, progress)
        return IngestResult(run_id, venue, run.load_files(patterns, captured_at))


def _venue(name: str) -> Venue:
    try:
        return VENUES[name]
    except KeyError:
        raise SettingsError(f"{name!r} is not a venue. Give one of: {', '.join(VENUES)}.") from None


def _entities(venue: Venue, names: Collection[str] | None) -> list[Entity]:
    try:
        wanted = {venue.entity(name) for name in names} if names else set(venue.entities)
    except KeyError as error:
        known = ", ".join(entity.name for entity in venue.entities)
        raise SettingsError(f"{venue.name} has no {error}. Give one of: {known}.") from None
    return [entity for entity in venue.entities if entity in wanted]


@dataclass
class VenueRun:
    """What all loads of one run from one venue share."""

    connection: duckdb.DuckDBPyConnection
    warehouse: Path
    venue: Venue
    run_id: str
    clock: Clock
    progress: Progress | None

    def sweep(self, entity: Entity, client: "VenueClient") -> Sweep:
        """One live sweep of `entity`, as one load package."""
        import dlt

        log = self.log(entity.name, source="")

        def resource(entity: Entity, listing: Listing) -> "DltResource":
            def rows() -> Iterator[Any]:
                yield from self._live_rows(entity, listing, log)

            return dlt.resource(rows, name=entity.table)

        def source() -> "DltSource":
            venue = self.venue.name
            all_of_it = dlt.source(lambda: SOURCES[venue](client, resource), name=venue)()
            return all_of_it.with_resources(entity.table)

        self.load([log], source)
        return log

    def _live_rows(self, entity: Entity, listing: Listing, log: Sweep) -> Iterator[Any]:
        path = log.source = listing.path
        yield from missing_tables(self.connection, listing_tables(self.venue.entities))
        known = known_records(self.connection, entity)
        rejected = RejectedLines(self.run_id, self.venue.name)
        landing = Landing(entity, known, log, rejected)
        expected = known.live_listings or None
        for page in chain(listing.pages, landing.look_again(listing)):
            for position, record in enumerate(page.records, 1):
                landing.add(record, fetched_at=page.fetched_at, source=path, line=position)
            for batch in landing.full_batches():
                yield for_table(entity.table, batch)
            log.pages += 1
            if self.progress:
                self.progress(f"{self.venue.name} {path}", log.records, expected)
        for batch in landing.bury(self.clock(), path):
            yield for_table(entity.table, batch)
        for batch in landing.rest():
            yield for_table(entity.table, batch)
        for lines in rejected.rest():
            yield for_table("rejected_lines", lines)
        log.is_complete = True
        log.finished_at = self.clock()
        yield for_table("sweeps", log.table())

    def load_files(self, patterns: Sequence[str], captured_at: datetime | None) -> list[Sweep]:
        """All files as one load package; the log has a row for each kind of record found."""
        names = ", ".join(Path(pattern).name for pattern in patterns)
        logs = [self.log(None, names), *(self.log(e.name, names) for e in self.venue.entities)]

        def rows() -> Iterator[Any]:
            yield from self._file_rows(find_files(patterns, captured_at), logs)

        def source() -> "DltSource":
            import dlt

            resource = dlt.resource(rows, name="files")
            return dlt.source(lambda: resource, name=self.venue.name)()

        self.load(logs, source)
        return logs

    def _file_rows(self, files: list[ArchiveFile], logs: list[Sweep]) -> Iterator[Any]:
        yield from missing_tables(self.connection, listing_tables(self.venue.entities))
        rejected = RejectedLines(self.run_id, self.venue.name)
        other, *entity_logs = logs
        landings = {
            entity: Landing(
                entity,
                known_records(self.connection, entity, {file.name for file in files}),
                log,
                rejected,
            )
            for entity, log in zip(self.venue.entities, entity_logs, strict=True)
        }
        for number, file in enumerate(files, 1):
            for found in read_file(file, self.venue):
                if isinstance(found, BadLine):
                    rejected.add(file.name, found.line, found.reason, found.value, self.clock())
                    other.rejected_lines += 1
                    for lines in rejected.full_batches():
                        yield for_table("rejected_lines", lines)
                    continue
                landing = landings[found.entity]
                landing.sweep.pages = number
                landing.add(
                    found.record,
                    fetched_at=file.fetched_at,
                    source=file.name,
                    line=found.line,
                    enclosing_id=found.enclosing_id,
                )
                for batch in landing.full_batches():
                    yield for_table(found.entity.table, batch)
            if self.progress:
                self.progress(file.name, sum(log.records for log in logs), None)
        for entity, landing in landings.items():
            for batch in landing.rest():
                yield for_table(entity.table, batch)
        for lines in rejected.rest():
            yield for_table("rejected_lines", lines)
        logs[:] = [log for log in logs if log.records or log.rejected_lines] or [other]
        for log in logs:
            log.finished_at = self.clock()
            yield for_table("sweeps", log.table())

    def log(self, entity: str | None, source: str) -> Sweep:
        """A log that begins now."""
        now = self.clock()
        return Sweep(self.run_id, self.venue.name, entity, source, now, now)

    def load(self, logs: list[Sweep], source: Callable[[], "DltSource"]) -> None:
        """Loads a source; when that fails, notes so in raw.sweeps and passes the error on."""
        try:
            load(self.connection, self.warehouse, source)
        except MarketFinderError as error:
            with suppress(MarketFinderError):
                self._note_failure(logs[0], error)
            raise
        for log in logs:
            logger.info("sweep of %s %s", log.venue, log.entity, extra=log.counts())

    def _note_failure(self, log: Sweep, error: MarketFinderError) -> None:
        failed = Sweep(
            log.run_id,
            log.venue,
            log.entity,
            log.source,
            log.started_at,
            self.clock(),
            pages=log.pages,
            records=log.records,
            error=str(error),
        )

        def rows() -> Iterator[Any]:
            yield from missing_tables(self.connection, listing_tables(self.venue.entities))
            yield for_table("sweeps", failed.table())

        def source() -> "DltSource":
            import dlt

            resource = dlt.resource(rows, name="failed_sweep")
            return dlt.source(lambda: resource, name=self.venue.name)()

        load(self.connection, self.warehouse, source)
