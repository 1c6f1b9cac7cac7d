"""Pairs, settings and runs for the tests of the judge."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from judge_endpoint import ScriptedEndpoint
from pydantic import SecretStr

from python_models.kernels.pair_judge import JudgeRun, judge_pairs
from python_models.kernels.pair_judge_ledger import VerdictLedger
from python_models.kernels.pair_judge_settings import JudgeSettings
from python_models.kernels.pair_judge_texts import PAIRS_SCHEMA

KEY = "sk-secret-4711-do-not-show"


@pytest.fixture
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's environment."""
    for name in list(os.environ):
        if name.startswith(("MARKETFINDER_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def endpoint() -> Iterator[ScriptedEndpoint]:
    """A model that finds every pair equal, with true quotes."""
    scripted = ScriptedEndpoint()
    yield scripted
    scripted.close()


@pytest.fixture
def judge_settings(
    clean_environment: None, endpoint: ScriptedEndpoint, tmp_path: Path
) -> JudgeSettings:
    """A key, the endpoint on loopback, and prices: a call costs 0.0014 USD."""
    return JudgeSettings(
        api_key=SecretStr(KEY),
        base_url=endpoint.url,
        model="scripted",
        ledger=tmp_path / "judge.sqlite",
        usd_per_million_input_tokens=Decimal(1),
        usd_per_million_output_tokens=Decimal(2),
        max_output_tokens=1_000,
        timeout_seconds=5,
        backoff_seconds=0.01,
    )


def pair(number: int, **texts: str) -> dict[str, str | None]:
    """A row of ``PAIRS_SCHEMA``: the same contract on both venues, in different words."""
    row = {
        "pair_id": f"pair-{number}",
        "kalshi_event_title": "Acme in 2027",
        "kalshi_title": f"Will Acme report {number} sales before Jan 1, 2027?",
        "kalshi_outcome": "Yes",
        "kalshi_rules": f"If Acme reports {number} sales before Jan 1, 2027, then Yes.",
        "polymarket_title": f"Acme reports {number} sales by December 31, 2026?",
        "polymarket_outcome": "Yes",
        "polymarket_rules": f'This resolves to "Yes" if Acme reports {number} sales by Dec 31.',
        **texts,
    }
    return {name: row.get(name) for name in PAIRS_SCHEMA.names}


def pairs(*rows: dict[str, str | None], count: int = 0) -> pa.Table:
    """A table of pairs: the rows, or so many different ones."""
    found = list(rows) or [pair(number) for number in range(count)]
    return pa.Table.from_pylist(found, schema=PAIRS_SCHEMA)


def judged(table: pa.Table, settings: JudgeSettings, **options: Any) -> JudgeRun:
    """A run with the ledger of the settings."""
    with VerdictLedger(settings.ledger) as ledger:
        return judge_pairs(table, settings, ledger, **options)


def relations(run: JudgeRun) -> list[str]:
    """The relation of each pair, in order."""
    found: list[str] = run.outcomes["relation"].to_pylist()
    return found


def changed(settings: JudgeSettings, **changes: object) -> JudgeSettings:
    """The settings with some of them changed."""
    return settings.model_copy(update=changes)


def spent_today(settings: JudgeSettings) -> tuple[int, int]:
    """Calls and nano-dollars on the day's account."""
    with VerdictLedger(settings.ledger) as ledger:
        return ledger.spent(day=f"{datetime.now(UTC):%Y-%m-%d}")
