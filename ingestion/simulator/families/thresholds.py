"""Ladders on a price at an hour of a day: crypto assets, and stock indices (Kalshi only)."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from ingestion.simulator import dates
from ingestion.simulator.drafts import (
    Alteration,
    Draw,
    Family,
    KalshiEventDraft,
    KalshiMarketDraft,
    PolymarketEventDraft,
    PolymarketMarketDraft,
    Relation,
    Shape,
    Style,
)
from ingestion.simulator.vocabulary import slug

HOURS = (10, 12, 17, 21)  # eastern time; an altered subject is one hour later, never one of these


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    symbol: str
    price: Decimal
    step: Decimal  # between two strikes
    unit: str = "$"

    @property
    def tick(self) -> Decimal:
        """What Kalshi's `floor_strike` is below the strike."""
        return Decimal("0.01") if self.price >= 100 else Decimal("0.0001")


def _assets(table: str, unit: str) -> tuple[Asset, ...]:
    rows = [row.split() for row in table.strip().splitlines()]
    return tuple(
        Asset(name.replace("_", " "), symbol, Decimal(price), Decimal(step), unit)
        for name, symbol, price, step in rows
    )


CRYPTO = _assets(
    """
    Bitcoin BTC 78000 1000
    Ethereum ETH 2600 50
    Solana SOL 140 5
    XRP XRP 1.8 0.1
    Dogecoin DOGE 0.16 0.01
    Cardano ADA 0.62 0.02
    Litecoin LTC 88 2
    Chainlink LINK 14 0.5
    Avalanche AVAX 22 1
    Polkadot DOT 4.2 0.2
    Stellar XLM 0.28 0.01
    Bitcoin_Cash BCH 410 10
    Uniswap UNI 6.4 0.2
    Aave AAVE 240 10
    Near_Protocol NEAR 2.6 0.1
    Hedera HBAR 0.17 0.01
    """,
    "$",
)
INDICES = _assets(
    """
    S&P_500 INX 6900 25
    Nasdaq-100 NASDAQ100 25200 100
    Dow_Jones_Industrial_Average DJI 47000 200
    Russell_2000 RUT 2450 20
    """,
    "",
)


@dataclass(frozen=True, slots=True)
class Threshold:
    asset: Asset
    day: date
    hour: int
    strikes: tuple[Decimal, ...]
    is_below: bool = False  # Polymarket asks for "below" and its No is the proposition
    is_touch: bool = False  # at any time until the hour, instead of at the hour
    exchange: str = ""  # another source than the reference index


