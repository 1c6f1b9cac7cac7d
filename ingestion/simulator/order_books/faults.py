"""What can go wrong between the venue and a file, deterministically, and where it did."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from ingestion.simulator.order_books.feeds import Frame

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What stands in files between frames: a stray word, half a frame, an error page, a reader's log.
NO_JSON = (
    b"connection reset by peer",
    b'{"channel":"l2_data","timestamp":"20',
    b"<html><body>502 Bad Gateway</body></html>",
    b"{'channel': 'l2_data'}",
)

# The fields of `BookFaults` that fall on lines.
LINE_FAULTS = (
    *("dropped", "duplicated", "swapped", "byte_order_mark_at", "no_json_before", "blank_before"),
    *("negative_size", "not_a_number_size", "crossed_snapshot"),
)

_FIRST_PRICE = re.compile(rb'("price_level":"|"bids":\[\[")[^"]*')
_FIRST_SIZE = re.compile(rb'("new_quantity":"|\["(?:buy|sell)","[^"]*",")([^"]*)')


@dataclass(frozen=True, slots=True)
class OneIn:
    """Each frame with a chance of one in `frames`, decided by the market's seed."""

    frames: int


# The numbers of frames, counted from 0 over all connections as the venue sent them.
Where = tuple[int, ...] | OneIn


@dataclass(frozen=True, slots=True)
class BookFaults:
    """Everything is off unless named. Several faults may fall on one frame.

    Faults of a value fall on the first frame that has such a value, at or after each number.
    """

    dropped: Where = ()  # the frame is missing: a gap
    duplicated: Where = ()  # the line comes twice
    swapped: Where = ()  # the line comes after the next one
    reconnect_at: tuple[int, ...] = ()  # a new connection begins with these frames
    steps_away: int = 20  # of the market, that no connection saw
    byte_order_mark_at: Where = ()  # in front of the line
    no_json_before: Where = ()  # a line that is no JSON
    blank_before: Where = ()  # an empty line
    negative_size: Where = ()  # the first size of an update of the book
    not_a_number_size: Where = ()  # "NaN" in its place
    crossed_snapshot: Where = ()  # a snapshot's best bid is above its best ask
    byte_order_mark_segments: tuple[int, ...] = ()  # numbers of files, from 1
    truncated_segments: tuple[int, ...] = ()  # whose last line is cut in the middle


@dataclass(slots=True)
class Line:
    """A line as it is written, with its end; empty where the frame was dropped."""

    content: bytes
    frame: Frame  # the one it holds, or that it stands before
    faults: tuple[str, ...] = ()
    holds_frame: bool = True


def spoilt(frames: Iterable[Frame], faults: BookFaults, seed: int) -> Iterator[Line]:
    """The lines of frames, with the faults that are asked for (but for those of whole files)."""
    spoiler = _Spoiler(faults, seed)
    held: list[Line] = []
    for frame in frames:
        if not held and spoiler.spares(frame):
            yield Line(frame.content + b"\n", frame)
            continue
        lines = spoiler.lines(frame)
        if spoiler.falls("swapped", frame):
            held += lines
            continue
        if held:
            lines = [_touched(line, "swapped") for line in [*lines, *held]]
            held = []
        yield from lines
    yield from held


class _Spoiler:
    """Knows which faults fall on a frame, and which still wait for a frame that they fit."""

    def __init__(self, faults: BookFaults, seed: int) -> None:
        self._seed = seed
        self._where: dict[str, Where] = {name: getattr(faults, name) for name in LINE_FAULTS}
        self._waiting: set[str] = set()
        self._has_chance = any(isinstance(where, OneIn) for where in self._where.values())
        self._numbers = {
            number
            for where in self._where.values()
            if not isinstance(where, OneIn)
            for number in where
        }

    def spares(self, frame: Frame) -> bool:
        """No fault can fall on the frame; most frames, so this is quick."""
        return not (self._has_chance or self._waiting or frame.number in self._numbers)

    def falls(self, fault: str, frame: Frame) -> bool:
        """The fault is asked for at this frame."""
        where = self._where[fault]
        if not isinstance(where, OneIn):
            return frame.number in where
        dice = blake2b(f"{self._seed}|{fault}|{frame.number}".encode(), digest_size=8).digest()
        return int.from_bytes(dice) % where.frames == 0

    def falls_on_value(self, fault: str, frame: Frame, is_fit: bool) -> bool:
        """The fault is due, and the frame has such a value."""
        if self.falls(fault, frame):
            self._waiting.add(fault)
        if not is_fit or fault not in self._waiting:
            return False
        self._waiting.remove(fault)
        return True

    def lines(self, frame: Frame) -> list[Line]:
        """The lines of one frame, its faults but swapping included."""
        content, touched = self._values(frame)
        if self.falls("byte_order_mark_at", frame):
            content = BYTE_ORDER_MARK + content
            touched.append("byte_order_mark_at")
        line = Line(content + b"\n", frame, tuple(touched))
        lines = [line]
        if self.falls("dropped", frame):
            lines = [Line(b"", frame, ("dropped",))]
        elif self.falls("duplicated", frame):
            lines = [line, _touched(line, "duplicated")]
        if self.falls("no_json_before", frame):
            text = NO_JSON[frame.number % len(NO_JSON)]
            lines.insert(0, Line(text + b"\n", frame, ("no_json_before",), holds_frame=False))
        if self.falls("blank_before", frame):
            lines.insert(0, Line(b"\n", frame, ("blank_before",), holds_frame=False))
        return lines

    def _values(self, frame: Frame) -> tuple[bytes, list[str]]:
        content, touched = frame.content, []
        is_update = bool(frame.updates) and not frame.is_snapshot
        if self.falls_on_value("negative_size", frame, is_update):
            content = _FIRST_SIZE.sub(_negative, content, count=1)
            touched.append("negative_size")
        if self.falls_on_value("not_a_number_size", frame, is_update and not touched):
            content = _FIRST_SIZE.sub(rb"\1NaN", content, count=1)
            touched.append("not_a_number_size")
        is_book = frame.updates is not None and frame.is_snapshot
        if self.falls_on_value("crossed_snapshot", frame, is_book) and frame.book:
            above = frame.book.product.price_text(frame.book.best_ask[0] + 1).encode()
            content = _FIRST_PRICE.sub(lambda match: match[1] + above, content, count=1)
            touched.append("crossed_snapshot")
        return content, touched


def _negative(match: re.Match[bytes]) -> bytes:
    """A size below zero: the size itself, or −1 in place of a delete."""
    return match[1] + b"-" + (match[2] if match[2].strip(b"0.") else b"1")


def _touched(line: Line, fault: str) -> Line:
    return Line(line.content, line.frame, (*line.faults, fault), line.holds_frame)
