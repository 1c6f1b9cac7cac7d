"""Will it happen before a date? A ladder of deadlines, one market a date.

Kalshi says "before Jan 1, 2027" where Polymarket says "by December 31, 2026": the same instant.
"""

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
from ingestion.simulator.vocabulary import (
    COMPANIES,
    COUNTRIES,
    PLACES,
    TWIN_LAST_NAMES,
    code,
    company,
    person,
    place,
    slug,
)


@dataclass(frozen=True, slots=True)
class Action:
    """How an action is worded. `{who}`, `{company}`, `{country}` and `{place}` are filled in."""

    code: str
    category: str
    tag: str
    fee: str
    kalshi: str  # after "Will": "X leave as CEO of Y"
    near: tuple[str, ...]  # Polymarket questions up to the date
    far: tuple[str, ...]
    effect: str  # the rules: what has to have happened
    announcement: str  # the altered rules: what is enough
    opposite: str = ""  # a question whose No is the proposition, up to the date


ACTIONS = (
    Action(
        "CEOOUT",
        "Companies",
        "Business",
        "finance",
        "{who} leave as CEO of {company}",
        ("{who} leaves as CEO of {company}", "Will {who} leave as {company} CEO"),
        ("{who} out as chief executive of {company}", "{company} boss {who} gone"),
        "{who} no longer holds the position of Chief Executive Officer of {company}",
        "{company} or {who} announces that {who} will cease to be Chief Executive Officer",
        "Will {who} remain CEO of {company} through",
    ),
    Action(
        "IPO",
        "Companies",
        "IPOs",
        "finance",
        "{company} hold an IPO",
        ("{company} IPO", "Will {company} hold its IPO"),
        ("Will {company} go public", "{company} stock market debut"),
        "shares of {company} have begun trading on a stock exchange after an initial public "
        "offering",
        "{company} publicly announces that it has filed for an initial public offering",
        "Will {company} stay private through",
    ),
    Action(
        "VISIT",
        "Politics",
        "Geopolitics",
        "geopolitics",
        "{who} visit {country}",
        ("{who} visits {country}", "Will {who} visit {country}"),
        ("{who} in {country}", "Will {who} travel to {country}"),
        "{who} is physically present within the borders of {country}",
        "an official visit of {who} to {country} is announced by either government",
    ),
    Action(
        "RECOGNIZE",
        "World",
        "Geopolitics",
        "geopolitics",
        "the United States recognize {who} as the leader of {country}",
        ("US recognizes {who} as leader of {country}",),
        ("Washington accepts {who} as head of {country}",),
        "the government of the United States officially recognizes {who} as the leader of "
        "{country}",
        "a spokesperson of the United States says that {who} will be recognized as the leader of "
        "{country}",
    ),
    Action(
        "RESIGN",
        "Politics",
        "Politics",
        "politics",
        "{who} resign as mayor of {place}",
        ("{who} resigns as mayor of {place}", "Will {who} resign as {place} mayor"),
        ("{place} mayor {who} quits", "Will {who} step down as head of {place} city hall"),
        "{who} has resigned and no longer holds the office of mayor of {place}",
        "{who} announces the intention to resign as mayor of {place}",
        "Will {who} still be mayor of {place} on",
    ),
    Action(
        "ACQUIRED",
        "Companies",
        "Business",
        "finance",
        "{company} be acquired",
        ("{company} acquired", "Will {company} be acquired"),
        ("{company} takeover completed", "Will {company} be bought"),
        "the acquisition of a majority of {company} by another company has closed",
        "an agreement to acquire a majority of {company} is announced",
    ),
    Action(
        "INDICT",
        "Politics",
        "Courts",
        "politics",
        "{who} be indicted in {place}",
        ("{who} indicted in {place}", "Will {who} be indicted in {place}"),
        ("{place} grand jury charges {who}",),
        "a grand jury in {place} has returned an indictment of {who}",
        "a prosecutor in {place} announces that charges against {who} will be sought",
    ),
    Action(
        "TRADEDEAL",
        "World",
        "Geopolitics",
        "geopolitics",
        "{country} sign a trade agreement with {place}",
        ("{country} signs a trade agreement with {place}",),
        ("{country}-{place} trade pact inked", "{country} and {place} trade deal signed"),
        "{country} and {place} have signed a trade agreement",
        "{country} and {place} announce that they have agreed on the terms of a trade agreement",
    ),
    Action(
        "LAUNCH",
        "Science and Technology",
        "Tech",
        "tech",
        "{company} launch a satellite",
        ("{company} launches a satellite", "Will {company} launch a satellite"),
        ("{company} satellite in orbit", "First {company} spacecraft sent up"),
        "a satellite owned by {company} has reached orbit",
        "{company} announces a date for the launch of a satellite",
    ),
    Action(
        "ENGAGED",
        "Entertainment",
        "Culture",
        "culture",
        "{who} get married",
        ("{who} gets married", "Will {who} get married"),
        ("{who} wedding", "Will {who} tie the knot"),
        "{who} is legally married",
        "an engagement of {who} is publicly announced",
        "Will {who} stay unmarried through",
    ),
)


