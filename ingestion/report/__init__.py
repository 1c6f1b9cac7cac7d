"""One HTML page of what the warehouse holds, for people: no script, nothing from the network."""

from ingestion.report.page import write_report

__all__ = ["write_report"]
