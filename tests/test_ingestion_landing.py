"""What lands: new and changed records, tombstones, the log of sweeps, and tables that are there."""

import re
from datetime import datetime

import duckdb
import numpy as np
import pytest
from conftest import Answer, Query, ScriptedVenue, TickingClock

from ingestion.build import PROJECT
from ingestion.errors import MarketFinderError, SettingsError, VenueError
from ingestion.pipeline import IngestResult, ingest
from ingestion.run_log import RunLog
from ingestion.settings import Settings

RAW_TABLES = [
    "kalshi_event_fee_changes", "kalshi_events", "kalshi_markets", "kalshi_series",
    "kalshi_series_fee_changes", "polymarket_events", "polymarket_markets",
]  # fmt: skip
LANDED_COLUMNS = [
    ("record_id", "VARCHAR"),
    ("venue", "VARCHAR"),
    ("entity", "VARCHAR"),
    ("external_id", "VARCHAR"),
    ("parent_id", "VARCHAR"),
    ("fetched_at", "TIMESTAMP"),
    ("content_hash", "VARCHAR"),
    ("payload", "JSON"),
    ("source", "VARCHAR"),
    ("_dlt_load_id", "VARCHAR"),
]


@pytest.fixture
def sweep(settings: Settings, clock: TickingClock) -> "Sweep":
    """Sweeps the markets of a venue once."""
    return Sweep(settings, clock)


class Sweep:
    """Sweeps of markets, one after the other."""

    def __init__(self, settings: Settings, clock: TickingClock) -> None:
        self.settings = settings
        self.clock = clock

    def __call__(self, venue: str = "kalshi", entity: str = "market") -> IngestResult:
        return ingest(venue, self.settings, run_id="run", clock=self.clock, entities=[entity])


def counts(result: IngestResult) -> tuple[int, int, int, int]:
    """(records, landed, unchanged, gone) of a run."""
    total = result.total
    return total("records"), total("landed"), total("unchanged"), total("gone")


def test_the_warehouse_holds_the_raw_schema_and_nothing_else(
    settings: Settings, query: Query
) -> None:
    for venue in ("kalshi", "polymarket"):
        ingest(venue, settings, run_id="run")
    tables = query("select schema_name, table_name from duckdb_tables() order by all")
    assert {schema for schema, _ in tables} == {"raw"}
    schemas = query("select schema_name from duckdb_schemas() where not internal")
    assert schemas == [("raw",)]
    assert [name for _, name in tables if not name.startswith("_")] == [
        "api_requests", *RAW_TABLES, "rejected_lines", "sweeps",
    ]  # fmt: skip
    for table in RAW_TABLES:
        columns = query(
            "select column_name, data_type from duckdb_columns() where table_name = ?"
            " order by column_index",
            table,
        )
        assert columns == LANDED_COLUMNS
        assert query(f"select count(*) from raw.{table}") == [(0,)]


def test_a_build_makes_the_tables_that_are_loaded(
    settings: Settings, clock: TickingClock, query: Query
) -> None:
    """Whichever comes first: rows are inserted by place, and models read by name."""
    RunLog(settings.warehouse, "run", clock).begin()
    ingest("kalshi", settings, run_id="run")
    columns = (
        "select table_name, list(column_name || ' ' || data_type order by column_index)"
        " from duckdb_columns() where schema_name = 'raw' group by all"
    )
    loaded: dict[str, list[str]] = dict(query(columns))
    macro = (PROJECT / "macros" / "raw_tables.sql").read_text()
    statements = re.findall(
        r"create table if not exists raw\.[^{}]*?\n    \);",
        macro.replace("{{ table }}", "kalshi_markets"),
    )
    with duckdb.connect() as connection:
        connection.execute("create schema raw;" + "".join(statements))
        made = dict(connection.execute(columns).fetchall())
    both = made.keys() & loaded.keys()
    assert both == {
        "_dlt_loads", "api_requests", "kalshi_markets", "rejected_lines", "run_steps", "sweeps",
    }  # fmt: skip
    assert {table: made[table] for table in both} == {table: loaded[table] for table in both}


