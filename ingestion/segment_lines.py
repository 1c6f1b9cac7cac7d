"""The lines of a segment as typed Arrow batches, read a block at a time and never line by line.

Every line that is not blank has a place: it becomes a row, or it is turned away with its number and
the reason. Of Coinbase's feeds a line that was turned away leaves a row without a payload as well,
because a frame is missing there.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.segments import Segment, reading

BLOCK_BYTES = 8 << 20
MAXIMUM_LINE_BYTES = 64 << 20
FRAME_BITS = 36
"""A frame number is the segment's number, then 36 bits for the line: unique over all feeds, and it
grows in the order of loading."""

_NEWLINE = 10
_SHOWN_BYTES = 200
_UNDECODED = ["line", "raw", "trouble"]
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
    where text != '' or trouble is not null
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
    trim(coalesce(try(decode(raw)), raw::varchar), e' \\t\\n\\x0b\\x0c\\r') as text,
    coalesce(trouble, case when try(decode(raw)) is null then 'not UTF-8' end) as trouble,
from undecoded
"""
# Of the moments in a list the first one that can be true (no coin was traded before 2009, and
# seconds taken for milliseconds lie in 1970), and whose nanoseconds fit 64 bits.
_FIRST_TIME = """
list_filter(
    [{moments}],
    lambda moment: moment between timestamp '2009-01-01' and timestamp '2262-01-01'
)[1]
"""
_TIMESTAMP = "try_cast({field} as timestamptz) at time zone 'UTC'"
_MILLISECONDS = "try(make_timestamp(try_cast({field} as bigint) * 1000))"
_COINBASE = {
    "paths": "['$.channel', '$.sequence_num', '$.timestamp', '$.type', '$.time']",
    "columns": """
    case when reason is null then channel end as channel,
    case when reason is null then sequence_num end as sequence_num,
    case when reason is null then sent_at end as sent_at
    """,
    "typed": f"""
    select
        line,
        text,
        coalesce(nullif(field[1], ''), nullif(field[4], '')) as channel,
        try_cast(regexp_extract(field[2], '^[0-9]+$') as bigint) as sequence_num,
        {_FIRST_TIME.format(moments=_TIMESTAMP.format(field="coalesce(field[3], field[5])"))}
            as sent_at,
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
    "typed": f"""
    select
        line,
        text,
        nullif(trim(field[1]), '') as exchange,
        nullif(trim(field[2]), '') as symbol,
        {
        _FIRST_TIME.format(
            moments=", ".join(
                [
                    _TIMESTAMP.format(field="field[4]"),
                    _MILLISECONDS.format(field="field[3]"),
                    _MILLISECONDS.format(field="field[5]"),
                ]
            )
        )
    } as captured_at,
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
        for block in segment.json_rows() if segment.is_parquet else _lines(segment, parser):
            parser.register("block", block)
            parsed = parser.sql(query).to_arrow_table()
            is_rejected = pc.is_valid(parsed["reason"])
            rejected = parsed.filter(is_rejected).select(["line", "reason", "rejected_text"])
            kept = parsed if is_coinbase else parsed.filter(pc.invert(is_rejected))
            yield Batch(kept.select(schema.names).cast(schema), rejected)


def mentions(segment: Segment, texts: Collection[str]) -> bool:
    """Whether each of the texts (an exchange, a symbol) occurs as a string anywhere in the segment.

    Reads until all were seen. Raises FileError.
    """
    missing = {text: (json.dumps(text), json.dumps(text, ensure_ascii=False)) for text in texts}
    if not missing:
        return True
    with reading(segment.path), duckdb.connect() as parser:
        for block in segment.json_rows() if segment.is_parquet else _lines(segment, parser):
            found = pc.replace_substring(block["text"], "\\/", "/")
            missing = {
                text: spellings
                for text, spellings in missing.items()
                if not any(pc.any(pc.match_substring(found, one)).as_py() for one in spellings)
            }
            if not missing:
                return True
    return False


def _lines(segment: Segment, parser: duckdb.DuckDBPyConnection) -> Iterator[pa.Table]:
    """Blocks of whole lines: line (from 1), text, trouble (null where the text is readable)."""
    before = 0
    for block in _blocks(segment):
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _NEWLINE) + 1
        if not len(ends) or ends[-1] != len(block):
            ends = np.append(ends, len(block))
        offsets = np.concatenate([[0], ends]).astype(np.int64)
        raw = pa.Array.from_buffers(
            pa.large_binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(block)]
        )
        numbers = pa.array(np.arange(before + 1, before + 1 + len(ends)))
        before += len(ends)
        trouble = pa.nulls(len(ends), pa.string())
        is_too_long = pa.array(np.diff(offsets) > MAXIMUM_LINE_BYTES)
        if pc.any(is_too_long).as_py():
            raw = pc.if_else(is_too_long, pc.binary_slice(raw, 0, _SHOWN_BYTES), raw)
            trouble = pc.if_else(is_too_long, f"longer than {MAXIMUM_LINE_BYTES:,} bytes", None)
        try:
            text = pc.ascii_trim_whitespace(raw.cast(pa.large_string()))
        except pa.ArrowInvalid:
            parser.register("undecoded", pa.table([numbers, raw, trouble], _UNDECODED))
            yield parser.sql(_DECODED).to_arrow_table()
        else:
            yield pa.table([numbers, text, trouble], names=["line", "text", "trouble"])


def _blocks(segment: Segment) -> Iterator[bytes]:
    """The unpacked content in blocks that end where a line ends, a long line whole; of a line that
    is too long, as much as shows that it is."""
    with segment.open() as content:
        rest: list[bytes] = []
        while block := content.read(BLOCK_BYTES):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield b"".join([*rest, block[:cut]])
                rest = [block[cut:]]
            elif sum(map(len, rest)) <= MAXIMUM_LINE_BYTES:
                rest.append(block)
        if any(rest):
            yield b"".join(rest)
