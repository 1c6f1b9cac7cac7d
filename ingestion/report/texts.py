"""What venues wrote, made safe to show and to compare."""

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_VENUES = {"kalshi.com", "polymarket.com"}
_WORD = re.compile(r"\w+(?:[.,:]\d+)*")
# Said by every text: that only one has them tells nothing.
_SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and any are as at be been by do does for from has have if in into is it its of on or"
        " otherwise such than that the then this to was were which will with",
    )
)


class Run(NamedTuple):
    """Part of a text; `is_own` when the other text has none of its words."""

    words: str
    is_own: bool


def printable(value: Any) -> Any:
    """A text without characters that are not seen but act: controls, and those that turn the
    direction of what follows. Line breaks become spaces; what is no plain text stays as it is."""
    if type(value) is not str:
        return value
    return "".join(letter if letter.isprintable() else " " for letter in value)


def venue_url(url: str | None) -> str | None:
    """The link, when it leads to a venue and nowhere else."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme == "https" and parts.netloc in _VENUES else None


def compared(text: str, other: str) -> list[Run]:
    """`text` in runs, those marked that only it has: words and numbers, whatever their case."""
    others = set(_words(other))
    runs: list[Run] = []
    for part in re.findall(r"\s+|\S+", text):
        is_own = any(word not in others for word in _words(part))
        if runs and runs[-1].is_own == is_own:
            runs[-1] = Run(runs[-1].words + part, is_own)
        else:
            runs.append(Run(part, is_own))
    return runs


def own_words(text: str, other: str) -> list[str]:
    """The words and numbers that only `text` has, each once, in their order."""
    others = set(_words(other))
    return [word for word in dict.fromkeys(_words(text)) if word not in others]


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if word not in _SMALL_WORDS]
