"""Polymarket's wire format: events and markets as Gamma sends them."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ingestion.simulator import dates
from ingestion.simulator.books import MINIMUM_ORDER, Book, Level, book
from ingestion.simulator.kalshi import midnight
from ingestion.simulator.layout import Kind, digest
from ingestion.simulator.pricing import Quote
from ingestion.simulator.topics import PolymarketPlace, Topic
from ingestion.simulator.vocabulary import slug

Record = dict[str, Any]

FIRST_MARKET_ID = 2_500_000
FIRST_EVENT_ID = 700_000
IMAGE = "https://images.example/{}.png"
FEE_TYPES = {
    "crypto": "crypto_fees_v2",
    "sports": "sports_fees_v3",
    "finance": "finance_prices_fees",
}


def event_record(topic: Topic, event: int, number: int, today: date) -> Record:
    """Event `number` of the venue (the topic's event 0 or 1), without its markets."""
    draft = topic.polymarket[event]
    key = _hex(f"{topic.seed}|event|{number}")
    places = [place for place in topic.places if place.event == event]
    volumes = [topic.polymarket_volume(event, place.number) for place in places]
    volume, liquidity = sum(volumes), sum(amount // 9 for amount in volumes)
    dice = digest(f"{topic.seed}|{topic.number}|event|{event}")
    created, _, _, started, _ = _birth(_created(topic, event, today))
    moved = max(topic.moved(place.number).tick for place in places)
    image = IMAGE.format(draft.slug)
    ends_at = max(market.ends_at for market in draft.markets)
    name = _slug(topic, event)
    record: Record = {
        "id": str(FIRST_EVENT_ID + number),
        "ticker": name,
        "slug": name,
        "title": draft.title,
        "description": draft.description,
        "resolutionSource": draft.resolution_source,
        "startDate": started,
        "creationDate": created,
        "endDate": dates.wire(nominal_end(topic, ends_at, today)),
        "image": image,
        "icon": image,
        "active": True,
        "closed": topic.closed_at is not None,
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": True,
        "liquidity": _money(liquidity),
        "volume": _money(volume),
        "openInterest": _money(volume // 5),
        "createdAt": created,
        "updatedAt": dates.wire(_updated(today, dice, moved)),
        "competitive": round(0.5 + dice[2] / 512, 6),
        "volume24hr": _money(volume // 40),
        "volume1wk": _money(volume // 8),
        "volume1mo": _money(volume // 2),
        "volume1yr": _money(volume),
        "enableOrderBook": True,
        "liquidityClob": _money(liquidity),
        "negRisk": draft.is_neg_risk,
        "commentCount": dice[3],
        "cyom": False,
        "showAllOutcomes": True,
        "showMarketImages": draft.game_starts_at is None,
        "enableNegRisk": draft.is_neg_risk,
        "automaticallyActive": True,
        "gmpChartMode": "default",
        "negRiskAugmented": any(market.is_placeholder for market in draft.markets),
        "cumulativeMarkets": False,
        "pendingDeployment": False,
        "deploying": False,
        "requiresTranslation": False,
        "eventMetadata": {"context_requires_regen": True},
    }
    if draft.is_neg_risk:
        record["negRiskMarketID"] = f"0x{key[:62]}00"
    if draft.series is not None:
        record["seriesSlug"] = draft.series[0]
        record["series"] = [_series(*draft.series, today)]
    if draft.game_starts_at is not None:
        starts = dates.wire(draft.game_starts_at)
        record |= {"startTime": starts, "eventDate": starts[:10], "gameId": 20_000 + number}
        record |= {"period": "NS", "live": False}
    return record


def market_record(topic: Topic, place: PolymarketPlace, number: int, today: date) -> Record:
    """Market `number` of the venue, without the `events` that the markets endpoint nests in it."""
    draft = place.draft
    event = topic.polymarket[place.event]
    key = _hex(f"{topic.seed}|market|{number}")
    fixed = digest(f"{topic.seed}|{topic.number}|market|{place.event}|{place.number}")
    movement = topic.moved(place.number)
    created, deployed, accepting, started, start_day = _birth(_created(topic, place.event, today))
    ends_at = dates.wire(nominal_end(topic, draft.ends_at, today))
    volume = topic.polymarket_volume(place.event, place.number)
    money, liquidity = _money(volume), _money(volume // 9)
    image = IMAGE.format(event.slug)
    is_unborn = draft.is_placeholder and fixed[2] < 110
    record: Record = {
        "id": str(FIRST_MARKET_ID + number),
        "question": draft.question,
        "conditionId": "" if is_unborn else f"0x{key}",
        "slug": f"{draft.slug}-{number % 997}" if place.event else draft.slug,
        "resolutionSource": event.resolution_source,
        "endDate": ends_at,
        "liquidity": str(liquidity),
        "startDate": started,
        "image": image,
        "icon": image,
        "description": draft.description,
        "outcomes": _text_list(draft.outcomes),
        "volume": str(money),
        "active": not is_unborn,
        "closed": False,
        "marketMakerAddress": "",
        "createdAt": created,
        "updatedAt": dates.wire(_updated(today, fixed, movement.tick)),
        "new": False,
        "featured": False,
        "submitted_by": f"0x{key[:40]}",
        "archived": False,
        "restricted": True,
        "groupItemTitle": draft.group_item_title,
        "groupItemThreshold": str(place.number % 100),
        "enableOrderBook": True,
        "orderPriceMinTickSize": 0.01 if topic.polymarket_tick == 10 else 0.001,
        "orderMinSize": MINIMUM_ORDER,
        "volumeNum": money,
        "liquidityNum": liquidity,
        "endDateIso": ends_at[:10],
        "startDateIso": start_day,
        "hasReviewedDates": True,
        "volume24hr": _money(volume // 40),
        "volume1wk": _money(volume // 8),
        "volume1mo": _money(volume // 2),
        "volume1yr": money,
        "comboStatus": "disabled",
        "umaBond": "500",
        "umaReward": "5",
        "volume24hrClob": _money(volume // 40),
        "volume1wkClob": _money(volume // 8),
        "volume1moClob": _money(volume // 2),
        "volume1yrClob": money,
        "volumeClob": money,
        "liquidityClob": liquidity,
        "customLiveness": 0,
        "acceptingOrders": not is_unborn,
        "negRisk": event.is_neg_risk,
        "negRiskRequestID": "",
        "ready": False,
        "funded": False,
        "cyom": False,
        "competitive": round(0.5 + fixed[3] / 512, 6),
        "pagerDutyNotificationEnabled": False,
        "approved": True,
        "rewardsMinSize": 50,
        "rewardsMaxSpread": 4.5,
        "oneDayPriceChange": 0.001 * (fixed[4] % 9 - 4),
        "oneWeekPriceChange": 0.001 * (fixed[5] % 41 - 20),
        "oneMonthPriceChange": 0.001 * (fixed[6] % 81 - 40),
        "automaticallyActive": True,
        "clearBookOnStart": True,
        "seriesColor": "",
        "showGmpSeries": False,
        "showGmpOutcome": False,
        "manualActivation": False,
        "negRiskOther": draft.group_item_title == "Other",
        "umaResolutionStatuses": "[]",
        "pendingDeployment": False,
        "deploying": False,
        "rfqEnabled": False,
        "holdingRewardsEnabled": False,
        "feesEnabled": topic.rate > 0,
        "requiresTranslation": False,
        "feeType": None,
        "version": "v1",
    }
    if topic.rate:
        record |= {
            "makerBaseFee": 1000,
            "takerBaseFee": 1000,
            "feeType": FEE_TYPES.get(topic.fee_category, f"{topic.fee_category}_fees_v2"),
            "feeSchedule": {
                "exponent": 1,
                "rate": topic.rate / 10_000,
                "takerOnly": True,
                "rebateRate": 0.25,
            },
        }
    if event.is_neg_risk:
        record["negRiskMarketID"] = f"0x{_hex(f'{topic.seed}|{event.slug}')[:62]}00"
    if not is_unborn:
        record |= {
            "resolvedBy": f"0x{key[24:]}",
            "questionID": f"0x{key[:62]}{place.number % 100:02d}",
            "clobTokenIds": _text_list(token_ids(topic, number)),
            "acceptingOrdersTimestamp": accepting,
            "deployingTimestamp": deployed,
        }
    if event.game_starts_at is not None:
        record |= {
            "gameStartTime": _spaced(event.game_starts_at),
            "sportsMarketType": draft.sports_market_type,
            "secondsDelay": 3,
        }
    if topic.closed_at is not None:
        return record | _settlement(fixed, today)
    if is_unborn:
        return record | {"bestBid": 0, "bestAsk": 1, "spread": 1, "lastTradePrice": 0}
    return record | _prices(topic, place)


def token_ids(topic: Topic, number: int) -> list[str]:
    """The tokens of market `number` of the venue, in the order of its outcomes."""
    key = _hex(f"{topic.seed}|market|{number}")
    return [str(int(_hex(f"{key}|{side}"), 16)) for side in (0, 1)]


def order_book(topic: Topic, place: PolymarketPlace) -> Book:
    """The book of a market's proposition (not of its outcome 0)."""
    version = topic.moved(place.number).version
    key = f"{topic.seed}|{topic.number}|clob|{place.event}|{place.number}|{version}"
    dice = digest(key)
    sizes = (9_000 + dice[0] * 5_300 + dice[1], 9_000 + dice[2] * 5_300 + dice[3])
    structure = "linear_cent" if topic.polymarket_tick == 10 else "deci_cent"
    return book(key, topic.polymarket_quote(place), structure, sizes)


def order_book_record(
    topic: Topic, place: PolymarketPlace, number: int, outcome: int, now: datetime
) -> Record:
    """The book of one token as the CLOB sends it: the best is last on both sides."""
    found = order_book(topic, place)
    if outcome != place.draft.yes_index:
        found = found.inverted()
    draft = topic.polymarket[place.event]

    def side(levels: tuple[Level, ...]) -> list[Record]:
        return [
            {"price": str(Decimal(price) / 1000), "size": str(Decimal(size) / 100)}
            for price, size in reversed(levels)
        ]

    return {
        "market": f"0x{_hex(f'{topic.seed}|market|{number}')}",
        "asset_id": token_ids(topic, number)[outcome],
        "timestamp": str(int(now.timestamp() * 1000)),
        "hash": _hex(f"{topic.seed}|book|{number}|{outcome}")[:40],
        "bids": side(found.bids),
        "asks": side(found.asks),
        "min_order_size": str(MINIMUM_ORDER),
        "tick_size": "0.01" if topic.polymarket_tick == 10 else "0.001",
        "neg_risk": draft.is_neg_risk,
    }


def _prices(topic: Topic, place: PolymarketPlace) -> Record:
    """The price fields: always of outcome 0. A side without a quote is absent."""
    quote = topic.polymarket_quote(place)
    if place.draft.yes_index == 1:
        quote = quote.inverted()
    bid, ask = quote.bid, quote.ask
    middle = _middle(quote)
    prices: Record = {
        "outcomePrices": _text_list((str(middle / 2000), str((2000 - middle) / 2000))),
        "lastTradePrice": (bid or ask or 500) / 1000,
        "spread": ((1000 if ask is None else ask) - (bid or 0)) / 1000,
    }
    if bid is not None:
        prices["bestBid"] = bid / 1000
    if ask is not None:
        prices["bestAsk"] = ask / 1000
    return prices


def _middle(quote: Quote) -> int:
    """The middle of a quote, in 1/2,000 of a dollar."""
    return (quote.bid or 0) + (1000 if quote.ask is None else quote.ask)


def _settlement(dice: bytes, today: date) -> Record:
    """What a resolved market says instead."""
    closed = midnight(today) - timedelta(days=1 + dice[7] % 30)
    return {
        "active": True,
        "closed": True,
        "acceptingOrders": False,
        "closedTime": _spaced(closed),
        "umaEndDate": dates.wire(closed),
        "umaResolutionStatus": "resolved",
        "umaResolutionStatuses": '["proposed"]',
        "automaticallyResolved": True,
        "outcomePrices": '["1", "0"]' if dice[8] < 100 else '["0", "1"]',
        "lastTradePrice": 1 if dice[8] < 100 else 0,
        "spread": 0.001,
        "bestAsk": 0.001,
    }


def _series(name: str, title: str, today: date) -> Record:
    """The series that an event carries."""
    return {
        "id": str(10_000 + int.from_bytes(digest(name)[:3]) % 90_000),
        "ticker": name,
        "slug": name,
        "title": title,
        "seriesType": "single",
        "recurrence": "daily",
        "layout": "default",
        "active": True,
        "closed": False,
        "archived": False,
        "restricted": True,
        "updatedAt": dates.wire(midnight(today) - timedelta(days=3)),
        "requiresTranslation": False,
    }


def tags(topic: Topic, event: int) -> list[Record]:
    """The tags of an event: only the events endpoint sends them."""
    return [
        {
            "id": str(1 + int.from_bytes(digest(label)[:2])),
            "label": label,
            "slug": slug(label),
            "forceShow": False,
            "createdAt": "2024-02-21T00:21:54.404Z",
            "requiresTranslation": False,
        }
        for label in topic.polymarket[event].tags
    ]


def _slug(topic: Topic, event: int) -> str:
    """An event's slug; a second listing of a subject gets a number behind it."""
    base = topic.polymarket[event].slug
    return f"{base}-{topic.number % 997}" if topic.kind >= Kind.ALTERED and event else base


def nominal_end(topic: Topic, ends_at: datetime, today: date) -> datetime:
    """`endDate`: the start of a game, else midnight, mostly of the day before the deadline."""
    if topic.kind == Kind.POLYMARKET and topic.number % 97 == 5:
        return midnight(today) - timedelta(days=2)  # overdue: listed, and not resolved yet
    if ends_at.hour not in (4, 5):  # not midnight in US eastern time
        return ends_at
    return midnight(ends_at.date()) - timedelta(days=1 if topic.number % 5 else 0)


@lru_cache(maxsize=256)
def _birth(created: datetime) -> tuple[str, str, str, str, str]:
    """When an event and its markets were created, deployed, opened and started; the day, too."""
    minutes = (0, 5, 20, 30)
    created_at, deployed, accepting, started = (
        dates.wire(created + timedelta(minutes=later)) for later in minutes
    )
    return created_at, deployed, accepting, started, created_at[:10]


def _created(topic: Topic, event: int, today: date) -> datetime:
    dice = digest(f"{topic.seed}|{topic.number}|event|{event}")
    return midnight(today) - timedelta(days=20 + dice[0] % 60, microseconds=dice[1] * 3_877)


def _updated(today: date, dice: bytes, tick: int) -> datetime:
    return (
        midnight(today) - timedelta(hours=6, microseconds=dice[9] * 3_877) + timedelta(minutes=tick)
    )


def _money(millionths: int) -> float:
    return millionths / 1_000_000


def _spaced(instant: datetime) -> str:
    """`2026-09-20 17:00:00+00`."""
    return f"{instant:%Y-%m-%d %H:%M:%S}+00"


def _text_list(texts: Sequence[str]) -> str:
    """A JSON list inside a string, as Gamma sends lists."""
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
