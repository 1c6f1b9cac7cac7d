"""What the commands share: where they print, how they tell of progress and of problems."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
)
from rich.table import Column, Table

from ingestion.logs import is_json, logger
from ingestion.venues import Progress as ProgressCallback

output = Console()
messages = Console(stderr=True)

IN_PART = 3
"""The exit code of a command that was done in part."""


def folded_table(*names: str) -> Table:
    """A table whose long values are folded, not cut off."""
    return Table(*(Column(name, overflow="fold") for name in names))


def tell_problem(problem: str) -> None:
    """What went wrong, as a message or in the log."""
    if is_json():
        logger.error("%s", problem)
    else:
        messages.print(f"[bold red]error:[/] {escape(problem)}", highlight=False, soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """A bar for each listing, file or build; where nobody looks at a terminal, a line a step,
    and where there are no steps a line for each of those."""
    is_seen = messages.is_terminal
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=messages,
        disable=is_json() or not is_seen,
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def update(what: str, records: int, expected: int | None) -> None:
        if what not in tasks:
            has_steps = any(task.startswith("step ") for task in tasks)
            is_told = what.startswith("step ") or not has_steps
            tasks[what] = bar.add_task(escape(what))
            if is_told and not is_json() and not is_seen:
                count = f" ({records:,} of {expected:,})" if expected else ""
                messages.print(escape(what + count), highlight=False, soft_wrap=True)
        bar.update(tasks[what], completed=records, total=expected and max(expected, records))

    with bar:
        yield update
