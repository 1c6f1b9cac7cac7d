"""The market behind every feed: books that change step by step, and orders that trade in them.

All numbers are integers (ticks, lots, nanoseconds since 1970) and follow from the seed alone, so
that every feed of the same settings tells of the same market.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingestion.simulator.order_books.book import ASK, BID, Book, Product, Side, Update
from ingestion.simulator.order_books.draws import (
    KINDS,
    STYLES,
    LevelDraw,
    level_draws,
    step_draws,
    words,
)

# The kinds of an update, as shares of KINDS; what is left are deletes.
CHANGES = 460
ADDS = CHANGES + 335
FEWEST_LEVELS = 3  # of a side: deletes and trades stop there
MOST_FILLS = 8  # of one order
TRADES_KEPT = 100
TILT = 220  # how far, in shares of KINDS, orders lean to one side for a while
TILT_CHANGES = 8  # in KINDS
MICROSECOND, SECOND = 1_000, 1_000_000_000  # in nanoseconds
DAY = 24 * 3_600 * SECOND

# Streams of draws, beside those of the whole market; each product takes the one of its place.
EARLIER_TRADES, FIRST_SIZES, FIRST_PRICES = 1_000, 2_000, 3_000

# New sizes of the levels that a step has touched, by key: of the bids, of the asks.
Touched = tuple[dict[int, int], dict[int, int]]

BITCOIN = Product("BTC-USD", first_price=6_508_366, depth=2_000)
ETHER = Product("ETH-USD", first_price=191_944, depth=1_000)


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """A market. The shares are in steps of KINDS (1,024); a step concerns one product."""

    seed: int = 7
    start: datetime = datetime(2026, 10, 1, 12, tzinfo=UTC)
    products: tuple[Product, ...] = (BITCOIN, ETHER)
    steps_per_second: int = 30  # of all products together, on average
    updates_per_step: int = 6  # about, on average
    trade_share: int = 90  # of steps
    empty_share: int = 5  # of steps: nothing changes, which a feed may say nevertheless
    orphan_share: int = 13  # of updates: deletes of levels that were never shown
    earlier_trades: int = TRADES_KEPT  # of each product, before the start; at most TRADES_KEPT

    def __post_init__(self) -> None:
        names = [product.product_id for product in self.products]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"products are {names}: there must be some, each once.")
        if self.start.tzinfo is None:
            raise ValueError(f"start {self.start} has no time zone: use UTC.")
        if self.steps_per_second < 1 or self.updates_per_step < 1 or self.seed < 0:
            raise ValueError(
                "steps_per_second and updates_per_step are at least 1, seed at least 0."
            )
        if not 0 <= self.earlier_trades <= TRADES_KEPT:
            raise ValueError(f"earlier_trades is 0 to {TRADES_KEPT}.")

    @property
    def start_ns(self) -> int:
        """The start in nanoseconds since 1970."""
        since = self.start - datetime(1970, 1, 1, tzinfo=UTC)
        return since // timedelta(microseconds=1) * MICROSECOND


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill, at the best price of the side that was hit."""

    product_id: str
    trade_id: int
    happened_at: int  # nanoseconds, whole microseconds
    aggressor: str  # 'buy' takes from the asks, 'sell' from the bids
    price: int  # ticks
    size: int  # lots

    @property
    def maker(self) -> str:
        """The side of the order that rested: 'buy' or 'sell'."""
        return "sell" if self.aggressor == "buy" else "buy"


@dataclass(slots=True)
class Step:
    """What happened to one product at one moment.

    `updates` hold each level at most once, with its size after the step: bids from the highest
    price down, then asks from the lowest price up. Orders trade first, then orders come and go.
    """

    number: int
    product: int  # its place in the settings
    happened_at: int  # nanoseconds, whole microseconds; never decreasing
    updates: list[Update]
    trades: list[Trade]  # in the order in which they happened


