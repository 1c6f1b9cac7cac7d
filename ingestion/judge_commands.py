"""The `marketfinder judge` commands: questions sent as a batch, and its answers fetched."""

from typing import TYPE_CHECKING

import typer

from ingestion.console import output, tell_problem
from ingestion.errors import WarehouseError
from ingestion.screens import plain
from ingestion.settings import load_settings
from ingestion.warehouse import open_warehouse
from python_models.kernels.pair_judge.ledger import VerdictLedger
from python_models.kernels.pair_judge.settings import JudgeSettings, load_judge_settings

if TYPE_CHECKING:
    from python_models.kernels.pair_judge.batches import BatchReport

app = typer.Typer(
    help="Ask the judge in batches: submit the questions, collect the answers, then build.",
    no_args_is_help=True,
)


@app.command("submit")
def submit_command() -> None:
    """Send all questions of the last build that have no answer yet, as one batch."""
    from python_models.judging import QUESTIONS
    from python_models.kernels.pair_judge.batches import submit_batch

    settings = _settings()
    warehouse = load_settings().warehouse
    with open_warehouse(warehouse, read_only=True) as connection:
        if not connection.execute(
            "select 1 from duckdb_views() where schema_name = 'silver'"
            " and view_name = 'pair_questions'"
        ).fetchall():
            raise WarehouseError(
                f"{warehouse} has no questions yet: `marketfinder build prediction-markets`"
                " makes them."
            )
        pairs = connection.sql(QUESTIONS).to_arrow_table()
    with VerdictLedger(settings.ledger) as ledger:
        report = submit_batch(pairs, settings, ledger)
        unsent = {batch.name for batch in ledger.open_batches() if batch.batch_id is None}
    if report is None:
        output.print("Nothing to send: answered, being asked, or over the budget.")
        return
    _show(report)
    if report.name in unsent:
        tell_problem(
            "The batch is not known to have been sent. From an hour after this on, `marketfinder"
            " judge collect` looks for it, and sends it where it is not there."
        )
        raise typer.Exit(1)
    output.print("`marketfinder judge collect` fetches the answers when they are ready.")


@app.command("collect")
def collect_command() -> None:
    """Fetch the answers that are ready, and send what a killed run has not sent."""
    from python_models.kernels.pair_judge.batches import collect_batches

    settings = _settings()
    with VerdictLedger(settings.ledger) as ledger:
        reports = collect_batches(settings, ledger)
    for report in reports:
        _show(report)
    answered = sum(report.answered for report in reports)
    if not reports:
        output.print("No batch is open.")
    elif answered:
        output.print(
            "`marketfinder build prediction-markets` takes the answers into the warehouse."
        )


def _settings() -> JudgeSettings:
    """The settings of a judge that is on. Raises SettingsError."""
    settings = load_judge_settings()
    settings.require_on()
    return settings


def _show(report: "BatchReport") -> None:
    counts = {
        "questions": report.questions,
        "answered": report.answered,
        "open again": report.open_again,
    }
    shown = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    output.print(plain(f"Batch {report.name[:8]}: {report.status}" + (shown and f"; {shown}")))
