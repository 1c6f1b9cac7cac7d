"""The scorer of pairs: its arithmetic against a plain twin, its file, its training from labels."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipelines import ask

from ingestion.errors import ScorerError
from ingestion.training import TRAINING_PAIRS, train_scorer, training_pairs
from ingestion.warehouse import open_warehouse
from python_models.kernels.pair_scorer import (
    INTERCEPT,
    Calibration,
    PairScorer,
    load_scorer,
    score_pairs,
    scores_schema,
    version_of,
)
from python_models.kernels.pair_scorer_training import (
    HELD_OUT,
    LEAST_EXPECTED_PRECISION,
    LEAST_PRECISION,
    TRAIN,
    average_precision,
    chosen_threshold,
    labelled_pairs,
    measured,
    train,
)

DAY = date(2026, 11, 21)
NAMES = ("words_shared", "names_untold", "is_in_order")


def scorer_of(
    coefficients: Sequence[tuple[float, float, float]],
    intercept: float = 0.4,
    slope: float = 1.0,
    offset: float = 0.0,
) -> PairScorer:
    """A scorer of given means, scales and coefficients; the metrics are those of no pairs."""
    metrics = {
        **dict.fromkeys(("pairs", "equal_pairs", "groups"), 1),
        **dict.fromkeys(("precision", "recall", "average_precision", "brier_score"), 1.0),
        "log_loss": 0.0,
    }
    content: dict[str, Any] = {
        "features": [
            dict(zip(("mean", "scale", "coefficient"), map(float, numbers), strict=True))
            | {"name": f"feature_{place}"}
            for place, numbers in enumerate(coefficients)
        ],
        "intercept": float(intercept),
        "calibration": {"slope": float(slope), "offset": float(offset)},
        "trained_on": str(DAY),
        "training_sha256": "0" * 64,
        "held_out_sha256": "1" * 64,
        "penalty_strength": 1.0,
        "threshold": 0.5,
        "cross_validated": metrics,
        "held_out": metrics,
    }
    return PairScorer(version=version_of(content), **content)


def table_of(rows: Sequence[Sequence[float]], names: Sequence[str]) -> pa.Table:
    """Pairs with these features."""
    columns = {name: pa.array([row[place] for row in rows]) for place, name in enumerate(names)}
    return pa.table({"pair_id": [f"pair {number}" for number in range(len(rows))], **columns})


def slow_score(row: Sequence[float], scorer: PairScorer) -> Decimal:
    """A score, a feature at a time, in decimals of 60 digits."""
    with localcontext() as context:
        context.prec = 60
        total = Decimal(scorer.intercept)
        for value, feature in zip(row, scorer.features, strict=True):
            distance = (Decimal(value) - Decimal(feature.mean)) / Decimal(feature.scale)
            total += Decimal(feature.coefficient) * distance
        log_odds = Decimal(scorer.calibration.offset) + Decimal(scorer.calibration.slope) * total
        return 1 / (1 + (-log_odds).exp())


shares = st.floats(0, 1)
numbers = st.floats(-5, 5)
scales = st.floats(0.01, 2)


@given(
    coefficients=st.lists(st.tuples(shares, scales, numbers), min_size=1, max_size=6),
    intercept=numbers,
    slope=st.floats(0.01, 3),
    offset=numbers,
    data=st.data(),
)
def test_scores_are_those_of_the_slow_twin(
    coefficients: list[tuple[float, float, float]],
    intercept: float,
    slope: float,
    offset: float,
    data: st.DataObject,
) -> None:
    scorer = scorer_of(coefficients, intercept, slope, offset)
    width = len(coefficients)
    row = st.lists(shares, min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    found = score_pairs(table_of(rows, scorer.names), scorer)
    assert found.schema == scores_schema(scorer)
    for number, one in enumerate(found.to_pylist()):
        assert one["pair_id"] == f"pair {number}"
        assert 0 <= one["score"] <= 1
        assert one["score"] == pytest.approx(float(slow_score(rows[number], scorer)), abs=1e-12)
        # What a person is shown adds up to what the score is.
        log_odds = sum(one["contributions"].values())
        assert one["score"] == pytest.approx(0.5 * (1 + np.tanh(log_odds / 2)), abs=1e-12)
    # A pair's score does not depend on the pairs beside it.
    alone = [score_pairs(table_of([one], scorer.names), scorer)["score"][0].as_py() for one in rows]
    assert alone == found["score"].to_pylist()


def test_a_pair_like_the_mean_has_the_intercept_only() -> None:
    scorer = scorer_of([(0.25, 0.5, 2.0), (0.5, 0.25, -1.0)], slope=2.0, offset=-0.5)
    (pair,) = score_pairs(table_of([(0.25, 0.5)], scorer.names), scorer).to_pylist()
    assert pair["contributions"] == pytest.approx({INTERCEPT: 0.3, "feature_0": 0, "feature_1": 0})


@given(st.lists(numbers, min_size=2, max_size=20), st.floats(0.01, 3), numbers)
def test_calibration_keeps_the_order(log_odds: list[float], slope: float, offset: float) -> None:
    rows = [(value,) for value in sorted(log_odds)]
    calibrated = score_pairs(
        table_of(rows, ["feature_0"]), scorer_of([(0, 1, 1)], 0, slope, offset)
    )["score"].to_pylist()
    assert calibrated == sorted(calibrated)
    with pytest.raises(ValueError, match="greater than 0"):
        Calibration(slope=-slope, offset=offset)


@pytest.mark.parametrize("wrong", [None, float("nan"), float("inf")])
def test_a_feature_without_a_value_is_an_error(wrong: float | None) -> None:
    pairs = table_of([(0.5,), (wrong,)], ["feature_0"])  # type: ignore[list-item]
    with pytest.raises(ScorerError, match="feature_0 of pair 1 is null or no finite number"):
        score_pairs(pairs, scorer_of([(0, 1, 1)]))


def test_an_absent_feature_is_an_error() -> None:
    with pytest.raises(ScorerError, match=r"feature_1.*marketfinder train"):
        score_pairs(table_of([(0.5,)], ["feature_0"]), scorer_of([(0, 1, 1), (0, 1, 1)]))


def test_no_pairs_have_no_scores() -> None:
    scorer = scorer_of([(0, 1, 1)])
    none = pa.table({"pair_id": pa.array([], pa.string()), "feature_0": pa.array([], pa.float64())})
    assert score_pairs(none, scorer).num_rows == 0


# -- the file ----------------------------------------------------------------------------------


def edited(change: Any) -> bytes:
    """An artefact with one thing changed."""
    content = scorer_of([(0.5, 0.25, 1.0)]).model_dump(mode="json")
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file: Invalid JSON"),
        (b"<<<<<<< HEAD\n", "the file: Invalid JSON"),
        (edited(lambda file: file.pop("intercept")), "intercept: Field required"),
        (edited(lambda file: file.update(more=1)), "more: Extra inputs"),
        (edited(lambda file: file.update(threshold=1.5)), "threshold: Input should be less than 1"),
        (
            edited(lambda file: file["features"][0].update(scale=0)),
            "features.0.scale: Input should be greater than 0",
        ),
        (edited(lambda file: file.update(threshold=0.6)), "somebody has edited it"),
        (
            edited(lambda file: file["features"][0].update(coefficient=9.0)),
            "somebody has edited it",
        ),
        (
            edited(lambda file: file["features"].append(file["features"][0])),
            "two features have one name",
        ),
    ],
)
def test_a_file_that_is_not_right_is_an_error(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "scorer.json"
    path.write_bytes(content)
    with pytest.raises(ScorerError) as raised:
        load_scorer(path)
    assert problem in str(raised.value)
    assert str(path) in str(raised.value)
    assert "marketfinder train" in str(raised.value)


def test_a_file_that_is_absent_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScorerError, match=r"is not there.*marketfinder train"):
        load_scorer(tmp_path / "scorer.json")


# -- training ----------------------------------------------------------------------------------


def drawn_pairs(seed: int, pairs: int = 240, noise: float = 0.5) -> pa.Table:
    """Pairs of a known law: the shared words speak for a pair, names of one side against it, and
    the third feature is chance."""
    random = np.random.default_rng(seed)
    features = random.random((pairs, 3)).round(3)
    log_odds = 6 * (features[:, 0] - features[:, 1]) + noise * random.logistic(size=pairs)
    split = np.where(np.arange(pairs) % 60 < 30, TRAIN, HELD_OUT)
    return pa.table(
        {
            "pair_id": [f"pair {number:03}" for number in range(pairs)],
            "event_group": [f"group {number // 3}" for number in range(pairs)],
            "split": split,
            "target": log_odds > 0,
            **dict(zip(NAMES, features.T, strict=True)),
        }
    )


@pytest.fixture(scope="module")
def trained() -> PairScorer:
    """A scorer of drawn pairs."""
    return train(drawn_pairs(1), DAY)


def test_training_finds_the_law(trained: PairScorer) -> None:
    shared, untold, _ = (feature.coefficient for feature in trained.features)
    assert shared > 0.5
    assert untold < -0.5
    assert trained.held_out.average_precision > 0.9
    assert trained.cross_validated.precision is not None
    assert trained.cross_validated.precision >= LEAST_PRECISION


def test_training_is_the_same_whatever_the_order_of_the_pairs(trained: PairScorer) -> None:
    pairs = drawn_pairs(1)
    shuffled = pairs.take(np.random.default_rng(0).permutation(pairs.num_rows))
    again = train(shuffled, date(2030, 1, 1))
    assert again.model_dump(exclude={"trained_on"}) == trained.model_dump(exclude={"trained_on"})


def test_a_feature_counts_as_it_is_meant_or_not_at_all() -> None:
    """What only one side says cannot speak for a pair, even where the labels do by chance."""
    pairs = drawn_pairs(1).rename_columns(
        ["pair_id", "event_group", "split", "target", "words_alone", "names_shared", "is_in_order"]
    )
    assert [feature.coefficient for feature in train(pairs, DAY).features[:2]] == [0, 0]


def test_metrics_are_measured_on_the_pairs_of_their_split(trained: PairScorer) -> None:
    pairs = drawn_pairs(1)
    held_out = pairs.filter(pa.compute.equal(pairs["split"], HELD_OUT))
    scores = score_pairs(held_out, trained)["score"].to_pylist()
    targets = held_out["target"].to_pylist()
    above = [
        target for score, target in zip(scores, targets, strict=True) if score >= trained.threshold
    ]
    assert trained.held_out.pairs == len(targets)
    assert trained.held_out.precision == pytest.approx(sum(above) / len(above), abs=1e-6)
    assert trained.held_out.recall == pytest.approx(sum(above) / sum(targets), abs=1e-6)
    errors = [(score - target) ** 2 for score, target in zip(scores, targets, strict=True)]
    assert trained.held_out.brier_score == pytest.approx(sum(errors) / len(errors), abs=1e-6)


@given(st.lists(st.tuples(st.integers(1, 99), st.booleans()), min_size=1, max_size=40))
def test_the_threshold_is_the_lowest_that_is_precise(drawn: list[tuple[int, bool]]) -> None:
    scores = np.array([score / 100 for score, _ in drawn])
    targets = np.array([target for _, target in drawn])
    threshold = chosen_threshold(scores, targets)

    def passed(cut: float) -> tuple[int, int]:
        return int(targets[scores >= cut].sum()), int((scores >= cut).sum())

    def expected(cut: float) -> float:
        return float(scores[scores >= cut].mean())

    # Every cut there is, one by one.
    precise = [
        passed(cut)[0]
        for cut in sorted(set(scores.tolist()))
        if passed(cut)[0] >= LEAST_PRECISION * passed(cut)[1]
        and expected(cut) >= LEAST_EXPECTED_PRECISION
    ]
    right, found = passed(threshold)
    assert right == max(precise, default=0)
    assert right >= LEAST_PRECISION * found
    assert 0 < threshold < 1


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30))
def test_average_precision_is_that_of_the_slow_twin(drawn: list[tuple[int, bool]]) -> None:
    total = sum(target for _, target in drawn)
    if not total:
        return
    expected = 0.0
    before = 0
    for cut in sorted({score for score, _ in drawn}, reverse=True):
        found = [target for score, target in drawn if score >= cut]
        expected += (sum(found) - before) / total * sum(found) / len(found)
        before = sum(found)
    scores = np.array([score for score, _ in drawn], dtype=float)
    targets = np.array([target for _, target in drawn])
    assert average_precision(scores, targets) == pytest.approx(expected)


def test_a_better_scorer_stays(tmp_path: Path) -> None:
    path = tmp_path / "scorer.json"
    pairs = drawn_pairs(1)
    better = train_scorer(pairs, DAY, path=path)
    assert better.is_written
    written = path.read_bytes()
    assert load_scorer(path) == better.scorer
    same = train_scorer(pairs, date(2030, 1, 1), path=path)
    assert (same.is_written, "this scorer already" in same.note) == (False, True)
    assert path.read_bytes() == written

    # The same held-out pairs; of the training pairs only few, and half of these mislabelled.
    held_out = np.array(pairs["split"].to_pylist()) == HELD_OUT
    few = held_out | (np.arange(pairs.num_rows) % 60 < 12)
    swapped = np.array(pairs["target"].to_pylist()) ^ (~held_out & (np.arange(len(few)) % 2 == 0))
    worse = pairs.set_column(3, "target", pa.array(swapped)).filter(pa.array(few))
    with pytest.raises(ScorerError, match=r"worse than the one in .* stays.*--force"):
        train_scorer(worse, DAY, path=path)
    assert path.read_bytes() == written
    assert train_scorer(worse, DAY, path=path, is_forced=True).is_written
    assert train_scorer(pairs, DAY, path=path).is_written
    assert path.read_bytes() == written


def test_a_file_that_is_not_right_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "scorer.json"
    path.write_text("<<<<<<< HEAD")
    training = train_scorer(drawn_pairs(1), DAY, path=path)
    assert "a file that was not right" in training.note
    assert load_scorer(path) == training.scorer


def test_pairs_of_one_kind_are_no_training_set() -> None:
    pairs = drawn_pairs(1)
    equal_only = pairs.filter(pairs["target"])
    with pytest.raises(ScorerError, match="pairs of both kinds"):
        train(equal_only, DAY)


# -- the labels --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def label_features(demo_build: Path) -> pa.Table:
    """The labelled pairs with their features: in every warehouse the same."""
    with open_warehouse(demo_build, read_only=True) as connection:
        return connection.sql(TRAINING_PAIRS).to_arrow_table()


def test_the_scorer_is_that_of_the_labels(label_features: pa.Table) -> None:
    scorer = load_scorer()
    for split, sha256 in ((TRAIN, scorer.training_sha256), (HELD_OUT, scorer.held_out_sha256)):
        assert labelled_pairs(label_features, split).sha256 == sha256, (
            "The labels, or the features made of them, are not those that python_models/"
            "pair_scorer.json was trained on: run `uv run marketfinder train`, with --force if the"
            " scorer before is the better one on the new pairs, and commit the file."
        )
    assert measured(scorer, labelled_pairs(label_features, HELD_OUT)) == scorer.held_out


@pytest.mark.slow
def test_the_seeds_alone_are_enough(label_features: pa.Table, tmp_path: Path) -> None:
    """`marketfinder train` on a fresh clone gives what is in the repository."""
    pairs = training_pairs()
    assert pairs.sort_by("pair_id") == label_features.sort_by("pair_id")
    training = train_scorer(pairs, DAY, path=tmp_path / "scorer.json")
    assert training.scorer.version == load_scorer().version
    assert len(training.misleading) > 0
    assert not set(dict(training.misleading)) & set(
        pairs.filter(pairs["target"])["pair_id"].to_pylist()
    )


def test_scores_of_a_build(demo_build: Path) -> None:
    rows = ask(
        demo_build,
        "select score, threshold, scorer_version, contributions, features"
        " from silver.pair_scores inner join silver.pair_features as features using (pair_id)",
    )
    assert rows
    scorer = load_scorer()
    for score, threshold, version, contributions, features in rows:
        assert (threshold, version) == (scorer.threshold, scorer.version)
        assert set(contributions) == {INTERCEPT, *scorer.names}
        values = [features[name] for name in scorer.names]
        assert score == pytest.approx(float(slow_score(values, scorer)), abs=1e-9)
    counts = "select (select count(*) from silver.pair_features), count(*) from silver.pair_scores"
    ((features, scores),) = ask(demo_build, counts)
    assert features == scores
    kept = ask(demo_build, "select scorer_version, held_out_recall from silver.pair_scorers")
    assert kept == [(scorer.version, scorer.held_out.recall)]
