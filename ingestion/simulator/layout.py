"""Which topic stands where: an index of small integers, so that any page can be found at once.

Topics are numbered from 0 in the order in which they were listed. Markets and events of a venue
are numbered through all topics; a number is never used twice, so ids made from it are stable while
topics close and new ones are added.
"""

import hashlib
import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from ingestion.simulator.drafts import AnyFamily, Shape
from ingestion.simulator.families import WEIGHTS

COUNTERPART_SHARE = 0.12  # of the smaller venue's markets that have an equal on the other venue
SETTLED_SHARE = 0.02  # settled markets beside the open ones
CLOSED_PER_TICK = 0.002  # of the open markets; as many new ones are listed


class Kind(IntEnum):
    """Where a topic is listed."""

    KALSHI = 0
    POLYMARKET = 1
    EQUAL = 2  # on both
    ALTERED = 3  # on both, but Polymarket's differs in one thing
    EQUAL_AND_ALTERED = 4  # on both, and on Polymarket a second time with a difference


SHARED_KINDS = (Kind.EQUAL, Kind.ALTERED, Kind.EQUAL_AND_ALTERED, Kind.EQUAL, Kind.ALTERED)
SLOTS: tuple[AnyFamily, ...] = tuple(family for family, weight in WEIGHTS for _ in range(weight))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a topic before it is written: all derived from the seed and its number."""

    family: AnyFamily
    serial: int  # among the topics of its family
    size: int  # propositions
    kalshi: range  # the propositions on Kalshi
    polymarket: range  # the propositions on Polymarket
    extras: int

    @property
    def overlap(self) -> int:
        """Pairs of markets, one of each venue, of the same proposition."""
        if self.family.shape is Shape.GAME:
            return len(self.kalshi)
        return max(0, self.kalshi.stop - self.polymarket.start)


def digest(text: str) -> bytes:
    """Sixteen bytes that depend on the text only."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def plan(seed: int, number: int, is_shared: bool) -> Plan:
    """The family and size of a topic."""
    cycle, turn = divmod(number, len(SLOTS))
    slot = turn * 17 % len(SLOTS)
    family = SLOTS[slot]
    first = SLOTS.index(family)
    serial = cycle * SLOTS.count(family) + slot - first
    dice = digest(f"{seed}|plan|{number}")
    smallest, largest = family.sizes
    size = smallest + dice[0] % (largest - smallest + 1)
    extras = dice[1] % (family.extras + 1)
    kalshi, polymarket = range(size), range(size)
    if family.shape is Shape.GAME:
        polymarket = range(1)
    elif is_shared and size > 2:
        # Each venue lists some strikes or candidates that the other does not.
        kalshi = range(size - (0, 0, 1)[dice[2] % 3])
        polymarket = range((0, 0, 1)[dice[3] % 3], size)
    return Plan(family, serial, size, kalshi, polymarket, extras)