@dataclass(slots=True)
class Day:
    """The figures of a product's last 24 hours, in ticks and lots; nothing ever leaves them."""

    open: int
    low: int
    high: int
    last: int
    volume: int

    def add(self, trade: Trade) -> None:
        """Count a trade."""
        self.last = trade.price
        self.low, self.high = min(self.low, trade.price), max(self.high, trade.price)
        self.volume += trade.size


class Market:
    """The books of all products. `books`, `days` and `recent_trades` are as of the last step."""

    def __init__(self, settings: MarketSettings) -> None:
        self.settings = settings
        self.now = settings.start_ns
        self.books = [
            first_book(product, settings.seed, index)
            for index, product in enumerate(settings.products)
        ]
        self.recent_trades: list[deque[Trade]] = []
        self.days: list[Day] = []
        self._next_trade_ids: list[int] = []
        self._tilts = [0] * len(settings.products)
        self._gap = SECOND // MICROSECOND // settings.steps_per_second
        self._steps = step_draws(settings.seed, 1)
        self._upcoming = next(self._steps)
        self._levels = level_draws(settings.seed, 2)
        self._number = 0
        for index in range(len(self.books)):
            self._open(index)

    def steps(self) -> Iterator[Step]:
        """What happens from here on, without end."""
        while True:
            yield self.step()

    @property
    def next_at(self) -> int:
        """When the next step happens, in nanoseconds."""
        return self.now + (self._upcoming.gap * self._gap >> 15) * MICROSECOND

    def step(self) -> Step:
        """The next thing that happens."""
        settings = self.settings
        self.now, draw = self.next_at, self._upcoming
        self._upcoming = next(self._steps)
        index = draw.product * len(self.books) >> 12
        book = self.books[index]
        touched: Touched = ({}, {})
        trades: list[Trade] = []
        if draw.turn < TILT_CHANGES:
            self._tilts[index] = (draw.turn % 3 - 1) * TILT
        if draw.kind < settings.trade_share:
            self._trade(index, touched, trades)
        if not settings.trade_share <= draw.kind < settings.trade_share + settings.empty_share:
            # The mean of a step's size is about 0.23 of its range.
            most = (settings.updates_per_step - 1) * 13 // 3
            for _ in range(1 + (draw.size * (most + 1) >> 12)):
                _update(book, next(self._levels), touched, settings.orphan_share)
        self._number += 1
        updates = [(BID, key, size) for key, size in sorted(touched[BID].items(), reverse=True)]
        updates += [(ASK, -key, size) for key, size in sorted(touched[ASK].items(), reverse=True)]
        return Step(self._number - 1, index, self.now, updates, trades)

    def _trade(self, index: int, touched: Touched, trades: list[Trade]) -> None:
        """Fill a market order or two, level by level."""
        book = self.books[index]
        is_more = True
        while is_more:
            kind, _, _, _, style, size = next(self._levels)
            is_buy = kind < KINDS // 2 + self._tilts[index]
            number = ASK if is_buy else BID
            side = book.sides[number]
            left = (size >> 2) // book.lot or 1
            fills = 0
            while left and len(side) > FEWEST_LEVELS and fills < MOST_FILLS:
                key = side.keys[-1]
                rest = max(0, side.sizes[key] - left)
                filled = side.sizes[key] - rest
                trades.append(self._record(index, self.now, is_buy, side.sign * key, filled))
                touched[number][key] = rest
                if rest:
                    side.sizes[key] = rest
                else:
                    side.remove(key)
                left -= filled
                fills += 1
            is_more = style == 0

    def _record(self, index: int, at: int, is_buy: bool, price: int, size: int) -> Trade:
        trade = Trade(
            self.settings.products[index].product_id,
            self._next_trade_ids[index],
            at,
            "buy" if is_buy else "sell",
            price,
            size,
        )
        self._next_trade_ids[index] += 1
        self.recent_trades[index].append(trade)
        self.days[index].add(trade)
        return trade

    def _open(self, index: int) -> None:
        """Give a product a past: some trades around its first prices, and figures of a day."""
        product, earlier = self.settings.products[index], self.settings.earlier_trades
        price = product.first_price
        dice = words(self.settings.seed, EARLIER_TRADES + index)
        self.days.append(
            Day(
                open=price - price // 1_000,
                low=price - price // 200,
                high=price + price // 200,
                last=price,
                volume=2_867 * 10**product.size_digits + next(dice) % 10**product.size_digits,
            )
        )
        self.recent_trades.append(deque(maxlen=TRADES_KEPT))
        self._next_trade_ids.append(10**9 // (index + 1) + next(dice) % 10**8)
        for back in range(earlier, 0, -1):
            word = next(dice)
            at = self.settings.start_ns - back * SECOND // 2 + word % 10**5 * MICROSECOND
            is_buy = bool(word >> 63)
            self._record(
                index, at, is_buy, price + is_buy, (word >> 40) // self.books[index].lot or 1
            )


def _update(
    book: Book,
    draw: LevelDraw,
    touched: Touched,
    orphan_share: int,
) -> None:
    """Change, add or delete a level, or do nothing where the step has touched it before."""
    kind, number, rank, offset, style, size = draw
    side, seen = book.sides[number], touched[number]
    keys = side.keys
    if kind < orphan_share:
        key = keys[-1] - offset * book.reach - 1
        if key not in side.sizes and _is_price(side, key):
            seen.setdefault(key, 0)
        return
    is_change = kind < CHANGES
    is_add = not is_change and _is_add(kind, len(keys), book.product.depth)
    key = _new_key(book, number, offset, style) if is_add else keys[-1 - rank % len(keys)]
    if key in seen:
        return
    if is_change or is_add:
        seen[key] = size // book.lot or 1
        side.put(key, seen[key])
    elif len(keys) > FEWEST_LEVELS:
        seen[key] = 0
        side.remove(key)


def _is_add(kind: int, levels: int, depth: int) -> bool:
    """What an update that is no change does: a side far from its depth goes back to it."""
    if abs(levels - depth) * 10 > depth:
        return levels < depth
    return kind < ADDS


def _new_key(book: Book, number: int, offset: int, style: int) -> int:
    """Where an order comes in: mostly at or behind the best, at times inside the spread."""
    side = book.sides[number]
    best = side.keys[-1]
    ticks_inside = -book.sides[1 - number].keys[-1] - best - 1
    if ticks_inside and style < STYLES // 4:
        return best + (1 + offset % ticks_inside if style else ticks_inside)
    key = best - offset * book.reach
    return key if _is_price(side, key) else best


def _is_price(side: Side, key: int) -> bool:
    """Asks may be of any price, bids are at least one tick."""
    return side.sign < 0 or key > 0


def first_book(product: Product, seed: int, index: int) -> Book:
    """A deep book: dense at the best, thinner away from it, and some orders far from any price."""
    book = Book(product)
    draws = level_draws(seed, FIRST_SIZES + index)
    gaps = words(seed, FIRST_PRICES + index)
    widest = max(1, product.first_price // (2 * product.depth)) * 4
    for side, first in zip(
        book.sides, (product.first_price, -product.first_price - 1), strict=True
    ):
        key = first
        while len(side) < product.depth and _is_price(side, key):
            side.sizes[key] = next(draws)[-1] // book.lot or 1
            side.keys.append(key)
            word = next(gaps)
            key -= 1 + ((word & 0xFFFFFFFF) % widest >> (word >> 60))
        side.keys.reverse()
    for far in (3, 20, 2_000):
        book.sides[ASK].put(-far * product.first_price, 7 * far)
    if product.first_price > 1_000 and book.bids()[-1][0] > 101:
        for price in (1, 7, 101):
            book.sides[BID].put(price, 10**product.size_digits)
    return book
