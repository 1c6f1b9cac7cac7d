"""Asks the judge about the pairs of a warehouse: what its two models share.

What was bought is in the ledger, a SQLite file beside the warehouse (MARKETFINDER_JUDGE_LEDGER),
and not in a table of the warehouse: a build that is killed rolls its tables back, a full refresh
drops them, and a DuckDB file takes one process at a time. The models copy what SQL is to see.
"""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from dbt.flags import get_flags

from python_models.kernels.pair_judge.judge import judge_pairs
from python_models.kernels.pair_judge.ledger import VerdictLedger
from python_models.kernels.pair_judge.schema import USAGE_SCHEMA
from python_models.kernels.pair_judge.settings import (
    NANO_USD,
    JudgeSettings,
    load_judge_settings,
)
from python_models.kernels.pair_judge.texts import PAIRS_SCHEMA

QUESTIONS = f"""
select {", ".join(PAIRS_SCHEMA.names)} from silver.pair_questions order by question_number
"""
# A batch is answered within a day; until then the day it was sent on is not settled.
_UNSETTLED = timedelta(days=3)


def judged_pairs(session: Any) -> pa.Table:
    """What the judge says of each pair to ask about, ``OUTCOMES_SCHEMA``."""
    settings = load_judge_settings()
    if _is_trial():
        settings = settings.model_copy(update={"asks_in": "batches"})
    pairs = session.sql(QUESTIONS).to_arrow_table()
    with _ledger(settings) as ledger:
        return judge_pairs(pairs, settings, ledger).outcomes


def judge_usage(session: Any, known: str | None) -> pa.Table:
    """What was used since ``known`` was written, or ever: ``USAGE_SCHEMA``."""
    last_day = None
    if known:
        ((last_day,),) = session.execute(f"select max(day) from {known}").fetchall()
    since = f"{last_day - _UNSETTLED:%Y-%m-%d}" if last_day else ""
    with _ledger(load_judge_settings()) as ledger:
        used = ledger.usage(since)
    rows = [
        {
            **one._asdict(),
            "day": date.fromisoformat(one.day),
            "usd": Decimal(one.nano_usd) / NANO_USD,
        }
        for one in used
    ]
    return pa.Table.from_pylist(rows, schema=USAGE_SCHEMA)


def _is_trial() -> bool:
    """Whether dbt builds without rows or from a few: its flags do not reach Python models."""
    flags = get_flags()  # type: ignore[no-untyped-call]
    return bool(getattr(flags, "EMPTY", False) or getattr(flags, "SAMPLE", None))


def _ledger(settings: JudgeSettings) -> VerdictLedger:
    """The ledger; nobody who has no key finds a new file."""
    is_needed = settings.is_on or settings.ledger.exists()
    return VerdictLedger(settings.ledger if is_needed else Path(":memory:"))
