"""`marketfinder publish convex`: what people read of gold, in Convex, by a dlt destination.

What has arrived is known by id and content, in a file beside the published copy. Before anything is
sent, all that will be is noted as in doubt; a batch has arrived once Convex has acknowledged it.
Whatever is in doubt is sent again, and every call may come twice: so a publication that is killed
anywhere is made whole by the next one.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import orjson
import pyarrow as pa

from ingestion.convex import Convex, ConvexSettings
from ingestion.errors import PublishError
from ingestion.outward import carry, only_publisher, published_copy, quoted
from ingestion.settings import Settings
from ingestion.simulation import is_simulated
from ingestion.venues import Clock, Progress, utc_now
from ingestion.warehouse import STORAGE_VERSION


@dataclass(frozen=True)
class Documents:
    """The documents of one table of Convex, and how many go into a call.

    `query` has their id and content (a struct). Where every build moves a moment on, that is no
    change: it comes as `stamp`, goes out under the name `stamped`, and is that of the last change.
    """

    table: str
    at_once: int
    query: str
    stamped: str = ""


MARKETS = """
select
    market_id as id,
    processed_at as stamp,
    {
        marketId: market_id,
        platform: platform,
        externalId: external_id,
        url: url,
        title: title,
        description: description,
        category: category,
        eventType: event_type,
        outcomes: list_transform(coalesce(outcomes, []), lambda outcome: {
            label: outcome.label,
            tokenId: outcome.token_id,
            bidPrice: outcome.bid_price,
            askPrice: outcome.ask_price,
            askSize: outcome.ask_size
        }),
        endDate: epoch_ms(end_at),
        volume: volume,
        liquidity: liquidity,
        isActive: is_active,
        tags: coalesce(tags, [])
    } as content
from gold.markets
"""
SIMILARITIES = """
select
    pair_id as id,
    analyzed_at as stamp,
    {
        pairId: pair_id,
        market1Id: market1_id,
        market2Id: market2_id,
        platform1: platform1,
        platform2: platform2,
        relation: relation,
        orientation: orientation,
        fungibility: fungibility,
        tier: tier,
        judgeEffect: judge_effect,
        confidence: if(isfinite(confidence), confidence, null),
        reasoning: reasoning
    } as content
from gold.market_similarities
"""
OPPORTUNITIES = """
select
    opportunity_id as id,
    {
        opportunityId: opportunity_id,
        pairId: pair_id,
        relation: relation,
        direction: direction,
        buyMarketId: buy_market_id,
        sellMarketId: sell_market_id,
        buyPlatform: buy_platform,
        sellPlatform: sell_platform,
        buyOutcome: buy_outcome,
        sellOutcome: sell_outcome,
        buyTokenId: buy_token_id,
        sellTokenId: sell_token_id,
        contracts: contracts,
        cost: cost,
        profit: profit,
        profitMargin: profit_margin,
        confidence: if(isfinite(confidence), confidence, null),
        status: status,
        statusReasons: coalesce(status_reasons, []),
        detectedAt: epoch_ms(detected_at),
        quotesExpireAt: epoch_ms(quotes_expire_at)
    } as content
from gold.arbitrage_opportunities
"""
SYNC_LOGS = """
select
    sync_id as id,
    {
        syncId: sync_id,
        outcome: outcome,
        marketsProcessed: markets_processed,
        opportunitiesFound: opportunities_found,
        errors: coalesce(errors, []),
        duration: if(isfinite(duration), duration, null),
        timestamp: epoch_ms(timestamp)
    } as content
