"""Order books of both venues, and what a lock pays when both are walked, in integers.

Prices are in thousandths of a dollar, sizes in hundredths of a contract. The best level of a book
is the listing's own quote; the levels behind it are worse by a tick or more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ingestion.simulator.layout import digest
from ingestion.simulator.pricing import DOLLAR, Quote, grid_up, kalshi_step

LEVELS = 8
WHOLE = 100  # hundredths of a contract
MINIMUM_ORDER = 5  # contracts, on Polymarket
# Money is counted in 1e-13 of a dollar: a fee is a rate in 1e-5 times a size times p(1 − p).
UNIT = 10**13
CENT = UNIT // 100
FIFTH_DECIMAL = UNIT // 10**5
PRICE_UNIT = UNIT // (DOLLAR * WHOLE)


class Level(NamedTuple):
    """What is offered at one price."""

    price: int
    size: int


@dataclass(frozen=True, slots=True)
class Book:
    """Both sides of one outcome token, best first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    def inverted(self) -> "Book":
        """The same orders seen from the other outcome."""
        return Book(_mirrored(self.asks), _mirrored(self.bids))


def _mirrored(levels: Sequence[Level]) -> tuple[Level, ...]:
    return tuple(Level(DOLLAR - level.price, level.size) for level in levels)


def book(key: str, quote: Quote, structure: str, sizes: tuple[int, int]) -> Book:
    """A book behind a quote, on Kalshi's grid of that name; `sizes` are at the best bid and ask."""
    inverted = quote.inverted()
    bids = _side(f"{key}|bid", inverted.ask, structure, sizes[0])
    return Book(_mirrored(bids), _side(f"{key}|ask", quote.ask, structure, sizes[1]))


def _side(key: str, best: int | None, structure: str, size: int) -> tuple[Level, ...]:
    """Asks from the best price upwards."""
    if best is None or size <= 0:
        return ()
    dice = digest(key)
    levels, price = [Level(best, size)], best
    for number in range(dice[0] % LEVELS):
        for _ in range(1 + dice[1 + number] % 3):
            price = grid_up(price + kalshi_step(structure, price), structure)
        if price >= DOLLAR:
            break
        size = 700 + dice[2 + number] * 310 + (dice[3 + number] % 100 if number % 2 else 0)
        levels.append(Level(price, size))
    return tuple(levels)


class Walked(NamedTuple):
    """What the best number of contracts costs and earns, worst-case fees included, in units."""

    contracts: int
    cost: int
    fees: int
    profit: int


class Side(NamedTuple):
    """What is bought of one outcome: its asks, best first, and the taker rate in basis points."""

    is_kalshi: bool
    asks: tuple[Level, ...]
    rate: int

    def best_price(self) -> tuple[int, int]:
        """The best ask with its fee, in units, after a 0; after a 1 where there is none."""
        if not self.asks:
            return 1, 0
        price = self.asks[0].price
        fee = self.rate * price * (DOLLAR - price) * (UNIT // 10**10)
        return 0, price * WHOLE * PRICE_UNIT + fee


def best_walk(sides: Sequence[Side]) -> Walked | None:
    """The whole number of contracts that earns most when all sides are bought, every number tried.

    None when the minimum order cannot be filled on every side.
    """
    return max(all_walks(sides), key=lambda walk: walk.profit, default=None)


def all_walks(sides: Sequence[Side], payout: int = 1) -> Iterator[Walked]:
    """Every number of contracts; `payout` is what one of each side pays, in dollars."""
    minimum = max((_smallest_order(side) for side in sides), default=1)
    costs = [
        (_kalshi_costs if side.is_kalshi else _polymarket_costs)(side.asks, side.rate)
        for side in sides
    ]
    for contracts, legs in enumerate(zip(*costs, strict=False), 1):
        cost, fees = (sum(amounts) for amounts in zip(*legs, strict=True))
        if contracts >= minimum:
            yield Walked(contracts, cost, fees, contracts * payout * UNIT - cost - fees)


def _smallest_order(side: Side) -> int:
    """In contracts: on Polymarket a dollar's worth too, at the best price."""
    if side.is_kalshi:
        return 1
    best = side.asks[0].price if side.asks else DOLLAR
    return max(MINIMUM_ORDER, -(-DOLLAR // best))


def _kalshi_costs(levels: Sequence[Level], rate: int) -> Iterator[tuple[int, int]]:
    """Cost and fee of 1, 2, … contracts at worst: of one contract up to the sixth decimal, of an
    order up to the cent, and a cent more for each fill that is not of whole contracts at whole
    cents."""
    for fills in _fills(levels):
        # rate 1e-4, prices 1e-3 twice: 1e-10, and 10,000 of them are the sixth decimal.
        charged = sum(-(-rate * price * (DOLLAR - price) // 10_000) * size for price, size in fills)
        uneven = sum(price % 10 != 0 or size % WHOLE != 0 for price, size in fills)
        fee = -(-charged * (UNIT // (10**6 * WHOLE)) // CENT) * CENT + uneven * CENT
        yield sum(price * size for price, size in fills) * PRICE_UNIT, fee


def _polymarket_costs(levels: Sequence[Level], rate: int) -> Iterator[tuple[int, int]]:
    """Cost and fee of 1, 2, … contracts: each level's fee is up to the fifth decimal."""
    for fills in _fills(levels):
        fee = sum(
            -(-rate * size * price * (DOLLAR - price) * (UNIT // 10**12) // FIFTH_DECIMAL)
            * FIFTH_DECIMAL
            for price, size in fills
        )
        yield sum(price * size for price, size in fills) * PRICE_UNIT, fee


def _fills(levels: Sequence[Level]) -> Iterator[list[Level]]:
    """What 1, 2, … contracts take of each level, as long as there is enough."""
    full: list[Level] = []
    taken, wanted = 0, WHOLE
    for level in levels:
        while wanted <= taken + level.size:
            yield [*full, Level(level.price, wanted - taken)]
            wanted += WHOLE
        full.append(level)
        taken += level.size


def dollars(units: int) -> Decimal:
    """Units as dollars."""
    return Decimal(units) / UNIT
