"""Quotes, fees and locks, in integers: prices in thousandths of a dollar, no floats.

A quote is always of a *proposition*: what its YES costs. Fees and locks are for one order of
`CONTRACTS` on each venue, taken at the ask.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingestion.simulator.drafts import Relation, Shape

CONTRACTS = 100
DOLLAR = 1_000  # thousandths
UNITS = 100_000  # money is counted in 1/100,000 of a dollar: Polymarket's fee has five decimals
PAYOUT = CONTRACTS * UNITS

# Kalshi's taker rate, in basis points, before the multiplier of a series.
KALSHI_RATE = 700
# Polymarket's taker rates by category, in basis points.
POLYMARKET_RATES = {
    "crypto": 700,
    "sports": 500,
    "economics": 500,
    "culture": 500,
    "weather": 500,
    "politics": 400,
    "finance": 400,
    "tech": 400,
    "geopolitics": 0,
}
# A planted lock earns between these, in units of 1e-4; any other equal pair stays below `NO_LOCK`.
LOCK_MARGIN = (260, 790)
NO_LOCK = 50
LARGEST_EDGE = 99  # a contract, before fees


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask for YES; None is no quote."""

    bid: int | None
    ask: int | None

    def inverted(self) -> "Quote":
        """The same quote seen from the other side."""
        return Quote(
            None if self.ask is None else DOLLAR - self.ask,
            None if self.bid is None else DOLLAR - self.bid,
        )


@dataclass(frozen=True, slots=True)
class Lock:
    """What buying both sides costs, in units, for `CONTRACTS` contracts."""

    cost: int
    fees: int

    @property
    def margin(self) -> Decimal:
        """Profit over all that was paid, six decimals."""
        paid = self.cost + self.fees
        return (Decimal(PAYOUT - paid) / paid).quantize(Decimal("0.000001"))

    def earns(self, ten_thousandths: int) -> bool:
        """Whether the margin is at least this many 1e-4."""
        return (self.cost + self.fees) * (10_000 + ten_thousandths) <= PAYOUT * 10_000


def dollars(units: int) -> Decimal:
    return Decimal(units) / UNITS


