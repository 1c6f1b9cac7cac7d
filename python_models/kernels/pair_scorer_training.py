"""Makes a scorer of pairs from labelled ones: a logistic regression that has to explain itself.

Everything that is chosen is chosen by cross-validation on the training pairs, whole event groups
at a time: pairs about one event resemble each other, and one in the training part would give
another away. Held-out pairs are only measured.

* **Signs.** A feature named ``..._untold``, ``..._alone`` or ``..._of_one`` says what only one side
  says, one named ``..._elsewhere`` that there is a better match: they may only count against a
  pair, all others only for it. With few pairs chance often says otherwise; such a feature is left
  out (coefficient 0), the most wrong first, and the rest is fitted again.
* **Penalty.** The strength of the ridge penalty with the least logarithmic loss.
* **Calibration.** Slope and offset of Platt (1999), where they lower the Brier score of pairs that
  they were not fitted on. Isotonic regression would be a staircase of a few steps on a few hundred
  pairs, and the pairs of one step could not be put in an order.
* **Threshold.** The cut with the greatest recall at which the precision of the pairs above it is
  at least ``LEAST_PRECISION``, and their mean score at least ``LEAST_EXPECTED_PRECISION``: between
  the last score above and the first below, three quarters of the way up in log-odds.

The same pairs give the same numbers: the solver is Newton's method up to convergence, pairs are
sorted by id, folds are not drawn by lot, and coefficients are rounded to ``DIGITS`` digits.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingestion.errors import ScorerError
from python_models.kernels.pair_scorer import (
    Calibration,
    Doubles,
    Feature,
    Metrics,
    PairScorer,
    Regression,
    contributions,
    feature_matrix,
    probabilities,
    version_of,
)

IDENTITY = ("pair_id", "event_group", "split", "target")
"""Columns of the labelled pairs that are no feature."""
TRAIN, HELD_OUT = "train", "held_out"

# More than the 0.99 that is wanted: whoever wrote the rules has read the training pairs, so that
# of them fewer are wrong than of others.
LEAST_PRECISION = 0.9915
LEAST_EXPECTED_PRECISION = 0.98
PENALTY_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Inverse strengths, as scikit-learn's C: the smaller, the nearer to 0 are the coefficients."""
FOLDS = 10
DIGITS = 6
_UNPENALISED = 1e6
_MARGIN = 0.75
_SMALLEST = 1e-6
_AGAINST = ("_untold", "_alone", "_of_one", "_elsewhere")

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs of one split, sorted by id."""

    names: list[str]
    ids: NDArray[np.str_]
    features: Doubles  # pairs × features
    targets: Booleans  # whether it is the same contract
    groups: NDArray[np.str_]
    sha256: str

    @property
    def means(self) -> Doubles:
        """The mean of each feature."""
        return np.asarray(np.round(self.features.mean(axis=0), DIGITS))

    @property
    def scales(self) -> Doubles:
        """The standard deviation of each feature, 1 where it does not vary."""
        deviations = np.round(self.features.std(axis=0), DIGITS)
        return np.asarray(np.where(deviations == 0, 1, deviations))

    def where(self, chosen: NDArray[np.intp]) -> "LabelledPairs":
        """Some of the pairs."""
        return LabelledPairs(
            self.names,
            self.ids[chosen],
            self.features[chosen],
            self.targets[chosen],
            self.groups[chosen],
            self.sha256,
        )


def labelled_pairs(table: pa.Table, split: str) -> LabelledPairs:
    """The pairs of one split.

    Args:
        table: ``pair_id``, ``event_group``, ``split``, ``target`` (boolean), and a column of
            numbers for each feature.
        split: ``train`` or ``held_out``.

    Raises:
        ScorerError: A column is absent, a value is null, or there are not both kinds of pairs in
            at least two groups.
    """
    if absent := [name for name in IDENTITY if name not in table.column_names]:
        raise ScorerError(f"The labelled pairs have no column {', '.join(absent)}.")
    names = [name for name in table.column_names if name not in IDENTITY]
    own = table.filter(pc.equal(table["split"], split)).sort_by("pair_id")
    if any(own[name].null_count for name in IDENTITY):
        raise ScorerError(f"A labelled pair of {split} has no id, group or target.")
    targets = own["target"].to_numpy()
    groups = np.array(own["event_group"].to_pylist(), dtype=np.str_)
    if min(len(set(groups[targets])), len(set(groups[~targets]))) < 2:
        raise ScorerError(
            f"{own.num_rows:,} labelled pairs of {split} reach the scorer, {targets.sum():,} of"
            " them the same contract: there must be pairs of both kinds in at least two event"
            " groups each. See seeds/labelled_pairs.csv, and which are found: gold.matching_funnel."
        )
    ids = np.array(own["pair_id"].to_pylist(), dtype=np.str_)
    features = feature_matrix(own, names)
    rows = zip(*(each.tolist() for each in (ids, groups, targets, features)), strict=True)
    digest = hashlib.sha256(json.dumps([names, list(rows)]).encode()).hexdigest()
    return LabelledPairs(names, ids, features, targets, groups, digest)


def train(table: pa.Table, trained_on: date) -> PairScorer:
    """The scorer of the labelled pairs of ``table``; see ``labelled_pairs`` for its columns.

    Raises ScorerError as ``labelled_pairs`` does, and where scikit-learn is not installed.
    """
    _require_scikit_learn()
    pairs, held_out = (labelled_pairs(table, split) for split in (TRAIN, HELD_OUT))
    unseen = {strength: _unseen_log_odds(pairs, strength) for strength in PENALTY_STRENGTHS}
    losses = [log_loss(probabilities(unseen[each]), pairs.targets) for each in PENALTY_STRENGTHS]
    strength = PENALTY_STRENGTHS[int(np.argmin(np.round(losses, DIGITS)))]
    calibration = _calibration(unseen[strength], pairs)
    scores = probabilities(calibration.offset + calibration.slope * unseen[strength])
    threshold = chosen_threshold(scores, pairs.targets)

    coefficients, intercept = _fit(pairs, strength)
    columns = zip(pairs.names, pairs.means, pairs.scales, coefficients, strict=True)
    regression = Regression(
        features=tuple(
            Feature(name=name, mean=mean, scale=scale, coefficient=coefficient)
            for name, mean, scale, coefficient in columns
        ),
        intercept=intercept,
        calibration=calibration,
    )
    content: dict[str, Any] = {
        **dict(regression),
        "trained_on": trained_on,
        "training_sha256": pairs.sha256,
        "held_out_sha256": held_out.sha256,
        "penalty_strength": strength,
        "threshold": threshold,
        "cross_validated": _metrics(scores, pairs, threshold),
        "held_out": _metrics(scored(regression, held_out), held_out, threshold),
    }
    unnamed = PairScorer.model_construct(version="", **content)
    return PairScorer(version=version_of(unnamed.model_dump(mode="json")), **content)


def measured(scorer: PairScorer, pairs: LabelledPairs) -> Metrics:
    """How good a scorer is on labelled pairs. Raises ScorerError where a feature is absent."""
    return _metrics(scored(scorer, pairs), pairs, scorer.threshold)


def scored(regression: Regression, pairs: LabelledPairs) -> Doubles:
    """The score of each labelled pair. Raises ScorerError where a feature is absent."""
    columns = dict(zip(pairs.names, pairs.features.T, strict=True))
    matrix = feature_matrix(pa.table(columns), regression.names)
    return probabilities(contributions(matrix, regression).sum(axis=1))


def chosen_threshold(scores: Doubles, targets: Booleans) -> float:
    """The cut between two scores above which the precision is at least ``LEAST_PRECISION``, with
    the greatest recall; above all scores where there is none."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(targets[order])
    numbers = np.arange(1, len(order) + 1)
    precise = right / numbers >= LEAST_PRECISION
    # That none of a few dozen is wrong does not make it one of a hundred: the scores must agree.
    precise &= np.cumsum(scores[order]) / numbers >= LEAST_EXPECTED_PRECISION
    # Equal scores are on one side of a cut.
    ends = np.append(np.diff(scores[order]) != 0, True)
    cuts = np.flatnonzero(precise & ends)
    if not len(cuts):
        lower, upper = scores[order[0]], 1.0
    else:
        last = cuts[np.argmax(right[cuts])]
        upper = scores[order[last]]
        lower = scores[order[last + 1]] if last + 1 < len(order) else upper
    ends_at = _log_odds(np.clip([lower, upper], _SMALLEST, 1 - _SMALLEST))
    between = probabilities(np.array([ends_at[0] + _MARGIN * (ends_at[1] - ends_at[0])]))[0]
    # Rounded up, and never above the last score that is meant to pass.
    return min(float(np.ceil(between * 1e4) / 1e4), float(upper), 1 - _SMALLEST)


