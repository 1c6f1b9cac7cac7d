"""The structural order-book features against a plain slow twin, worked examples and bad books."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_models.batches import read_ahead
from python_models.kernels.lent_memory import LentMemory
from python_models.kernels.order_book_feature_docs import IDENTITY_COLUMNS, PATH, features_yaml
from python_models.kernels.order_book_feature_table import (
    FeatureParameters,
    structural_features,
)
from python_models.kernels.order_book_features import (
    BOOKS_SCHEMA,
    IDENTITY_FIELDS,
    features_schema,
    order_book_features,
    order_book_features_reader,
)
from python_models.silver.order_books import order_book_features as dbt_model

Level = tuple[Fraction, Fraction]  # price, size
Book = tuple[list[Level], list[Level]]  # bids, asks
Values = dict[str, Any]

# The book that FEATURES' worked examples share; mid 100.05.
EXAMPLE: Book = (
    [(Fraction(p), Fraction(q)) for p, q in (("100", 1), ("99.95", 2), ("99.80", 4), ("98", 10))],
    [(Fraction(p), Fraction(q)) for p, q in (("100.1", 2), ("100.3", 1), ("101.5", 5))],
)


def book(bids: str, asks: str) -> Book:
    """Read "price size, price size, …" a side."""

    def levels(text: str) -> list[Level]:
        pairs = [level.split() for level in text.split(",") if level.strip()]
        return [(Fraction(price), Fraction(size)) for price, size in pairs]

    return levels(bids), levels(asks)


# The twin: every feature as its definition reads, exact until the last division.


def plain_features(
    book: Book, counts: tuple[int, int], parameters: FeatureParameters | None = None
) -> Values:
    """Every structural feature of a valid book, None where it is not defined."""
    parameters = parameters or FeatureParameters()
    bids, asks = book
    mid = (bids[0][0] + asks[0][0]) / 2
    spread = asks[0][0] - bids[0][0]
    best_sizes = bids[0][1] + asks[0][1]
    values: Values = {
        "best_bid_price": bids[0][0],
        "best_ask_price": asks[0][0],
        "best_bid_size": bids[0][1],
        "best_ask_size": asks[0][1],
        "mid_price": mid,
        "spread": spread,
        "relative_spread": spread / mid,
        "spread_bps": 10_000 * spread / mid,
        "microprice": divide(bids[0][0] * asks[0][1] + asks[0][0] * bids[0][1], best_sizes),
        "book_pressure": imbalance(
            *(sum(q / (1 + i) for i, (_, q) in enumerate(side)) for side in book)
        ),
    }
    microprice = values["microprice"]
    values["micro_minus_mid"] = None if microprice is None else microprice - mid
    for depth in (*parameters.depths, None):
        label = "all" if depth is None else str(depth)
        depths = [best(side, depth, lambda p, q: q) for side in book]
        values[f"bid_depth_{label}"], values[f"ask_depth_{label}"] = depths
        values[f"imbalance_{label}"] = imbalance(*depths)
        for name, side in zip(("bid", "ask"), book, strict=True):
            values[f"{name}_notional_{label}"] = best(side, depth, lambda p, q: p * q)
    for low, high in parameters.bands():
        volumes = [plain_band(side, mid, low, high) for side in book]
        values[f"bid_volume_band_{low}_{high}_bps"] = volumes[0]
        values[f"ask_volume_band_{low}_{high}_bps"] = volumes[1]
        values[f"imbalance_band_{low}_{high}_bps"] = imbalance(*volumes)
        values[f"depth_complete_{high}"] = all(bps(side[-1][0], mid) > high for side in book)
    for notional in parameters.notionals:
        label = f"{notional:.12g}".replace(".", "_")
        values[f"slippage_buy_bps_{label}"] = plain_slippage(asks, mid, Fraction(notional), 1)
        values[f"slippage_sell_bps_{label}"] = plain_slippage(bids, mid, Fraction(notional), -1)
    smart = [
        sum(float(q) * math.exp(-parameters.smart_decay * i) for i, (_, q) in enumerate(side))
        for side in book
    ]
    values["smart_bid_depth"], values["smart_ask_depth"] = smart
    values["smart_depth_imbalance"] = imbalance(*smart)
    for name, side, count in zip(("bid", "ask"), book, counts, strict=True):
        for feature, value in plain_side(side, mid, count, parameters).items():
            values[f"{name}_{feature}"] = value
    sizes, worth = (sum(f(p, q) for side in book for p, q in side) for f in (size_of, worth_of))
    values["center_of_gravity"] = center = divide(worth, sizes)
    values["cog_vs_mid"] = None if center is None else 10_000 * (center - mid) / mid
    values["amihud_proxy"] = divide(spread, sizes)
    best_5 = [best(side, 5, size_of) for side in book]
    values["lambda_proxy"] = (
        None if None in best_5 else divide(float(spread / mid), math.log1p(sum(best_5)))
    )
    return values


def plain_side(
    side: list[Level], mid: Fraction, count: int, parameters: FeatureParameters
) -> Values:
    """The features that one side has alone, without "bid_" or "ask_"."""
    sizes = [q for _, q in side]
    total, levels = sum(sizes), len(side)
    distances = [bps(p, mid) for p, _ in side]
    so_far = [sum(sizes[: i + 1], Fraction(0)) for i in range(levels)]
    gaps = [abs(side[i][0] - side[i + 1][0]) for i in range(levels - 1)]
    above_0 = [(x, Fraction(math.log(q))) for x, q in zip(distances, sizes, strict=True) if q > 0]
    fitted = parameters.slope_levels
    decay = plain_slope(above_0) if len(above_0) >= 3 else None
    center = divide(sum(p * q for p, q in side), total)
    short = side[: parameters.vwap_depth]
    values = {
        f"vwap_{parameters.vwap_depth}": divide(
            sum(p * q for p, q in short), sum(q for _, q in short)
        )
        if levels >= parameters.vwap_depth
        else None,
        "vwap_all": center,
        "slope": plain_slope(list(zip(distances, so_far, strict=True))[:fitted])
        if levels >= fitted
        else None,
        "decay_rate": None if decay is None else -decay,
        "depth_decay_5": divide(sizes[4], sizes[0]) if levels >= 5 else None,
        "center_of_gravity": center,
        "mean_gap_bps": 10_000 * sum(gaps) / len(gaps) / mid if gaps else None,
        "level_count": count,
    }
    if total == 0:
        shapes = ("concentration", "gini", "half_depth_level", "wall_level", "wall_share")
        return values | dict.fromkeys(shapes)
    return values | {
        "concentration": sum((q / total) ** 2 for q in sizes),
        "gini": sum(abs(a - b) for a in sizes for b in sizes) / (2 * levels * total),
        "half_depth_level": min(i for i in range(levels) if so_far[i] >= total / 2),
        "wall_level": sizes.index(max(sizes)),
        "wall_share": max(sizes) / total,
    }


def size_of(_price: Fraction, size: Fraction) -> Fraction:
    return size


def worth_of(price: Fraction, size: Fraction) -> Fraction:
    return price * size


def divide(numerator: Any, denominator: Any) -> Any:
    return None if denominator == 0 else numerator / denominator


def imbalance(bid: Any, ask: Any) -> Any:
    return None if bid is None or ask is None else divide(bid - ask, bid + ask)


def bps(price: Fraction, mid: Fraction) -> Fraction:
    return 10_000 * abs(price - mid) / mid


def best(side: list[Level], depth: int | None, amount: Any) -> Any:
    """Sum an amount over the best levels; None of them: all."""
    if depth is not None and len(side) < depth:
        return None
    return sum(amount(p, q) for p, q in side[:depth])


def plain_band(side: list[Level], mid: Fraction, low: int, high: int) -> Any:
    if low and bps(side[-1][0], mid) <= low:
        return None
    inside = [q for p, q in side if bps(p, mid) <= high and (bps(p, mid) > low or low == 0)]
    return sum(inside)


def plain_slippage(side: list[Level], mid: Fraction, notional: Fraction, sign: int) -> Any:
    bought, left = Fraction(0), notional
    for price, size in side:
        taken = min(size, left / price)
        bought += taken
        left -= taken * price
        if left == 0:
            return sign * 10_000 * (notional / bought - mid) / mid
    return None


def plain_slope(points: list[tuple[Fraction, Fraction]]) -> Any:
    x_mean = sum(x for x, _ in points) / Fraction(len(points))
    y_mean = sum(y for _, y in points) / Fraction(len(points))
    return divide(
        sum((x - x_mean) * (y - y_mean) for x, y in points),
        sum((x - x_mean) ** 2 for x, _ in points),
    )


# Between plain books and Arrow.


def books_table(books: list[Any], **columns: list[Any]) -> pa.Table:
    """Books as ``BOOKS_SCHEMA``; the levels may be Fractions, floats or None."""

    def side(levels: Any) -> Any:
        if levels is None:
            return None
        return [
            level
            and {
                name: None if value is None else float(value)
                for name, value in zip(("price", "size"), level, strict=True)
            }
            for level in levels
        ]

    rows = len(books)
    data: dict[str, list[Any]] = {
        "exchange": ["exchange"] * rows,
        "symbol": ["BTC-USD"] * rows,
        "source": ["replayed"] * rows,
        "stream": ["level2"] * rows,
        "book_number": list(range(1, rows + 1)),
        "booked_at": [1_000_000 * row for row in range(rows)],
        "is_valid": [True] * rows,
        "is_snapshot": [False] * rows,
        "is_late": [False] * rows,
        "bids": [side(bids) for bids, _ in books],
        "asks": [side(asks) for _, asks in books],
        "bid_level_count": [len(bids or []) + 7 for bids, _ in books],
        "ask_level_count": [len(asks or []) for _, asks in books],
        **columns,
    }
    return pa.table(
        [pa.array(data[field.name], field.type) for field in BOOKS_SCHEMA], schema=BOOKS_SCHEMA
    )


def computed(table: pa.Table, parameters: FeatureParameters | None = None) -> pa.Table:
    """The features of a table of books."""
    parameters = parameters or FeatureParameters()
    return pa.Table.from_batches(
        order_book_features([table], parameters), features_schema(parameters)
    )


def exact_levels(levels: list[dict[str, float]]) -> list[Level]:
    """The decimals of at most 8 places that the doubles stand for."""
    return [
        (Fraction(round(level["price"] * 1e8), 10**8), Fraction(round(level["size"] * 1e8), 10**8))
        for level in levels
    ]


def features_of(plain: Any, parameters: FeatureParameters | None = None) -> Values:
    """The row of one book."""
    row: Values = computed(books_table([plain]), parameters).to_pylist()[0]
    return row


def assert_same(found: Values, expected: Values, plain: Book) -> None:
    """Compare a row with the twin's, each feature to about the last digits that doubles have."""
    mid = float(expected["mid_price"])
    noise = {"spread": 1e-9 * mid, "micro_minus_mid": 1e-12 * mid}
    for name, side in zip(("bid", "ask"), plain, strict=True):
        span = float(abs(side[0][0] - side[-1][0])) / mid * 10_000
        noise[f"{name}_decay_rate"] = 1e-11 / span if span else 0
    for feature, value in expected.items():
        got = found[feature]
        if value is None or isinstance(value, bool):
            assert got is value, (feature, got, value)
        else:
            assert got is not None, (feature, value)
            is_bps = "bps" in feature or feature == "cog_vs_mid"
            absolute = noise.get(feature, 1e-10 if is_bps else 1e-13)
            close = math.isclose(got, value, rel_tol=1e-9, abs_tol=absolute)
            assert close, (feature, got, float(value))


