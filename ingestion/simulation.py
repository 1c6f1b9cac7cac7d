"""raw.simulations: what a simulator has put into a warehouse, noted in the warehouse itself, so
that a copy of it under any name says so too."""

from datetime import datetime

import duckdb

from ingestion.errors import WarehouseError
from ingestion.landing import naive_utc

SERVER = "MarketFinder-Simulator"
"""How the simulator of the venues calls itself in the header Server of each answer."""

MARK = "Simulated data: nothing of it can be traded."
"""What is said wherever they go."""

_TABLE = """
create schema if not exists raw;
create table if not exists raw.simulations (run_id varchar, noted_at timestamp);
comment on table raw.simulations is
    'Runs that loaded simulated data: with one row here nothing in this file is to be traded on.';
"""


def note_simulation(connection: duckdb.DuckDBPyConnection, run_id: str, noted_at: datetime) -> None:
    """Notes that a run loads what a simulator made up. Raises WarehouseError."""
    try:
        connection.execute(_TABLE)
        connection.execute(
            "insert into raw.simulations select $run, $at"
            " where $run not in (select run_id from raw.simulations)",
            {"run": run_id, "at": naive_utc(noted_at)},
        )
    except duckdb.Error as error:
        raise WarehouseError(f"That the data are simulated cannot be noted: {error}") from None


def is_simulated(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything in a warehouse, or in a copy of it, was made up by a simulator."""
    try:
        return bool(connection.execute("select 1 from raw.simulations limit 1").fetchall())
    except duckdb.CatalogException:
        return False
