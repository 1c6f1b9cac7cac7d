"""Archived payload files: gzip or plain, UTF-8 or UTF-16, in any of the shapes people save.

A list, a page (`{"markets": [...], "cursor": ...}`), a wrapped record (`{"market": {...}}`), a bare
record, or one of these a line. Records nested in an event are records of their own.
"""

import glob
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion.errors import FileError
from ingestion.landing import storable
from ingestion.payloads import Record, parse
from ingestion.venues import Entity, Venue, as_id

_GZIP_MAGIC = b"\x1f\x8b"
_LINE_SUFFIXES = {".jsonl", ".ndjson"}
# Fields that hold a list of records without saying of which kind.
_PLAIN_CONTAINERS = {"value", "data"}
_SHOWN_FIELDS = 8


@dataclass(frozen=True)
class ArchiveFile:
    """One file, and when the venue sent what it holds."""

    path: Path
    fetched_at: datetime

    @property
    def name(self) -> str:
        """The file's name, fit to be stored."""
        return storable(self.path.name)


@dataclass(frozen=True)
class FoundRecord:
    """A record of a file: its kind, where it was, and the id of the record around it."""

    entity: Entity
    record: object
    line: int
    enclosing_id: str | None = None


@dataclass(frozen=True)
class BadLine:
    """Something in a file that is no record."""

    line: int
    reason: str
    value: object


def find_files(patterns: Sequence[str], captured_at: datetime | None = None) -> list[ArchiveFile]:
    """The files of the patterns, each once, oldest first.

    Their time is `captured_at`, else when the file was last modified. Raises FileError for a
    pattern that matches no file.
    """
    paths: dict[Path, Path] = {}
    for pattern in patterns:
        # Path.glob takes no absolute pattern.
        matches = glob.glob(pattern, recursive=True)  # noqa: PTH207
        exact = [pattern] if Path(pattern).exists() else []
        found = [path for path in map(Path, exact or matches) if not path.is_dir()]
        if not found:
            raise FileError(_nothing_found(pattern))
        paths |= {path.resolve(): path for path in found}
    files = []
    for path in paths.values():
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        files.append(ArchiveFile(path, captured_at or modified))
    return sorted(files, key=lambda file: (file.fetched_at, str(file.path)))


def _nothing_found(pattern: str) -> str:
    if Path(pattern).is_dir():
        return f"{pattern} is a folder. Give a pattern of files, such as '{pattern}/*.json.gz'."
    if glob.has_magic(pattern):
        return f"no file matches {pattern!r}. Check the path; it starts at {Path.cwd()}."
    return f"{pattern} is not there. Check the path; it starts at {Path.cwd()}."


def read_file(file: ArchiveFile, venue: Venue) -> Iterator[FoundRecord | BadLine]:
    """The records of one file, in their order.

    Raises FileError when it cannot be read as JSON; a bad line of a file with one object a line
    is only a BadLine.
    """
    with _open_text(file.path) as text:
        first_number, first = _first_line(text)
        if not first:
            raise FileError(f"{file.path} is empty. Fetch it again.")
        if first.lstrip().startswith("<"):
            raise FileError(
                f"{file.path}, line {first_number}: this is HTML, not JSON (it starts"
                f" {first[:40]!r}). Fetch it again from the venue's API."
            )
        if _LINE_SUFFIXES & set(file.path.suffixes):
            yield from _read_lines(first_number, first, text, venue)
            return
        try:
            document = parse(first)
        except json.JSONDecodeError:
            rest = text.read()
            if _is_object(rest.partition("\n")[0]):
                yield from _read_lines(first_number, first, io.StringIO(rest), venue)
                return
            whole = f"{first}\n{rest}" if rest else first
            document = _parse_document(file.path, first_number, whole)
        else:
            second_number, second = _first_line(text, first_number)
            if second:
                yield from _read_line(first_number, first, venue)
                yield from _read_lines(second_number, second, text, venue)
                return
        yield from _records(document, venue, line=1)