UNIT = Fraction(1, 10**8)


@st.composite
def random_sides(draw: st.DrawFn) -> Book:
    """A book on a grid of ticks from 1e-8 to 1e4, of 0 to 30 levels a side."""
    tick = UNIT * 10 ** draw(st.sampled_from([0, 0, 2, 6, 6, 8, 12]))
    best_bid = draw(
        st.sampled_from([1, 2, 1_000, 19_990, 100_000, 999_999]) | st.integers(1, 10**6)
    )
    steps = st.sampled_from([1, 1, 1, 2, 5, 40]) | st.integers(1, 10_000)
    sizes = draw(
        st.sampled_from(
            [
                st.just(10**8),  # equal
                st.just(0),
                st.integers(0, 10**6).map(lambda size: size * 10**4),
                st.integers(1, 10**6).map(lambda size: size * 10**12),  # up to 1e10
                st.tuples(st.integers(0, 10**5), st.sampled_from([0, 9])).map(
                    lambda parts: parts[0] * 10 ** parts[1]
                ),
            ]
        )
    )
    sides: Book = ([], [])
    spread = draw(steps)
    for side, sign in zip(sides, (-1, 1), strict=True):
        price = best_bid + (spread if sign == 1 else 0)
        for _ in range(draw(st.sampled_from([0, 1, 2, 3, 4, 5, 10, 20, 30]) | st.integers(1, 30))):
            if price <= 0:
                break
            side.append((price * tick, draw(sizes) * UNIT))
            price += sign * draw(steps)
    return sides


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.lists(random_sides(), min_size=1, max_size=6))
def test_random_books_are_as_the_twin_says(books: list[Book]) -> None:
    rows = computed(books_table(books)).to_pylist()
    assert len(rows) == len(books)
    for row, plain in zip(rows, books, strict=True):
        bids, asks = plain
        assert row["is_valid"] is bool(bids and asks)
        if row["is_valid"]:
            expected = plain_features(plain, (len(bids) + 7, len(asks)))
            assert expected.keys() == {feature.name for feature in structural_features()}
            assert_same(row, expected, plain)
        else:
            assert_no_features(row)


