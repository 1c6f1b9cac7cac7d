"""Chart positions of albums and box-office counts of films."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

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
from ingestion.simulator.vocabulary import TWIN_LAST_NAMES, code, person, slug, title

RANKS = (1, 3, 5, 10, 20, 40)
WIDER_RANKS = (2, 4, 8, 15, 30, 50)


@dataclass(frozen=True, slots=True)
class Album:
    title: str
    artist: str
    week: date  # of the chart
    ranks: tuple[int, ...]


class AlbumCharts(Family[Album]):
    """`Will "X" debut in the top 5 of the Album 200?`, one market a rank."""

    name = "albums"
    shape = Shape.ASCENDING
    polymarket_fees = "culture"
    sizes = (2, 5)

    def draw(self, draw: Draw) -> Album:
        week = dates.even_day(draw.today + timedelta(days=7 + 2 * draw.rng.randrange(20)))
        number = draw.scatter(draw.serial, 6_000)
        return Album(_title(draw), person(number), week, RANKS[: draw.size])

    def alter(self, rng: random.Random, subject: Album) -> Alteration[Album]:
        change = rng.choice(("strike", "date", "subject"))
        if change == "strike":
            wider = replace(subject, ranks=WIDER_RANKS[: len(subject.ranks)])
            return Alteration(wider, change, Relation.KALSHI_IMPLIES, is_between=True)
        if change == "date":
            later = replace(subject, week=subject.week + timedelta(days=7))
            return Alteration(later, change, Relation.EXCLUSIVE)  # an album debuts once
        artist = f"{subject.artist.split()[0]} {rng.choice(TWIN_LAST_NAMES)}"
        return Alteration(replace(subject, artist=artist), change, Relation.SIMILAR)

    def kalshi(self, subject: Album, style: Style, count: int) -> KalshiEventDraft:
        series = f"KXALBUM{code(subject.title)}"
        week = dates.short(subject.week)
        markets = [
            KalshiMarketDraft(
                suffix=f"TOP{rank}",
                title=f'Will "{subject.title}" by {subject.artist} debut {_rank(rank)} of the '
                f"Album 200 dated {week}?",
                yes_sub_title=_rank(rank).removeprefix("in the ").removeprefix("at ").capitalize(),
                rules_primary=(
                    f'If "{subject.title}" by {subject.artist} debuts {_rank(rank)} of the Album '
                    f"200 chart dated {week} (ET), then the market resolves to Yes."
                ),
                rules_secondary="Re-entries and other charts do not count.",
                ends_at=dates.eastern(subject.week, 12),
                strike_type="less_or_equal",
                cap_strike=rank,
            )
            for rank in subject.ranks[:count]
        ]
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f'Debut of "{subject.title}"',
            event_ticker=f"{series}-{dates.ticker_day(subject.week)}",
            title=f'Where will "{subject.title}" debut on the Album 200?',
            sub_title=f"Chart dated {week}",
            category="Entertainment",
            frequency="one_off",
            tags=("Music charts",),
            source=("Album 200", "https://charts.example/"),
            is_exclusive=False,
            markets=markets,
        )

    def polymarket(
        self, subject: Album, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        week = dates.long(subject.week)
        last_name = subject.artist.split()[-1]
        work = f'"{subject.title}" by {subject.artist}'
        markets = []
        for number in numbers:
            rank = subject.ranks[number]
            entry = "at the summit" if rank == 1 else f"inside first {rank}"
            question = style.pick(
                (
                    f"Will {work} debut {_rank(rank)} on the Album 200 dated {week}?",
                    f"{work} debuts {_rank(rank)} of Album 200 dated {week}?",
                ),
                (f'{last_name} record "{subject.title}" enters Album 200 {entry} ({week})?',),
            )
            markets.append(
                PolymarketMarketDraft(
                    slug=slug(question),
                    question=question,
                    group_item_title="#1" if rank == 1 else f"Top {rank}",
                    description=(
                        f'This market will resolve to "Yes" if {work} debuts {_rank(rank)} of the '
                        f"Album 200 chart dated {week} (ET). Otherwise, this market will resolve "
                        'to "No".\n\nRe-entries and positions on other charts will not be '
                        "considered."
                    ),
                    ends_at=dates.eastern(subject.week, 12),
                )
            )
        return PolymarketEventDraft(
            slug=slug(f"{subject.title} {subject.artist} album 200 debut {week}"),
            title=f'"{subject.title}" Album 200 debut',
            description=markets[0].description,
            tags=("Pop Culture", "Music"),
            is_neg_risk=False,
            markets=markets,
        )


@dataclass(frozen=True, slots=True)
class Film:
    title: str
    director: str
    weekend: date  # its Sunday
    millions: tuple[int, ...]
    is_worldwide: bool = False


class BoxOffice(Family[Film]):
    """`Will "X" gross above $60 million on its domestic opening weekend?`"""

    name = "box_office"
    shape = Shape.DESCENDING
    polymarket_fees = "culture"
    sizes = (3, 7)

    def draw(self, draw: Draw) -> Film:
        first = draw.today + timedelta(days=7 + 14 * draw.rng.randrange(8))
        weekend = first + timedelta(days=6 - first.weekday())
        lowest = 10 * (1 + draw.rng.randrange(8))
        return Film(
            _title(draw),
            person(draw.scatter(draw.serial, 6_000)),
            weekend,
            tuple(lowest + 10 * n for n in range(draw.size)),
        )

    def alter(self, rng: random.Random, subject: Film) -> Alteration[Film]:
        change = rng.choice(("strike", "metric", "subject"))
        if change == "strike":
            higher = replace(subject, millions=tuple(amount + 5 for amount in subject.millions))
            return Alteration(higher, change, Relation.POLYMARKET_IMPLIES, is_between=True)
        if change == "metric":
            return Alteration(replace(subject, is_worldwide=True), change, Relation.KALSHI_IMPLIES)
        sequel = replace(subject, title=f"{subject.title} Returns")
        return Alteration(sequel, change, Relation.SIMILAR)

    def kalshi(self, subject: Film, style: Style, count: int) -> KalshiEventDraft:
        series = f"KXOPENING{code(subject.title)}"
        weekend = dates.short(subject.weekend)
        markets = [
            KalshiMarketDraft(
                suffix=f"T{amount}",
                title=f'Will "{subject.title}" gross above ${amount} million on its domestic '
                "opening weekend?",
                yes_sub_title=f"Above ${amount} million",
                rules_primary=(
                    f'If the domestic opening weekend of "{subject.title}" by {subject.director}, '
                    f"which ends on {weekend} (ET), grosses above ${amount} million, then the "
                    "market resolves to Yes."
                ),
                rules_secondary="Actual figures count, not the estimates of Sunday.",
                ends_at=dates.eastern(subject.weekend, 24),
                strike_type="greater",
                floor_strike=amount * 1_000_000,
            )
            for amount in subject.millions[:count]
        ]
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f'"{subject.title}" opening weekend',
            event_ticker=f"{series}-{dates.ticker_day(subject.weekend)}",
            title=f'"{subject.title}" domestic opening weekend?',
            sub_title=f"Weekend ending {weekend}",
            category="Entertainment",
            frequency="one_off",
            tags=("Movies",),
            source=("Box Office Register", "https://boxoffice.example/"),
            is_exclusive=False,
            markets=markets,
        )

    def polymarket(
        self, subject: Film, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        weekend = dates.long(subject.weekend)
        area = "worldwide" if subject.is_worldwide else "domestic"
        work = f'"{subject.title}"'
        markets = []
        for number in numbers:
            amount = subject.millions[number]
            question = style.pick(
                (
                    f"Will the {area} opening weekend of {work} gross above ${amount} million?",
                    f'"{subject.title}" {area} opening weekend above ${amount} million?',
                ),
                (f'"{subject.title}" {area} 3-day debut over ${amount}m?',),
            )
            markets.append(
                PolymarketMarketDraft(
                    slug=slug(question),
                    question=question,
                    group_item_title=f">${amount}m",
                    description=(
                        f'This market will resolve to "Yes" if the {area} opening weekend of '
                        f'"{subject.title}" by {subject.director}, which ends on {weekend} (ET), '
                        f"grosses above ${amount} million. Otherwise, this market will resolve to "
                        '"No".\n\nActual figures will be used, not studio estimates.'
                    ),
                    ends_at=dates.eastern(subject.weekend, 24),
                )
            )
        return PolymarketEventDraft(
            slug=slug(f"{subject.title} {area} opening weekend box office"),
            title=f'"{subject.title}" {area} opening weekend box office',
            description=markets[0].description,
            tags=("Pop Culture", "Movies"),
            is_neg_risk=False,
            markets=markets,
        )


def _title(draw: Draw) -> str:
    """A title that no other topic of the family has."""
    part, number = divmod(draw.serial, 900)
    return title(draw.scatter(number, 900) + 900 * part)


def _rank(rank: int) -> str:
    return "at number 1" if rank == 1 else f"in the top {rank}"
