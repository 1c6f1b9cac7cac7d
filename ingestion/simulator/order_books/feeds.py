"""What the venue sends: frames of one connection after another, each with what is true of it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.simulator.order_books.book import Book, Update
from ingestion.simulator.order_books.draws import words
from ingestion.simulator.order_books.market import (
    SECOND,
    Market,
    MarketSettings,
    Step,
    Trade,
)

LATENCY = 40_000_000  # nanoseconds from the market to the frame, at least
LATENCY_BITS = 24  # and up to 2^24 more (17 ms)
STEPS_BETWEEN_SNAPSHOTS = 3  # before the first book, and from one product's to the next


@dataclass(slots=True)
class Frame:
    """One message, and the truth about it.

    `book` is the live book, true until the next frame is asked for: copy what is to be kept.
    `updates` and `trades` are as in `Step`; those of a snapshot are the whole book, best first,
    and the earlier trades.
    """

    number: int  # of all frames, from 0
    connection: int  # from 0
    sequence: int  # in the connection, from 0
    sent_at: int  # nanoseconds since 1970, strictly increasing
    channel: str
    product_id: str | None
    content: bytes  # the JSON, without an end of line
    is_snapshot: bool = False
    updates: list[Update] | None = None  # None unless the frame is of the book
    trades: tuple[Trade, ...] = ()
    book: Book | None = None  # of frames of the book, and of tickers


class Feed(ABC):
    """One recorder of a market. `frames` may be iterated once."""

    def __init__(
        self,
        settings: MarketSettings,
        reconnect_at: tuple[int, ...] = (),
        steps_away: int = 20,
    ) -> None:
        self.market = Market(settings)
        self.number = 0
        self.connection = 0
        self.sequence = 0
        self.sent_at = 0
        self.heartbeat_at = settings.start_ns + SECOND
        self.dice = words(settings.seed, 3)
        self._reconnect_at = frozenset(reconnect_at)
        self._steps_away = steps_away

    def frames(self) -> Iterator[Frame]:
        """Frames without end; a new connection begins with each number of `reconnect_at`."""
        while True:
            for frame in self._connect():
                yield frame
                if self.number in self._reconnect_at:
                    break
            for _ in range(self._steps_away):
                self.market.step()
            # Nobody heard the heartbeats in between.
            missed = max(0, self.market.now - self.heartbeat_at + SECOND) // SECOND
            self.heartbeat_at += missed * SECOND
            self.connection += 1
            self.sequence = 0

    def _connect(self) -> Iterator[Frame]:
        """One connection: the first words, then the market, with the books as they come."""
        yield from self._greeting()
        count, books_shown = len(self.market.books), 0
        for turn, step in enumerate(self.market.steps(), 1):
            yield from self._heartbeats(step.happened_at)
            yield from self._step(step, has_book=step.product < books_shown)
            if books_shown < count and turn % STEPS_BETWEEN_SNAPSHOTS == 0:
                yield from self._first_book(books_shown, step.happened_at)
                books_shown += 1

    def _heartbeats(self, until: int) -> Iterator[Frame]:
        while self.heartbeat_at <= until:
            yield from self._heartbeat(self.heartbeat_at)
            self.heartbeat_at += SECOND

    @abstractmethod
    def _greeting(self) -> Iterator[Frame]:
        """What comes first on a connection."""

    @abstractmethod
    def _first_book(self, index: int, at: int) -> Iterator[Frame]:
        """The snapshot of a product's book."""

    @abstractmethod
    def _step(self, step: Step, has_book: bool) -> Iterator[Frame]:
        """The frames of a step. `has_book`: the product's snapshot was sent."""

    @abstractmethod
    def _heartbeat(self, at: int) -> Iterator[Frame]:
        """The frames of a whole second."""

    def next_sent_at(self, happened_at: int) -> int:
        """When the next frame is sent, in nanoseconds."""
        word = next(self.dice)
        earliest = self.sent_at + 1_000 + (word >> 52)
        self.sent_at = max(earliest, happened_at + LATENCY + (word & ((1 << LATENCY_BITS) - 1)))
        return self.sent_at

    def frame(
        self,
        channel: str,
        product_id: str | None,
        content: str,
        *,
        is_snapshot: bool = False,
        updates: list[Update] | None = None,
        trades: tuple[Trade, ...] = (),
        book: Book | None = None,
    ) -> Frame:
        """Number a frame; it was sent at `sent_at`."""
        made = Frame(
            self.number,
            self.connection,
            self.sequence,
            self.sent_at,
            channel,
            product_id,
            content.encode(),
            is_snapshot,
            updates,
            trades,
            book,
        )
        self.number += 1
        self.sequence += 1
        return made


class Instants:
    """Writes instants as RFC 3339 in UTC; neighbours share their second."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def short(self, at: int) -> str:
        """Without trailing zeros: '2026-08-09T21:05:49.25328358Z'."""
        second, rest = divmod(at, SECOND)
        fraction = f".{rest:09d}".rstrip("0") if rest else ""
        return f"{self._until(second)}{fraction}Z"

    def microseconds(self, at: int) -> str:
        """With six digits: '2026-08-09T21:05:49.253283Z'."""
        second, rest = divmod(at, SECOND)
        return f"{self._until(second)}.{rest // 1_000:06d}Z"

    def go(self, at: int) -> str:
        """As Go prints a time: '2026-08-09 21:05:49.253283580 +0000 UTC'."""
        second, rest = divmod(at, SECOND)
        return f"{self._until(second).replace('T', ' ')}.{rest:09d} +0000 UTC"

    def _until(self, second: int) -> str:
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return self._text


def whole_book(book: Book) -> list[Update]:
    """A book as updates: bids from the best down, then asks from the best up."""
    return [
        (number, price, size)
        for number, side in enumerate(book.sides)
        for price, size in side.levels()
    ]