def assert_no_features(row: Values) -> None:
    assert row["is_valid"] is False
    assert {name: row[name] for name in row if name not in BOOKS_SCHEMA.names} == {
        feature.name: None
        for feature in structural_features()
        if feature.name not in BOOKS_SCHEMA.names
    }
    assert row["bid_level_count"] is None
    assert row["ask_level_count"] is None


wild_doubles = st.floats() | st.sampled_from([0.0, -0.0, 1e-8, 1e10, 1e12, 1e300, 5e-324])


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            *[st.none() | st.lists(st.none() | st.tuples(wild_doubles, wild_doubles), max_size=4)]
            * 2
        ),
        max_size=4,
    )
)
def test_whatever_comes_in_only_numbers_come_out(books: list[Any]) -> None:
    assert_only_numbers(computed(books_table(books)))


@settings(max_examples=100)
@given(
    st.lists(
        st.floats(1e-300, 1e300) | st.sampled_from([1e-8, 1e10, 1e12]),
        min_size=2,
        max_size=8,
        unique=True,
    ).map(sorted),
    st.data(),
)
def test_books_of_any_size_have_numbers(prices: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(prices) - 1))
    sizes = st.floats(0, 1e300) | st.sampled_from([-0.0, 1e-8, 1e10, 1e12])
    sides = [
        [(price, data.draw(sizes)) for price in side] for side in (prices[:cut][::-1], prices[cut:])
    ]
    out = computed(books_table([sides]))
    assert out["is_valid"][0].as_py() is (prices[cut] <= 2.0**51)
    assert_only_numbers(out)


