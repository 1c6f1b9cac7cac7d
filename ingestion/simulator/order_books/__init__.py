"""A simulator of level-2 market data with known truth, written as the venues' recorders write it.

`LevelTwoStream` records Coinbase (Advanced Trade, or the old Exchange feed) frame by frame, with
`BookFaults` where asked for; `write_ccxt_segments` records the same market as CCXT's tables. By
hand: `python -m ingestion.simulator.order_books --root data/simulated --frames 100000`.

The modules, from the inside out:

- `draws`: random choices in blocks, all integers;
- `book`: one product's book in ticks and lots;
- `market`: all products step by step, with the orders that trade: the truth;
- `feeds`: one recorder's connections and frames; `advanced_trade` and `exchange` are wire formats;
- `faults`: what goes wrong between the venue and a file;
- `segments`: files that are complete once they are in `raw/ready/`;
- `stream`: all of these together;
- `ccxt`: the same market as order books, trades and tickers of CCXT.
"""

from ingestion.simulator.order_books.book import ASK, BID, Book, Product
from ingestion.simulator.order_books.ccxt import CcxtRecorder, CcxtSettings, write_ccxt_segments
from ingestion.simulator.order_books.faults import BookFaults, Line, OneIn
from ingestion.simulator.order_books.feeds import Frame
from ingestion.simulator.order_books.market import BITCOIN, ETHER, Market, MarketSettings, Trade
from ingestion.simulator.order_books.segments import TouchedLine, Written
from ingestion.simulator.order_books.stream import LevelTwoStream

__all__ = [
    "ASK",
    "BID",
    "BITCOIN",
    "ETHER",
    "Book",
    "BookFaults",
    "CcxtRecorder",
    "CcxtSettings",
    "Frame",
    "LevelTwoStream",
    "Line",
    "Market",
    "MarketSettings",
    "OneIn",
    "Product",
    "TouchedLine",
    "Trade",
    "Written",
    "write_ccxt_segments",
]