from gold.sync_logs
"""
TABLES = (
    Documents("markets", 100, MARKETS, stamped="processedAt"),
    Documents("marketSimilarities", 50, SIMILARITIES, stamped="analyzedAt"),
    Documents("arbitrageOpportunities", 50, OPPORTUNITIES),
    Documents("syncLogs", 50, SYNC_LOGS),
)

_STATE = """
create table if not exists state.arrived (
    document_type varchar,
    id varchar,
    content_hash varchar,
    primary key (document_type, id)
);
create table if not exists state.publications (publication bigint primary key, is_complete boolean);
"""
# A row without hash is in doubt: it may have arrived, in this form or another.
_NOTE_DOUBTS = """
insert or replace into state.arrived
select $table, documents.id, null
from documents
left join state.arrived on arrived.document_type = $table and arrived.id = documents.id
where arrived.content_hash is distinct from documents.content_hash
"""
_NOTE_GONE = """
update state.arrived set content_hash = null
where document_type = $table and id not in (select id from documents)
"""
# Without parameters: of a relation that has some, DuckDB 1.5 holds the whole answer in memory.
_DOUBTFUL = """
select arrived.id, documents.content_hash, documents.document
from state.arrived
left join documents on arrived.id = documents.id
where arrived.document_type = '{table}' and arrived.content_hash is null
order by arrived.id
"""
_DOCUMENTS = """
create or replace temp view documents as
select
    id,
    md5(to_json(content)) as content_hash,
    {document} as document
