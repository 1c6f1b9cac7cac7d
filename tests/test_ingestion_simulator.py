"""Both simulated venues, on a usual day with its faults, land exactly what they list."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Query, TickingClock

from ingestion.payloads import dump, parse
from ingestion.pipeline import ingest
from ingestion.settings import Settings
from ingestion.simulator import Faults, World, serve


def world(tick: int) -> World:
    """A small universe after some steps."""
    now = datetime(2026, 10, 1, 12, tzinfo=UTC)
    return World(seed=7, kalshi_markets=300, polymarket_markets=700, now=now, tick=tick)


def listed(records: Iterable[dict[str, Any]], id_field: str) -> dict[str, str]:
    """The payload each record should land with, by its id."""
    return {
        record[id_field]: dump({name: record[name] for name in record if name != "markets"})
        for record in (parse(dump(record)) for record in records)
    }


def without_event_totals(payloads: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The records, without the copy of the event whose totals do not make a market new."""
    return {key: {**parse(payload), "events": None} for key, payload in payloads.items()}


@pytest.mark.parametrize("name", ["kalshi", "polymarket"])
def test_a_simulated_venue(
    name: str, settings: Settings, clock: TickingClock, query: Query
) -> None:
    before, after = world(0), world(1)
    with serve(before, faults=Faults.usual()) as server:
        simulated = settings.model_copy(
            update={"kalshi_url": server.kalshi_url, "polymarket_url": server.polymarket_url}
        )
        ingest(name, simulated, run_id="first", clock=clock)
        server.world = after
        second = ingest(name, simulated, run_id="second", clock=clock)
    latest = """
        select external_id, payload from raw.{} qualify payload is not null
        and row_number() over (partition by external_id order by fetched_at desc) = 1
    """
    tables = {
        "kalshi": {
            "kalshi_series": listed(after.kalshi_series(), "ticker"),
            "kalshi_events": listed(after.kalshi_events(), "event_ticker"),
            "kalshi_markets": listed(after.kalshi_markets(), "ticker"),
            "kalshi_series_fee_changes": listed(after.kalshi_series_fee_changes(), "id"),
            "kalshi_event_fee_changes": listed(after.kalshi_event_fee_changes(), "id"),
        },
        "polymarket": {
            "polymarket_events": listed(after.polymarket_events(), "id"),
            "polymarket_markets": listed(after.polymarket_markets(), "id"),
        },
    }[name]
    for table, expected in tables.items():
        landed: dict[str, str] = dict(query(latest.format(table)))
        assert landed.keys() == expected.keys()
        assert without_event_totals(landed) == without_event_totals(expected)
    assert second.total("records") == sum(map(len, tables.values()))
    assert 0 < second.total("landed") < second.total("unchanged")
    assert second.total("gone") > 0
    assert second.total("rejected_lines") == 0
