"""Central-bank decisions and economic prints."""

import random
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

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
from ingestion.simulator.vocabulary import COUNTRIES, COUNTRY_CODES, slug

# Suffix, Kalshi's words, Polymarket's near and far words, what the altered, wider subject asks for.
MOVES = (
    (
        "C25",
        "cut rates by 25 basis points",
        "decrease interest rates by 25 bps",
        "25 bps rate cut",
        "decrease interest rates by any amount",
    ),
    (
        "C50",
        "cut rates by 50 basis points or more",
        "decrease interest rates by 50+ bps",
        "jumbo (50+ bps) rate cut",
        "decrease interest rates by at least 25 bps",
    ),
    (
        "H0",
        "leave rates unchanged",
        "make no change to interest rates",
        "rates on hold",
        "not increase interest rates",
    ),
    (
        "H25",
        "hike rates by 25 basis points",
        "increase interest rates by 25 bps",
        "25 bps rate rise",
        "increase interest rates by any amount",
    ),
    (
        "H50",
        "hike rates by 50 basis points or more",
        "increase interest rates by 50+ bps",
        "jumbo (50+ bps) rate rise",
        "increase interest rates by at least 25 bps",
    ),
)


def _even_month(today: date, turn: int) -> date:
    """The first day of an even month, `turn` even months from the next one on."""
    first = dates.next_month(today, 1)
    return dates.next_month(first, first.month % 2 + 2 * turn)


@dataclass(frozen=True, slots=True)
class Meeting:
    country: int  # index of COUNTRIES
    month: date
    day: date  # of the decision
    is_wider: bool = False
    is_effect: bool = False  # when the rate applies instead of when it is announced

    @property
    def bank(self) -> str:
        return f"Central Bank of {COUNTRIES[self.country]}"


