"""Kalshi's wire format: series, events and markets as the trade API sends them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingestion.simulator import dates
from ingestion.simulator.books import Book, Level, book
from ingestion.simulator.drafts import KalshiEventDraft
from ingestion.simulator.layout import digest
from ingestion.simulator.pricing import Quote
from ingestion.simulator.topics import Topic

Record = dict[str, Any]

PRICE_RANGES = {
    "linear_cent": [{"end": "1.0000", "start": "0.0000", "step": "0.0100"}],
    "deci_cent": [{"end": "1.0000", "start": "0.0000", "step": "0.0010"}],
    "tapered_deci_cent": [
        {"end": "0.1000", "start": "0.0000", "step": "0.0010"},
        {"end": "0.9000", "start": "0.1000", "step": "0.0100"},
        {"end": "1.0000", "start": "0.9000", "step": "0.0010"},
    ],
}
NO_TIME = "0001-01-01T00:00:00Z"
ANNOUNCED_SHARE = 60  # of 256 series have announced another fee


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def series_record(event: KalshiEventDraft, today: date) -> Record:
    """A series, from any of its events."""
    stem = event.series_ticker.removeprefix("KX")
    name, url = event.source
    return {
        "additional_prohibitions": [],
        "category": event.category,
        "contract_terms_url": f"https://assets.example/contract_terms/{stem}.pdf",
        "contract_url": f"https://assets.example/product-certifications/{stem}.pdf",
        "exchange_index": 0,
        "fee_multiplier": event.fee_multiplier,
        "fee_type": "quadratic_with_maker_fees" if event.category == "Sports" else "quadratic",
        "frequency": event.frequency,
        "last_updated_ts": dates.wire(midnight(today) - timedelta(days=20)),
        "product_metadata": {"scope": event.frequency},
        "settlement_sources": [{"name": name, "url": url}],
        "tags": list(event.tags),
        "ticker": event.series_ticker,
        "title": event.series_title,
    }


def series_fee_change_records(event: KalshiEventDraft, today: date) -> list[Record]:
    """How the fee of a series came to be, and for some of them what it will be next week."""
    dice = digest(event.series_ticker)
    record = {
        "series_ticker": event.series_ticker,
        "fee_type": "quadratic_with_maker_fees" if event.category == "Sports" else "quadratic",
    }
    changes = [(event.fee_multiplier, -30)] + [(2, 7)] * (dice[0] < ANNOUNCED_SHARE)
    return [
        {
            "id": f"{dice.hex()[:12]}-{number}",
            **record,
            "fee_multiplier": multiplier,
            "scheduled_ts": dates.wire(midnight(today) + timedelta(days=days)),
        }
        for number, (multiplier, days) in enumerate(changes)
    ]


def event_fee_change_records(topic: Topic, today: date) -> list[Record]:
    """The overrides of an event: one in force, one that has ended, one to come, or none. The event
    itself does not tell of them."""
    event = topic.kalshi
    changes: list[tuple[float | None, int]] = []
    if topic.fee_override is not None:
        changes = [(topic.fee_override, -3)]
    elif topic.has_ended_override:
        changes = [(0, -9), (None, -2)]
    elif topic.has_announced_override:
        changes = [(3, 4)]
    return [
        {
            "id": f"{digest(event.event_ticker).hex()[:12]}-{number}",
            "event_ticker": event.event_ticker,
            "series_ticker": event.series_ticker,
            "fee_type_override": None if multiplier is None else "quadratic",
            "fee_multiplier_override": multiplier,
            "scheduled_ts": dates.wire(midnight(today) + timedelta(days=days)),
        }
        for number, (multiplier, days) in enumerate(changes)
    ]


def event_record(topic: Topic, today: date) -> Record:
    """An event without its markets."""
    event = topic.kalshi
    name, url = event.source
    return {
        "available_on_brokers": topic.number % 3 == 0,
        "category": event.category,
        "collateral_return_type": "MECNET" if event.is_exclusive else "",
        "event_ticker": event.event_ticker,
        "exchange_index": 0,
        "last_updated_ts": dates.wire(midnight(today) - timedelta(days=9, seconds=topic.number)),
        "mutually_exclusive": event.is_exclusive,
        "series_ticker": event.series_ticker,
        "settlement_sources": [{"name": name, "url": url}],
        "strike_period": "",
        "sub_title": event.sub_title,
        "title": event.title,
    }


def market_record(topic: Topic, number: int, today: date) -> Record:
    """The market of a topic's proposition `number`."""
    event = topic.kalshi
    market = event.markets[number]
    movement = topic.moved(number)
    dice = digest(_wire_key(topic, number))
    bid_size, ask_size = _sizes(dice)
    fixed = digest(f"{topic.seed}|{topic.number}|wire|{number}")
    created = midnight(today) - timedelta(days=20 + fixed[0] % 60, microseconds=fixed[1] * 3_877)
    updated = (
        midnight(today) - timedelta(hours=6, seconds=fixed[2]) + timedelta(minutes=movement.tick)
    )
    has_times = fixed[3] >= 30
    # Trading usually closes two weeks after the question is decided; hourly markets at once.
    late = timedelta(days=14) if event.frequency != "hourly" and fixed[4] < 200 else timedelta()
    close = market.ends_at + late
    volume = dice[0] * 25_600 + dice[1] * 100 + dice[2] % 100
    quote = topic.kalshi_quote(number) if topic.closed_at is None else Quote(None, None)
    bid, ask = quote.bid, quote.ask
    last = bid if bid is not None else ask if ask is not None else topic.fair[number]
    record: Record = {
        "can_close_early": True,
        "close_time": dates.wire(close),
        "created_time": dates.wire(created) if has_times else NO_TIME,
        "event_ticker": event.event_ticker,
        "exchange_index": 0,
        "expected_expiration_time": dates.wire(market.ends_at + timedelta(minutes=5)),
        "expiration_time": dates.wire(close + timedelta(days=7)),
        "expiration_value": "",
        "last_price_dollars": dollars(last),
        "latest_expiration_time": dates.wire(close + timedelta(days=7)),
        "liquidity_dollars": "0.0000",
        "market_type": "binary",
        "no_ask_dollars": dollars(1000 if bid is None else 1000 - bid),
        "no_bid_dollars": dollars(0 if ask is None else 1000 - ask),
        "no_sub_title": market.no_sub_title or market.yes_sub_title,
        "notional_value_dollars": "1.0000",
        "open_interest_fp": count(volume // 3),
        "open_time": dates.wire(created + timedelta(minutes=5)),
        "previous_price_dollars": dollars(last),
        "previous_yes_ask_dollars": dollars(ask or 0),
        "previous_yes_bid_dollars": dollars(bid or 0),
        "price_level_structure": topic.structure,
        "price_ranges": PRICE_RANGES[topic.structure],
        "result": "",
        "rules_primary": market.rules_primary,
        "rules_secondary": market.rules_secondary,
        "settlement_timer_seconds": 60 + 60 * (fixed[5] % 30),
        "status": "active",
        "ticker": f"{event.event_ticker}-{market.suffix}",
        "title": market.title,
        "updated_time": dates.wire(updated) if has_times else NO_TIME,
        "volume_24h_fp": count(volume // 40),
        "volume_fp": count(volume),
        "yes_ask_dollars": dollars(1000 if ask is None else ask),
        "yes_ask_size_fp": count(0 if ask is None else ask_size),
        "yes_bid_dollars": dollars(bid or 0),
        "yes_bid_size_fp": count(0 if bid is None else bid_size),
        "yes_sub_title": market.yes_sub_title,
    }
    if event.is_exclusive:
        record["early_close_condition"] = (
            "This market will close and expire after the result is known."
        )
    if fixed[6] < 220:
        record["occurrence_datetime"] = dates.wire(market.ends_at)
    for name in ("strike_type", "floor_strike", "cap_strike", "custom_strike"):
        value = getattr(market, name)
        if value is not None:
            record[name] = value
    if topic.closed_at is not None:
        record |= _settlement(fixed, topic.closed_at, today)
    return record


def _wire_key(topic: Topic, number: int) -> str:
    return f"{topic.seed}|{topic.number}|wire|{number}|{topic.moved(number).version}"


def _sizes(dice: bytes) -> tuple[int, int]:
    """What rests at the best bid and ask, in hundredths of a contract."""
    return 15_000 + dice[5] * 6_100 + dice[6], 15_000 + dice[3] * 6_100 + dice[4]


def order_book(topic: Topic, number: int) -> Book:
    """The book of YES of a topic's proposition `number`."""
    key = _wire_key(topic, number)
    return book(key, topic.kalshi_quote(number), topic.structure, _sizes(digest(key)))


def order_book_record(topic: Topic, number: int) -> Record:
    """A book as the venue sends it: bids only, on both sides, the best last."""
    found = order_book(topic, number)
    event = topic.kalshi

    def side(bids: tuple[Level, ...]) -> list[list[str]]:
        return [[dollars(price), count(size)] for price, size in reversed(bids)]

    return {
        "ticker": f"{event.event_ticker}-{event.markets[number].suffix}",
        "orderbook_fp": {
            "yes_dollars": side(found.bids),
            "no_dollars": side(found.inverted().bids),
        },
    }


def _settlement(dice: bytes, closed_at: int, today: date) -> Record:
    """What a market that is no longer traded says instead: closed, or finalized with a result."""
    closed = midnight(today) - timedelta(days=1 if closed_at else 2 + dice[7] % 30)
    if dice[8] < 40:
        return {"status": "closed", "close_time": dates.wire(closed)}
    result, value = (("yes", 1000), ("no", 0), ("no", 0), ("scalar", 110 + dice[9]))[dice[8] % 4]
    return {
        "status": "finalized",
        "result": result,
        "settlement_value_dollars": dollars(value),
        "expiration_value": result.capitalize() if result != "scalar" else "",
        "close_time": dates.wire(closed),
    }


def parlay_record(first: Record, second: Record, number: int) -> Record:
    """A multivariate market over two others; listed only without `mve_filter=exclude`."""
    collection = "KXMVECROSSCATEGORY-R"
    event = f"KXMVECROSSCATEGORY-S{number:012X}"
    legs = [
        {"event_ticker": leg["event_ticker"], "market_ticker": leg["ticker"], "side": side}
        for leg, side in ((first, "yes"), (second, "no"))
    ]
    label = f"yes {first['yes_sub_title']},no {second['yes_sub_title']}"
    unquoted = {
        "no_ask_dollars": "1.0000",
        "no_bid_dollars": "1.0000",
        "yes_ask_dollars": "0.0000",
        "yes_bid_dollars": "0.0000",
        "last_price_dollars": "0.0000",
        "previous_price_dollars": "0.0000",
        "volume_fp": "0.00",
        "volume_24h_fp": "0.00",
        "open_interest_fp": "0.00",
        "yes_ask_size_fp": "0.00",
        "yes_bid_size_fp": "0.00",
    }
    texts = {
        "custom_strike": {
            "Associated Events": ",".join(leg["event_ticker"] for leg in legs),
            "Associated Market Sides": "yes,no",
            "Associated Markets": ",".join(leg["market_ticker"] for leg in legs),
        },
        "event_ticker": event,
        "is_provisional": True,
        "mve_collection_ticker": collection,
        "mve_selected_legs": legs,
        "no_sub_title": label,
        "price_level_structure": "deci_cent",
        "price_ranges": PRICE_RANGES["deci_cent"],
        "rules_primary": "",
        "rules_secondary": "",
        "strike_type": "custom",
        "ticker": f"{event}-{number * 7919 % 16**11:011X}",
        "title": label,
        "yes_sub_title": label,
    }
    return {**first, **unquoted, **texts}


def dollars(price: int) -> str:
    """A price in thousandths as a dollar string of four decimals."""
    return f"{price // 1000}.{price % 1000:03d}0"


def count(hundredths: int) -> str:
    """A number of contracts in hundredths as a fixed-point string."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"
