"""dbt builds with a judge, as a person runs them: processes of their own, a model on loopback."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from conftest import KEY
from judge_endpoint import ScriptedEndpoint
from pipelines import ask

from ingestion.build import PROJECT

FROM_QUESTIONS = ("--select", "pair_questions+")
PARSED = "partial_parse.msgpack"


def shown_by(process: subprocess.Popen[str]) -> str:
    """What dbt has printed at its end, which must be a good one."""
    with process:
        assert process.stdout is not None
        shown = process.stdout.read()
    assert process.returncode == 0, shown
    return shown


@dataclass
class JudgedBuild:
    """A warehouse in a folder of its own, and how to build it with a judge. ``changes`` are
    settings of the judge."""

    folder: Path
    endpoint: ScriptedEndpoint
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        """The warehouse's file."""
        return self.folder / "warehouse.duckdb"

    @property
    def ledger(self) -> Path:
        """Where the answers are, unless it was set otherwise."""
        return self.folder / "judge.sqlite"

    def copy_of(self, warehouse: Path) -> "JudgedBuild":
        """Begins with a copy of a warehouse that was built without a judge, and of what dbt has
        parsed for it."""
        self.folder.mkdir(exist_ok=True)
        shutil.copy(warehouse, self.warehouse)
        with suppress(FileNotFoundError):
            (self.folder / "target").mkdir()
            shutil.copy(Path(os.environ["DBT_TARGET_PATH"], PARSED), self.folder / "target")
        return self

    def environment(self, **changes: str) -> dict[str, str]:
        """Nothing of the developer's own, a key, and the endpoint."""
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MARKETFINDER_", "OPENAI_", "DBT_"))
        }
        judge = {
            "API_KEY": KEY,
            "BASE_URL": self.endpoint.url,
            "MODEL": "scripted",
            "USD_PER_MILLION_INPUT_TOKENS": "1",
            "USD_PER_MILLION_OUTPUT_TOKENS": "2",
            "MAX_OUTPUT_TOKENS": "1000",
            "TIMEOUT_SECONDS": "5",
            "BACKOFF_SECONDS": "0.01",
            **self.changes,
            **changes,
        }
        return {
            **own,
            "MARKETFINDER_WAREHOUSE": str(self.warehouse),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "COLUMNS": "200",
            **{f"MARKETFINDER_JUDGE_{name}": value for name, value in judge.items()},
        }

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        """Starts dbt in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "ingestion.dbt_process", *arguments],
            cwd=PROJECT,
            env=self.environment(**changes),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def dbt(self, *arguments: str, **changes: str) -> str:
        """Runs dbt to its end, which must be a good one: what it has printed."""
        return shown_by(self.start(*arguments, **changes))

    def marketfinder(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """The command, as a process of its own."""
        return subprocess.run(
            [sys.executable, "-c", "from ingestion.cli import main; main()", *arguments],
            cwd=PROJECT,
            env=self.environment(**changes),
            capture_output=True,
            text=True,
            check=False,
        )

    def count(self, query: str) -> int:
        """The number that a query of the warehouse gives."""
        return int(ask(self.warehouse, query)[0][0])

    def stored(self) -> bytes:
        """All that is in the folder: warehouse, ledger, logs, artefacts."""
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())
