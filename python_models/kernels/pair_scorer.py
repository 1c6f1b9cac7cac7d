"""The scorer of pairs: how likely two listings are the same contract, as far as their texts tell.

A logistic regression over the columns of ``silver.pair_features``, as a JSON file of plain numbers.
With features x, means m, scales s, coefficients c and intercept c0, the log-odds are

    a + b (c0 + sum of c (x - m) / s),    score = 1 / (1 + exp(-log-odds))

where a and b are the calibration (Platt 1999; 0 and 1 without one). Everything before the last step
is a sum, so what a feature contributes to the log-odds is its summand, b c (x - m) / s: it is 0 for
a pair that is like the mean of the training pairs. ``b`` is positive, so no calibration turns the
order of two pairs round.

Scoring needs NumPy only. ``pair_scorer_training`` makes the file.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from ingestion.errors import ScorerError

ARTEFACT = Path(__file__).resolve().parent.parent / "pair_scorer.json"
INTERCEPT = "intercept"
"""What the contributions of all features are added to, as one more contribution."""

Doubles = NDArray[np.float64]
Share = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Feature(_Exact):
    """One column of the pairs, and what it counts."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    mean: FiniteFloat
    scale: FiniteFloat = Field(gt=0)
    coefficient: FiniteFloat


class Calibration(_Exact):
    """What the sum becomes: offset + slope × sum. The slope keeps the order of the pairs."""

    slope: FiniteFloat = Field(gt=0)
    offset: FiniteFloat


class Metrics(_Exact):
    """How good scores are on some pairs. Precision is null where no pair reaches the threshold."""

    pairs: int = Field(gt=0)
    equal_pairs: int = Field(gt=0)
    groups: int = Field(gt=0)
    precision: Share | None
    recall: Share
    average_precision: Share
    brier_score: Share
    log_loss: FiniteFloat = Field(ge=0)


class Regression(_Exact):
    """What a score is computed with."""

    features: tuple[Feature, ...] = Field(min_length=1)
    intercept: FiniteFloat
    calibration: Calibration

    @property
    def names(self) -> list[str]:
        """The columns that are looked at."""
        return [feature.name for feature in self.features]


class PairScorer(Regression):
    """The artefact. ``version`` is a digest of all of it but the date."""

    version: str
    trained_on: date
    training_sha256: Sha256
    held_out_sha256: Sha256
    penalty_strength: FiniteFloat = Field(gt=0)
    threshold: Annotated[float, Field(gt=0, lt=1)]
    cross_validated: Metrics
    held_out: Metrics

    @model_validator(mode="after")
    def _is_whole(self) -> "PairScorer":
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names) or INTERCEPT in names:
            raise ValueError(f"two features have one name, or one is called {INTERCEPT}")
        if self.version != (digest := version_of(self.model_dump(mode="json"))):
            raise ValueError(
                f"version is {self.version}, but the file's numbers are those of {digest}:"
                " somebody has edited it"
            )
        return self


def version_of(content: dict[str, Any]) -> str:
    """A digest of the artefact's content, whatever version and date it has."""
    told = {name: value for name, value in content.items() if name not in ("version", "trained_on")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def load_scorer(path: Path = ARTEFACT) -> PairScorer:
    """The scorer of a file. Raises ScorerError where it is absent, no such file, or edited."""
    again = "`uv run marketfinder train` makes it from the labels in seeds/."
    try:
        return PairScorer.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ScorerError(f"{path} is not there. {again}") from None
    except ValidationError as error:
        problems = [
            f"  {'.'.join(map(str, problem['loc'])) or 'the file'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_context=False)
        ]
        raise ScorerError("\n".join([f"{path} is no scorer:", *problems, again])) from None


def scores_schema(scorer: PairScorer) -> pa.Schema:
    """The table of scores: the contributions have a field for each feature, in log-odds."""
    contributions = [INTERCEPT, *scorer.names]
    return pa.schema(
        [
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("score", pa.float64(), nullable=False),
            pa.field("threshold", pa.float64(), nullable=False),
            pa.field("scorer_version", pa.string(), nullable=False),
            pa.field("contributions", pa.struct([(name, pa.float64()) for name in contributions])),
        ]
    )


def score_pairs(pairs: pa.Table, scorer: PairScorer) -> pa.Table:
    """The score of each pair, ``scores_schema``, in the order of ``pairs``.

    Args:
        pairs: ``pair_id`` and a column of numbers for each feature; others are not looked at.
        scorer: What to score with.

    Raises:
        ScorerError: A feature is no column of ``pairs``, or a value is null or no finite number.
    """
    summands = contributions(feature_matrix(pairs, scorer.names), scorer)
    columns = [pa.array(column) for column in summands.T]
    schema = scores_schema(scorer)
    return pa.table(
        [
            pairs["pair_id"],
            probabilities(summands.sum(axis=1)),
            pa.repeat(scorer.threshold, pairs.num_rows),
            pa.repeat(scorer.version, pairs.num_rows),
            pa.StructArray.from_arrays(columns, fields=list(schema.field("contributions").type)),
        ],
        schema=schema,
    )


def contributions(features: Doubles, regression: Regression) -> Doubles:
    """What the log-odds of each pair are the sum of: the intercept, then each feature.

    Args:
        features: Pairs × features, in the order of ``regression.features``.
        regression: What to score with.

    Returns:
        Pairs × (1 + features), log-odds.
    """
    slope, offset = regression.calibration.slope, regression.calibration.offset
    means, scales, coefficients = np.array(
        [(feature.mean, feature.scale, feature.coefficient) for feature in regression.features]
    ).T
    summands = np.empty((len(features), 1 + len(regression.features)))
    summands[:, 0] = offset + slope * regression.intercept
    summands[:, 1:] = slope * coefficients * (features - means) / scales
    return summands + 0.0  # and no negative zero


def probabilities(log_odds: Doubles) -> Doubles:
    """1 / (1 + exp(-log-odds)), in a form that does not overflow."""
    return 0.5 * (1 + np.tanh(log_odds / 2))


def feature_matrix(pairs: pa.Table, names: Sequence[str]) -> Doubles:
    """The named columns as pairs × features. Raises ScorerError, as ``score_pairs``."""
    if absent := [name for name in names if name not in pairs.column_names]:
        raise ScorerError(
            f"The scorer looks at {', '.join(absent)}, which the pairs do not have: the features"
            " were changed. `uv run marketfinder train` makes a scorer of those there are."
        )
    matrix = np.empty((pairs.num_rows, len(names)))
    for number, name in enumerate(names):
        matrix[:, number] = pairs[name].cast(pa.float64()).to_numpy()
    if (wrong := np.argwhere(~np.isfinite(matrix))).size:
        row, column = wrong[0]
        raise ScorerError(
            f"silver.pair_features: {names[column]} of {pairs['pair_id'][int(row)]} is null or no"
            " finite number. Every feature has a value for every pair; see pair_features.sql."
        )
    return matrix


def scorer_row(scorer: PairScorer) -> pa.Table:
    """The scorer as one row: what it is, what it was trained on, and how good it was."""
    metrics = {
        f"{split}_{name}": value
        for split in ("cross_validated", "held_out")
        for name, value in getattr(scorer, split).model_dump().items()
    }
    told = scorer.model_dump(exclude={"cross_validated", "held_out"})
    row = {"scorer_version": told.pop("version"), **told, **metrics}
    types = {"cross_validated_precision": pa.float64(), "held_out_precision": pa.float64()}
    return pa.table({name: pa.array([value], types.get(name)) for name, value in row.items()})
