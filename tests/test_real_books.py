"""Real order books of both venues through the whole pipeline: mostly crypto ladders and weather,
at four moments. Look-alikes with other indexes and other hours; nothing of them is a lock."""

import csv
import gzip
import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from pipelines import ask

from ingestion.books import ingest_books
from ingestion.build import PROJECT, Step, build
from ingestion.pipeline import ingest_files
from ingestion.runs import SimulatedClock
from ingestion.settings import Settings

Record = dict[str, Any]
DAYS = ("2026-07-26", "2026-07-27", "2026-07-31", "2026-08-03")


def kalshi_market(row: dict[str, str]) -> Record:
    """A listing in the venue's own shape."""
    return {
        "ticker": row["platform_market_id"],
        "event_ticker": row["platform_event_id"],
        "market_type": "binary",
        "status": "active",
        "title": row["title"],
        "yes_sub_title": row["subtitle"],
        "rules_primary": row["settlement_rules_raw"],
        "close_time": f"{row['close_time']}Z",
        "expected_expiration_time": f"{row['expected_resolution_time']}Z",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": row["tick_size"]}],
        "yes_bid_dollars": row["best_yes_bid"] or "0.0000",
        "yes_ask_dollars": row["best_yes_ask"] or "1.0000",
        "no_bid_dollars": row["best_no_bid"] or "0.0000",
        "no_ask_dollars": row["best_no_ask"] or "1.0000",
    }


def kalshi_event(row: dict[str, str]) -> Record:
    """The event of a listing; it says nothing of fees."""
    return {
        "event_ticker": row["platform_event_id"],
        "series_ticker": row["series_ticker"],
        "title": row["title"],
    }


def polymarket_market(row: dict[str, str]) -> Record:
    """A listing in the venue's own shape."""
    return {
        "id": row["platform_market_id"],
        "question": row["title"],
        "groupItemTitle": row["subtitle"],
        "description": row["settlement_rules_raw"],
        "resolutionSource": row["settlement_source"],
        "outcomes": row["outcomes"],
        "clobTokenIds": json.dumps([row["yes_token_id"], row["no_token_id"]]),
        "events": [{"id": row["platform_event_id"], "title": row["title"]}],
        "active": True,
        "closed": False,
        "acceptingOrders": True,
        "feesEnabled": True,
        "feeType": row["fee_type"],
        "feeSchedule": {"rate": float(row["fee_rate"]), "exponent": 1, "takerOnly": True},
        "endDate": f"{row['close_time']}Z",
        "bestBid": row["best_yes_bid"] or "0",
        "bestAsk": row["best_yes_ask"] or "1",
    }


def run_models(warehouse: Path, *arguments: str) -> None:
    """Models alone: what is made up does not pass the tests."""
    subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "run", "--quiet", *arguments],
        cwd=PROJECT,
        env={**os.environ, "MARKETFINDER_WAREHOUSE": str(warehouse)},
        check=True,
    )


