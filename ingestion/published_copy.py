"""The published copy of the warehouse: what people read, so that they never meet the writer.

It is the file of the warehouse, block by block: thirty times as fast as to write its tables anew,
free where the file system can share blocks, and whole: comments, views and macros are in it.
Readers of the copy before keep the file they have opened.
"""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import duckdb

from ingestion.build import Half
from ingestion.errors import PublishError, WarehouseError
from ingestion.landing import naive_utc
from ingestion.run_log import Outcome
from ingestion.settings import Settings
from ingestion.simulation import is_simulated
from ingestion.venues import Clock, utc_now
from ingestion.warehouse import open_warehouse, raw_tables
from ingestion.warehouse_locks import locked

# DuckDB keeps three headers of 4 KiB; each checkpoint counts itself and moves a pointer in one.
_HEADER_BYTES = 12_288
_CHUNK_BYTES = 16 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_PUBLICATION = """
create or replace table gold.publication as
select
    $run_id::varchar as run_id,
    $published_at::timestamp as published_at,
    $warehouse::varchar as warehouse,
    $state::varchar as warehouse_state,
    $is_simulated::boolean as is_simulated
"""
_COMMENTS = """
comment on table gold.publication is 'Which build this published copy is of. One row.';
comment on column gold.publication.run_id is 'The run that published it. Never null.';
comment on column gold.publication.published_at is 'When it was published, UTC. Never null.';
comment on column gold.publication.warehouse is 'The file it is a copy of. Never null.';
comment on column gold.publication.warehouse_state is
    'Hash of the headers of that file, which every change moves on. Never null.';
comment on column gold.publication.is_simulated is
    'Whether a simulator made up what is here: then nothing of it can be traded. Never null.';
"""


@dataclass(frozen=True)
class Publication:
    """What publishing came to. `seconds` is 0 when the copy was up to date already."""

    path: Path
    file_bytes: int
    seconds: float


def readable_warehouse(settings: Settings) -> Path:
    """The file to read: the published copy, or the warehouse while nothing is published."""
    return settings.published if settings.published.exists() else settings.warehouse


def publish_copy(
    settings: Settings,
    *,
    run_id: str,
    clock: Clock = utc_now,
    run_outcome: Outcome = Outcome.DONE,
) -> Publication:
    """Puts a copy of the warehouse in the place of the published one, at once or not at all.

    In the copy, the run that publishes it has ended, with `run_outcome`. Raises WarehouseError when
    the warehouse is absent, in use, or the last build of pairs or of prices failed, and
    PublishError when the copy cannot be written, or the one before is of another warehouse.
    """
    begun = time.monotonic()
    warehouse, published = settings.warehouse, settings.published
    new = published.with_name(f".{published.name}.of-{warehouse.stem}")
    with locked(warehouse), _opened(warehouse) as (file, connection):
        _refuse_unless_built(connection, warehouse)
        refuse_the_copy_of_another(settings)
        connection.execute("force checkpoint")
        state = sha256(file.read(_HEADER_BYTES)).hexdigest()
        if _published_state(published) == state:
            return Publication(published, published.stat().st_size, 0)
        try:
            # What a killed run has left.
            _remove(new)
            _copy(file, new)
        except OSError as error:
            _remove(new)
            raise _failed(settings, error) from None
    try:
        facts = {
            "run_id": run_id,
            "published_at": naive_utc(clock()),
            "warehouse": str(warehouse.resolve()),
            "state": state,
        }
        _complete(new, facts, run_outcome, begun)
        _put_in_place(new, published)
    except (OSError, duckdb.Error) as error:
        raise _failed(settings, error) from None
    finally:
        _remove(new)
    return Publication(published, published.stat().st_size, time.monotonic() - begun)


def require_place(settings: Settings) -> None:
    """Raises PublishError where no copy can be put: better told before a run than at its end."""
    folder = settings.published.absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PublishError(
            f"{settings.published} cannot be published: {folder}: {error.strerror}. Set"
            " MARKETFINDER_PUBLISHED to a file in a folder that can be written."
        ) from None
    refuse_the_copy_of_another(settings)


def refuse_the_copy_of_another(settings: Settings) -> None:
    """Raises PublishError when the published copy is of another warehouse: simulated data must not
    come in the place of live ones because a setting was left over, nor the other way round."""
    try:
        with duckdb.connect(settings.published, read_only=True) as connection:
            rows = connection.execute("select warehouse from gold.publication").fetchall()
    except duckdb.Error:  # there is none, or none that can be read: what that means is told later
        return
    of, own = Path(rows[0][0] if rows else settings.warehouse), settings.warehouse.resolve()
    has_moved = of.name == own.name and not of.exists()
    if of.resolve() != own and not has_moved:
        raise PublishError(
            f"{settings.published} is the copy of another warehouse, {of}, and is left alone. To"
            f" publish {settings.warehouse} beside it, set MARKETFINDER_PUBLISHED to another path;"
            " to have it in its place, move that copy away first."
        )


@contextmanager
def _opened(warehouse: Path) -> Iterator[tuple[BinaryIO, duckdb.DuckDBPyConnection]]:
    """The file and, so that nobody writes to it, DuckDB's connection to it. In this order: to close
    a file ends every lock that this process has on it."""
    try:
        file = warehouse.open("rb")
    except FileNotFoundError:
        raise WarehouseError(
            f"{warehouse} is not there yet: `marketfinder run` makes it."
        ) from None
    with file, open_warehouse(warehouse) as connection:
        yield file, connection