class Thresholds(Family[Threshold]):
    """`$78,000 or above at 5 PM EDT on Oct 3, 2026`, one market a strike."""

    name = "crypto"
    shape = Shape.DESCENDING
    polymarket_fees = "crypto"
    sizes = (4, 12)
    assets: ClassVar[tuple[Asset, ...]] = CRYPTO
    category: ClassVar[str] = "Crypto"
    fee_multiplier: ClassVar[float] = 1

    def draw(self, draw: Draw) -> Threshold:
        asset = self.assets[draw.serial % len(self.assets)]
        turn, hour = divmod(draw.serial // len(self.assets), len(HOURS))
        day = dates.even_day(draw.today + timedelta(days=3)) + timedelta(days=2 * turn)
        lowest = asset.price + asset.step * draw.rng.randint(-4, 4) - asset.step * (draw.size // 2)
        strikes = tuple(lowest + asset.step * n for n in range(draw.size))
        return Threshold(asset, day, HOURS[hour], strikes, is_below=draw.rng.random() < 0.25)

    def alter(self, rng: random.Random, subject: Threshold) -> Alteration[Threshold]:
        subject = replace(subject, is_below=False)
        change = rng.choice(("date", "time", "strike", "comparison", "source"))
        relation = Relation.SIMILAR
        if change == "date":
            subject = replace(subject, day=subject.day + timedelta(days=1))
        elif change == "time":
            subject = replace(subject, hour=subject.hour + 1)
        elif change == "strike":
            half = subject.asset.step / 2
            subject = replace(subject, strikes=tuple(strike + half for strike in subject.strikes))
            relation = Relation.POLYMARKET_IMPLIES
        elif change == "comparison":
            subject = replace(subject, is_touch=True)
            relation = Relation.KALSHI_IMPLIES
        else:
            subject = replace(subject, exchange="Binance")
        return Alteration(subject, change, relation, is_between=change == "strike")

    def kalshi(self, subject: Threshold, style: Style, count: int) -> KalshiEventDraft:
        asset, day = subject.asset, subject.day
        clock = f"{dates.hour_name(subject.hour)} {dates.eastern_zone(day)[0]}"
        series = f"KX{asset.symbol}{'D' if self.can_pair else 'U'}"
        markets = []
        for strike in subject.strikes[:count]:
            floor = strike - asset.tick
            markets.append(
                KalshiMarketDraft(
                    suffix=f"T{floor}",
                    title=f"{asset.name} price on {dates.short(day)}?",
                    yes_sub_title=f"{_amount(asset, strike)} or above",
                    rules_primary=(
                        f"If the average of the {asset.name} reference index ({asset.symbol}-RR) "
                        f"over the sixty seconds before {clock} on {dates.short(day)} is above "
                        f"{floor}, then the market resolves to Yes."
                    ),
                    rules_secondary=(
                        "Prices shown by exchanges and search engines may differ from the "
                        f"{asset.symbol}-RR reference index, which alone decides this market."
                    ),
                    ends_at=dates.eastern(day, subject.hour),
                    strike_type="greater",
                    floor_strike=float(floor),
                )
            )
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f"{asset.name} price above or below",
            event_ticker=f"{series}-{dates.ticker_day(day)}{subject.hour:02d}",
            title=f"{asset.name} price on {dates.short(day)} at {clock}?",
            sub_title=f"On {dates.short(day)} at {clock}",
            category=self.category,
            frequency="hourly",
            tags=(asset.symbol, "Hourly"),
            source=("Reference Rates", "https://reference-rates.example/"),
            is_exclusive=False,
            markets=markets,
            fee_multiplier=self.fee_multiplier,
        )

    def polymarket(
        self, subject: Threshold, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        asset, day = subject.asset, subject.day
        at = f"{dates.hour_name(subject.hour)} ET"
        compact = at.replace(" ", "", 1)
        word = "below" if subject.is_below else "hit" if subject.is_touch else "above"
        title = f"{asset.name} {word} ___ on {dates.month_day(day)}, {compact}?"
        markets = []
        for number in numbers:
            amount = _amount(asset, subject.strikes[number])
            question = _question(subject, style, amount, at)
            markets.append(
                PolymarketMarketDraft(
                    slug=slug(f"{question} {day.year}"),
                    question=question,
                    group_item_title=amount.removeprefix("$"),
                    description=_description(subject, amount, at),
                    ends_at=dates.eastern(day, subject.hour),
                    yes_index=1 if subject.is_below else 0,
                )
            )
        return PolymarketEventDraft(
            slug=slug(f"{asset.name} {word} on {dates.month_day(day)} {day.year} {compact}"),
            title=title,
            description=markets[0].description,
            tags=(self.category, asset.name, "Hourly"),
            is_neg_risk=False,
            markets=markets,
            resolution_source="https://reference-rates.example/",
            series=(slug(f"{asset.symbol} multi strikes"), f"{asset.name} strikes"),
        )


class IndexThresholds(Thresholds):
    """The same for stock indices, whose Kalshi series pay half the fee; never paired."""

    name = "indices"
    polymarket_fees = "finance"
    assets = INDICES
    category = "Financials"
    fee_multiplier = 0.5
    can_pair = False


def _amount(asset: Asset, strike: Decimal) -> str:
    return f"{asset.unit}{strike:,}"


def _question(subject: Threshold, style: Style, amount: str, at: str) -> str:
    asset, day = subject.asset, dates.month_day(subject.day)
    if subject.is_touch:
        return f"Will {asset.name} reach {amount} by {day} at {at}?"
    if subject.is_below:
        return style.pick(
            (f"Will the price of {asset.name} be below {amount} on {day} at {at}?",),
            (f"{asset.symbol} under {amount} on {day}, {at}?",),
        )
    return style.pick(
        (
            f"Will the price of {asset.name} be {amount} or above on {day} at {at}?",
            f"{asset.name} price {amount} or above on {day}, {at}?",
        ),
        (
            f"{asset.symbol} at or over {amount} on {day} ({at})?",
            f"Will {asset.symbol} trade no lower than {amount} at {at} on {day}?",
        ),
    )


def _description(subject: Threshold, amount: str, at: str) -> str:
    asset, day = subject.asset, dates.long(subject.day)
    if subject.exchange:
        rule = (
            f'the final "Close" price of the {subject.exchange} one-minute candle for '
            f"{asset.symbol}/USDT that begins at {at} on {day}"
        )
    elif subject.is_touch:
        rule = (
            f"any one-second value of the {asset.name} reference index ({asset.symbol}-RR) between "
            f"this market's creation and {at} on {day}"
        )
    else:
        rule = (
            f"the {asset.name} reference index ({asset.symbol}-RR), averaged over the sixty "
            f"seconds before {at} on {day},"
        )
    size = f"below {amount}" if subject.is_below else f"{amount} or higher"
    return (
        f'This market will resolve to "Yes" if {rule} is {size}. Otherwise, this market will '
        'resolve to "No".\n\nThe resolution source is the reference named above; prices of other '
        "venues will not be considered."
    )
