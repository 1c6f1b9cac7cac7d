"""Order-book segments into the raw tables: each once by content, whatever was done to the files."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import killed_loads
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Query
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ingestion import segment_lines
from ingestion.errors import FileError, WarehouseError
from ingestion.order_books import (
    Fate,
    OrderBookIngest,
    SegmentOutcome,
    Selection,
    ingest_order_books,
    planned_segments,
)
from ingestion.segments import Segment, find_segments
from ingestion.settings import Disposal, Settings
from ingestion.simulator.order_books import (
    BookFaults,
    CcxtSettings,
    LevelTwoStream,
    MarketSettings,
    write_ccxt_segments,
)
from ingestion.simulator.order_books.stream import FeedName

PROJECT = Path(__file__).resolve().parents[1]
BOM = b"\xef\xbb\xbf"
NEEDS_A_USER = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


def frame(number: int) -> bytes:
    """A frame of Advanced Trade."""
    return b'{"channel":"l2_data","timestamp":"2026-08-09T21:05:48.5Z","sequence_num":%d}' % number


def frames(*numbers: int) -> bytes:
    """Lines of frames."""
    return b"".join(frame(number) + b"\n" for number in numbers)


def trade(symbol: object = "BTC/USDT", **fields: object) -> dict[str, object]:
    """A trade of CCXT."""
    known = {"exchange": "binance", "symbol": symbol, "collected_at": 1_754_773_548_000}
    return {**known, "trade_id": "1", "price": 1.5, **fields}


def as_line(record: dict[str, object]) -> bytes:
    """A record as a recorder may write it."""
    return json.dumps(record, ensure_ascii=False).encode()


def packed(content: bytes, name: str) -> bytes:
    """Content as a file of that name holds it."""
    if name.endswith(".gz"):
        return gzip.compress(content)
    if name.endswith(".zst"):
        return bytes(pa.compress(content, "zstd", asbytes=True))
    return content


Put = Callable[..., Path]


@pytest.fixture
def ready(settings: Settings) -> Path:
    """The folder of complete segments."""
    settings.segments = settings.segments.resolve()
    path = settings.segments / "raw/ready"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def put(ready: Path) -> Put:
    """Puts a segment into a folder below `raw/ready`, compressed if its name says so."""

    def write(
        name: str, content: bytes | list[dict[str, object]], folder: str = "coinbase"
    ) -> Path:
        path = ready / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            with path.open("wb") as file:
                pq.write_table(pa.Table.from_pylist(content), file)
        else:
            path.write_bytes(packed(content, name))
        return path

    return write


@pytest.fixture
def loaded(query: Query) -> Callable[[], list[int]]:
    """The sequence numbers that the warehouse holds, in the order of their frame numbers."""
    return lambda: [
        number
        for (number,) in query("select sequence_num from raw.coinbase_frames order by frame_number")
    ]


def ingest(settings: Settings, **selection: Any) -> OrderBookIngest:
    """One run."""
    return ingest_order_books(settings, run_id="run", selection=Selection(**selection))


def fates(outcomes: list[SegmentOutcome]) -> dict[str, str]:
    """What became of each segment, by name."""
    return {outcome.segment.name: outcome.fate.value for outcome in outcomes}


def files(folder: Path) -> list[str]:
    """The files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def read(path: Path) -> list[tuple[int, str | None, str | None]]:
    """(line, payload, reason) of the lines of one segment below some raw/ready, parsed alone."""
    root = path.parents[[parent.name for parent in path.parents].index("raw") + 1]
    (segment,) = [one for one in find_segments(root) if one.path == path]
    rows: dict[int, tuple[str | None, str | None]] = {}
    for batch in segment_lines.read_batches(segment, 1):
        rows |= {row["line"]: (row["payload"], None) for row in batch.rows.to_pylist()}
        rows |= {row["line"]: (None, row["reason"]) for row in batch.rejected.to_pylist()}
    return [(line, *rows[line]) for line in rows]


# Once by content


def test_packed_otherwise_it_is_the_same_segment(
    settings: Settings, ready: Path, put: Put, loaded: Callable[[], list[int]], query: Query
) -> None:
    for name in ("a.ndjson", "b.ndjson.gz", "c.ndjson.zst", "d.jsonl"):
        put(name, frames(1, 2))
    put("a.ndjson.gz", frames(1, 2), "coinbase/another/recorder")
    done = ingest(settings)
    assert [outcome.fate for outcome in done.outcomes] == [Fate.LOADED, *[Fate.KNOWN] * 4]
    assert loaded() == [1, 2]
    assert files(ready) == []
    put("e.ndjson.zst", frames(1, 2))
    assert fates(ingest(settings).outcomes) == {"coinbase/e.ndjson.zst": "already loaded"}
    assert loaded() == [1, 2]
    assert len(files(ready.parent / "archive")) == 6
    assert query("select count(*), any_value(rows) from raw.segments") == [(1, 2)]


def test_recompressed_parquet_is_the_same_segment(
    settings: Settings, ready: Path, put: Put, query: Query
) -> None:
    rows = [trade(f"C{number}/USDT") for number in range(5_000)]
    put("a.parquet", rows, "ccxt/trades")
    table = pa.Table.from_pylist(rows)
    pq.write_table(
        table, ready / "ccxt/trades/b.parquet", compression="zstd", row_group_size=7, version="1.0"
    )
    assert list(fates(ingest(settings).outcomes).values()) == ["loaded", "already loaded"]
    assert query("select count(*), count(distinct line), max(line) from raw.ccxt_trades") == [
        (5_000, 5_000, 5_000)
    ]


