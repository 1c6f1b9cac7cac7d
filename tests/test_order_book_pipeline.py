"""The order-book half as a person runs it: the command, dlt, dbt and all its tests."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pipelines import ask, build_tables, contents, differing
from test_runs import environment, marketfinder

from ingestion.build import PROJECT, Half, build
from ingestion.errors import BuildError
from ingestion.order_books import ingest_order_books
from ingestion.runs import SimulatedClock
from ingestion.settings import Disposal, Settings
from ingestion.simulator.order_books import (
    BITCOIN,
    ETHER,
    BookFaults,
    LevelTwoStream,
    MarketSettings,
)

START = datetime(2026, 10, 1, 23, 59, 50, tzinfo=UTC)
STREAM = LevelTwoStream(
    MarketSettings(
        seed=11, start=START, products=(replace(BITCOIN, depth=60), replace(ETHER, depth=40))
    ),
    BookFaults(dropped=(200,), duplicated=(330,), reconnect_at=(380,)),
)
# The loader's own numbers, the time of a load, and how far the last of several runs came.
IGNORED = {"load_id", "run_id", "loaded_at", "segment_id", "replayed_to", "run_number"}


def settings_for(root: Path, name: str = "warehouse") -> Settings:
    """A warehouse of its own, fed from segments that are kept."""
    return Settings(
        warehouse=root / name / "warehouse.duckdb", segments=root, loaded_segments=Disposal.KEEP
    )


def ingest(settings: Settings) -> None:
    ingest_order_books(settings, run_id="run", clock=SimulatedClock(START))


def built_tables(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all built tables, but for those that say how far a replay came."""
    tables = contents(settings.warehouse, IGNORED)
    del tables["bronze.last_frame"]
    tables["silver.replayed_order_books"] = [
        row for row in tables["silver.replayed_order_books"] if row[0] is not None
    ]
    return tables


@pytest.mark.slow
def test_segments_one_by_one_give_what_all_at_once_give(tmp_path: Path) -> None:
    """Bars and features too; and a segment that is offered again changes nothing."""
    written = STREAM.write(tmp_path, frames=700, frames_per_segment=350)
    whole, parts = settings_for(tmp_path, "whole"), settings_for(tmp_path, "parts")
    ingest(whole)
    build(whole.warehouse, Half.ORDER_BOOKS)
    second = written.paths[1]
    aside = second.rename(tmp_path / second.name)
    ingest(parts)
    build(parts.warehouse, Half.ORDER_BOOKS)
    aside.rename(second)
    ingest(parts)
    ingest(parts)
    build(parts.warehouse, Half.ORDER_BOOKS)
    tables = built_tables(whole)
    assert differing(tables, built_tables(parts)) == []
    for name in ("trade_bars", "order_book_bars", "ticker_bars"):
        assert tables[f"gold.{name}"]
    assert len(tables["silver.sequence_gaps"]) == 3
    days = ask(whole.warehouse, "select distinct booked_at::date from silver.order_book_features")
    assert len(days) == 2
    # What a Python model adds to its table is nowhere else in the warehouse.
    assert ask(parts.warehouse, "from duckdb_tables() where schema_name = 'main'") == []


