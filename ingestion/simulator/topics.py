"""A topic written out: its drafts on both venues, its prices, and what is true of its pairs."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from ingestion.simulator.drafts import (
    Alteration,
    AnyFamily,
    Draw,
    KalshiEventDraft,
    PolymarketEventDraft,
    PolymarketMarketDraft,
    Relation,
    Shape,
    Style,
)
from ingestion.simulator.layout import Kind, Layout, Plan, digest, plan
from ingestion.simulator.pricing import (
    DOLLAR,
    POLYMARKET_RATES,
    Quote,
    altered_prices,
    can_lock,
    fair_prices,
    kalshi_pair_quote,
    kalshi_quote,
    polymarket_quote,
)

FAR_SHARE = 102  # of 256: pairs worded in synonyms, aliases and abbreviations
LOCK_SHARE = 92  # of 256: of the pairs that can carry a lock, so that about 15 % of all do
MOVED_SHARE = 13  # of 256: propositions whose quotes change in a tick
NO_FIRST_SHARE = 8  # of 256: Polymarket events whose outcome 0 is "No"
SETTLED_DAYS = 60  # settled topics are drawn this long ago
OVERRIDE_SHARE = 30  # of 256: Kalshi events with a fee of their own; as many had, or will have one
EXTRA = 100  # the first number of markets that no proposition stands for


@dataclass(frozen=True, slots=True)
class PolymarketPlace:
    """One Polymarket market of a topic: its event (0, or 1 for the altered one) and proposition."""

    event: int
    number: int  # `EXTRA` and above: not a proposition
    draft: PolymarketMarketDraft


@dataclass(frozen=True, slots=True)
class Link:
    """What is true of a pair: positions in the topic's own lists of markets."""

    kalshi: int
    polymarket: int
    relation: Relation
    difference: str | None
    yes_outcome_index: int | None


@dataclass(frozen=True, slots=True)
class Movement:
    """How often a proposition's quotes have changed, and the tick of the last change."""

    version: int
    tick: int


UNMOVED = Movement(0, 0)


