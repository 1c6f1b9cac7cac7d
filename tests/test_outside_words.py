"""Words that are not ours: blocking and the scorer's features on public record-linkage sets.

Each set has two sources and the pairs that are the same: two shops' products (Abt-Buy,
Amazon-Google), two libraries' papers (DBLP-ACM). Each is a universe here, a source a platform.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from compiled_models import compiled_models, database
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from python_models.kernels.pair_scorer_training import LabelledPairs, labelled_pairs, scored, train

MODELS = ("word_weights", "similar_pairs", "pair_features")

# The file and title column of either side, the descriptions, and the file of the true pairs.
SETS = {
    "abt_buy": ("Abt", "name", "Buy", "name", "description", "abt_buy_perfectMapping"),
    "amazon_google": (
        *("Amazon", "title", "GoogleProducts", "name", "description"),
        "Amzon_GoogleProducts_perfectMapping",
    ),
    "dblp_acm": ("DBLP2", "title", "ACM", "title", "null", "DBLP-ACM_perfectMapping"),
}
WORDS = "silver.telling_words(silver.normalised_text(title), map([''], ['']))"
# Three characters at a time, over the words of the title.
GRAMS = """
list_transform(
    range(1, length(plain) - 1), lambda place: '3 ' || substring(plain, place, 3)
)
"""


@pytest.fixture(scope="module")
def outside(shared_data: Path) -> duckdb.DuckDBPyConnection:
    """The listings of all sets, each a universe, and the true pairs."""
    connection = database(*MODELS)
    connection.execute(
        "create table listings"
        " (universe text, platform text, market_id text, title text, description text);"
        "create table truth (universe text, kalshi text, polymarket text)"
    )
    options = "all_varchar = true, header = true, encoding = 'latin-1'"
    for universe, (left, left_title, right, right_title, description, mapping) in SETS.items():
        folder = shared_data / "entity_matching" / universe
        for platform, file, title in (
            ("kalshi", left, left_title),
            ("polymarket", right, right_title),
        ):
            connection.execute(
                f"insert into listings select '{universe}', '{platform}',"
                f" concat_ws(' ', '{universe}', '{platform}', id), {title}, {description}"
                f" from read_csv('{folder}/{file}.csv.gz', {options})"
            )
        connection.execute(
            f"insert into truth select '{universe}',"
            f" '{universe} kalshi ' || mapped.one, '{universe} polymarket ' || mapped.other"
            f" from (from read_csv('{folder}/{mapping}.csv.gz', {options})) as mapped (one, other)"
        )
    return connection


def create_tables(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    """The tables of these models."""
    for name in names:
        query = compiled_models(*MODELS)[1][name]
        connection.execute(f"create or replace table silver.{name} as {query}")


def block(connection: duckdb.DuckDBPyConnection, words: str) -> None:
    """Makes silver.similar_pairs by these words of the title."""
    connection.execute(
        f"""
        create or replace table silver.market_words as
        select * exclude (title, description, plain), list_distinct({words}) as words
        from (
            select *, ' ' || array_to_string(
                regexp_extract_all(lower(strip_accents(title)), '[a-z0-9]+'), ' '
            ) || ' ' as plain
            from listings
        )
        """
    )
    create_tables(connection, "word_weights", "similar_pairs")


# -- blocking --------------------------------------------------------------------------------------


def recalls(connection: duckdb.DuckDBPyConnection, words: str) -> dict[str, float]:
    """The share of the true pairs of each set that is found by these words of the title."""
    block(connection, words)
    rows = connection.execute(
        "select truth.universe, avg(if(pairs.similarity is null, 0, 1)) from truth"
        " left join silver.similar_pairs as pairs on truth.kalshi = pairs.kalshi_market_id"
        " and truth.polymarket = pairs.polymarket_market_id group by all"
    ).fetchall()
    return dict(rows)


def test_words_find_the_true_pairs_of_others(outside: duckdb.DuckDBPyConnection) -> None:
    """Title only, ten each way."""
    found = recalls(outside, WORDS)
    assert found["abt_buy"] >= 0.96
    assert found["amazon_google"] >= 0.99
    assert found["dblp_acm"] >= 0.999


def test_with_parts_of_words_hardly_any_is_lost(outside: duckdb.DuckDBPyConnection) -> None:
    """Every three characters of the title count as words too."""
    found = recalls(outside, f"{WORDS} || {GRAMS}")
    assert found["abt_buy"] >= 0.99
    assert found["amazon_google"] >= 0.995
    assert found["dblp_acm"] >= 0.999


# -- the scorer ------------------------------------------------------------------------------------

# A product has no window, amount or marker: the features of those are the same for all pairs, and
# the trainer leaves them out. Its title is the topic, its description the rules.
AS_CONTRACTS = f"""
create or replace table silver.contract_terms as
select
    universe, platform, market_id, topic_words, rules_words, title_names,
    topic_words as ordered_words, silver.word_key(topic_words) as word_key,
    []::text[] as event_topic_words, []::text[] as subject_words, []::text[] as markers,
    [[]]::text[][] as outcome_words, null::date as window_ends_on, false as is_game,
    'binary' as event_type, null::text as outlook
