"""Order-flow features against a plain slow twin, worked examples, and any cut into runs."""

import csv
import gzip
import math
import random
import statistics
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_models.kernels.order_book_features import IDENTITY_FIELDS
from python_models.kernels.order_flow_feature_table import FlowParameters, flow_features
from python_models.kernels.order_flow_features import (
    BOOKS_SCHEMA,
    STATES_SCHEMA,
    TRADES_SCHEMA,
    OrderFlow,
    features_schema,
    order_flow_features_reader,
)

Values = dict[str, Any]
Level = tuple[Fraction, Fraction]
SECOND = 1_000_000
DAY = 86_400 * SECOND
SMALL = FlowParameters(vpin_buckets=3, sigma_buckets=3, kyle_rows=3, bucket_volume=2.5)
SHAPES = ("bid_slope", "ask_slope", "cog_vs_mid")


@dataclass
class Row:
    """One row of the features of a book, and its levels."""

    time: int
    bids: list[Level]
    asks: list[Level]
    is_valid: bool = True
    is_snapshot: bool = False
    stream: str | None = "level2"
    shapes: tuple[float | None, ...] = (None, None, None)
    near: float | None = None
    is_late: bool = False

    @property
    def mid(self) -> Fraction:
        return (self.bids[0][0] + self.asks[0][0]) / 2

    @property
    def spread(self) -> float:
        return float((self.asks[0][0] - self.bids[0][0]) / self.mid)

    @property
    def imbalance(self) -> float | None:
        bid, ask = self.bids[0][1], self.asks[0][1]
        return float((bid - ask) / (bid + ask)) if bid + ask else None


@dataclass
class Trade:
    """One trade; is_buy None: not told."""

    time: int
    price: Fraction
    size: Fraction
    is_buy: bool | None = None
    is_backfill: bool = False
    told: int | None = None  # None: when it was made

    @property
    def arrival(self) -> int:
        return self.time if self.told is None else self.told


def row(time: float, bids: str, asks: str, **more: Any) -> Row:
    """Read "price size, price size, …" a side, and seconds."""

    def levels(text: str) -> list[Level]:
        pairs = [level.split() for level in text.split(",")]
        return [(Fraction(price), Fraction(size)) for price, size in pairs]

    return Row(round(time * SECOND), levels(bids), levels(asks), **more)


def around(time: float, mid: str, **more: Any) -> Row:
    """A book of one level a side, 0.5 from mid."""
    middle = Fraction(mid)
    bids, asks = ([(middle + sign * Fraction(1, 2), Fraction(1))] for sign in (-1, 1))
    return Row(round(time * SECOND), bids, asks, **more)


def trade(time: float, price: Any, size: Any, is_buy: bool | None = None, **more: Any) -> Trade:
    return Trade(round(time * SECOND), Fraction(price), Fraction(size), is_buy, **more)


# The twin: every feature as its definition reads, exact where the definition is rational.


def plain_features(rows: list[Row], trades: list[Trade], p: FlowParameters) -> list[Values | None]:
    """The features of every row of one symbol; None where it is late or not valid."""
    found = iter(plain_features_in_time([one for one in rows if not one.is_late], trades, p))
    return [None if one.is_late else next(found) for one in rows]


def plain_features_in_time(
    rows: list[Row], trades: list[Trade], p: FlowParameters
) -> list[Values | None]:
    """The features of rows of which none is late."""
    clock = PlainClock(p)
    waiting = plain_order(trades, p)
    found: list[Values | None] = []
    pasts: list[Values] = []  # of the valid rows so far
    is_broken = False
    latest = None
    for place, this in enumerate(rows):
        if not this.is_valid:
            is_broken = True
            found.append(None)
            continue
        latest = this.time if latest is None else max(latest, this.time)
        taken = []
        while waiting and waiting[0][0] <= latest:
            taken.append(clock.take(*waiting.pop(0)))
        before = pasts[-1] if pasts else None
        is_reset = before is None or is_broken or this.is_snapshot
        is_reset |= place > 0 and rows[place - 1].stream != this.stream
        is_stale = (
            None if before is None else this.time - before["time"] > p.max_age_seconds * SECOND
        )
        values: Values = {"is_reset": is_reset, "is_stale": is_stale}
        is_linked = not is_reset and not is_stale
        values |= plain_dynamic(this, before if is_linked else None, taken, p)
        in_time = [one.arrival for one in trades if not plain_is_late(one, p)]
        is_told = bool(in_time) and in_time[0] <= latest
        if not is_told:
            names = ("trade_flow_imbalance", "buy_volume", "sell_volume", "trade_count")
            values |= dict.fromkeys(names)
        past = values | {"time": this.time, "row": this, "linked": is_linked, "order": place}
        past["volume"] = sum(size for _, size in taken) if is_linked and is_told else None
        past["signed"] = signed(values["buy_volume"], values["sell_volume"])
        past["regime"] = None
        pasts.append(past)
        is_in_order = this.time >= latest - p.back_seconds * SECOND
        values |= plain_rolling(pasts, p) if is_in_order else {}
        past["regime"] = values.get("spread_regime")
        values |= clock.features()
        found.append(values)
        is_broken = False
    return found


def signed(buys: Any, sells: Any) -> Any:
    return None if buys is None else buys - sells


def plain_order(trades: list[Trade], p: FlowParameters) -> list[tuple[int, Trade]]:
    """Trades that count, with the time at which they do."""
    ordered: list[tuple[int, Trade]] = []
    told = -math.inf
    for one in trades:
        told = told if plain_is_late(one, p) else max(told, one.arrival)
        is_late = one.time < told - p.max_age_seconds * SECOND
        is_flow = not one.is_backfill and one.size > 0
        if is_flow and not is_late and not plain_is_late(one, p):
            ordered.append((int(told), one))
    return ordered


def plain_is_late(one: Trade, p: FlowParameters) -> bool:
    """Whether a trade is told long after it was made; history told as such is not."""
    is_flow = not one.is_backfill and one.size > 0
    return is_flow and one.arrival - one.time > p.max_age_seconds * SECOND


def plain_dynamic(
    this: Row, before: Values | None, taken: list[tuple[int, Fraction]], p: FlowParameters
) -> Values:
    """What compares a row with the one before."""
    names = ["log_return", "mid_velocity", "mid_acceleration", "order_flow_imbalance"]
    names += [f"order_flow_imbalance_level_{level}" for level in range(p.levels)]
    names += ["multi_level_order_flow_imbalance", "trade_flow_imbalance"]
    names += ["buy_volume", "sell_volume", "trade_count"]
    values: Values = dict.fromkeys(names)
    values["velocity_seconds"] = None
    if before is None:
        return values
    old: Row = before["row"]
    seconds = Fraction(this.time - old.time, SECOND)
    change = this.mid - old.mid
    values["mid_change"] = change
    values["log_return"] = math.log1p(change / old.mid)
    if seconds > 0:
        values["mid_velocity"] = velocity = change / seconds
        values["velocity_seconds"] = seconds
        if before["mid_velocity"] is not None:
            mean = (seconds + before["velocity_seconds"]) / 2
            values["mid_acceleration"] = (velocity - before["mid_velocity"]) / mean
    weighted = 0.0
    for level in range(p.levels):
        bid = plain_part(this.bids, old.bids, level, 1)
        ask = plain_part(this.asks, old.asks, level, -1)
        if bid is not None and ask is not None:
            values[f"order_flow_imbalance_level_{level}"] = bid - ask
        weighted += math.exp(-p.level_decay * level) * float((bid or 0) - (ask or 0))
    values["order_flow_imbalance"] = values["order_flow_imbalance_level_0"]
    values["multi_level_order_flow_imbalance"] = weighted
    values["trade_count"] = len(taken)
    if all(sign for sign, _ in taken):
        buys = sum((size for sign, size in taken if sign > 0), Fraction(0))
        sells = sum((size for sign, size in taken if sign < 0), Fraction(0))
        values["buy_volume"], values["sell_volume"] = buys, sells
        values["trade_flow_imbalance"] = divide(buys - sells, buys + sells)
    return values