class Topic:
    """Written lazily: a page of one venue never writes the texts of the other."""

    def __init__(self, layout: Layout, number: int, today: date, tick: int) -> None:
        self.number = number
        self.seed = layout.seed
        self.kind = Kind(layout.kinds[number])
        self.closed_at = layout.closed_at.get(number)
        self._tick = tick if self.closed_at is None else min(tick, self.closed_at)
        self._kalshi_size = layout.kalshi_size(number)
        self._polymarket_size = layout.polymarket_size(number)
        self._key = f"{layout.seed}|{number}"
        self.plan: Plan = plan(layout.seed, number, is_shared=self.kind >= Kind.EQUAL)
        self.family: AnyFamily = self.plan.family
        is_settled = self.closed_at == 0
        draw = Draw(
            rng=random.Random(f"{self._key}|draw"),
            serial=self.plan.serial,
            salt=digest(f"{layout.seed}|{self.family.name}")[0] * 31,
            size=self.plan.size,
            today=today - timedelta(days=SETTLED_DAYS) if is_settled else today,
        )
        self.subject: Any = self.family.draw(draw)
        dice = digest(f"{self._key}|style")
        self.style = Style(is_far=dice[0] < FAR_SHARE, variant=dice[1])
        self.structure = (
            "linear_cent"
            if dice[2] < 205
            else "deci_cent"
            if dice[2] < 236
            else "tapered_deci_cent"
        )
        self.polymarket_tick = 10 if dice[3] < 180 else 1
        self.is_no_first = dice[4] < NO_FIRST_SHARE
        self._volumes: dict[tuple[int, int], int] = {}
        self.fee_category = self.family.fee_category(self.subject)
        self.rate = POLYMARKET_RATES[self.fee_category]
        fee_dice = digest(f"{self._key}|fee")[0]
        self.has_ended_override = OVERRIDE_SHARE <= fee_dice < 2 * OVERRIDE_SHARE
        self.has_announced_override = 2 * OVERRIDE_SHARE <= fee_dice < 3 * OVERRIDE_SHARE
        self._has_override = fee_dice < OVERRIDE_SHARE

    # -- texts ---------------------------------------------------------------------------------

    @cached_property
    def kalshi(self) -> KalshiEventDraft:
        """The Kalshi event."""
        return self.family.kalshi(self.subject, self.style, self._kalshi_size)

    @property
    def fee_override(self) -> float | None:
        """Kalshi's fee multiplier of this very event, where it is lower than its series'."""
        return 0.5 if self._has_override and self.kalshi.fee_multiplier == 1 else None

    @property
    def fee_multiplier(self) -> float:
        """What Kalshi multiplies its fee with today."""
        return self.kalshi.fee_multiplier if self.fee_override is None else self.fee_override

    @cached_property
    def alteration(self) -> Alteration[Any] | None:
        """What Polymarket's last event differs in, if it does."""
        if self.kind in (Kind.ALTERED, Kind.EQUAL_AND_ALTERED):
            return self.family.alter(random.Random(f"{self._key}|alter"), self.subject)
        return None

    @cached_property
    def polymarket(self) -> list[PolymarketEventDraft]:
        """The Polymarket events: the same subject, the altered one, or both in this order."""
        numbers, size = self.plan.polymarket, self._polymarket_size
        if self.kind == Kind.POLYMARKET:
            numbers = numbers[:size]
            extras = size - len(numbers)
        else:
            extras = self.plan.extras
        subjects = [] if self.kind == Kind.ALTERED else [self.subject]
        if self.alteration is not None:
            subjects.append(self.alteration.subject)
        return [
            self.family.polymarket(subject, self.style, numbers, extras if event == 0 else 0)
            for event, subject in enumerate(subjects)
        ]

    @cached_property
    def places(self) -> list[PolymarketPlace]:
        """The Polymarket markets, in the order of their numbers."""
        first, known = self.plan.polymarket.start, len(self.plan.polymarket)
        places = []
        for event, draft in enumerate(self.polymarket):
            for position, market in enumerate(draft.markets):
                number = first + position if position < known else EXTRA + position - known
                places.append(PolymarketPlace(event, number, self._in_order(market)))
        return places

    def _in_order(self, market: PolymarketMarketDraft) -> PolymarketMarketDraft:
        """The market with the topic's order of "Yes" and "No"."""
        if not self.is_no_first or market.outcomes != ("Yes", "No"):
            return market
        return replace(market, outcomes=("No", "Yes"), yes_index=1 - market.yes_index)

    # -- prices --------------------------------------------------------------------------------

    @cached_property
    def fair(self) -> list[int]:
        """The probability of each proposition, in thousandths."""
        rng = random.Random(f"{self._key}|fair")
        return fair_prices(rng, self.family.shape, self.plan.size)

    @cached_property
    def altered(self) -> list[int]:
        """The same of the altered propositions."""
        alteration = self.alteration
        if alteration is None:
            return self.fair
        rng = random.Random(f"{self._key}|altered")
        return altered_prices(
            rng, self.fair, self.family.shape, alteration.relation, alteration.is_between
        )

    def moved(self, number: int) -> Movement:
        """How often the quotes of a proposition have changed."""
        if self._tick == 0:
            return UNMOVED
        if self.family.shape is Shape.GAME and number == 1:
            number = 0
        version, last = 0, 0
        for tick in range(1, self._tick + 1):
            if digest(f"{self._key}|move|{tick}|{number}")[0] < MOVED_SHARE:
                version, last = version + 1, tick
        return Movement(version, last)

    def _rng(self, purpose: str, number: int) -> random.Random:
        return random.Random(f"{self._key}|{purpose}|{number}|{self.moved(number).version}")

    def _has_lock(self, number: int) -> bool:
        """Whether a lock is to be planted on an equal pair of this proposition."""
        if self.kind not in (Kind.EQUAL, Kind.EQUAL_AND_ALTERED):
            return False
        if self.alteration is not None and self.alteration.is_between:
            return False  # the altered market is too near: it would lock as well
        if not can_lock(self.family.shape, self.fair, number):
            return False
        version = self.moved(number).version
        return digest(f"{self._key}|lock|{number}|{version}")[0] < LOCK_SHARE

    def _equal_quote(self, number: int) -> Quote:
        """Polymarket's quote of a proposition, whatever outcome it is there."""
        rng = self._rng("polymarket", number)
        return polymarket_quote(
            rng, self.fair[number], self.polymarket_tick, self._has_lock(number)
        )

    def kalshi_quote(self, number: int) -> Quote:
        """Kalshi's quote of a proposition."""
        if self.family.shape is Shape.GAME and number == 1:
            return self.kalshi_quote(0).inverted()
        rng = self._rng("kalshi", number)
        if self.kind in (Kind.EQUAL, Kind.EQUAL_AND_ALTERED) and number in self.plan.polymarket:
            return kalshi_pair_quote(
                rng,
                self.fair[number],
                self.structure,
                self._equal_quote(number),
                self.rate,
                has_lock=self._has_lock(number),
            )
        return kalshi_quote(rng, self.fair[number], self.structure)

    def polymarket_quote(self, place: PolymarketPlace) -> Quote:
        """Polymarket's quote of a market's proposition (not of its outcome 0)."""
        number = place.number
        if number >= EXTRA:
            rng = self._rng("extra", number)
            fair = rng.randint(15, 60) if place.draft.is_placeholder else rng.randint(200, 800)
            return polymarket_quote(rng, fair, self.polymarket_tick, is_quoted=False)
        if self.alteration is None or (self.kind == Kind.EQUAL_AND_ALTERED and place.event == 0):
            return self._equal_quote(number)
        rng = self._rng("altered", number)
        return polymarket_quote(rng, self.altered[number], self.polymarket_tick, is_quoted=True)

    def polymarket_volume(self, event: int, number: int) -> int:
        """What was traded of a Polymarket market, in millionths of a dollar."""
        volume = self._volumes.get((event, number))
        if volume is None:
            dice = digest(f"{self._key}|volume|{event}|{number}|{self.moved(number).version}")
            volume = int.from_bytes(dice[:5]) % 10**12
            self._volumes[event, number] = volume
        return volume

    # -- truth ---------------------------------------------------------------------------------

    def links(self) -> Iterator[Link]:
        """Every equal pair, every altered pair, and one neighbour of each kind."""
        if self.kind < Kind.EQUAL:
            return
        for position, place in enumerate(self.places):
            is_altered = self.alteration is not None and place.event == len(self.polymarket) - 1
            for number in self._same(place):
                if number >= self._kalshi_size:
                    continue
                if is_altered and self.alteration is not None:
                    relation, difference = self.alteration.relation, self.alteration.difference
                    yield Link(number, position, relation, difference, None)
                else:
                    index = place.draft.yes_index ^ (number != place.number)
                    yield Link(number, position, Relation.EQUAL, None, index)
        if self.kind == Kind.EQUAL:
            yield from self._neighbours()

    def _same(self, place: PolymarketPlace) -> list[int]:
        """The Kalshi positions that stand for the proposition of a Polymarket market."""
        if place.number >= EXTRA:
            return []
        return [0, 1] if self.family.shape is Shape.GAME else [place.number]

    def _neighbours(self) -> Iterator[Link]:
        """One pair of neighbouring propositions: implied in a ladder, exclusive in a race."""
        number = self._kalshi_size - 1
        position = number - 1 - self.plan.polymarket.start
        if self.family.shape is Shape.GAME:
            for place_number, place in enumerate(self.places):
                if place.draft.sports_market_type == "first_half":
                    yield Link(0, place_number, Relation.SIMILAR, "period", None)
            return
        if position < 0:
            return
        if self.family.shape is Shape.EXCLUSIVE:
            if self.fair[number] + self.fair[number - 1] <= DOLLAR - 120:
                yield Link(number, position, Relation.EXCLUSIVE, "subject", None)
            return
        if abs(self.fair[number] - self.fair[number - 1]) < 120:
            return
        is_descending = self.family.shape is Shape.DESCENDING
        relation = Relation.KALSHI_IMPLIES if is_descending else Relation.POLYMARKET_IMPLIES
        if self.places[position].draft.yes_index == 0:
            yield Link(number, position, relation, "strike" if is_descending else "date", None)
