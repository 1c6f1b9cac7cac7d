"""Loads in a process of their own that kill themselves at a chosen moment.

The program of a test imports this module, for its folder is where Python looks first.
"""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline

from ingestion.settings import Settings

TESTS = Path(__file__).resolve().parent


def start(program: str, point: str, settings: Settings) -> subprocess.Popen[bytes]:
    """Starts a program, which finds the point and the settings in its arguments."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), point, settings.model_dump_json()],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def given() -> tuple[str, Settings]:
    """What `start` has told this program."""
    return sys.argv[1], Settings.model_validate_json(sys.argv[2])


def die(*args: object, **kwargs: object) -> NoReturn:
    """Kills this process, whatever it is called with."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def and_die(function: Callable[..., Any]) -> Callable[..., NoReturn]:
    """The function, and the end after it."""

    def run(*args: Any, **kwargs: Any) -> NoReturn:
        function(*args, **kwargs)
        die()

    return run


def die_at(point: str, table: str) -> None:
    """Makes dlt kill this process at a point; one it does not know changes nothing."""
    run, complete = DuckDbCopyJob.run, SqlJobClientBase.complete_load

    def run_job(job: DuckDbCopyJob) -> None:
        run(job)
        if job.load_table_name == table:
            die()

    points: dict[str, tuple[type, str, Callable[..., Any]]] = {
        "between extract and normalize": (Pipeline, "normalize", die),
        "between normalize and load": (Pipeline, "load", die),
        f"after the load job of {table}": (DuckDbCopyJob, "run", run_job),
        "before the load is complete": (SqlJobClientBase, "complete_load", die),
        "after the load is complete": (SqlJobClientBase, "complete_load", and_die(complete)),
    }
    if point in points:
        setattr(*points[point])
