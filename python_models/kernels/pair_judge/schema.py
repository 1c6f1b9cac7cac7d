"""What the judge must answer, and the tables that its answers become.

A ``Judgement`` is what a model says. A ``Verdict`` is what the checks leave of it: one for each
question that was answered, whatever the answer was worth, so that nothing is bought twice.
"""

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict

from python_models.kernels.pair_judge.characters import scrubbed

Relation = Literal[
    "equal",
    "k_implies_p",
    "p_implies_k",
    "mutually_exclusive",
    "complementary_partition",
    "overlap",
    "unrelated",
    "unclear",
]
Orientation = Literal["same", "inverted"]
Fungibility = Literal["clean", "caveat", "correlated"]

_MAX_CHARACTERS = 4_000
_MAX_DIFFERENCES = 50


def _readable(text: str) -> str:
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"longer than {_MAX_CHARACTERS} characters")
    return scrubbed(text)


def _a_share(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError("not between 0 and 1")
    return value


# Limits are checked here and not told in the schema: endpoints differ in the keywords they take.
Text = Annotated[str, AfterValidator(_readable)]


class _Answer(BaseModel):
    # Strict: "true" is not true, and a field that was not asked for is a sign of another schema.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class YesRegion(_Answer):
    """When a side pays YES: the words that say so, and what they mean."""

    quote: Text
    meaning: Text


class Difference(_Answer):
    """What the two sides say differently of one dimension, in their own words."""

    dimension: Text
    kalshi_quote: Text
    polymarket_quote: Text
    can_split: bool


def _not_too_many(found: list[Difference]) -> list[Difference]:
    if len(found) > _MAX_DIFFERENCES:
        raise ValueError(f"more than {_MAX_DIFFERENCES}")
    return found


class Judgement(_Answer):
    """A model's answer. ``one_sided_world`` is null where no world splits the two sides."""

    kalshi_yes: YesRegion
    polymarket_yes: YesRegion
    differences: Annotated[list[Difference], AfterValidator(_not_too_many)]
    one_sided_world: Text | None
    relation: Relation
    orientation: Orientation | None
    fungibility: Fungibility | None
    confidence: Annotated[float, AfterValidator(_a_share)]


JSON_SCHEMA: dict[str, Any] = Judgement.model_json_schema()
SCHEMA_VERSION = hashlib.sha256(json.dumps(JSON_SCHEMA, sort_keys=True).encode()).hexdigest()[:12]
"""Of the schema itself, so that it cannot be changed without asking anew."""

AnswerKind = Literal["answered", "refused", "truncated", "unparsable"]


class Verdict(BaseModel):
    """One answered question. ``relation`` is after the checks, ``claimed_relation`` before them."""

    model_config = ConfigDict(frozen=True)

    cache_key: str
    text_hash: str
    model: str
    prompt_version: str
    schema_version: str
    judged_at: datetime
    answer_kind: AnswerKind
    relation: Relation
    orientation: Orientation | None = None
    fungibility: Fungibility | None = None
    claimed_relation: Relation | None = None
    confidence: float | None = None
    kalshi_yes_quote: str | None = None
    kalshi_yes_meaning: str | None = None
    polymarket_yes_quote: str | None = None
    polymarket_yes_meaning: str | None = None
    one_sided_world: str | None = None
    differences: list[Difference] = []
    failed_checks: list[str] = []
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: Decimal = Decimal(0)


UNEVALUATED = "unevaluated"

_DIFFERENCES = pa.list_(
    pa.struct(
        [
            pa.field("dimension", pa.string()),
            pa.field("kalshi_quote", pa.string()),
            pa.field("polymarket_quote", pa.string()),
            pa.field("can_split", pa.bool_()),
        ]
    )
)
OUTCOMES_SCHEMA = pa.schema(
    [
        pa.field("pair_id", pa.string(), nullable=False),
        # What was to be asked: both texts as they are sent, and what speaks against trusting them.
        pa.field("kalshi_text", pa.string(), nullable=False),
        pa.field("polymarket_text", pa.string(), nullable=False),
        pa.field("text_flags", pa.list_(pa.string()), nullable=False),
        pa.field("is_judge_on", pa.bool_(), nullable=False),
        # What counts: after the checks, "unevaluated" without an answer.
        pa.field("relation", pa.string(), nullable=False),
        pa.field("orientation", pa.string()),
        pa.field("fungibility", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        # The answer; all null without one.
        pa.field("answer_kind", pa.string()),
        pa.field("claimed_relation", pa.string()),
        pa.field("confidence", pa.float64()),
        pa.field("kalshi_yes_quote", pa.string()),
        pa.field("kalshi_yes_meaning", pa.string()),
        pa.field("polymarket_yes_quote", pa.string()),
        pa.field("polymarket_yes_meaning", pa.string()),
        pa.field("one_sided_world", pa.string()),
        pa.field("differences", _DIFFERENCES),
        pa.field("failed_checks", pa.list_(pa.string())),
        pa.field("model", pa.string()),
        pa.field("prompt_version", pa.string()),
        pa.field("schema_version", pa.string()),
        pa.field("cache_key", pa.string()),
        pa.field("input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("usd", pa.decimal128(18, 9)),
        pa.field("judged_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""What a run knows of each of its pairs; key: ``pair_id``."""


class Usage(NamedTuple):
    """What one run used on one day. Money in nano-dollars, waiting in seconds.

    ``kind``: "calls" or "batch". The seconds are those of answered calls together and of the
    longest; null where there was none.
    """

    run_id: str
    kind: str
    model: str
    day: str
    cache_hits: int
    calls: int
    answers: int
    input_tokens: int | None
    output_tokens: int | None
    nano_usd: int
    answer_seconds: float | None
    longest_answer_seconds: float | None


USAGE_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("run_id", "kind", "model")),
        pa.field("day", pa.date32(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in ("cache_hits", "calls")),
        pa.field("answers", pa.int64(), nullable=False),
        pa.field("input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("usd", pa.decimal128(18, 9), nullable=False),
        pa.field("answer_seconds", pa.float64()),
        pa.field("longest_answer_seconds", pa.float64()),
    ]
)
"""What the judge used; key: ``run_id`` and ``day``."""
