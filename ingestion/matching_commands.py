"""`marketfinder train` and `evaluate`: the scorer of pairs, and how good matching is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingestion import logs
from ingestion.console import output, progress_bar
from ingestion.evaluation import evaluate
from ingestion.ingest_commands import instant
from ingestion.screens import show_evaluation
from ingestion.training import show_training, train_scorer, training_pairs


def train_command(
    is_forced: Annotated[
        bool, typer.Option("--force", help="Replace a scorer that is better on the held-out pairs.")
    ] = False,
) -> None:
    """Fit the scorer of pairs to the labels in seeds/, and write python_models/pair_scorer.json."""
    with progress_bar() as progress:
        pairs = training_pairs(progress)
        training = train_scorer(pairs, datetime.now(UTC).date(), is_forced=is_forced)
    show_training(output, training)


def evaluate_command(
    further_markets: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labelled pairs: CSV as seeds/labelled_pairs.csv (kalshi_market_id,"
            " polymarket_market_id and relation will do), or JSON lines with kalshi_id, pm_id and"
            " label. Without it, matching is measured on the project's own labels.",
        ),
    ] = None,
    markets: Annotated[
        list[str] | None,
        typer.Option(
            help="Archived payload files of both venues that hold the labelled listings: a path or"
            " a pattern in quotes. May be repeated.",
        ),
    ] = None,
    judged_open_pairs: Annotated[
        int | None,
        typer.Option(
            "--judge",
            min=0,
            help="Ask the judge too, at your cost: about what the rules know, and about so many of"
            " the most alike of what they leave open. Of the project's own labels, the held-out.",
        ),
    ] = None,
    captured_at: Annotated[
        str | None, typer.Option(help="When the files were captured, as for `ingest --files`.")
    ] = None,
) -> None:
    """How good is matching? Measured on labelled pairs, in a warehouse that is thrown away."""
    # A pattern that was not quoted arrives as one option and further arguments.
    patterns = [*(markets or []), *(further_markets or [])]
    if further_markets and not markets:
        raise typer.BadParameter(
            f"unexpected argument {further_markets[0]!r}; files go after --markets"
        )
    if bool(labels) != bool(patterns):
        raise typer.BadParameter("--labels and --markets go together")
    moment = instant(captured_at) if captured_at else None
    with progress_bar() as progress:
        result = evaluate(
            labels,
            patterns,
            run_id=logs.run_id(),
            captured_at=moment,
            judged_open_pairs=judged_open_pairs,
            progress=progress,
        )
    show_evaluation(output, result)
