"""The simulator of both venues: its listings, its truth, its traps and its faults."""

import csv
import hashlib
import http.client
import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ingestion.simulator import Faults, OnPage, Simulator, TruePair, World, serve
from ingestion.simulator.drafts import AnyFamily, Draw, Style
from ingestion.simulator.families import WEIGHTS
from ingestion.simulator.topics import Topic

Record = dict[str, Any]

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
LARGE = (11, 3_000, 6_000, NOW)


@pytest.fixture(scope="module")
def demo() -> World:
    """Small enough to be swept often."""
    return World(7, 800, 1_600, NOW)


@pytest.fixture(scope="module")
def large() -> World:
    """Large enough that every family, relation and trap occurs."""
    return World(*LARGE)


@pytest.fixture(scope="module")
def kalshi(large: World) -> dict[str, Record]:
    return {record["ticker"]: record for record in large.kalshi_markets()}


@pytest.fixture(scope="module")
def polymarket(large: World) -> dict[str, Record]:
    return {record["id"]: record for record in large.polymarket_markets()}


@pytest.fixture(scope="module")
def polymarket_events(large: World) -> list[Record]:
    return list(large.polymarket_events())


@pytest.fixture(scope="module")
def truth(large: World) -> list[TruePair]:
    return large.truth()


def get(url: str, **query: object) -> Record:
    """One answer, parsed."""
    with urllib.request.urlopen(f"{url}?{urlencode(query)}", timeout=10) as answer:
        parsed: Record = json.load(answer)
        return parsed


def pages(url: str, name: str, **query: object) -> Iterator[Record]:
    """Every page of a Kalshi or Polymarket list, in the way that each venue pages."""
    ours, theirs = ("after_cursor", "next_cursor") if "keyset" in url else ("cursor", "cursor")
    cursor = ""
    while True:
        answer = get(url, **query, **({ours: cursor} if cursor else {}))
        assert name in answer
        yield answer
        cursor = answer.get(theirs, "")
        if not cursor:
            return


def sweep(url: str, name: str, **query: object) -> list[Record]:
    return [record for answer in pages(url, name, **query) for record in answer[name]]


def everything(subject: World) -> dict[str, list[Record]]:
    return {
        "series": list(subject.kalshi_series()),
        "events": list(subject.kalshi_events()),
        "markets": list(subject.kalshi_markets()),
        "polymarket_events": list(subject.polymarket_events()),
        "polymarket_markets": list(subject.polymarket_markets()),
    }


def fingerprint(subject: World) -> str:
    text = json.dumps(everything(subject)) + repr(subject.truth())
    return hashlib.sha256(text.encode()).hexdigest()


# -- listings ------------------------------------------------------------------------------------


def test_same_seed_same_world() -> None:
    small = World(3, 60, 120, NOW)
    assert fingerprint(small) == fingerprint(World(3, 60, 120, NOW))
    assert fingerprint(small) == fingerprint(small)
    assert fingerprint(small) != fingerprint(World(4, 60, 120, NOW))
    # Only the day of the moment matters.
    assert fingerprint(small) == fingerprint(World(3, 60, 120, NOW.replace(hour=23)))


def test_another_process_makes_the_same_world() -> None:
    code = (
        "from datetime import UTC, datetime; from tests.test_simulator import fingerprint; "
        "from ingestion.simulator import World; "
        "print(fingerprint(World(3, 60, 120, datetime(2026, 10, 1, 12, tzinfo=UTC))))"
    )
    root = Path(__file__).resolve().parents[1]
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == fingerprint(World(3, 60, 120, NOW))


@pytest.mark.parametrize("sizes", [(1, 1), (0, 50), (50, 0), (37, 911), (300, 100), (1_200, 2_400)])
@pytest.mark.parametrize("tick", [0, 2])
def test_sizes_are_exact(sizes: tuple[int, int], tick: int) -> None:
    subject = World(5, *sizes, NOW, tick)
    assert len(list(subject.kalshi_markets())) == sizes[0]
    assert len(list(subject.polymarket_markets())) == sizes[1]
    assert sum(len(event["markets"]) for event in subject.polymarket_events()) == sizes[1]


