"""`marketfinder train`: the scorer of pairs made anew from the labels in the seeds."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from ingestion.build import Step, build
from ingestion.errors import ScorerError
from ingestion.screens import plain
from ingestion.venues import Progress
from ingestion.warehouse import open_warehouse
from python_models.kernels.pair_scorer import ARTEFACT, Metrics, PairScorer, load_scorer
from python_models.kernels.pair_scorer_training import (
    HELD_OUT,
    TRAIN,
    LabelledPairs,
    labelled_pairs,
    measured,
    scored,
    train,
)

_MISLEADING = 8
TRAINING_PAIRS = "select * exclude (label_id) from silver.training_pairs"


@dataclass(frozen=True)
class Training:
    """A scorer, and what became of it: written, or the same as the one that was there."""

    scorer: PairScorer
    is_written: bool
    note: str
    misleading: list[tuple[str, float]]  # training pairs with the highest scores that are not so


def training_pairs(progress: Progress | None = None) -> pa.Table:
    """The labelled pairs with their features, built from the seeds in a warehouse of their own."""
    with TemporaryDirectory(prefix="marketfinder-") as folder:
        warehouse = Path(folder) / "training.duckdb"
        build(warehouse, Step.TRAINING, is_tested=False, progress=progress)
        with open_warehouse(warehouse, read_only=True) as connection:
            return connection.sql(TRAINING_PAIRS).to_arrow_table()


def train_scorer(
    pairs: pa.Table, trained_on: date, *, path: Path = ARTEFACT, is_forced: bool = False
) -> Training:
    """Trains a scorer and writes it to ``path``.

    Raises ScorerError where the pairs do not do, or the scorer that is there is better on the
    held-out pairs: by average precision, then by Brier score.
    """
    scorer = train(pairs, trained_on)
    misleading = _misleading(scorer, labelled_pairs(pairs, TRAIN))
    note = _compared(scorer, pairs, path, is_forced=is_forced)
    if note is None:
        note = f"{path.name} is this scorer already; it stays as it is."
        return Training(scorer, False, note, misleading)
    path.write_text(scorer.model_dump_json(indent=2) + "\n", "utf-8")
    return Training(scorer, True, f"{note} Written to {path}.", misleading)


def _compared(scorer: PairScorer, pairs: pa.Table, path: Path, *, is_forced: bool) -> str | None:
    """Why the scorer of ``path`` gives way; None when it is the same."""
    if not path.exists():
        return "The first scorer."
    try:
        before = load_scorer(path)
    except ScorerError as error:
        return f"In the place of a file that was not right:\n{error}\n"
    if before.version == scorer.version:
        return None
    try:
        old = measured(before, labelled_pairs(pairs, HELD_OUT))
    except ScorerError:
        return f"In the place of {before.version}, whose features are gone."
    new = scorer.held_out
    comparison = (
        f"On the held-out pairs it has an average precision of {new.average_precision:.4f} and a"
        f" Brier score of {new.brier_score:.4f}, {before.version} of"
        f" {before.trained_on} {old.average_precision:.4f} and {old.brier_score:.4f}."
    )
    if _rank(old) > _rank(new) and not is_forced:
        raise ScorerError(
            f"The new scorer is worse than the one in {path}, which stays. {comparison}"
            " --force puts the new one in its place all the same."
        )
    return comparison


def _misleading(scorer: PairScorer, pairs: LabelledPairs) -> list[tuple[str, float]]:
    scores = scored(scorer, pairs)
    others = [place for place in (-scores).argsort(kind="stable") if not pairs.targets[place]]
    return [(str(pairs.ids[place]), float(scores[place])) for place in others[:_MISLEADING]]


def _rank(metrics: Metrics) -> tuple[float, float]:
    return metrics.average_precision, -metrics.brier_score


def show_training(console: Console, training: Training) -> None:
    """The metrics and the coefficients of a scorer, and whether it was written."""
    scorer = training.scorer
    table = Table(title=f"Scorer {scorer.version}", title_justify="left")
    table.add_column("")
    table.add_column("cross-validated", justify="right")
    table.add_column("held out", justify="right")
    measures = zip(scorer.cross_validated, scorer.held_out, strict=True)
    for (name, on_training), (_, on_held_out) in measures:
        table.add_row(name.replace("_", " "), *map(_shown, (on_training, on_held_out)))
    console.print(table)
    table = Table("feature", title="What counts, in log-odds", title_justify="left")
    for name in ("coefficient", "mean", "scale"):
        table.add_column(name, justify="right")
    for feature in sorted(scorer.features, key=lambda each: -abs(each.coefficient)):
        numbers = (feature.coefficient, feature.mean, feature.scale)
        table.add_row(plain(feature.name), *(f"{number:.3f}" for number in numbers))
    console.print(table)
    calibration = scorer.calibration
    console.print(
        f"Intercept {scorer.intercept:.3f}; calibration {calibration.offset:.3f} +"
        f" {calibration.slope:.3f} × sum; published from {scorer.threshold:.4f}.",
        soft_wrap=True,
    )
    table = Table("score", title="What looks right and is not", title_justify="left")
    table.add_column("training pair", overflow="fold")
    for pair, score in training.misleading:
        table.add_row(f"{score:.4f}", plain(pair))
    console.print(table)
    console.print(plain(training.note), soft_wrap=True)


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
