"""The judge at half the price: questions sent as a batch file, answers fetched when they are ready.

    submit_batch(pairs, settings, ledger)     # at the end of a run
    collect_batches(settings, ledger)         # at the start of the next

Every step can be killed and is taken up again by ``collect_batches``: the reservations and the
batch's name are in the ledger before anything is sent, the name travels as metadata, and a batch
whose number is not known is looked for by it before it is sent again. Answers are joined by
``custom_id``, which is the cache key. What expired or failed is open again for the next run.

The file with the requests stays beside the ledger until the answers are there: quotes are checked
against what was sent.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

import openai
import orjson
import pyarrow as pa

from python_models.kernels.pair_judge.answers import read_reply, verdict
from python_models.kernels.pair_judge.calls import status_failure
from python_models.kernels.pair_judge.judge import Clock, questions, utc_now
from python_models.kernels.pair_judge.ledger import (
    CLAIM,
    OpenBatch,
    Refusal,
    VerdictLedger,
    Wish,
)
from python_models.kernels.pair_judge.prompt import (
    Question,
    request_body,
    sent_question,
    worst_nano_usd,
)
from python_models.kernels.pair_judge.settings import JudgeSettings

MAX_REQUESTS = 50_000
MAX_BYTES = 150_000_000
_NAME_KEY = "marketfinder_batch"
_ENDED = ("completed", "expired", "failed", "cancelled")


@dataclass(frozen=True)
class BatchReport:
    """What became of a batch. ``status`` is the endpoint's word, or why it was not asked."""

    name: str
    status: str
    questions: int = 0
    answered: int = 0
    open_again: int = 0


def submit_batch(
    pairs: pa.Table, settings: JudgeSettings, ledger: VerdictLedger
) -> BatchReport | None:
    """Sends all questions without an answer as one batch; None if there is nothing to send.

    What does not fit the file or the budget stays for the next batch. Takes the arguments of
    ``judge_pairs``.
    """
    if not settings.is_on:
        return None
    asked = questions(pairs, settings.model, settings.base_url)
    by_key = {one.cache_key: one for one in asked.values()}
    name, began_at = uuid.uuid4().hex, utc_now()
    taken = ledger.verdicts(list(by_key)).keys() | ledger.keys_being_asked(began_at)
    lines = dict(_lines((one for key, one in by_key.items() if key not in taken), settings))
    wishes = [Wish(key, worst) for key, (_, worst) in lines.items()]
    granted = ledger.reserve_batch(wishes, name, settings, began_at)
    sent = [lines[key][0] for key, grant in granted.items() if not isinstance(grant, Refusal)]
    if not sent:
        return None
    path = _path(ledger, name)
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(b"\n".join(sent))
    unfinished.replace(path)
    with _client(settings) as endpoint:
        status = _submit(endpoint, ledger, name, began_at, utc_now)
    return BatchReport(name, status, questions=len(sent))


def collect_batches(
    settings: JudgeSettings,
    ledger: VerdictLedger,
    *,
    clock: Clock = utc_now,
) -> list[BatchReport]:
    """Fetches the answers that are ready, and submits what a killed run did not."""
    batches = ledger.open_batches()
    if not settings.is_on or not batches:
        return [BatchReport(batch.name, settings.why_off) for batch in batches]
    with _client(settings) as endpoint:
        return [_collect(endpoint, batch, settings, ledger, clock) for batch in batches]


def _client(settings: JudgeSettings) -> openai.OpenAI:
    return openai.OpenAI(
        api_key=settings.api_key.get_secret_value(),
        base_url=settings.base_url,
        timeout=settings.timeout_seconds,
        max_retries=0,
    )


def _path(ledger: VerdictLedger, name: str) -> Path:
    return ledger.path.with_name(f"{ledger.path.name}.batches") / f"{name}.jsonl"


def _lines(
    asked: Iterator[Question], settings: JudgeSettings
) -> Iterator[tuple[str, tuple[bytes, int]]]:
    """For each question that fits into one file: its line, and what it can cost at most."""
    size = 0
    for number, one in enumerate(asked):
        body = request_body(one, settings)
        line = orjson.dumps(
            {
                "custom_id": one.cache_key,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": body,
            }
        )
        size += len(line) + 1
        if number >= MAX_REQUESTS or size > MAX_BYTES:
            return
        worst = ceil(worst_nano_usd(body, settings) * settings.batch_price_share)
        yield one.cache_key, (line, worst)


