"""Who has the warehouse: processes that hold it, wait for it, and die with it."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingestion import runs
from ingestion.build import BuildResult
from ingestion.errors import BusyError, WarehouseError
from ingestion.runs import demo
from ingestion.warehouse_locks import locked

# Holds the lock for some seconds; a child that it starts, if it is told to, sleeps longer.
HOLDER = """
import subprocess, sys, time
from pathlib import Path
from ingestion.warehouse_locks import inherited_locks, locked
with locked(Path(sys.argv[1]), shared=sys.argv[2] == "shared"):
    if len(sys.argv) > 4:
        child = subprocess.Popen(["sleep", sys.argv[4]], pass_fds=inherited_locks())
        print(child.pid, flush=True)
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


@contextmanager
def holder(
    warehouse: Path, *arguments: str, kind: str = "alone"
) -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock."""
    command = [sys.executable, "-c", HOLDER, str(warehouse), kind, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "held\n":
                break
        try:
            yield process
        finally:
            process.kill()


def test_a_second_command_is_told_who_has_it(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with holder(warehouse, "60") as process:
        told = rf"in use by process {process.pid} \(-c .*since 20.* UTC\)\. Wait until it ends"
        with pytest.raises(BusyError, match=told) as refused, locked(warehouse):
            pass
        assert refused.value.exit_code == 4
        with pytest.raises(BusyError), locked(warehouse, shared=True):
            pass


def test_one_that_waits_gets_it(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with holder(warehouse, "2") as process:
        with locked(warehouse, wait_seconds=60):
            assert process.wait(10) == 0
        assert not (tmp_path / "warehouse.lock").read_text()


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with holder(warehouse, "60") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert str(process.pid) in (tmp_path / "warehouse.lock").read_text()
        begun = time.monotonic()
        with locked(warehouse):
            assert time.monotonic() - begun < 1
            assert str(os.getpid()) in (tmp_path / "warehouse.lock").read_text()


def test_not_before_what_it_started_is_dead_too(tmp_path: Path) -> None:
    """A dbt process whose command was killed still writes, for a moment."""
    warehouse = tmp_path / "warehouse.duckdb"
    with holder(warehouse, "60", "3") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises(BusyError), locked(warehouse):
            pass
        with locked(warehouse, wait_seconds=30):
            pass


def test_readers_share(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with locked(warehouse):  # a first writer, without which nothing is there to lock
        pass
    with holder(warehouse, "60", kind="shared"):
        with locked(warehouse, shared=True):
            pass
        with pytest.raises(BusyError), locked(warehouse):
            pass


def test_a_process_takes_it_once_more(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with locked(warehouse), locked(warehouse), locked(warehouse, shared=True):
        pass
    with holder(warehouse, "60"):
        pass


def test_no_folder_to_write_in(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in place of the folder")
    with (
        pytest.raises(
            WarehouseError,
            match=r"warehouse\.lock cannot be made: File exists\. .* a folder that can",
        ),
        locked(tmp_path / "data" / "warehouse.duckdb"),
    ):
        pass


def test_a_second_demo_leaves_the_first_ones_warehouse_alone(tmp_path: Path) -> None:
    warehouse = tmp_path / "demo.duckdb"
    warehouse.write_text("of the first", encoding="utf-8")
    with holder(warehouse, "60"), pytest.raises(BusyError):
        demo("second", seed=7, warehouse=warehouse)
    assert warehouse.read_text(encoding="utf-8") == "of the first"


def test_a_demo_holds_its_warehouse_between_its_steps_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = tmp_path / "demo.duckdb"
    is_free = []

    def step(*_: object, **__: object) -> BuildResult:
        with warehouse.with_suffix(".lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_free.append(False)
            else:
                is_free.append(True)
        return BuildResult(0, 0)

    for name in ("build", "ingest_order_books", "_ingest_venues", "_ingest_books"):
        monkeypatch.setattr(runs, name, step)
    told: list[str] = []
    demo("first", seed=7, warehouse=warehouse, progress=lambda what, *_: told.append(what))
    assert len(told) == 6
    assert is_free == [False] * 6
