"""Blocking by words: against a plain slow twin, and the same in any order."""

import math
import random
from collections import Counter, defaultdict
from itertools import combinations

import duckdb
import pyarrow as pa
import pytest
from compiled_models import compiled_models, database

MODELS = ("word_weights", "similar_pairs")
TOP, MOST_PAIRS, COMMON_WORDS = 10, 1000, 5  # vars of dbt_project.yml

Listing = tuple[str, str, str]  # universe, platform, market_id


def similar_pairs(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """The similarity of each pair that the models find in silver.market_words."""
    for name, query in compiled_models(*MODELS)[1].items():
        connection.execute(f"create or replace table silver.{name} as {query}")
    rows = connection.execute(
        "select kalshi_market_id, polymarket_market_id, similarity from silver.similar_pairs"
    ).fetchall()
    return {(kalshi, polymarket): similarity for kalshi, polymarket, similarity in rows}


# -- the plain slow twin ---------------------------------------------------------------------------


def random_listings(seed: int) -> dict[Listing, list[str]]:
    """Listings of two universes whose words are few and common, or many and rare."""
    rng = random.Random(seed)
    common = [f"common{number}" for number in range(12)]
    rare = [f"rare{number}" for number in range(300)]
    listings = {}
    for universe, size in (("live", 90), ("labelled", 40)):
        for platform in ("kalshi", "polymarket"):
            for number in range(size):
                words = rng.sample(common, rng.randint(0, 7)) + rng.sample(rare, rng.randint(0, 3))
                listings[(universe, platform, f"{platform}:{universe}-{number:03}")] = words
    return listings


def fill(connection: duckdb.DuckDBPyConnection, listings: dict[Listing, list[str]]) -> None:
    """Makes silver.market_words of them."""
    columns = [*zip(*listings, strict=True), list(listings.values())]
    connection.register(
        "given",
        pa.table(list(map(pa.array, columns)), ["universe", "platform", "market_id", "words"]),
    )
    connection.execute("create or replace table silver.market_words as from given")


def slowly(listings: dict[Listing, list[str]]) -> dict[tuple[str, str], float]:
    """What similar_pairs is to find, pair by pair."""
    found = {}
    for universe in {universe for universe, _, _ in listings}:
        sides: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for (where, platform, market), words in listings.items():
            if where == universe:
                sides[platform][market] = words
        counts = {
            side: Counter(word for words in markets.values() for word in words)
            for side, markets in sides.items()
        }
        size = sum(map(len, sides.values()))
        product = {
            word: counts["kalshi"][word] * counts["polymarket"][word]
            for word in counts["kalshi"] | counts["polymarket"]
        }
        points = {
            word: round(
                1e6
                * round(
                    math.log((size + 1) / (counts["kalshi"][word] + counts["polymarket"][word])), 9
                )
                ** 2
            )
            for word in product
        }

        def keys(words: list[str], product: dict[str, int] = product) -> set[tuple[str, ...]]:
            rare = {(word,) for word in words if 1 <= product[word] <= MOST_PAIRS}
            common = sorted(
                (word for word in words if product[word] > MOST_PAIRS),
                key=lambda word: (product[word], word),
            )
            return rare | set(combinations(sorted(common[:COMMON_WORDS]), 2))

        holders = {
            side: Counter(key for words in markets.values() for key in keys(words))
            for side, markets in sides.items()
        }
        scores = {}
        for kalshi, ours in sides["kalshi"].items():
            for polymarket, theirs in sides["polymarket"].items():
                if any(
                    holders["kalshi"][key] * holders["polymarket"][key] <= MOST_PAIRS
                    for key in keys(ours) & keys(theirs)
                ):
                    length = sum(points[word] for word in ours) * sum(
                        points[word] for word in theirs
                    )
                    shared = sum(points[word] for word in set(ours) & set(theirs))
                    scores[kalshi, polymarket] = shared / math.sqrt(length)
        for (kalshi, polymarket), score in scores.items():
            ranks = [
                1
                + sum(
                    (-other, pair[1 - side]) < (-score, (kalshi, polymarket)[1 - side])
                    for pair, other in scores.items()
                    if pair[side] == (kalshi, polymarket)[side]
                )
                for side in (0, 1)
            ]
            if min(ranks) <= TOP:
                found[kalshi, polymarket] = score
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_pairs_are_those_of_the_slow_twin(seed: int) -> None:
    listings = random_listings(seed)
    connection = database(*MODELS)
    fill(connection, listings)
    ours, theirs = similar_pairs(connection), slowly(listings)
    assert len(theirs) > 500
    assert ours.keys() == theirs.keys()
    for pair, score in theirs.items():
        assert ours[pair] == pytest.approx(score, rel=1e-12)


def test_order_and_threads_change_nothing() -> None:
    listings = random_listings(4)
    answers = []
    for threads, reverse in ((1, False), (4, True)):
        connection = database(*MODELS)
        connection.execute(f"set threads = {threads}")
        fill(connection, dict(sorted(listings.items(), reverse=reverse)))
        answers.append(similar_pairs(connection))
    assert answers[0] == answers[1]
    assert answers[0]
