"""Which tables of gold are published as tables, to Parquet and PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from ingestion.errors import PublishError
from ingestion.outward import published_copy
from ingestion.settings import Settings


@dataclass(frozen=True)
class Table:
    """A table or view that is published."""

    name: str

    @property
    def short(self) -> str:
        """Its name outside of here."""
        return self.name.removeprefix("gold.")


TABLES = (
    Table("gold.markets"),
    Table("gold.market_similarities"),
    Table("gold.arbitrage_opportunities"),
    Table("gold.bundle_opportunities"),
    Table("gold.arbitrage_history"),
    Table("gold.matching_funnel"),
    Table("gold.matching_quality"),
    Table("gold.sync_logs"),
)
"""What is published unless something else is asked for. Features and bars of order books grow with
their history: `marketfinder parquet export` writes only what is new of them."""
PUBLICATION = Table("gold.publication")


@dataclass
class TablesPublication:
    """What publishing tables came to. `seconds` is 0 when they were up to date already."""

    place: str
    rows: dict[str, int]
    seconds: float


@contextmanager
def chosen_tables(
    settings: Settings, names: Sequence[str]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[Table]]]:
    """The published copy, and the tables of it that are asked for, the publication last."""
    with published_copy(settings) as connection:
        known = [
            f"gold.{name}"
            for (name,) in connection.execute(
                "select table_name from information_schema.tables"
                " where table_catalog = 'copy' and table_schema = 'gold' order by all"
            ).fetchall()
        ]
        chosen = [Table(f"gold.{name.removeprefix('gold.')}") for name in names] or TABLES
        unknown = [table.name for table in chosen if table.name not in known]
        if unknown:
            raise PublishError(
                f"{settings.published} has no {unknown[0]}. It has {', '.join(known) or 'nothing'}."
            )
        tables = [table for table in dict.fromkeys(chosen) if table != PUBLICATION]
        yield connection, [*tables, PUBLICATION]
