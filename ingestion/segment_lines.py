"""The lines of a segment as typed Arrow batches, read a block at a time and never line by line.

Every line that is not blank has a place: it becomes a row, or it is turned away with its number and
the reason. Of Coinbase's feeds a line that was turned away leaves a row without a payload as well,
because a frame is missing there.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.segments import Segment, reading, unreadable

BLOCK_BYTES = 8 << 20
MAXIMUM_LINE_BYTES = 64 << 20
FRAME_BITS = 36
"""A frame number is the segment's number, then 36 bits for the line: unique over all feeds, and it
grows in the order of loading."""

_NEWLINE = 10
_SHOWN_BYTES = 200
_PARQUET_ROWS = 20_000
_TOO_LONG = f"longer than {MAXIMUM_LINE_BYTES >> 20} MiB"
_NUMBERS = ("frame_number", "segment_number", "line")
COINBASE_FRAMES = pa.schema(
    [
        *((name, pa.int64()) for name in _NUMBERS),
        ("channel", pa.string()),
        ("sequence_num", pa.int64()),
        ("sent_at", pa.timestamp("us")),
        ("payload", pa.string()),
    ]
)
CCXT_RECORDS = pa.schema(
    [
        *((name, pa.int64()) for name in _NUMBERS),
        ("exchange", pa.string()),
        ("symbol", pa.string()),
        ("captured_at", pa.timestamp("us")),
        ("payload", pa.string()),
    ]
)

# A byte-order mark can stand before any line where files were put together. Casts of what was
# turned away must not fail either, hence try_cast throughout.
_READ_LINES = """
with lines as (
    select
        line,
        trouble,
        case when starts_with(text, chr(65279)) then text[2:] else text end as text,
    from {lines}
),
fields as (
    select
        *,
        try(json_extract_string(text, {paths})) as field,
    from lines
    where text != ''
),
read_lines as ({typed} from fields)
select
    ({number}::bigint << {bits}) + line as frame_number,
    {number}::bigint as segment_number,
    line,
    {columns},
    case when reason is null then text end as payload,
    reason,
    case when reason is not null then text[:200] end as rejected_text,
from read_lines
"""
# For a block that holds bytes which are no UTF-8; they are shown escaped.
_DECODED = """
select
    line,
    coalesce(try(decode(raw)), raw::varchar) as text,
    case when try(decode(raw)) is null then 'not UTF-8' end as trouble,
