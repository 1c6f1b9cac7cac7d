"""10,000 pairs, both ways to hold each, 20 levels a side: the pricing models, and a loop.

Run ``uv run python tests/benchmarks/lock_prices.py`` from the repository root; see the README
beside this file for what is measured and how.
"""

import argparse
import random
import statistics
import sys
import time
from decimal import Decimal
from math import ceil, floor
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from compiled_models import compiled_models, database
from lock_builds import FROM_BOOKS, Leg, fill, price

LEVELS = 20
TOLERANCE = 0.05  # dollars: the loop looks at ends of levels only, where a cent or two may be lost


def random_side(rng: random.Random, best: int) -> tuple[tuple[Decimal, Decimal], ...]:
    """Twenty offers from a price in cents upwards."""
    cents, levels = best, []
    for _ in range(LEVELS):
        levels.append((Decimal(cents) / 100, Decimal(rng.randint(100, 500_000)) / 100))
        cents += rng.randint(1, 2)
    return tuple(levels)


def random_pairs(pairs: int, share: float) -> list[tuple[int, list[Leg]]]:
    """Both ways to hold each pair: this share costs less than a dollar at the best prices."""
    rng = random.Random(7)
    locks = []
    for _ in range(2 * pairs):
        first = rng.randint(45, 55)
        second = 100 - first + (-rng.randint(2, 8) if rng.random() < share else rng.randint(0, 4))
        legs = [
            Leg("kalshi", Decimal("0.07"), random_side(rng, first)),
            Leg("polymarket", Decimal("0.04"), random_side(rng, second), 5),
        ]
        locks.append((1, legs))
    return locks


Ask = tuple[float, float, float]  # price, size, fee of one contract


def looped(locks: list[tuple[list[Ask], list[Ask]]]) -> list[float]:
    """The best profit of each lock at an end of a level: two pointers, in floats."""
    answers = []
    for kalshi, polymarket in locks:
        best = float("-inf")
        i = j = 0
        left, right = kalshi[0][1], polymarket[0][1]
        contracts = cost = model = settled = opened = 0.0
        uneven = int(kalshi[0][1] % 1 != 0)
        while True:
            step = min(left, right)
            contracts += step
            cost += step * (kalshi[i][0] + polymarket[j][0])
            model += step * kalshi[i][2]
            opened += step * polymarket[j][2]
            whole = floor(contracts + 1e-9)
            over = contracts - whole
            if whole >= 5:
                spent = cost - over * (kalshi[i][0] + polymarket[j][0])
                fee = ceil((model - over * kalshi[i][2]) * 100 - 1e-9) / 100 + uneven / 100
                other = settled + ceil((opened - over * polymarket[j][2]) * 1e5 - 1e-9) / 1e5
                best = max(best, whole - spent - fee - other)
            left, right = left - step, right - step
            if left <= 1e-9:
                i += 1
                if i == len(kalshi):
                    break
                left = kalshi[i][1]
                uneven += int(left % 1 != 0)
            if right <= 1e-9:
                settled, opened = settled + ceil(opened * 1e5 - 1e-9) / 1e5, 0.0
                j += 1
                if j == len(polymarket):
                    break
                right = polymarket[j][1]
        answers.append(best)
    return answers


def compare(connection: duckdb.DuckDBPyConnection, loop: list[float]) -> tuple[int, float]:
    """How many locks pay, and the largest difference of their profit."""
    rows = connection.execute(
        "select lock_id, best.profit from silver.lock_prices where is_opportunity"
    ).fetchall()
    differences = [abs(float(profit) - loop[int(name[5:])]) for name, profit in rows]
    return len(rows), max(differences)


def since(wall: float, processor: float) -> tuple[float, float]:
    """Seconds since then, by the clock and of the processor."""
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    """Times both, in turns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.1)
    options = parser.parse_args()
    locks = random_pairs(options.pairs, options.share)
    plain = [
        (
            [(float(p), float(s), float(leg.rate * p * (1 - p))) for p, s in leg.levels]
            for leg in sides
        )
        for _, sides in locks
    ]
    asks = [(kalshi, polymarket) for kalshi, polymarket in plain]
    compiled_models(*FROM_BOOKS)
    connection = database(*FROM_BOOKS)
    connection.execute("set threads = 2")
    fill(connection, locks)
    times: dict[str, list[tuple[float, float]]] = {"marketfinder": [], "python_loop": []}
    loop: list[float] = []
    for _ in range(options.rounds):
        start = time.perf_counter(), time.process_time()
        price(connection)
        times["marketfinder"].append(since(*start))
        start = time.perf_counter(), time.process_time()
        loop = looped(asks)
        times["python_loop"].append(since(*start))
    found, difference = compare(connection, loop)
    for name, taken in times.items():
        seconds, processor = zip(*taken, strict=True)
        print(
            f"{name:14} {statistics.median(seconds):6.2f} s (best {min(seconds):.2f} s),"
            f" processor {statistics.median(processor):.2f} s (best {min(processor):.2f} s)"
        )
    (sizes,) = connection.execute("select count(*) from silver.lock_sizes").fetchall()[0]
    (walks,) = connection.execute("select count(*) from silver.lock_walks").fetchall()[0]
    print(f"{len(locks):,} locks, {walks:,} level ends and {sizes:,} further numbers priced")
    print(f"{found:,} pay more than the threshold; largest difference {difference:.4f} dollars")
    assert difference <= TOLERANCE


if __name__ == "__main__":
    main()
