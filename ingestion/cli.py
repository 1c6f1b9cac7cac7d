"""The `marketfinder` command.

Exit codes: 0 fine, 1 the work failed (venue, file, warehouse), 2 wrong usage or settings, 3 done in
part (a venue or a publisher failed), 4 the warehouse is in use, 5 a step took too long, 130 and 143
told to stop.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from ingestion import (
    build_commands,
    info_commands,
    ingest_commands,
    judge_commands,
    logs,
    matching_commands,
    parquet_commands,
    publish_commands,
    reading_commands,
    run_commands,
)
from ingestion.console import messages, output, tell_problem
from ingestion.errors import MarketFinderError
from ingestion.health import health_command
from ingestion.logs import is_json, log_as_json, logger
from ingestion.observation import begin, is_at_work, observed
from ingestion.settings import LogFormat, load_settings

app = typer.Typer(
    help="Prediction markets and order books in one DuckDB warehouse: matched contracts, locked"
    " profits, features and bars.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "health": health_command,
    "demo": run_commands.demo_command,
    "run": run_commands.run_command,
    "schedule": run_commands.schedule_command,
    "sql": reading_commands.sql_command,
    "explain": reading_commands.explain_command,
    "report": reading_commands.report_command,
    "train": matching_commands.train_command,
    "evaluate": matching_commands.evaluate_command,
    "docs": reading_commands.docs_command,
    "info": info_commands.info_command,
    "test-connection": info_commands.test_connection_command,
}
_GROUPS = {
    "ingest": ingest_commands.app,
    "build": build_commands.app,
    "publish": publish_commands.app,
    "judge": judge_commands.app,
    "parquet": parquet_commands.app,
}
for name, command in _COMMANDS.items():
    app.command(name, cls=reading_commands.QueryCommand if name == "sql" else None)(command)
for name, group in _GROUPS.items():
    app.add_typer(group, name=name, no_args_is_help=True)


def main() -> None:
    """The entry point: an error that the user can act on is a message, not a stack trace."""
    signal.signal(signal.SIGTERM, lambda number, frame: _stop(number))
    with observed():
        try:
            app()
        except MarketFinderError as error:
            tell_problem(str(error))
            sys.exit(error.exit_code)
        except KeyboardInterrupt as stopped:
            _stop(getattr(stopped, "signal_code", signal.SIGINT))
        except Exception:
            if not is_json():
                raise
            logger.exception("an error of the program itself")
            sys.exit(1)


def _stop(number: int) -> NoReturn:
    stays = "; what was already loaded stays" if is_at_work() else ""
    if is_json():
        logger.warning("stopped by signal %d%s", number, stays)
    else:
        messages.print(f"stopped{stays}")
    sys.exit(128 + number)


@app.callback()
def _every_command(
    context: typer.Context,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            help="How commands tell of their work: to people, or as JSON on standard error.",
            show_default="human",
        ),
    ] = None,
) -> None:
    command = str(context.invoked_subcommand)
    is_at_work = begin(command)
    logs.run_id(logs.new_run_id())
    given = log_format or os.environ.get("MARKETFINDER_LOG_FORMAT")
    with suppress(MarketFinderError):  # settings that are wrong: the command says so
        given = log_format or load_settings().log_format
    if given != LogFormat.JSON:
        return
    log_as_json()
    os.environ["MARKETFINDER_LOG_FORMAT"] = LogFormat.JSON  # for the runs of a schedule
    # A collector has the tables' figures from the log; answers to questions are shown.
    output.quiet = is_at_work or command == "schedule"


if __name__ == "__main__":
    main()
