"""The judge of pairs: asks a language model whether two contracts are the same, once each.

    with VerdictLedger(settings.ledger) as ledger:
        run = judge_pairs(pairs, settings, ledger)
    run.outcomes    # a relation or "unevaluated" for every pair, with the answer (OUTCOMES_SCHEMA)

Each answer is in the ledger before the next call is sent by the same worker. A run that
is killed loses only the calls in flight; a run that is interrupted waits for them. Runs at the same
time buy nothing twice if they use the same ledger file: a call is reserved there before it is sent.

Without a key nothing is sent, and what was ever answered about the same texts still counts, whoever
was asked: a pair that was taken down does not come back because a key is missing.
"""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

from python_models.kernels.pair_judge.answers import read_reply, verdict
from python_models.kernels.pair_judge.calls import Failure, Pace, call, client
from python_models.kernels.pair_judge.checks import flag_checks
from python_models.kernels.pair_judge.ledger import Refusal, VerdictLedger, Wish
from python_models.kernels.pair_judge.prompt import (
    Question,
    question,
    request_body,
    worst_nano_usd,
)
from python_models.kernels.pair_judge.schema import (
    OUTCOMES_SCHEMA,
    UNEVALUATED,
    Verdict,
)
from python_models.kernels.pair_judge.settings import NANO_USD, JudgeSettings
from python_models.kernels.pair_judge.texts import PAIRS_SCHEMA

if TYPE_CHECKING:
    import openai

Clock = Callable[[], datetime]

_LEASE_SLACK = timedelta(seconds=30)
_FAILURES_IN_A_ROW = 10


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class JudgeRun:
    """What a run found (``OUTCOMES_SCHEMA``), and what it cost."""

    outcomes: pa.Table
    calls: int = 0
    usd: Decimal = Decimal(0)

    @property
    def unevaluated(self) -> dict[str, int]:
        """How many pairs have no verdict, by reason."""
        rows = self.outcomes.select(["relation", "reason"]).to_pylist()
        return dict(Counter(row["reason"] for row in rows if row["relation"] == UNEVALUATED))


@dataclass
class _State:
    """What the workers of a run share."""

    settings: JudgeSettings
    ledger: VerdictLedger
    endpoint: "openai.AsyncOpenAI"
    clock: Clock
    run_id: str
    pace: Pace
    stopped: str = ""
    failures_in_a_row: int = 0
    reasons: dict[str, str] = field(default_factory=dict)


def questions(pairs: pa.Table, model: str, base_url: str) -> dict[str, Question]:
    """The questions of a table with at least the columns of ``PAIRS_SCHEMA``, by pair."""
    rows = pairs.select(PAIRS_SCHEMA.names).to_pylist()
    return {row["pair_id"]: question(row, model, base_url) for row in rows}


def judge_pairs(
    pairs: pa.Table,
    settings: JudgeSettings,
    ledger: VerdictLedger,
    *,
    clock: Clock = utc_now,
) -> JudgeRun:
    """Asks about every pair that has no verdict yet. Not from within a running event loop.

    Args:
        pairs: What to ask about (``PAIRS_SCHEMA``); other columns are not looked at.
        settings: Endpoint, prices and budgets.
        ledger: Where answers and reservations are kept.
        clock: The time, for leases, days and rows.
    """
    return asyncio.run(judge_pairs_async(pairs, settings, ledger, clock=clock))


async def judge_pairs_async(
    pairs: pa.Table,
    settings: JudgeSettings,
    ledger: VerdictLedger,
    *,
    clock: Clock = utc_now,
) -> JudgeRun:
    """``judge_pairs`` within a running event loop."""
    asked = questions(pairs, settings.model, settings.base_url)
    by_key = {one.cache_key: one for one in asked.values()}
    if not settings.is_on:
        return JudgeRun(_outcomes(asked, _answers_ever(by_key, ledger), {}, settings))
    answered = ledger.verdicts(list(by_key))
    open_questions = [one for key, one in by_key.items() if key not in answered]
    run_id = uuid.uuid4().hex
    ledger.note_run(run_id, "calls", settings.model, len(answered), clock())
    if settings.asks_in == "batches":
        reasons = {one.cache_key: "not asked by this build" for one in open_questions}
    else:
        reasons = await _ask_all(open_questions, settings, ledger, clock, run_id)
    # Once more: another run may have answered what it was asking.
    answered = ledger.verdicts(list(by_key))
    calls, nano_usd = ledger.spent(run_id=run_id)
    outcomes = _outcomes(asked, answered, reasons, settings)
    return JudgeRun(outcomes, calls, Decimal(nano_usd) / NANO_USD)


def _answers_ever(by_key: dict[str, Question], ledger: VerdictLedger) -> dict[str, Verdict]:
    """The newest answers about the same texts, by the cache key they would be asked under."""
    hashes = {key: one.text_hash for key, one in by_key.items()}
    found = ledger.latest_verdicts(list(hashes.values()))
    return {key: found[hashed] for key, hashed in hashes.items() if hashed in found}