def test_of_another_feed_it_is_another_segment(settings: Settings, put: Put, query: Query) -> None:
    """Put into the wrong folder by mistake, then into the right one."""
    line = json.dumps(trade()).encode()
    put("a.ndjson", line)
    ingest(settings)
    put("a.ndjson", line, "ccxt/trades")
    assert fates(ingest(settings).outcomes) == {"ccxt/trades/a.ndjson": "loaded"}
    assert query("select symbol from raw.ccxt_trades") == [("BTC/USDT",)]


def test_a_kept_segment_is_not_read_again(
    settings: Settings,
    put: Put,
    loaded: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.loaded_segments = Disposal.KEEP
    path = put("a.ndjson.gz", frames(1))
    parquet = put("a.parquet", [trade()], "ccxt/trades")
    ingest(settings)
    with monkeypatch.context() as patched:
        patched.setattr(Segment, "open", lambda self: pytest.fail("it was read"))
        again = ingest(settings)
    assert [outcome.fate for outcome in again.outcomes] == [Fate.KNOWN, Fate.KNOWN]
    assert path.exists()
    assert parquet.exists()
    put("a.ndjson.gz", frames(2))
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000))
    assert fates(ingest(settings).outcomes)["coinbase/a.ndjson.gz"] == "loaded"
    assert loaded() == [1, 2]


@pytest.mark.parametrize("disposal", [Disposal.ARCHIVE, Disposal.DELETE])
def test_a_file_that_looks_like_a_loaded_one_is_not_put_away_unread(
    disposal: Disposal, settings: Settings, ready: Path, put: Put, loaded: Callable[[], list[int]]
) -> None:
    """Same name, same size, same time, other content; and then a name that the archive has."""
    settings.loaded_segments = disposal
    for number in (1, 2, 3):
        os.utime(put("a.ndjson", frames(number)), (1_000, 1_000))
        ingest(settings)
    assert loaded() == [1, 2, 3]
    assert files(ready) == []
    archived = files(ready.parent / "archive/coinbase")
    expected = ["2-a.ndjson", "3-a.ndjson", "a.ndjson"] if disposal is Disposal.ARCHIVE else []
    assert archived == expected


def test_a_copy_is_put_away_only_if_the_other_was_loaded(
    settings: Settings, put: Put, loaded: Callable[[], list[int]]
) -> None:
    settings.loaded_segments = Disposal.DELETE
    put("a.ndjson", frames(1))
    second = put("b.ndjson", frames(2))
    copy = put("c.ndjson", frames(2))

    def remove(what: str, records: int, expected: int | None) -> None:
        second.unlink(missing_ok=True)

    done = ingest_order_books(settings, run_id="run", progress=remove)
    assert list(fates(done.outcomes).values()) == ["loaded", "failed", "failed"]
    assert "it is the same as coinbase/b.ndjson, which failed" in str(done.outcomes[2].error)
    assert copy.exists()
    assert loaded() == [1]
    ingest(settings)
    assert loaded() == [1, 2]


def test_a_segment_that_grows_while_it_is_read(
    settings: Settings, put: Put, loaded: Callable[[], list[int]]
) -> None:
    path = put("a.ndjson", frames(1))

    def grow(what: str, records: int, expected: int | None) -> None:
        if records == 1:
            with path.open("ab") as file:
                file.write(frames(2))

    (outcome,) = ingest_order_books(settings, run_id="run", progress=grow).outcomes
    assert (outcome.fate, outcome.rows) == (Fate.FAILED, 0)
    assert "a.ndjson cannot be read: it changed while it was read. It stays" in str(outcome.error)
    ingest(settings)
    assert loaded() == [1, 2]


# Lines


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("feed", ["advanced_trade", "exchange"])
def test_every_fault_of_the_simulator(
    feed: FeedName, ending: bytes, settings: Settings, ready: Path, query: Query
) -> None:
    faults = BookFaults(
        dropped=(40, 41, 350),
        duplicated=(50, 60, 399),
        swapped=(70,),
        reconnect_at=(100,),
        byte_order_mark_at=(30, 130, 330),
        no_json_before=(10, 11, 12, 13, 250),
        blank_before=(12, 20, 300),
        negative_size=(80,),
        not_a_number_size=(90,),
        crossed_snapshot=(100,),
        byte_order_mark_segments=(1, 3),
        truncated_segments=(1, 2, 4),
    )
    stream = LevelTwoStream(MarketSettings(), faults, feed)
    written = stream.write(settings.segments, frames=400, frames_per_segment=100)
    expected: list[tuple[int, int, str | None]] = []
    rejected = []
    for number, path in enumerate(written.paths, 1):
        content = gzip.decompress(path.read_bytes())
        path.write_bytes(gzip.compress(content.replace(b"\n", ending)))
        for line, text in enumerate(content.split(b"\n"), 1):
            if stripped := text.removeprefix(BOM).decode():
                try:
                    json.loads(stripped)
                except json.JSONDecodeError:
                    rejected.append((f"coinbase/{path.name}", line, "not JSON", stripped[:200]))
                    expected.append((number, line, None))
                else:
                    expected.append((number, line, stripped))
    touched = {
        (f"coinbase/{touch.segment}", touch.line)
        for touch in written.touched
        if touch.fault in ("no_json_before", "truncated_segments")
    }
    assert len(touched) == 5 + 3
    assert {(source, line) for source, line, _, _ in rejected} == touched
    ingest(settings)
    assert query("select source, line, reason, value from raw.rejected_lines order by 1, 2") == (
        rejected
    )
    rows = query("select segment_number, line, payload from raw.coinbase_frames order by 1, 2")
    assert rows == expected
    assert query(
        "select count(*) from raw.coinbase_frames"
        " where frame_number != (segment_number << 36) + line"
    ) == [(0,)]
    assert files(ready) == []