def plain_part(new: list[Level], old: list[Level], level: int, up: int) -> Fraction | None:
    if level >= len(new) or level >= len(old):
        return None
    (price, size), (old_price, old_size) = new[level], old[level]
    better = up * (price - old_price)
    return (size if better >= 0 else 0) - (old_size if better <= 0 else Fraction(0))


def plain_rolling(pasts: list[Values], p: FlowParameters) -> Values:
    """What is in the windows that end at the last of the rows."""
    this = pasts[-1]
    # By time; of equal times, in the order. Rows later in time are not in.
    known = sorted(
        (past for past in pasts if past["time"] <= this["time"]),
        key=lambda past: (past["time"], past["order"]),
    )

    def window(seconds: int) -> list[Values]:
        return [past for past in known if past["time"] > this["time"] - seconds * SECOND]

    def of(inside: list[Values], name: str) -> list[Any]:
        return [past[name] for past in inside if past[name] is not None]

    values: Values = {}
    for seconds in p.windows:
        inside = window(seconds)
        returns = of(inside, "log_return")
        products = [
            abs(before["log_return"]) * abs(after["log_return"])
            for before, after in pairwise(inside)
            if None not in (before["log_return"], after["log_return"])
        ]
        buys, sells = sum(of(inside, "buy_volume")), sum(of(inside, "sell_volume"))
        imbalances = [past["row"].imbalance for past in inside]
        described = {
            "order_flow_imbalance_sum": total(of(inside, "order_flow_imbalance")),
            "multi_level_order_flow_imbalance_sum": total(
                of(inside, "multi_level_order_flow_imbalance")
            ),
            "mean_return": mean(returns),
            "realised_volatility": deviation(returns),
            "realised_variance": total([r * r for r in returns]),
            "bipower_variation": math.pi / 2 * math.fsum(products) if products else None,
            "mean_spread": mean([past["row"].spread for past in inside]),
            "mean_imbalance_1": mean([value for value in imbalances if value is not None]),
            "trade_flow_imbalance": divide(buys - sells, buys + sells),
            "trade_volume": total(of(inside, "volume")),
        }
        values |= {f"{name}_{seconds}": value for name, value in described.items()}
    short, long = window(p.shape_window), window(p.long_window)
    depth = mean([(past["row"].bids[0][1] + past["row"].asks[0][1]) / 2 for past in short])
    flow = this["order_flow_imbalance"]
    values["normalised_order_flow_imbalance"] = None if flow is None else divide(flow, depth)
    for place, name in enumerate(("bid_slope", "ask_slope", "cog_momentum")):
        shapes = [s for past in short if (s := past["row"].shapes[place]) is not None]
        values[f"{name}_mean_{p.shape_window}"] = mean(shapes)
        values[f"{name}_std_{p.shape_window}"] = deviation(shapes)
    near = [past["row"].near for past in long if past["row"].near is not None]
    values[f"near_depth_sigma_{p.long_window}"] = deviation(near)
    own, spreads = this["row"].spread, [past["row"].spread for past in long]
    below, equal = sum(s < own for s in spreads), sum(s == own for s in spreads)
    share = Fraction(2 * below + equal, 2 * len(spreads))
    values[f"spread_percentile_{p.long_window}"] = share
    regime = "tight" if float(share) <= p.tight else "wide" if float(share) >= p.wide else "normal"
    values["spread_regime"] = regime
    times = {"tight": 0, "normal": 0, "wide": 0}
    begin = this["time"] - p.long_window * SECOND
    for before, after in pairwise(known):
        length = after["time"] - before["time"]
        if after["linked"] and length <= p.max_age_seconds * SECOND and before["regime"]:
            times[before["regime"]] += max(0, after["time"] - max(begin, before["time"]))
    for name in ("tight", "wide"):
        values[f"{name}_fraction_{p.long_window}"] = divide(times[name], sum(times.values()))
    linked = [past for past in long if past["linked"]]
    for name, cause, outcome in (
        ("kyle_lambda", "order_flow_imbalance", "log_return"),
        ("kyle_lambda_trades", "signed", "mid_change"),
    ):
        points = [(past[cause], past[outcome]) for past in linked if past[cause] is not None]
        slope, fit = plain_regression(points) if len(points) >= p.kyle_rows else (None, None)
        values[f"{name}_{p.long_window}"] = slope
        values[f"{name}_r2_{p.long_window}"] = fit
    return values


