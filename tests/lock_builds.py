"""The pricing models on books of a test's own, compiled by dbt once and run on DuckDB in memory,
and a plain reference that tries every number of contracts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

import duckdb
import pyarrow as pa
from compiled_models import compiled_models

PRICING = ("ask_ladders", "bought_legs", "locks", "lock_walks", "lock_sizes", "lock_prices")
FROM_BOOKS = ("outcome_books", "book_levels", *PRICING, "found_opportunities")
NOW = datetime(2026, 10, 1, 12)
THRESHOLD = Decimal("0.02")


@dataclass(frozen=True)
class Leg:
    """One outcome token to buy: venue, taker rate, smallest order, and the asks, best first."""

    platform: str
    rate: Decimal
    levels: tuple[tuple[Decimal, Decimal], ...]
    minimum: int = 1
    exponent: int = 1


class Walked(NamedTuple):
    """What some contracts of each leg cost and earn."""

    contracts: int
    cost: Decimal
    fees: Decimal
    profit: Decimal


def fill(connection: duckdb.DuckDBPyConnection, locks: Sequence[tuple[int, Sequence[Leg]]]) -> None:
    """The tables that the pricing models read: locks 'lock-0', 'lock-1', … that pay so many
    dollars, each leg a market and an outcome of its own."""
    legs: list[tuple[object, ...]] = []
    levels: list[tuple[object, ...]] = []
    for number, (_, sides) in enumerate(locks):
        for place, leg in enumerate(sides, 1):
            market = f"{leg.platform}:{number}-{place}"
            legs.append(
                (f"lock-{number}", place, market, leg.platform, leg.rate, leg.exponent, leg.minimum)
            )
            levels += [
                (f"{market}:0", level, price, size)
                for level, (price, size) in enumerate(leg.levels, 1)
            ]
    bundles: list[tuple[object, ...]] = [
        (f"lock-{number}", payout) for number, (payout, _) in enumerate(locks)
    ]
    tables: dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]] = {
        "legs": (
            ("lock_id", "leg_index", "market_id", "platform", "rate", "exponent", "minimum"),
            legs,
        ),
        "levels": (("outcome_id", "level_number", "price", "size"), levels),
        "payouts": (("lock_id", "payout"), bundles),
    }
    for name, (columns, rows) in tables.items():
        arrays = [pa.array(values) for values in zip(*rows, strict=True)]
        connection.register(f"given_{name}", pa.table(arrays, names=list(columns)))
    connection.execute(
        f"""
        create table silver.pricing_clock as select 1 as clock_id, timestamp '{NOW}' as as_of;
        create table silver.lock_legs as
            select
                lock_id || ':' || leg_index as leg_id, lock_id, 'bundle' as kind,
                null::varchar as tier,
                leg_index::integer as leg_index, market_id, market_id || ':0' as outcome_id,
                true as says_yes, platform, market_id as external_id,
                market_id as token_id, 'Yes' as label
            from given_legs;
        create table silver.markets as
            select distinct
                market_id, 'politics' as category, timestamp '{NOW}' + interval 10 days as end_at,
                timestamp '{NOW}' as last_seen_at,
                true as is_eligible, null::timestamp as expected_at, 'active' as venue_status
            from given_legs;
        create table silver.contract_terms as
            select market_id, date '2026-10-31' as window_ends_on from silver.markets;
        create table silver.outcome_books as
            select
                market_id || ':0' as outcome_id, market_id, null::varchar as rejection_reason,
                minimum::decimal(28, 8) as minimum_order_size, timestamp '{NOW}' as fetched_at
            from given_legs;
        create table silver.book_levels as
            select
                outcome_id, 'ask' as side, level_number, price::decimal(12, 8) as price,
                size::decimal(28, 8) as size
            from given_levels;
        create table silver.fee_schedules as
            select
                market_id, platform, rate::decimal(8, 6) as taker_rate,
                exponent::integer as exponent, 0.0001::decimal(6, 5) as rounding_step,
                null::varchar as unknown_reason,
                false as is_assumed, timestamp '{NOW}' as effective_from,
                null::timestamp as effective_until
            from given_legs;
        create schema bronze;
        create table bronze.sweeps (
            venue varchar, entity varchar, is_complete boolean, started_at timestamp
        );
        create table silver.pair_locks (
            lock_id varchar, pair_id varchar, relation varchar, direction varchar,
            reasoning varchar, score double, fungibility varchar, caveat_reasons varchar[],
            tier varchar
        );
        create table silver.bundle_locks as
            select
                lock_id, lock_id as event_key, 'yes_all' as direction, payout::integer as payout,
                false as is_across_venues
            from given_payouts;
        """
    )


def price(connection: duckdb.DuckDBPyConnection, models: Sequence[str] = PRICING) -> None:
    """Builds the pricing models."""
    queries = compiled_models(*FROM_BOOKS)[1]
    for name in models:
        connection.execute(f"create or replace table silver.{name} as {queries[name]}")


def taken(leg: Leg, contracts: int) -> list[tuple[Decimal, Decimal]] | None:
    """What an order takes of each level; null when there is less on offer."""
    left, fills = Decimal(contracts), []
    for level_price, size in leg.levels:
        fills.append((level_price, min(left, size)))
        left -= fills[-1][1]
        if not left:
            return fills
    return None


def up(amount: Decimal, step: str) -> Decimal:
    """An amount, up to the next step."""
    return amount.quantize(Decimal(step), ROUND_CEILING)


def worst_fee(leg: Leg, fills: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """The fee of one order: Kalshi a contract up to the sixth decimal, the order up to the cent,
    and a cent for each fill that is not of whole contracts at whole cents; Polymarket up to the
    fifth decimal for each level."""
    rates = [leg.rate * (cents * (1 - cents)) ** leg.exponent for cents, _ in fills]
    if leg.platform == "polymarket":
        return sum(
            (up(rate * size, "0.00001") for rate, (_, size) in zip(rates, fills, strict=True)),
            Decimal(0),
        )
    fees = sum(up(rate, "0.000001") * size for rate, (_, size) in zip(rates, fills, strict=True))
    uneven = sum(cents % Decimal("0.01") != 0 or size % 1 != 0 for cents, size in fills)
    return up(Decimal(fees), "0.01") + uneven * Decimal("0.01")


def charged(fills: Sequence[tuple[Decimal, Decimal]], rate: Decimal) -> Decimal:
    """The fee of one order of a Kalshi member who is not direct, fill by fill: each up to the
    sixth decimal, the balance moves by whole cents, and what it moved too far comes back with the
    next fill."""
    credit = paid = Decimal(0)
    for cents, size in fills:
        due = cents * size + up(rate * cents * (1 - cents) * size, "0.000001") - credit
        moved = up(due, "0.01")
        credit, paid = moved - due, paid + moved
    return paid - sum((cents * size for cents, size in fills), Decimal(0))


def smallest_order(leg: Leg) -> int:
    """In contracts: on Polymarket a dollar's worth too, at the best price."""
    if leg.platform == "kalshi":
        return leg.minimum
    return max(leg.minimum, int(up(1 / leg.levels[0][0], "1")))


def every_number(payout: int, legs: Sequence[Leg]) -> Iterable[Walked]:
    """What each number of contracts costs and earns, from the smallest order upwards."""
    contracts = max(smallest_order(leg) for leg in legs)
    while True:
        fills = [taken(leg, contracts) for leg in legs]
        known = [fill for fill in fills if fill is not None]
        if len(known) < len(legs):
            return
        cost = sum((cents * size for fill in known for cents, size in fill), Decimal(0))
        fees = sum(
            (worst_fee(leg, fill) for leg, fill in zip(legs, known, strict=True)), Decimal(0)
        )
        yield Walked(contracts, cost, fees, payout * contracts - cost - fees)
        contracts += 1


def reference(payout: int, legs: Sequence[Leg]) -> tuple[Walked, Walked] | None:
    """The number of contracts that earns most (the smallest of several), and the last one whose
    margin is above the threshold; null when none is."""
    walks = list(every_number(payout, legs))
    above = [walk for walk in walks if walk.profit > THRESHOLD * (walk.cost + walk.fees)]
    if not above:
        return None
    return max(walks, key=lambda walk: (walk.profit, -walk.contracts)), above[-1]
