"""No fee is read lower than it is, whatever a list of changes leaves out: 150 series with an event
each, over half a day of sweeps."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import pytest
from compiled_models import compiled_models

START = datetime(2026, 10, 1)
MARKETS = 150
REJECTIONS = "struct(field varchar, value varchar, reason varchar) []"
# The record of each level, the list of its changes, and what they call their fields.
LEVELS = {
    "series": ("series_ticker", "fee_type", "fee_multiplier"),
    "event": ("event_ticker", "fee_type_override", "fee_multiplier_override"),
}
TABLES = {"series": "kalshi_series", "event": "kalshi_events"}


@dataclass(frozen=True)
class Change:
    """One that is announced; null: the event has no fee of its own any more."""

    name: str
    level: str
    market: int
    multiplier: float | None
    announced_at: datetime
    effective_at: datetime
    withdrawn_at: datetime | None

    def is_listed(self, now: datetime) -> bool:
        """Whether a whole list has it."""
        return self.announced_at <= now and not (self.withdrawn_at and self.withdrawn_at <= now)


def random_changes(rng: random.Random) -> list[Change]:
    """Up to three of each series and each event, a third of them withdrawn before their moment."""
    changes = []
    for number in range(MARKETS * 6):
        if rng.random() < 0.5:
            continue
        level = ("series", "event")[number % 2]
        announced_at = START + timedelta(minutes=rng.randint(0, 500))
        ahead = timedelta(minutes=rng.randint(90, 400))
        is_cleared = level == "event" and rng.random() < 0.3
        withdrawn_at = announced_at + ahead * rng.random() if rng.random() < 0.3 else None
        multiplier = None if is_cleared else rng.choice((0.5, 1, 2, 3))
        change = Change(
            f"{number}",
            level,
            number // 6,
            multiplier,
            announced_at,
            announced_at + ahead,
            withdrawn_at,
        )
        changes.append(change)
    return changes


def venue_tables() -> duckdb.DuckDBPyConnection:
    """A database with the tables of bronze that fees are read from, empty, and the markets."""
    connection = duckdb.connect()
    connection.execute("create schema silver; create schema bronze")
    for level, (ticker, kind, multiplier) in LEVELS.items():
        columns = f"{ticker} varchar, {kind} varchar, {multiplier} decimal(28, 8),"
        columns += f" fetched_at timestamp, is_gone boolean, rejections {REJECTIONS}"
        connection.execute(
            f"create table bronze.{TABLES[level]} (record_number bigint, {columns});"
            f"create table bronze.kalshi_{level}_fee_changes ("
            f"record_number bigint, change_id varchar, effective_at timestamp, {columns})"
        )
    connection.execute(
        f"""
        create table silver.markets as
            select
                number::varchar as market_id, 'kalshi' as platform, market_id as external_id,
                'series' || number as series_id, 'event' || number as event_id
            from range({MARKETS}) as numbers (number);
        create table silver.lock_legs as select market_id from silver.markets;
        create table bronze.polymarket_markets (
            polymarket_id varchar, fee_type varchar, has_fees boolean, fee_schedule json,
            fetched_at timestamp, is_gone boolean
        );
        create table bronze.sweeps (
            venue varchar, entity varchar, is_complete boolean, started_at timestamp
        );
        """
    )
    return connection


class Venue:
    """Sweeps of a venue whose lists end too soon now and then, never twice for one change."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.changes = random_changes(self.rng)
        self.first = [self.rng.choice((0.5, 1, 2)) for _ in range(MARKETS)]
        self.connection = venue_tables()
        self.told: dict[tuple[str, int], float | None] = {}
        self.held: dict[str, Change] = {}
        self.ever: set[str] = set()
        self.left_out: set[str] = set()
        self.records = 0

    def fee(self, level: str, market: int, now: datetime) -> float | None:
        """What is true at a moment."""
        multiplier = self.first[market] if level == "series" else None
        for change in sorted(self.changes, key=lambda change: change.effective_at):
            is_its = (change.level, change.market) == (level, market)
            if is_its and change.effective_at <= now and not change.withdrawn_at:
                multiplier = change.multiplier
        return multiplier

    def land(self, table: str, **values: object) -> None:
        """A record of bronze."""
        self.records += 1
        columns = {"record_number": self.records, "is_gone": False, "rejections": [], **values}
        given = ", ".join("?" for _ in columns)
        self.connection.execute(
            f"insert into bronze.{table} ({', '.join(columns)}) values ({given})",
            list(columns.values()),
        )

    def sweep(self, now: datetime) -> None:
        """Series, events, and the changes of both; events tell of no fee of their own."""
        for level, (ticker, kind, multiplier) in LEVELS.items():
            self.note(level, now)
            for market in range(MARKETS):
                fee = self.fee(level, market, now) if level == "series" else None
                if self.told.get((level, market), -1) != fee:
                    self.told[level, market] = fee
                    told = {kind: fee and "quadratic", multiplier: fee}
                    self.land(TABLES[level], **{ticker: f"{level}{market}"}, **told, fetched_at=now)
        for level in LEVELS:
            self.sweep_changes(level, now + timedelta(seconds=9))

    def note(self, entity: str, now: datetime) -> None:
        """The sweep itself."""
        self.connection.execute(
            "insert into bronze.sweeps values ('kalshi', ?, true, ?)", [entity, now]
        )

    def sweep_changes(self, level: str, now: datetime) -> None:
        """The list of a level's changes; in every third sweep half of it is left out."""
        ticker, kind, multiplier = LEVELS[level]
        self.note(f"{level}_fee_change", now)
        of_level = [change for change in self.changes if change.level == level]
        is_cut = self.rng.random() < 0.35
        listed = set()
        for change in of_level:
            may_miss = change.name in self.ever and change.name not in self.left_out
            if not change.is_listed(now):
                continue
            self.left_out.discard(change.name)
            if is_cut and may_miss and self.rng.random() < 0.5:
                self.left_out.add(change.name)
                continue
            listed.add(change.name)
            if change.name not in self.held:
                self.held[change.name] = change
                self.ever.add(change.name)
                values = {
                    ticker: f"{level}{change.market}",
                    kind: change.multiplier and "quadratic",
                    multiplier: change.multiplier,
                    "change_id": change.name,
                    "effective_at": change.effective_at,
                }
                self.land(f"kalshi_{level}_fee_changes", **values, fetched_at=now)
        for change in of_level:
            if change.name in self.held and change.name not in listed:
                del self.held[change.name]
                gone = {"change_id": change.name, "is_gone": True, "fetched_at": now}
                self.land(f"kalshi_{level}_fee_changes", **gone)

    def read(self, now: datetime) -> dict[int, float]:
        """What the models say at a moment."""
        queries = compiled_models("fee_changes", "fee_terms")[1]
        for name, query in queries.items():
            self.connection.execute(f"create or replace table silver.{name} as {query}")
        rows = self.connection.execute(
            "select market_id, arg_max(multiplier, told_at) from silver.fee_terms"
            " where told_at <= ? and multiplier is not null group by market_id",
            [now],
        ).fetchall()
        return {int(market): float(multiplier) for market, multiplier in rows}

    def true_fees(self, now: datetime) -> dict[int, float]:
        """What is true, of markets of which no change came to pass that no list ever had."""
        unheard = {
            change.market
            for change in self.changes
            if change.effective_at <= now
            and not change.withdrawn_at
            and change.name not in self.ever
        }
        fees = {}
        for market in range(MARKETS):
            own = self.fee("event", market, now)
            series = self.fee("series", market, now)
            assert series is not None
            if market not in unheard:
                fees[market] = series if own is None else own
        return fees


@pytest.mark.parametrize("seed", range(2))
def test_no_fee_is_read_lower_than_it_is(seed: int) -> None:
    venue = Venue(seed)
    now, compared = START, 0
    for _ in range(14):
        now += timedelta(minutes=venue.rng.randint(20, 90))
        venue.sweep(now)
        for minutes in (1, venue.rng.randint(2, 19)):
            moment = now + timedelta(minutes=minutes)
            read, true = venue.read(moment), venue.true_fees(moment)
            too_low = {market: fee for market, fee in true.items() if read[market] < fee}
            assert not too_low, moment
            compared += len(true)
    assert compared > MARKETS * 14
    # What was withdrawn is heeded in the end, but for events whose changes vanished around their
    # moment.
    dearer = [market for market, fee in true.items() if read[market] > fee]
    assert len(dearer) < MARKETS / 10