def plain_regression(points: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Slope and R² of the least-squares line."""
    xs, ys = ([Fraction(value) for value in column] for column in zip(*points, strict=True))
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    xx = sum((x - x_mean) ** 2 for x in xs)
    yy = sum((y - y_mean) ** 2 for y in ys)
    xy = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return divide(xy, xx), divide(xy * xy, xx * yy)


@dataclass
class PlainClock:
    """Buckets of volume, trade by trade, and the tick rule."""

    p: FlowParameters
    price: Fraction | None = None
    tick: int = 0
    volume: Fraction | None = None
    parts: dict[bool | None, Fraction] = field(default_factory=dict)
    full: list[tuple[Any, Any]] = field(default_factory=list)  # imbalances of aggressor and bulk
    closes: list[Fraction] = field(default_factory=list)
    days: dict[int, Fraction] = field(default_factory=dict)

    def take(self, time: int, one: Trade) -> tuple[int, Fraction]:
        """Take a trade; return its sign and size."""
        if self.price is not None and one.price != self.price:
            self.tick = 1 if one.price > self.price else -1
        self.price = one.price
        day = time // DAY
        self.days.setdefault(day, Fraction(0))
        left = one.size
        if self.volume is None:
            self.open(day)
        while self.volume is not None and left >= self.volume - sum(self.parts.values()):
            missing = self.volume - sum(self.parts.values())
            self.add(one.is_buy, missing)
            left -= missing
            self.close(one.price)
            self.open(day)
        if self.volume is not None:
            self.add(one.is_buy, left)
        self.days[day] += one.size
        sign = self.tick if one.is_buy is None else 1 if one.is_buy else -1
        return sign, one.size

    def add(self, is_buy: bool | None, size: Fraction) -> None:
        self.parts[is_buy] = self.parts.get(is_buy, Fraction(0)) + size

    def open(self, day: int) -> None:
        self.parts = {}
        if self.p.bucket_volume is not None:
            self.volume = Fraction(round(self.p.bucket_volume * 1e8), 10**8)
            return
        whole = [size for one, size in sorted(self.days.items()) if one < day][1:]
        if whole:
            lots = float(Fraction(self.p.bucket_share) * 10**8 * sum(whole) / len(whole))
            self.volume = Fraction(max(1, round(lots)), 10**8)

    def close(self, price: Fraction) -> None:
        self.closes.append(price)
        count = self.p.sigma_buckets
        changes = [b - a for a, b in pairwise(self.closes)][-count:]
        bulk = None
        if len(changes) == count and (sigma := deviation(changes)):
            bulk = abs(2 * normal(changes[-1] / Fraction(sigma)) - 1)
        buys, sells = self.parts.get(True, 0), self.parts.get(False, 0)
        aggressor = None if self.parts.get(None) else divide(abs(buys - sells), self.volume)
        self.full.append((aggressor, bulk))

    def features(self) -> Values:
        last = self.full[-self.p.vpin_buckets :]
        values: Values = {"vpin_bucket": None, "bucket_fill": None}
        for name, place in (("vpin_aggressor", 0), ("vpin_bulk", 1)):
            imbalances = [bucket[place] for bucket in last]
            is_known = len(last) == self.p.vpin_buckets and None not in imbalances
            values[name] = mean(imbalances) if is_known else None
        if self.volume is not None or (self.p.bucket_volume is not None and not self.full):
            volume = self.volume or 1
            values["vpin_bucket"] = len(self.full) if self.price is not None else None
            values["bucket_fill"] = (
                sum(self.parts.values()) / volume if self.price is not None else None
            )
        return values


def normal(z: Fraction) -> float:
    return statistics.NormalDist().cdf(float(z))


def divide(numerator: Any, denominator: Any) -> Any:
    return None if not denominator else numerator / denominator


def total(values: list[Any]) -> Any:
    return sum(map(Fraction, values)) if values else None


def mean(values: list[Any]) -> Any:
    return sum(map(Fraction, values)) / len(values) if values else None


def deviation(values: list[Any]) -> float | None:
    if len(values) < 2:
        return None
    middle = mean(values)
    return math.sqrt(sum((Fraction(v) - middle) ** 2 for v in values) / (len(values) - 1))


# Between plain rows and Arrow.


def books_table(rows: list[Row], first: int = 0, **columns: Any) -> pa.Table:
    """Rows as ``BOOKS_SCHEMA``."""

    def levels(side: list[Level]) -> list[dict[str, float]]:
        return [{"price": float(price), "size": float(size)} for price, size in side]

    data: dict[str, list[Any]] = {
        "exchange": ["coinbase"] * len(rows),
        "symbol": ["BTC-USD"] * len(rows),
        "source": ["replayed"] * len(rows),
        "stream": [one.stream for one in rows],
        "book_number": [3 * (first + place) for place in range(len(rows))],
        "booked_at": [one.time for one in rows],
        # A row arrives just after a trade of the same time.
        "arrival": [2 * one.time + 1 for one in rows],
        "is_valid": [one.is_valid for one in rows],
        "is_snapshot": [one.is_snapshot for one in rows],
        "is_late": [one.is_late for one in rows],
        "relative_spread": [one.spread for one in rows],
        "imbalance_1": [one.imbalance for one in rows],
        "bid_volume_band_0_5_bps": [one.near for one in rows],
        "ask_volume_band_0_5_bps": [0.0] * len(rows),
        "bids": [levels(one.bids) for one in rows],
        "asks": [levels(one.asks) for one in rows],
    }
    for place, name in enumerate(SHAPES):
        data[name] = [one.shapes[place] for one in rows]
    for side, sides in (("bid", [r.bids for r in rows]), ("ask", [r.asks for r in rows])):
        data[f"best_{side}_price"] = [float(levels[0][0]) for levels in sides]
        data[f"best_{side}_size"] = [float(levels[0][1]) for levels in sides]
    data |= columns
    return pa.table([pa.array(data[f.name], f.type) for f in BOOKS_SCHEMA], schema=BOOKS_SCHEMA)


def trades_table(trades: list[Trade], first: int = 0, **columns: Any) -> pa.Table:
    """Trades as ``TRADES_SCHEMA``."""
    data: dict[str, list[Any]] = {
        "exchange": ["coinbase"] * len(trades),
        "symbol": ["BTC-USD"] * len(trades),
        "trade_number": [first + place for place in range(len(trades))],
        "arrival": [2 * one.arrival for one in trades],
        "told_at": [one.arrival for one in trades],
        "traded_at": [one.time for one in trades],
        "price": [float(one.price) for one in trades],
        "size": [float(one.size) for one in trades],
        "is_buy": [one.is_buy for one in trades],
        "is_backfill": [one.is_backfill for one in trades],
        **columns,
    }
    return pa.table([pa.array(data[f.name], f.type) for f in TRADES_SCHEMA], schema=TRADES_SCHEMA)


def computed(
    books: pa.Table, trades: pa.Table | None = None, p: FlowParameters = SMALL
) -> pa.Table:
    """The features of one run."""
    batches = OrderFlow(None, p).features([books], [] if trades is None else [trades])
    return pa.Table.from_batches(batches, features_schema(p))


def rows_of(
    rows: list[Row], trades: list[Trade] | None = None, p: FlowParameters = SMALL
) -> list[Values]:
    found: list[Values] = computed(books_table(rows), trades_table(trades or []), p).to_pylist()
    return found


def names_of(p: FlowParameters) -> list[str]:
    return [feature.name for feature in flow_features(p)]


def slope_noise(expected: Values, name: str, slope: Any) -> float:
    """A slope of points that hardly follow it is small beside its own noise."""
    head, _, seconds = name.rpartition("_")
    fit = expected[f"{head}_r2_{seconds}"]
    return 1e-9 * abs(float(slope)) / math.sqrt(fit) if fit else 1e-12


def assert_as_the_twin(rows: list[Row], trades: list[Trade], p: FlowParameters) -> None:
    found = rows_of(rows, trades, p)
    sizes = [float(size) for one in rows for _, size in (*one.bids, *one.asks)]
    for own, got, expected in zip(rows, found, plain_features(rows, trades, p), strict=True):
        assert got["is_valid"] is (expected is not None or (got["is_late"] and own.is_valid))
        for name in names_of(p):
            value = None if expected is None else expected.get(name)
            if value is None or isinstance(value, str | bool):
                assert got[name] == value, (name, got[name], value)
                assert got[name] is None or value is not None
            else:
                assert got[name] is not None, (name, value)
                noise = 1e-12 * sum(sizes) if "multi_level" in name else 1e-15
                noise = 1e-9 if "_r2" in name else noise
                if "lambda" in name and "_r2" not in name and expected is not None:
                    noise = slope_noise(expected, name, value)
                is_close = math.isclose(got[name], value, rel_tol=1e-8, abs_tol=noise)
                assert is_close, (name, got[name], float(value))


# Random books and trades.

STEPS = (0, 0, 1, 1_000, 250_000, SECOND, SECOND, 4 * SECOND, 5 * SECOND, 15 * SECOND)
JUMPS = (60, 61, 100, 299.999999, 300, 300.000001, 900, 1_000, -1, -5, -30, -61, -300, -2_000)
CENT = Fraction(1, 100)


def random_market(
    seed: int, count: int, days: bool = False, unit: Fraction = CENT
) -> tuple[list[Row], list[Trade]]:
    """Books on a few ticks, so that prices, sizes and spreads are often equal; and trades."""
    r = random.Random(seed)
    jumps, faults = r.choice([0, 0.02, 0.2]), r.choice([0, 0.05, 0.3])
    scale = r.choice([Fraction(1, 10**8), CENT, Fraction(1, 10)])
    unknown = r.choice([0, 0.1, 1])
    rows, trades = [], []
    time, middle = 1_700_000_000 * SECOND, 10_000

    def move() -> int:
        step = round(r.choice(JUMPS) * SECOND) if r.random() < jumps else r.choice(STEPS)
        return step + (r.randrange(DAY) if days and r.random() < 0.1 else 0)

    for _ in range(count):
        time += move()
        middle += r.choice([0, 0, 0, 1, -1, 3])
        sides: tuple[list[Level], list[Level]] = ([], [])
        for side, sign in zip(sides, (-1, 1), strict=True):
            price = middle + sign * r.choice([1, 1, 2])
            for _ in range(r.choice([1, 2, 9, 10, 12])):
                side.append((price * unit, r.choice([0, 1, 1, 2, 7, 123456789]) * scale))
                price += sign * r.choice([1, 1, 3])
        shapes = tuple(r.choice([None, 0.5, r.random(), 3 + r.random()]) for _ in SHAPES)
        stream = "level2" if r.random() > faults / 4 else "another"
        rows.append(
            Row(
                time,
                *sides,
                is_valid=r.random() >= faults / 2,
                is_snapshot=r.random() < faults / 4,
                is_late=r.random() < faults / 4,
                stream=stream,
                shapes=shapes,
                near=r.choice([None, 0.0, 1.0, r.random()]),
            )
        )
        for _ in range(r.choice([0, 0, 1, 3])):
            trades.append(
                Trade(
                    made := time - r.choice([0, 0, 1, -1, 400_000, 10 * SECOND]),
                    (middle + r.choice([-1, 0, 1])) * unit,
                    r.choice(
                        [
                            Fraction(0),
                            Fraction(1, 2),
                            Fraction(1),
                            Fraction(12_345_678, 10**8),
                            Fraction(7),
                        ]
                    ),
                    None if r.random() < unknown else r.random() < 0.5,
                    r.random() < 0.05,
                    made + r.choice([0, 0, 0, 1, SECOND, 15 * SECOND, 900 * SECOND]),
                )
            )
    return rows, trades


seeds = st.integers(0, 2**32)


@settings(max_examples=45)
@given(seeds, st.integers(1, 40))
def test_random_books_are_as_the_twin_says(seed: int, count: int) -> None:
    rows, trades = random_market(seed, count)
    assert_as_the_twin(rows, trades, SMALL)


@settings(max_examples=12)
@given(seeds)
def test_other_parameters_are_as_the_twin_says(seed: int) -> None:
    p = FlowParameters(
        windows=(1, 30),
        shape_window=7,
        long_window=100,
        levels=3,
        level_decay=0.2,
        max_age_seconds=10,
        back_seconds=3,
        tight=0.4,
        wide=0.5,
        kyle_rows=2,
        bucket_share=1 / 7,
        vpin_buckets=2,
        sigma_buckets=2,
    )
    assert_as_the_twin(*random_market(seed, 40, days=True), p)


@settings(max_examples=20)
@given(seeds, st.sampled_from([6, 9, 11]))
def test_prices_of_many_decimals_are_as_the_twin_says(seed: int, decimals: int) -> None:
    """Of 9 and 11 places; and around 0.01, where ticks change from row to row."""
    assert_as_the_twin(*random_market(seed, 40, unit=Fraction(1, 10**decimals)), SMALL)


def test_many_rows_are_as_the_twin_says() -> None:
    assert_as_the_twin(*random_market(3, 180), FlowParameters(bucket_volume=1.0))


# Runs.


def assert_same_bits(found: pa.Table, expected: pa.Table) -> None:
    assert found.schema == expected.schema
    assert found.num_rows == expected.num_rows
    for name in expected.column_names:
        left, right = found[name].combine_chunks(), expected[name].combine_chunks()
        if pa.types.is_floating(left.type):
            assert left.is_null().equals(right.is_null()), name
            bits = [c.fill_null(0).to_numpy().view(np.int64) for c in (left, right)]
            assert (bits[0] == bits[1]).all(), name
        else:
            assert left.equals(right), name


def through_duckdb(states: pa.Table) -> pa.Table:
    """The state as a table of the warehouse gives it back."""
    connection = duckdb.connect()
    connection.register("arrow_states", states)
    connection.execute("create table states as from arrow_states")
    return connection.sql("from states").to_arrow_table()


def in_runs(
    rows: list[Row], trades: list[Trade], cuts: list[int], p: FlowParameters, ahead: int = 0
) -> pa.Table:
    """The features of runs cut before these rows; each is given trades up to its last row's time.

    ``ahead``: how many trades more a run is given than it needs.
    """
    books, all_trades = books_table(rows), trades_table(trades)
    states, given_trades = None, 0
    parts: list[pa.RecordBatch] = []
    bounds = [0, *cuts, len(rows)]
    for start, end in pairwise(bounds):
        latest = max((one.time for one in rows[:end]), default=-1)
        needed = given_trades
        if end == len(rows):
            needed = len(trades)
        for place in range(given_trades, len(trades)):
            if trades[place].arrival <= latest:
                needed = max(needed, place + 1)
        needed = min(len(trades), needed + ahead)
        flow = OrderFlow(states, p)
        own = all_trades.slice(given_trades, needed - given_trades)
        parts += flow.features([books.slice(start, end - start)], [own])
        states = through_duckdb(flow.states())
        given_trades = needed
    return pa.Table.from_batches(parts, features_schema(p))


@settings(max_examples=25)
@given(seeds, st.integers(1, 60), st.data())
def test_any_cut_into_runs_gives_the_same_bits(seed: int, count: int, data: st.DataObject) -> None:
    rows, trades = random_market(seed, count, days=data.draw(st.booleans()))
    cuts: list[int] = []
    for cut in data.draw(st.lists(st.integers(0, count), max_size=6)):
        insort(cuts, cut)
    p = FlowParameters(bucket_volume=data.draw(st.sampled_from([None, 1.0, 1e-8])))
    p = data.draw(st.sampled_from([p, SMALL, FlowParameters(windows=(2,), vpin_buckets=2)]))
    cut_up = in_runs(rows, trades, cuts, p, ahead=data.draw(st.sampled_from([0, 0, 3])))
    assert_same_bits(cut_up, computed(books_table(rows), trades_table(trades), p))


def test_a_cut_before_every_row_gives_the_same_bits() -> None:
    rows, trades = random_market(11, 60)
    cut_up = in_runs(rows, trades, list(range(60)), SMALL)
    assert_same_bits(cut_up, computed(books_table(rows), trades_table(trades)))


@settings(max_examples=30)
@given(seeds, st.integers(2, 50), st.data())
def test_the_future_changes_no_row(seed: int, count: int, data: st.DataObject) -> None:
    """Neither rows that come after nor trades told after one that lies behind the rows."""
    rows, trades = random_market(seed, count)
    kept = data.draw(st.integers(1, count - 1))
    latest = max(one.time for one in rows[:kept])
    counted = [one for one in trades if not one.is_backfill and one.size > 0]
    later = (
        place
        for place, one in enumerate(counted)
        if one.arrival > latest and not plain_is_late(one, SMALL)
    )
    known = next(later, len(counted))
    whole = computed(books_table(rows), trades_table(counted)).slice(0, kept)
    past = computed(books_table(rows[:kept]), trades_table(counted[:known]))
    assert_same_bits(past, whole)
    other_rows = [around(latest / SECOND + 1, "77"), around(latest / SECOND - 1, "78")]
    other_trades = [trade((latest + 1) / SECOND, "77", 3), trade(latest / SECOND - 2, "78", 4)]
    other = computed(
        books_table(rows[:kept] + other_rows), trades_table(counted[:known] + other_trades)
    )
    assert_same_bits(past, other.slice(0, kept))


@pytest.mark.parametrize("size", [1, 7, 64])
def test_any_batching_gives_the_same_bits(size: int) -> None:
    rows, trades = random_market(5, 200)
    books, all_trades = books_table(rows), trades_table(trades)
    other = books.set_column(1, BOOKS_SCHEMA.field(1), pa.array(["ETH-USD"] * 200))
    other_trades = all_trades.set_column(
        1, TRADES_SCHEMA.field(1), pa.array(["ETH-USD"] * len(trades))
    )
    mixed = pa.concat_tables([books, other]).sort_by("book_number")
    mixed_trades = pa.concat_tables([all_trades, other_trades]).sort_by("trade_number")
    batches = OrderFlow(None, SMALL).features(
        mixed.to_batches(max_chunksize=size), mixed_trades.to_batches(max_chunksize=size)
    )
    out = pa.Table.from_batches(batches)
    assert out["book_number"].equals(mixed["book_number"])
    expected = computed(books, all_trades)
    for symbol in ("BTC-USD", "ETH-USD"):
        own = out.filter(pa.compute.equal(out["symbol"], symbol))
        as_btc = own.set_column(1, BOOKS_SCHEMA.field(1), expected["symbol"])
        assert_same_bits(as_btc, expected)


def test_a_late_trade_counts_at_the_next_row() -> None:
    """Told when its row has been given: rows do not change, and it is not lost."""
    p = FlowParameters(bucket_volume=10)
    flow = OrderFlow(None, p)
    books = books_table([around(time, "100") for time in (0, 1, 2)])
    list(flow.features([books.slice(0, 2)], [trades_table([trade(0.5, 100, 1, True)])]))
    late = trades_table([trade(0.6, 100, 2, False), trade(1.5, 100, 3, True)], first=1)
    [last] = flow.features([books.slice(2)], [late])
    assert last.to_pylist()[0]["sell_volume"] == 2
    assert last.to_pylist()[0]["buy_volume"] == 3
    assert last.to_pylist()[0]["bucket_fill"] == 0.6


# The worked examples.


def test_example_multi_level() -> None:
    rows = [row(0, "100 5, 99 3", "101 4, 102 6"), row(1, "100 7, 98 9", "101 4, 101.5 1")]
    last = rows_of(rows)[1]
    assert last["order_flow_imbalance"] == last["order_flow_imbalance_level_0"] == 2
    assert last["order_flow_imbalance_level_1"] == -4
    assert last["order_flow_imbalance_level_2"] is None
    assert last["multi_level_order_flow_imbalance"] == pytest.approx(-0.426123, abs=5e-7)


def test_example_events_and_ends() -> None:
    books = [("100 5", "101 4"), ("100 7", "101 4"), ("100.5 2", "101 3"), ("100 6", "101.5 8")]
    rows = [row(place, *sides) for place, sides in enumerate(books)]
    assert [one["order_flow_imbalance"] for one in rows_of(rows)] == [None, 2, 3, 1]
    assert rows_of(rows)[3]["order_flow_imbalance_sum_5"] == 6
    assert rows_of([rows[0], rows[3]])[1]["order_flow_imbalance"] == 5


def test_example_trade_flow_and_vpin() -> None:
    p = FlowParameters(bucket_volume=5, vpin_buckets=2)
    trades = [trade(1, 100, 3, True), trade(2, 100, 4, False), trade(3, 100, 8, True)]
    found = rows_of([around(time, "100") for time in range(4)], trades, p)
    assert [one["vpin_aggressor"] for one in found] == [None, None, None, 0.6]
    assert [one["vpin_bucket"] for one in found[1:]] == [0, 1, 3]
    assert [one["bucket_fill"] for one in found[1:]] == [0.6, 0.4, 0]
    assert found[3]["trade_flow_imbalance_5"] == pytest.approx(0.466667, abs=5e-7)
    whole = rows_of([around(0, "100"), around(3, "100")], trades, p)[1]
    assert whole["trade_flow_imbalance"] == pytest.approx(0.466667, abs=5e-7)
    assert (whole["buy_volume"], whole["sell_volume"], whole["trade_count"]) == (11, 4, 3)


@pytest.mark.parametrize(("change", "buys"), [(".02", 9.7725), ("-.01", 1.5866), ("0", 5)])
def test_example_bulk(change: str, buys: float) -> None:
    """σ of the changes x, −x + 2m and Δp is .01 when x is chosen for it: here by its formula."""
    p = FlowParameters(bucket_volume=10, vpin_buckets=1, sigma_buckets=2)
    # Of two changes a and b, σ = |a − b| / √2: b is given, a is b − .01 √2.
    before = float(change) - 0.01 * math.sqrt(2)
    prices = [100, 100 + before, 100 + before + float(change)]
    trades = [
        trade(1 + i, Fraction(round(price * 10**8), 10**8), 10) for i, price in enumerate(prices)
    ]
    last = rows_of([around(0, "100"), around(5, "100")], trades, p)[1]
    assert last["vpin_bulk"] == pytest.approx(abs(2 * buys / 10 - 1), abs=2e-5)
    assert last["vpin_aggressor"] is None


def test_example_kyle_on_trades() -> None:
    p = FlowParameters(kyle_rows=4)
    mids = [Fraction(100)]
    for change in (".03", "-.01", ".05", "-.03"):
        mids.append(mids[-1] + Fraction(change))
    rows = [around(place, str(float(mid))) for place, mid in enumerate(mids)]
    trades = [trade(1 + i, 100, abs(q), q > 0) for i, q in enumerate((2, -1, 3, -2))]
    last = rows_of(rows, trades, p)[4]
    assert last["kyle_lambda_trades_300"] == pytest.approx(0.0152941, abs=5e-8)
    assert last["kyle_lambda_trades_r2_300"] == pytest.approx(0.994118, abs=5e-7)
    assert rows_of(rows, trades, FlowParameters())[4]["kyle_lambda_trades_300"] is None


def test_example_variances() -> None:
    mids = ("100", "100.1", "100.05", "100.2")
    last = rows_of([around(place, mid) for place, mid in enumerate(mids)])[3]
    assert last["realised_variance_60"] == pytest.approx(3.493013e-6, rel=2e-7)
    assert last["realised_volatility_60"] ** 2 == pytest.approx(1.081171e-6, rel=5e-7)
    assert last["bipower_variation_60"] == pytest.approx(1.960162e-6, rel=3e-7)


@pytest.fixture(scope="module")
def reference_bars(shared_data: Path) -> list[tuple[datetime, Fraction, int]]:
    """Time, close and volume of 1,000 published bars."""
    path = shared_data / "order_books" / "reference" / "dollar_bars_e_mini_2015-01.csv.gz"
    with gzip.open(path, "rt") as file:
        return [
            (datetime.fromisoformat(bar["date_time"]), Fraction(bar["close"]), int(bar["cum_vol"]))
            for bar in csv.DictReader(file)
        ]


def bars_as_market(bars: list[tuple[datetime, Fraction, int]]) -> tuple[list[Row], list[Trade]]:
    """A bar as one trade without a side at its close, and a book around it a second after."""
    rows = [around(10 * place + 1, str(float(close))) for place, (_, close, _) in enumerate(bars)]
    trades = [trade(10 * place, close, volume) for place, (_, close, volume) in enumerate(bars)]
    return rows, trades


def test_published_vpin(reference_bars: list[tuple[datetime, Fraction, int]]) -> None:
    """Each bar is a bucket: a bucket's imbalance does not depend on how many trades it has."""
    rows, trades = bars_as_market(reference_bars)
    trades = [Trade(one.time, one.price, Fraction(1)) for one in trades]
    p = FlowParameters(bucket_volume=1, vpin_buckets=1, sigma_buckets=20)
    found = [one["vpin_bulk"] for one in rows_of(rows, trades, p)]
    known = [value for value in found if value is not None]
    assert max(known) == pytest.approx(0.999, abs=1e-3)
    assert statistics.mean(known) == pytest.approx(0.501, abs=1e-3)
    assert found[25] == pytest.approx(0.554, abs=1e-3)


def test_published_kyle(reference_bars: list[tuple[datetime, Fraction, int]]) -> None:
    """Another Kyle's lambda, from our columns: it checks the tick rule and the changes of mid."""
    rows, trades = bars_as_market(reference_bars)
    found = rows_of(rows, trades)
    ratios: list[float | None] = [None]
    for before, now in pairwise(found):
        flow = None if now["buy_volume"] is None else now["buy_volume"] - now["sell_volume"]
        change = now["mid_velocity"] * 10
        assert before["is_valid"]
        ratios.append(None if flow is None else change / flow)
    lambdas = {}
    for place in range(20, len(ratios)):
        window = [ratio for ratio in ratios[place - 19 : place + 1] if ratio is not None]
        lambdas[place] = statistics.mean(window)
    assert max(lambdas.values()) == pytest.approx(1.63423e-4, abs=1e-9)
    assert statistics.mean(lambdas.values()) == pytest.approx(7.02e-5, abs=5e-8)
    assert lambdas[25] == pytest.approx(7.76e-5, abs=5e-8)


# Edges.


def test_the_first_row_has_no_past() -> None:
    [only] = rows_of([row(5, "100 1", "101 3", shapes=(1.0, 2.0, 3.0), near=4.0)])
    assert (only["is_reset"], only["is_stale"]) == (True, None)
    known = {name: only[name] for name in names_of(SMALL) if only[name] is not None}
    alone: Values = {f"mean_spread_{h}": pytest.approx(1 / 100.5) for h in SMALL.windows}
    alone |= {f"mean_imbalance_1_{h}": -0.5 for h in SMALL.windows}
    assert known == alone | {
        "is_reset": True,
        "bid_slope_mean_60": 1,
        "ask_slope_mean_60": 2,
        "cog_momentum_mean_60": 3,
        "spread_percentile_300": 0.5,
        "spread_regime": "normal",
    }


def test_a_row_in_doubt_has_no_past() -> None:
    books = [("100 1", "101 1")] * 2

    def second(time: float = 1, **more: Any) -> Values:
        return rows_of([row(0, *books[0]), row(time, *books[1], **more)])[1]

    assert second()["order_flow_imbalance"] == 0
    assert second(300)["is_stale"] is False
    for doubtful, reset, stale in (
        (second(is_snapshot=True), True, False),
        (second(stream="another"), True, False),
        (second(300.000001), False, True),
        (second(301, is_snapshot=True), True, True),
    ):
        assert (doubtful["is_reset"], doubtful["is_stale"]) == (reset, stale)
        for name in ("log_return", "mid_velocity", "order_flow_imbalance", "trade_count"):
            assert doubtful[name] is None
        assert doubtful["multi_level_order_flow_imbalance"] is None
        assert doubtful["order_flow_imbalance_sum_900"] is None
        assert doubtful["trade_volume_900"] is None
        assert doubtful["mean_spread_5"] is not None


def test_an_invalid_row_breaks_the_flow() -> None:
    """A snapshot that cannot be used, too: the book between is not known."""
    rows = [around(0, "100"), around(1, "100", is_valid=False), around(2, "100"), around(3, "101")]
    found = rows_of(rows)
    assert all(found[1][name] is None for name in names_of(SMALL))
    assert [one["is_reset"] for one in found] == [True, None, True, False]
    assert found[3]["order_flow_imbalance"] == 2


def test_a_late_row_changes_nothing() -> None:
    """Whatever it says, and wherever a run ends."""
    rows, trades = random_market(8, 120)
    late = [
        replace(one, is_late=True, stream="another", is_snapshot=place % 3 == 0)
        for place, one in enumerate(random_market(9, 120)[0])
    ]
    both = [one for pair in zip(rows, late, strict=True) for one in pair]
    arrivals = [2 * one.time + 1 for one in both]
    books = books_table(both, arrival=arrivals)
    flow = OrderFlow(None, SMALL)
    table = pa.Table.from_batches(flow.features([books], [trades_table(trades)]))
    own = table.take(list(range(0, len(both), 2)))
    expected = computed(books_table(rows), trades_table(trades))
    assert_same_bits(own.drop(["book_number"]), expected.drop(["book_number"]))
    for name in names_of(SMALL):
        assert table.filter(table["is_late"])[name].null_count == len(late)
    kept = sum(one.is_late for one in rows)
    assert flow.states()["late_books"].to_pylist() == [kept + len(late)]
    assert_same_bits(in_runs(both, trades, list(range(0, 240, 7)), SMALL), table)


def test_windows_end_where_they_say() -> None:
    """The row exactly h old is out, one a microsecond younger is in; the row itself is in."""
    rows = [around(time, "100") for time in (0, 1, 1.000001, 6)]
    rows[0].asks = [(Fraction(200), Fraction(1))]
    rows[1].asks = [(Fraction(300), Fraction(1))]
    found = rows_of(rows)
    expected = (rows[2].spread + rows[3].spread) / 2
    assert found[3]["mean_spread_5"] == pytest.approx(expected)


def test_equal_times_are_seen_in_their_order() -> None:
    found = rows_of([around(0, "100"), around(1, "100"), around(1, "101"), around(1, "102")])
    assert [one["order_flow_imbalance_sum_5"] for one in found] == [None, 0, 2, 4]
    assert [one["mid_velocity"] for one in found] == [None, 0, None, None]
    assert found[2]["log_return"] == pytest.approx(math.log(1.01))


def test_time_that_goes_back() -> None:
    """Windows follow the time, what compares with the row before follows the order."""
    found = rows_of([around(time, mid) for time, mid in ((0, "100"), (10, "101"), (3, "102"))])
    assert found[2]["order_flow_imbalance"] == 2
    assert found[2]["mid_velocity"] is None
    assert found[2]["order_flow_imbalance_sum_5"] == 2  # the row at 10 s is later
    assert found[2]["order_flow_imbalance_sum_15"] == 2
    far = rows_of([around(time, "100") for time in (0, 100, 39.999999, 40)])
    assert far[2]["mean_spread_900"] is None
    assert far[2]["order_flow_imbalance"] == 0
    assert far[3]["mean_spread_900"] is not None


def test_levels_that_are_not_there() -> None:
    found = rows_of([row(0, "100 5, 99 3", "101 4"), row(1, "100 7, 99 9", "101 1, 102 8")])[1]
    assert found["order_flow_imbalance"] == 2 + 3
    assert found["order_flow_imbalance_level_1"] is None
    expected = 5 + math.exp(-0.5) * 6  # the bids of level 1 count, the asks do not
    assert found["multi_level_order_flow_imbalance"] == pytest.approx(expected)


def test_nothing_traded_is_a_volume_of_0_and_no_imbalance() -> None:
    quiet = rows_of([around(0, "100"), around(1, "100")], [trade(0, 100, 1, True)])[1]
    assert (quiet["trade_count"], quiet["buy_volume"], quiet["sell_volume"]) == (0, 0, 0)
    assert quiet["trade_flow_imbalance"] is None
    assert quiet["trade_volume_5"] == 0
    assert quiet["trade_flow_imbalance_5"] is None
    assert quiet["vpin_aggressor"] is None


def test_before_the_first_trade_nobody_knows_of_trades() -> None:
    rows = [around(time, "100") for time in range(4)]
    found = rows_of(rows, [trade(2, 100, 1, True, is_backfill=True), trade(3, 100, 1, True)])
    assert [one["trade_count"] for one in found] == [None, None, 0, 1]
    assert [one["trade_volume_5"] for one in found] == [None, None, 0, 1]
    assert [one["buy_volume"] for one in found] == [None, None, 0, 1]


def test_a_trade_told_long_after_it_was_made_is_no_flow() -> None:
    """As after a reconnect, or of a segment that came late; it is counted as such."""
    flow = OrderFlow(None, FlowParameters(bucket_volume=10))
    told = [around(0, "100").time, SECOND * 1000, SECOND * 1000]
    trades = trades_table(
        [trade(0, 100, 1, True), trade(700, 100, 2, True), trade(699, 100, 4, True)],
        told_at=told,
        arrival=[2 * time for time in told],
    )
    rows = books_table([around(time, "100") for time in (0, 200, 400, 600, 800, 1000)])
    found = pa.Table.from_batches(flow.features([rows], [trades])).to_pylist()
    assert [one["trade_count"] for one in found] == [None, 0, 0, 0, 0, 1]
    assert found[-1]["buy_volume"] == 2
    assert flow.states()["late_trades"].to_pylist() == [1]


def test_a_wrong_time_of_telling_hides_no_other_trade() -> None:
    """The recorder's clock was an hour ahead for one trade, the first or another."""
    rows = books_table([around(time, "100") for time in range(6)])
    for wrong in (0, 2):
        told = [SECOND * (place + 3600 * (place == wrong)) for place in range(5)]
        trades = [trade(place, 100, 2**place, True, told=told[place]) for place in range(5)]
        flow = OrderFlow(None, FlowParameters(bucket_volume=100))
        parts = [
            *flow.features([rows.slice(0, 4)], [trades_table(trades[:3])]),
            *flow.features([rows.slice(4)], [trades_table(trades[3:], first=3)]),
        ]
        found = pa.Table.from_batches(parts).to_pylist()
        buys = [None, 2, 4, 0, 24, 0] if wrong == 0 else [None, 2, 0, 0, 24, 0]
        assert [one["buy_volume"] for one in found] == buys
        [state] = flow.states().to_pylist()
        assert state["late_trades"] == 1
        assert state["told_to"] == datetime(1970, 1, 1, 0, 0, 4)
        assert state["arrived_to"] == 2 * 4 * SECOND


def test_what_arrives_with_a_row_is_not_known_at_the_row() -> None:
    flow = OrderFlow(None, SMALL)
    rows = books_table([around(time, "100") for time in (0, 1, 2)], arrival=[5, 6, 7])
    trades = trades_table([trade(0, 100, 1, True)] * 3, arrival=[4, 6, 6])
    [batch] = flow.features([rows], [trades])
    assert batch["trade_count"].to_pylist() == [None, 0, 2]


@pytest.mark.parametrize("groups", [(), ("dynamic",), ("rolling",), ("advanced",)])
def test_an_unwanted_group_is_null_and_the_others_are_the_same(groups: tuple[Any, ...]) -> None:
    rows, trades = random_market(3, 50)
    books, told = books_table(rows), trades_table(trades)
    whole = computed(books, told)
    part = computed(books, told, replace(SMALL, groups=groups))
    for feature in flow_features(SMALL):
        if feature.group in groups:
            assert_same_bits(part.select([feature.name]), whole.select([feature.name]))
        else:
            assert part[feature.name].null_count == part.num_rows
    kept = in_runs(rows, trades, [10, 30], replace(SMALL, groups=groups))
    assert_same_bits(kept, part)


def test_prices_finer_than_a_hundred_millionth() -> None:
    """PEPE/USDT, whose bid and ask are one of its ticks of 1e-9 apart."""
    rows = [
        row(0, "0.000012341 5", "0.000012342 4"),
        row(1, "0.000012343 5", "0.000012344 4"),
        row(2, "0.0099999985 5", "0.0099999995 4"),
        row(3, "0.010000001 5", "0.010000002 4"),
    ]
    trades = [trade(1, "0.000012343", 1), trade(3, "0.000012344", 2)]
    found = rows_of(rows, trades)
    assert found[1]["log_return"] == pytest.approx(math.log(12343.5 / 12341.5), rel=1e-12)
    assert found[1]["mid_velocity"] == 0.000000002
    assert found[3]["mid_velocity"] == pytest.approx(0.0000000025, rel=1e-12)
    assert found[3]["buy_volume"] == 2  # by the tick rule


def test_a_side_is_told_by_the_tick_rule() -> None:
    rows = [around(time, "100") for time in range(5)]
    trades = [trade(1, 100, 1), trade(2, 101, 2), trade(3, 101, 4), trade(4, 100, 8)]
    found = rows_of(rows, trades)
    assert [one["buy_volume"] for one in found] == [None, None, 2, 4, 0]
    assert [one["sell_volume"] for one in found] == [None, None, 0, 0, 8]
    assert [one["trade_count"] for one in found[1:]] == [1, 1, 1, 1]
    assert found[4]["trade_volume_15"] == 15
    assert found[4]["vpin_aggressor"] is None


def test_sizes_of_zero() -> None:
    last = rows_of([row(0, "100 0", "101 0"), row(1, "100 0", "101 0")])[1]
    assert last["order_flow_imbalance"] == 0
    assert last["normalised_order_flow_imbalance"] is None
    assert last["mean_imbalance_1_5"] is None


def test_history_and_what_is_no_trade_is_left_out() -> None:
    trades = [trade(0.5, 100, 1, True, is_backfill=True), *[trade(0.6, 100, 1, True)] * 5]
    table = trades_table(
        trades,
        price=[100, None, float("nan"), -1, 100, 100],
        size=[1, 1, 1, 1, float("inf"), 0],
    )
    [_, last] = computed(books_table([around(0, "100"), around(1, "100")]), table).to_pylist()
    assert (last["trade_count"], last["buy_volume"]) == (0, 0)
    assert last["vpin_bucket"] is None


@pytest.mark.parametrize(
    "columns",
    [
        {"best_bid_price": [100.0, float("nan")]},
        {"best_ask_price": [101.0, float("inf")]},
        {"best_bid_price": [100.0, 102.0]},
        {"best_ask_size": [1.0, None]},
        {"best_ask_size": [1.0, -1.0]},
        {"booked_at": [0, None]},
        {"is_valid": [True, None]},
    ],
)
def test_what_is_not_a_book_has_no_features(columns: Values) -> None:
    table = books_table([around(0, "100"), around(1, "100")], **columns)
    last = computed(table).to_pylist()[1]
    assert last["is_valid"] is False
    assert all(last[name] is None for name in names_of(SMALL))


def test_nan_in_a_column_counts_as_null() -> None:
    wild = [1.0, float("nan"), float("inf")]
    columns: Values = dict.fromkeys((*SHAPES, "relative_spread", "imbalance_1"), wild)
    rows = [around(time, "100") for time in range(3)]
    last = computed(books_table(rows, **columns)).to_pylist()[2]
    assert last["mean_spread_5"] == last["bid_slope_mean_60"] == last["mean_imbalance_1_5"] == 1
    assert last["bid_slope_std_60"] is None
    assert last["spread_percentile_300"] is None
    assert last["spread_regime"] is None


@pytest.mark.parametrize(
    ("price", "size"), [("1e12", "1e-8"), ("1e-6", "1e-8"), ("1e12", "1e12"), ("1e-6", "1e12")]
)
def test_prices_and_sizes_from_the_least_to_the_largest(price: str, size: str) -> None:
    p, q = Fraction(price), Fraction(size)
    rows = [
        Row(place * SECOND, [(p * (100 + place) / 100, q * place)], [(2 * p, q)])
        for place in range(4)
    ]
    trades = [trade(1 + place, p, min(q, 10**12), True) for place in range(3)]
    parameters = FlowParameters(bucket_volume=1e-8, vpin_buckets=2, kyle_rows=2)
    table = computed(books_table(rows), trades_table(trades), parameters)
    last = table.to_pylist()[3]
    assert last["order_flow_imbalance"] == pytest.approx(float(3 * q), rel=1e-15)
    assert last["order_flow_imbalance_sum_5"] == pytest.approx(float(6 * q), rel=1e-15)
    assert last["log_return"] == pytest.approx(math.log(float(rows[3].mid / rows[2].mid)), rel=1e-9)
    assert last["vpin_aggressor"] == 1
    assert last["vpin_bucket"] == (3 if q < 1 else None)  # 3e20 buckets are past counting
    for name in names_of(parameters):
        if pa.types.is_floating(table[name].type):
            values = table[name].drop_null().to_numpy()
            assert np.isfinite(values).all(), name
            assert not np.signbit(values[values == 0]).any(), name


def test_the_volume_of_a_bucket_is_a_share_of_a_day() -> None:
    """The first day has no beginning: the second is the first that counts."""
    p = FlowParameters(bucket_share=1 / 4)
    days = [(0.9, 5), (1.1, 4), (1.9, 4), (2.1, 1), (2.2, 1)]
    trades = [trade(day * 86_400, 100, size, True) for day, size in days]
    rows = [around(day * 86_400, "100") for day, _ in days]
    found = rows_of(rows, trades, p)
    assert [one["vpin_bucket"] for one in found] == [None, None, None, 0, 1]
    assert [one["bucket_fill"] for one in found[3:]] == [0.5, 0]


def test_a_symbol_may_have_a_bucket_of_its_own() -> None:
    p = FlowParameters(bucket_volume=1, bucket_volumes=(("coinbase", "BTC-USD", 4),))
    last = rows_of([around(0, "100"), around(1, "100")], [trade(1, 100, 3, True)], p)[1]
    assert last["bucket_fill"] == 0.75


def test_no_books_no_features() -> None:
    flow = OrderFlow()
    assert list(flow.features([BOOKS_SCHEMA.empty_table()], [TRADES_SCHEMA.empty_table()])) == []
    assert flow.states().schema == STATES_SCHEMA
    assert flow.states().num_rows == 0
    assert order_flow_features_reader(flow, []).read_all().schema == features_schema()


def test_trades_wait_for_books() -> None:
    flow = OrderFlow(None, SMALL)
    assert list(flow.features([], [trades_table([trade(1, 100, 1, True)])])) == []
    [state] = flow.states().to_pylist()
    assert state["pending_trades"] == [
        {
            "arrival": 2 * SECOND,
            "told_at": datetime(1970, 1, 1, 0, 0, 1),
            "price": 100.0,
            "lots": 1e8,
            "sign": 1,
        }
    ]
    flow = OrderFlow(through_duckdb(flow.states()), SMALL)
    [batch] = flow.features([books_table([around(0, "100"), around(1, "100")])])
    assert batch["trade_count"].to_pylist() == [None, 1]


def test_trades_are_read_as_far_as_they_are_needed() -> None:
    handed_over = 0

    def trades() -> Iterator[pa.Table]:
        nonlocal handed_over
        for place in range(10):
            handed_over += 1
            yield trades_table([trade(place + 0.5, 100, 1, True)], first=place)

    features = OrderFlow(None, SMALL).features(
        books_table([around(time, "100") for time in range(4)]).to_batches(max_chunksize=1),
        trades(),
    )
    counts = [next(features)["trade_count"][0].as_py() for _ in range(3)]
    assert counts == [None, 1, 1]
    assert handed_over == 3


@pytest.mark.parametrize("numbers", [[0, 0], [4, 3]])
def test_numbers_must_ascend(numbers: list[int]) -> None:
    books = books_table([around(0, "100"), around(1, "100")], book_number=numbers)
    with pytest.raises(ValueError, match=r"book_number of coinbase BTC-USD is . after .:"):
        computed(books)
    trades = trades_table([trade(0, 100, 1)] * 2, trade_number=numbers)
    with pytest.raises(ValueError, match=r"trade_number of coinbase BTC-USD is . after .:"):
        computed(books_table([around(0, "100")]), trades)
    flow = OrderFlow(None, SMALL)
    list(flow.features([books_table([around(0, "100")], first=2)]))
    with pytest.raises(ValueError, match=r"is 3 after 6:"):
        list(OrderFlow(flow.states(), SMALL).features([books_table([around(0, "1")], first=1)]))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"order books have no column bid_slope, asks\."):
        computed(books_table([around(0, "100")]).drop_columns(["bid_slope", "asks"]))
    with pytest.raises(ValueError, match=r"trades have no column is_buy\."):
        computed(
            books_table([around(0, "100")]), TRADES_SCHEMA.empty_table().drop_columns("is_buy")
        )


