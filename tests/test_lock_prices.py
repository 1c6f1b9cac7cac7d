"""What locks cost and earn: SQL against a plain reference that tries every number of contracts."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import duckdb
import pytest
from compiled_models import database
from lock_builds import (
    FROM_BOOKS,
    NOW,
    THRESHOLD,
    Leg,
    Walked,
    charged,
    fill,
    price,
    reference,
    taken,
    up,
)

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
    connection = database(*FROM_BOOKS)
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


def test_the_threshold_is_to_be_exceeded() -> None:
    """Without fees, 102 contracts for 100 dollars earn 2 % exactly; 101 earn a little more."""
    cents = [Decimal(price) / 100 for price in (48, 49, 50)]
    kalshi = Leg("kalshi", Decimal(0), ((cents[0], Decimal(98)), (cents[1], Decimal(4))))
    polymarket = Leg("polymarket", Decimal(0), ((cents[2], Decimal(102)),))
    connection = database(*FROM_BOOKS)
    fill(connection, [(1, [kalshi, polymarket])])
    price(connection)
    rows = connection.execute(
        "select best.contracts, best.profit_margin, threshold.contracts from silver.lock_prices"
    ).fetchall()
    assert rows == [(102, THRESHOLD, 101)]


def test_a_book_of_any_depth_and_a_fee_of_any_height_is_priced() -> None:
    """A thousand million contracts on offer, rates of 1 and of 100 times 0.07: one listing of that
    kind would stop the pricing of all others."""
    deep = ((Decimal("0.5"), Decimal(1_000_000_000)),)
    little = ((Decimal("0.4"), Decimal(10)),)
    zero, seven = Decimal(0), Decimal(7)
    locks = [
        (1, [Leg("polymarket", Decimal(1), deep), Leg("kalshi", seven, deep)]),
        (2, [Leg("polymarket", Decimal(1), deep), Leg("kalshi", seven, deep)]),
        (4, [Leg("polymarket", Decimal("0.5"), deep), Leg("kalshi", Decimal("4.2"), deep)]),
        (1, [Leg("polymarket", zero, little), Leg("kalshi", zero, little)]),
    ]
    connection = database(*FROM_BOOKS)
    fill(connection, locks)
    price(connection)
    rows = connection.execute(
        "select lock_id, best.contracts, best.fee_worst from silver.lock_prices"
        " where is_opportunity order by lock_id"
    ).fetchall()
    most = 1_000_000
    assert rows == [
        ("lock-2", most, Decimal("0.25") * most * Decimal("4.7")),
        ("lock-3", 10, 0),
    ]


def test_an_order_on_polymarket_is_of_a_dollar_at_least() -> None:
    """At three cents the venue takes 34 shares and not 33, whatever its smallest order is."""

    def legs(size: int) -> list[Leg]:
        levels = ((Decimal("0.03"), Decimal(size)),)
        return [
            Leg("kalshi", Decimal("0.07"), ((Decimal("0.90"), Decimal(100)),)),
            Leg("polymarket", Decimal("0.05"), levels, minimum=5),
        ]

    connection = database(*FROM_BOOKS)
    fill(connection, [(1, legs(33)), (1, legs(34))])
    price(connection)
    rows = connection.execute(
        "select lock_id, minimum_contracts, blocked_reasons, best.contracts from silver.locks"
        " left join silver.lock_prices using (lock_id) order by lock_id"
    ).fetchall()
    assert rows == [
        ("lock-0", 34, ["less on offer than the minimum order"], None),
        ("lock-1", 34, [], 34),
    ]


def test_no_order_that_is_priced_is_below_a_dollar_on_polymarket() -> None:
    """What it takes deeper in the book costs more than the best offer, whose price its minimum is
    of. A few shares at a cent before dear ones ask for more than need be, and never for less."""
    rng = random.Random(20261123)
    locks = [random_lock(rng) for _ in range(500)]
    for _, legs in locks[::2]:
        for place, leg in enumerate(legs):
            dust = (Decimal(rng.randint(1, 40)) / 1000, Decimal(rng.randint(1, 500)) / 100)
            if leg.platform == "polymarket" and dust[0] < leg.levels[0][0]:
                legs[place] = replace(leg, minimum=1, levels=(dust, *leg.levels))
    connection = database(*FROM_BOOKS)
    fill(connection, locks)
    price(connection)
    smallest = connection.execute(
        "select split_part(lock_id, '-', 2)::integer, minimum_contracts from silver.locks"
        " where is_priced"
    ).fetchall()
    costs = [
        sum(cents * size for cents, size in taken(leg, contracts) or [])
        for number, contracts in smallest
        for leg in locks[number][1]
        if leg.platform == "polymarket"
    ]
    assert len(costs) > 300
    assert 1 <= min(costs) < Decimal("1.1")


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
    connection = database(*FROM_BOOKS)
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


# What befalls the Kalshi leg of a lock that pays, and what is then said of the lock.
BLOCKED = {
    "update silver.lock_legs set token_id = null": "the side to buy has no token",
    "update silver.markets set is_eligible = false": "the market is not traded any more",
    "delete from silver.markets": "the market is not traded any more",
    "update silver.markets set end_at = (select as_of from silver.pricing_clock)": (
        "trading closed before the price"
    ),
    "delete from bronze.kalshi_order_books": "no order book was fetched",
    "update bronze.kalshi_order_books set fetched_at = fetched_at + interval 1 second": (
        "no order book was fetched"
    ),
    "update bronze.kalshi_order_books set is_gone = true": (
        "order book rejected, the venue sent none"
    ),
    "update bronze.kalshi_order_books set rejections ="
    " [{'field': 'no_dollars', 'value': '7', 'reason': 'not a list of levels'}]": (
        "order book rejected, no_dollars: not a list of levels"
    ),
    "update bronze.kalshi_order_books set yes_bids = [{'price': 0.45, 'size': 1}]": (
        "order book rejected, crossed"
    ),
    "update bronze.kalshi_order_books set no_bids = [{'price': 0.555, 'size': 100}]": (
        "order book rejected, a price off the tick grid"
    ),
    "update bronze.kalshi_order_books set no_bids = no_bids || [{'price': 0, 'size': 1}]": (
        "order book rejected, a price that is not between 0 and 1"
    ),
    "update bronze.kalshi_order_books set no_bids = no_bids || [{'price': 1, 'size': 1}]": (
        "order book rejected, a price that is not between 0 and 1"
    ),
    "update bronze.kalshi_order_books set no_bids = no_bids || [{'price': 0.54, 'size': -1}]": (
        "order book rejected, a negative size"
    ),
    "update bronze.kalshi_order_books set no_bids = no_bids || no_bids": (
        "order book rejected, a price told twice"
    ),
    "update bronze.kalshi_order_books set no_bids = []": "nothing on offer",
    "update bronze.kalshi_order_books set no_bids = [{'price': 0.55, 'size': 0}]": (
        "nothing on offer"
    ),
    "delete from silver.fee_schedules": "fee not known, no fee was told",
    "update silver.fee_schedules set taker_rate = null, unknown_reason = 'an odd type'": (
        "fee not known, an odd type"
    ),
    "update silver.fee_schedules set effective_from = effective_from + interval 1 second": (
        "fee not known, no fee was told"
    ),
    "update silver.fee_schedules set effective_until = effective_from": (
        "fee not known, no fee was told"
    ),
}
SUSPECT = {
    "update bronze.kalshi_order_books set fetched_at = fetched_at - interval 121 second": (
        "quote too old"
    ),
    "update silver.markets set last_seen_at = last_seen_at - interval 3601 second": (
        "listing too old"
    ),
    "update silver.fee_schedules set is_assumed = true": "fee assumed",
    "update silver.markets set venue_status = 'in review'": "outcome proposed or disputed",
    "update silver.contract_terms set window_ends_on = null": "deadlines differ or were not read",
    "update silver.contract_terms set window_ends_on = window_ends_on + 1": (
        "deadlines differ or were not read"
    ),
    "update bronze.kalshi_order_books set no_bids = [{'price': 0.56, 'size': 100}]": (
        "edge too good"
    ),
    "update silver.lock_legs set tier = 'scored'": "found by score only: read both rules",
}
NO_DOUBT = (
    "update bronze.kalshi_order_books set fetched_at = fetched_at - interval 120 second",
    "update silver.markets set last_seen_at = last_seen_at - interval 3600 second",
    # The smallest order of the other venue is of five contracts.
    "update bronze.kalshi_order_books set no_bids = [{'price': 0.55, 'size': 5}]",
)
LEVELS = "struct(price decimal(12, 8), size decimal(28, 8)) []"
REJECTIONS = "struct(field varchar, value varchar, reason varchar) []"
GRID = "struct(starts_at decimal(12, 8), ends_at decimal(12, 8), step decimal(12, 8)) []"


@pytest.fixture(scope="module")
def paying_lock() -> Iterator[duckdb.DuckDBPyConnection]:
    """A lock that pays, from the books as the venues send them: 45 cents on either."""
    asks = ((Decimal("0.45"), Decimal(100)),)
    with database(*FROM_BOOKS) as connection:
        fill(connection, [(1, [Leg(name, Decimal("0.05"), asks) for name in RATES])])
        connection.execute(
            f"""
            create table bronze.kalshi_order_books as
                select
                    1 as record_number, 'kalshi:0-1' as ticker,
                    []::{LEVELS} as yes_bids, [(0.55, 100)]::{LEVELS} as no_bids,
                    timestamp '{NOW}' as fetched_at, false as is_gone,
                    []::{REJECTIONS} as rejections;
            create table bronze.polymarket_order_books as
                select
                    1 as record_number, 'polymarket:0-2' as token_id, []::{LEVELS} as bids,
                    [(0.45, 100)]::{LEVELS} as asks,
                    5::decimal(28, 8) as minimum_order_size, 0.01::decimal(12, 8) as tick_size,
                    timestamp '{NOW}' as changed_at, timestamp '{NOW}' as fetched_at,
                    false as is_gone,
                    []::{REJECTIONS} as rejections;
            create table bronze.kalshi_markets as
                select
                    1 as record_number, 'kalshi:0-1' as ticker, timestamp '{NOW}' as fetched_at,
                    false as is_gone, [(0, 1, 0.01)]::{GRID} as price_grid;
            create table bronze.polymarket_markets as
                select
                    1 as record_number, 'polymarket:0-2' as polymarket_id, false as is_gone,
                    timestamp '{NOW}' as fetched_at, 5::decimal(28, 8) as minimum_order_size;
            create table silver.latest_books (platform, book_id, record_number) as
                values ('kalshi', 'kalshi:0-1', 1), ('polymarket', 'polymarket:0-2', 1);
            create table silver.listings (platform, market_id, record_number) as
                from silver.latest_books;
            update silver.lock_legs set external_id = market_id, token_id = market_id;
            """
        )
        yield connection


def told(connection: duckdb.DuckDBPyConnection, fault: str) -> tuple[list[str], list[str], str]:
    """What is said of the lock after a fault of its Kalshi leg: blocked and suspect reasons, and
    its status as an opportunity ('' when it is none)."""
    table = fault.split()[1 if fault.startswith("update") else 2]
    key = "ticker" if table.startswith("bronze.") else "market_id"
    connection.execute("begin")
    connection.execute(f"{fault} where {key} = 'kalshi:0-1'")
    price(connection, FROM_BOOKS)
    ((blocked, suspect, status),) = connection.execute(
        "select blocked_reasons, locks.suspect_reasons, coalesce(status, '') from silver.locks"
        " left join silver.found_opportunities on lock_id = opportunity_id"
    ).fetchall()
    connection.execute("rollback")
    return blocked, suspect, status


@pytest.mark.parametrize("fault", BLOCKED)
def test_what_cannot_be_priced_is_no_opportunity(
    paying_lock: duckdb.DuckDBPyConnection, fault: str
) -> None:
    assert told(paying_lock, fault) == ([f"kalshi: {BLOCKED[fault]}"], [], "")


def test_less_than_the_smallest_order_is_no_opportunity(
    paying_lock: duckdb.DuckDBPyConnection,
) -> None:
    fault = "update bronze.kalshi_order_books set no_bids = [{'price': 0.55, 'size': 4.99}]"
    assert told(paying_lock, fault) == (["less on offer than the minimum order"], [], "")


@pytest.mark.parametrize(
    ("book", "listing", "minimum"), [(5, 20, 20), (20, 5, 20), (None, 7, 7), (6, None, 6)]
)
def test_the_smallest_order_is_the_larger_one_of_book_and_listing(
    paying_lock: duckdb.DuckDBPyConnection, book: int | None, listing: int | None, minimum: int
) -> None:
    """Either may be of before the venue has changed it."""
    paying_lock.execute("begin")
    for table, size in (("order_books", book), ("markets", listing)):
        query = f"update bronze.polymarket_{table} set minimum_order_size = ?"
        paying_lock.execute(query, [size])
    price(paying_lock, FROM_BOOKS)
    found = paying_lock.execute("select minimum_contracts from silver.locks").fetchall()
    paying_lock.execute("rollback")
    assert found == [(minimum,)]


def test_what_earns_too_little_is_no_opportunity(
    paying_lock: duckdb.DuckDBPyConnection,
) -> None:
    """51 and 45 cents with 2.5 of fees: a profit of 1.5 %."""
    change = "update bronze.kalshi_order_books set no_bids = [{'price': 0.49, 'size': 100}]"
    assert told(paying_lock, change) == ([], [], "")


@pytest.mark.parametrize("fault", SUSPECT)
def test_what_is_doubtful_is_suspect(paying_lock: duckdb.DuckDBPyConnection, fault: str) -> None:
    assert told(paying_lock, fault) == ([], [SUSPECT[fault]], "suspect")


@pytest.mark.parametrize("change", NO_DOUBT)
def test_what_is_within_the_limits_is_active(
    paying_lock: duckdb.DuckDBPyConnection, change: str
) -> None:
    assert told(paying_lock, change) == ([], [], "active")


LISTED_APART = ("series", "event", "series_fee_change", "event_fee_change")


@pytest.mark.parametrize(
    ("ages", "is_old"),
    [
        ({}, False),
        (dict.fromkeys(LISTED_APART, 3600), False),
        *((dict.fromkeys(LISTED_APART, 0) | {name: 3601}, True) for name in LISTED_APART),
        *(({name: 0}, True) for name in LISTED_APART),
    ],
)
def test_a_listing_is_as_old_as_all_that_tells_its_fee(
    paying_lock: duckdb.DuckDBPyConnection, ages: dict[str, int], is_old: bool
) -> None:
    """Series, events and the changes of either are listed apart: one of them may fail. Polymarket's
    markets tell their fees themselves; archived files have no sweeps."""
    paying_lock.execute("begin")
    sweeps = [("kalshi", name, True, age) for name, age in ages.items()]
    sweeps += [("kalshi", name, False, 0) for name in LISTED_APART]
    for venue, entity, is_complete, age in [*sweeps, ("polymarket", "event", True, 9999)]:
        paying_lock.execute(
            "insert into bronze.sweeps values (?, ?, ?, ?)",
            [venue, entity, is_complete, NOW - timedelta(seconds=age)],
        )
    price(paying_lock, FROM_BOOKS)
    found = paying_lock.execute("select suspect_reasons from silver.locks").fetchall()
    paying_lock.execute("rollback")
    assert found == [(["listing too old"] if is_old else [],)]


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ("update silver.pricing_clock set as_of = as_of", 3600),
        ("update silver.markets set end_at = last_seen_at + interval 20 second", 20),
        ("update silver.fee_schedules set effective_until = timestamp '{NOW}' + interval '9 s'", 9),
        ("update silver.markets set last_seen_at = last_seen_at - interval 3590 second", 10),
    ],
)
def test_a_lock_holds_until_one_of_its_parts_ends(
    paying_lock: duckdb.DuckDBPyConnection, change: str, seconds: int
) -> None:
    """Trading closes, the fee is to change, or the listing was seen too long ago."""
    paying_lock.execute("begin")
    paying_lock.execute(change.format(NOW=NOW))
    price(paying_lock, FROM_BOOKS)
    found = paying_lock.execute("select holds_until from silver.locks").fetchall()
    paying_lock.execute("rollback")
    assert found == [(NOW + timedelta(seconds=seconds),)]


def test_each_leg_has_its_own_figures(paying_lock: duckdb.DuckDBPyConnection) -> None:
    """Ten contracts at 44 cents and fifty at 46, and sixty of a hundred at 45."""
    paying_lock.execute("begin")
    paying_lock.execute(
        "update bronze.kalshi_order_books set no_bids ="
        " [{'price': 0.54, 'size': 50}, {'price': 0.56, 'size': 10}]"
    )
    price(paying_lock, FROM_BOOKS)
    rows = paying_lock.execute(
        "select leg.platform, leg.best_price, leg.size_at_best, leg.last_price, leg.levels,"
        " leg.cost, leg.fee_expected, leg.fee_worst"
        " from (select unnest(legs) as leg from silver.found_opportunities) order by all"
    ).fetchall()
    paying_lock.execute("rollback")
    kalshi = Decimal("0.05") * (10 * Decimal("0.2464") + 50 * Decimal("0.2484"))
    polymarket = Decimal("0.05") * 60 * Decimal("0.2475")
    assert [row[:6] for row in rows] == [
        ("kalshi", Decimal("0.44"), 10, Decimal("0.46"), 2, Decimal("27.4")),
        ("polymarket", Decimal("0.45"), 100, Decimal("0.45"), 1, Decimal("27")),
    ]
    assert [row[6:] for row in rows] == [
        (up(kalshi, "0.0001"), up(kalshi, "0.01")),
        (polymarket, polymarket),
    ]