def _outcomes(
    asked: dict[str, Question],
    answered: dict[str, Verdict],
    reasons: dict[str, str],
    settings: JudgeSettings,
) -> pa.Table:
    rows = []
    for pair_id, one in asked.items():
        found = answered.get(one.cache_key)
        if found and found.relation == "equal" and one.flags:
            # Answered when no pattern knew it yet.
            found = found.model_copy(
                update={
                    "relation": "unclear",
                    "orientation": None,
                    "fungibility": None,
                    "failed_checks": flag_checks(one),
                }
            )
        why_not = reasons.get(one.cache_key, "not asked" if settings.is_on else settings.why_off)
        verdict_row = found.model_dump(exclude={"text_hash"}) if found else {}
        rows.append(
            {
                "relation": UNEVALUATED,
                **verdict_row,
                "pair_id": pair_id,
                "kalshi_text": json.dumps(one.kalshi.fields, ensure_ascii=False),
                "polymarket_text": json.dumps(one.polymarket.fields, ensure_ascii=False),
                "text_flags": sorted(one.flags),
                "is_judge_on": settings.is_on,
                "reason": (
                    "; ".join(found.failed_checks) or found.answer_kind if found else why_not
                ),
            }
        )
    return pa.Table.from_pylist(rows, schema=OUTCOMES_SCHEMA)


async def _ask_all(
    open_questions: list[Question],
    settings: JudgeSettings,
    ledger: VerdictLedger,
    clock: Clock,
    run_id: str,
) -> dict[str, str]:
    """Asks with so many workers as calls may be in flight: why there is no answer, by cache key."""
    async with client(settings) as endpoint:
        state = _State(settings, ledger, endpoint, clock, run_id, Pace(settings))
        waiting = iter(open_questions)
        count = min(settings.calls_in_flight, len(open_questions))
        workers = [asyncio.create_task(_work(waiting, state)) for _ in range(count)]
        try:
            await _finished(workers, state)
        except asyncio.CancelledError:
            # What is in flight is paid for: its answers are waited for and kept.
            state.stopped = "interrupted"
            await asyncio.shield(_finished(workers, state))
            raise
    return state.reasons


async def _finished(workers: list[asyncio.Task[None]], state: _State) -> None:
    """Waits for all workers; when one breaks, the others end their call and stop."""
    if not workers:
        return
    broken, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
    if any(worker.exception() for worker in broken):
        state.stopped = "the run broke off"
    await asyncio.wait(workers)
    for worker in workers:
        worker.result()


async def _work(waiting: Iterator[Question], state: _State) -> None:
    for one in waiting:
        reason = state.stopped or await _ask(one, state)
        if reason:
            state.reasons[one.cache_key] = reason


async def _ask(one: Question, state: _State) -> str:
    """Asks one question, several times if need be; why there is no answer, or ''."""
    settings, reason = state.settings, ""
    body = request_body(one, settings)
    wish = Wish(one.cache_key, worst_nano_usd(body, settings))
    lease = timedelta(seconds=settings.timeout_seconds) + _LEASE_SLACK
    for attempt in range(1, settings.attempts + 1):
        await state.pace.wait()
        if state.stopped:
            return reason or state.stopped
        grant = state.ledger.reserve(wish, state.run_id, settings, state.clock(), lease)
        if isinstance(grant, Refusal):
            return "" if grant == Refusal.ANSWERED else grant.value
        result = await _attempt(one, body, grant, wish.worst_nano_usd, state)
        if result is None:
            state.failures_in_a_row = 0
            return ""
        reason = result.reason
        if result.stops_run:
            state.stopped = reason
        if not result.is_retried or attempt == settings.attempts:
            break
        if not await state.pace.wait_after(result, attempt):
            state.stopped = f"{reason}, and asked to wait too long"
            break
    state.failures_in_a_row += 1
    if state.failures_in_a_row >= _FAILURES_IN_A_ROW:
        state.stopped = state.stopped or f"{_FAILURES_IN_A_ROW} failures in a row"
    return reason


async def _attempt(
    one: Question, body: dict[str, object], attempt: int, worst: int, state: _State
) -> Failure | None:
    """One call that was reserved; its answer is kept before anything else happens."""
    body_or_failure = await call(state.endpoint, body, state.settings.timeout_seconds)
    if isinstance(body_or_failure, Failure):
        failure = body_or_failure
        state.ledger.finish(attempt, worst if failure.is_charged else 0, state.clock())
        return failure
    reply = read_reply(body_or_failure, state.settings, worst)
    if reply is None:
        state.ledger.finish(attempt, worst, state.clock())
        return Failure("not a chat completion")
    row = verdict(reply, one, state.clock())
    limit = state.settings.max_output_tokens
    state.ledger.finish(attempt, reply.nano_usd, row.judged_at, row, limit)
    if row.answer_kind == "truncated":
        return Failure(f"cut off at {limit:,} tokens")
    return None
