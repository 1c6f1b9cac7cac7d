"""Fees in exact decimals: the vectors of the venues' documents, and those of another project."""

import json
import random
from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal, localcontext
from pathlib import Path

import duckdb
import pytest
from compiled_models import database
from lock_builds import FROM_BOOKS

# contracts, price: before rounding, of a direct member, of any other, at half the rate, of a maker
KALSHI = [
    ("100", "0.50", "1.75", "1.75", "1.75", "0.875", "0.4375"),
    ("100", "0.25", "1.3125", "1.3125", "1.32", "0.65625", "0.328125"),
    ("100", "0.01", "0.0693", "0.0693", "0.07", "0.03465", "0.017325"),
    ("10", "0.47", "0.17437", "0.1744", "0.18", "0.087185", "0.0435925"),
    ("1", "0.50", "0.0175", "0.0175", "0.02", "0.00875", "0.004375"),
    ("33", "0.37", "0.538461", "0.5385", "0.54", "0.2692305", "0.13461525"),
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the project's functions."""
    with database(*FROM_BOOKS) as found:
        yield found


def ask(connection: duckdb.DuckDBPyConnection, expression: str) -> Decimal:
    """The value of an expression."""
    (value,) = connection.execute(f"select {expression}").fetchall()[0]
    return Decimal(value)


@pytest.mark.parametrize("vector", KALSHI, ids=lambda vector: f"{vector[0]}@{vector[1]}")
def test_kalshi_vectors(connection: duckdb.DuckDBPyConnection, vector: tuple[str, ...]) -> None:
    contracts, price, *expected = vector
    model = f"silver.model_fee(0.07, 1, {contracts}, {price})"
    found = [
        ask(connection, model),
        ask(connection, f"silver.kalshi_fee({model}, 0.0001)"),
        ask(connection, f"silver.kalshi_fee_worst({model}, 0)"),
        ask(connection, f"silver.model_fee(0.07 * 0.5, 1, {contracts}, {price})"),
        ask(connection, f"silver.model_fee(0.0175, 1, {contracts}, {price})"),
    ]
    assert found == [Decimal(value) for value in expected]


def test_a_whole_number_of_cents_is_not_rounded_up(connection: duckdb.DuckDBPyConnection) -> None:
    """0.07 × 100 × 0.5 × 0.5 is 175.00000000000003 cents in floats, and 175 here."""
    assert 0.07 * 100 * 0.5 * 0.5 * 100 > 175
    assert ask(
        connection, "silver.kalshi_fee_worst(silver.model_fee(0.07, 1, 100, 0.5), 0)"
    ) == Decimal("1.75")


def test_levels_off_the_cent_cost_a_cent_more(connection: duckdb.DuckDBPyConnection) -> None:
    assert ask(connection, "silver.kalshi_fee_worst(0.011, 3)") == Decimal("0.05")


def test_a_fill_goes_up_to_the_sixth_decimal(connection: duckdb.DuckDBPyConnection) -> None:
    assert ask(connection, "silver.kalshi_fill_fee(0.0075509)") == Decimal("0.007551")
    assert ask(connection, "silver.kalshi_fill_fee(0.0075501)") == Decimal("0.007551")
    assert ask(connection, "silver.kalshi_fill_fee(0.0175)") == Decimal("0.0175")


def test_fees_before_2026_07_07_go_up_to_the_cent(connection: duckdb.DuckDBPyConnection) -> None:
    assert ask(
        connection, "silver.kalshi_fee(silver.model_fee(0.07, 1, 100, 0.25), 0.01)"
    ) == Decimal("1.32")


def test_polymarket_goes_to_five_decimals(connection: duckdb.DuckDBPyConnection) -> None:
    fee = "silver.model_fee(0.05, 1, 7, 0.333)"  # 0.0777388…
    assert ask(connection, f"silver.polymarket_fee({fee})") == Decimal("0.07774")
    assert ask(connection, f"silver.polymarket_fee_worst({fee})") == Decimal("0.07774")
    assert ask(connection, "silver.polymarket_fee(0.000014)") == Decimal("0.00001")
    assert ask(connection, "silver.polymarket_fee_worst(0.000014)") == Decimal("0.00002")


def test_a_squared_curve(connection: duckdb.DuckDBPyConnection) -> None:
    """0.25 × (p(1 − p))²: 100 contracts at 50 cents are 1.5625."""
    assert ask(connection, "silver.model_fee(0.25, 2, 100, 0.5)") == Decimal("1.5625")
    assert ask(connection, "silver.model_fee(0.25, 2, 1, 0.0003)") == (
        Decimal("0.25") * (Decimal("0.0003") * Decimal("0.9997")) ** 2
    )
    unknown = connection.execute("select silver.model_fee(0.25, 3, 100, 0.5)").fetchall()
    assert unknown == [(None,)]


def test_the_largest_order_does_not_overflow(connection: duckdb.DuckDBPyConnection) -> None:
    fee = ask(connection, "silver.kalshi_fee_worst(silver.model_fee(7, 1, 1000000, 0.5), 99)")
    assert fee == Decimal("1750000.99")


@pytest.mark.parametrize("rate", ["0.07", "0.5", "1", "4.2", "7"])
@pytest.mark.parametrize("contracts", [100_001, 1_000_000, 1_000_000_000])
def test_no_order_that_can_be_overflows(
    connection: duckdb.DuckDBPyConnection, rate: str, contracts: int
) -> None:
    """Rates to 1 and, of Kalshi, 100 times 0.07, all accepted: one would stop all pricing."""
    exact = Decimal(rate) * contracts * Decimal("0.333") * Decimal("0.667")
    model = f"silver.model_fee({rate}, 1, {contracts}, 0.333)"
    for function, step in {
        f"silver.kalshi_fee({model}, 0.0001)": "0.0001",
        f"silver.kalshi_fee_worst({model}, 0)": "0.01",
        f"silver.polymarket_fee_worst({model})": "0.00001",
    }.items():
        assert ask(connection, function) == exact.quantize(Decimal(step), ROUND_CEILING), function


def test_any_amount_goes_up_to_the_next_step(connection: duckdb.DuckDBPyConnection) -> None:
    """Of any size and number of decimals, on the step and just beside it."""
    rng = random.Random(20261122)
    amounts = []
    for _ in range(5_000):
        step = Decimal(1).scaleb(-rng.choice((0, 2, 4, 5)))
        amount = Decimal(rng.randrange(10 ** rng.randint(1, 14))) * step % 10**9
        beside = Decimal(rng.choice((0, 0, 1, 5))).scaleb(-rng.choice((28, 12, 6, 3)))
        amounts.append(amount + beside)
    with localcontext(prec=50):
        for next_step in ("1", "0.01", "0.0001", "0.00001"):
            found = connection.execute(
                "select silver.rounded_up(amount::decimal(38, 28), ?::decimal(6, 5))"
                " from (select unnest(?) as amount)",
                [next_step, [str(amount) for amount in amounts]],
            ).fetchall()
            expected = [amount.quantize(Decimal(next_step), ROUND_CEILING) for amount in amounts]
            assert [value for (value,) in found] == expected


def test_fees_of_another_project(connection: duckdb.DuckDBPyConnection, shared_data: Path) -> None:
    """Its Kalshi fees are ours at worst. Its Polymarket fees are rounded to the nearest, as ours
    are expected to be; a half goes to the even digit there, and up here."""
    path = shared_data / "markets" / "wire_fixtures_2026-08" / "cost-conformance.json"
    cases = [case for case in json.loads(path.read_text())["fee_cases"] if not case["fee_type"]]
    assert len(cases) > 900
    halves = 0
    for case in cases:
        model = f"silver.model_fee({case['rate']}, 1, {case['contracts']}, {case['price']})"
        theirs = Decimal(case["total_fee"])
        if case["venue"] == "kalshi":
            assert ask(connection, f"silver.kalshi_fee_worst({model}, 0)") == theirs, case
            continue
        exact = ask(connection, model)
        ours = ask(connection, f"silver.polymarket_fee({model})")
        if (exact * 10**5) % 1 == Decimal("0.5"):
            halves += 1
            assert abs(ours - theirs) <= Decimal("0.00001")
        else:
            assert ours == theirs, case
        worst = ask(connection, f"silver.polymarket_fee_worst({model})")
        assert worst == exact.quantize(Decimal("0.00001"), ROUND_CEILING)
    assert halves < 50