def assert_only_numbers(table: pa.Table) -> None:
    for column in table.select([feature.name for feature in structural_features()]).columns:
        if pa.types.is_floating(column.type):
            values = column.drop_null().to_numpy()
            assert np.isfinite(values).all()
            assert not np.signbit(values[values == 0]).any()


# The worked examples.


def test_example_microprice() -> None:
    row = features_of(book("100 9", "100.1 3"))
    assert row["microprice"] == pytest.approx(100.075, abs=1e-12)
    assert row["micro_minus_mid"] == pytest.approx(0.025, abs=1e-15)
    assert row["spread"] == 0.1  # 100.1 − 100 is 0.0999… in doubles


def test_example_depth() -> None:
    row = features_of(EXAMPLE)
    cumulative = {}
    bid = ask = 0.0
    for low, high in FeatureParameters().bands():
        bid += row[f"bid_volume_band_{low}_{high}_bps"]
        ask += row[f"ask_volume_band_{low}_{high}_bps"]
        cumulative[high] = (bid, ask)
    assert cumulative == {5: (1, 2), 10: (3, 2), 25: (7, 3), 50: (7, 3), 100: (7, 3)}
    assert all(row[f"depth_complete_{high}"] for high in cumulative)


def test_example_fill() -> None:
    """Buy 2.5 at 100.14, sell 2.5 at 99.97: as notionals, 250.35 and 249.925; and too much."""
    row = features_of(EXAMPLE, FeatureParameters(notionals=(249.925, 250.35, 10_000)))

    def fill_price(way: str, label: str) -> float:
        sign = 1 if way == "buy" else -1
        return 100.05 * (1 + sign * float(row[f"slippage_{way}_bps_{label}"]) / 10_000)

    assert fill_price("buy", "250_35") == pytest.approx(100.14, abs=1e-10)
    assert fill_price("sell", "249_925") == pytest.approx(99.97, abs=1e-10)
    assert row["slippage_buy_bps_10000"] is None
    assert row["slippage_sell_bps_10000"] is None