from undecoded
"""
# The glob is escaped: a file name is not a pattern.
_PARQUET_AS_JSON = """
select file_row_number + 1 as line, to_json(columns) as text, null::varchar as trouble,
from read_parquet(regexp_replace(?, '([*?\\[])', '[\\1]', 'g'), file_row_number = true) as columns
"""
_COINBASE = {
    "paths": "['$.channel', '$.sequence_num', '$.timestamp', '$.type', '$.time']",
    "columns": """
    case when reason is null then channel end as channel,
    case when reason is null then sequence_num end as sequence_num,
    case when reason is null then sent_at end as sent_at
    """,
    "typed": """
    select
        line,
        text,
        coalesce(field[1], field[4]) as channel,
        try_cast(field[2] as bigint) as sequence_num,
        try_cast(coalesce(field[3], field[5]) as timestamptz) at time zone 'UTC' as sent_at,
        case
            when trouble is not null then trouble
            when field is null then 'not JSON'
            when channel is null then 'not a frame: it has no channel and no type'
            when field[1] is not null and coalesce(sequence_num, -1) < 0
                then 'sequence_num is not a whole number'
            when field[1] is not null and sent_at is null then 'timestamp is not a time'
        end as reason,
    """,
}
_CCXT = {
    "paths": "['$.exchange', '$.symbol', '$.collected_at', '$.capture_ts', '$.timestamp']",
    "columns": "exchange, symbol, captured_at",
    "typed": """
    select
        line,
        text,
        nullif(trim(field[1]), '') as exchange,
        nullif(trim(field[2]), '') as symbol,
        coalesce(
            try_cast(field[4] as timestamptz) at time zone 'UTC',
            try(make_timestamp(try_cast(field[3] as bigint) * 1000)),
            try(make_timestamp(try_cast(field[5] as bigint) * 1000))
        ) as captured_at,
        case
            when trouble is not null then trouble
            when field is null then 'not JSON'
            when exchange is null then 'it has no exchange'
            when symbol is null then 'it has no symbol'
            when captured_at is null then 'it has no time: no capture_ts, collected_at or timestamp'
        end as reason,
    """,
}


@dataclass(frozen=True)
class Batch:
    """Some lines of a segment: rows of the raw table, and those that were turned away."""

    rows: pa.Table
    rejected: pa.Table
    """line, reason, rejected_text"""


def read_batches(segment: Segment, number: int) -> Iterator[Batch]:
    """The segment as rows of its raw table. Raises FileError.

    Memory: a few blocks, or a few times the longest line where that is more.
    """
    is_coinbase = segment.feed == "coinbase"
    parts = _COINBASE if is_coinbase else _CCXT
    schema = COINBASE_FRAMES if is_coinbase else CCXT_RECORDS
    query = _READ_LINES.format(lines="block", number=number, bits=FRAME_BITS, **parts)
    with reading(segment.path), duckdb.connect() as parser:
        parser.execute("set TimeZone = 'UTC'; set threads = 2")
        for block in _parquet_rows(segment) if segment.is_parquet else _lines(segment, parser):
            parser.register("block", block)
            parsed = parser.execute(query).to_arrow_table()
            is_rejected = pc.is_valid(parsed["reason"])
            rejected = parsed.filter(is_rejected).select(["line", "reason", "rejected_text"])
            kept = parsed if is_coinbase else parsed.filter(pc.invert(is_rejected))
            yield Batch(kept.select(schema.names).cast(schema), rejected)


def mentions(segment: Segment, texts: Collection[str]) -> bool:
    """Whether each of the texts (an exchange, a symbol) occurs as a string anywhere in the segment.

    Reads until all were seen. Raises FileError.
    """
    missing = {json.dumps(text) for text in texts}
    if not missing:
        return True
    with reading(segment.path), duckdb.connect() as parser:
        for block in _parquet_rows(segment) if segment.is_parquet else _lines(segment, parser):
            found = pc.replace_substring(block["text"], "\\/", "/")
            missing = {
                text for text in missing if not pc.any(pc.match_substring(found, text)).as_py()
            }
            if not missing:
                return True
    return False


def _lines(segment: Segment, parser: duckdb.DuckDBPyConnection) -> Iterator[pa.Table]:
    """Blocks of whole lines: line (from 1), text, trouble (null where the text is readable)."""
    before = 0
    for block, is_cut in _blocks(segment):
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _NEWLINE) + 1
        if not len(ends) or ends[-1] != len(block):
            ends = np.append(ends, len(block))
        offsets = np.concatenate([[0], ends]).astype(np.int64)
        raw = pa.Array.from_buffers(
            pa.large_binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(block)]
        )
        numbers = pa.array(np.arange(before + 1, before + 1 + len(ends)))
        before += len(ends)
        try:
            text = pc.ascii_trim_whitespace(raw.cast(pa.large_string()))
        except pa.ArrowInvalid:
            parser.register("undecoded", pa.table([numbers, raw], names=["line", "raw"]))
            yield parser.execute(_DECODED).to_arrow_table()
        else:
            trouble = pa.repeat(pa.scalar(_TOO_LONG if is_cut else None, pa.string()), len(text))
            yield pa.table([numbers, text, trouble], names=["line", "text", "trouble"])


def _blocks(segment: Segment) -> Iterator[tuple[bytes, bool]]:
    """The unpacked content in blocks that end where a line ends, a long line whole; of a line that
    is too long only its beginning, with True."""
    with segment.open() as content:
        rest = b""
        while block := content.read(BLOCK_BYTES):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut], False
                rest = block[cut:]
                continue
            rest += block
            if len(rest) > MAXIMUM_LINE_BYTES:
                yield rest[:_SHOWN_BYTES], True
                rest = _after_newline(content)
        if rest:
            yield rest, False


def _after_newline(content: IO[bytes]) -> bytes:
    """Reads on to the end of the line; what was read of the next one."""
    while block := content.read(BLOCK_BYTES):
        cut = block.find(b"\n") + 1
        if cut:
            return block[cut:]
    return b""


def _parquet_rows(segment: Segment) -> Iterator[pa.Table]:
    """The rows of a Parquet file as JSON texts, as if each were a line."""
    with duckdb.connect() as reader:
        reader.execute("set TimeZone = 'UTC'; set threads = 2")
        try:
            rows = reader.execute(_PARQUET_AS_JSON, [str(segment.path)])
            for batch in rows.to_arrow_reader(_PARQUET_ROWS):
                yield pa.Table.from_batches([batch])
        except duckdb.Error as error:
            raise unreadable(segment.path, str(error).splitlines()[0]) from None
