"""Who has a warehouse: one command that writes, or some that read.

The lock is flock's, on a file beside the warehouse: the operating system lets it go when its holder
ends, however that happens. A dbt process that a command starts inherits it, so that the warehouse
is not free before that has ended too.
"""

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingestion.errors import BusyError, WarehouseError

_POLL_SECONDS = 0.1
# The dbt process of a command that was killed needs a moment to notice.
_GRACE_SECONDS = 1.0


@dataclass
class _Held:
    descriptor: int
    is_shared: bool


_held: dict[Path, _Held] = {}


@contextmanager
def locked(warehouse: Path, *, shared: bool = False, wait_seconds: float = 0) -> Iterator[None]:
    """Holds the warehouse for this process and those it starts; once more if it has it already.

    Readers share it with each other, and lock nothing where no writer has ever been.
    Raises BusyError, which names the holder, when it is not free after `wait_seconds`, and
    WarehouseError when the lock cannot be made.
    """
    place = warehouse.with_suffix(".lock").resolve()
    held = _held.get(place)
    if held and (shared or not held.is_shared):
        yield
        return
    if shared and not os.access(place, os.W_OK):
        yield
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise WarehouseError(
            f"{place} cannot be made: {error.strerror}. The warehouse needs a folder that can be"
            " written (MARKETFINDER_WAREHOUSE)."
        ) from None
    try:
        _acquire(warehouse, descriptor, shared, wait_seconds)
        _held[place] = _Held(descriptor, shared)
        try:
            _sign(descriptor)
            yield
        finally:
            del _held[place]
            if not shared:
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def inherited_locks() -> tuple[int, ...]:
    """The descriptors that a process started now is to be given."""
    return tuple(held.descriptor for held in _held.values())


def _acquire(warehouse: Path, descriptor: int, shared: bool, wait_seconds: float) -> None:
    deadline = time.monotonic() + max(wait_seconds, _GRACE_SECONDS)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                until = "." if shared else ", as `marketfinder run --wait 10m` does."
                raise BusyError(
                    f"{warehouse} is in use by {_holder(descriptor)}. Wait until it ends{until}"
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return


def _sign(descriptor: int) -> None:
    """Writes who holds the lock, for others to read."""
    words = [Path(sys.argv[0]).name]
    for word in sys.argv[1:3]:
        if not word.isidentifier():
            break
        words.append(word)
    holder = {
        "process": os.getpid(),
        "command": " ".join(words),
        "host": socket.gethostname(),
        "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
    }
    with suppress(OSError):  # a full disk
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 10_000, 0))
        return "process {process} ({command} on {host}, since {since})".format(**holder)
    except (ValueError, KeyError, TypeError):
        return "another process"