NOT_A_FRAME = "not a frame: it has no channel and no type"
LINES: list[tuple[bytes, str | None]] = [
    (frame(1), None),
    (BOM + frame(2), None),
    (b" \t" + frame(3) + b" \r", None),
    (frame(4).replace(b"l2_data", "über".encode()), None),
    (frame(5).replace(b"l2_data", b"\xff\xfe"), "not UTF-8"),
    (frame(6).replace(b"l2_data", b"\xed\xa0\x80"), "not UTF-8"),
    (frame(7).decode().encode("utf-16-le"), "not JSON"),
    (frame(8) + b"\x00", "not JSON"),
    (b"\x00" * 50, "not JSON"),
    (b'{"channel":', "not JSON"),
    (frame(9) + frame(9), "not JSON"),
    (b"<html>", "not JSON"),
    (b"[1]", NOT_A_FRAME),
    (b"null", NOT_A_FRAME),
    (b'"l2_data"', NOT_A_FRAME),
    (b"{}", NOT_A_FRAME),
    (b'{"channel":"","type":null}', NOT_A_FRAME),
    (b'{"type":"subscriptions"}', None),
    (b'{"type":"l2update","time":"infinity"}', None),
    (b'{"channel":"ticker","sequence_num":1}', "timestamp is not a time"),
    (frame(1).replace(b"2026-", b"99999-"), "timestamp is not a time"),
    (frame(1).replace(b"2026-08-09T21:05:48.5Z", b"infinity"), "timestamp is not a time"),
    (frame(1).replace(b"2026-08", b"2026-13"), "timestamp is not a time"),
    (b'{"channel":"ticker","timestamp":"2026-08-09"}', "sequence_num is not a whole number"),
    *(
        (frame(1).replace(b":1}", b":" + number + b"}"), "sequence_num is not a whole number")
        for number in (b"-1", b"1.5", b"null", b'"one"', b"99999999999999999999", b"[1]")
    ),
    (b'{"channel":"deep","timestamp":"2026-08-09","sequence_num":1,"a":%s1%s}'
     % (b"[" * 100_000, b"]" * 100_000), None),
]  # fmt: skip


def test_each_line_has_a_place(settings: Settings, put: Put, query: Query) -> None:
    put("a.ndjson.zst", b"\n \r\n".join(line for line, _ in LINES))
    ingest(settings)
    lines = [(2 * place + 1, reason) for place, (_, reason) in enumerate(LINES)]
    assert (
        query(
            """
        select frames.line, reason
        from raw.coinbase_frames as frames
        left join raw.rejected_lines as lines on lines.line = frames.line
        order by frames.line
        """
        )
        == lines
    )
    payloads = query(
        "select payload from raw.coinbase_frames where payload is not null order by line"
    )
    assert [payload for (payload,) in payloads] == [
        line.removeprefix(BOM).strip().decode() for line, reason in LINES if reason is None
    ]
    (row,) = query("select rows, rejected_lines, first_at, last_at, error from raw.segments")
    rejected = sum(reason is not None for _, reason in LINES)
    day = datetime(2026, 8, 9)
    assert row == (len(LINES), rejected, day, datetime(2026, 8, 9, 21, 5, 48, 500_000), None)


def test_utf_16_and_blank_files(settings: Settings, put: Put, query: Query) -> None:
    put("a.ndjson", frames(1, 2).decode().encode("utf-16"))
    for number, content in enumerate([b"", b"\n\r\n \n", BOM, b"\n" * 100_000]):
        put(f"blank-{number}.ndjson", content)
    put("empty.ndjson.gz", b"\n")
    done = ingest(settings)
    assert [outcome.rows for outcome in done.of(Fate.LOADED)] == [3, 0, 0, 0, 0, 0]
    assert query("select distinct reason from raw.rejected_lines where line = 1") == [
        ("not UTF-8",)
    ]
    assert query("select count(*) from raw.coinbase_frames where payload is not null") == [(0,)]


PIECES = st.sampled_from(
    [frame(1), BOM + frame(22), b" " + frame(333), b"", b"\r", BOM, b" \t", b"no JSON", b"7"]
    + ["ü".encode() * 9, "ü".encode() * 80, b"\xff", frame(1) + b"\xc3", b"\x00", b" " * 200]
    + [b"x" * length for length in (118, 119, 120, 121, 199, 400)]
)