def test_example_slope() -> None:
    row = features_of(EXAMPLE, FeatureParameters(slope_levels=3))
    assert row["bid_slope"] == pytest.approx(0.292454, abs=5e-7)
    assert row["ask_slope"] == pytest.approx(0.042463, abs=5e-7)


def test_example_book_as_a_whole() -> None:
    """Everything else of the same book, by hand."""
    row = features_of(EXAMPLE)
    expected = {
        "imbalance_1": (1 - 2) / 3,
        "imbalance_3": (7 - 8) / 15,
        "imbalance_all": (17 - 8) / 25,
        "bid_notional_3": 100 + 199.9 + 399.2,
        "ask_depth_all": 8,
        "book_pressure": (5.833333333333333 - 4.166666666666667) / 10,
        "bid_half_depth_level": 3,
        "ask_half_depth_level": 2,
        "bid_wall_level": 3,
        "bid_wall_share": 10 / 17,
        "bid_concentration": (1 + 4 + 16 + 100) / 289,
        "bid_gini": (1 * -3 + 2 * -1 + 4 * 1 + 10 * 3) / (4 * 17),
        "ask_center_of_gravity": (200.2 + 100.3 + 507.5) / 8,
        "amihud_proxy": 0.1 / 25,
        "bid_mean_gap_bps": 2 / 3 / 100.05 * 10_000,
        "bid_level_count": 11,
        "ask_level_count": 3,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    undefined = ("bid_depth_5", "imbalance_5", "bid_vwap_5", "bid_depth_decay_5", "lambda_proxy")
    assert [row[name] for name in (*undefined, "bid_slope", "ask_depth_10")] == [None] * 7


# Edges.


def test_a_level_on_the_edge_of_a_band_is_inside() -> None:
    for unit in ("1", "0.01", "0.00001", "1000"):
        one = Fraction(unit)
        # Mid 100000: 50 away is 5 bps; one smaller tick further is not.
        edge = [(n * one, Fraction(1)) for n in (99_999, 99_950, 99_900, 99_750)]
        beyond = [(100_001 * one, Fraction(1)), (100_050 * one + UNIT, Fraction(2))]
        if unit == "1000":
            beyond[1] = (100_050 * one + Fraction(1, 10**5), Fraction(2))
        row = features_of((edge, beyond))
        assert [row[f"bid_volume_band_{band}_bps"] for band in ("0_5", "5_10", "10_25")] == [
            2,
            1,
            1,
        ]
        assert [row[f"ask_volume_band_{band}_bps"] for band in ("0_5", "5_10")] == [1, 2]
        assert row["ask_volume_band_10_25_bps"] is None
        assert row["depth_complete_5"] is True
        assert row["depth_complete_10"] is False


@pytest.mark.parametrize("first_tick", [2_001, 8_000_000_000])
def test_edges_are_decided_where_doubles_are_wrong(first_tick: int) -> None:
    """Mids from 400 and from 1.6 billion, where a double has 6 decimals left and not 8."""
    books, wrong = [], 0
    for tick in range(first_tick, first_tick + 2_000):
        mid = Fraction(20 * tick, 100)
        # The third ask lies exactly 5 bps away, the second half of that.
        asks = [(mid * (1 + Fraction(share, 20_000)), Fraction(1)) for share in (1, 5, 10)]
        books.append(([(2 * mid - asks[0][0], Fraction(1))], asks))
        price, middle = float(asks[2][0]), (float(asks[0][0]) + float(books[-1][0][0][0])) / 2
        wrong += (price - middle) / middle * 10_000 > 5
    out = computed(books_table(books))
    assert set(out["ask_volume_band_0_5_bps"].to_pylist()) == {3.0}
    assert wrong > 100


def test_an_order_for_all_there_is_can_be_filled() -> None:
    row = features_of(book("100 4, 60 10", "200 3, 400 1"))
    assert row["slippage_sell_bps_1000"] == pytest.approx(10_000 * (150 - 1000 / 14) / 150)
    assert row["slippage_buy_bps_1000"] == pytest.approx(10_000 * (250 - 150) / 150)
    assert row["slippage_buy_bps_10000"] is None


def test_bands_that_the_levels_kept_do_not_reach_are_not_measured() -> None:
    row = features_of(book("99.99 1, 99.98 2", "100.01 1, 100.08 3"))
    assert row["bid_volume_band_0_5_bps"] == 3
    assert row["depth_complete_5"] is False
    assert row["bid_volume_band_5_10_bps"] is None
    assert row["ask_volume_band_5_10_bps"] == 3
    assert row["imbalance_band_5_10_bps"] is None
    assert row["ask_volume_band_10_25_bps"] is None


@pytest.mark.parametrize(
    "plain",
    [
        book("", ""),
        book("100 1", ""),
        book("", "100 1"),
        book("100 1", "100 1"),  # locked
        book("101 1", "100 1"),  # crossed
        book("100 1, 100 2", "101 1"),  # a price twice
        book("100 1, 100.5 2", "101 1"),  # not best first
        book("100 1", "101 1, 100.5 1"),
        book("0 1", "101 1"),
        book("-1 1", "101 1"),
        book("100 -1", "101 1"),
        ([(float("nan"), 1)], [(101, 1)]),
        ([(100, float("nan"))], [(101, 1)]),
        ([(100, 1)], [(101, float("inf"))]),
        ([(100, 1)], [(float("inf"), 1)]),
        ([(100, 1)], [(1e16, 1)]),
        ([(100, 1), None], [(101, 1)]),
        ([(100, 1), (99, None)], [(101, 1)]),
        (None, [(101, 1)]),
    ],
)
def test_what_is_not_a_book_has_no_features(plain: Any) -> None:
    assert_no_features(features_of(plain))


@pytest.mark.parametrize("is_valid", [False, None])
def test_a_book_that_is_not_valid_keeps_its_row(is_valid: bool | None) -> None:
    table = books_table([EXAMPLE, EXAMPLE], is_valid=[is_valid, True], is_snapshot=[None, True])
    rows = computed(table).to_pylist()
    assert_no_features(rows[0])
    assert rows[0]["book_number"] == 1
    assert [row["is_snapshot"] for row in rows] == [None, True]
    assert rows[1] == {**features_of(EXAMPLE), **{k: rows[1][k] for k in table.column_names[:8]}}


def test_zero_sizes_are_undefined_not_zero() -> None:
    row = features_of(book("100 0, 99 0, 98 0", "101 0, 102 0, 103 0"))
    assert row["is_valid"] is True
    assert row["bid_depth_3"] == 0
    assert row["smart_bid_depth"] == 0
    for name in ("microprice", "imbalance_1", "book_pressure", "bid_vwap_all", "bid_gini"):
        assert row[name] is None
    for name in ("bid_decay_rate", "ask_wall_level", "cog_vs_mid", "amihud_proxy"):
        assert row[name] is None


def test_equal_sizes_decay_by_nothing() -> None:
    row = features_of(book("100 0.3, 99.9 0.3, 99.7 0.3", "100.1 0.3, 100.7 0.3, 101 0.3"))
    assert (row["bid_decay_rate"], row["ask_decay_rate"], row["bid_gini"]) == (0, 0, 0)
    assert row["imbalance_all"] == 0


def test_equal_decimals_are_equal_sums() -> None:
    """0.1 + 0.2 is not 0.3 in doubles; sizes are added as whole numbers."""
    row = features_of(book("100 0.1, 99 0.2, 98 0", "101 0.3, 102 0, 103 0"))
    assert row["bid_depth_3"] == 0.3
    assert row["imbalance_3"] == 0


def test_sizes_beyond_what_is_exact_are_close() -> None:
    row = features_of(book("100 10000000000, 99 0.00000001", "101 1000000000000, 102 10000000000"))
    assert row["bid_depth_all"] == pytest.approx(1e10, rel=1e-15)
    assert row["ask_depth_all"] == pytest.approx(1.01e12, rel=1e-15)
    assert row["bid_wall_level"] == 0


def test_prices_from_the_least_to_the_largest() -> None:
    row = features_of(book("0.00000001 1", "10000000000 1"))
    assert row["is_valid"] is True
    assert row["mid_price"] == 5e9
    assert row["spread_bps"] == 20_000


# Columns, batches, parameters.


def sample(rows: int) -> pa.Table:
    """Books of 0 to 25 levels, some not valid."""
    generator = np.random.default_rng(7)
    books = []
    for _ in range(rows):
        sides = []
        for sign in (-1, 1):
            count = int(generator.integers(0, 26))
            ticks = 5_000_000 + sign * np.cumsum(generator.integers(1, 3_000, count))
            sizes = generator.integers(0, 10**9, count) / 1e8
            sides.append(list(zip((ticks / 100).tolist(), sizes.tolist(), strict=True)))
        books.append((sides[0], sides[1]))
    return books_table(books, is_valid=(generator.random(rows) > 0.1).tolist())


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_any_batching_gives_the_same_bits(size: int) -> None:
    table = sample(600)
    whole = computed(table)
    batches = list(order_book_features(table.to_batches(max_chunksize=size)))
    assert all(batch.num_rows for batch in batches)
    cut = pa.Table.from_batches(batches)
    assert cut.schema == whole.schema == features_schema()
    assert cut.equals(whole)
    for name in (feature.name for feature in structural_features()):
        if pa.types.is_floating(cut[name].type):
            found, expected = (
                table[name].to_numpy(zero_copy_only=False).view(np.int64) for table in (cut, whole)
            )
            assert (found == expected).all()


def test_no_more_batches_are_read_than_the_rows_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("python_models.kernels.order_book_features.ROWS_AT_A_TIME", 20)
    handed_over = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal handed_over
        for batch in sample(10).to_batches():
            for _ in range(5):
                handed_over += 1
                yield batch

    features = order_book_features(batches())
    assert handed_over == 0
    assert [next(features).num_rows for _ in range(2)] == [20, 20]
    assert handed_over == 4
    assert [batch.num_rows for batch in features] == [10]


def test_memory_is_used_again_when_nobody_reads_it_any_more() -> None:
    memory = LentMemory()
    first = memory.lend(3, 4)
    first[:] = 1.0
    column = pa.array(first[1])
    del first
    second = memory.lend(3, 4)
    second[:] = 2.0
    assert column.to_pylist() == [1.0] * 4
    place = second.__array_interface__["data"]
    del second
    assert memory.lend(2, 3).__array_interface__["data"] == place
    assert memory.lend(20, 4_000).shape == (20, 4_000)


def test_the_next_batch_is_read_ahead_and_only_that() -> None:
    read = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(sample(50).to_batches(max_chunksize=10)):
            read.append(number)
            if number == 3:
                raise ValueError("the fourth cannot be read")
            yield batch

    ahead = read_ahead(batches())
    assert read == []
    assert next(ahead).num_rows == 10
    del ahead  # waits for the one that is being read
    assert read == [0, 1]
    with pytest.raises(ValueError, match="the fourth cannot be read"):
        list(read_ahead(batches()))
    assert pa.Table.from_batches(read_ahead(sample(50).to_batches(max_chunksize=7))) == sample(50)


def test_long_batches_are_cut() -> None:
    long = pa.concat_tables([sample(600)] * 205).combine_chunks()
    batches = list(order_book_features([long]))
    assert [batch.num_rows for batch in batches] == [122_880, 123_000 - 122_880]


def test_no_books_no_features() -> None:
    assert list(order_book_features([BOOKS_SCHEMA.empty_table()])) == []
    assert order_book_features_reader([]).read_all().schema == features_schema()


def test_columns_may_stand_in_any_order_and_more_are_left_out() -> None:
    table = sample(20)
    shuffled = table.select(table.column_names[::-1]).append_column("more", table["symbol"])
    assert computed(shuffled).equals(computed(table))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"no column bids, ask_level_count\."):
        computed(sample(2).drop_columns(["bids", "ask_level_count"]))