@pytest.mark.parametrize("arguments", [{"tick": -1}, {"kalshi_markets": -1}])
def test_impossible_worlds(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        World(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="zone"):
        World(now=datetime(2026, 10, 1))


def test_names_are_unique(
    large: World,
    kalshi: dict[str, Record],
    polymarket: dict[str, Record],
    polymarket_events: list[Record],
) -> None:
    assert len(kalshi) == large.kalshi_size
    assert len(polymarket) == large.polymarket_size
    lists = [
        [event["event_ticker"] for event in large.kalshi_events()],
        [series["ticker"] for series in large.kalshi_series()],
        [event["id"] for event in polymarket_events],
        [event["slug"] for event in polymarket_events],
        [market["slug"] for market in polymarket.values()],
        [market["conditionId"] for market in polymarket.values() if market["conditionId"]],
        [
            token
            for market in polymarket.values()
            for token in json.loads(market.get("clobTokenIds", "[]"))
        ],
    ]
    for names in lists:
        assert [name for name, times in Counter(names).items() if times > 1] == []


def test_references_resolve(
    large: World,
    kalshi: dict[str, Record],
    polymarket: dict[str, Record],
    polymarket_events: list[Record],
) -> None:
    events = {event["event_ticker"]: event for event in large.kalshi_events()}
    assert {market["event_ticker"] for market in kalshi.values()} == set(events)
    series = {record["ticker"] for record in large.kalshi_series()}
    assert {event["series_ticker"] for event in events.values()} == series
    nested = {
        market["id"]: (event, market) for event in polymarket_events for market in event["markets"]
    }
    assert set(nested) == set(polymarket)
    for identifier, market in polymarket.items():
        event, same = nested[identifier]
        (its_event,) = market["events"]
        assert {key: market[key] for key in market if key != "events"} == same
        assert its_event == {key: event[key] for key in event if key not in ("markets", "tags")}
        assert sum(Decimal(child["volume"]) for child in event["markets"]) == pytest.approx(
            Decimal(str(event["volume"]))
        )


def test_a_page_writes_only_its_own_topics(
    large: World, demo: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = list(demo.kalshi_markets())[700:]
    first = next(number for number, _ in demo.kalshi_markets_from(0))
    assert [record for _, record in demo.kalshi_markets_from(first + 700)] == tail
    written: list[Topic] = []

    class Counted(Topic):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            written.append(self)

    monkeypatch.setattr("ingestion.simulator.world.Topic", Counted)
    for records in (large.kalshi_markets_from(2_500), large.polymarket_events_from(1_000)):
        written.clear()
        next(records)
        assert len(written) == 1


# -- wire shape ----------------------------------------------------------------------------------


def shapes(records: Iterable[Record]) -> dict[str, set[str]]:
    """The types that occur in each field; whole and broken numbers are one type."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.items():
            kind = type(value).__name__.replace("int", "number").replace("float", "number")
            found.setdefault(name, set()).add(kind)
    return found


def check_shape(ours: list[Record], real: list[Record], optional: set[str]) -> None:
    """Ours has the real fields with the real types, and no field that no real record has."""
    real_shape, our_shape = shapes(real), shapes(ours)
    assert set(our_shape) - set(real_shape) == set()
    for name in our_shape:
        assert our_shape[name] <= real_shape[name] | {"NoneType"}, name
    always = set.intersection(*(set(record) for record in real)) - optional
    for record in ours:
        assert always - set(record) == set()


@pytest.fixture(scope="module")
def captures(shared_data: Path) -> dict[str, Any]:
    """The newest wire fixtures, by a short name."""
    folder = shared_data / "markets"

    def load(name: str) -> Any:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    game = "wire_fixtures_2026-09/pm_market_nfl-phi-ten-2026-09-20.json"
    kalshi_events = load("wire_fixtures_2026-07/kalshi_events.json")["events"]
    polymarket_events = load("wire_fixtures_2026-07/polymarket_events.json")
    polymarket_markets = load("wire_fixtures_2026-07/polymarket_markets.json") + load(game)
    esports = load("edge_cases/polymarket_market_money_line.json")
    return {
        "kalshi_series": [
            load("wire_fixtures_2026-07/kalshi_series.json")["series"],
            load("wire_fixtures_2026-09/kalshi_series_KXNFLGAME_trimmed.json")["series"],
        ],
        "kalshi_events": kalshi_events,
        "kalshi_markets": [
            *load("wire_fixtures_2026-07/kalshi_markets.json")["markets"],
            *(market for event in kalshi_events for market in event["markets"]),
            load("wire_fixtures_2026-08/kalshi-market.json")["market"],
        ],
        "polymarket_events": polymarket_events
        + [event for market in [*polymarket_markets, esports] for event in market["events"]],
        "polymarket_markets": polymarket_markets
        + [market for event in polymarket_events for market in event["markets"]],
    }


def test_wire_shape_of_kalshi(
    captures: dict[str, Any], large: World, kalshi: dict[str, Record]
) -> None:
    check_shape(list(large.kalshi_series()), captures["kalshi_series"], set())
    events = [{**event, "markets": []} for event in large.kalshi_events()]
    check_shape(events, captures["kalshi_events"], set())
    real = captures["kalshi_markets"]
    band = {**real[0], "cap_strike": 72}  # VENUES.md names it; none of the captures is a band
    check_shape(list(kalshi.values()), [*real, band], set())


def test_wire_shape_of_polymarket(
    captures: dict[str, Any], polymarket_events: list[Record], polymarket: dict[str, Record]
) -> None:
    check_shape(polymarket_events, captures["polymarket_events"], set())
    unquoted = {"bestBid", "bestAsk"}
    check_shape(list(polymarket.values()), captures["polymarket_markets"], unquoted)


def test_quotes_are_consistent(kalshi: dict[str, Record], polymarket: dict[str, Record]) -> None:
    for market in kalshi.values():
        prices = {
            name: Decimal(market[f"{name}_dollars"])
            for name in ("yes_bid", "yes_ask", "no_bid", "no_ask")
        }
        assert prices["yes_bid"] < prices["yes_ask"]
        assert prices["no_ask"] == 1 - prices["yes_bid"]
        assert prices["no_bid"] == 1 - prices["yes_ask"]
        for price in prices.values():
            steps = [
                Decimal(part["step"])
                for part in market["price_ranges"]
                if Decimal(part["start"]) <= price <= Decimal(part["end"])
            ]
            assert any(price % step == 0 for step in steps)
        assert (prices["yes_bid"] == 0) == (market["yes_bid_size_fp"] == "0.00")
        assert (prices["yes_ask"] == 1) == (market["yes_ask_size_fp"] == "0.00")
    for market in polymarket.values():
        bid, ask = market.get("bestBid"), market.get("bestAsk")
        tick = Decimal(str(market["orderPriceMinTickSize"]))
        if not market["active"]:
            assert (bid, ask) == (0, 1)  # no quote, in Gamma's words for a market without a book
            continue
        for quoted in (bid, ask):
            assert quoted is None or (0 < quoted < 1 and Decimal(str(quoted)) % tick == 0)
        assert bid is None or ask is None or bid < ask


# -- truth ---------------------------------------------------------------------------------------


def payload_lock(
    listing: Record, other: Record, yes_index: int, direction: str
) -> tuple[Decimal, Decimal, Decimal] | None:
    """Cost, fees and margin of 100 contracts, from nothing but two payloads."""
    bought_yes = direction == "yes_kalshi"
    price = Decimal(listing["yes_ask_dollars" if bought_yes else "no_ask_dollars"])
    index = 1 - yes_index if bought_yes else yes_index
    field = "bestAsk" if index == 0 else "bestBid"
    if price == 1 or field not in other:
        return None
    quoted = Decimal(str(other[field]))
    token = quoted if index == 0 else 1 - quoted
    rate = Decimal(str(other["feeSchedule"]["rate"])) if other["feesEnabled"] else Decimal(0)
    kalshi_fee = (Decimal(7) * price * (1 - price)).quantize(Decimal("0.01"), ROUND_CEILING)
    token_fee = (100 * rate * token * (1 - token)).quantize(Decimal("0.00001"), ROUND_HALF_UP)
    cost, fees = 100 * (price + token), kalshi_fee + token_fee
    return cost, fees, (100 - cost - fees) / (cost + fees)


def test_planted_locks_earn_what_the_truth_says(
    kalshi: dict[str, Record], polymarket: dict[str, Record], truth: list[TruePair]
) -> None:
    equal = [pair for pair in truth if pair.relation == "equal"]
    locked = 0
    for pair in equal:
        listing, other = kalshi[pair.kalshi_ticker], polymarket[pair.polymarket_id]
        assert pair.yes_outcome_index is not None
        for direction in ("yes_kalshi", "no_kalshi"):
            found = payload_lock(listing, other, pair.yes_outcome_index, direction)
            if pair.lock_direction != direction:
                assert found is None or found[2] < Decimal("0.005")
                continue
            assert found is not None
            cost, fees, margin = found
            assert (pair.lock_cost, pair.lock_fees) == (cost, fees)
            assert pair.lock_margin == margin.quantize(Decimal("0.000001"))
            assert Decimal("0.025") <= margin <= Decimal("0.08")
            assert 100 - cost <= 10  # an edge of at most ten cents a contract
            side = "yes_ask_size_fp" if direction == "yes_kalshi" else "yes_bid_size_fp"
            assert Decimal(listing[side]) >= 100
            locked += 1
    assert 0.11 <= locked / len(equal) <= 0.19
    assert len(equal) / len(kalshi) == pytest.approx(0.12, abs=0.005)


def test_no_other_pair_locks(
    kalshi: dict[str, Record], polymarket: dict[str, Record], truth: list[TruePair]
) -> None:
    """What would lock by logic does not by price, and most gaps of similar pairs tempt."""
    tempting = similar = 0
    for pair in truth:
        if pair.relation == "equal":
            continue
        assert pair.lock_direction is None
        assert pair.lock_margin is None
        listing, other = kalshi[pair.kalshi_ticker], polymarket[pair.polymarket_id]
        yes_index = json.loads(other["outcomes"]).index("Yes") if "Yes" in other["outcomes"] else 0
        yes_no = payload_lock(listing, other, yes_index, "yes_kalshi")
        no_yes = payload_lock(listing, other, yes_index, "no_kalshi")
        no_no = payload_lock(listing, other, 1 - yes_index, "no_kalshi")
        by_logic = {
            "k_implies_p": no_yes,
            "p_implies_k": yes_no,
            "mutually_exclusive": no_no,
            "similar": None,
        }[pair.relation]
        assert by_logic is None or by_logic[2] < Decimal("0.005"), pair
        if pair.relation == "similar":
            similar += 1
            tempting += any(found and found[2] > Decimal("0.02") for found in (yes_no, no_yes))
    assert tempting / similar > 0.6


@pytest.mark.parametrize("family", [family for family, _ in WEIGHTS], ids=lambda item: item.name)
def test_no_two_topics_are_the_same_bet(family: AnyFamily) -> None:
    """Or pairs would be equal by accident, and missing in the truth."""
    seen: Counter[str] = Counter()
    style = Style(is_far=False, variant=0)
    serials = 12_000 if family.name == "deadlines" else 2_500
    for serial in range(serials):
        rng = random.Random(serial)
        draw = Draw(rng, serial, salt=5, size=family.sizes[0], today=NOW.date())
        event = family.kalshi(family.draw(draw), style, 1)
        # The dates of a deadline are random: its subject alone has to tell it apart.
        seen[event.series_ticker if family.name == "deadlines" else event.event_ticker] += 1
    assert max(seen.values()) == 1


@pytest.mark.parametrize("day", ["2026-10-31", "2026-12-31", "2028-02-29", "2029-06-30"])
def test_pairs_are_open_on_any_day(day: str) -> None:
    now = datetime.fromisoformat(f"{day}T23:59:59Z")
    subject = World(2, 400, 800, now)
    listings = {record["ticker"]: record for record in subject.kalshi_markets()}
    others = {record["id"]: record for record in subject.polymarket_markets()}
    for pair in subject.truth():
        assert datetime.fromisoformat(listings[pair.kalshi_ticker]["close_time"]) > now
        assert datetime.fromisoformat(others[pair.polymarket_id]["endDate"]) > now


def test_truth_covers_every_family_and_relation(truth: list[TruePair]) -> None:
    assert len({(pair.kalshi_ticker, pair.polymarket_id) for pair in truth}) == len(truth)
    for family, _ in WEIGHTS:
        pairs = [pair for pair in truth if pair.family == family.name]
        if not family.can_pair:
            assert pairs == []
            continue
        assert any(pair.relation == "equal" for pair in pairs), family.name
        assert any(pair.relation != "equal" for pair in pairs), family.name
    assert {pair.relation for pair in truth} == {
        "equal",
        "k_implies_p",
        "p_implies_k",
        "mutually_exclusive",
        "similar",
    }
    assert {pair.difference for pair in truth if pair.difference} >= {
        "date",
        "time",
        "strike",
        "comparison",
        "source",
        "subject",
        "league",
        "period",
        "rules",
        "wording",
        "metric",
    }
    for pair in truth:
        assert (pair.relation == "equal") == (pair.difference is None)
        assert (pair.relation == "equal") == (pair.orientation is not None)


def test_orientation_is_that_of_the_outcomes(
    polymarket: dict[str, Record], truth: list[TruePair]
) -> None:
    seen: Counter[tuple[str, str | None]] = Counter()
    for pair in truth:
        if pair.yes_outcome_index is not None:
            outcomes = json.loads(polymarket[pair.polymarket_id]["outcomes"])
            label = outcomes[pair.yes_outcome_index]
            kind = label if label in ("Yes", "No") else f"team {pair.yes_outcome_index}"
            seen[kind, pair.orientation] += 1
    assert set(seen) == {
        ("Yes", "same"),
        ("No", "inverted"),
        ("team 0", "same"),
        ("team 1", "inverted"),
    }


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9.]+", text.lower()))


def test_wording_varies(
    kalshi: dict[str, Record], polymarket: dict[str, Record], truth: list[TruePair]
) -> None:
    """Equal pairs are worded alike or in other words, and never the same on both venues."""
    overlaps = []
    for pair in truth:
        if pair.relation == "equal":
            listing, other = kalshi[pair.kalshi_ticker], polymarket[pair.polymarket_id]
            ours = words(f"{listing['title']} {listing['yes_sub_title']}")
            theirs = words(other["question"])
            overlaps.append(len(ours & theirs) / len(ours | theirs))
    overlaps.sort()
    assert overlaps[len(overlaps) // 10] < 0.35
    assert overlaps[len(overlaps) * 9 // 10] > 0.6
    assert overlaps[len(overlaps) // 10] > 0


# -- ticks ---------------------------------------------------------------------------------------


def test_a_tick_changes_only_what_it_should(
    kalshi: dict[str, Record], polymarket: dict[str, Record]
) -> None:
    later = World(*LARGE, tick=1)
    for old, records, key in (
        (kalshi, later.kalshi_markets(), "ticker"),
        (polymarket, later.polymarket_markets(), "id"),
    ):
        new = {record[key]: record for record in records}
        closed, listed = set(old) - set(new), set(new) - set(old)
        assert 0 < len(closed) == len(listed) < 0.01 * len(old)
        allowed = re.compile(
            r"(yes|no)_(bid|ask)|previous|last_price|volume|open_interest|updated|liquidity|"
            r"best|outcomePrices|lastTrade|spread|events"
        )
        changed = 0
        for name in set(old) & set(new):
            fields = {field for field in old[name] | new[name] if _differs(old, new, name, field)}
            assert all(allowed.match(field) for field in fields)
            changed += bool(fields - {"events"})
        assert 0.035 <= changed / len(old) <= 0.065
        if key == "ticker":
            gone = closed
    settled = {record["ticker"]: record for record in later.kalshi_settled_markets()}
    assert gone <= set(settled)
    assert all(settled[ticker]["status"] in ("closed", "finalized") for ticker in gone)


def _differs(old: dict[str, Record], new: dict[str, Record], name: str, field: str) -> bool:
    return bool(old[name].get(field) != new[name].get(field))


def test_truth_follows_the_tick() -> None:
    for tick in (1, 4):
        later = World(11, 600, 1_200, NOW, tick)
        listings = {record["ticker"]: record for record in later.kalshi_markets()}
        others = {record["id"]: record for record in later.polymarket_markets()}
        locks = {}
        for pair in later.truth():
            assert pair.kalshi_ticker in listings
            assert pair.polymarket_id in others
            if pair.lock_direction is not None and pair.yes_outcome_index is not None:
                found = payload_lock(
                    listings[pair.kalshi_ticker],
                    others[pair.polymarket_id],
                    pair.yes_outcome_index,
                    pair.lock_direction,
                )
                assert found is not None
                assert found[:2] == (pair.lock_cost, pair.lock_fees)
                locks[pair.kalshi_ticker] = pair
        assert locks


# -- traps over HTTP -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(demo: World) -> Iterator[Simulator]:
    with serve(demo) as running:
        yield running


def test_sweeps_return_the_world(server: Simulator, demo: World) -> None:
    expected = everything(demo)
    base = server.kalshi_url
    assert sweep(f"{base}/series", "series", limit=20) == expected["series"]
    assert sweep(f"{base}/events", "events", status="open", limit=50) == expected["events"]
    markets = sweep(f"{base}/markets", "markets", status="open", mve_filter="exclude", limit=90)
    assert markets == expected["markets"]
    gamma = server.polymarket_url
    events = sweep(f"{gamma}/events/keyset", "events", limit=90, closed="false")
    assert events == expected["polymarket_events"]
    markets = sweep(f"{gamma}/markets/keyset", "markets", limit=90)
    assert markets == expected["polymarket_markets"]
    assert any("/markets/keyset?limit=90" in request for request in server.requests)


def test_some_pages_are_empty_though_their_cursor_lives(server: Simulator) -> None:
    for url, name in (
        (f"{server.kalshi_url}/markets", "markets"),
        (f"{server.polymarket_url}/markets/keyset", "markets"),
    ):
        sizes = [len(answer[name]) for answer in pages(url, name, limit=50)]
        assert 0 in sizes[1:-1]


def test_parlays_flood_an_unfiltered_list(server: Simulator, demo: World) -> None:
    first = get(f"{server.kalshi_url}/markets", limit=100, status="open")["markets"]
    assert all(market["ticker"].startswith("KXMVE") for market in first)
    assert all(len(market["mve_selected_legs"]) == 2 for market in first)
    everything_open = sweep(f"{server.kalshi_url}/markets", "markets", status="open", limit=1000)
    tickers = [market["ticker"] for market in everything_open]
    assert len(set(tickers)) == len(tickers) > 1.2 * demo.kalshi_size


def test_status_words(server: Simulator) -> None:
    url = f"{server.kalshi_url}/markets"
    for status, word in (("open", "active"), ("closed", "closed"), ("settled", "finalized")):
        found = sweep(url, "markets", status=status, mve_filter="exclude", limit=1000)
        assert {market["status"] for market in found} == {word}
    assert {market["result"] for market in found} >= {"yes", "no"}
    assert sweep(url, "markets", status="unopened") == []
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(url, status="active")
    assert caught.value.code == 400
    closed = sweep(f"{server.polymarket_url}/markets/keyset", "markets", closed="true")
    assert closed
    assert all(market["closed"] for market in closed)


def test_limits_are_capped(large: World) -> None:
    with serve(large) as running:
        base, gamma = running.kalshi_url, running.polymarket_url
        assert len(get(f"{base}/markets", limit=9_999, mve_filter="exclude")["markets"]) == 1_000
        assert len(get(f"{base}/markets")["markets"]) == 100
        assert len(get(f"{base}/events", limit=9_999)["events"]) == 200
        assert len(get(f"{gamma}/markets/keyset", limit=9_999)["markets"]) == 500
        assert len(get(f"{gamma}/markets/keyset")["markets"]) == 20


def test_polymarket_ignores_cursor_and_rejects_offset(server: Simulator) -> None:
    url = f"{server.polymarket_url}/markets/keyset"
    first = get(url, limit=10)
    assert get(url, limit=10, cursor=first["next_cursor"]) == first
    assert get(url, limit=10, after_cursor=first["next_cursor"]) != first
    assert get(url, limit=10, colour="blue") == first
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(url, offset=10)
    assert caught.value.code == 422
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(url, after_cursor="no cursor")
    assert caught.value.code == 400


def test_nested_markets_only_when_asked(server: Simulator) -> None:
    url = f"{server.kalshi_url}/events"
    assert all("markets" not in event for event in get(url)["events"])
    nested = get(url, with_nested_markets="true")["events"]
    assert all(event["markets"] for event in nested)


def test_records_carry_the_traps(
    large: World,
    kalshi: dict[str, Record],
    polymarket: dict[str, Record],
    polymarket_events: list[Record],
) -> None:
    listings, others = list(kalshi.values()), list(polymarket.values())
    siblings = Counter((market["event_ticker"], market["title"]) for market in listings)
    assert max(siblings.values()) > 3
    assert any(market["created_time"].startswith("0001-") for market in listings)
    assert any("<p>" in market["rules_secondary"] for market in listings)
    assert any(market["yes_bid_dollars"] == "0.0000" for market in listings)
    assert any(market["yes_ask_dollars"] == "1.0000" for market in listings)
    assert any(market["no_sub_title"] == market["yes_sub_title"] for market in listings)
    structures = Counter(market["price_level_structure"] for market in listings)
    assert set(structures) == {"linear_cent", "deci_cent", "tapered_deci_cent"}
    late = [
        market
        for market in listings
        if market["close_time"][:10] > market["expected_expiration_time"][:10]
    ]
    assert len(late) > 0.4 * len(listings)
    for market in others:
        assert isinstance(json.loads(market["outcomes"]), list)
        assert isinstance(market["volume"], str)
        assert isinstance(market["volumeNum"], float)
    assert any("bestBid" not in market for market in others)
    assert any("bestAsk" not in market for market in others)
    labels = Counter(market["groupItemTitle"] for market in others)
    assert labels["Other"]
    assert any(re.fullmatch(r"Placeholder \d", label) for label in labels)
    assert any(re.fullmatch(r"Person [A-Z]", label) for label in labels)
    assert any(not market["active"] for market in others)
    assert {market["outcomes"] for market in others} >= {'["Yes", "No"]', '["No", "Yes"]'}
    assert any(market["endDate"] < "2026-10-01" for market in others)
    assert all(isinstance(event["volume"], float) for event in polymarket_events)
    assert {series["fee_multiplier"] for series in large.kalshi_series()} == {0.5, 1}


def test_the_world_can_be_replaced(demo: World) -> None:
    with serve(demo) as running:
        url = f"{running.kalshi_url}/series"
        before = get(url)
        running.world = World(seed=8)
        assert get(url) != before


def test_health(server: Simulator) -> None:
    assert get(f"{server.kalshi_url}/exchange/status")["trading_active"] is True
    for url in (f"{server.clob_url}/", f"{server.polymarket_url}/status"):
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert json.load(answer) == "OK"
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{server.kalshi_url}/nothing")
    assert caught.value.code == 404


# -- faults --------------------------------------------------------------------------------------

MARKETS = "/markets"
KEYSET = "/markets/keyset"


@pytest.fixture(scope="module")
def small() -> World:
    return World(3, 250, 250, NOW)


def raw(url: str, **query: object) -> tuple[int, Message, bytes]:
    """Status, headers and body, whatever the status is."""
    try:
        with urllib.request.urlopen(f"{url}?{urlencode(query)}", timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_too_many_requests(small: World) -> None:
    with serve(small, Faults(too_many_requests_every=2)) as running:
        for url, waits in (
            (running.kalshi_url + MARKETS, None),
            (running.polymarket_url + KEYSET, "1"),
        ):
            assert raw(url)[0] == 200
            status, headers, _ = raw(url)
            assert (status, headers["Retry-After"]) == (429, waits)


def test_dropped_connection(small: World) -> None:
    with serve(small, Faults(drop_connection_every=2)) as running:
        assert raw(running.kalshi_url + MARKETS)[0] == 200
        with pytest.raises(http.client.IncompleteRead) as caught:
            raw(running.kalshi_url + MARKETS)
        assert caught.value.partial
        assert raw(running.kalshi_url + MARKETS)[0] == 200


@pytest.mark.parametrize("path", [MARKETS, KEYSET])
def test_server_error_on_a_page(small: World, path: str) -> None:
    with serve(small, Faults(server_error_on_page=(3, path))) as running:
        base = running.kalshi_url if path == MARKETS else running.polymarket_url
        answers = pages(base + path, "markets", limit=50)
        next(answers)
        next(answers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            next(answers)
        assert caught.value.code == 500


def test_a_page_fault_can_pass(small: World) -> None:
    with serve(small, Faults(server_error_on_page=OnPage(1, "/series", times=2))) as running:
        statuses = [raw(f"{running.kalshi_url}/series")[0] for _ in range(3)]
        assert statuses == [500, 500, 200]
        assert raw(running.kalshi_url + MARKETS)[0] == 200


def test_html_and_truncated_json(small: World) -> None:
    faults = Faults(html_on_page=OnPage(1, MARKETS), truncated_json_on_page=OnPage(1, KEYSET))
    with serve(small, faults) as running:
        status, headers, body = raw(running.kalshi_url + MARKETS)
        assert (status, headers.get_content_type()) == (200, "text/html")
        assert b"<html>" in body
        status, headers, body = raw(running.polymarket_url + KEYSET)
        assert (status, headers.get_content_type()) == (200, "application/json")
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)


def test_repeated_cursor(small: World) -> None:
    for path, ours, theirs in (
        (MARKETS, "cursor", "cursor"),
        (KEYSET, "after_cursor", "next_cursor"),
    ):
        with serve(small, Faults(repeated_cursor_on_page=(2, path))) as running:
            base = running.kalshi_url if path == MARKETS else running.polymarket_url
            cursor = get(base + path, limit=50)[theirs]
            assert get(base + path, limit=50, **{ours: cursor})[theirs] == cursor


def test_empty_universe(small: World) -> None:
    with serve(small, Faults(empty_universe="kalshi")) as running:
        assert get(running.kalshi_url + MARKETS) == {"markets": [], "cursor": ""}
        assert get(f"{running.kalshi_url}/series")["series"] == []
        assert get(running.polymarket_url + KEYSET)["markets"]


def test_mutated_records(small: World) -> None:
    seen: Counter[str] = Counter()

    def mutate(entity: str, record: Record) -> Record:
        seen[entity] += 1
        return {**record, "entity": entity}

    with serve(small, Faults(mutate=mutate)) as running:
        base, gamma = running.kalshi_url, running.polymarket_url
        for url, name, entity in (
            (f"{base}/series", "series", "kalshi_series"),
            (f"{base}/events", "events", "kalshi_event"),
            (f"{base}/markets", "markets", "kalshi_market"),
            (f"{base}/series/fee_changes", "series_fee_change_arr", "kalshi_series_fee_change"),
            (f"{base}/events/fee_changes", "event_fee_changes", "kalshi_event_fee_change"),
            (f"{gamma}/events/keyset", "events", "polymarket_event"),
            (f"{gamma}/markets/keyset", "markets", "polymarket_market"),
        ):
            records = get(url)[name]
            assert {record["entity"] for record in records} == {entity}
            assert seen[entity] == len(records)
            nested = [child for record in records for child in record.get("markets", [])]
            assert {child["entity"] for child in nested} <= {"polymarket_market"}
            seen.clear()


def test_latency(small: World) -> None:
    with serve(small, Faults(latency_seconds=0.2)) as running:
        started = time.monotonic()
        raw(f"{running.clob_url}/")
        assert time.monotonic() - started >= 0.2


def test_usual_faults_are_now_and_then() -> None:
    usual = Faults.usual()
    assert usual.too_many_requests_every
    assert usual.drop_connection_every
    assert usual.mutate is None
    assert usual.html_on_page is None
    assert usual.empty_universe is None


# -- by hand -------------------------------------------------------------------------------------


def test_run_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    command = [sys.executable, "-m", "ingestion.simulator", "--kalshi-markets", "120"]
    command += ["--polymarket-markets", "240", "--now", "2026-10-01", "--truth", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        try:
            url = lines[0].split()[1]
            assert len(get(f"{url}/markets", limit=5)["markets"]) == 5
        finally:
            process.terminate()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = World(7, 120, 240, datetime(2026, 10, 1, tzinfo=UTC)).truth()
    assert [row["kalshi_ticker"] for row in rows] == [pair.kalshi_ticker for pair in expected]
