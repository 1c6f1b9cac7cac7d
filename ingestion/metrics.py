"""Metrics for Prometheus, as text files that node_exporter's textfile collector reads.

`marketfinder_command.prom` has what the last command came to, and is written whatever happens.
`marketfinder.prom` has the rows of gold.run_metrics; while they cannot be read it stays as it was.
"""

import shutil
import time
from contextlib import suppress
from pathlib import Path

import duckdb
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from ingestion.errors import MarketFinderError
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse

FIGURES = "marketfinder.prom"
COMMAND = "marketfinder_command.prom"

_ROWS = """
select metric, labels, value, kind, help
from gold.run_metrics
order by metric, labels::varchar
"""


class _Figures(Collector):
    """The rows of gold.run_metrics."""

    def __init__(self, rows: list[tuple[str, dict[str, str], float, str, str]]) -> None:
        self.metrics: dict[str, Metric] = {}
        for name, labels, value, kind, meaning in rows:
            # The library puts the _total of a counter behind its name by itself.
            family = Metric(name.removesuffix("_total"), meaning, kind)
            metric = self.metrics.setdefault(name, family)
            metric.add_sample(name, labels, value)

    def collect(self) -> list[Metric]:
        """All of them."""
        return list(self.metrics.values())


def figures(warehouse: Path) -> str:
    """gold.run_metrics in Prometheus' text format.

    Raises WarehouseError when another process has the file, duckdb.Error when it was never built.
    """
    with open_warehouse(warehouse, read_only=True) as connection:
        rows = connection.execute(_ROWS).fetchall()
    registry = CollectorRegistry()
    registry.register(_Figures(rows))
    return generate_latest(registry).decode()


def command_metrics(settings: Settings | None, command: str, exit_code: int, seconds: float) -> str:
    """What a command came to, and how much room there is, in Prometheus' text format."""
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float, **labels: str) -> None:
        known = gauges.get(name)
        if known is None:
            known = gauges[name] = Gauge(name, meaning, list(labels), registry=registry)
        (known.labels(**labels) if labels else known).set(value)

    gauges: dict[str, Gauge] = {}
    gauge(
        "marketfinder_command_exit_code",
        "Exit code of the last command.",
        exit_code,
        command=command,
    )
    gauge(
        "marketfinder_command_finished_timestamp_seconds",
        "When the last command ended.",
        time.time(),
        command=command,
    )
    gauge(
        "marketfinder_command_duration_seconds",
        "How long the last command took.",
        seconds,
        command=command,
    )
    if settings is not None:
        for name, path in (("warehouse", settings.warehouse), ("published", settings.published)):
            with suppress(OSError):
                status = path.stat()
                gauge("marketfinder_file_bytes", "Size of a file.", status.st_size, file=name)
                gauge(
                    "marketfinder_file_modified_timestamp_seconds",
                    "When a file was last changed; the published copy, when it was published.",
                    status.st_mtime,
                    file=name,
                )
        with suppress(OSError):
            free = shutil.disk_usage(settings.warehouse.absolute().parent).free
            gauge("marketfinder_disk_free_bytes", "Room beside the warehouse.", free)
    return generate_latest(registry).decode()


def write_metrics(
    folder: Path,
    settings: Settings | None,
    command: str,
    exit_code: int,
    seconds: float,
    *,
    has_figures: bool = True,
) -> None:
    """Writes both files, each at once or not at all."""
    with suppress(OSError):
        _replace(folder / COMMAND, command_metrics(settings, command, exit_code, seconds))
    if has_figures and settings is not None and settings.warehouse.exists():
        with suppress(OSError, MarketFinderError, duckdb.Error):
            _replace(folder / FIGURES, figures(settings.warehouse))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")  # which node_exporter does not read
    new.write_text(text, encoding="utf-8")
    new.replace(path)