from (
    select
        universe, platform, market_id, {WORDS} as topic_words,
        list_distinct({WORDS.replace("title", "description")}) as rules_words,
        list_distinct({WORDS.replace("title", "silver.names(title)")}) as title_names
    from listings
    where universe = 'abt_buy'
);
create or replace table silver.candidate_pairs as
select kalshi_market_id || ' | ' || polymarket_market_id as pair_id, *
from silver.similar_pairs
where universe = 'abt_buy';
create or replace table silver.filtered_pairs as select pair_id from silver.candidate_pairs;
create or replace table silver.related_pairs as
select pair_id, '' as veto_code, false as is_negated from silver.filtered_pairs limit 0;
create or replace table silver.pair_sides as
select *, 'none' as amounts, 'same' as orientation, 0 as polymarket_outcome_index
from silver.candidate_pairs;
create or replace table silver.pair_doubts as
select pair_id, []::text[] as doubts, []::text[] as own_words from silver.candidate_pairs;
create or replace view silver.labels as select null as pair_id, '' as event_group, '' as universe;
create or replace view silver.harmless_words as select '' as word, []::text[] as event_groups;
"""

FOLDS = 5


@pytest.fixture(scope="module")
def products(outside: duckdb.DuckDBPyConnection) -> pa.Table:
    """The features of what blocking finds of Abt-Buy, whether it is the same, and a fold by Abt's
    product: no product is in two folds."""
    block(outside, f"{WORDS} || {GRAMS}")
    outside.execute(AS_CONTRACTS)
    create_tables(outside, "pair_features")
    return outside.sql(
        "select kalshi_market_id as event_group, truth.kalshi is not null as target,"
        f" abs(md5_number_lower(kalshi_market_id) % {FOLDS})::int as fold, features.*"
        " from silver.pair_features as features"
        " inner join silver.candidate_pairs as pairs on features.pair_id = pairs.pair_id"
        " left join truth on pairs.kalshi_market_id = truth.kalshi"
        " and pairs.polymarket_market_id = truth.polymarket order by features.pair_id"
    ).to_arrow_table()


def splits(pairs: pa.Table, fold: int) -> pa.Table:
    """One fold to measure, the next to choose the threshold with, the other three to train on."""
    folds = pairs["fold"].to_numpy()
    names = ["train", "held_out", "valid"]
    chosen = np.where(folds == fold, 1, np.where(folds == (fold + 1) % FOLDS, 2, 0))
    return pairs.drop_columns("fold").append_column("split", [[names[one] for one in chosen]])


Scores = Callable[[LabelledPairs], NDArray[np.float64]]


def regression(pairs: pa.Table) -> Scores:
    """The project's own scorer."""
    scorer = train(pairs, date(2026, 11, 21))
    return lambda some: scored(scorer, some)


def trees(pairs: pa.Table) -> Scores:
    """What can be read from the same features at all: boosted trees need no straight lines."""
    seen = labelled_pairs(pairs, "train")
    model = HistGradientBoostingClassifier(
        max_iter=120, max_leaf_nodes=15, l2_regularization=1, random_state=0
    ).fit(seen.features, seen.targets)
    return lambda some: model.predict_proba(some.features)[:, 1]


def best_cut(scores: NDArray[np.float64], targets: NDArray[np.bool_]) -> float:
    """Between the two scores where F1 is greatest."""
    order = np.argsort(-scores, kind="stable")
    f1 = np.cumsum(targets[order]) / (np.arange(1, len(order) + 1) + targets.sum())
    best = int(np.argmax(f1))
    return float(scores[order[best : best + 2]].mean())


def f1_of(pairs: pa.Table, fit: Callable[[pa.Table], Scores], true_pairs: int = 1_097) -> float:
    """F1 of all folds together, each unseen by its scorer; what blocking lost is lost."""
    right = called = 0
    for fold in range(FOLDS):
        table = splits(pairs, fold)
        valid, unseen = (labelled_pairs(table, split) for split in ("valid", "held_out"))
        scores = fit(table)
        is_called = scores(unseen) >= best_cut(scores(valid), valid.targets)
        called += int(is_called.sum())
        right += int((is_called & unseen.targets).sum())
    return 2 * right / (called + true_pairs)


@pytest.mark.slow
def test_the_scorer_learns_products_by_the_same_features(products: pa.Table) -> None:
    assert f1_of(products, regression) >= 0.85


@pytest.mark.slow
def test_what_it_misses_is_in_the_features(products: pa.Table) -> None:
    """Where it cannot see that there is a better match, trees do little better: a model number
    is read in pieces ("KX-TG9333T" as kx, tg, 9333, t)."""
    alone = products.drop_columns("is_more_alike_elsewhere")
    assert f1_of(alone, regression) >= 0.63
    assert f1_of(alone, trees) <= 0.72
