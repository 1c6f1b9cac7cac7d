"""Scores the pairs of a warehouse with the scorer of the project: what its two models share."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from python_models.kernels.pair_scorer import load_scorer, score_pairs, scorer_row, scores_schema

BATCH_ROWS = 100_000


def scored_pairs(session: Any) -> pa.RecordBatchReader:
    """The score of each row of silver.pair_features, ``scores_schema``. Raises ScorerError."""
    scorer = load_scorer()
    # A cursor of its own: what it gives is read while the session writes.
    features = session.cursor().sql("select * from silver.pair_features")

    def scores() -> Iterator[pa.RecordBatch]:
        for batch in features.to_arrow_reader(BATCH_ROWS):
            yield from score_pairs(pa.Table.from_batches([batch]), scorer).to_batches()

    return pa.RecordBatchReader.from_batches(scores_schema(scorer), scores())


def current_scorer() -> pa.Table:
    """The scorer in force, one row. Raises ScorerError."""
    return scorer_row(load_scorer())
