"""What locks cost and earn: SQL against a plain reference that tries every number of contracts."""

import random
from dataclasses import replace
from decimal import Decimal

from compiled_models import database
from lock_builds import PRICING, Leg, Walked, charged, fill, price, reference, taken, up

RATES = {
    "kalshi": ("0.07", "0.07", "0.035", "0.07", "0"),
    "polymarket": ("0.04", "0.05", "0.07", "0.0", "0.25"),
}


def random_leg(rng: random.Random, platform: str, near: Decimal) -> Leg:
    """Up to eight levels from about a price upwards, on a grid of a cent or a tenth of one."""
    tick = Decimal(rng.choice(("0.01", "0.01", "0.001")))
    cents = max(near.quantize(tick) + rng.randint(-3, 3) * tick, tick)
    levels = []
    for _ in range(rng.randint(1, 8)):
        size = (
            Decimal(rng.randint(1, 9_000)) / 100
            if rng.random() < 0.5
            else Decimal(rng.randint(1, 60))
        )
        levels.append((cents, size))
        cents += tick * rng.randint(1, 4)
        if cents >= 1:
            break
    rate = Decimal(rng.choice(RATES[platform]))
    exponent = 2 if rate == Decimal("0.25") else 1
    return Leg(
        platform,
        rate,
        tuple(levels),
        rng.choice((1, 5)) if platform == "polymarket" else 1,
        exponent,
    )


def random_lock(rng: random.Random) -> tuple[int, list[Leg]]:
    """Two legs on two venues, or a bundle of up to five on one, that cost about what they pay."""
    count = rng.choice((2, 2, 2, 2, 3, 4, 5))
    payout = 1 if rng.random() < 0.8 else count - 1
    weights = [rng.randint(5, 60) for _ in range(count)]
    total = Decimal(payout) - Decimal(rng.randint(0, 90)) / 1000
    platform = rng.choice(("kalshi", "polymarket"))
    platforms = ["kalshi", "polymarket"] if count == 2 else [platform] * count
    return payout, [
        random_leg(rng, name, min(total * weight / sum(weights), Decimal("0.97")))
        for name, weight in zip(platforms, weights, strict=True)
    ]


def test_every_number_of_contracts_of_1000_random_locks() -> None:
    rng = random.Random(20261001)
    locks = [random_lock(rng) for _ in range(1_000)]
    connection = database(*PRICING)
    fill(connection, locks)
    price(connection)
    rows = connection.execute(
        "select lock_id, best.contracts, best.cost, best.fee_worst, best.profit,"
        " threshold.contracts, threshold.cost, threshold.fee_worst, threshold.profit"
        " from silver.lock_prices where is_opportunity"
    ).fetchall()
    found = {row[0]: (Walked(*row[1:5]), Walked(*row[5:9])) for row in rows}
    expected = {
        f"lock-{number}": answer
        for number, lock in enumerate(locks)
        if (answer := reference(*lock)) is not None
    }
    assert 200 < len(expected) < 900
    assert found == expected


def split(
    rng: random.Random, fills: list[tuple[Decimal, Decimal]]
) -> list[tuple[Decimal, Decimal]]:
    """What an order takes of each level, in random pieces of whole contracts and the rest."""
    pieces = []
    for cents, taken_of_it in fills:
        left = taken_of_it
        while left >= 1:
            size = Decimal(rng.randint(1, rng.choice((1, int(left)))))
            pieces.append((cents, size))
            left -= size
        if left:
            pieces.append((cents, left))
    return pieces


def test_no_order_is_charged_more_than_its_worst_fee() -> None:
    """Kalshi, levels of whole and of broken sizes, on and off the cent, however they are filled."""
    rng = random.Random(7)
    legs = [
        replace(random_leg(rng, "kalshi", Decimal(rng.randint(5, 80)) / 100), minimum=1)
        for _ in range(300)
    ]
    # Half a contract at the first level leaves half a one of the second.
    levels = ((Decimal("0.40"), Decimal("10.5")), (Decimal("0.41"), Decimal(9)))
    legs.append(Leg("kalshi", Decimal("0.07"), levels))
    connection = database(*PRICING)
    fill(connection, [(1, [leg]) for leg in legs])
    price(connection)
    walks = connection.execute(
        "select lock_id, contracts, fee_worst from silver.lock_walks order by all"
    ).fetchall()
    assert len(walks) > 1_000
    slack = []
    for name, contracts, worst in walks:
        leg = legs[int(name.removeprefix("lock-"))]
        fills = taken(leg, contracts)
        assert fills
        for _ in range(3):
            fee = charged(split(rng, fills), leg.rate)
            assert fee <= worst, (leg, contracts)
            slack.append(worst - fee)
        if not any(
            cents % Decimal("0.01") or size % 1 for cents, size in fills
        ) and leg.rate == Decimal("0.07"):
            assert fee == worst, (leg, contracts)
    assert max(slack) < Decimal("0.01") * 10
    at_11 = {(name, contracts): worst for name, contracts, worst in walks}["lock-300", 11]
    assert at_11 == up(
        Decimal("0.07") * (Decimal("10.5") * Decimal("0.24") + Decimal("0.5") * Decimal("0.2419")),
        "0.01",
    ) + Decimal("0.02")