def kalshi_fee(price: int) -> int:
    """0.07 · C · P · (1 − P), up to the next cent, in units."""
    cents = -(-7 * CONTRACTS * price * (DOLLAR - price) // (DOLLAR * DOLLAR))
    return cents * UNITS // 100


def polymarket_fee(price: int, rate: int) -> int:
    """C · rate · p · (1 − p), to five decimals (half up), in units; `rate` in basis points."""
    numerator = rate * price * (DOLLAR - price)
    return (2 * numerator + DOLLAR) // (2 * DOLLAR)


def lock(kalshi: Quote, polymarket: Quote, rate: int, direction: str) -> Lock | None:
    """Buying YES ('yes_kalshi') or NO ('no_kalshi') on Kalshi and the other side on Polymarket.

    Both quotes are of the same proposition. None when a side has no quote.
    """
    if direction == "no_kalshi":
        kalshi, polymarket = kalshi.inverted(), polymarket.inverted()
    if kalshi.ask is None or polymarket.bid is None:
        return None
    other = DOLLAR - polymarket.bid
    return Lock(
        cost=(kalshi.ask + other) * CONTRACTS * UNITS // DOLLAR,
        fees=kalshi_fee(kalshi.ask) + polymarket_fee(other, rate),
    )


def best_lock(kalshi: Quote, polymarket: Quote, rate: int) -> tuple[str, Lock] | None:
    """The direction that earns a planted margin, if there is one."""
    for direction in ("yes_kalshi", "no_kalshi"):
        terms = lock(kalshi, polymarket, rate, direction)
        if terms is not None and terms.earns(NO_LOCK):
            return direction, terms
    return None


def kalshi_step(structure: str, price: int) -> int:
    """The tick at a price under a `price_level_structure`."""
    if structure == "deci_cent":
        return 1
    if structure == "tapered_deci_cent" and (price <= 100 or price >= 900):
        return 1
    return 10


def grid_down(price: int, structure: str) -> int:
    """The price rounded down to Kalshi's grid."""
    return price - price % kalshi_step(structure, price)


def grid_up(price: int, structure: str) -> int:
    """The price rounded up to Kalshi's grid."""
    return -grid_down(-price, "linear_cent") if kalshi_step(structure, price) == 10 else price


def fair_prices(rng: random.Random, shape: Shape, size: int) -> list[int]:
    """Probabilities of a topic's propositions, in thousandths, that fit together."""
    if shape is Shape.GAME:
        first = rng.randint(120, 880)
        return [first, DOLLAR - first][:size]
    if shape is Shape.EXCLUSIVE:
        weights = [rng.randint(1, 20) for _ in range(size)]
        left = rng.randint(860, 960)
        return [max(15, left * weight // sum(weights)) for weight in weights]
    if size == 1:
        return [rng.randint(60, 940)]
    middle = rng.randrange(100 * (size - 1)) + 1
    prices = []
    for position in range(size):
        distance = position * 100 - middle
        prices.append(500 - 485 * distance // (abs(distance) + 60))
    return prices if shape is Shape.DESCENDING else prices[::-1]


def can_lock(shape: Shape, fair: Sequence[int], number: int) -> bool:
    """Whether a lock on this proposition leaves none on its siblings.

    A planted edge is up to ten cents: a sibling of a ladder has to be further away, and two
    exclusive ones must not be as good as certain.
    """
    price = fair[number]
    if not 150 <= price <= 850:
        return False
    if shape is Shape.EXCLUSIVE:
        return all(price + other <= 880 for n, other in enumerate(fair) if n != number)
    if shape is Shape.GAME:
        return True
    near = [fair[n] for n in (number - 1, number + 1) if 0 <= n < len(fair)]
    return all(abs(price - other) >= 120 for other in near)


def _middle(rng: random.Random, fair: int) -> int:
    """What a venue thinks of a fair price: close enough that siblings stay in order."""
    return min(max(fair + rng.randint(-5, 5), 12), 988)


def _quote(bid: int, ask: int, missing: int) -> Quote:
    """A quote inside (0, 1), of which one side is missing for the lowest of 1,000 numbers."""
    return Quote(
        bid if bid > 0 and missing >= 60 else None,
        ask if ask < DOLLAR and not 60 <= missing < 110 else None,
    )


def polymarket_quote(rng: random.Random, fair: int, tick: int, is_quoted: bool) -> Quote:
    """A quote around a fair price; `is_quoted` rules out a missing side."""
    middle = _middle(rng, fair)
    bid = middle - rng.randint(1, 10)
    bid -= bid % tick
    ask = middle + rng.randint(1, 10)
    ask += -ask % tick
    missing = rng.randrange(DOLLAR)
    return _quote(bid, ask, DOLLAR if is_quoted else missing)


def kalshi_quote(rng: random.Random, fair: int, structure: str) -> Quote:
    """A quote around a fair price; a side is missing now and then."""
    middle = _middle(rng, fair)
    bid = grid_down(middle - rng.randint(1, 10), structure)
    ask = grid_up(middle + rng.randint(1, 10), structure)
    return _quote(bid, ask, rng.randrange(DOLLAR))


def kalshi_pair_quote(
    rng: random.Random,
    fair: int,
    structure: str,
    polymarket: Quote,
    rate: int,
    *,
    has_lock: bool,
) -> Quote:
    """Kalshi's quote of a proposition that Polymarket quotes too: a planted lock, or none."""
    if has_lock:
        planted = _plant(rng, polymarket, rate, structure)
        if planted is not None:
            return planted

    def earns(quote: Quote, direction: str) -> bool:
        terms = lock(quote, polymarket, rate, direction)
        return terms is not None and terms.earns(NO_LOCK)

    quote = kalshi_quote(rng, fair, structure)
    while quote.ask is not None and earns(quote, "yes_kalshi"):
        ask = quote.ask + kalshi_step(structure, quote.ask)
        quote = Quote(quote.bid, ask if ask < DOLLAR else None)
    while quote.bid is not None and earns(quote, "no_kalshi"):
        bid = quote.bid - kalshi_step(structure, quote.bid - 1)
        quote = Quote(bid if bid > 0 else None, quote.ask)
    return quote


def _plant(rng: random.Random, polymarket: Quote, rate: int, structure: str) -> Quote | None:
    """A Kalshi quote that locks a margin within `LOCK_MARGIN` against a Polymarket quote."""
    is_yes = rng.random() < 0.5
    other = polymarket if is_yes else polymarket.inverted()
    if other.bid is None:
        return None
    lowest, highest = LOCK_MARGIN
    asks = []
    for ask in range(max(20, other.bid - LARGEST_EDGE), other.bid):
        if ask % kalshi_step(structure, ask) == 0:
            terms = lock(Quote(None, ask), other, rate, "yes_kalshi")
            if terms is not None and terms.earns(lowest) and not terms.earns(highest):
                asks.append(ask)
    if not asks:
        return None
    ask = rng.choice(asks)
    bid = grid_down(ask - rng.randint(1, 25), structure)
    quote = Quote(bid if bid > 0 else None, ask)
    return quote if is_yes else quote.inverted()


def altered_prices(
    rng: random.Random, fair: Sequence[int], shape: Shape, relation: Relation, is_between: bool
) -> list[int]:
    """The prices of the altered propositions: tempting gaps, and never one that locks."""
    gap = rng.randint(120, 300)
    if relation is Relation.KALSHI_IMPLIES:
        if is_between:
            return _towards(fair, [*fair[1:], 990] if shape is Shape.ASCENDING else [990, *fair])
        return [min(980, price + gap) for price in fair]
    if relation is Relation.POLYMARKET_IMPLIES:
        if is_between:
            return _towards(fair, [*fair[1:], 10] if shape is Shape.DESCENDING else [10, *fair])
        return [max(20, price - gap) for price in fair]
    if relation is Relation.EXCLUSIVE:
        if shape is Shape.DESCENDING:  # exactly a level, against above it
            above = [min(990, fair[0] + 60), *fair]
            return [max(12, (above[n] - price) * 6 // 10) for n, price in enumerate(fair)]
        return [max(12, price * max(0, 880 - max(fair)) // DOLLAR) for price in fair]
    if shape is Shape.EXCLUSIVE:
        return [*fair[1:], fair[0]]
    gap = rng.randint(50, 300) * (1 if fair[0] < 500 else -1)
    return [min(980, max(20, price + gap)) for price in fair]


def _towards(fair: Sequence[int], neighbours: Sequence[int]) -> list[int]:
    """Half way from each price to its neighbour."""
    return [(price + other) // 2 for price, other in zip(fair, neighbours, strict=False)]
