"""JSON as the venues send it: read and written without losing a digit, and hashed.

Numbers that Python would change (decimals, integers beyond 64 bits) are kept as the venue's own
text, so `1.10` stays `1.10`. What is not JSON (NaN, Infinity) or not Unicode (a lone surrogate) is
read, so that its neighbours can be used, but cannot be written.
"""

import hashlib
import json
from typing import Any

import orjson

Record = dict[str, Any]


class Number(str):
    """A JSON number as it was spelled."""

    __slots__ = ()


class NotJson:
    """Stands where the text held NaN or Infinity."""

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def __repr__(self) -> str:
        return self.spelling


class UnwritableRecordError(ValueError):
    """A record that cannot be written as JSON; the text is the reason."""


_INT64_DIGITS = 18


def _integer(spelling: str) -> int | Number:
    return int(spelling) if len(spelling) <= _INT64_DIGITS else Number(spelling)


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=_integer, parse_constant=NotJson)


def parse(text: str) -> Any:
    """The JSON document in `text`. Raises json.JSONDecodeError, which knows line and column."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise json.JSONDecodeError("Nested too deeply", text, 0) from None


def _write_unknown(value: object) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(str(value))
    if isinstance(value, NotJson):
        raise UnwritableRecordError(f"{value.spelling} is not JSON")
    raise TypeError(f"{type(value).__name__} is not JSON")


def _dump(value: object, options: int = 0) -> bytes:
    try:
        return orjson.dumps(value, _write_unknown, orjson.OPT_PASSTHROUGH_SUBCLASS | options)
    except orjson.JSONEncodeError as error:
        if isinstance(error.__cause__, UnwritableRecordError):
            raise error.__cause__ from None
        if "surrogates" in str(error):
            raise UnwritableRecordError("it holds text that is not valid Unicode") from None
        raise UnwritableRecordError(str(error)) from None


def dump(value: object) -> str:
    """`value` as JSON text, keys in their order. Raises UnwritableRecordError."""
    return _dump(value).decode()


def content_hash(record: Record) -> str:
    """32 hex digits of the canonical JSON (keys sorted) of `record`. Raises
    UnwritableRecordError."""
    return digest(_dump(record, orjson.OPT_SORT_KEYS))


def digest(data: bytes) -> str:
    """32 hex digits (128 bits) of `data`."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
