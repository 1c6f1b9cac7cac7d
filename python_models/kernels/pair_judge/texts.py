"""The texts of two contracts, made safe to send, with what speaks against trusting them.

Anyone can write a market's text. What a reader would not see (control, bidi and other invisible
characters) is taken out, what is too long is cut, and both sides travel as strings inside one JSON
object, where no character can end its string.

Three things flag a pair; a flagged pair is never equal, whatever a model says of it:

* ``text_was_cut``: something was not read.
* ``disguised_letters``: a word mixes scripts (a Cyrillic "о" in a Latin word), or uses letters that
  only look like letters. What a person reads and what a model reads may differ.
* ``speaks_to_the_judge``: instructions, chat or JSON markup, our own field names, the other venue's
  name, claims about the other side. A list of patterns finds the usual forms, never all of them.
"""

import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from python_models.kernels.pair_judge.characters import has_disguised_letters, scrubbed, spaced
from python_models.kernels.pair_judge.schema import Difference, Judgement

SIDES = ("kalshi", "polymarket")
TEXT_FIELDS = ("event_title", "title", "outcome", "rules", "resolution_source", "window", "zone")
TEXT_COLUMNS = tuple(f"{side}_{name}" for side in SIDES for name in TEXT_FIELDS)

PAIRS_SCHEMA = pa.schema(
    [
        pa.field("pair_id", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in TEXT_COLUMNS),
    ]
)
"""What is asked about. Other columns (prices, clocks, scores) are not looked at."""

MAX_FIELD_CHARACTERS = 12_000

CUT = "text_was_cut"
DISGUISED = "disguised_letters"
ADDRESSED = "speaks_to_the_judge"

_FIELD_NAMES = sorted(
    {
        name
        for name in (*Judgement.model_fields, *Difference.model_fields, "k_implies_p")
        if "_" in name
    }
    | {"p_implies_k", "complementary_partition"}
)
# Matched against folded text, in which full-width and mathematical letters are plain ones.
_SPEAKING = re.compile(
    "|".join(
        [
            r"\b(ignore|disregard|forget|override|bypass)\b[^.]{0,60}"
            r"\b(instructions?|prompts?|messages?|guidelines)\b",
            r"\b(system|developer) (prompt|message|instructions?)\b",
            r"\byou are (now|an?|the) |\byour (task|verdict|judge?ment|instructions?|reply)\b",
            r"\bas an ai\b|\bai judge\b|\bto the (judge|model|assistant)\b",
            r"\b(answer|respond|reply|output|return|say|classify|mark|label|judge|treat|consider)\b"
            r"[^.]{0,80}\b(equal|identical|equivalent|the same (contract|market|bet))\b",
            r"\b(both|these|the two|the other)( two)?"
            r" (contracts?|markets?|sides?|venues?|listings?|rules)\b[^.]{0,60}"
            r"\b(equal|identical|equivalent|same|match(es)?)\b",
            r"\b(the )?other (side|venue|listing|platform|contract)\b",
            r"<\|[^|>]{1,40}\|>|\[/?inst\]|<</?sys>>",
            r"</?\s*(system|user|assistant|human|instructions?|contracts?|market|kalshi|polymarket"
            r"|rules|documents?|data|json|tool|input|text)\b[^>]{0,80}>",
            r"(^|[\n.!?;>])\s*#*\s*(system|assistant|user|human|developer)\s*:",
            r"\b(this|the) pair (is|was|are|were|must|should)\b",
            r"\{\s*\\?[\"']|[\"']\s*:\s*[\"'{\[]|```",
            *(rf"\b{name}\b" for name in _FIELD_NAMES),
        ]
    )
)


@dataclass(frozen=True)
class Contract:
    """One side as it is sent: its fields, scrubbed and capped, and the flags of its text."""

    fields: dict[str, str | None]
    flags: frozenset[str] = field(default=frozenset())

    def says(self, quote: str) -> bool:
        """Whether the words occur in one of the fields. Runs of spaces and breaks are one space."""
        wanted = spaced(quote)
        return wanted != "" and any(wanted in spaced(text) for text in self.fields.values() if text)


def speaks_to_the_judge(text: str, other_venue: str) -> bool:
    """Whether the text has a form that only makes sense as a message to whoever judges it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return other_venue in folded or _SPEAKING.search(folded) is not None


def contract(texts: dict[str, str | None], side: str) -> Contract:
    """One side's texts as they may be sent. ``texts`` has the keys ``TEXT_FIELDS``."""
    other = next(name for name in SIDES if name != side)
    flags, fields = set(), {}
    for name in TEXT_FIELDS:
        text = scrubbed(texts.get(name) or "")
        # Flags are read from the whole: what is cut off still says what its writer is up to.
        if has_disguised_letters(text):
            flags.add(DISGUISED)
        if speaks_to_the_judge(text, other):
            flags.add(ADDRESSED)
        if len(text) > MAX_FIELD_CHARACTERS:
            flags.add(CUT)
        fields[name] = text[:MAX_FIELD_CHARACTERS] or None
    return Contract(fields, frozenset(flags))


def contracts(row: dict[str, Any]) -> tuple[Contract, Contract]:
    """Both sides of a row of ``PAIRS_SCHEMA``: Kalshi's and Polymarket's."""
    kalshi, polymarket = (
        contract({name: row[f"{side}_{name}"] for name in TEXT_FIELDS}, side) for side in SIDES
    )
    return kalshi, polymarket


def user_message(kalshi: Contract, polymarket: Contract) -> str:
    """The only place where market text goes: one JSON object, one key a side."""
    sides = {
        side: {**sent.fields, CUT: CUT in sent.flags}
        for side, sent in zip(SIDES, (kalshi, polymarket), strict=True)
    }
    return json.dumps(sides, ensure_ascii=False, sort_keys=True)


def read_user_message(message: str) -> tuple[Contract, Contract]:
    """The contracts of a message that was sent, with the flags that its texts had."""
    kalshi, polymarket = (_read_side(texts, side) for side, texts in json.loads(message).items())
    return kalshi, polymarket


def _read_side(texts: dict[str, Any], side: str) -> Contract:
    was_cut = texts.pop(CUT)
    sent = contract(texts, side)
    return Contract(sent.fields, sent.flags | ({CUT} if was_cut else set()))
