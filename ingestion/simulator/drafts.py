"""What a family writes: the texts and terms of an event on each venue, before prices and ids.

A *topic* is one thing in the world that can be bet on. Its *propositions* are numbered from 0
(the strikes of a ladder, the candidates of a race). A family draws the subject of a topic and
writes it for either venue; the same proposition number on both venues is the same proposition,
unless the subject was altered in between.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar


class Relation(StrEnum):
    """How the YES sides of a Kalshi and a Polymarket market are related."""

    EQUAL = "equal"
    KALSHI_IMPLIES = "k_implies_p"
    POLYMARKET_IMPLIES = "p_implies_k"
    EXCLUSIVE = "mutually_exclusive"
    SIMILAR = "similar"


class Shape(StrEnum):
    """How the probabilities of a topic's propositions hang together."""

    DESCENDING = "descending"  # above 70, above 80, …: each implies the one before it
    ASCENDING = "ascending"  # before May, before June, …: each implies the one after it
    EXCLUSIVE = "exclusive"  # at most one of them comes true
    GAME = "game"  # two of them, each the opposite of the other


@dataclass(frozen=True, slots=True)
class Style:
    """How a pair of listings is worded: `is_far` uses synonyms, aliases and abbreviations."""

    is_far: bool
    variant: int

    def pick(self, near: Sequence[str], far: Sequence[str]) -> str:
        """One of the near or of the far wordings, by the variant."""
        options = far if self.is_far else near
        return options[self.variant % len(options)]


@dataclass(frozen=True, slots=True)
class KalshiMarketDraft:
    suffix: str  # the market's ticker is the event's ticker, a dash and this
    title: str
    yes_sub_title: str
    rules_primary: str
    ends_at: datetime  # when the question is decided, not when trading closes
    rules_secondary: str = ""
    no_sub_title: str = ""  # empty: repeats the YES side, as the venue often does
    strike_type: str | None = None
    floor_strike: float | None = None
    cap_strike: float | None = None
    custom_strike: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class KalshiEventDraft:
    series_ticker: str
    series_title: str
    event_ticker: str
    title: str
    sub_title: str
    category: str
    frequency: str
    tags: tuple[str, ...]
    source: tuple[str, str]  # name and address of the settlement source
    is_exclusive: bool
    markets: list[KalshiMarketDraft]
    fee_multiplier: float = 1


@dataclass(frozen=True, slots=True)
class PolymarketMarketDraft:
    slug: str
    question: str
    group_item_title: str
    description: str
    ends_at: datetime
    outcomes: tuple[str, str] = ("Yes", "No")
    yes_index: int = 0  # the outcome that is the proposition; Kalshi's YES is always it
    sports_market_type: str = ""
    is_placeholder: bool = False


@dataclass(frozen=True, slots=True)
class PolymarketEventDraft:
    slug: str
    title: str
    description: str
    tags: tuple[str, ...]
    is_neg_risk: bool
    markets: list[PolymarketMarketDraft]
    resolution_source: str = ""
    series: tuple[str, str] | None = None  # slug and title
    game_starts_at: datetime | None = None


SubjectT = TypeVar("SubjectT")


@dataclass(frozen=True, slots=True)
class Alteration(Generic[SubjectT]):
    """A subject that differs from another in one thing, and what follows for the pair."""

    subject: SubjectT
    difference: str
    relation: Relation
    is_between: bool = False  # its propositions lie between those of a ladder


@dataclass(frozen=True, slots=True)
class Draw:
    """What a family draws a subject from.

    `serial` numbers the family's own topics without holes: a subject must be an injective
    function of it, so that two topics are never the same bet. `salt` depends on the seed only.
    """

    rng: random.Random = field(repr=False)
    serial: int
    salt: int
    size: int  # how many propositions
    today: date

    def scatter(self, number: int, capacity: int) -> int:
        """The number, scattered over 0 … capacity − 1: a permutation of the numbers below it."""
        return (number * 7919 + self.salt) % capacity


class Family(ABC, Generic[SubjectT]):
    """A kind of topic: how to draw one, how to alter it, how each venue words it."""

    name: ClassVar[str]
    shape: ClassVar[Shape]
    polymarket_fees: ClassVar[str]  # a row of `pricing.POLYMARKET_RATES`, if it is the same for all
    sizes: ClassVar[tuple[int, int]]  # fewest and most propositions of a topic
    extras: ClassVar[int] = 0  # most Polymarket markets that no proposition stands for
    can_pair: ClassVar[bool] = True
    is_exhaustive: ClassVar[bool] = False  # whether one of the propositions must come true

    @abstractmethod
    def draw(self, draw: Draw) -> SubjectT:
        """The subject of a topic."""

    @abstractmethod
    def alter(self, rng: random.Random, subject: SubjectT) -> Alteration[SubjectT]:
        """The subject with exactly one thing changed, as Polymarket will list it."""

    @abstractmethod
    def kalshi(self, subject: SubjectT, style: Style, count: int) -> KalshiEventDraft:
        """The first `count` propositions as a Kalshi event."""

    @abstractmethod
    def polymarket(
        self, subject: SubjectT, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        """The propositions `numbers` as a Polymarket event, then `extras` further markets."""

    def fee_category(self, subject: SubjectT) -> str:
        """The row of Polymarket's fee table for this subject."""
        return self.polymarket_fees


AnyFamily = Family[Any]
