"""From what an endpoint sent to a verdict: the same for a single call and a line of a batch."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from python_models.kernels.pair_judge.checks import failed_checks
from python_models.kernels.pair_judge.prompt import PROMPT_VERSION, Question
from python_models.kernels.pair_judge.schema import (
    SCHEMA_VERSION,
    AnswerKind,
    Judgement,
    Verdict,
)
from python_models.kernels.pair_judge.settings import NANO_USD, JudgeSettings

# Endpoints that know no response format fence their JSON.
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Message(_Wire):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Wire):
    finish_reason: str | None = None
    message: _Message


class _Usage(_Wire):
    prompt_tokens: int = Field(ge=0, le=10**9)
    completion_tokens: int = Field(ge=0, le=10**9)


class _Completion(_Wire):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


@dataclass(frozen=True)
class Reply:
    """A chat completion: what kind of answer it is, its text, and its cost."""

    kind: AnswerKind
    content: str
    input_tokens: int | None
    output_tokens: int | None
    nano_usd: int


def read_reply(
    body: Any, settings: JudgeSettings, worst_nano_usd: int, price_share: Decimal = Decimal(1)
) -> Reply | None:
    """A completion of the wire format; None for anything else.

    Without a usage it counts as dear as was feared (``worst_nano_usd``, already a share).
    """
    try:
        completion = _Completion.model_validate(body)
    except ValidationError:
        return None
    choice, usage = completion.choices[0], completion.usage
    cost = worst_nano_usd
    if usage:
        full = settings.nano_usd(usage.prompt_tokens, usage.completion_tokens)
        cost = ceil(full * price_share)
    content = choice.message.content or ""
    key = settings.api_key.get_secret_value()
    return Reply(
        _kind(choice),
        # An endpoint that sends the key back must not put it into a table.
        content.replace(key, "[key]") if key else content,
        usage.prompt_tokens if usage else None,
        usage.completion_tokens if usage else None,
        cost,
    )


def _kind(choice: _Choice) -> AnswerKind:
    if choice.message.refusal or choice.finish_reason == "content_filter":
        return "refused"
    if choice.finish_reason == "length":
        return "truncated"
    return "answered" if choice.finish_reason == "stop" else "unparsable"


def verdict(reply: Reply, asked: Question, now: datetime) -> Verdict:
    """The row for an answer: unclear where it is not whole, of another shape, or fails a check."""
    judgement = _judgement(reply.content) if reply.kind == "answered" else None
    is_unreadable = reply.kind == "answered" and judgement is None
    row = {
        "cache_key": asked.cache_key,
        "text_hash": asked.text_hash,
        "model": asked.model,
        "prompt_version": PROMPT_VERSION,
        "schema_version": SCHEMA_VERSION,
        "judged_at": now,
        "answer_kind": "unparsable" if is_unreadable else reply.kind,
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "usd": Decimal(reply.nano_usd) / NANO_USD,
    }
    if judgement is None:
        return Verdict.model_validate({**row, "relation": "unclear"})
    failures = failed_checks(judgement, asked)
    return Verdict.model_validate(
        {
            **row,
            "relation": "unclear" if failures else judgement.relation,
            "orientation": None if failures else judgement.orientation,
            "fungibility": judgement.fungibility
            if judgement.relation == "equal" and not failures
            else None,
            "claimed_relation": judgement.relation,
            "confidence": judgement.confidence,
            "kalshi_yes_quote": judgement.kalshi_yes.quote,
            "kalshi_yes_meaning": judgement.kalshi_yes.meaning,
            "polymarket_yes_quote": judgement.polymarket_yes.quote,
            "polymarket_yes_meaning": judgement.polymarket_yes.meaning,
            "one_sided_world": judgement.one_sided_world,
            "differences": judgement.differences,
            "failed_checks": failures,
        }
    )


def _judgement(content: str) -> Judgement | None:
    fenced = _FENCED.fullmatch(content)
    try:
        return Judgement.model_validate_json(fenced.group(1) if fenced else content)
    except ValidationError:
        return None