def _parse_document(path: Path, first_number: int, text: str) -> Any:
    try:
        return parse(text)
    except json.JSONDecodeError as error:
        line = first_number + error.lineno - 1
        raise FileError(
            f"{path}, line {line}, column {error.colno}: {error.msg}. The file is cut off or"
            " damaged: fetch it again."
        ) from None


def _read_lines(
    first_number: int, first: str, text: io.TextIOBase, venue: Venue
) -> Iterator[FoundRecord | BadLine]:
    """The records of a text with one JSON object a line, of which `first` was read already."""
    yield from _read_line(first_number, first, venue)
    for number, line in enumerate(text, first_number + 1):
        if line.strip():
            yield from _read_line(number, line.rstrip(), venue)


def _read_line(number: int, line: str, venue: Venue) -> Iterator[FoundRecord | BadLine]:
    try:
        value = parse(line)
    except json.JSONDecodeError as error:
        yield BadLine(number, f"not JSON: {error.msg}, column {error.colno}", line)
        return
    yield from _records(value, venue, line=number, keep_line=True)


def _is_object(line: str) -> bool:
    try:
        return isinstance(parse(line), dict)
    except json.JSONDecodeError:
        return False


def _records(
    value: object, venue: Venue, line: int, entity: Entity | None = None, keep_line: bool = False
) -> Iterator[FoundRecord | BadLine]:
    """The records in a JSON value.

    `entity` is their kind when the field around them says so, and `line` where the value was: its
    line, or its position in a list.
    """
    if isinstance(value, list):
        for position, item in enumerate(value, 1):
            yield from _records(item, venue, line if keep_line else position, entity, keep_line)
        return
    if not isinstance(value, dict):
        if entity is None:
            yield BadLine(line, "a record must be a JSON object", value)
        else:
            yield FoundRecord(entity, value, line)
        return
    kind = entity or venue.recognise(value)
    if kind is not None:
        yield from _record_and_nested(kind, value, venue, line)
        return
    containers = [
        name
        for name, content in value.items()
        if (name in venue.containers and isinstance(content, list | dict))
        or (name in _PLAIN_CONTAINERS and isinstance(content, list))
    ]
    if not containers:
        fields = ", ".join(list(value)[:_SHOWN_FIELDS])
        yield BadLine(line, f"not a record of {venue.name} (its fields: {fields})", value)
    for name in containers:
        yield from _records(value[name], venue, line, venue.containers.get(name), keep_line)


def _record_and_nested(
    kind: Entity, record: Record, venue: Venue, line: int
) -> Iterator[FoundRecord]:
    yield FoundRecord(kind, record, line)
    nested = record.get(kind.nested) if kind.nested else None
    if kind.nested and isinstance(nested, list):
        enclosing_id = as_id(record.get(kind.id_field))
        for item in nested:
            yield FoundRecord(venue.containers[kind.nested], item, line, enclosing_id)


@contextmanager
def _open_text(path: Path) -> Iterator[io.TextIOWrapper]:
    """The file as text, unpacked and decoded. Bytes that are no UTF-8 come as lone surrogates, so
    that only the records which hold them are turned away."""
    try:
        with path.open("rb") as packed:
            is_gzip = packed.peek(2)[:2] == _GZIP_MAGIC
            stream = gzip.GzipFile(fileobj=packed) if is_gzip else packed
            encoding = json.detect_encoding(stream.peek(4)[:4])
            errors = "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass"
            yield io.TextIOWrapper(stream, encoding=encoding, errors=errors)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise FileError(f"{path} is a damaged or cut-off gzip file. Fetch it again.") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not {error.encoding.upper()} text. Fetch it again.") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None


def _first_line(text: io.TextIOBase, number: int = 0) -> tuple[int, str]:
    """The next line that is not blank, with its number after `number`; empty at the end."""
    for line in text:
        number += 1
        if line.strip():
            return number, line.rstrip()
    return number, ""