class RateDecisions(Family[Meeting]):
    """What a central bank does at a meeting: five moves that exclude each other."""

    name = "rate_decisions"
    shape = Shape.EXCLUSIVE
    polymarket_fees = "economics"
    sizes = (3, 5)

    def draw(self, draw: Draw) -> Meeting:
        turn, number = divmod(draw.serial, len(COUNTRIES))
        month = _even_month(draw.today, turn)
        day = month.replace(day=10 + draw.rng.randrange(15))
        return Meeting(draw.scatter(number, len(COUNTRIES)), month, day)

    def alter(self, rng: random.Random, subject: Meeting) -> Alteration[Meeting]:
        change = rng.choice(("date", "wording", "rules"))
        if change == "date":
            month = dates.next_month(subject.month)
            moved = replace(subject, month=month, day=month.replace(day=subject.day.day))
            return Alteration(moved, change, Relation.SIMILAR)
        if change == "wording":
            return Alteration(replace(subject, is_wider=True), change, Relation.KALSHI_IMPLIES)
        return Alteration(replace(subject, is_effect=True), change, Relation.SIMILAR)

    def kalshi(self, subject: Meeting, style: Style, count: int) -> KalshiEventDraft:
        series = f"KX{COUNTRY_CODES[subject.country]}DECISION"
        when = dates.month_year(subject.month)
        markets = [
            KalshiMarketDraft(
                suffix=suffix,
                title=f"Will the {subject.bank} {words} at its {when} meeting?",
                yes_sub_title=words[0].upper() + words[1:],
                rules_primary=(
                    f"If the {subject.bank} announces at its meeting that ends on "
                    f"{dates.short(subject.day)} (local date) a decision to {words}, then the "
                    "market resolves to Yes."
                ),
                rules_secondary=(
                    "The change of the main policy rate against its level before the meeting "
                    "counts. A change between two brackets is rounded up to the next 25 basis "
                    "points."
                ),
                ends_at=dates.eastern(subject.day, 14),
                strike_type="custom",
                custom_strike={"Action": words},
            )
            for suffix, words, *_ in MOVES[:count]
        ]
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f"{subject.bank} decision",
            event_ticker=f"{series}-{dates.ticker_month(subject.month)}",
            title=f"{subject.bank} decision in {when}?",
            sub_title=f"In {when}",
            category="Economics",
            frequency="custom",
            tags=("Interest rates",),
            source=(subject.bank, "https://centralbank.example/"),
            is_exclusive=True,
            markets=markets,
        )

    def polymarket(
        self, subject: Meeting, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        country, when = COUNTRIES[subject.country], dates.month_year(subject.month)
        markets = []
        for number in numbers:
            _, _, near, far, wider = MOVES[number]
            words = wider if subject.is_wider else near
            if style.is_far and not subject.is_wider:
                question = f"{country}: {far} at the {when} central bank meeting?"
            else:
                question = f"Will the {subject.bank} {words} after its {when} meeting?"
            if subject.is_effect:
                event = (
                    f"the main policy rate of the {subject.bank} in force at the end of {when} "
                    f"shows that the bank did {words}"
                )
            else:
                event = (
                    f"the {subject.bank} decides to {words} at its meeting that ends on "
                    f"{dates.long(subject.day)} (local date)"
                )
            markets.append(
                PolymarketMarketDraft(
                    slug=slug(question),
                    question=question,
                    group_item_title=words,
                    description=(
                        f'This market will resolve to "Yes" if {event}. Otherwise, this market '
                        'will resolve to "No".\n\nThe change of the main policy rate against its '
                        "level before the meeting counts; a change between two brackets is rounded "
                        "up to the next 25 bps."
                    ),
                    ends_at=dates.eastern(subject.day, 14),
                )
            )
        return PolymarketEventDraft(
            slug=slug(f"{subject.bank} decision {when}"),
            title=f"{subject.bank} decision in {dates.MONTHS[subject.month.month - 1]}?",
            description=markets[0].description,
            tags=("Economy", "Interest Rates", country),
            is_neg_risk=not subject.is_wider,
            markets=markets,
            series=(slug(f"{country} central bank"), subject.bank),
        )


# Ticker, name, near and far wording, the metric an altered subject asks for, lowest level, step.
INDICATORS = (
    ("CPIYOY", "annual CPI inflation", "CPI year-over-year", "annual core CPI inflation", "1.8"),
    ("UNEMP", "the unemployment rate", "joblessness", "the youth unemployment rate", "3.2"),
    ("GDP", "annual GDP growth", "GDP year-over-year", "quarterly GDP growth", "0.4"),
    (
        "RETAIL",
        "annual retail sales growth",
        "retail sales YoY",
        "monthly retail sales growth",
        "0.6",
    ),
)
STEP = Decimal("0.2")


@dataclass(frozen=True, slots=True)
class Print:
    country: int
    indicator: tuple[str, str, str, str, str]
    month: date
    levels: tuple[Decimal, ...]
    comparison: str = "above"  # or "exactly", "at least" where altered
    is_twin_metric: bool = False


class Prints(Family[Print]):
    """`CPI above 3.0% in October 2026`, one market a level."""

    name = "prints"
    shape = Shape.DESCENDING
    polymarket_fees = "economics"
    sizes = (3, 8)

    def draw(self, draw: Draw) -> Print:
        subjects = len(COUNTRIES) * len(INDICATORS)
        turn, number = divmod(draw.serial, subjects)
        country, indicator = divmod(draw.scatter(number, subjects), len(INDICATORS))
        lowest = Decimal(INDICATORS[indicator][4]) + STEP * draw.rng.randrange(6)
        return Print(
            country,
            INDICATORS[indicator],
            _even_month(draw.today, turn),
            tuple(lowest + STEP * n for n in range(draw.size)),
        )

    def alter(self, rng: random.Random, subject: Print) -> Alteration[Print]:
        change = rng.choice(("date", "comparison", "comparison", "metric"))
        if change == "date":
            moved = replace(subject, month=dates.next_month(subject.month))
            return Alteration(moved, change, Relation.SIMILAR)
        if change == "metric":
            return Alteration(replace(subject, is_twin_metric=True), change, Relation.SIMILAR)
        if rng.random() < 0.5:
            return Alteration(replace(subject, comparison="exactly"), change, Relation.EXCLUSIVE)
        weaker = replace(subject, comparison="at least")
        return Alteration(weaker, change, Relation.KALSHI_IMPLIES, is_between=True)

    def kalshi(self, subject: Print, style: Style, count: int) -> KalshiEventDraft:
        symbol, metric, *_ = subject.indicator
        country, when = COUNTRIES[subject.country], dates.month_year(subject.month)
        series = f"KX{symbol}{COUNTRY_CODES[subject.country]}"
        released = dates.next_month(subject.month).replace(day=15)
        markets = [
            KalshiMarketDraft(
                suffix=f"T{level}",
                title=f"Will {metric} in {country} be above {level}% in {when}?",
                yes_sub_title=f"Above {level}%",
                no_sub_title=f"{level}% or below",
                rules_primary=(
                    f"If {metric} in {country} for {when} is above {level}%, then the market "
                    "resolves to Yes."
                ),
                rules_secondary=(
                    "The first figure that the national statistics office publishes counts, with "
                    f"one decimal; it is expected on {dates.short(released)} (local date). Later "
                    "revisions do not count."
                ),
                ends_at=dates.eastern(released, 9),
                strike_type="greater",
                floor_strike=float(level),
            )
            for level in subject.levels[:count]
        ]
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f"{country}: {metric}",
            event_ticker=f"{series}-{dates.ticker_month(subject.month)}",
            title=f"{country}: {metric} in {when}?",
            sub_title=f"In {when}",
            category="Economics",
            frequency="monthly",
            tags=("Growth" if symbol == "GDP" else "Inflation",),
            source=(f"Statistics {country}", "https://statistics.example/"),
            is_exclusive=False,
            markets=markets,
        )

    def polymarket(
        self, subject: Print, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        _, metric, short_metric, twin, _ = subject.indicator
        if subject.is_twin_metric:
            metric = short_metric = twin
        country, when = COUNTRIES[subject.country], dates.month_year(subject.month)
        released = dates.next_month(subject.month).replace(day=15)
        markets = []
        for number in numbers:
            level = subject.levels[number]
            if subject.comparison == "above":
                size = f"above {level}%"
                question = style.pick(
                    (
                        f"Will {metric} in {country} be above {level}% in {when}?",
                        f"{country}: {metric} above {level}% in {when}?",
                    ),
                    (f"{country} {short_metric} more than {level}% for {when}?",),
                )
            else:
                size = f"{subject.comparison} {level}%"
                question = f"Will {metric} in {country} be {size} in {when}?"
            markets.append(
                PolymarketMarketDraft(
                    slug=slug(question.replace(".", "pt")),
                    question=question,
                    group_item_title=size,
                    description=(
                        f'This market will resolve to "Yes" if {metric} in {country} for {when} '
                        f'is {size}. Otherwise, this market will resolve to "No".\n\nThe first '
                        "figure published by the national statistics office, expected on "
                        f"{dates.long(released)} (local date), will be used, with one decimal. "
                        "Later revisions will not be considered."
                    ),
                    ends_at=dates.eastern(released, 9),
                )
            )
        return PolymarketEventDraft(
            slug=slug(f"{country} {metric} {when}"),
            title=f"{country}: {metric} in {when}",
            description=markets[0].description,
            tags=("Economy", country),
            is_neg_risk=False,
            markets=markets,
        )