def test_a_landed_row(
    venue: ScriptedVenue, settings: Settings, clock: TickingClock, query: Query
) -> None:
    series = {"ticker": "KXCPI", "frequency": "monthly"}
    event = {"event_ticker": "KXCPI-26OCT", "series_ticker": "KXCPI"}
    market = {"ticker": "KXCPI-26OCT-T3", "event_ticker": "KXCPI-26OCT", "floor_strike": 3.0}
    venue.kalshi([market], events=[[{**event, "markets": [market]}]], series=[[series]])
    venue.polymarket(
        [{"id": "7", "question": "CPI?", "events": [{"id": "3", "volume": 12.5}]}],
        events=[[{"id": "3", "series": [{"id": 12}], "markets": [{"id": "7"}]}]],
    )
    for name in ("kalshi", "polymarket"):
        ingest(name, settings, run_id="run", clock=clock)
    landed = " union all ".join(f"select * from raw.{table}" for table in RAW_TABLES)
    assert query(
        f"""
        select venue, entity, external_id, parent_id, payload, source
        from ({landed}) order by venue, entity
        """
    ) == [
        ("kalshi", "event", "KXCPI-26OCT", "KXCPI",
         '{"event_ticker":"KXCPI-26OCT","series_ticker":"KXCPI"}', "/events"),
        ("kalshi", "market", "KXCPI-26OCT-T3", "KXCPI-26OCT",
         '{"ticker":"KXCPI-26OCT-T3","event_ticker":"KXCPI-26OCT","floor_strike":3.0}', "/markets"),
        ("kalshi", "series", "KXCPI", None, '{"ticker":"KXCPI","frequency":"monthly"}', "/series"),
        ("polymarket", "event", "3", "12", '{"id":"3","series":[{"id":12}]}', "/events/keyset"),
        ("polymarket", "market", "7", "3",
         '{"id":"7","question":"CPI?","events":[{"id":"3","volume":12.5}]}', "/markets/keyset"),
    ]  # fmt: skip
    ((started, fetched, finished),) = query(
        """
        select started_at, fetched_at, finished_at
        from raw.kalshi_markets, raw.sweeps where sweeps.source = '/markets'
        """
    )
    assert datetime(2026, 10, 1, 12) < started < fetched < finished
    assert query(f"select count(distinct record_id), count(*) from ({landed})") == [(5, 5)]
    assert query(
        f"select count(*) from ({landed}) where _dlt_load_id not in"
        " (select load_id from raw._dlt_loads where status = 0)"
    ) == [(0,)]