def _refuse_unless_built(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    has_gold = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'gold'"
        " union all select 1 from duckdb_views() where schema_name = 'gold' limit 1"
    ).fetchall()
    if not has_gold:
        raise WarehouseError(
            f"{warehouse} has nothing to publish yet: `marketfinder run` or `dbt build` fills gold."
        )
    _refuse_what_dbt_left(connection, warehouse)
    if "run_steps" not in raw_tables(connection):
        return
    # Prices that are green say nothing of the pairs they are made of, and the other way round.
    failed = connection.execute(
        """
        select step, outcome from raw.run_steps
        where
            outcome is distinct from $done
            and rowid in (
                select max(rowid) from raw.run_steps where step in ('pairs', $both)
                union all
                select max(rowid) from raw.run_steps where step in ('prices', $both)
                union all
                select max(rowid) from raw.run_steps
                where step in ('pairs', 'prices') or starts_with(step, 'build ')
            )
        order by rowid
        """,
        {"done": Outcome.DONE, "both": f"build {Half.PREDICTION_MARKETS}"},
    ).fetchall()
    if failed:
        step, outcome = failed[0]
        raise WarehouseError(
            f"The last build in {warehouse} ({step}) is not done: {outcome}. Only what is"
            " built and tested is published: `marketfinder run`. gold.sync_logs says what failed."
        )


def _refuse_what_dbt_left(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Raises WarehouseError after a build by hand that failed, of which the run log knows nothing,
    or that left out what reads what it made. Where nothing was ever priced, nothing can be left."""
    try:
        connection.execute("from silver.opportunities limit 0")
        unfinished = connection.execute(
            "select distinct model from raw.unfinished_builds order by model"
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return
    if unfinished:
        raise WarehouseError(
            f"The last build in {warehouse} failed, or left out what is made of it:"
            f" {', '.join(model for (model,) in unfinished)}. Only what is built and tested is"
            " published: `marketfinder run` or `dbt build`."
        )


def _published_state(published: Path) -> str | None:
    """The state of the warehouse that was published. Raises PublishError for another's file."""
    if not published.exists():
        return None
    try:
        if published.with_name(published.name + ".wal").exists():
            raise duckdb.Error("lock: it was written to")
        with duckdb.connect(published, read_only=True) as connection:
            rows = connection.execute("select warehouse_state from gold.publication").fetchall()
    except duckdb.Error as error:
        what = (
            "is open for writing in another program, or was left so (a file .wal beside it). Close"
            " that, remove both files, and open the copy read-only from now on."
            if "lock" in str(error)
            else "is no published copy of ours, and is left alone. Move it away, or set"
            " MARKETFINDER_PUBLISHED to another path."
        )
        raise PublishError(f"{published} {what}") from None
    return rows[0][0] if rows else None


def _copy(file: BinaryIO, target: Path) -> None:
    """The blocks of a file, shared with it where the file system can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    offset, size = 0, os.fstat(file.fileno()).st_size
    with target.open("wb") as copy:
        try:
            while offset < size:
                offset += os.copy_file_range(
                    file.fileno(), copy.fileno(), size - offset, offset, offset
                )
        except (OSError, AttributeError) as error:
            # Not between these two file systems, or not on this platform.
            if getattr(error, "errno", None) in _FULL:
                raise
            file.seek(0)
            copy.seek(0)
            shutil.copyfileobj(file, copy, _CHUNK_BYTES)


def _complete(new: Path, facts: dict[str, object], run_outcome: Outcome, begun: float) -> None:
    """Writes into the copy what it is: whoever can read it reads of a run that has ended."""
    with duckdb.connect(new) as connection:
        connection.execute(_PUBLICATION, {**facts, "is_simulated": is_simulated(connection)})
        connection.execute(_COMMENTS)
        if "run_steps" in raw_tables(connection):
            connection.execute(
                """
                update raw.run_steps as steps set
                    finished_at = $now,
                    seconds = $seconds + coalesce((
                        select sum(done.seconds) from raw.run_steps as done
                        where done.run_id = steps.run_id and steps.step = 'run'
                    ), 0),
                    outcome = if(step = 'run', $outcome, 'done')
                where outcome = 'running'
                """,
                {
                    "now": facts["published_at"],
                    "outcome": run_outcome,
                    "seconds": time.monotonic() - begun,
                },
            )
        connection.execute("force checkpoint")


def _put_in_place(new: Path, published: Path) -> None:
    """The rename after the content: a machine that goes down leaves the one or the other, whole.

    The file is not to be written to: who opened it for writing would lock out all others.
    """
    new.chmod(0o444)
    _flush(new)
    new.replace(published)
    _flush(published.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(new: Path) -> None:
    for path in (new, new.with_name(new.name + ".wal")):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _failed(settings: Settings, error: Exception) -> PublishError:
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    before = (
        "What was published before stays."
        if settings.published.exists()
        else "Nothing is published."
    )
    size = settings.warehouse.stat().st_size / 1e6
    return PublishError(
        f"{settings.published} cannot be published: {reason}. {before} A copy needs {size:,.0f} MB"
        f" in {settings.published.parent}, beside the one before. Then: marketfinder publish copy"
    )
