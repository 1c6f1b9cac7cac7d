"""Archived payload files: every shape, encoding and damage, and the real captures."""

import gzip
import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Query, TickingClock

from ingestion.errors import FileError
from ingestion.files import BadLine, FoundRecord, find_files, read_file
from ingestion.pipeline import VENUES, IngestResult, ingest_files
from ingestion.settings import Settings

SERIES = {"ticker": "KXCPI", "title": "CPI", "frequency": "monthly"}
EVENT = {"event_ticker": "KXCPI-26OCT", "series_ticker": "KXCPI", "title": "CPI in October?"}
MARKET = {"ticker": "KXCPI-26OCT-T3", "event_ticker": "KXCPI-26OCT", "title": "Über 3 %?"}
POLYMARKET_EVENT = {"id": "3", "slug": "cpi", "title": "CPI in October?"}
POLYMARKET_MARKET = {"id": "7", "slug": "cpi-3", "question": "CPI above 3 %?"}

Found = list[tuple[str, str | None, int]]


def read(path: Path, venue: str = "kalshi") -> Found:
    """(kind or reason, enclosing id, line) of what a file holds."""
    (file,) = find_files([str(path)])
    return [
        (found.reason, None, found.line)
        if isinstance(found, BadLine)
        else (found.entity.name, found.enclosing_id, found.line)
        for found in read_file(file, VENUES[venue])
    ]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file; the name of one that ends in .gz is compressed."""

    def write_file(content: object, name: str = "file.json", encoding: str = "utf-8") -> Path:
        if not isinstance(content, str | bytes):
            content = json.dumps(content, ensure_ascii=False)
        data = content.encode(encoding) if isinstance(content, str) else content
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write_file


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-16-be with BOM"]
)
@pytest.mark.parametrize("lines", [False, True], ids=["page", "lines"])
def test_encodings(
    lines: bool, encoding: str, compressed: bool, write: Callable[..., Path]
) -> None:
    page = {"markets": [MARKET, MARKET], "cursor": ""}
    one_a_line = "\n".join(json.dumps(MARKET, ensure_ascii=False) for _ in range(2))
    text = one_a_line if lines else json.dumps(page, indent=1, ensure_ascii=False)
    if encoding.endswith(" with BOM"):
        encoding, text = "utf-16-be", "\ufeff" + text
    path = write(text, "file.json.gz" if compressed else "file.json", encoding)
    (file,) = find_files([str(path)])
    found = list(read_file(file, VENUES["kalshi"]))
    assert [item.record for item in found if isinstance(item, FoundRecord)] == [MARKET, MARKET]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ([MARKET, EVENT, SERIES], [("market", None, 1), ("event", None, 2), ("series", None, 3)]),
        ({"cursor": "x", "markets": [MARKET, MARKET]}, [("market", None, 1), ("market", None, 2)]),
        ({"cursor": "", "events": [EVENT], "milestones": []}, [("event", None, 1)]),
        ({"series": [SERIES]}, [("series", None, 1)]),
        ({"series": SERIES}, [("series", None, 1)]),
        ({"market": MARKET}, [("market", None, 1)]),
        ({"event": EVENT, "markets": [MARKET]}, [("event", None, 1), ("market", None, 1)]),
        (
            [{**EVENT, "markets": [MARKET, MARKET]}],
            [("event", None, 1), ("market", "KXCPI-26OCT", 1), ("market", "KXCPI-26OCT", 1)],
        ),
        ({"value": [MARKET], "Count": 1}, [("market", None, 1)]),
        ({"data": [EVENT]}, [("event", None, 1)]),
        (MARKET, [("market", None, 1)]),
        (EVENT, [("event", None, 1)]),
        (SERIES, [("series", None, 1)]),
        ([{"market": MARKET}], [("market", None, 1)]),
        # A page says what its records are, whatever fields they have lost.
        ({"markets": [{"status": "active"}]}, [("market", None, 1)]),
        ({"markets": [], "cursor": ""}, []),
        ([], []),
    ],
)
def test_shapes_of_kalshi(document: object, found: Found, write: Callable[..., Path]) -> None:
    assert read(write(document)) == found


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ([POLYMARKET_MARKET], [("market", None, 1)]),
        ({"markets": [POLYMARKET_MARKET], "next_cursor": "x"}, [("market", None, 1)]),
        ({"value": [POLYMARKET_MARKET], "Count": 1}, [("market", None, 1)]),
        (
            [{**POLYMARKET_EVENT, "markets": [POLYMARKET_MARKET], "series": [{"id": "1"}]}],
            [("event", None, 1), ("market", "3", 1)],
        ),
        ({**POLYMARKET_MARKET, "events": [POLYMARKET_EVENT]}, [("market", None, 1)]),
        (POLYMARKET_EVENT, [("event", None, 1)]),
    ],
)
def test_shapes_of_polymarket(document: object, found: Found, write: Callable[..., Path]) -> None:
    assert read(write(document), "polymarket") == found


@pytest.mark.parametrize(
    ("venue", "document"),
    [
        ("kalshi", {"orderbook_fp": {"yes_dollars": []}, "ticker": "A"}),
        ("kalshi", {"trade_id": "1", "ticker": "A", "yes_price_dollars": "0.5"}),
        ("kalshi", {"trades": [{"ticker": "A"}], "cursor": ""}),
        ("kalshi", {"error": {"code": "not_found"}}),
        ("polymarket", {"market": "0x1", "asset_id": "2", "bids": [], "asks": []}),
        ("polymarket", {"conditionId": "0x1", "asset": "2", "side": "BUY", "title": "t"}),
    ],
)
def test_records_of_another_kind_are_rejected(
    venue: str, document: dict[str, object], write: Callable[..., Path]
) -> None:
    fields = ", ".join(document)
    reason = f"not a record of {venue} (its fields: {fields})"
    assert read(write(document), venue) == [(reason, None, 1)]


def test_a_bad_line_is_rejected_and_the_rest_lands(write: Callable[..., Path]) -> None:
    good = json.dumps(MARKET)
    path = write("\n".join([good, "{broken", "", "7", good[:-4], good]), "file.ndjson")
    assert read(path) == [
        ("market", None, 1),
        ("not JSON: Expecting property name enclosed in double quotes, column 2", None, 2),
        ("a record must be a JSON object", None, 4),
        ("not JSON: Unterminated string starting at, column 70", None, 5),
        ("market", None, 6),
    ]
    # The first line may be the bad one, and the name need not say that there is one object a line.
    first, *rest = read(write("\n".join(["{broken", good, good])))
    assert first[0].startswith("not JSON")
    assert rest == [("market", None, 2), ("market", None, 3)]


def test_lines_may_be_pages(write: Callable[..., Path]) -> None:
    page = json.dumps({"markets": [MARKET, MARKET], "cursor": "x"})
    assert read(write(f"{page}\r\n{page}\r\n")) == [
        ("market", None, 1), ("market", None, 1), ("market", None, 2), ("market", None, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "file.json", "is empty"),
        (b" \n\n", "file.jsonl", "is empty"),
        (b"<!DOCTYPE html>", "file.json", r"line 1: this is HTML, not JSON"),
        (b"\n<html>", "file.jsonl", r"line 2: this is HTML, not JSON"),
        (b'{"markets": [{"ticker": "A', "file.json", r"line 1, column 25: Unterminated string"),
        (b'\n{\n "markets": [\n  {"ticker": "A"},', "file.json", r"line 4, column 19"),
        (b'[{"ticker": "A"}] trailing', "file.json", r"line 1, column 19: Extra data"),
        (b"[" * 100_000, "file.json", "Nested too deeply"),
        (b"ticker,price\nA,1\n", "file.json", r"line 1, column 1"),
        (gzip.compress(b'{"markets": []}', mtime=0)[:-9], "file.json", "damaged or cut-off gzip"),
        (
            gzip.compress(random.Random(1).randbytes(9_000), mtime=0)[:5_000],
            "file.jsonl",
            "damaged or cut-off gzip",
        ),
        (b"\xff\xfe{\x00}", "file.json", "is not UTF-16"),
    ],
)
def test_a_damaged_file_is_a_clear_error(
    content: bytes, name: str, message: str, write: Callable[..., Path]
) -> None:
    path = write(content, name)
    with pytest.raises(FileError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


def test_patterns(write: Callable[..., Path], tmp_path: Path) -> None:
    old, new = write([], "b.json"), write([], "a.json")
    named = write([], "folder/odd [name].json")
    os.utime(old, (1_000, 1_000))
    found = find_files([str(tmp_path / "*.json"), str(old), str(tmp_path / "**/*].json")])
    assert [file.path for file in found] == [old, new, named]
    assert found[0].fetched_at == datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)
    assert [file.path for file in find_files([str(named)])] == [named]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("absent.json", r"absent.json is not there\. Check the path"),
        ("*.absent", r"no file matches '.*\*.absent'"),
        ("", r"is a folder\. Give a pattern of files"),
    ],
)
def test_a_pattern_without_a_file(pattern: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message):
        find_files([f"{tmp_path}/{pattern}"])


class Load:
    """Loads files into the warehouse."""

    def __init__(self, settings: Settings, clock: TickingClock) -> None:
        self.settings = settings
        self.clock = clock

    def __call__(
        self, *patterns: Path | str, venue: str = "kalshi", captured_at: datetime | None = None
    ) -> IngestResult:
        return ingest_files(
            venue,
            [str(pattern) for pattern in patterns],
            self.settings,
            run_id="run",
            captured_at=captured_at,
            clock=self.clock,
        )


@pytest.fixture
def load(settings: Settings, clock: TickingClock) -> Load:
    """Loads files into the warehouse."""
    return Load(settings, clock)


def test_a_loaded_file(write: Callable[..., Path], load: Load, query: Query) -> None:
    path = write([{**EVENT, "markets": [MARKET]}, {"ticker": "A", "trade_id": 1}])
    os.utime(path, (1_000, 1_000))
    result = load(path)
    assert [(s.entity, s.landed, s.rejected_lines, s.pages) for s in result.sweeps] == [
        (None, 0, 1, 0), ("event", 1, 0, 1), ("market", 1, 0, 1),
    ]  # fmt: skip
    landed = "select external_id, parent_id, payload, fetched_at, source from raw."
    at = datetime(1970, 1, 1, 0, 16, 40)
    assert query(f"{landed}kalshi_events") == [
        ("KXCPI-26OCT", "KXCPI", json.dumps(EVENT, separators=(",", ":")), at, "file.json")
    ]
    market = json.dumps(MARKET, separators=(",", ":"), ensure_ascii=False)
    assert query(f"{landed}kalshi_markets") == [
        ("KXCPI-26OCT-T3", "KXCPI-26OCT", market, at, "file.json")
    ]
    assert query("select venue, source, line, value from raw.rejected_lines") == [
        ("kalshi", "file.json", 2, '{"ticker":"A","trade_id":1}')
    ]
    assert query("select is_complete, error, source from raw.sweeps") == [
        (False, None, "file.json")
    ] * 3  # fmt: skip


def test_the_same_files_twice_land_nothing_new(
    write: Callable[..., Path], load: Load, query: Query
) -> None:
    older = write([{"ticker": "A", "market_type": "binary", "n": n} for n in (1, 2, 1)], "a.json")
    newer = write([{"ticker": "A", "market_type": "binary", "n": 3}], "b.json")
    os.utime(older, (1_000, 1_000))
    assert load(older).total("landed") == 3
    assert load(older).total("landed") == 0
    assert load(older, newer).total("landed") == 1
    assert load(older, newer).total("landed") == 0
    assert load(older).total("landed") == 0
    assert query("select payload ->> 'n' from raw.kalshi_markets order by fetched_at") == [
        ("1",), ("2",), ("1",), ("3",),
    ]  # fmt: skip


def test_captured_at_speaks_for_all_files(
    write: Callable[..., Path], load: Load, query: Query
) -> None:
    moment = datetime.fromisoformat("2026-03-01T19:00:00+01:00")
    load(write([MARKET], "a.json"), write([SERIES], "b.json"), captured_at=moment)
    for table in ("kalshi_markets", "kalshi_series"):
        assert query(f"select fetched_at from raw.{table}") == [(datetime(2026, 3, 1, 18),)]


@pytest.mark.parametrize("bad", ['[{"ticker": "A', "<html>", "", None])
def test_one_bad_file_lands_nothing_and_what_was_loaded_stays(
    bad: str | None, write: Callable[..., Path], load: Load, query: Query, tmp_path: Path
) -> None:
    load(write([MARKET], "a.json"))
    patterns = [write([SERIES, {**MARKET, "ticker": "B"}], "b.json"), tmp_path / "z.json"]
    if bad is not None:
        write(bad, "z.json")
    with pytest.raises(FileError, match=r"z\.json"):
        load(*patterns)
    assert query("select external_id from raw.kalshi_markets") == [("KXCPI-26OCT-T3",)]
    assert query("select count(*) from raw.kalshi_series") == [(0,)]
    ((landed, error),) = query("select landed, error from raw.sweeps where error is not null")
    assert landed == 0
    assert "z.json" in error


def test_files_write_no_tombstones(write: Callable[..., Path], load: Load, query: Query) -> None:
    load(write([MARKET], "a.json"))
    load(write([{**MARKET, "ticker": "B"}], "b.json"))
    assert query("select count(*), count(payload) from raw.kalshi_markets") == [(2, 2)]


def test_what_cannot_be_stored_is_rejected_and_the_rest_lands(
    write: Callable[..., Path], load: Load, query: Query
) -> None:
    lines = [
        b'{"ticker": "A", "event_ticker": "E", "title": "lone \\ud800"}',
        b'{"ticker": "B", "event_ticker": "E", "title": "latin-1 \xe9"}',
        b'{"ticker": "C", "event_ticker": "E", "price": Infinity}',
        b'{"ticker": "D", "event_ticker": "E", "deep": ' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"ticker": "E", "event_ticker": "E", "title": "nul \\u0000", "big": 1e400}',
        b'{"ticker": "F\\u0000", "event_ticker": "E", "title": "' + "\U0001f600".encode() + b'"}',
    ]
    load(write(b"\n".join(lines), "file.ndjson"))
    assert query("select line, reason from raw.rejected_lines order by line") == [
        (1, "it holds text that is not valid Unicode"),
        (2, "it holds text that is not valid Unicode"),
        (3, "Infinity is not JSON"),
        (4, "Recursion limit reached"),
    ]
    assert query("select payload from raw.kalshi_markets order by external_id") == [
        (r'{"ticker":"E","event_ticker":"E","title":"nul \u0000","big":1e400}',),
        (r'{"ticker":"F\u0000","event_ticker":"E","title":"' + '\U0001f600"}',),
    ]


def test_a_file_name_that_is_not_unicode(load: Load, query: Query, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.json"
    with open(path, "w") as file:
        json.dump([MARKET], file)
    load(os.fsdecode(path))
    assert query("select source from raw.kalshi_markets") == [("caf\\udce9.json",)]


def test_the_real_captures_load(load: Load, query: Query, shared_data: Path) -> None:
    markets = shared_data / "markets"
    capture = markets / "capture_2026-03-01_wire"
    kalshi = load(capture / "kalshi*.gz", markets / "wire_fixtures_*/*kalshi*.json",
                  markets / "edge_cases/kalshi*")  # fmt: skip
    polymarket = load(capture / "polymarket*.gz", markets / "wire_fixtures_*/p*m*.json",
                      markets / "edge_cases/polymarket*", venue="polymarket")  # fmt: skip
    landed = {(s.venue, s.entity): s.records for s in kalshi.sweeps + polymarket.sweeps}
    assert landed == {
        ("kalshi", None): 0, ("kalshi", "series"): 2, ("kalshi", "event"): 38,
        ("kalshi", "market"): 939, ("polymarket", None): 0, ("polymarket", "event"): 31,
        ("polymarket", "market"): 303,
    }  # fmt: skip
    for table, key, count in [
        ("kalshi_markets", "ticker", 719),
        ("kalshi_events", "event_ticker", 36),
        ("polymarket_markets", "id", 237),
        ("polymarket_events", "id", 29),
    ]:
        source = f"{table.partition('_')[0]}_events.json.gz"
        path = capture / source
        with gzip.open(path) as file:
            events = json.load(file)
        records = [m for e in events for m in e["markets"]] if "markets" in table else events
        rows = query(f"select external_id, payload from raw.{table} where source = ?", source)
        payloads = {external_id: json.loads(payload) for external_id, payload in rows}
        if "events" in table:
            records = [{k: v for k, v in r.items() if k != "markets"} for r in records]
        assert len(rows) == count
        assert payloads == {record[key]: record for record in records}
        orphans = sum(table == "polymarket_events" and not e.get("series") for e in events)
        assert query(
            f"select count(*) from raw.{table} where parent_id is null and source = ?", source
        ) == [(orphans,)]


def test_the_reshaped_captures_load(load: Load, shared_data: Path) -> None:
    folder = shared_data / "markets" / "capture_2026-03-01_normalised"
    for venue, events, markets in [("kalshi", 200, 860), ("polymarket", 100, 1_761)]:
        result = load(folder / f"{venue}_events.json.gz", venue=venue)
        assert [(s.entity, s.landed) for s in result.sweeps] == [
            ("event", events), ("market", markets),
        ]  # fmt: skip
        assert load(folder / f"{venue}_events.json.gz", venue=venue).total("landed") == 0