def write_at_midnight(root: Path) -> None:
    """A clock that steps back over the end of a day; the older feed, with a snapshot of no time."""
    levels = [
        {"side": side, "price_level": price, "new_quantity": "1"}
        for side, price in (("bid", "100"), ("offer", "101"))
    ]
    back = [
        {
            "channel": "l2_data",
            "timestamp": f"2026-10-{time}Z",
            "sequence_num": number,
            "events": [{"type": event, "product_id": "BTC-USD", "updates": levels}],
        }
        for number, (time, event) in enumerate(
            [("01T23:59:58", "snapshot"), ("02T00:00:01", "update"), ("01T23:59:59", "update")]
        )
    ]
    nameless = [back[0], {**back[2], "sequence_num": 1, "events": None}]
    nameless.append({**back[2], "sequence_num": 2})
    product = {"product_id": "BTC-USD"}
    older = [
        {"type": "subscriptions", "channels": []},
        {"type": "snapshot", **product, "bids": [["100", "1"]], "asks": [["101", "1"]]},
        {"type": "l2update", **product, "time": "2026-10-01T23:59:59Z", "changes": []},
    ]
    for name, lines in (("back", back), ("older", older), ("nameless", nameless)):
        path = root / "raw/ready/coinbase" / name / "1.ndjson"
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_filters_are_kept_to(tmp_path: Path) -> None:
    """One product, one day; and no other filters on what was built with these."""
    STREAM.write(tmp_path, frames=700)
    update = {
        "type": "update",
        "productId": "BTC-USD",
        "updates": [],
    }  # as if the format had changed
    renamed = {"channel": "l2_data", "timestamp": f"{START:%FT%TZ}", "sequence_num": 0}
    segment = tmp_path / "raw/ready/coinbase/renamed/segment.ndjson"
    segment.parent.mkdir()
    segment.write_text(json.dumps({**renamed, "events": [update]}))
    write_at_midnight(tmp_path)
    settings = settings_for(tmp_path)
    ingest(settings)
    filters = ["--symbol", "BTC-USD", "--end", "2026-10-01"]
    with pytest.MonkeyPatch.context() as own:
        # With other vars dbt parses anew, and once more for the next build in the same place.
        own.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
        done = marketfinder(settings, "build", "order-books", *filters)
    assert done.returncode == 0, done.stdout + done.stderr
    books = "select distinct symbol, booked_at::date::varchar from silver.order_books"
    assert ask(settings.warehouse, books) == [("BTC-USD", "2026-10-01")]
    reasons = "select invalid_reason from silver.order_books where stream = ? order by book_number"
    assert ask(settings.warehouse, reasons, "coinbase/back") == [(None,), ("sequence gap",)]
    assert ask(settings.warehouse, reasons, "coinbase/older") == [(None,)]
    doubted = ("sequence gap",)
    assert ask(settings.warehouse, reasons, "coinbase/nameless") == [(None,), doubted, doubted]
    assert ask(settings.warehouse, "select distinct symbol from silver.trades") == [("BTC-USD",)]
    turned_away = "select distinct field from silver.rejected_feed_records order by all"
    assert ask(settings.warehouse, turned_away) == [("product_id",), ("type",), ("updates",)]
    refused = marketfinder(settings, "build", "order-books")
    assert refused.returncode == 2
    assert "was built with symbol=BTC-USD, end_date=2026-10-01" in refused.stderr
    assert "Traceback" not in refused.stderr
    planned = marketfinder(settings, "build", "order-books", *filters, "--dry-run")
    assert "No new frames" in planned.stdout
    assert "silver" in planned.stdout


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small warehouse that is built."""
    root = tmp_path_factory.mktemp("small")
    STREAM.write(root, frames=60)
    settings = settings_for(root)
    ingest(settings)
    build(settings.warehouse, Half.ORDER_BOOKS)
    return settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"start_date": "2026-02-30"}, "start_date: 2026-02-30 is not a day such as 2026-08-09."),
        ({"limit_rows": "abc"}, "limit_rows: abc is not a whole number from 0."),
        ({"order_book_dept": 5}, "order_book_dept is not a var of this project"),
        ({"minimum_margin": "abc"}, "minimum_margin: abc is not a number from -1, such as 0.02."),
        ({"order_book_depth": 0}, "order_book_depth: 0 is not a whole number from 1."),
        (
            {"start_date": "2026-02-03", "end_date": "2026-02-02"},
            "start_date: 2026-02-03 is after end_date, 2026-02-02.",
        ),
        ({"bar_durations_seconds": []}, "bar_durations_seconds: [] is not a list of seconds"),
        (
            {"longest_silence_seconds": 5},
            "was built with order_book_depth=20, longest_silence_seconds=90, and now is asked for",
        ),
        ({"bar_durations_seconds": [0, 60]}, "bar_durations_seconds: 0 is not a number of seconds"),
        ({"bar_durations_seconds": ["60"]}, "bar_durations_seconds: 60 is not a number of seconds"),
        (
            {"order_book_depth": 5},
            "now is asked for order_book_depth=5, longest_silence_seconds=90",
        ),
        (
            {"bar_durations_seconds": [60]},
            "was built with bar_durations_seconds=[60, 300, 900, 3600]",
        ),
    ],
)
def test_vars_that_cannot_be_are_refused(
    small: Settings, variables: dict[str, object], message: str
) -> None:
    with pytest.raises(BuildError, match=re.escape(message)):
        build(small.warehouse, Half.ORDER_BOOKS, variables=variables)


@pytest.mark.slow
def test_tables_of_an_older_version_are_refused_before_anything_is_built(
    small: Settings, tmp_path: Path
) -> None:
    """What is to be done is said, and done it helps."""
    warehouse = tmp_path / small.warehouse.name
    shutil.copy(small.warehouse, warehouse)
    with duckdb.connect(warehouse) as connection:
        connection.execute("drop view silver.sequence_gaps")
        connection.execute("alter table silver.sequenced_frames drop column connected_at")
        connection.execute("alter table silver.order_book_features drop column bid_gini")
    message = (
        "before these columns were added: silver.order_book_features.bid_gini, "
        "silver.sequenced_frames.connected_at. Build them and what reads them anew: "
        "dbt build --full-refresh --select order_book_features+ sequenced_frames+"
    )
    with pytest.raises(BuildError, match=re.escape(message)):
        build(warehouse, Half.ORDER_BOOKS)
    build_tables(warehouse, "sequenced_frames+ order_book_features+", "--full-refresh")
    build_tables(warehouse, Half.ORDER_BOOKS)


@pytest.mark.slow
def test_a_limit_counts_from_what_is_built(tmp_path: Path) -> None:
    """After builds without one, or with other commands between, it neither starts anew nor ends."""
    settings = settings_for(tmp_path)
    reached = []
    for number, variables in enumerate(({}, {"limit_rows": 10}, {}), 1):
        STREAM.write(tmp_path, frames=30, folder=f"coinbase/{number}", compression="none")
        (segment,) = (tmp_path / f"raw/ready/coinbase/{number}").iterdir()
        segment.write_bytes(segment.read_bytes() + b"\n" * number)  # another content
        ingest(settings)
        build_tables(settings.warehouse, Half.ORDER_BOOKS, "--vars", json.dumps(variables))
        last = "select max(frame_number) from silver.sequenced_frames"
        reached += [divmod(frame, 2**36) for (frame,) in ask(settings.warehouse, last)]
    assert [segment for segment, _ in reached] == [1, 2, 3]
    assert reached[1][1] == 10


def build_until(settings: Settings, model: str) -> None:
    """Starts dbt in a process group of its own, and kills the group once a model is built."""
    command = [sys.executable, "-m", "dbt.cli.main", "--log-format", "json", "build"]
    with subprocess.Popen(
        [*command, "--select", "tag:order_books", "--threads", "1"],
        cwd=PROJECT,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if (
                event["info"]["name"] == "LogModelResult"
                and event["data"]["node_info"]["node_name"] == model
            ):
                os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    ["coinbase_level2_updates", "sequenced_frames", "replayed_order_books", "order_book_features"],
)
def test_a_killed_build_goes_on_to_the_same_tables(tmp_path: Path, model: str) -> None:
    """Killed at the second of two segments, with the first one built."""
    written = STREAM.write(tmp_path, frames=700, frames_per_segment=350)
    whole, killed = settings_for(tmp_path, "whole"), settings_for(tmp_path, "killed")
    ingest(whole)
    build(whole.warehouse, Half.ORDER_BOOKS)
    aside = written.paths[1].rename(tmp_path / written.paths[1].name)
    ingest(killed)
    build(killed.warehouse, Half.ORDER_BOOKS)
    aside.rename(written.paths[1])
    ingest(killed)
    build_until(killed, model)
    build(killed.warehouse, Half.ORDER_BOOKS)
    assert differing(built_tables(whole), built_tables(killed)) == []


@pytest.mark.slow
def test_limited_builds_end_where_one_build_does(tmp_path: Path) -> None:
    STREAM.write(tmp_path, frames=700)
    whole, parts = settings_for(tmp_path, "whole"), settings_for(tmp_path, "parts")
    for settings in (whole, parts):
        ingest(settings)
    build(whole.warehouse, Half.ORDER_BOOKS)
    for _ in range(3):
        build(parts.warehouse, Half.ORDER_BOOKS, variables={"limit_rows": 250})
    assert differing(built_tables(whole), built_tables(parts)) == []