def _submit(
    endpoint: openai.OpenAI, ledger: VerdictLedger, name: str, began_at: datetime, clock: Clock
) -> str:
    """Uploads the file and creates the batch, whose status it returns."""
    path = _path(ledger, name)
    try:
        file = endpoint.files.create(file=(path.name, path.read_bytes()), purpose="batch")
        if clock() - began_at >= CLAIM:
            return "took too long to submit"
        batch = endpoint.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={_NAME_KEY: name},
        )
    except openai.OpenAIError as error:
        return _reason(error)
    ledger.note_batch(name, batch.id)
    return str(batch.status)


def _reason(error: openai.OpenAIError) -> str:
    if isinstance(error, openai.APIStatusError):
        return status_failure(error.status_code, error.response.headers).reason
    return "timeout" if isinstance(error, openai.APITimeoutError) else "no connection"


def _collect(
    endpoint: openai.OpenAI,
    batch: OpenBatch,
    settings: JudgeSettings,
    ledger: VerdictLedger,
    clock: Clock,
) -> BatchReport:
    if batch.batch_id is None:
        return _resume(endpoint, batch.name, ledger, clock)
    try:
        remote = endpoint.batches.retrieve(batch.batch_id)
        if remote.status not in _ENDED:
            return BatchReport(batch.name, str(remote.status))
        # Errors are not read: whatever has no answer is open again.
        output = endpoint.files.content(remote.output_file_id) if remote.output_file_id else None
        content = output.content if output else b""
    except openai.NotFoundError:
        # It was sent, so it may have been paid for.
        left = ledger.close_batch(batch.name, is_charged=True)
        return BatchReport(batch.name, "gone", open_again=left)
    except openai.OpenAIError as error:
        return BatchReport(batch.name, _reason(error))
    answered, cut_off = _keep(content, batch.name, settings, ledger, clock)
    left = ledger.close_batch(batch.name, is_charged=False) + cut_off
    _path(ledger, batch.name).unlink(missing_ok=True)
    return BatchReport(batch.name, remote.status, answered + left, answered, left)


def _resume(endpoint: openai.OpenAI, name: str, ledger: VerdictLedger, clock: Clock) -> BatchReport:
    """Goes on with a batch of which nobody knows whether it was sent."""
    began_at = clock()
    if not ledger.claim_batch(name, began_at):
        return BatchReport(name, "not known to be sent; tried again an hour after it began")
    try:
        for remote in endpoint.batches.list(limit=100):
            if (remote.metadata or {}).get(_NAME_KEY) == name:
                ledger.note_batch(name, remote.id)
                return BatchReport(name, str(remote.status))
    except openai.OpenAIError as error:
        return BatchReport(name, _reason(error))
    if not _path(ledger, name).exists():
        left = ledger.close_batch(name, is_charged=False)
        return BatchReport(name, "never sent", open_again=left)
    return BatchReport(name, _submit(endpoint, ledger, name, began_at, clock))


def _keep(
    content: bytes,
    name: str,
    settings: JudgeSettings,
    ledger: VerdictLedger,
    clock: Clock,
) -> tuple[int, int]:
    """Keeps the answers of an output file, each by itself: how many there were, and how many were
    cut off."""
    asked = {one.cache_key: (one, limit) for one, limit in _sent(_path(ledger, name), settings)}
    reserved = ledger.open_attempts(name)
    answered = cut_off = 0
    for line in content.splitlines():
        key, body = _answer(line)
        attempt, worst = reserved.get(key, (0, 0))
        reply = read_reply(body, settings, worst, settings.batch_price_share) if attempt else None
        if reply is None:
            continue
        del reserved[key]
        one, limit = asked.get(key, (None, 0))
        row = verdict(reply, one, clock()) if one else None
        ledger.finish(attempt, reply.nano_usd, clock(), row, limit)
        is_cut_off = row is not None and row.answer_kind == "truncated"
        cut_off += is_cut_off
        answered += row is not None and not is_cut_off
    return answered, cut_off


def _answer(line: bytes) -> tuple[str, Any]:
    """The ``custom_id`` of a line and the completion in it, if there is one."""
    try:
        answer = orjson.loads(line)
        is_good = answer["response"]["status_code"] == 200
        return str(answer["custom_id"]), answer["response"]["body"] if is_good else None
    except (ValueError, TypeError, LookupError):
        return "", None


def _sent(path: Path, settings: JudgeSettings) -> Iterator[tuple[Question, int]]:
    """The questions of a batch file that would be asked in the same way today, each with the most
    tokens that an answer to it could have."""
    for line in path.read_bytes().splitlines() if path.exists() else []:
        request = orjson.loads(line)
        one = sent_question(request["body"], settings.base_url)
        if one.cache_key == request["custom_id"]:
            yield one, request["body"]["max_completion_tokens"]