class Snapshot:
    """The listings and books of one day, and a server that answers for both venues' books."""

    def __init__(self, folder: Path, day: str) -> None:
        with gzip.open(folder / "order_books.jsonl.gz", "rt") as file:
            books = [book for book in map(json.loads, file) if book["observed_at"].startswith(day)]
        self.last = max(datetime.fromisoformat(book["observed_at"]) for book in books)
        self.fetched_at = self.last.replace(tzinfo=UTC) - timedelta(minutes=1)
        self.books = {(book["platform"], book["platform_market_id"]): book for book in books}
        with gzip.open(folder / "markets.csv.gz", "rt") as file:
            rows = list(csv.DictReader(file))
        self.rows = [
            row
            for row in rows
            if (row["platform"], row["platform_market_id"]) in self.books
            or row["open_time"] < str(self.last) < row["close_time"]
        ]
        self.tokens = {
            row[f"{side}_token_id"]: (row["platform_market_id"], side)
            for row in self.rows
            for side in ("yes", "no")
            if row["platform"] == "polymarket"
        }

    def levels(self, name: tuple[str, str], side: str, is_ask: int) -> list[list[str]]:
        """One side of a book, the best last, as both venues send it."""
        levels = [
            level
            for level in self.books[name]["levels"]
            if level["side"] == side and level["is_ask"] == is_ask
        ]
        return [
            [level["price"], level["size"]] for level in sorted(levels, key=lambda it: -it["i"])
        ]

    def kalshi_book(self, ticker: str) -> Record:
        """Bids only, on both sides."""
        name = ("kalshi", ticker)
        sides = {f"{side}_dollars": self.levels(name, side, 0) for side in ("yes", "no")}
        return {"ticker": ticker, "orderbook_fp": sides}

    def polymarket_book(self, token: str) -> Record:
        """Both sides of one token."""
        market, side = self.tokens[token]
        row = next(row for row in self.rows if row["platform_market_id"] == market)
        sides = {
            name: [
                {"price": price, "size": size}
                for price, size in self.levels(("polymarket", market), side, is_ask)
            ]
            for name, is_ask in (("bids", 0), ("asks", 1))
        }
        terms = {"min_order_size": row["min_order_size"], "tick_size": "0.0001"}
        return {"asset_id": token, "market": row["condition_id"], **sides, **terms}

    @contextmanager
    def serve(self) -> Iterator[str]:
        """A server on loopback; its URL."""
        snapshot = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tickers = parse_qs(urlsplit(self.path).query)["tickers"]
                known = [name for name in tickers if ("kalshi", name) in snapshot.books]
                self.answer({"orderbooks": [snapshot.kalshi_book(name) for name in known]})

            def do_POST(self) -> None:
                wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                tokens = [entry["token_id"] for entry in wanted]
                known = [
                    token
                    for token in tokens
                    if ("polymarket", snapshot.tokens[token][0]) in snapshot.books
                ]
                self.answer([snapshot.polymarket_book(token) for token in known])

            def answer(self, body: object) -> None:
                content = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def pair_off(self, warehouse: Path) -> None:
        """Calls every market with a book the same as some market of the other venue."""
        names = {
            platform: sorted(name for venue, name in self.books if venue == platform)
            for platform in ("kalshi", "polymarket")
        }
        pairs = [
            tuple(f"{venue}:{of[n % len(of)]}" for venue, of in names.items())
            for n in range(max(map(len, names.values())))
        ]
        with duckdb.connect(warehouse) as connection:
            connection.execute("delete from silver.market_pairs")
            connection.executemany(
                "insert into silver.market_pairs by name select $1 || '|' || $2 as pair_id,"
                " $1 as kalshi_market_id, $2 as polymarket_market_id, 'none' as blocking_rule,"
                " 'equal' as relation, 'same' as orientation, 'clean' as fungibility,"
                " 'made up' as tier, 'made up' as reasoning, 0 as polymarket_outcome_index,"
                " 1 as score",
                pairs,
            )

    def match(self, settings: Settings, folder: Path) -> None:
        """Listings and pairs of the day, in a warehouse."""
        kalshi, polymarket = (
            [row for row in self.rows if row["platform"] == venue]
            for venue in ("kalshi", "polymarket")
        )
        payloads = {
            "kalshi": {
                "markets": [kalshi_market(row) for row in kalshi],
                "events": list(
                    {row["platform_event_id"]: kalshi_event(row) for row in kalshi}.values()
                ),
                "series": [
                    {"ticker": name, "title": name, "fee_type": "quadratic", "fee_multiplier": 1}
                    for name in sorted({row["series_ticker"] for row in kalshi})
                ],
            },
            "polymarket": {"markets": [polymarket_market(row) for row in polymarket]},
        }
        for venue, payload in payloads.items():
            path = folder / f"{venue}.json"
            path.write_text(json.dumps(payload))
            ingest_files(
                venue, [str(path)], settings, captured_at=self.fetched_at, run_id="listings"
            )
        build(settings.warehouse, Step.MATCHES)


@pytest.mark.slow
@pytest.mark.parametrize("day", DAYS)
def test_nothing_is_published_from_the_snapshot(
    day: str, shared_data: Path, tmp_path: Path
) -> None:
    """Nothing is related, and no set of bands pays; so that every book is read all the same, each
    market is then called the same as some market of the other venue."""
    snapshot = Snapshot(shared_data / "markets" / "snapshot_2026-08-03", day)
    warehouse = tmp_path / "warehouse.duckdb"
    with snapshot.serve() as url:
        settings = Settings(warehouse=warehouse, kalshi_url=url, clob_url=url)
        snapshot.match(settings, tmp_path)
        ingest_books(settings, run_id="books", clock=SimulatedClock(snapshot.fetched_at))
        build(warehouse, Step.PRICES)
        assert ask(warehouse, "select * from silver.rejected_records") == []
        assert ask(warehouse, "select * from gold.arbitrage_opportunities") == []
        assert ask(warehouse, "select * from gold.bundle_opportunities") == []
        snapshot.pair_off(warehouse)
        run_models(warehouse, "--select", "+watchlist,pair_locks+")
        later = SimulatedClock(snapshot.last.replace(tzinfo=UTC))
        ingest_books(settings, run_id="made up", clock=later)
        books = (f"source:raw.{venue}_order_books+" for venue in ("kalshi", "polymarket"))
        run_models(warehouse, "--select", "pair_locks+", *books)
    ((priced,),) = ask(warehouse, "select count(*) from silver.lock_prices")
    # As many made-up pairs as happen to cost less than a dollar.
    assert priced > 25
    assert ask(warehouse, "select * from silver.rejected_records") == []
    reasons = ask(warehouse, "select distinct rejection_reason from silver.outcome_books")
    # Of some markets that are listed the snapshot holds no book.
    assert {reason for (reason,) in reasons} <= {None, "crossed", "the venue sent none"}
    rows = ask(
        warehouse,
        "select split_part(outcome_id, ':', 1), split_part(outcome_id, ':', 2),"
        " if(outcome_id like '%:0', 'yes', 'no'), side, price, size"
        " from silver.book_levels order by outcome_id, side, level_number",
    )
    found: dict[tuple[str, str], dict[tuple[str, int], list[tuple[Decimal, Decimal]]]]
    found = defaultdict(lambda: defaultdict(list))
    for platform, market, outcome, side, price, size in rows:
        found[platform, market][outcome, int(side == "ask")].append((price, size))
    assert len(found) > 0.9 * len(snapshot.books)
    # Whoever made the snapshot derived the asks, too.
    for name, sides in found.items():
        expected = defaultdict(list)
        for level in sorted(snapshot.books[name]["levels"], key=lambda level: level["i"]):
            place = (level["side"], level["is_ask"])
            expected[place].append((Decimal(level["price"]), Decimal(level["size"])))
        assert sides == expected, name