def test_other_parameters_are_other_columns() -> None:
    parameters = FeatureParameters(
        depths=(2, 25),
        bands_bps=(3, 1_000, 9_999),
        vwap_depth=2,
        notionals=(0.5, 123_456),
        smart_decay=0.5,
        slope_levels=2,
    )
    table = sample(150)
    rows = computed(table, parameters).to_pylist()
    assert "bid_depth_25" in rows[0]
    assert "imbalance_band_1000_9999_bps" in rows[0]
    assert "slippage_buy_bps_0_5" in rows[0]
    for row, source in zip(rows, table.to_pylist(), strict=True):
        if not row["is_valid"]:
            continue
        bids, asks = (exact_levels(source[side]) for side in ("bids", "asks"))
        expected = plain_features((bids, asks), (len(bids) + 7, len(asks)), parameters)
        assert expected.keys() == {feature.name for feature in structural_features(parameters)}
        assert_same(row, expected, (bids, asks))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("depths", (3, 1)),
        ("depths", (0,)),
        ("bands_bps", (5, 5)),
        ("bands_bps", (10_000,)),
        ("notionals", (float("nan"),)),
        ("notionals", (-1,)),
        ("vwap_depth", 0),
        ("slope_levels", 1),
        ("smart_decay", -0.1),
        ("smart_decay", float("nan")),
    ],
)
def test_impossible_parameters_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{field} is "):
        FeatureParameters(**{field: value})