from ({query})
"""
_STAMPED = """left(to_json(content), -1)
    || ',"{name}":' || coalesce(epoch_ms(stamp)::varchar, 'null') || '}}'"""
_ROWS = 2_048


@dataclass
class ConvexPublication:
    """What a publication to Convex came to: documents by table, calls, seconds."""

    url: str
    written: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0


def publish_convex(
    settings: Settings,
    convex_settings: ConvexSettings,
    *,
    clock: Clock = utc_now,
    progress: Progress | None = None,
) -> ConvexPublication:
    """Brings Convex to what the published copy holds; what it has already is not sent.

    The first time, and where Convex lacks what was sent last, everything is sent, and what is there
    besides is removed. Raises PublishError, and BusyError when another process is at it.
    """
    begun = time.monotonic()
    result = ConvexPublication(convex_settings.url)
    with (
        only_publisher(settings, "convex") as folder,
        published_copy(settings) as connection,
        _state(connection, folder, convex_settings.url),
        Convex(convex_settings) as convex,
    ):
        while not _Publication(connection, convex, folder, clock, result, progress).made():
            connection.execute("update state.arrived set content_hash = null")
            connection.execute("delete from state.publications where is_complete")
        result.calls = convex.calls
    result.seconds = time.monotonic() - begun
    return result


@contextmanager
def _state(connection: duckdb.DuckDBPyConnection, folder: Path, url: str) -> Iterator[None]:
    """What has arrived at this deployment, attached as `state`."""
    path = folder / f"{re.sub(r'[^a-z0-9]+', '-', urlsplit(url).netloc.lower())}.duckdb"
    try:
        connection.execute(f"attach {quoted(path)} as state (storage_version '{STORAGE_VERSION}')")
        connection.execute(_STATE)
    except duckdb.Error as error:
        raise PublishError(
            f"{path} cannot be used: {str(error).splitlines()[0]} It holds what has arrived at"
            " Convex; without it everything is sent again. Move it away, or make room."
        ) from None
    try:
        yield
    except duckdb.CatalogException as error:
        raise PublishError(
            f"The published copy lacks a table: {str(error).splitlines()[0]} Build the prediction"
            " markets first: marketfinder run"
        ) from None
    except duckdb.Error as error:
        raise PublishError(
            f"{path}: {str(error).splitlines()[0]} What has arrived stays; publish again."
        ) from None


class _Publication:
    """One pass over all tables, under a number that grows from one to the next."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        convex: Convex,
        folder: Path,
        clock: Clock,
        result: ConvexPublication,
        progress: Progress | None,
    ) -> None:
        self.connection = connection
        self.convex = convex
        self.folder = folder
        self.result = result
        self.progress = progress
        self.problem: Exception | None = None
        self.is_simulated = is_simulated(connection)
        # The last complete one, and those since, which may be complete or not.
        earlier = connection.execute(
            "select publication, is_complete from state.publications order by publication"
        ).fetchall()
        self.after = [number for number, _ in earlier]
        self.is_full = not any(is_complete for _, is_complete in earlier)
        self.number = max(int(clock().timestamp() * 1_000), *(n + 1 for n in self.after), 0)
        self.oldest = min(self.after, default=self.number)
        connection.execute("insert into state.publications values (?, false)", [self.number])

    def made(self) -> bool:
        """Sends what is in doubt, the sync status last; False when Convex lacks what was sent last.

        Raises PublishError.
        """
        for documents in TABLES:
            self._bring(documents)
        if self.is_full:
            for documents in TABLES:
                self._remove_older(documents.table)
        (run,) = self.connection.execute("select run_id from gold.publication").fetchall()
        is_continued = self._call("syncStatus", after=self.after, isFull=self.is_full, runId=run[0])
        if is_continued is False and not self.is_full:
            return False
        self.connection.execute(
            "delete from state.publications where publication < ?", [self.number]
        )
        self.connection.execute("update state.publications set is_complete = true")
        return True

    def _bring(self, documents: Documents) -> None:
        """Sends the documents of one table that Convex lacks or has otherwise, and what is gone."""
        import dlt
        from dlt.common.destination.exceptions import DestinationTerminalException
        from dlt.common.runtime import signals

        name = documents.stamped
        document = _STAMPED.format(name=name) if name else "to_json(content)::varchar"
        self.connection.execute(_DOCUMENTS.format(document=document, query=documents.query))
        named = {"table": documents.table}
        self.connection.execute(_NOTE_DOUBTS, named)
        self.connection.execute(_NOTE_GONE, named)
        doubtful = self._count_doubtful(documents.table)
        if not doubtful:
            return

        query = _DOUBTFUL.format(table=documents.table)

        def rows() -> Iterator[pa.Table]:
            reader = self.connection.sql(query).to_arrow_reader(_ROWS)
            for batch in reader:
                yield pa.Table.from_batches([batch])

        def send(batch: pa.RecordBatch, table: Any) -> None:
            signals.raise_if_signalled()
            try:
                self._send(documents.table, batch)
            except (PublishError, duckdb.Error) as error:
                self.problem = error
                raise DestinationTerminalException(str(error)) from error
            if self.progress:
                done = sum(
                    count.get(documents.table, 0)
                    for count in (self.result.written, self.result.removed)
                )
                self.progress(f"convex {documents.table}", done, doubtful)

        destination = dlt.destination(
            send, name="convex", batch_size=documents.at_once, loader_file_format="parquet"
        )
        failed = carry(self.folder, destination(), lambda: dlt.resource(rows, name=documents.table))
        if self.problem or failed:
            raise self.problem or PublishError(f"dlt cannot carry {documents.table}: {failed}")
        if left := self._count_doubtful(documents.table):
            raise PublishError(f"Convex: {left:,} of {doubtful:,} {documents.table} were not sent.")

    def _count_doubtful(self, table: str) -> int:
        ((count,),) = self.connection.execute(
            "select count(*) from state.arrived where document_type = ? and content_hash is null",
            [table],
        ).fetchall()
        return int(count)

    def _send(self, table: str, batch: pa.RecordBatch) -> None:
        """One batch: what is to be there, and what is not, and then what of it has arrived."""
        there = batch.filter(batch["document"].is_valid())
        gone = batch.filter(batch["document"].is_null())
        if there.num_rows:
            self._call(table, documents=f"[{','.join(there['document'].to_pylist())}]")
        if gone.num_rows:
            self._call("remove", table=table, ids=gone["id"].to_pylist())
        state = self.connection.cursor()
        state.register("there", pa.Table.from_batches([there]))
        state.register("gone", pa.Table.from_batches([gone]))
        state.begin()
        state.execute(
            "insert or replace into state.arrived select ?, id, content_hash from there", [table]
        )
        if gone.num_rows:
            state.execute(
                "delete from state.arrived where document_type = ? and id in (select id from gone)",
                [table],
            )
        state.commit()
        state.close()
        counts = (self.result.written, there), (self.result.removed, gone)
        for count, rows in counts:
            count[table] = count.get(table, 0) + rows.num_rows

    def _remove_older(self, table: str) -> None:
        while removed := self._call("removeOlder", table=table, before=self.oldest):
            if not isinstance(removed, int | float):
                return
            self.result.removed[table] = self.result.removed.get(table, 0) + int(removed)

    def _call(self, name: str, documents: str | None = None, **arguments: object) -> Any:
        named = {"publication": self.number, "isSimulated": self.is_simulated, **arguments}
        text = orjson.dumps(named).decode()
        if documents is not None:
            text = f'{text[:-1]},"documents":{documents}}}'
        return self.convex.mutate(name, text)