@dataclass(frozen=True, slots=True)
class Deadline:
    action: Action
    who: str
    company: str
    country: str
    place: str
    deadlines: tuple[date, ...]  # it has to happen before the first moment of these days
    is_announcement: bool = False
    is_opposite: bool = False

    def fill(self, template: str) -> str:
        return template.format(
            who=self.who, company=self.company, country=self.country, place=self.place
        )


class Deadlines(Family[Deadline]):
    """`Will X leave as CEO of Y before Jan 1, 2027?`, one market a date."""

    name = "deadlines"
    shape = Shape.ASCENDING
    sizes = (1, 4)

    def draw(self, draw: Draw) -> Deadline:
        action = ACTIONS[draw.serial % len(ACTIONS)]
        number = draw.serial // len(ACTIONS)
        first = dates.next_month(draw.today + timedelta(days=5), 1 + draw.rng.randrange(3))
        step = draw.rng.choice((1, 2, 3, 6))
        return Deadline(
            action,
            who=person(_scattered(draw, number, 6_000)),
            company=company(_scattered(draw, number, COMPANIES)),
            country=COUNTRIES[draw.scatter(number, len(COUNTRIES))],
            place=place(_scattered(draw, number, PLACES)),
            deadlines=tuple(dates.next_month(first, step * n) for n in range(draw.size)),
            is_opposite=bool(action.opposite) and draw.rng.random() < 0.25,
        )

    def alter(self, rng: random.Random, subject: Deadline) -> Alteration[Deadline]:
        subject = replace(subject, is_opposite=False)
        change = rng.choice(("date", "subject", "rules"))
        if change == "date":
            later = tuple(day + timedelta(days=14) for day in subject.deadlines)
            later_subject = replace(subject, deadlines=later)
            return Alteration(later_subject, change, Relation.KALSHI_IMPLIES, is_between=True)
        if change == "subject":
            return Alteration(_namesake(rng, subject), change, Relation.SIMILAR)
        return Alteration(replace(subject, is_announcement=True), change, Relation.SIMILAR)

    def kalshi(self, subject: Deadline, style: Style, count: int) -> KalshiEventDraft:
        action = subject.action
        phrase = subject.fill(action.kalshi)
        series = f"KX{action.code}{_name_code(subject)}"
        last = subject.deadlines[count - 1]
        markets = [
            KalshiMarketDraft(
                suffix=dates.ticker_day(day),
                title=f"Will {phrase} before {dates.short(day)}?",
                yes_sub_title=f"Before {dates.short(day)}",
                rules_primary=(
                    f"If {subject.fill(action.effect)} after Issuance and before 12:00 AM ET on "
                    f"{dates.short(day)}, then the market resolves to Yes."
                ),
                rules_secondary=(
                    "<p>An announcement alone does not count: the event itself has to happen in "
                    'the period.</p>\n<p>See the <a href="https://rules.example/">rulebook</a> '
                    "&amp; its definitions.</p>"
                    if style.variant % 4 == 0
                    else "An announcement alone does not count: the event itself has to happen in "
                    "the period."
                ),
                ends_at=dates.eastern(day, 0),
            )
            for day in subject.deadlines[:count]
        ]
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f"Will {phrase}?",
            event_ticker=f"{series}-{dates.ticker_day(last)}",
            title=f"Will {phrase}?" if count > 1 else markets[0].title,
            sub_title=f"Before {dates.short(last)}",
            category=action.category,
            frequency="one_off",
            tags=(action.tag,),
            source=("The Daily Ledger", "https://ledger.example/"),
            is_exclusive=False,
            markets=markets,
        )

    def polymarket(
        self, subject: Deadline, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        action = subject.action
        if subject.is_opposite:
            phrase, joint = subject.fill(action.opposite), ""
        else:
            phrase, joint = subject.fill(style.pick(action.near, action.far)), " by"
        markets = []
        for number in numbers:
            last = subject.deadlines[number] - timedelta(days=1)
            question = f"{phrase}{joint} {dates.long(last)}?"
            markets.append(
                PolymarketMarketDraft(
                    slug=slug(question),
                    question=question,
                    group_item_title=dates.long(last),
                    description=_description(subject, last),
                    ends_at=dates.eastern(last, 24),
                    yes_index=1 if subject.is_opposite else 0,
                )
            )
        return PolymarketEventDraft(
            slug=slug(f"{phrase}{joint} {dates.month_year(subject.deadlines[numbers[0]])}"),
            title=f"{phrase}{joint} ___?" if len(numbers) > 1 else markets[0].question,
            description=markets[0].description,
            tags=(action.tag, action.category),
            is_neg_risk=False,
            markets=markets,
        )

    def fee_category(self, subject: Deadline) -> str:
        return subject.action.fee


def _scattered(draw: Draw, number: int, capacity: int) -> int:
    """The number, scattered within its own round of `capacity`."""
    return draw.scatter(number, capacity) + number // capacity * capacity


def _name_code(subject: Deadline) -> str:
    """What makes the series of a subject unique: its names, without blanks."""
    pattern = subject.action.kalshi
    parts = [
        code(value)
        for key, value in (
            ("{who}", subject.who),
            ("{company}", subject.company),
            ("{country}", subject.country),
            ("{place}", subject.place),
        )
        if key in pattern
    ]
    return "".join(parts)


def _namesake(rng: random.Random, subject: Deadline) -> Deadline:
    """The same with another person, company or place of a similar name."""
    pattern = subject.action.kalshi
    if "{who}" in pattern:
        first = subject.who.split()[0]
        return replace(subject, who=f"{first} {rng.choice(TWIN_LAST_NAMES)}")
    if "{company}" in pattern:
        return replace(subject, company=f"{subject.company.split()[0]} Holdings")
    return replace(subject, place=f"New {subject.place}")


def _description(subject: Deadline, last: date) -> str:
    action = subject.action
    happened = subject.fill(action.announcement if subject.is_announcement else action.effect)
    yes, no = ("No", "Yes") if subject.is_opposite else ("Yes", "No")
    proviso = (
        "An announcement is sufficient, whether or not it is carried out in time."
        if subject.is_announcement
        else "An announcement by itself is not sufficient: the event has to take place in the "
        "period."
    )
    return (
        f'This market will resolve to "{yes}" if {happened} between market creation and '
        f'{dates.long(last)}, 11:59 PM ET. Otherwise, this market will resolve to "{no}".\n\n'
        f"{proviso}\n\nThe resolution source will be a consensus of credible reporting."
    )