def log_loss(scores: Doubles, targets: Booleans) -> float:
    """Mean of −log of the probability that was given to what is so; scores of 0 and 1 as 1e-12."""
    given = np.clip(np.where(targets, scores, 1 - scores), 1e-12, 1)
    return float(-np.log(given).mean())


def average_precision(scores: Doubles, targets: Booleans) -> float:
    """Precision at each cut, weighted by the recall it adds (no interpolation)."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)
    right = np.cumsum(targets[order])[ends]
    precision = right / (np.flatnonzero(ends) + 1)
    return float((np.diff(right, prepend=0) * precision).sum() / targets.sum())


def _metrics(scores: Doubles, pairs: LabelledPairs, threshold: float) -> Metrics:
    above = scores >= threshold
    right = int((above & pairs.targets).sum())
    equal = int(pairs.targets.sum())
    return Metrics(
        pairs=len(scores),
        equal_pairs=equal,
        groups=len(set(pairs.groups.tolist())),
        precision=round(right / int(above.sum()), DIGITS) if above.any() else None,
        recall=round(right / equal, DIGITS),
        average_precision=round(average_precision(scores, pairs.targets), DIGITS),
        brier_score=round(float(((scores - pairs.targets) ** 2).mean()), DIGITS),
        log_loss=round(log_loss(scores, pairs.targets), DIGITS),
    )


def _unseen_log_odds(pairs: LabelledPairs, strength: float) -> Doubles:
    """The log-odds of each pair by a fit to the groups of the other folds."""
    log_odds = np.empty(len(pairs.targets))
    for fitted, left_out in _folds(pairs):
        others = pairs.where(fitted)
        coefficients, intercept = _fit(others, strength)
        unseen = (pairs.features[left_out] - others.means) / others.scales
        log_odds[left_out] = intercept + (coefficients * unseen).sum(axis=1)
    return log_odds


def _calibration(log_odds: Doubles, pairs: LabelledPairs) -> Calibration:
    """Slope and offset, where they earn their keep on pairs that they were not fitted on."""
    calibrated = np.empty(len(log_odds))
    for fitted, left_out in _folds(pairs):
        slope, offset = _platt(log_odds[fitted], pairs.targets[fitted])
        calibrated[left_out] = offset + slope * log_odds[left_out]
    with_it, without = (
        ((probabilities(each) - pairs.targets) ** 2).mean() for each in (calibrated, log_odds)
    )
    slope, offset = _platt(log_odds, pairs.targets)
    if with_it < without and slope > 0:
        return Calibration(slope=slope, offset=offset)
    return Calibration(slope=1, offset=0)


def _folds(pairs: LabelledPairs) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Whole groups in each fold, with alike shares of both kinds; not drawn by lot."""
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415

    groups = min(len(set(pairs.groups[mask].tolist())) for mask in (pairs.targets, ~pairs.targets))
    folds = StratifiedGroupKFold(max(2, min(FOLDS, groups)))
    return list(folds.split(pairs.features, pairs.targets, pairs.groups))