def test_a_state_of_other_parameters_is_refused() -> None:
    flow = OrderFlow(None, SMALL)
    list(flow.features([books_table([around(0, "100")])]))
    with pytest.raises(ValueError, match="of other parameters"):
        OrderFlow(flow.states())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("windows", (5, 5)),
        ("windows", (0,)),
        ("shape_window", 0),
        ("levels", 0),
        ("level_decay", float("nan")),
        ("kyle_rows", 1),
        ("tight", 0.9),
        ("bucket_volume", 0),
        ("bucket_volumes", (("coinbase", "BTC-USD", float("inf")),)),
        ("bucket_share", 0),
        ("sigma_buckets", 1),
    ],
)
def test_impossible_parameters_are_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} is "):
        FlowParameters(**{name: value})


def test_every_column_says_what_it_is() -> None:
    features = flow_features()
    names = [feature.name for feature in features]
    assert len(set(names)) == len(names)
    assert features_schema().names == [*(f.name for f in IDENTITY_FIELDS), *names]
    for feature in features:
        assert feature.unit
        assert "Null when is_valid is false or is_late is true" in feature.description()
        assert "{}" not in feature.description()


def test_a_state_grows_with_the_window_and_not_with_the_stream() -> None:
    flow = OrderFlow(None, SMALL)
    list(flow.features([books_table([around(10 * place, "100") for place in range(1_000)])]))
    assert len(flow.states()["window_rows"][0]) == (900 + 60) // 10


