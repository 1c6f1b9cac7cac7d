"""Frames of the old Coinbase Exchange feed, as archives still hold them.

Prices and sizes have all their digits. The only numbering is `sequence`, which counts the orders of
one product and so has holes here; book changes carry none.
"""

import uuid
from collections.abc import Iterator

from ingestion.simulator.order_books.book import Book, fixed_text
from ingestion.simulator.order_books.feeds import Feed, Frame, Instants, whole_book
from ingestion.simulator.order_books.market import Step, Trade

SIDES = ("buy", "sell")


class Exchange(Feed):
    """The channels level2, matches, ticker and heartbeat."""

    def _greeting(self) -> Iterator[Frame]:
        self._time = Instants()
        if self.connection == 0:
            self._sequences = [10**10 * (index + 1) for index in range(len(self.market.books))]
        names = ",".join(f'"{book.product.product_id}"' for book in self.market.books)
        channels = ",".join(
            f'{{"name":"{name}","product_ids":[{names}]}}'
            for name in ("level2", "matches", "ticker", "heartbeat")
        )
        self.next_sent_at(self.market.now)
        content = f'{{"type":"subscriptions","channels":[{channels}]}}'
        yield self.frame("subscriptions", None, content)
        for index, trades in enumerate(self.market.recent_trades):
            if trades:
                yield self._match("last_match", index, trades[-1], self.market.now)
                yield self._ticker(index, trades[-1], self.market.now)

    def _first_book(self, index: int, at: int) -> Iterator[Frame]:
        self.next_sent_at(at)
        book = self.market.books[index]
        bids, asks = (
            ",".join(f'["{_price(book, price)}","{_size(book, size)}"]' for price, size in levels)
            for levels in (book.bids(), book.asks())
        )
        content = (
            f'{{"type":"snapshot","product_id":"{book.product.product_id}",'
            f'"bids":[{bids}],"asks":[{asks}]}}'
        )
        yield self.frame(
            "snapshot",
            book.product.product_id,
            content,
            is_snapshot=True,
            updates=whole_book(book),
            book=book,
        )

    def _step(self, step: Step, has_book: bool) -> Iterator[Frame]:
        book = self.market.books[step.product]
        self._sequences[step.product] += 1 + len(step.updates)
        for trade in step.trades:
            yield self._match("match", step.product, trade, step.happened_at)
        if has_book:
            self.next_sent_at(step.happened_at)
            changes = ",".join(
                f'["{SIDES[side]}","{_price(book, price)}","{_size(book, size)}"]'
                for side, price, size in step.updates
            )
            content = (
                f'{{"type":"l2update","product_id":"{book.product.product_id}",'
                f'"time":"{self._time.microseconds(step.happened_at)}","changes":[{changes}]}}'
            )
            yield self.frame(
                "l2update", book.product.product_id, content, updates=step.updates, book=book
            )
        if step.trades:
            yield self._ticker(step.product, step.trades[-1], step.happened_at)

    def _heartbeat(self, at: int) -> Iterator[Frame]:
        for index, book in enumerate(self.market.books):
            self.next_sent_at(at)
            trades = self.market.recent_trades[index]
            content = (
                f'{{"type":"heartbeat","sequence":{self._sequences[index]},'
                f'"last_trade_id":{trades[-1].trade_id if trades else 0},'
                f'"product_id":"{book.product.product_id}",'
                f'"time":"{self._time.microseconds(at)}"}}'
            )
            yield self.frame("heartbeat", book.product.product_id, content)

    def _match(self, kind: str, index: int, trade: Trade, at: int) -> Frame:
        self.next_sent_at(at)
        self._sequences[index] += 1
        book = self.market.books[index]
        content = (
            f'{{"type":"{kind}","trade_id":{trade.trade_id},'
            f'"maker_order_id":"{_order_id(trade, 1)}","taker_order_id":"{_order_id(trade, 2)}",'
            f'"side":"{trade.maker}","size":"{_size(book, trade.size)}",'
            f'"price":"{_price(book, trade.price)}","product_id":"{trade.product_id}",'
            f'"sequence":{self._sequences[index]},'
            f'"time":"{self._time.microseconds(trade.happened_at)}"}}'
        )
        return self.frame(
            kind, trade.product_id, content, is_snapshot=kind == "last_match", trades=(trade,)
        )

    def _ticker(self, index: int, trade: Trade, at: int) -> Frame:
        """`side` is the taker's here."""
        self.next_sent_at(at)
        book, day = self.market.books[index], self.market.days[index]
        bid, ask = book.best_bid, book.best_ask
        content = (
            f'{{"type":"ticker","sequence":{self._sequences[index]},'
            f'"product_id":"{trade.product_id}","price":"{_price(book, day.last)}",'
            f'"open_24h":"{_price(book, day.open)}","volume_24h":"{_size(book, day.volume)}",'
            f'"low_24h":"{_price(book, day.low)}","high_24h":"{_price(book, day.high)}",'
            f'"volume_30d":"{_size(book, day.volume * 30)}",'
            f'"best_bid":"{_price(book, bid[0])}","best_bid_size":"{_size(book, bid[1])}",'
            f'"best_ask":"{_price(book, ask[0])}","best_ask_size":"{_size(book, ask[1])}",'
            f'"side":"{trade.aggressor}","time":"{self._time.microseconds(trade.happened_at)}",'
            f'"trade_id":{trade.trade_id},"last_size":"{_size(book, trade.size)}"}}'
        )
        return self.frame("ticker", trade.product_id, content, book=book)


def _price(book: Book, ticks: int) -> str:
    return fixed_text(book.product.price_digits)(ticks)


def _size(book: Book, lots: int) -> str:
    return fixed_text(book.product.size_digits)(lots)


def _order_id(trade: Trade, role: int) -> uuid.UUID:
    """Made from the trade, so that it is the same every time."""
    return uuid.UUID(int=trade.trade_id * 2**64 + trade.happened_at * 4 + role)
