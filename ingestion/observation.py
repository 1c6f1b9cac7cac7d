"""What is told of each command that works on a warehouse, however it ends: metrics and a log."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingestion.errors import BusyError, MarketFinderError
from ingestion.logs import is_json, logger
from ingestion.settings import load_settings

# The others answer questions, and change nothing that there is a metric of.
_AT_WORK = ("run", "ingest", "build", "publish")


_begun: list[str] = []


def begin(command: str) -> bool:
    """Notes which command it is; whether it is one that works on a warehouse."""
    _begun[:] = [command]
    return command in _AT_WORK


def is_at_work() -> bool:
    """Whether the command that was begun is one of these."""
    return any(command in _AT_WORK for command in _begun)


@contextmanager
def observed() -> Iterator[None]:
    """Around a whole command, which ends with SystemExit or falls through."""
    begun = time.monotonic()
    code = 1
    try:
        yield
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    finally:
        for command in _begun:
            if command in _AT_WORK:
                _tell(command, code, time.monotonic() - begun)


def _tell(command: str, code: int, seconds: float) -> None:
    if is_json():
        more = {"command": command, "exit_code": code, "seconds": seconds}
        logger.info("%s ended with exit code %d", command, code, extra=more)
    settings = None
    with suppress(MarketFinderError):
        settings = load_settings()
    place = settings.metrics if settings else os.environ.get("MARKETFINDER_METRICS")
    if place:
        from ingestion.metrics import write_metrics

        # Who has the warehouse tells of it.
        is_busy = code == BusyError.exit_code
        write_metrics(Path(place), settings, command, code, seconds, has_figures=not is_busy)
