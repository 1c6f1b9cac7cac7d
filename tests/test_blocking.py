"""Blocking by words: on outside words, against a plain slow twin, and the same in any order."""

import math
import random
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from compiled_models import compiled_models, database

MODELS = ("word_weights", "similar_pairs")
TOP, MOST_PAIRS, COMMON_WORDS = 10, 1000, 5  # vars of dbt_project.yml

# Public record-linkage sets: the file and title column of either side, and the true pairs.
SETS = {
    "abt_buy": ("Abt", "name", "Buy", "name", "abt_buy_perfectMapping"),
    "amazon_google": (
        *("Amazon", "title", "GoogleProducts", "name"),
        "Amzon_GoogleProducts_perfectMapping",
    ),
    "dblp_acm": ("DBLP2", "title", "ACM", "title", "DBLP-ACM_perfectMapping"),
}
WORDS = "silver.telling_words(silver.normalised_text(title), map([''], ['']))"
# Three characters at a time, over the words of the title.
GRAMS = """
list_transform(
    range(1, length(plain) - 1), lambda place: '3 ' || substring(plain, place, 3)
)
"""

Listing = tuple[str, str, str]  # universe, platform, market_id


def similar_pairs(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], tuple[float, ...]]:
    """Similarity and both ranks of each pair that the models find in silver.market_words."""
    for name, query in compiled_models(*MODELS)[1].items():
        connection.execute(f"create or replace table silver.{name} as {query}")
    rows = connection.execute(
        "select kalshi_market_id, polymarket_market_id, similarity, kalshi_rank, polymarket_rank"
        " from silver.similar_pairs"
    ).fetchall()
    return {(kalshi, polymarket): tuple(rest) for kalshi, polymarket, *rest in rows}


# -- outside words ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def titles(shared_data: Path) -> duckdb.DuckDBPyConnection:
    """The titles of all sets, each a universe, and the true pairs."""
    connection = database(*MODELS)
    connection.execute(
        "create table titles (universe text, platform text, market_id text, title text);"
        "create table truth (universe text, kalshi text, polymarket text)"
    )
    options = "all_varchar = true, header = true, encoding = 'latin-1'"
    for universe, (left, left_title, right, right_title, mapping) in SETS.items():
        folder = shared_data / "entity_matching" / universe
        for platform, file, title in (
            ("kalshi", left, left_title),
            ("polymarket", right, right_title),
        ):
            connection.execute(
                f"insert into titles select '{universe}', '{platform}',"
                f" concat_ws(' ', '{universe}', '{platform}', id), {title}"
                f" from read_csv('{folder}/{file}.csv.gz', {options})"
            )
        connection.execute(
            f"insert into truth select '{universe}',"
            f" '{universe} kalshi ' || mapped.one, '{universe} polymarket ' || mapped.other"
            f" from (from read_csv('{folder}/{mapping}.csv.gz', {options})) as mapped (one, other)"
        )
    return connection


def recalls(connection: duckdb.DuckDBPyConnection, words: str) -> dict[str, float]:
    """The share of the true pairs of each set that is found by these words of the title."""
    connection.execute(
        f"""
        create or replace table silver.market_words as
        select * exclude (title, plain), list_distinct({words}) as words
        from (
            select *, ' ' || array_to_string(
                regexp_extract_all(lower(strip_accents(title)), '[a-z0-9]+'), ' '
            ) || ' ' as plain
            from titles
        )
        """
    )
    similar_pairs(connection)
    rows = connection.execute(
        "select truth.universe, avg(if(pairs.similarity is null, 0, 1)) from truth"
        " left join silver.similar_pairs as pairs on truth.kalshi = pairs.kalshi_market_id"
        " and truth.polymarket = pairs.polymarket_market_id group by all"
    ).fetchall()
    return dict(rows)


def test_words_find_the_true_pairs_of_others(titles: duckdb.DuckDBPyConnection) -> None:
    """Title only, ten each way."""
    found = recalls(titles, WORDS)
    assert found["abt_buy"] >= 0.96
    assert found["amazon_google"] >= 0.99
    assert found["dblp_acm"] >= 0.999


def test_with_parts_of_words_hardly_any_is_lost(titles: duckdb.DuckDBPyConnection) -> None:
    """Every three characters of the title count as words too."""
    found = recalls(titles, f"{WORDS} || {GRAMS}")
    assert found["abt_buy"] >= 0.99
    assert found["amazon_google"] >= 0.995
    assert found["dblp_acm"] >= 0.999


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


def slowly(listings: dict[Listing, list[str]]) -> dict[tuple[str, str], tuple[float, ...]]:
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
                found[kalshi, polymarket] = (score, *ranks)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_pairs_are_those_of_the_slow_twin(seed: int) -> None:
    listings = random_listings(seed)
    connection = database(*MODELS)
    fill(connection, listings)
    ours, theirs = similar_pairs(connection), slowly(listings)
    assert len(theirs) > 500
    assert ours.keys() == theirs.keys()
    for pair, (score, *ranks) in theirs.items():
        assert ours[pair][0] == pytest.approx(score, rel=1e-12)
        assert list(ours[pair][1:]) == ranks


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
