"""Pairs and runs for the tests of the judge; its fixtures are in conftest."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from python_models.kernels.pair_judge.judge import JudgeRun, judge_pairs
from python_models.kernels.pair_judge.ledger import VerdictLedger
from python_models.kernels.pair_judge.settings import JudgeSettings
from python_models.kernels.pair_judge.texts import PAIRS_SCHEMA


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
