"""Both venues at one moment, with the truth about their pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from ingestion.simulator import kalshi, polymarket
from ingestion.simulator.books import Side, Walked, best_walk
from ingestion.simulator.bundles import bundles
from ingestion.simulator.drafts import Relation
from ingestion.simulator.layout import Layout
from ingestion.simulator.pricing import KALSHI_RATE, best_lock, dollars
from ingestion.simulator.topics import Link, Topic

Record = dict[str, Any]
Numbered = tuple[int, Record]  # the number of a record on its venue, and the record

PARLAY_EVERY = 4  # open Kalshi markets for one parlay


@dataclass(frozen=True, slots=True)
class TruePair:
    """What is true of one pair of open markets.

    Every equal pair is listed, and every pair that was altered in one thing; of the neighbours in
    a ladder or a race one is listed as an example. Money is for 100 contracts, in dollars.
    """

    kalshi_ticker: str
    polymarket_id: str
    family: str
    relation: str  # a value of `drafts.Relation`
    orientation: str | None  # 'same', 'inverted'; None unless equal
    yes_outcome_index: int | None  # the Polymarket outcome that is Kalshi's YES; None unless equal
    difference: str | None  # what differs, in a word; None when equal
    lock_direction: str | None  # 'yes_kalshi', 'no_kalshi': the side bought there
    lock_cost: Decimal | None  # both asks, without fees
    lock_fees: Decimal | None
    lock_margin: Decimal | None  # (100 − cost − fees) / (cost + fees)


@dataclass(frozen=True, slots=True)
class TrueLock:
    """What a planted lock earns when both books are walked to the best number of contracts, with
    worst-case fees; money in units (see `books`)."""

    kalshi_ticker: str
    polymarket_id: str
    direction: str  # 'yes_kalshi' or 'no_kalshi'
    best: Walked


@dataclass(frozen=True, slots=True)
class TrueBundle:
    """What a set of bands of one event earns, each bought on its own venue, or, across venues, each
    where it is cheaper."""

    event_key: str  # venue and event
    direction: str  # 'yes_all' or 'no_all'
    is_across_venues: bool
    best: Walked


class World:
    """All listings of both venues, made anew whenever they are asked for.

    Arguments: `seed`; the numbers of open markets; `now` (aware, only its UTC day matters);
    `tick`, the number of steps since: each changes the quotes and volumes of about 5 % of the
    markets, closes a few and lists as many new ones.
    """

    def __init__(
        self,
        seed: int = 7,
        kalshi_markets: int = 1_200,
        polymarket_markets: int = 2_400,
        now: datetime = datetime(2026, 10, 1, 12, tzinfo=UTC),
        tick: int = 0,
    ) -> None:
        if kalshi_markets < 0 or polymarket_markets < 0 or tick < 0:
            raise ValueError("Numbers of markets and ticks must not be negative.")
        if now.tzinfo is None:
            raise ValueError("`now` needs a time zone.")
        self.seed = seed
        self.kalshi_size = kalshi_markets
        self.polymarket_size = polymarket_markets
        self.now = now.astimezone(UTC)
        self.tick = tick
        self._today = self.now.date()
        self._layout = Layout(seed, kalshi_markets, polymarket_markets, tick)

    # -- what the venues list ------------------------------------------------------------------

    def kalshi_series(self) -> Iterator[Record]:
        """The series of all open events, each once."""
        seen: set[str] = set()
        layout = self._layout
        for number in range(len(layout)):
            if layout.kalshi_size(number) and number not in layout.closed_at:
                event = self._topic(number).kalshi
                if event.series_ticker not in seen:
                    seen.add(event.series_ticker)
                    yield kalshi.series_record(event, self._today)

    def kalshi_series_fee_changes(self) -> Iterator[Record]:
        """What is known of the fees of these series, past and to come."""
        seen: set[str] = set()
        for topic in self._topics(self._layout.first_kalshi_event, 0, is_open=True):
            if topic.kalshi.series_ticker not in seen:
                seen.add(topic.kalshi.series_ticker)
                yield from kalshi.series_fee_change_records(topic.kalshi, self._today)

    def kalshi_event_fee_changes(self) -> Iterator[Record]:
        """The same of the open events that differ from their series."""
        for topic in self._topics(self._layout.first_kalshi_event, 0, is_open=True):
            yield from kalshi.event_fee_change_records(topic, self._today)

    def kalshi_events(self) -> Iterator[Record]:
        """The open events, without their markets."""
        return (record for _, record in self.kalshi_events_from(0))

    def kalshi_markets(self) -> Iterator[Record]:
        """The open markets, without parlays."""
        return (record for _, record in self.kalshi_markets_from(0))

    def polymarket_events(self) -> Iterator[Record]:
        """The open events with their nested markets."""
        return (record for _, record in self.polymarket_events_from(0))

    def polymarket_markets(self) -> Iterator[Record]:
        """The open markets, each with its nested event."""
        return (record for _, record in self.polymarket_markets_from(0))

    def kalshi_settled_markets(self) -> Iterator[Record]:
        """The markets that were settled before, or closed in a tick."""
        return (record for _, record in self.kalshi_markets_from(0, is_open=False))

    # -- the same from a number on, for pages --------------------------------------------------

    def kalshi_events_from(
        self, start: int, is_open: bool = True, has_markets: bool = False
    ) -> Iterator[Numbered]:
        """Events from event number `start` on."""
        for topic in self._topics(self._layout.first_kalshi_event, start, is_open):
            record = kalshi.event_record(topic, self._today)
            if has_markets:
                record["markets"] = [
                    kalshi.market_record(topic, number, self._today)
                    for number in range(len(topic.kalshi.markets))
                ]
            yield self._layout.first_kalshi_event[topic.number], record

    def kalshi_markets_from(self, start: int, is_open: bool = True) -> Iterator[Numbered]:
        """Markets from market number `start` on."""
        firsts = self._layout.first_kalshi
        for topic in self._topics(firsts, start, is_open):
            first = firsts[topic.number]
            for number in range(max(first, start), firsts[topic.number + 1]):
                yield number, kalshi.market_record(topic, number - first, self._today)

    def kalshi_parlays_from(self, start: int) -> Iterator[Numbered]:
        """Multivariate markets over pairs of neighbouring open markets, from number `start` on:
        their number is that of the second market."""
        previous: Numbered = (-1, {})
        for number, record in self.kalshi_markets_from(max(0, start - 1)):
            if number >= start and number % PARLAY_EVERY == 0 and previous[0] == number - 1:
                yield number, kalshi.parlay_record(previous[1], record, number)
            previous = (number, record)

    def polymarket_events_from(self, start: int, is_open: bool = True) -> Iterator[Numbered]:
        """Events with their markets from event number `start` on."""
        firsts = self._layout.first_polymarket_event
        for topic in self._topics(firsts, start, is_open):
            first_market = self._layout.first_polymarket[topic.number]
            for event, number in enumerate(range(firsts[topic.number], firsts[topic.number + 1])):
                if number < start:
                    continue
                record = polymarket.event_record(topic, event, number, self._today)
                record["markets"] = [
                    polymarket.market_record(topic, place, first_market + position, self._today)
                    for position, place in enumerate(topic.places)
                    if place.event == event
                ]
                record["tags"] = polymarket.tags(topic, event)
                yield number, record

    def polymarket_markets_from(self, start: int, is_open: bool = True) -> Iterator[Numbered]:
        """Markets with their event from market number `start` on."""
        firsts = self._layout.first_polymarket
        for topic in self._topics(firsts, start, is_open):
            first = firsts[topic.number]
            first_event = self._layout.first_polymarket_event[topic.number]
            events = [
                polymarket.event_record(topic, event, first_event + event, self._today)
                for event in range(len(topic.polymarket))
            ]
            for number in range(max(first, start), firsts[topic.number + 1]):
                place = topic.places[number - first]
                record = polymarket.market_record(topic, place, number, self._today)
                record["events"] = [events[place.event]]
                yield number, record

    # -- order books ---------------------------------------------------------------------------

    @cached_property
    def _tickers(self) -> dict[str, tuple[int, int]]:
        """Topic and position of every open Kalshi market."""
        found = {}
        for topic in self._topics(self._layout.first_kalshi, 0, is_open=True):
            event = topic.kalshi
            for position, market in enumerate(event.markets):
                found[f"{event.event_ticker}-{market.suffix}"] = (topic.number, position)
        return found

    @cached_property
    def _tokens(self) -> dict[str, tuple[int, int, int]]:
        """Topic, position and outcome of every token of an open Polymarket market."""
        found = {}
        for topic in self._topics(self._layout.first_polymarket, 0, is_open=True):
            first = self._layout.first_polymarket[topic.number]
            for position in range(self._layout.polymarket_size(topic.number)):
                for outcome, token in enumerate(polymarket.token_ids(topic, first + position)):
                    found[token] = (topic.number, position, outcome)
        return found

    def kalshi_order_book(self, ticker: str) -> Record | None:
        """The book of an open market; None where there is none."""
        if ticker not in self._tickers:
            return None
        number, position = self._tickers[ticker]
        return kalshi.order_book_record(self._topic(number), position)

    def polymarket_order_book(self, token: str) -> Record | None:
        """The book of a token of an open market; None where there is none."""
        if token not in self._tokens:
            return None
        number, position, outcome = self._tokens[token]
        topic = self._topic(number)
        market = self._layout.first_polymarket[number] + position
        return polymarket.order_book_record(
            topic, topic.places[position], market, outcome, self.now
        )

    # -- the truth -----------------------------------------------------------------------------

    def truth(self) -> list[TruePair]:
        """What is true of the pairs of open markets."""
        pairs = []
        for number in self._layout.shared_topics():
            topic = self._topic(number)
            pairs += [self._true_pair(topic, link) for link in topic.links()]
        return pairs

    def true_locks(self) -> list[TrueLock]:
        """The planted locks, both books walked through every number of contracts."""
        locks = []
        for number in self._layout.shared_topics():
            topic = self._topic(number)
            for link in topic.links():
                pair = self._true_pair(topic, link)
                if pair.lock_direction is None:
                    continue
                place = topic.places[link.polymarket]
                on_kalshi = kalshi.order_book(topic, link.kalshi)
                on_polymarket = polymarket.order_book(topic, place)
                if link.yes_outcome_index != place.draft.yes_index:
                    on_polymarket = on_polymarket.inverted()
                if pair.lock_direction == "no_kalshi":
                    on_kalshi, on_polymarket = on_kalshi.inverted(), on_polymarket.inverted()
                rate = int(KALSHI_RATE * topic.fee_multiplier)
                best = best_walk(
                    [
                        Side(True, on_kalshi.asks, rate),
                        Side(False, on_polymarket.inverted().asks, topic.rate),
                    ]
                )
                if best is not None:
                    locks.append(
                        TrueLock(pair.kalshi_ticker, pair.polymarket_id, pair.lock_direction, best)
                    )
        return locks

    def true_bundles(self, threshold: int) -> list[TrueBundle]:
        """The sets of bands, listed from end to end on one venue, that earn more than a threshold,
        in ten-thousandths of what is paid, at some number of contracts."""
        layout = self._layout
        return [
            TrueBundle(*found)
            for number in range(len(layout))
            if number not in layout.closed_at
            and (topic := self._topic(number)).family.is_exhaustive
            for found in bundles(topic, layout.first_polymarket_event[number], self.now, threshold)
        ]

    def _true_pair(self, topic: Topic, link: Link) -> TruePair:
        event = topic.kalshi
        place = topic.places[link.polymarket]
        number = self._layout.first_polymarket[topic.number] + link.polymarket
        is_equal = link.relation is Relation.EQUAL
        found = None
        if is_equal:
            quote = topic.polymarket_quote(place)
            if link.yes_outcome_index != place.draft.yes_index:
                quote = quote.inverted()
            found = best_lock(topic.kalshi_quote(link.kalshi), quote, topic.rate)
        direction, terms = found or (None, None)
        return TruePair(
            kalshi_ticker=f"{event.event_ticker}-{event.markets[link.kalshi].suffix}",
            polymarket_id=str(polymarket.FIRST_MARKET_ID + number),
            family=topic.family.name,
            relation=str(link.relation),
            orientation=_orientation(place.draft.outcomes, link.yes_outcome_index),
            yes_outcome_index=link.yes_outcome_index,
            difference=link.difference,
            lock_direction=direction,
            lock_cost=None if terms is None else dollars(terms.cost),
            lock_fees=None if terms is None else dollars(terms.fees),
            lock_margin=None if terms is None else terms.margin,
        )

    def _topic(self, number: int) -> Topic:
        return Topic(self._layout, number, self._today, self.tick)

    def _topics(self, firsts: Any, start: int, is_open: bool) -> Iterator[Topic]:
        """The topics that have an event or market of number `start` or later."""
        layout = self._layout
        for number in range(layout.topic_at(firsts, start), len(layout)):
            if firsts[number + 1] > max(start, firsts[number]) and (
                (number not in layout.closed_at) == is_open
            ):
                yield self._topic(number)


def _orientation(outcomes: tuple[str, str], yes_outcome_index: int | None) -> str | None:
    """Whether Kalshi's YES is Polymarket's "Yes", or its first outcome where no one is "Yes"."""
    if yes_outcome_index is None:
        return None
    affirmative = outcomes.index("Yes") if "Yes" in outcomes else 0
    return "same" if yes_outcome_index == affirmative else "inverted"