def test_unchanged_payloads_are_not_written_again(
    venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    venue.kalshi([{"ticker": "A", "volume": 1, "title": "a"}], [{"ticker": "B", "volume": 1}])
    assert counts(sweep()) == (2, 2, 0, 0)
    # The same content with its fields in another order.
    venue.kalshi([{"title": "a", "volume": 1, "ticker": "A"}, {"ticker": "B", "volume": 2}])
    assert counts(sweep()) == (2, 1, 1, 0)
    assert counts(sweep()) == (2, 0, 2, 0)
    assert query("select external_id, count(*) from raw.kalshi_markets group by 1 order by 1") == [
        ("A", 1), ("B", 2),
    ]  # fmt: skip


def test_a_payload_that_changes_back_lands_again(
    venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    for price in ("0.10", "0.20", "0.10"):
        venue.kalshi([{"ticker": "A", "yes_bid_dollars": price}])
        sweep()
    price = "payload ->> 'yes_bid_dollars'"
    rows = query(f"select {price}, record_id from raw.kalshi_markets order by fetched_at")
    assert [price for price, _ in rows] == ["0.10", "0.20", "0.10"]
    assert len({record_id for _, record_id in rows}) == 3


def test_versions_on_one_page_keep_their_order(
    venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    venue.kalshi([{"ticker": "A", "n": 1}, {"ticker": "A", "n": 2}, {"ticker": "A", "n": 2},
                  {"ticker": "A", "n": 1}])  # fmt: skip
    assert counts(sweep()) == (4, 3, 1, 0)
    rows = query("select payload ->> 'n', record_id from raw.kalshi_markets order by fetched_at")
    assert [number for number, _ in rows] == ["1", "2", "1"]
    assert len({record_id for _, record_id in rows}) == 3
    venue.kalshi([{"ticker": "A", "n": 1}])
    assert counts(sweep()) == (1, 0, 1, 0)


def test_the_totals_of_a_polymarket_event_do_not_make_its_markets_new(
    venue: ScriptedVenue, sweep: Sweep
) -> None:
    venue.polymarket([{"id": "1", "volume": "5", "events": [{"id": "9", "volume": 10.5}]}])
    assert counts(sweep("polymarket")) == (1, 1, 0, 0)
    venue.polymarket([{"id": "1", "volume": "5", "events": [{"id": "9", "volume": 11.5}]}])
    assert counts(sweep("polymarket")) == (1, 0, 1, 0)
    venue.polymarket([{"id": "1", "volume": "6", "events": [{"id": "9", "volume": 12.5}]}])
    assert counts(sweep("polymarket")) == (1, 1, 0, 0)


def test_rules_that_stand_with_the_event_only_make_its_markets_new(
    venue: ScriptedVenue, sweep: Sweep
) -> None:
    """Where a market has none of its own they are its rules, and it was matched by them."""
    for own, rules, is_new in [
        (None, "ABC decides.", True),
        (None, "ABC decides.", False),
        (None, "XYZ decides.", True),
        ("ABC decides.", "XYZ decides.", True),
        ("ABC decides.", "None decides.", False),
    ]:
        event = {"id": "9", "volume": 10.5, "description": rules}
        venue.polymarket([{"id": "1", "description": own, "events": [event]}])
        assert counts(sweep("polymarket")) == (1, int(is_new), int(not is_new), 0)


def test_a_listing_that_is_gone_lands_as_a_tombstone(
    venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    venue.kalshi([{"ticker": "A"}, {"ticker": "B"}])
    sweep()
    venue.kalshi([{"ticker": "A"}])
    assert counts(sweep()) == (1, 0, 1, 1)
    # Once is enough.
    assert counts(sweep()) == (1, 0, 1, 0)
    # A listing that comes back lands again, though its content is what it was.
    venue.kalshi([{"ticker": "A"}, {"ticker": "B"}])
    assert counts(sweep()) == (2, 1, 1, 0)
    assert query(
        """
        select payload is null, content_hash is null, parent_id, source
        from raw.kalshi_markets where external_id = 'B' order by fetched_at
        """
    ) == [
        (False, False, None, "/markets"),
        (True, True, None, "/markets"),
        (False, False, None, "/markets"),
    ]


@pytest.mark.parametrize(("left", "believed"), [(0, False), (4, False), (5, True)])
def test_a_sweep_of_less_than_half_is_not_believed(
    left: int, believed: bool, venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    """Where the venue cannot be asked for them by id."""
    series = [{"ticker": f"KX{number}"} for number in range(10)]
    venue.kalshi(series=[series])
    sweep(entity="series")
    venue.kalshi(series=[series[:left]])
    if believed:
        assert counts(sweep(entity="series")) == (left, 0, left, 10 - left)
        return
    with pytest.raises(VenueError, match=f"listed only {left} where 10 are known"):
        sweep(entity="series")
    assert query("select count(*), count(payload) from raw.kalshi_series") == [(10, 10)]
    assert query("select is_complete, error is null from raw.sweeps order by finished_at") == [
        (True, True), (False, False),
    ]  # fmt: skip


@pytest.mark.parametrize("venue_name", ["kalshi", "polymarket"])
@pytest.mark.parametrize("cut", [[], None, 1])
def test_a_listing_that_ends_too_soon_buries_nothing(
    venue_name: str, cut: object, venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    """Kalshi answers a cursor that it does not know any more with an empty page, and no cursor."""
    markets = [{"ticker": f"KX-{number}", "id": str(number)} for number in range(10)]
    serve = venue.kalshi if venue_name == "kalshi" else venue.polymarket
    serve(markets[:6], markets[6:])
    sweep(venue_name)
    script = venue.scripts["/markets" if venue_name == "kalshi" else "/markets/keyset"]
    page = markets[6:7] if cut == 1 else cut
    script.for_ever[2] = Answer({"markets": page, **script.last_cursor})
    with pytest.raises(VenueError, match=r"left out .* it still has"):
        sweep(venue_name)
    assert query(f"select count(*), count(payload) from raw.{venue_name}_markets") == [(10, 10)]
    assert query("select is_complete from raw.sweeps order by finished_at") == [(True,), (False,)]
    serve(markets[:4])
    assert counts(sweep(venue_name)) == (4, 0, 4, 6)


def test_what_slipped_between_two_pages_is_taken(
    venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    markets = [{"ticker": f"KX-{number}"} for number in range(200)]
    venue.kalshi(markets)
    sweep()
    left_out = {"ticker": "KX-199", "volume": 1}
    venue.kalshi(markets[:198], [left_out])
    venue.scripts["/markets"].for_ever[2] = Answer({"markets": [], "cursor": ""})
    assert counts(sweep()) == (199, 1, 198, 1)
    gone = "select external_id from raw.kalshi_markets where payload is null"
    assert query(gone) == [("KX-198",)]


TEN_MARKETS = [{"ticker": f"KX-{number}"} for number in range(10)]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer({"markets": [], "cursor": ""}), "does not know KX-5 by id"),
        (Answer({}, 400), "answered 400"),
    ],
    ids=["nothing", "refused"],
)
def test_nothing_is_buried_by_a_venue_that_cannot_be_asked(
    answer: Answer, message: str, venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    """What is not in an answer is gone only if what has just been listed is in it."""
    venue.kalshi(TEN_MARKETS)
    sweep()
    venue.kalshi(TEN_MARKETS[:6])
    venue.scripts["/markets"].by_id = answer
    with pytest.raises(VenueError, match=message):
        sweep()
    assert query("select count(*), count(payload) from raw.kalshi_markets") == [(10, 10)]


def test_a_venue_that_heeds_no_ids_is_known_by_its_list_alone(
    venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    """Then fewer than half are not believed, and that it was so is to be seen."""
    venue.kalshi(TEN_MARKETS)
    sweep()

    def heedless(listed: int) -> IngestResult:
        venue.kalshi(TEN_MARKETS[:listed])
        venue.scripts["/markets"].by_id = Answer({"markets": TEN_MARKETS, "cursor": "more"})
        return sweep()

    assert counts(heedless(6)) == (6, 0, 6, 4)
    assert query("select reason from raw.rejected_lines") == [
        ("not asked for: kalshi /markets does not tell by id what is gone",)
    ]
    with pytest.raises(VenueError, match="listed only 2 where 6 are known"):
        heedless(2)


def test_an_id_that_the_venue_refuses_is_none_of_its_own(
    venue: ScriptedVenue, sweep: Sweep, query: Query
) -> None:
    """Of an archive, say. It costs no other its tombstone, and no sweep its end."""
    markets = [{"id": name} for name in ("1", "2", "3", "not a number", "5")]
    venue.polymarket(markets)
    sweep("polymarket")
    venue.polymarket(markets[:2])
    venue.scripts["/markets/keyset"].refused = {"not a number"}
    assert counts(sweep("polymarket")) == (2, 0, 2, 3)


def test_a_venue_that_is_empty_from_the_start_is_no_error(settings: Settings, query: Query) -> None:
    assert counts(ingest("polymarket", settings, run_id="run")) == (0, 0, 0, 0)
    assert query("select entity, records, is_complete from raw.sweeps order by entity") == [
        ("event", 0, True), ("market", 0, True),
    ]  # fmt: skip


def test_a_failed_sweep_writes_no_tombstones_and_the_next_one_does(
    venue: ScriptedVenue, sweep: Sweep
) -> None:
    venue.kalshi([{"ticker": "A"}], [{"ticker": "B"}])
    sweep()
    venue.kalshi([{"ticker": "A"}], [{"ticker": "C"}])
    working, venue.scripts["/markets"].cursor_field = "cursor", "moved"
    with pytest.raises(MarketFinderError):
        sweep()
    venue.scripts["/markets"].cursor_field = working
    assert counts(sweep()) == (2, 1, 1, 1)


def test_records_without_an_id_land_once(venue: ScriptedVenue, sweep: Sweep, query: Query) -> None:
    venue.kalshi([{"title": "no ticker"}, {"ticker": None}, {"ticker": {"is": "an object"}},
                  {"ticker": ""}])  # fmt: skip
    assert counts(sweep()) == (4, 4, 0, 0)
    assert counts(sweep()) == (4, 0, 4, 0)
    assert query("select count(*), count(external_id) from raw.kalshi_markets") == [(4, 0)]


def test_a_number_as_an_id_is_text(venue: ScriptedVenue, sweep: Sweep, query: Query) -> None:
    venue.polymarket([{"id": 17}, {"id": 123456789012345678901234567890}])
    sweep("polymarket")
    assert query("select external_id from raw.polymarket_markets order by 1") == [
        ("123456789012345678901234567890",), ("17",),
    ]  # fmt: skip


def test_more_rows_than_a_batch(venue: ScriptedVenue, sweep: Sweep, query: Query) -> None:
    pages = [[{"ticker": f"KX-{page}-{n}"} for n in range(1_000)] for page in range(12)]
    venue.kalshi(*pages)
    assert counts(sweep()) == (12_000, 12_000, 0, 0)
    venue.kalshi(*pages[:6])
    assert counts(sweep()) == (6_000, 0, 6_000, 6_000)
    assert query(
        "select count(*), count(distinct record_id), count(payload) from raw.kalshi_markets"
    ) == [(18_000, 18_000, 12_000)]


def test_tables_that_are_there_before_the_first_load(
    venue: ScriptedVenue, settings: Settings, sweep: Sweep, query: Query
) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in LANDED_COLUMNS)
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute("create schema raw")
        for table in RAW_TABLES:
            connection.execute(f"create table raw.{table} ({columns})")
        connection.execute(
            """
            create table raw._dlt_loads (
                load_id varchar, schema_name varchar, status bigint, inserted_at timestamptz,
                schema_version_hash varchar
            )
            """
        )
    venue.kalshi([{"ticker": "A"}])
    assert counts(sweep()) == (1, 1, 0, 0)
    assert counts(sweep()) == (1, 0, 1, 0)
    assert query("select count(*) from raw._dlt_loads") == [(2,)]
    assert query("select count(*) from raw.kalshi_markets") == [(1,)]


def test_a_warehouse_that_lost_its_working_folder_and_the_reverse(
    venue: ScriptedVenue, settings: Settings, sweep: Sweep
) -> None:
    venue.kalshi([{"ticker": "A"}])
    sweep()
    settings.warehouse.with_suffix(".dlt").rmdir()
    assert counts(sweep()) == (1, 0, 1, 0)
    settings.warehouse.unlink()
    assert counts(sweep()) == (1, 1, 0, 0)


@pytest.mark.parametrize("text", ["not a database", ""])
def test_a_file_that_is_no_warehouse(text: str, settings: Settings, sweep: Sweep) -> None:
    settings.warehouse.write_text(text)
    with pytest.raises(MarketFinderError, match=r"cannot be opened as a DuckDB database"):
        sweep()
    assert settings.warehouse.read_text() == text


def test_a_warehouse_of_a_newer_duckdb(settings: Settings, sweep: Sweep) -> None:
    sweep()
    content = bytearray(settings.warehouse.read_bytes())
    content[12:20] = (10_000).to_bytes(8, "little")
    # DuckDB's own sum of the header, or it takes the file for a damaged one.
    words = np.frombuffer(content[8:4096], np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    content[:8] = (np.bitwise_xor.reduce(words) ^ np.uint64(5381)).tobytes()
    settings.warehouse.write_bytes(content)
    with pytest.raises(MarketFinderError, match=r"was made by a newer DuckDB than \d.*MARKETF"):
        sweep()


def test_unknown_venues_and_entities(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"'betfair' is not a venue\. Give one of: kalshi"):
        ingest("betfair", settings, run_id="run")
    with pytest.raises(SettingsError, match=r"polymarket has no 'series'\. Give one of: event"):
        ingest("polymarket", settings, run_id="run", entities=["series"])
