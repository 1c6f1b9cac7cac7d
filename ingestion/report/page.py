"""The report: read in one go from one file, written as one page."""

import os
import shlex
from datetime import UTC, date, datetime, timedelta
from math import log1p
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ingestion.errors import FileError, WarehouseError
from ingestion.report import charts, facts
from ingestion.report.facts import Day, Row, ask
from ingestion.report.texts import compared, own_words, printable, venue_url
from ingestion.simulation import is_simulated
from ingestion.venues import Clock, utc_now
from ingestion.warehouse import open_warehouse

# Two runs of the usual half hour were missed.
_STALE = timedelta(hours=1)


def write_report(
    warehouse: Path,
    out: Path,
    *,
    exchange: str | None = None,
    symbol: str | None = None,
    day: date | None = None,
    is_demo: bool = False,
    clock: Clock = utc_now,
) -> None:
    """Writes the page of `warehouse` to `out`, in one step: never half of it.

    What is simulated says so, and has no links: its markets stand on no venue.
    Raises WarehouseError when the warehouse, or the market or day, is not there or nothing is
    loaded, FileError when `out` cannot be written.
    """
    now = clock().astimezone(UTC).replace(tzinfo=None)
    with open_warehouse(warehouse, read_only=True) as connection:
        if not any(ask(connection, query) for query in facts.FRESHNESS):
            raise WarehouseError(
                f"Nothing is loaded in {warehouse} yet, so there is no report. `marketfinder run`"
                " reads both venues, `marketfinder ingest order-books` what recorders kept."
            )
        page = _render(connection, warehouse, now, exchange, symbol, day, is_demo)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(page, encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        raise FileError(f"{out} cannot be written: {error.strerror or error}.") from None


def _render(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Path,
    now: datetime,
    exchange: str | None,
    symbol: str | None,
    day: date | None,
    is_demo: bool,
) -> str:
    simulated = is_demo or is_simulated(connection)
    environment = Environment(
        loader=PackageLoader("ingestion.report", "."),
        autoescape=True,
        # A name that is misspelt in the page is an error, not a blank.
        undefined=StrictUndefined,
        finalize=printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "usd": _usd,
        "percent": _percent,
        "cents": _cents,
        "moment": _moment,
        "span": _span,
        "figure": _figure,
        "quoted": shlex.quote,
        "url": (lambda _: None) if simulated else venue_url,
    }
    environment.filters.update(filters)
    shown_day = facts.order_book_day(connection, exchange, symbol, day)
    runs = ask(connection, facts.RUNS)
    past = ask(connection, facts.PAST)
    return environment.get_template("page.html").render(
        warehouse=warehouse.name,
        is_demo=is_demo,
        is_simulated=simulated,
        now=now,
        counts={row["status"]: row["count"] for row in ask(connection, facts.COUNTS)},
        opportunities=_opportunities(connection),
        bundles=ask(connection, facts.BUNDLES),
        freshness=_freshness(connection, now),
        funnel=_funnel(connection),
        quality=(quality := ask(connection, facts.QUALITY)),
        strangers=sum(
            row["labelled_pairs"] for row in quality if row["contract_class"] == "strangers"
        ),
        runs=runs,
        runs_chart=_runs_chart(runs),
        past=past,
        past_chart=_past_chart(past),
        day=shown_day,
        day_charts=_day_charts(shown_day) if shown_day else [],
    )


def _opportunities(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The opportunities, each with its pair, both listings, and what differs between them."""
    found = ask(connection, facts.OPPORTUNITIES)
    names = {row[side] for row in found for side in ("buy_market_id", "sell_market_id")}
    of_markets = {"markets": sorted(names)}
    pairs = {
        row["pair_id"]: row
        for row in ask(connection, facts.PAIRS, {"pairs": [row["pair_id"] for row in found]})
    }
    listings = {row["market_id"]: row for row in ask(connection, facts.MARKETS, of_markets)}
    terms: dict[str, dict[str, str]] = {}
    for row in ask(connection, facts.TERMS, of_markets):
        terms.setdefault(row["market_id"], {})[row["name"]] = row["value"]
    nothing = dict.fromkeys(
        (
            *("orientation", "tier", "differences", "one_sided_world"),
            *("verdict_relation", "verdict_fungibility", "verdict_model"),
        )
    )
    for row in found:
        markets = [row["buy_market_id"], row["sell_market_id"]]
        sides = [_listing(listings.get(market), market) for market in sorted(markets)]
        texts = [side["description"] or "" for side in sides]
        for side, text, other in zip(sides, texts, reversed(texts), strict=True):
            side["rules"] = compared(text, other)
            side["own_words"] = own_words(text, other)
        first, second = (terms.get(side["market_id"], {}) for side in sides)
        row["sides"] = sides
        row["differing_terms"] = [
            (name.replace("_", " "), first.get(name), second.get(name))
            for name in sorted({*first, *second})
            if first.get(name) != second.get(name)
        ]
        row["legs"] = [_leg(row, side, listings) for side in ("buy", "sell")]
        row["pair"] = {**nothing, **pairs.get(row["pair_id"], {})}
        row["title"] = _title(sides[0], row["pair_id"])
        row["reverse_title"] = (
            _title(sides[1], row["pair_id"]) if row["pair"]["orientation"] == "inverted" else None
        )
    return found


def _listing(found: Row | None, market_id: str) -> Row:
    platform, _, external_id = market_id.partition(":")
    nothing = dict.fromkeys(("title", "subtitle", "event_title", "description", "url"))
    known = {"market_id": market_id, "platform": platform, "external_id": external_id}
    return {**nothing, **known, **(found or {})}


def _title(listing: Row, otherwise: str) -> str:
    """What a contract is about: the title often leaves out which side of its event it is."""
    title, subtitle = listing["title"], listing["subtitle"]
    if title and subtitle and subtitle.casefold() not in title.casefold():
        return f"{title}{' ' if title.endswith('?') else ', '}{subtitle}"
    return str(title or otherwise)


def _leg(row: Row, side: str, listings: dict[str, Row]) -> Row:
    names = ("platform", "outcome", "price", "last_price", "token_id", "quote_age_seconds")
    listing = _listing(listings.get(row[f"{side}_market_id"]), row[f"{side}_market_id"])
    return {**{name: row[f"{side}_{name}"] for name in names}, "url": listing["url"]}


def _freshness(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[Row]:
    rows = [row for query in facts.FRESHNESS for row in ask(connection, query)]
    for row in rows:
        age = max(now - row["newest_at"], timedelta(0)) if row["newest_at"] else None
        row["age"] = None if age is None else age.total_seconds()
        row["is_stale"] = age is None or age > _STALE
    return sorted(rows, key=lambda row: row["venue"])


def _funnel(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The stages, with the width of a bar on a logarithmic scale: each ten times is as long."""
    rows = ask(connection, facts.FUNNEL)
    most = max((row["pairs"] for row in rows), default=0)
    for row in rows:
        row["width"] = 100 * log1p(row["pairs"]) / log1p(most) if most else 0
    return rows


def _runs_chart(runs: list[Row]) -> Markup | None:
    known = [row for row in runs if row["opportunities_found"] is not None]
    if len(known) < 2:
        return None
    times = [row["finished_at"] for row in known]
    counts = [row["opportunities_found"] for row in known]
    return charts.chart(
        "runs",
        "Opportunities after each run",
        f"{len(known)} runs from {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC;"
        f" between {min(counts)} and {max(counts)} opportunities, {counts[-1]} at last.",
        charts.lines(times, 0, {"opportunities": counts}),
    )


def _past_chart(past: list[Row]) -> Markup | None:
    if not any(row["duration_seconds"] for row in past):
        return None
    groups = {}
    for kind, label in (("pair", "pairs"), ("bundle", "sets of one event")):
        rows = [row for row in past if row["kind"] == kind]
        hours = [row["duration_seconds"] / 3600 for row in rows]
        groups[label] = (hours, [float(row["peak_margin"]) * 100 for row in rows])
    longest = max(past, key=lambda row: row["duration_seconds"])
    best = max(past, key=lambda row: row["peak_margin"])
    return charts.chart(
        "past",
        "Best margin, in per cent, and lifetime of each opportunity",
        f"{len(past)} opportunities. The longest was seen for {_span(longest['duration_seconds'])};"
        f" the best margin was {_percent(best['peak_margin'])}.",
        charts.points(groups, "hours from first to last sighting"),
    )


def _day_charts(day: Day) -> list[Row]:
    """The charts of one day, each with what to say where it would be empty."""
    bars, seconds = day.bars, day.seconds
    starts = [bar["started_at"] for bar in bars]

    def of(name: str) -> list[Any]:
        return [bar[name] for bar in bars]

    prices = [of(name) for name in ("open", "high", "low", "close")]
    vpin = {"by aggressor": of("vpin_aggressor"), "by bulk": of("vpin_bulk")}
    drawings = [
        (
            "candles",
            "Price and VWAP, quote currency",
            (*prices, of("vwap")),
            charts.candles(starts, seconds, prices, of("vwap")),
            "No trades on this day.",
        ),
        (
            "flow",
            "Order flow imbalance, base currency",
            (of("order_flow_imbalance"),),
            charts.signed_bars(starts, seconds, of("order_flow_imbalance")),
            "No order flow on this day: captured books wait for the trades of their time.",
        ),
        (
            "vpin",
            "VPIN, a share",
            tuple(vpin.values()),
            charts.lines(starts, seconds, vpin),
            "No VPIN on this day: the size of its buckets is known after a whole UTC day of trades,"
            " or from the var order_flow_bucket_volume.",
        ),
        (
            "spread",
            "Mean spread, basis points",
            (of("mean_spread_bps"),),
            charts.lines(starts, seconds, {"spread": of("mean_spread_bps")}),
            "No valid book on this day: silver.sequence_gaps says why.",
        ),
    ]
    return [
        {"title": title, "empty": empty, "chart": _day_chart(day, name, title, values, draw)}
        for name, title, values, draw, empty in drawings
    ]


def _day_chart(
    day: Day, name: str, title: str, series: tuple[list[Any], ...], draw: Any
) -> Markup | None:
    values = [value for one in series for value in one if value is not None]
    if not values:
        return None
    words = (
        f"{day.exchange} {day.symbol} on {day.day} in {len(day.bars)} bars of {day.seconds}"
        f" seconds: from {min(values):,.6g} to {max(values):,.6g}."
    )
    return charts.chart(name, title, words, draw)


def _cents(price: Any) -> str:
    return f"{float(price) * 100:.4g}¢"


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _usd(amount: Any) -> str:
    return "" if amount is None else f"${amount:,.2f}"


def _percent(share: Any) -> str:
    return "" if share is None else f"{float(share):.2%}"


def _figure(number: Any) -> str:
    return "" if number is None else f"{number:,.6g}"


def _span(seconds: float | None) -> str:
    """A duration in its two largest units."""
    if seconds is None:
        return "unknown"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if days:
        return f"{days:,} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {int(seconds % 60)} s" if minutes else f"{seconds:.0f} s"
