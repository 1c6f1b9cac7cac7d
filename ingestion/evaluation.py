"""Matching measured on labelled pairs, in a warehouse of its own that is thrown away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from ingestion.build import Step, build
from ingestion.errors import FileError, SettingsError
from ingestion.files import FoundRecord, find_files, read_file
from ingestion.labels import read_labels
from ingestion.pipeline import VENUES, ingest_files
from ingestion.settings import Settings
from ingestion.venues import Progress, as_id
from ingestion.warehouse import open_warehouse
from python_models.kernels.pair_judge.settings import load_judge_settings

_NO_JUDGE = {"MARKETFINDER_JUDGE_ENABLED": "false"}
_QUALITY = "select * exclude (quality_id) from gold.matching_quality where universe = ?"
_UNANSWERED = """
select reason, count(*) from silver.pair_verdicts
where relation = 'unevaluated'
group by reason
order by reason
"""
_FINDINGS = """
select
    results.finding, results.relation, results.called_relation, results.label_id, results.split,
    kalshi.title, polymarket.title, results.why, results.note,
from silver.labelled_results as results
left join silver.contract_texts as kalshi on results.kalshi_market_id = kalshi.market_id
left join silver.contract_texts as polymarket
    on results.polymarket_market_id = polymarket.market_id
where results.universe = ? and results.finding not in ('right', 'absent')
order by results.finding, results.label_id
"""


@dataclass(frozen=True)
class Finding:
    """A labelled pair that is called something else than it is."""

    finding: str
    """missed, or falsely the same, clean or related"""
    relation: str
    called: str | None
    """null where it did not come so far"""
    label_id: str
    split: str
    kalshi_title: str
    polymarket_title: str
    why: str
    note: str | None


@dataclass(frozen=True)
class Evaluation:
    """What was measured: gold.matching_quality as rows, and every pair that is wrong."""

    quality: list[dict[str, Any]]
    findings: list[Finding]
    unsure: int
    """labels passed over"""
    unanswered: dict[str, int]
    """questions that the judge was to be asked and has not answered, by why"""


def evaluate(
    labels: Path | None,
    markets: Sequence[str],
    *,
    run_id: str,
    captured_at: datetime | None = None,
    judged_open_pairs: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measures matching on the labels of a file over archived listings of both venues, or, without
    a file, on our own labels. Closed listings count; nothing is kept but what a judge has answered.

    Args:
        judged_open_pairs: The judge is asked about what the rules know and so many of the pairs
            that they leave open; null asks nobody.

    Raises FileError, SettingsError or BuildError.
    """
    given = read_labels(labels) if labels else None
    environment = _NO_JUDGE if judged_open_pairs is None else _judge()
    with TemporaryDirectory(prefix="marketfinder-") as folder:
        settings = Settings(warehouse=Path(folder) / "evaluation.duckdb")
        for venue, paths in _by_venue(markets).items():
            ingest_files(
                venue, paths, settings, run_id=run_id, captured_at=captured_at, progress=progress
            )
        variables: dict[str, Any] = {"matches_closed_listings": True}
        if judged_open_pairs is not None:
            variables |= {"judges_labels": True, "judged_open_pairs": judged_open_pairs}
        if given:
            variables["labels_file"] = str(Path(folder) / "labels.csv")
            given.write(Path(variables["labels_file"]))
        build(
            settings.warehouse,
            Step.QUALITY,
            variables=variables,
            is_tested=False,
            environment=environment,
            progress=progress,
        )
        universe = "live" if given else "labelled"
        with open_warehouse(settings.warehouse, read_only=True) as connection:
            return Evaluation(
                _rows(connection, _QUALITY, universe),
                [Finding(*row) for row in connection.execute(_FINDINGS, [universe]).fetchall()],
                given.unsure if given else 0,
                dict(connection.execute(_UNANSWERED).fetchall())
                if judged_open_pairs is not None
                else {},
            )


def _judge() -> dict[str, str]:
    """What is bought is kept where all answers are, and not beside a warehouse that goes."""
    settings = load_judge_settings()
    settings.require_on()
    if settings.asks_in == "batches":
        raise SettingsError(
            "A batch is answered within a day, and an evaluation is thrown away before. Ask in"
            " calls for it: MARKETFINDER_JUDGE_ASKS_IN=calls."
        )
    return {"MARKETFINDER_JUDGE_LEDGER": str(settings.ledger.absolute())}


def _by_venue(patterns: Sequence[str]) -> dict[str, list[str]]:
    """The files of the patterns by the venue whose records they hold. Raises FileError."""
    found: dict[str, list[str]] = {}
    for file in find_files(patterns) if patterns else []:
        venues = [
            venue.name
            for venue in VENUES.values()
            if any(
                isinstance(item, FoundRecord)
                and isinstance(item.record, dict)
                and venue.recognise(item.record)
                and as_id(item.record.get(item.entity.id_field))
                for item in read_file(file, venue)
            )
        ]
        if len(venues) != 1:
            raise FileError(
                f"{file.path} holds no listings of Kalshi or Polymarket as the venues send them, or"
                " of both. Give each venue's payloads as files of their own."
            )
        found.setdefault(venues[0], []).append(str(file.path))
    return found


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, *parameters: object
) -> list[dict[str, Any]]:
    answer = connection.execute(query, parameters)
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