def test_no_list_of_parameters_is_needed() -> None:
    parameters = FeatureParameters(depths=(), bands_bps=(), notionals=())
    row = features_of(EXAMPLE, parameters)
    assert_same(row, plain_features(EXAMPLE, (11, 3), parameters), EXAMPLE)


# Documentation and the dbt model.


def test_the_yaml_is_what_the_table_says() -> None:
    assert PATH.read_text() == features_yaml(), (
        "run `uv run python -m python_models.kernels.order_book_feature_docs`"
    )
    assert features_schema().names == [
        *(field.name for field in IDENTITY_FIELDS),
        *(feature.name for feature in structural_features()),
    ]


def test_every_column_says_when_it_is_null() -> None:
    for feature in structural_features():
        text = feature.description()
        assert "Null when is_valid is false" in text
        assert "{" not in text
        assert feature.unit


class FakeDbt:
    """What dbt hands to a Python model."""

    def __init__(self, is_incremental: bool) -> None:
        self.is_incremental = is_incremental
        self.this = "features"

    def config(self, **_options: Any) -> None:
        """What the model asks for is not looked at."""

    def ref(self, name: str) -> str:
        return name


def test_the_model_reads_only_what_is_new() -> None:
    connection = duckdb.connect()
    connection.register("books", sample(30).drop_columns("is_late"))
    connection.execute("create view source as select *, null::timestamp as captured_at from books")
    connection.execute("create schema silver; create schema bronze")
    connection.execute("create table silver.order_books as from source where book_number <= 20")
    connection.execute(
        "create table bronze.ccxt_order_books (exchange varchar, symbol varchar,"
        " frame_number bigint, captured_at timestamp)"
    )

    def build(is_incremental: bool) -> int:
        frame = dbt_model.model(FakeDbt(is_incremental), connection)
        writer = connection.cursor()
        writer.register("frame", frame)
        verb = "insert into features" if is_incremental else "create table features as"
        writer.execute(f"{verb} from frame")
        return int(writer.execute("select count(*) from features").fetchall()[0][0])

    assert build(is_incremental=False) == 20
    connection.execute("insert into silver.order_books from source where book_number > 20")
    connection.execute("""
        insert into silver.order_books by name
        select * replace ('other' as symbol, book_number + 100 as book_number) from source limit 3
    """)
    assert build(is_incremental=True) == 33
    assert build(is_incremental=True) == 33
    described = connection.execute("describe features").fetchall()
    documented = {name: data_type for name, (data_type, _) in IDENTITY_COLUMNS.items()}
    documented |= {feature.name: feature.value_type for feature in structural_features()}
    assert {name: data_type for name, data_type, *_ in described} == documented


def test_prices_finer_than_a_hundred_millionth() -> None:
    """PEPE/USDT: nine decimals, five digits."""
    bids = [(0.000012341, 5e6), (0.000012340, 7e6)]
    asks = [(0.000012342, 4e6), (0.000012343, 7e6)]
    [found] = pa.Table.from_batches(order_book_features([books_table([(bids, asks)])])).to_pylist()
    assert found["mid_price"] == 0.0000123415
    assert found["spread"] == 0.000000001
    assert found["spread_bps"] == 1e4 * 1 / 12341.5
    assert found["bid_volume_band_0_5_bps"] == 12e6
    assert found["bid_mean_gap_bps"] == 1e4 * 1 / 12341.5
