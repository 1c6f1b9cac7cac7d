"""`dbt build` on a warehouse, as a process of its own, its progress and its errors in words."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ingestion.errors import BuildError
from ingestion.logs import log_dbt
from ingestion.venues import Progress
from ingestion.warehouse_locks import inherited_locks, locked

PROJECT = Path(__file__).resolve().parent.parent
_RESULTS = {"LogModelResult", "LogTestResult", "LogSeedResult", "SkippingDetails", "LogHookEndLine"}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Half(StrEnum):
    """The two halves of the project, which are the tags of their models."""

    PREDICTION_MARKETS = "prediction_markets"
    ORDER_BOOKS = "order_books"


class Step(StrEnum):
    """Parts of the prediction markets: the two steps of a run, with a fetch of order books in
    between, what the scorer is trained on, and what matching is measured with."""

    MATCHES = "matches"
    PRICES = "prices"
    TRAINING = "training"
    QUALITY = "quality"


@dataclass(frozen=True)
class BuildResult:
    """How many nodes (models, seeds, tests) of the project passed."""

    passed: int
    warned: int

    def __add__(self, other: "BuildResult") -> "BuildResult":
        return BuildResult(self.passed + other.passed, self.warned + other.warned)


def build(
    warehouse: Path,
    part: Half | Step | None,
    *,
    variables: Mapping[str, Any] | None = None,
    full_refresh: bool = False,
    is_tested: bool = True,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> BuildResult:
    """Builds and tests the models of one half or step, or all of them, in `warehouse`.

    Unit tests are left out: they say of the models what no data changes. A full refresh forgets
    what was built first. `environment` goes before the process's own.
    Without tests it is done in half of the time.

    Raises BuildError with what failed, a line each, when a model or a test did.
    """
    problems: list[str] = []
    stats: dict[str, int] = {}
    # Nothing reads the manifest and the results, and they take as long as a hundred tests.
    arguments = ["build", "--no-write-json", "--vars", json.dumps(dict(variables or {}))]
    arguments += ["--exclude-resource-type", "unit_test"]
    if isinstance(part, Step):
        arguments += ["--selector", part.value]
    elif part:
        arguments += ["--select", f"tag:{part}"]
    if full_refresh:
        arguments.append("--full-refresh")
    if not is_tested:
        arguments += ["--exclude-resource-type", "test"]
    with closing(dbt_events(warehouse, arguments, environment or {})) as events:
        for event in events:
            name, data, text = event["info"]["name"], event["data"], event["info"]["msg"]
            if (
                name in _RESULTS
                and progress
                and (total := data.get("total") or data.get("num_models"))
            ):
                progress("dbt build", data["index"], total)
            elif name == "StatsLine":
                stats = data["stats"]
            elif event["info"]["level"] == "error" and name not in _RESULTS:
                problems.append(one_line(text))
    if not stats or stats["error"] or problems:
        lines = problems or ["dbt stopped before it said why"]
        raise BuildError("dbt build failed:\n" + "\n".join(f"  {line}" for line in lines))
    return BuildResult(passed=stats["pass"], warned=stats["warn"])


def planned_models(half: Half) -> list[str]:
    """The models that a build of one half makes, as schema.name, in the project's order."""
    project = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    project += ["--target-path", str(artefacts("lint"))]
    listing = [
        "ls",
        "--target",
        "lint",
        "--select",
        f"tag:{half}",
        "--resource-type",
        "model",
        "--output",
        "json",
        "--output-keys",
        "schema alias",
        "--no-write-json",
        "--quiet",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *listing, *project],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise BuildError(f"dbt ls failed:\n{done.stdout.strip()}")
    nodes = [json.loads(line) for line in lines]
    return [f"{node['schema']}.{node['alias']}" for node in nodes]


def artefacts(target: str) -> Path:
    """Where dbt writes to for a target of the profile that is not a build's: a folder beside, and
    so either parses only what has changed since it was used itself."""
    return Path(os.environ.get("DBT_TARGET_PATH", PROJECT / "target")).resolve() / target


def dbt_events(
    warehouse: Path,
    arguments: list[str],
    environment: Mapping[str, str],
    *,
    is_reader: bool = False,
) -> Generator[dict[str, Any]]:
    """The log of a dbt command, event by event; a line that is no event is passed over."""
    command = [
        *(sys.executable, "-m", "ingestion.dbt_process", "--log-format", "json", *arguments),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
    ]
    given = {**os.environ, "MARKETFINDER_WAREHOUSE": str(warehouse.resolve()), **environment}
    with (
        locked(warehouse, shared=is_reader),
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=given,
            pass_fds=inherited_locks(),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    event = json.loads(line)
                    log_dbt(event)
                    yield event
        except BaseException:
            # A step without time left, a signal: what dbt has not committed never happened.
            process.kill()
            raise


def one_line(text: str) -> str:
    return " ".join(_COLOURS.sub("", text).split())
