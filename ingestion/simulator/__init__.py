"""A simulator of Kalshi and Polymarket with known truth, on loopback.

`World` makes the listings of both venues from a seed and knows what is true of their pairs;
`serve` answers in both wire formats, with `Faults` where asked for. By hand:
`python -m ingestion.simulator --truth truth.csv`.

The modules, from the inside out:

- `vocabulary`, `dates`: names, and dates as the venues write them;
- `drafts`: what a family of topics writes for each venue, before prices and ids;
- `families`: the kinds of topic (games, elections, price ladders, deadlines, …);
- `layout`: which topic stands where, so that any page is found without the ones before it;
- `pricing`: quotes, fees and locks in integers;
- `topics`: one topic written out, priced, and what is true of its pairs;
- `books`: order books behind the quotes, and what a lock pays when all its books are walked;
- `bundles`: what sets pay of which exactly one comes true;
- `kalshi`, `polymarket`: the wire formats;
- `world`: all of it at one moment, and the truth;
- `faults`, `server`: both venues over HTTP.

`order_books` is apart from these: files of level-2 market data, with the true books and trades.
"""

from ingestion.simulator.faults import Faults, OnPage
from ingestion.simulator.server import Simulator, serve
from ingestion.simulator.world import TrueBundle, TrueLock, TruePair, World

__all__ = ["Faults", "OnPage", "Simulator", "TrueBundle", "TrueLock", "TruePair", "World", "serve"]
