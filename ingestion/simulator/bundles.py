"""What sets of propositions earn of which exactly one comes true, on one venue or across both."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from ingestion.simulator import kalshi, polymarket
from ingestion.simulator.books import UNIT, Side, Walked, all_walks
from ingestion.simulator.layout import Kind
from ingestion.simulator.pricing import KALSHI_RATE
from ingestion.simulator.topics import Topic

Sides = Mapping[int, Side]  # by proposition


def bundles(
    topic: Topic, first_event: int, now: datetime, threshold: int
) -> Iterator[tuple[str, str, bool, Walked]]:
    """Event, direction, whether across venues, and the best walk of every set of a topic with a
    margin above `threshold` (ten-thousandths) at some number of contracts."""
    size = topic.plan.size
    for direction, says_yes in (("yes_all", True), ("no_all", False)):
        payout = 1 if says_yes else size - 1
        events = _events(topic, first_event, now, says_yes)
        whole = {name: sides for name, sides in events.items() if len(sides) == size}
        sets = [(name, False, sides) for name, sides in whole.items()]
        if topic.kind in (Kind.EQUAL, Kind.EQUAL_AND_ALTERED) and len(events) > 1:
            ours, theirs = list(events)[:2]
            # Where both venues list all, the set is Kalshi's.
            anchor = next((name for name in (ours, theirs) if name in whole), None)
            if anchor:
                cheapest = {
                    number: min(
                        (events[name][number] for name in (ours, theirs) if number in events[name]),
                        key=Side.best_price,
                    )
                    for number in range(size)
                }
                if len({side.is_kalshi for side in cheapest.values()}) > 1:
                    sets.append((anchor, True, cheapest))
        for name, is_across, sides in sets:
            walks = list(_walks(list(sides.values()), payout))
            if any(walk.profit * 10_000 > threshold * (walk.cost + walk.fees) for walk in walks):
                best = max(walks, key=lambda walk: walk.profit)
                yield name, direction, is_across, best


def _events(topic: Topic, first_event: int, now: datetime, says_yes: bool) -> Mapping[str, Sides]:
    """What is bought of each event's propositions: Kalshi's first, then Polymarket's, as far as
    they are not overdue."""
    events: dict[str, dict[int, Side]] = {}
    if topic.kind != Kind.POLYMARKET:
        rate = int(KALSHI_RATE * topic.fee_multiplier)
        for number in range(len(topic.kalshi.markets)):
            book = kalshi.order_book(topic, number)
            asks = (book if says_yes else book.inverted()).asks
            name = f"kalshi:{topic.kalshi.event_ticker}"
            events.setdefault(name, {})[number] = Side(True, asks, rate)
    if topic.kind != Kind.KALSHI:
        for place in topic.places:
            if polymarket.nominal_end(topic, place.draft.ends_at, now.date()) <= now:
                continue
            book = polymarket.order_book(topic, place)
            asks = (book if says_yes else book.inverted()).asks
            name = f"polymarket:{polymarket.FIRST_EVENT_ID + first_event + place.event}"
            events.setdefault(name, {})[place.number] = Side(False, asks, topic.rate)
    return events


def _walks(sides: list[Side], payout: int) -> Iterator[Walked]:
    """All walks, none when the best asks together cost what is paid out, or one is missing."""
    prices = [side.best_price() for side in sides]
    if (
        all(has_none == 0 for has_none, _ in prices)
        and sum(price for _, price in prices) < payout * UNIT
    ):
        yield from all_walks(sides, payout)