# Others' code


def test_wickra_computes_the_same() -> None:
    """Order flow, microprice, VPIN, Kyle's lambda on trades, trade flow, realised volatility."""
    wickra = pytest.importorskip("wickra")
    rows, trades = random_market(21, 300)
    rows = [
        replace(
            one,
            time=SECOND * place,
            is_valid=True,
            is_snapshot=False,
            is_late=False,
            stream="level2",
        )
        for place, one in enumerate(rows)
    ]
    rows = [one for one in rows if one.bids[0][0] < one.asks[0][0]]
    trades = [
        replace(one, time=SECOND * place, is_buy=place % 3 == 0, is_backfill=False, told=None)
        for place, one in enumerate(trades)
        if one.size > 0
    ]
    p = FlowParameters(windows=(3,), bucket_volume=0.5, vpin_buckets=3)
    found = rows_of(rows, trades, p)

    flow = wickra.OrderFlowImbalance(1)
    for one, got in zip(rows, found, strict=True):
        (bid, bid_size), (ask, ask_size) = one.bids[0], one.asks[0]
        sides = [[float(value)] for value in (bid, bid_size, ask, ask_size)]
        expected = flow.update(*sides)
        if expected is not None:
            assert got["order_flow_imbalance"] == pytest.approx(expected, rel=1e-9, abs=1e-9)

    clock = wickra.Vpin(0.5, 3)
    per_trade = [clock.update(float(t.price), float(t.size), t.is_buy) for t in trades]
    counts = [sum(t.time <= one.time for t in trades) for one in rows]
    compared = 0
    for count, got in zip(counts, found, strict=True):
        expected = per_trade[count - 1] if count else None
        if expected is not None and got["vpin_aggressor"] is not None:
            assert got["vpin_aggressor"] == pytest.approx(expected, rel=1e-9)
            compared += 1
    assert compared > 20

    volatility = wickra.RealizedVolatility(3)
    for one, got in zip(rows, found, strict=True):
        expected = volatility.update(float(one.mid))
        if expected is not None and got["realised_variance_3"] is not None:
            assert math.sqrt(got["realised_variance_3"]) == pytest.approx(expected, rel=1e-9)


def test_wickra_answers_the_worked_examples() -> None:
    wickra = pytest.importorskip("wickra")
    kyle = wickra.KylesLambda(4)
    signed, mids = (2, 2, -1, 3, -2), (100, 100.03, 100.02, 100.07, 100.04)
    for size, mid in zip(signed, mids, strict=True):
        slope = kyle.update(100.0, float(abs(size)), size > 0, mid)
    assert slope == pytest.approx(0.0152941, abs=1e-7)
    assert wickra.Microprice().update([100.0], [9.0], [100.1], [3.0]) == pytest.approx(100.075)
    imbalance = wickra.TradeImbalance(3)
    trade_flow = [imbalance.update(100.0, *one) for one in ((3.0, True), (4.0, False), (8.0, True))]
    assert trade_flow[-1] == pytest.approx(0.466667, abs=1e-6)