class Layout:
    """The topics of a world: their kinds, and the first numbers of their events and markets."""

    def __init__(self, seed: int, kalshi_markets: int, polymarket_markets: int, tick: int) -> None:
        self.seed = seed
        self.kinds = array("B")
        self.first_kalshi = array("L", [0])  # market numbers; one more entry than topics
        self.first_polymarket = array("L", [0])
        self.first_kalshi_event = array("L", [0])
        self.first_polymarket_event = array("L", [0])
        self.closed_at: dict[int, int] = {}  # topic -> the tick at which it closed; 0 is settled
        self._shared = 0
        self._extend(
            round(kalshi_markets * SETTLED_SHARE), round(polymarket_markets * SETTLED_SHARE), 0
        )
        self.closed_at = dict.fromkeys(range(len(self)), 0)
        self._extend(kalshi_markets, polymarket_markets, COUNTERPART_SHARE)
        for number in range(1, tick + 1):
            self._advance(number, kalshi_markets, polymarket_markets)

    def __len__(self) -> int:
        """How many topics there are, open or closed."""
        return len(self.kinds)

    def kalshi_size(self, topic: int) -> int:
        return self.first_kalshi[topic + 1] - self.first_kalshi[topic]

    def polymarket_size(self, topic: int) -> int:
        return self.first_polymarket[topic + 1] - self.first_polymarket[topic]

    def topic_at(self, firsts: "array[int]", number: int) -> int:
        """The topic that holds the market or event `number` (or the next one after it)."""
        return bisect_right(firsts, number) - 1

    def shared_topics(self) -> Iterator[int]:
        """The open topics that are on both venues."""
        for topic, kind in enumerate(self.kinds):
            if kind >= Kind.EQUAL and topic not in self.closed_at:
                yield topic

    def _add(self, kind: Kind, kalshi: int, polymarket: int) -> None:
        events = 0 if polymarket == 0 else 2 if kind is Kind.EQUAL_AND_ALTERED else 1
        self.kinds.append(kind)
        self.first_kalshi.append(self.first_kalshi[-1] + kalshi)
        self.first_polymarket.append(self.first_polymarket[-1] + polymarket)
        self.first_kalshi_event.append(self.first_kalshi_event[-1] + (kalshi > 0))
        self.first_polymarket_event.append(self.first_polymarket_event[-1] + events)

    def _extend(self, kalshi: int, polymarket: int, share: float) -> None:
        """Add topics with exactly these numbers of markets, `share` of them with an equal."""
        kalshi_left, polymarket_left, pairs = kalshi, polymarket, 0
        smaller = min(kalshi, polymarket)
        while kalshi_left or polymarket_left:
            placed = (kalshi + polymarket - kalshi_left - polymarket_left) / (kalshi + polymarket)
            if share and smaller and pairs <= share * smaller * placed:
                kind = SHARED_KINDS[self._shared % len(SHARED_KINDS)]
                shared = plan(self.seed, len(self), is_shared=True)
                listed = len(shared.polymarket) + shared.extras
                if kind is Kind.EQUAL_AND_ALTERED:
                    listed += len(shared.polymarket)
                fits = len(shared.kalshi) <= kalshi_left and listed <= polymarket_left
                if shared.family.can_pair and fits:
                    self._add(kind, len(shared.kalshi), listed)
                    self._shared += 1
                    kalshi_left -= len(shared.kalshi)
                    polymarket_left -= listed
                    pairs += shared.overlap if kind is not Kind.ALTERED else 0
                    continue
            single = plan(self.seed, len(self), is_shared=False)
            if kalshi_left * max(polymarket, 1) >= polymarket_left * max(kalshi, 1) and kalshi_left:
                taken = min(len(single.kalshi), kalshi_left)
                self._add(Kind.KALSHI, taken, 0)
                kalshi_left -= taken
            else:
                taken = min(len(single.polymarket) + single.extras, polymarket_left)
                self._add(Kind.POLYMARKET, 0, taken)
                polymarket_left -= taken

    def _advance(self, tick: int, kalshi: int, polymarket: int) -> None:
        """Close a few topics and list new ones with as many markets."""
        order = [topic for topic in range(len(self)) if topic not in self.closed_at]
        order.sort(key=lambda topic: digest(f"{self.seed}|close|{tick}|{topic}"))
        kalshi_wanted = math.ceil(kalshi * CLOSED_PER_TICK)
        polymarket_wanted = math.ceil(polymarket * CLOSED_PER_TICK)
        closed_kalshi = closed_polymarket = 0
        for topic in order:
            on_kalshi, on_polymarket = self.kalshi_size(topic), self.polymarket_size(topic)
            is_too_many = (on_kalshi and closed_kalshi >= kalshi_wanted) or (
                on_polymarket and closed_polymarket >= polymarket_wanted
            )
            if not is_too_many:
                self.closed_at[topic] = tick
                closed_kalshi += on_kalshi
                closed_polymarket += on_polymarket
        self._extend(closed_kalshi, closed_polymarket, COUNTERPART_SHARE)