@given(
    pieces=st.lists(PIECES, max_size=12),
    ending=st.sampled_from([b"\n", b"\r\n"]),
    is_ended=st.booleans(),
    size=st.integers(1, 140),
)
@examples(max_examples=60)
def test_lines_are_the_same_whatever_the_blocks(
    pieces: list[bytes], ending: bytes, is_ended: bool, size: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    """Against a plain reading line by line, with a limit of 120 bytes a line."""
    content = ending.join(pieces) + ending * is_ended
    expected: list[tuple[int, str | None, str | None]] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        is_last = number == content.count(b"\n") + 1
        stripped = line.strip().removeprefix(BOM)
        try:
            is_frame = isinstance(json.loads(stripped), dict)
        except json.JSONDecodeError:
            is_frame = None
        except UnicodeDecodeError:
            is_frame = False
        if len(line) + (not is_last) > 120:
            expected.append((number, None, "longer than 120 bytes"))
        elif stripped:
            reason = (
                "not UTF-8" if stripped.decode(errors="ignore").encode() != stripped
                else "not JSON" if is_frame is None
                else None if is_frame else NOT_A_FRAME
            )  # fmt: skip
            expected.append((number, None if reason else stripped.decode(), reason))
    path = tmp_path_factory.mktemp("blocks") / "raw/ready/coinbase/a.ndjson"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segment_lines, "MAXIMUM_LINE_BYTES", 120)
        for block_bytes in (size, 1 << 20):
            patched.setattr(segment_lines, "BLOCK_BYTES", block_bytes)
            assert read(path) == expected, block_bytes


def test_a_line_of_megabytes(settings: Settings, put: Put, query: Query) -> None:
    long = frame(2)[:-1] + b',"text":"' + b"x" * (20 << 20) + b'"}'
    put("a.ndjson.zst", b"\n".join([frame(1), long, b"y" * (65 << 20), frame(3)]))
    ingest(settings)
    assert query("select line, length(payload) from raw.coinbase_frames order by 1") == [
        (1, len(frame(1))), (2, len(long)), (3, None), (4, len(frame(3))),
    ]  # fmt: skip
    assert query("select line, reason, value from raw.rejected_lines") == [
        (3, "longer than 67,108,864 bytes", "y" * 200)
    ]


# Files


DAMAGED = {
    "coinbase/cut.ndjson.gz": gzip.compress(os.urandom(9_000))[:5_000],
    "coinbase/no-end.ndjson.gz": gzip.compress(frames(1))[:-4],
    "coinbase/more.ndjson.gz": gzip.compress(frames(1)) + b"garbage",
    "coinbase/empty.ndjson.gz": b"",
    "coinbase/text.ndjson.gz": frames(1),
    "coinbase/cut.ndjson.zst": packed(frames(*range(500)), ".zst")[:-20],
    "coinbase/empty.ndjson.zst": b"",
    "ccxt/trades/text.parquet": b"no Parquet",
    "ccxt/trades/empty.parquet": b"",
    "ccxt/ticker/magic.parquet": b"PAR1" + bytes(100) + b"PAR1",
}


