"""What the publishers share: the published copy as their source, dlt as their carrier.

A publisher reads the copy, never the warehouse, so it neither waits for a run nor holds one up; a
copy that is replaced meanwhile is another file. Its own files (what has arrived, dlt's work) are in
a folder beside the copy, `marketfinder-convex` for Convex. One process at a time publishes there.
"""

import logging
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import duckdb

from ingestion.errors import PublishError
from ingestion.settings import Settings
from ingestion.warehouse_locks import locked

# dlt is told by the environment: a batch of ours is a batch of its own, jobs run one by one (and
# where a signal or a time limit can end them), and what was there stays until all is new.
_DLT = {
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1",
    "LOAD__WORKERS": "1",
    "DESTINATION__REPLACE_STRATEGY": "insert-from-staging",
}
# What is more goes to the disk for a while.
_MEMORY = "400MB"


@contextmanager
def only_publisher(settings: Settings, target: str) -> Iterator[Path]:
    """The folder of a target, for this process alone.

    Raises BusyError when another has it, PublishError when there is nothing to publish.
    """
    _require_copy(settings.published)
    folder = settings.published.with_name(f"{settings.published.stem}-{target}")
    with locked(folder / "publisher"):
        yield folder


@contextmanager
def published_copy(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published copy as the default database of a connection; nothing can be written to it.

    Raises PublishError when there is none, or it cannot be read.
    """
    path = settings.published
    _require_copy(path)
    with duckdb.connect() as connection:
        try:
            connection.execute(f"set temp_directory = {quoted(path.with_name('.spilled'))}")
            connection.execute(f"set memory_limit = '{_MEMORY}'")
            connection.execute("set enable_progress_bar = false")
            connection.execute(f"attach {quoted(path)} as copy (read_only)")
            connection.execute("use copy")
            connection.execute("from gold.publication")
        except duckdb.Error as error:
            raise PublishError(
                f"{path} cannot be published: {str(error).splitlines()[0]} Put a new copy in its"
                " place: marketfinder publish copy"
            ) from None
        yield connection


def refuse_the_other_kind(place: str, holds_simulated: bool, is_simulated: bool) -> None:
    """Raises PublishError when simulated data would come in the place of live ones, because a
    setting was left over, or the other way round."""
    if holds_simulated != is_simulated:
        kinds = {False: "live", True: "simulated"}
        raise PublishError(
            f"{place} holds {kinds[holds_simulated]} data, and these are"
            f" {kinds[is_simulated]}: it is left alone. Publish them to another place, or empty it"
            " first."
        )


def _require_copy(path: Path) -> None:
    if not path.exists():
        raise PublishError(
            f"{path} is not there yet: `marketfinder run` makes it, or `marketfinder publish copy`"
            " from a warehouse that is built."
        )


def quoted(value: object) -> str:
    """A literal of SQL, for statements that take no parameters."""
    return "'" + str(value).replace("'", "''") + "'"


def carry(
    folder: Path,
    destination: Any,
    resources: Callable[[], Any],
    *,
    file_format: Literal["parquet", "csv"] = "parquet",
    **options: Any,
) -> Exception | None:
    """Loads dlt resources, and returns what dlt says when it fails.

    dlt's files lie in `folder` and go when it ends; what a killed one has left goes now. They hold
    rows, and no secrets: those are handed to the destination as objects.
    """
    import dlt
    from dlt.common.exceptions import SignalReceivedException
    from dlt.common.runtime import signals
    from dlt.pipeline.exceptions import PipelineStepFailed

    working = folder / "dlt"
    before = {name: os.environ.get(name) for name in _DLT}
    os.environ.update(_DLT)
    # It reports a failure with stack traces, and we in words.
    log = logging.getLogger("dlt")
    log.addFilter(_nothing)
    failed = None
    try:
        shutil.rmtree(working, ignore_errors=True)
        working.mkdir()
        with (
            TemporaryDirectory(dir=working, ignore_cleanup_errors=True) as directory,
            signals.intercepted_signals(),
        ):
            pipeline = dlt.pipeline(
                "marketfinder", pipelines_dir=directory, destination=destination, **options
            )
            try:
                pipeline.run(resources(), loader_file_format=file_format)
            except PipelineStepFailed as error:
                failed = error
            finally:
                pipeline.deactivate()
            stopped = signals.was_signal_received() and signals.exception_for_signal()
    except OSError as error:
        raise PublishError(
            f"{working} cannot be written: {error.strerror or error}. Nothing is lost; publish"
            " again when there is room."
        ) from None
    finally:
        log.removeFilter(_nothing)
        shutil.rmtree(working, ignore_errors=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    if isinstance(stopped, SignalReceivedException):
        signal.raise_signal(stopped.signal_code)
    return failed


def _nothing(record: logging.LogRecord) -> bool:
    return False
