"""One product's book in integers: prices in ticks, sizes in lots."""

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

BID, ASK = 0, 1
Level = tuple[int, int]  # price in ticks, size in lots
Update = tuple[int, int, int]  # BID or ASK, price in ticks, new size in lots (0: the level is gone)


@dataclass(frozen=True, slots=True)
class Product:
    """A product: its tick is 10^-price_digits, its lot 10^-size_digits."""

    product_id: str
    first_price: int  # the best bid at the start, in ticks; the best ask is one above
    depth: int  # levels a side, about
    price_digits: int = 2
    size_digits: int = 8  # at most 8

    def __post_init__(self) -> None:
        if not 0 <= self.size_digits <= 8 or not 0 <= self.price_digits <= 12:
            raise ValueError(f"{self.product_id}: size_digits is 0 to 8, price_digits 0 to 12.")
        if self.depth < 4 or self.first_price < 2 * self.depth:
            raise ValueError(
                f"{self.product_id}: {self.depth} levels below {self.first_price} ticks; depth is "
                "at least 4, and first_price at least twice the depth."
            )

    def price(self, ticks: int) -> Decimal:
        """A price in the quote currency."""
        return Decimal(ticks).scaleb(-self.price_digits)

    def size(self, lots: int) -> Decimal:
        """A size in the base currency."""
        return Decimal(lots).scaleb(-self.size_digits)

    def price_text(self, ticks: int) -> str:
        """A price as Advanced Trade writes it."""
        return decimal_text(self.price_digits)(ticks)

    def size_text(self, lots: int) -> str:
        """A size as Advanced Trade writes it."""
        return decimal_text(self.size_digits)(lots)


Text = Callable[[int], str]


@cache
def decimal_text(digits: int) -> Text:
    """What writes an integer × 10^-digits without trailing zeros: '65091', '0.12'."""
    fixed = fixed_text(digits)
    return lambda value: fixed(value).rstrip("0").rstrip(".") if digits else str(value)


@cache
def fixed_text(digits: int) -> Text:
    """What writes an integer × 10^-digits with all its digits: '65091.00'."""
    scale, pattern = 10**digits, f"%d.%0{digits}d"
    return lambda value: pattern % divmod(value, scale) if digits else str(value)


class Side:
    """One side of a book. Inside, a price has a sign so that the better one is the larger one.

    Attributes:
        sign: 1 for bids, −1 for asks: a key is `sign × price`.
        keys: The levels, worst first, so that changes near the best move little.
        sizes: Lots by key, all positive.
    """

    __slots__ = ("keys", "sign", "sizes")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.sizes: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def put(self, key: int, size: int) -> None:
        """Set a level to a positive size."""
        if key not in self.sizes:
            insort(self.keys, key)
        self.sizes[key] = size

    def remove(self, key: int) -> None:
        """Take a level away."""
        del self.sizes[key]
        if self.keys[-1] == key:
            self.keys.pop()
        else:
            del self.keys[bisect_left(self.keys, key)]

    def levels(self, count: int | None = None) -> list[Level]:
        """The best `count` levels, or all; best first."""
        start = 0 if count is None else max(0, len(self.keys) - count)
        return [(self.sign * key, self.sizes[key]) for key in reversed(self.keys[start:])]


class Book:
    """The true book of a product: it changes with the market that it belongs to.

    Attributes:
        product: What is traded.
        sides: Bids and asks.
        lot: A lot in units of 1e-8, the units in which sizes are drawn.
        reach: How many ticks apart orders come in, about: a price of many ticks has wide gaps.
    """

    __slots__ = ("lot", "product", "reach", "sides")

    def __init__(self, product: Product) -> None:
        self.product = product
        self.lot = 10 ** (8 - product.size_digits)
        self.reach = 1 + product.first_price // product.depth // 128
        self.sides = (Side(1), Side(-1))

    def bids(self, count: int | None = None) -> list[Level]:
        """The best `count` bids, or all, as (ticks, lots), best first."""
        return self.sides[BID].levels(count)

    def asks(self, count: int | None = None) -> list[Level]:
        """The best `count` asks, or all, as (ticks, lots), best first."""
        return self.sides[ASK].levels(count)

    @property
    def best_bid(self) -> Level:
        """Price in ticks and size in lots."""
        side = self.sides[BID]
        return side.keys[-1], side.sizes[side.keys[-1]]

    @property
    def best_ask(self) -> Level:
        """Price in ticks and size in lots."""
        side = self.sides[ASK]
        return -side.keys[-1], side.sizes[side.keys[-1]]