def test_damaged_files_stay_and_the_others_go_on(
    settings: Settings, ready: Path, put: Put, loaded: Callable[[], list[int]], query: Query
) -> None:
    whole = put("whole.parquet", [trade(note=os.urandom(9).hex()) for _ in range(9_000)], "scratch")
    damaged = DAMAGED | {"ccxt/trades/cut.parquet": whole.read_bytes()[:-2_000]}
    middle = bytearray(whole.read_bytes())
    middle[len(middle) // 2 :][:9_000] = bytes(9_000)
    damaged["ccxt/trades/middle.parquet"] = (
        bytes(middle[: len(middle) // 2]) + bytes(9_000) + bytes(middle[len(middle) // 2 + 9_000 :])
    )
    for name, content in damaged.items():
        path = ready / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    put("good.ndjson.gz", frames(1, 2))
    put("z-good.ndjson", frames(3))
    put("good.parquet", [trade()], "ccxt/trades")
    shutil.rmtree(ready / "scratch")
    done = ingest(settings)
    assert {one.segment.name: one.rows for one in done.of(Fate.FAILED)} == dict.fromkeys(damaged, 0)
    for outcome in done.of(Fate.FAILED):
        assert outcome.error is not None
        assert outcome.error.startswith(f"{outcome.segment.path} cannot be read: ")
        assert outcome.error.endswith(
            ". It stays where it is and nothing of it was loaded; record or copy it again, or move"
            " it away."
        )
        assert "\n" not in outcome.error
    assert files(ready) == sorted(damaged)
    assert loaded() == [1, 2, 3]
    assert query("select count(*) from raw.ccxt_trades") == [(1,)]
    logged = query("select name, error from raw.segments where error is not null order by name")
    assert logged == sorted((one.segment.name, one.error) for one in done.of(Fate.FAILED))
    # Recorded again under the same name.
    put("cut.ndjson.gz", frames(4))
    assert fates(ingest(settings).outcomes)["coinbase/cut.ndjson.gz"] == "loaded"
    assert loaded() == [1, 2, 3, 4]


def test_damage_that_shows_only_while_it_loads(
    settings: Settings, put: Put, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it was in the load package already."""
    monkeypatch.setattr(segment_lines, "BLOCK_BYTES", 1_500)
    paths = [
        put(f"{name}.ndjson.gz", frames(*range(200))[number:]) for number, name in enumerate("abc")
    ]
    content = paths[1].read_bytes()

    def damage(what: str, records: int, expected: int | None) -> None:
        if what.endswith("a.ndjson.gz"):
            paths[1].write_bytes(content[:-9])

    done = ingest_order_books(settings, run_id="run", progress=damage)
    assert list(fates(done.outcomes).values()) == ["loaded", "failed", "loaded"]
    assert done.outcomes[1].rows == 0
    assert query("select segment_number, name, rows from raw.segments order by all") == [
        (1, "coinbase/a.ndjson.gz", 200), (2, "coinbase/c.ndjson.gz", 200),
        (None, "coinbase/b.ndjson.gz", 0),
    ]  # fmt: skip
    rows = query("select segment_number, count(*) from raw.coinbase_frames group by 1 order by 1")
    assert rows == [(1, 200), (2, 200)]
    assert files(paths[0].parent) == ["b.ndjson.gz"]


@NEEDS_A_USER
def test_a_file_that_may_not_be_read(
    settings: Settings, put: Put, loaded: Callable[[], list[int]]
) -> None:
    put("a.ndjson", frames(1)).chmod(0)
    put("b.ndjson", frames(2))
    done = ingest(settings)
    assert [outcome.fate for outcome in done.outcomes] == [Fate.FAILED, Fate.LOADED]
    assert "a.ndjson cannot be read: Permission denied. It stays" in str(done.outcomes[0].error)
    assert loaded() == [2]


def test_what_is_no_segment_is_left_alone(
    settings: Settings, ready: Path, put: Put, query: Query
) -> None:
    (ready / "coinbase/folder.ndjson").mkdir(parents=True)
    (ready / "coinbase/gone.ndjson").symlink_to("nowhere")
    os.mkfifo(ready / "coinbase/pipe.ndjson")
    others = [
        ".hidden.ndjson",
        "a.ndjson.tmp",
        "a.ndjson.part",
        "notes.txt",
        "a.parquet",
        ".x/a.ndjson",
    ]
    for name in [*others, "a.ndjson.zst.gz"]:
        put(name, frames(1))
    put("a.ndjson", frames(1), "another")
    before = files(ready)
    assert ingest(settings).outcomes == []
    assert files(ready) == before


def test_without_the_folder_of_segments(settings: Settings) -> None:
    with pytest.raises(FileError, match=r"raw/ready is not there\. .* set MARKETFINDER_SEGMENTS"):
        ingest(settings)


NAMES: list[str | bytes] = [
    "*",
    "?[a]",
    "o'ne",
    '"two"',
    "thr\nee",
    "-rf",
    "a b\\c",
    "~",
    "über",
    "%s{0}$x",
    b"\xff\xfe",
]


def test_odd_names(settings: Settings, ready: Path, put: Put, query: Query) -> None:
    for number, name in enumerate(NAMES):
        text = os.fsdecode(name)
        for suffix in (".ndjson", ".ndjson.gz", ".ndjson.zst"):
            path = put(text + suffix, frames(number) + suffix.encode(), "coinbase/exchange=x")
            assert path.exists()
        put(f"{text}.parquet", [trade(f"{number}/USDT")], "ccxt/trades/exchange=other")
        put(f"{text}-damaged.parquet", b"", "ccxt/trades")
    selection = Selection(symbol="nothing")
    assert len(planned_segments(settings, selection)) == 5 * len(NAMES)
    done = ingest(settings)
    assert len(done.of(Fate.LOADED)) == 4 * len(NAMES)
    assert len(done.of(Fate.FAILED)) == len(NAMES)
    for outcome in done.of(Fate.FAILED):
        str(outcome.error).encode()
    assert query("select distinct exchange from raw.ccxt_trades") == [("binance",)]
    assert query("select count(distinct symbol) from raw.ccxt_trades") == [(len(NAMES),)]
    archived = [os.fsdecode(path) for path in files(ready.parent / "archive/coinbase/exchange=x")]
    assert len(archived) == 3 * len(NAMES)
    assert query(
        "select count(*) from raw.segments where name = 'ccxt/trades/exchange=other/*.parquet'"
    ) == [(1,)]


# Parquet


def test_parquet_with_other_columns_and_types(
    settings: Settings, ready: Path, put: Put, query: Query
) -> None:
    infinite, nothing = float("inf"), float("nan")
    put("a.parquet", [trade(price=price) for price in (nothing, infinite, -infinite, 1e22, None)],
        "ccxt/trades")  # fmt: skip
    put("b.parquet", [trade(exchange=None), trade(), trade(symbol=" ")], "ccxt/trades")
    put("c.parquet", [{"x": 1}, {"x": 2}], "ccxt/trades")
    put(
        "d.parquet",
        [trade(collected_at="soon"), trade(collected_at="1754773548000")],
        "ccxt/trades",
    )
    # Too late for nanoseconds, and seconds in place of milliseconds.
    beyond = [trade(collected_at=time) for time in (2**62, 10**17, 1_754_773_548)]
    put("e.parquet", beyond, "ccxt/trades")
    put(
        "f.parquet",
        [trade(columns=7, batch={"row": [1]}, line=5, file_row_number=9)],
        "ccxt/trades",
    )
    put("g.parquet", [trade(symbol=b"BTC/USDT", exchange=b"binance")], "ccxt/trades")
    put("h.parquet", [trade(collected_at=None, capture_ts=datetime(2026, 8, 9, tzinfo=UTC))],
        "ccxt/trades")  # fmt: skip
    put("i.parquet", [trade(exchange=7, collected_at=None, timestamp=1_754_773_548_000.0)],
        "ccxt/trades")  # fmt: skip
    table = pa.Table.from_pylist([trade(), trade("ETH/USDT")])
    pq.write_table(
        table.set_column(1, "symbol", table["symbol"].dictionary_encode()).slice(1),
        ready / "ccxt/trades/j.parquet",
    )
    pq.write_table(table.slice(0, 0), ready / "ccxt/trades/k.parquet")
    done = ingest(settings)
    assert [(one.rows, one.rejected_lines, one.error) for one in done.outcomes] == [
        (5, 0, None), (1, 2, None), (0, 2, None), (1, 1, None), (0, 3, None), (1, 0, None),
        (1, 0, None), (1, 0, None), (1, 0, None), (1, 0, None), (0, 0, None),
    ]  # fmt: skip
    payloads = query(
        "select payload->>'price' from raw.ccxt_trades where segment_number = 1 order by line"
    )
    assert [price for (price,) in payloads] == ["NaN", "Infinity", "-Infinity", "1e22", None]
    no_exchange = "it has no exchange"
    no_time = "it has no time: no capture_ts, collected_at or timestamp"
    assert query("select source[13:13], line, reason from raw.rejected_lines order by all") == [
        ("b", 1, no_exchange), ("b", 3, "it has no symbol"), ("c", 1, no_exchange),
        ("c", 2, no_exchange), ("d", 1, no_time), ("e", 1, no_time), ("e", 2, no_time),
        ("e", 3, no_time),
    ]  # fmt: skip
    (payload,) = query("select payload from raw.ccxt_trades where segment_number = 6")
    expected = trade(columns=7, batch={"row": [1]}, line=5, file_row_number=9)
    assert json.loads(payload[0]) == expected
    columns = "exchange, symbol, captured_at"
    assert query(f"select {columns} from raw.ccxt_trades where segment_number >= 7") == [
        ("binance", "BTC/USDT", datetime(2025, 8, 9, 21, 5, 48)),
        ("binance", "BTC/USDT", datetime(2026, 8, 9)),
        ("7", "BTC/USDT", datetime(2025, 8, 9, 21, 5, 48)),
        ("binance", "ETH/USDT", datetime(2025, 8, 9, 21, 5, 48)),
    ]  # fmt: skip


def test_ndjson_is_the_same_as_parquet(settings: Settings, tmp_path: Path, query: Query) -> None:
    market = MarketSettings()
    for file_format in ("parquet", "ndjson"):
        root = settings.segments / file_format
        recorder = CcxtSettings(has_statistics=True)
        paths = write_ccxt_segments(
            root, market, recorder, steps=1_500, rows_per_segment=200, file_format=file_format
        )
        own = settings.model_copy(
            update={"segments": root, "warehouse": tmp_path / f"{file_format}_.duckdb"}
        )
        done = ingest(own)
        assert len(done.of(Fate.LOADED)) == sum(map(len, paths.values())) >= 3
        assert not any(outcome.rejected_lines for outcome in done.outcomes)
    for table in ("ccxt_order_books", "ccxt_trades", "ccxt_tickers"):
        rows = {}
        for file_format in ("parquet", "ndjson"):
            own = settings.model_copy(update={"warehouse": tmp_path / f"{file_format}_.duckdb"})
            with duckdb.connect(own.warehouse) as connection:
                rows[file_format] = [
                    (*row, {k: v for k, v in json.loads(payload).items() if k != "capture_ts"})
                    for *row, payload in connection.execute(
                        f"""
                        select frame_number, exchange, symbol, captured_at, payload
                        from raw.{table} order by 1
                        """
                    ).fetchall()
                ]
        assert rows["parquet"] == rows["ndjson"]
        assert len(rows["parquet"]) > 20


# Choosing


def segment(day: int, number: int = 1) -> str:
    """A name with a time."""
    return f"segment_202608{day:02d}T120000_{number:05d}.ndjson"


def test_streams_and_late_segments(
    settings: Settings, put: Put, loaded: Callable[[], list[int]], query: Query
) -> None:
    put(segment(3), frames(3), "coinbase/one")
    put(segment(4), frames(4), "coinbase/one")
    put(segment(9), frames(9))
    assert not any(outcome.is_late for outcome in ingest(settings).outcomes)
    put(segment(2), frames(2), "coinbase/one")
    put(segment(1), frames(1), "coinbase/two")
    put(segment(5), frames(5), "coinbase/one")
    late = {outcome.segment.name: outcome.is_late for outcome in ingest(settings).outcomes}
    assert late == {
        f"coinbase/one/{segment(2)}": True,
        f"coinbase/one/{segment(5)}": False,
        f"coinbase/two/{segment(1)}": False,
    }
    assert loaded() == [9, 3, 4, 2, 5, 1]
    assert query("select stream, count(*) from raw.segments group by 1 order by 1") == [
        ("coinbase", 1), ("coinbase/one", 4), ("coinbase/two", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ({}, {"a", "b", "c", "binance", "coinbase", "coin"}),
        ({"exchange": "coinbase"}, {"a", "b", "c", "coinbase"}),
        ({"exchange": "binance"}, {"binance", "coin"}),
        ({"exchange": "binance", "symbol": "BTC/USDT"}, {"binance"}),
        ({"symbol": "币安/USDT"}, {"coin"}),
        ({"symbol": "BTC-USD"}, {"b"}),
        ({"symbol": "BTC"}, set()),
        ({"start": date(2026, 8, 4)}, {"b", "c", "binance", "coinbase", "coin"}),
        ({"end": date(2026, 8, 2)}, {"a", "binance", "coinbase", "coin"}),
        ({"start": date(2026, 8, 4), "end": date(2026, 8, 4), "exchange": "coinbase"},
         {"b", "coinbase"}),
        ({"limit": 1}, {"binance"}),
        ({"limit": 3}, {"binance", "coinbase", "coin"}),
    ],
)  # fmt: skip
def test_selections(
    selection: dict[str, Any], wanted: set[str], settings: Settings, put: Put, ready: Path
) -> None:
    names = {
        put(segment(1), frames(1)): "a",
        put(segment(3), frames(2)[:-2] + b',"product_id":"BTC-USD"}'): "b",
        put(segment(5), frames(3)): "c",
        put("1.parquet", [trade()], "ccxt/trades"): "binance",
        put("2.ndjson", as_line(trade(exchange="coinbase")), "ccxt/trades"): "coinbase",
        put("3.ndjson", as_line(trade("币安/USDT")), "ccxt/trades"): "coin",
    }  # fmt: skip
    before = files(ready)
    chosen = Selection(**selection)
    planned = {
        names[one.segment.path]
        for one in planned_segments(settings, chosen)
        if one.fate is Fate.LOADED
    }
    assert planned == wanted or chosen.limit
    assert files(ready) == before
    assert not settings.warehouse.exists()
    done = ingest(settings, **selection)
    assert {names[one.segment.path] for one in done.of(Fate.LOADED)} == wanted
    assert {names[path] for path in names if path.exists()} == set(names.values()) - wanted


def test_a_limit_leaves_copies_of_what_it_leaves(
    settings: Settings, put: Put, ready: Path, loaded: Callable[[], list[int]]
) -> None:
    for name, number in (("a", 1), ("b", 2), ("c", 2), ("d", 1)):
        put(f"{name}.ndjson", frames(number))
    ingest(settings, limit=1)
    assert files(ready) == ["coinbase/b.ndjson", "coinbase/c.ndjson"]
    ingest(settings)
    assert loaded() == [1, 2]


def test_a_plan_changes_nothing(settings: Settings, put: Put, ready: Path) -> None:
    put("a.ndjson", frames(1))
    ingest(settings)
    put("a.ndjson", frames(1))
    put("b.ndjson.gz", frames(2))
    put("c.ndjson.gz", b"")
    (ready / "coinbase/c.ndjson.gz").write_bytes(b"no gzip")
    before = files(settings.segments), settings.warehouse.read_bytes()
    assert list(fates(planned_segments(settings, Selection())).values()) == [
        "already loaded", "loaded", "failed",
    ]  # fmt: skip
    assert (files(settings.segments), settings.warehouse.read_bytes()) == before


# Putting away, and runs that end badly


@pytest.mark.parametrize("hindrance", ["a file", pytest.param("rights", marks=NEEDS_A_USER)])
def test_an_archive_that_cannot_be_written(
    hindrance: str, settings: Settings, ready: Path, put: Put, loaded: Callable[[], list[int]]
) -> None:
    for number in range(3):
        put(f"{number}.ndjson", frames(number))
    put("cut.ndjson.gz", b"")
    (ready / "coinbase/cut.ndjson.gz").write_bytes(b"no gzip")
    archive = ready.parent / "archive"
    if hindrance == "a file":
        archive.write_text("in the way")
    else:
        archive.mkdir(mode=0o500)
    for _ in range(2):
        with pytest.raises(
            FileError, match=r"0\.ndjson is loaded, but it cannot be moved"
        ) as error:
            ingest(settings)
        assert "It will not be loaded again." in str(error.value)
        assert "cut.ndjson.gz cannot be read" in str(error.value)
        assert loaded() == [0, 1, 2]
    archive.unlink() if archive.is_file() else archive.chmod(0o700)
    ingest(settings)
    assert loaded() == [0, 1, 2]
    assert files(archive) == [f"coinbase/{number}.ndjson" for number in range(3)]


# A run in a process of its own, which kills itself where the first argument says.
PROGRAM = """
    import sys

    from killed_loads import and_die, die, die_at, given

    from ingestion import order_books

    def progress(name, rows, expected):
        if point == "while it reads" and name.endswith("00003.ndjson.gz"):
            die()
        if point == "wait":
            print("reading", flush=True)
            sys.stdin.read()

    point, settings = given()
    die_at(point, "coinbase_frames")
    if point == "while it puts away":
        order_books.dispose = and_die(order_books.dispose)
    order_books._PACKAGE_SEGMENTS = 3
    order_books.ingest_order_books(settings, run_id="killed", progress=progress)
"""


def start(settings: Settings, point: str) -> subprocess.Popen[bytes]:
    """Starts a run in a process of its own."""
    return killed_loads.start(PROGRAM, point, settings)


@pytest.mark.parametrize(
    "point",
    [
        "after the load job of coinbase_frames",
        "while it puts away",
        *(
            pytest.param(point, marks=pytest.mark.slow)
            for point in (
                "while it reads",
                "between extract and normalize",
                "between normalize and load",
                "before the load is complete",
                "after the load is complete",
            )
        ),
    ],
)
@pytest.mark.parametrize(
    "disposal", [Disposal.ARCHIVE, pytest.param(Disposal.DELETE, marks=pytest.mark.slow)]
)
def test_a_killed_run(
    disposal: Disposal, point: str, settings: Settings, ready: Path, query: Query
) -> None:
    settings.loaded_segments = disposal
    stream = LevelTwoStream(faults=BookFaults(no_json_before=(7, 250, 450)))
    written = stream.write(settings.segments, frames=500, frames_per_segment=100)
    sent = [line.content.strip().decode() for line in stream.lines(500)]
    child = start(settings, point)
    assert child.communicate(timeout=60)[1] == b""
    assert child.returncode == -signal.SIGKILL
    done = ingest(settings)
    assert not done.of(Fate.FAILED)
    complete = "_dlt_load_id in (select load_id from raw._dlt_loads where status = 0)"
    rows = query(
        f"select segment_number, line, payload, {complete} from raw.coinbase_frames order by 1, 2"
    )
    assert [payload for _, _, payload, _ in rows if payload] == [
        text for text in sent if text.startswith('{"channel"') and text.endswith("}")
    ]
    assert {number for number, _, _, _ in rows} == {1, 2, 3, 4, 5}
    assert all(is_complete for *_, is_complete in rows)
    assert query("select count(*), count(distinct source) from raw.rejected_lines") == [(3, 3)]
    assert query("select count(*), sum(rows) from raw.segments") == [(5, 503)]
    assert files(ready) == []
    archived = [f"coinbase/{path.name}" for path in written.paths]
    assert files(ready.parent / "archive") == (archived if disposal is Disposal.ARCHIVE else [])
    assert list(settings.warehouse.with_suffix(".dlt").iterdir()) == []


@pytest.fixture
def another_run(settings: Settings, put: Put) -> Iterator[subprocess.Popen[bytes]]:
    """A run in another process that has read its first segment and waits."""
    put("a.ndjson", frames(1))
    child = start(settings, "wait")
    assert child.stdout is not None
    assert child.stdout.readline() == b"reading\n"
    yield child
    if child.poll() is None:
        child.communicate(timeout=60)


def test_two_runs_at_once(
    another_run: subprocess.Popen[bytes], settings: Settings, loaded: Callable[[], list[int]]
) -> None:
    in_use = rf"warehouse\.duckdb is in use by process {another_run.pid} \(.*\)\. Wait until it"
    with pytest.raises(WarehouseError, match=in_use):
        ingest(settings)
    with pytest.raises(WarehouseError, match=in_use):
        planned_segments(settings, Selection())
    another_run.communicate(timeout=60)
    assert another_run.returncode == 0
    assert loaded() == [1]


# Memory


MEASURED = """
import resource, sys
from pathlib import Path
from ingestion.order_books import ingest_order_books
from ingestion.settings import Settings
settings = Settings(warehouse=sys.argv[1], segments=sys.argv[2], loaded_segments="keep")
(outcome,) = ingest_order_books(settings, run_id="run").outcomes
assert outcome.error is None, outcome.error
print(outcome.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


def peak(root: Path, name: str) -> tuple[int, int]:
    """(rows, peak resident memory in MB) of a run in a process of its own."""
    arguments = [sys.executable, "-c", MEASURED, str(root / f"{name}.duckdb"), str(root / name)]
    done = subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows, megabytes = map(int, done.stdout.split())
    return rows, megabytes


@pytest.mark.slow
def test_memory_does_not_grow_with_the_segment(tmp_path: Path) -> None:
    first = tmp_path / "50"
    written = LevelTwoStream().write(
        first, content_bytes=50 << 20, frames_per_segment=10**9, compression="zstd"
    )
    measured = {}
    for times in (1, 2, 8, 16):
        path = tmp_path / f"{50 * times}" / written.paths[0].relative_to(first)
        if times > 1:
            path.parent.mkdir(parents=True)
            path.write_bytes(written.paths[0].read_bytes() * times)  # frames of zstd may follow on
        rows, measured[50 * times] = peak(tmp_path, f"{50 * times}")
        assert rows == written.frames * times
    # DuckDB collects 122,880 rows before it writes them: 80 MB here, more than the first file has.
    assert measured[400] < measured[50] * 1.35, measured
    assert measured[400] < measured[100] * 1.15, measured
    assert measured[800] < measured[400] * 1.1, measured


@pytest.mark.slow
def test_memory_with_long_lines(tmp_path: Path) -> None:
    """A line of 5 MB after every 2,000, 900 MB of them: DuckDB may fill its 512 MiB, no more."""
    path = tmp_path / "long/raw/ready/coinbase/a.ndjson"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for number in range(180):
            noise = os.urandom(5_000).hex().encode() * 500
            file.write(frame(number)[:-1] + b',"text":"' + noise + b'"}\n')
            file.write(frames(*range(2_000)))
    rows, megabytes = peak(tmp_path, "long")
    assert rows == 180 * 2_001
    assert megabytes < 1_000


@pytest.mark.slow
def test_many_long_lines_on_end(tmp_path: Path) -> None:
    """DuckDB holds 2,048 rows at once, and is given the room for them when they are of 1 MB."""
    path = tmp_path / "long/raw/ready/coinbase/a.ndjson.zst"
    path.parent.mkdir(parents=True)
    line = frame(1)[:-1] + b',"text":"' + b"x" * (1 << 20) + b'"}\n'
    path.write_bytes(packed(line * 100, path.name) * 20)
    rows, megabytes = peak(tmp_path, "long")
    assert rows == 2_000
    assert megabytes < 6_000
