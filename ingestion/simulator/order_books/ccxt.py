"""The same market as CCXT's unified structures: order books, trades and tickers in Parquet.

Numbers are floats, as CCXT makes them from the venue's decimals: a whole number of ticks divided
by a power of ten is the float nearest to the decimal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.simulator.order_books.book import Book, Level
from ingestion.simulator.order_books.draws import words
from ingestion.simulator.order_books.market import (
    MICROSECOND,
    Market,
    MarketSettings,
    Trade,
)
from ingestion.simulator.order_books.segments import active_path, move_to_ready, segment_name

Row = dict[str, Any]
Table = Literal["orderbook", "trades", "ticker"]
FileFormat = Literal["parquet", "ndjson"]
MILLISECOND = 1_000_000  # nanoseconds

_LEVELS = pa.large_list(pa.struct([("price", pa.float64()), ("size", pa.float64())]))
_CAPTURE: list[tuple[str, pa.DataType]] = [
    ("collected_at", pa.int64()),  # milliseconds since 1970
    ("capture_ts", pa.timestamp("us", "UTC")),
    ("exchange", pa.large_string()),
    ("symbol", pa.large_string()),
]
_TICKER_FLOATS = (
    *("bid", "ask", "bid_volume", "ask_volume", "last", "open", "high", "low", "close", "vwap"),
    *("base_volume", "quote_volume", "change", "percentage"),
)
SCHEMAS: dict[Table, pa.Schema] = {
    "orderbook": pa.schema(
        [
            *_CAPTURE,
            ("timestamp", pa.int64()),
            ("nonce", pa.int64()),
            ("bids", _LEVELS),
            ("asks", _LEVELS),
        ]
    ),
    "trades": pa.schema(
        [
            *_CAPTURE,
            ("trade_id", pa.large_string()),
            ("timestamp", pa.int64()),
            ("side", pa.large_string()),
            ("price", pa.float64()),
            ("amount", pa.float64()),
            ("cost", pa.float64()),
            ("info_json", pa.large_string()),
        ]
    ),
    "ticker": pa.schema(
        [
            *_CAPTURE,
            *((name, pa.float64()) for name in _TICKER_FLOATS),
            ("timestamp", pa.int64()),
            ("info_json", pa.large_string()),
        ]
    ),
}


@dataclass(frozen=True, slots=True)
class CcxtSettings:
    """How a CCXT recorder saw the market."""

    exchange: str = "binance"
    levels: int = 20  # of a side
    interval_ms: int = 100  # between books of a product
    latency_us: int = 5_000  # from the event to the capture, at least; below zero: a slow clock
    has_statistics: bool = False  # tickers with the last price and the day's figures

    def __post_init__(self) -> None:
        if self.levels < 1 or self.interval_ms < 1:
            raise ValueError("levels and interval_ms are at least 1.")


class CcxtRecorder:
    """Rows of all tables from one market. `rows` may be asked for once."""

    def __init__(self, market: MarketSettings, settings: CcxtSettings) -> None:
        self.market = Market(market)
        self._settings = settings
        self._dice = words(market.seed, 4)
        self._nonces = [5 * 10**10] * len(self.market.books)
        self._captured_at = 0

    def rows(self, steps: int) -> Iterator[tuple[Table, Row]]:
        """Rows of so many steps of the market, in the order of their capture.

        An interval's book is as of its end, and is left out where nothing happened in it. Every
        fill is a trade, with the taker's side. A ticker comes whenever the best bid or ask changed.
        """
        market, interval = self.market, self._settings.interval_ms * MILLISECOND
        due_at = _end_of_interval(market.now, interval)
        changed: set[int] = set(range(len(market.books)))
        shown: dict[int, tuple[Level, Level]] = {}
        for _ in range(steps):
            if market.next_at >= due_at:
                for index in sorted(changed):
                    yield "orderbook", self._book(index, due_at)
                changed.clear()
                due_at = _end_of_interval(market.next_at, interval)
            step = market.step()
            index, book = step.product, market.books[step.product]
            for trade in step.trades:
                yield "trades", self._trade(book, trade)
            if step.updates:
                changed.add(index)
                self._nonces[index] += len(step.updates)
            best = (book.best_bid, book.best_ask)
            if shown.get(index) != best:
                shown[index] = best
                yield "ticker", self._ticker(index, step.happened_at)

    def _capture(self, book: Book, happened_at: int) -> Row:
        """The first columns: captures are in order, whatever the latency."""
        jitter = next(self._dice) >> 52
        captured_at = happened_at // MICROSECOND + self._settings.latency_us + jitter
        self._captured_at = max(self._captured_at, captured_at)
        return {
            "collected_at": self._captured_at // 1_000,
            "capture_ts": datetime(1970, 1, 1, tzinfo=UTC)
            + timedelta(microseconds=self._captured_at),
            "exchange": self._settings.exchange,
            "symbol": book.product.product_id.replace("-", "/"),
        }

    def _book(self, index: int, at: int) -> Row:
        book, count = self.market.books[index], self._settings.levels
        return {
            **self._capture(book, at),
            "timestamp": at // MILLISECOND,
            "nonce": self._nonces[index],
            "bids": _levels(book, book.bids(count)),
            "asks": _levels(book, book.asks(count)),
        }

    def _trade(self, book: Book, trade: Trade) -> Row:
        product, at = book.product, trade.happened_at // MILLISECOND
        info = {
            "e": "trade",
            "E": at + 1,
            "s": product.product_id.replace("-", ""),
            "t": trade.trade_id,
            "p": product.price_text(trade.price),
            "q": product.size_text(trade.size),
            "T": at,
            "m": trade.maker == "buy",
            "M": True,
        }
        return {
            **self._capture(book, trade.happened_at),
            "trade_id": str(trade.trade_id),
            "timestamp": at,
            "side": trade.aggressor,
            "price": _price(book, trade.price),
            "amount": _size(book, trade.size),
            "cost": trade.price * trade.size / 10 ** (product.price_digits + product.size_digits),
            "info_json": orjson.dumps(info).decode(),
        }

    def _ticker(self, index: int, at: int) -> Row:
        book = self.market.books[index]
        product, bid, ask = book.product, book.best_bid, book.best_ask
        info = {
            "u": self._nonces[index],
            "s": product.product_id.replace("-", ""),
            "b": product.price_text(bid[0]),
            "B": product.size_text(bid[1]),
            "a": product.price_text(ask[0]),
            "A": product.size_text(ask[1]),
        }
        return {
            **self._capture(book, at),
            **dict.fromkeys(_TICKER_FLOATS),
            "bid": _price(book, bid[0]),
            "ask": _price(book, ask[0]),
            "bid_volume": _size(book, bid[1]),
            "ask_volume": _size(book, ask[1]),
            **(self._statistics(index, at) if self._settings.has_statistics else {}),
            "info_json": orjson.dumps(info).decode(),
        }

    def _statistics(self, index: int, at: int) -> Row:
        book, day = self.market.books[index], self.market.days[index]
        return {
            "last": _price(book, day.last),
            "open": _price(book, day.open),
            "high": _price(book, day.high),
            "low": _price(book, day.low),
            "close": _price(book, day.last),
            "base_volume": _size(book, day.volume),
            "change": _price(book, day.last - day.open),
            "percentage": (day.last - day.open) * 100 / day.open,
            "timestamp": at // MILLISECOND,
        }


def write_ccxt_segments(
    root: Path,
    market: MarketSettings,
    settings: CcxtSettings,
    *,
    steps: int,
    rows_per_segment: int = 10_000,
    file_format: FileFormat = "parquet",
) -> dict[Table, list[Path]]:
    """Write `steps` steps of the market below `<root>/raw/ready/ccxt/<table>`; the paths, in order.

    Each table has segments of its own, full or the last of it.
    """
    if rows_per_segment < 1:
        raise ValueError(f"rows_per_segment is {rows_per_segment}: at least 1.")
    paths: dict[Table, list[Path]] = {table: [] for table in SCHEMAS}
    waiting: dict[Table, list[Row]] = {table: [] for table in SCHEMAS}

    def finish(table: Table) -> None:
        number = len(paths[table]) + 1
        paths[table].append(_write_segment(root, table, number, waiting[table], file_format))
        waiting[table] = []

    for table, row in CcxtRecorder(market, settings).rows(steps):
        waiting[table].append(row)
        if len(waiting[table]) == rows_per_segment:
            finish(table)
    for table, rows in waiting.items():
        if rows:
            finish(table)
    return paths


def _write_segment(
    root: Path, table: Table, number: int, rows: list[Row], file_format: FileFormat
) -> Path:
    folder = f"ccxt/{table}"
    name = segment_name(rows[0]["collected_at"] * MILLISECOND, number, f".{file_format}")
    path = active_path(root, folder, name)
    if file_format == "parquet":
        columns = pa.Table.from_pylist(rows, schema=SCHEMAS[table])
        pq.write_table(columns, path, compression="zstd")
    else:
        lines = (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        path.write_bytes(b"".join(lines))
    return move_to_ready(root, folder, name)


def _end_of_interval(at: int, interval: int) -> int:
    return at - at % interval + interval


def _levels(book: Book, levels: list[Level]) -> list[Row]:
    return [{"price": _price(book, price), "size": _size(book, size)} for price, size in levels]


def _price(book: Book, ticks: int) -> float:
    return ticks / float(10**book.product.price_digits)


def _size(book: Book, lots: int) -> float:
    return lots / float(10**book.product.size_digits)
