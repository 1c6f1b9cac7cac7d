"""Segments: files of lines below `raw/`, begun in `active` and moved to `ready` when complete."""

import gzip
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from ingestion.simulator.order_books.faults import BYTE_ORDER_MARK, BookFaults, Line
from ingestion.simulator.order_books.market import SECOND

Compression = Literal["none", "gzip", "zstd"]
SUFFIXES: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
GZIP_LEVEL = 6
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class TouchedLine:
    """Where a fault is. A dropped frame's line is the one that stands in its place, if any."""

    fault: str  # a field of `BookFaults`
    frame: int  # the number of the frame that the line holds, or stands before
    segment: str  # the file's name
    line: int  # from 1


@dataclass(slots=True)
class Written:
    """What was written: paths in order, faults in the order of their lines."""

    paths: list[Path] = field(default_factory=list)
    touched: list[TouchedLine] = field(default_factory=list)
    frames: int = 0  # sent by the venue, dropped ones included
    updates: int = 0  # of levels, those of snapshots included
    content_bytes: int = 0  # before compression


def segment_name(at: int, number: int, suffix: str) -> str:
    """`segment_20261001T120000_00001.ndjson.gz`, by the first frame's instant in nanoseconds."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(at // SECOND))
    return f"segment_{stamp}_{number:05d}{suffix}"


def move_to_ready(root: Path, folder: str, name: str) -> Path:
    """Move a complete file from `raw/active/<folder>` to `raw/ready/<folder>`."""
    ready = root / "raw" / "ready" / folder
    ready.mkdir(parents=True, exist_ok=True)
    return (root / "raw" / "active" / folder / name).replace(ready / name)


def active_path(root: Path, folder: str, name: str) -> Path:
    """Where a file is written until it is complete."""
    active = root / "raw" / "active" / folder
    active.mkdir(parents=True, exist_ok=True)
    return active / name


class SegmentWriter:
    """Writes lines into one segment after the other.

    A segment is full when it holds `frames_per_segment` lines with a frame (a duplicate counts, a
    dropped frame does not); the stream goes on in the next one.
    """

    def __init__(
        self,
        root: Path,
        folder: str,
        frames_per_segment: int,
        compression: Compression,
        faults: BookFaults,
    ) -> None:
        self.written = Written()
        self._root, self._folder = root, folder
        self._frames_per_segment, self._compression = frames_per_segment, compression
        self._faults = faults
        self._file: CompressedFile | None = None
        self._name = ""
        self._number = self._lines = self._frames = 0
        self._last: Line | None = None  # held back: the last line of a segment may be cut

    def write_all(self, lines: Iterable[Line], content_bytes: int | None = None) -> Written:
        """Write lines, all or until so many bytes; every segment is then complete."""
        for line in lines:
            self._write(line)
            if content_bytes is not None and self.written.content_bytes >= content_bytes:
                break
        self._finish()
        return self.written

    def _write(self, line: Line) -> None:
        if self._file is None or self._frames >= self._frames_per_segment:
            self._finish()
            self._begin(line)
        if line.holds_frame and "duplicated" not in line.faults:
            self.written.frames += 1
            self.written.updates += len(line.frame.updates or ())
        for fault in line.faults:
            self._touch(fault, line, self._lines + 1)
        if line.content:
            self._flush()
            self._last = line
            self._lines += 1
            self._frames += line.holds_frame
            self.written.content_bytes += len(line.content)

    def _begin(self, line: Line) -> None:
        self._number += 1
        self._lines = self._frames = 0
        suffix = ".ndjson" + SUFFIXES[self._compression]
        self._name = segment_name(line.frame.sent_at, self._number, suffix)
        path = active_path(self._root, self._folder, self._name)
        self._file = CompressedFile(path, self._compression)
        if self._number in self._faults.byte_order_mark_segments:
            self._file.write(BYTE_ORDER_MARK)
            self._touch("byte_order_mark_segments", line, 1)

    def _flush(self) -> None:
        if self._file and self._last:
            self._file.write(self._last.content)
        self._last = None

    def _finish(self) -> None:
        if self._file is None:
            return
        if self._last and self._number in self._faults.truncated_segments:
            self._touch("truncated_segments", self._last, self._lines)
            self._last = replace(self._last, content=self._last.content[: _half(self._last)])
        self._flush()
        self._file.close()
        self.written.paths.append(move_to_ready(self._root, self._folder, self._name))
        self._file = None

    def _touch(self, fault: str, line: Line, number: int) -> None:
        self.written.touched.append(TouchedLine(fault, line.frame.number, self._name, number))


def _half(line: Line) -> int:
    return max(1, len(line.content) // 2)


class CompressedFile:
    """A file to be written once; equal contents are equal bytes."""

    def __init__(self, path: Path, compression: Compression) -> None:
        self._closing: list[Any] = []
        self._chunks: list[bytes] = []
        self._size = 0
        if compression == "zstd":
            raw = pa.OSFile(str(path), "wb")
            self._stream: Any = pa.CompressedOutputStream(raw, "zstd")
            self._closing = [self._stream, raw]
        else:
            file = path.open("wb")
            self._stream = file
            self._closing = [file]
            if compression == "gzip":
                # Without a name and a time of its own.
                self._stream = gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0)
                self._closing = [self._stream, file]

    def write(self, content: bytes) -> None:
        """Append some bytes."""
        self._chunks.append(content)
        self._size += len(content)
        if self._size >= CHUNK_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        for stream in self._closing:
            stream.close()

    def _flush(self) -> None:
        self._stream.write(b"".join(self._chunks))
        self._chunks, self._size = [], 0
