"""The order books of what is watched, from both venues in batches.

Every fetched book lands, changed or not: when it was seen is the point of it. A book that was asked
for and not sent lands as a tombstone. So does one that the venue refuses, which is noted among the
rejected lines too and costs no other its book. A venue that refuses every one, sends none, or has
stopped sending what it sent before, has failed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from ingestion import kalshi, polymarket
from ingestion.errors import RefusedError, VenueError, WarehouseError
from ingestion.landing import Known, Landing, RejectedLines, Sweep, naive_utc
from ingestion.pipeline import VENUES, IngestResult, VenueRun, venue_client
from ingestion.settings import Settings
from ingestion.venues import Clock, Entity, Page, Progress, utc_now
from ingestion.warehouse import (
    for_table,
    listing_tables,
    missing_tables,
    open_warehouse,
    require_warehouse,
)

if TYPE_CHECKING:
    from dlt.extract import DltSource

    from ingestion.client import VenueClient


@dataclass(frozen=True)
class BookSource:
    """Where a venue's books come from."""

    entity: Entity
    fetch: Callable[["VenueClient", Sequence[str]], Page]
    url_name: str
    batch: int
    """Most books of one call."""


@dataclass(frozen=True)
class Refusal:
    """One book that the venue refuses by itself."""

    book_id: str
    error: RefusedError


SOURCES = {
    "kalshi": BookSource(kalshi.ORDER_BOOK, kalshi.order_books, "kalshi", 100),
    "polymarket": BookSource(polymarket.ORDER_BOOK, polymarket.order_books, "clob", 100),
}


_BUILD_FIRST = (
    "build the matched pairs first, with `marketfinder run` or"
    " `marketfinder build prediction-markets`"
)


def ingest_books(
    settings: Settings, *, run_id: str, clock: Clock = utc_now, progress: Progress | None = None
) -> tuple[list[IngestResult], list[str]]:
    """Lands the books that silver.watchlist names; returns what was landed, and what went wrong.

    Raises WarehouseError when nothing was built that could be watched, or not by this version.
    """
    require_warehouse(settings.warehouse)
    results, problems = [], []
    for venue, source in SOURCES.items():
        client = venue_client(venue, settings, clock, url_name=source.url_name)
        with open_warehouse(settings.warehouse) as connection, client:
            run = VenueRun(connection, settings.warehouse, VENUES[venue], run_id, clock, progress)
            try:
                log = _sweep(run, source, client, _watched(connection, venue))
            except VenueError as error:
                problems.append(str(error))
            else:
                results.append(IngestResult(run_id, venue, [log]))
            finally:
                client.log.write(connection, run_id, venue, clock)
    return results, problems


def _watched(connection: duckdb.DuckDBPyConnection, venue: str) -> list[str]:
    """What to ask a venue for, the most promising first."""
    try:
        rows = connection.execute(
            "select book_id from silver.watchlist where platform = ?"
            " group by book_id order by min(priority), book_id",
            [venue],
        ).fetchall()
    except duckdb.CatalogException:
        raise WarehouseError(f"Nothing is watched yet: {_BUILD_FIRST}.") from None
    except duckdb.BinderException as error:
        raise WarehouseError(
            "silver.watchlist is of another version"
            f" ({str(error).splitlines()[0]}): {_BUILD_FIRST}."
        ) from None
    return [book_id for (book_id,) in rows]


def _pages(
    source: BookSource, client: "VenueClient", wanted: Sequence[str], landing: Landing
) -> Iterator[Page | Refusal]:
    """The books of `wanted`, of either half by itself where the venue refuses the whole, down to a
    refusal of one. Raises VenueError when the venue has come to refuse what it sent before."""
    try:
        yield source.fetch(client, wanted)
    except RefusedError as error:
        if len(wanted) == 1:
            _check_still_sends(source, client, landing)
            yield Refusal(wanted[0], error)
            return
        middle = len(wanted) // 2
        yield from _pages(source, client, wanted[:middle], landing)
        yield from _pages(source, client, wanted[middle:], landing)


def _check_still_sends(source: BookSource, client: "VenueClient", landing: Landing) -> None:
    """Raises VenueError unless a book that was sent before, if one was, is sent again: what the
    venue does not send is gone only if it sends others."""
    if landing.seen:
        sure = max(landing.seen)
        if not source.fetch(client, [sure]).records:
            raise VenueError(
                f"{source.entity.venue} order books: no book of {sure} any more, which came"
                " before. The venue has stopped sending books, and none was landed. Try again"
                " later."
            )


def _sweep(run: VenueRun, source: BookSource, client: "VenueClient", watched: list[str]) -> Sweep:
    entity = source.entity
    log = run.log(entity.name, source="order books")

    def rows() -> Iterator[Any]:
        yield from missing_tables(run.connection, listing_tables([entity]))
        rejected = RejectedLines(run.run_id, entity.venue)
        landing = Landing(entity, Known(), log, rejected)
        for start in range(0, len(watched), source.batch):
            wanted = watched[start : start + source.batch]
            refused: dict[str, RefusedError] = {}
            for page in _pages(source, client, wanted, landing):
                if isinstance(page, Refusal):
                    refused[page.book_id] = page.error
                    continue
                log.pages += 1
                for line, record in enumerate(page.records, 1):
                    landing.add(record, fetched_at=page.fetched_at, source=log.source, line=line)
            if log.pages == 0:
                raise refused[wanted[0]]
            if set(wanted) - landing.seen - refused.keys():
                _check_still_sends(source, client, landing)
            now = run.clock()
            for line, book_id in enumerate(wanted, 1):
                if book_id in refused:
                    reason = f"the venue refuses its book ({refused[book_id].status})"
                    landing.reject(log.source, line, reason, book_id, now)
                if book_id not in landing.seen:
                    landing.miss(book_id, naive_utc(now), log.source)
            for batch in landing.full_batches():
                yield for_table(entity.table, batch)
            if run.progress:
                run.progress(f"{entity.venue} order books", log.records, len(watched))
        if watched and not landing.seen and not landing.unwritable:
            raise VenueError(
                f"{entity.venue} order books: none came of the {len(watched):,} that were asked"
                " for. That is not believed, and none was landed. Try again later."
            )
        for batch in landing.rest():
            yield for_table(entity.table, batch)
        for lines in rejected.rest():
            yield for_table("rejected_lines", lines)
        log.is_complete = True
        log.finished_at = run.clock()
        yield for_table("sweeps", log.table())

    def load() -> "DltSource":
        import dlt

        resource = dlt.resource(rows, name=entity.table)
        return dlt.source(lambda: resource, name=entity.venue)()

    run.load([log], load)
    return log