def _fit(pairs: LabelledPairs, strength: float) -> tuple[Doubles, float]:
    """Coefficients of the scaled features, each of the sign it means or 0, and the intercept."""
    scaled = (pairs.features - pairs.means) / pairs.scales
    signs = np.array([_sign(name) for name in pairs.names])
    kept = pairs.features.std(axis=0) > 0
    coefficients = np.zeros(len(signs))
    while kept.any():
        coefficients[:] = 0
        coefficients[kept], intercept = _regression(scaled[:, kept], pairs.targets, strength)
        wrong = np.where(coefficients * signs < 0, np.abs(coefficients), 0)
        if not wrong.any():
            return np.round(coefficients, DIGITS), round(intercept, DIGITS)
        kept[np.argmax(wrong)] = False
    share = pairs.targets.mean()
    return coefficients * 0, round(float(np.log(share / (1 - share))), DIGITS)


def _sign(name: str) -> int:
    return -1 if name.endswith(_AGAINST) else 1


def _platt(log_odds: Doubles, targets: Booleans) -> tuple[float, float]:
    coefficients, offset = _regression(log_odds[:, np.newaxis], targets, _UNPENALISED)
    return round(float(coefficients[0]), DIGITS), round(offset, DIGITS)


def _regression(features: Doubles, targets: Booleans, strength: float) -> tuple[Doubles, float]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-9, max_iter=1_000)
    model.fit(features, targets)
    return model.coef_[0], float(model.intercept_[0])


def _log_odds(scores: Doubles) -> Doubles:
    return np.asarray(np.log(scores) - np.log1p(-scores))


def _require_scikit_learn() -> None:
    try:
        import sklearn  # noqa: F401, PLC0415
    except ModuleNotFoundError:
        raise ScorerError(
            "Training needs scikit-learn, which is not installed: `uv sync --extra train`, or"
            " `pip install 'marketfinder[train]'`. Nothing else needs it."
        ) from None
