"""Frames of Coinbase Advanced Trade: `sequence_num` counts all frames of the connection."""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from ingestion.simulator.order_books.book import Book, Text, Update, decimal_text
from ingestion.simulator.order_books.feeds import Feed, Frame, Instants, whole_book
from ingestion.simulator.order_books.market import SECOND, Step, Trade

SIDES = ("bid", "offer")
# A delete is a zero, however it is spelled; mostly the short way.
ZEROS = ("0",) * 13 + ("0.00", "0.00000000", "0.0")
TICKER_WORDS = 1 << 61  # one step in eight has a ticker, and every step with trades


class AdvancedTrade(Feed):
    """The channels subscriptions, l2_data, market_trades, ticker and heartbeats."""

    def _greeting(self) -> Iterator[Frame]:
        market = self.market
        self._time = Instants()
        self._event_time = Instants()
        for index, product in enumerate(market.settings.products):
            trades = tuple(market.recent_trades[index])
            yield self._trades("snapshot", product.product_id, trades, market.now)
        yield self._subscriptions("market_trades")
        for index in range(len(market.books)):
            yield self._ticker("snapshot", index, market.now)
        yield self._subscriptions("market_trades", "ticker")

    def _first_book(self, index: int, at: int) -> Iterator[Frame]:
        book = self.market.books[index]
        yield self._book("snapshot", book, whole_book(book), at)
        if index == len(self.market.books) - 1:
            yield self._subscriptions("heartbeats", "level2", "market_trades", "ticker")

    def _step(self, step: Step, has_book: bool) -> Iterator[Frame]:
        book = self.market.books[step.product]
        if step.trades:
            product_id = book.product.product_id
            yield self._trades("update", product_id, tuple(step.trades), step.happened_at)
        if has_book:
            yield self._book("update", book, step.updates, step.happened_at)
        if step.trades or next(self.dice) < TICKER_WORDS:
            yield self._ticker("update", step.product, step.happened_at)

    def _heartbeat(self, at: int) -> Iterator[Frame]:
        sent_at = self.next_sent_at(at)
        # Go's monotonic clock: seconds since the server began, here half a day before the start.
        uptime = sent_at - self.market.settings.start_ns + 43_200 * SECOND
        second, rest = divmod(uptime, SECOND)
        event = (
            f'{{"current_time":"{self._time.go(sent_at - 1_000)} m=+{second}.{rest:09d}",'
            f'"heartbeat_counter":{second}}}'
        )
        yield self.frame("heartbeats", None, self._envelope("heartbeats", event))

    def _envelope(self, channel: str, event: str) -> str:
        """A frame around one event, sent at `sent_at`."""
        return (
            f'{{"channel":"{channel}","timestamp":"{self._time.short(self.sent_at)}",'
            f'"sequence_num":{self.sequence},"events":[{event}]}}'
        )

    def _subscriptions(self, *channels: str) -> Frame:
        self.next_sent_at(self.market.now)
        names = ",".join(f'"{book.product.product_id}"' for book in self.market.books)
        subscribed = ",".join(
            f'"{channel}":[{names if channel != "heartbeats" else _HEARTBEATS}]'
            for channel in channels
        )
        event = f'{{"subscriptions":{{{subscribed}}}}}'
        return self.frame("subscriptions", None, self._envelope("subscriptions", event))

    def _book(self, kind: str, book: Book, updates: list[Update], at: int) -> Frame:
        """Each level with its new absolute size."""
        self.next_sent_at(at)
        product = book.product
        size_text = decimal_text(product.size_digits)
        price_text = _recent_prices(product.price_digits)
        between = f'","event_time":"{self._event_time.short(at)}","price_level":"'
        rows = ",".join(
            [
                f'{{"side":"{SIDES[side]}{between}{price_text(price)}","new_quantity":"'
                f'{size_text(size) if size else ZEROS[price & 15]}"}}'
                for side, price, size in updates
            ]
        )
        event = f'{{"type":"{kind}","product_id":"{product.product_id}","updates":[{rows}]}}'
        return self.frame(
            "l2_data",
            product.product_id,
            self._envelope("l2_data", event),
            is_snapshot=kind == "snapshot",
            updates=updates,
            book=book,
        )

    def _trades(self, kind: str, product_id: str, trades: tuple[Trade, ...], at: int) -> Frame:
        """Newest first, each with the side of its maker."""
        self.next_sent_at(at)
        rows = ",".join(self._trade_texts(reversed(trades)))
        event = f'{{"type":"{kind}","trades":[{rows}]}}'
        return self.frame(
            "market_trades",
            product_id,
            self._envelope("market_trades", event),
            is_snapshot=kind == "snapshot",
            trades=trades,
        )

    def _trade_texts(self, trades: Iterable[Trade]) -> Iterator[str]:
        products = {book.product.product_id: book.product for book in self.market.books}
        for trade in trades:
            product = products[trade.product_id]
            yield (
                f'{{"product_id":"{trade.product_id}","trade_id":"{trade.trade_id}",'
                f'"price":"{product.price_text(trade.price)}",'
                f'"size":"{product.size_text(trade.size)}",'
                f'"time":"{self._event_time.short(trade.happened_at)}",'
                f'"side":"{trade.maker.upper()}"}}'
            )

    def _ticker(self, kind: str, index: int, at: int) -> Frame:
        """The last price, the day's figures, and the best of the true book."""
        self.next_sent_at(at)
        book, day = self.market.books[index], self.market.days[index]
        product = book.product
        price, size = product.price_text, product.size_text
        bid, ask = book.best_bid, book.best_ask
        change = (day.last - day.open) * 10**16 // day.open
        event = (
            f'{{"type":"{kind}","tickers":[{{"type":"ticker","product_id":"{product.product_id}",'
            f'"price":"{price(day.last)}","volume_24_h":"{size(day.volume)}",'
            f'"low_24_h":"{price(day.low)}","high_24_h":"{price(day.high)}",'
            f'"low_52_w":"{price(day.low // 2)}","high_52_w":"{price(day.high * 2)}",'
            f'"price_percent_chg_24_h":"{_signed(change)}",'
            f'"best_bid":"{price(bid[0])}","best_ask":"{price(ask[0])}",'
            f'"best_bid_quantity":"{size(bid[1])}","best_ask_quantity":"{size(ask[1])}"}}]}}'
        )
        return self.frame(
            "ticker",
            product.product_id,
            self._envelope("ticker", event),
            is_snapshot=kind == "snapshot",
            book=book,
        )


@cache
def _recent_prices(digits: int) -> Text:
    """As `decimal_text`: prices come again and again, sizes do not."""
    return lru_cache(maxsize=65_536)(decimal_text(digits))


_HEARTBEATS = '"heartbeats"'


def _signed(change: int) -> str:
    """A change in 1e-14 percent, as a decimal."""
    whole, rest = divmod(abs(change), 10**14)
    return f"{'-' if change < 0 else ''}{whole}.{rest:014d}"
