"""One winner of many: elections, party nominations and awards."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

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
    LAST_NAMES,
    PLACES,
    code,
    initials,
    person,
    place,
    slug,
    title,
    words,
)

# Office, its adjective, its short form for far wordings, the office an altered subject asks for.
OFFICES = (
    ("mayor", "mayoral", "city hall", "deputy mayor"),
    ("governor", "gubernatorial", "governorship", "lieutenant governor"),
    ("senator", "Senate", "Senate seat", "state senator"),
    ("attorney general", "attorney general", "AG", "solicitor general"),
    ("county executive", "county executive", "county exec", "county treasurer"),
)
PARTIES = ("", "Democratic", "Republican")  # "" is the general election


@dataclass(frozen=True, slots=True)
class Race:
    place: str
    office: tuple[str, str, str, str]
    party: str
    day: date  # of the election or the primary
    candidates: tuple[str, ...]
    is_sworn_in: bool = False  # the rules ask for the oath, not for the call
    is_primary: bool = False  # the primary's winner, not the nominee
    is_twin_office: bool = False


def _people(draw: Draw, count: int) -> tuple[str, ...]:
    """Different people with different last names."""
    start = draw.rng.randrange(len(LAST_NAMES))
    step = 104 * 7 + 5  # another first name and another last name each time
    first = draw.rng.randrange(600)
    return tuple(person(first + start + step * n) for n in range(count))


def suffixes(names: Sequence[str]) -> list[str]:
    """A ticker suffix a name, numbered where two names share their initials."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        short = initials(name) if len(name.split()) > 1 else code(name)[:5]
        seen[short] = seen.get(short, 0) + 1
        result.append(short if seen[short] == 1 else f"{short}{seen[short]}")
    return result


class Elections(Family[Race]):
    """Candidate × office × place × year. Polymarket lists placeholders beside the candidates."""

    name = "elections"
    shape = Shape.EXCLUSIVE
    polymarket_fees = "politics"
    sizes = (3, 8)
    extras = 3

    def draw(self, draw: Draw) -> Race:
        turn = draw.serial // PLACES
        number = draw.scatter(draw.serial, PLACES)
        office = OFFICES[(number + turn) % len(OFFICES)]
        party = PARTIES[(number // 7 + turn // len(OFFICES)) % len(PARTIES)]
        year = draw.today.year + 1 + (draw.today.year + 1) % 2 + 2 * (turn // 15)
        return Race(
            place(number),
            office,
            party,
            date(year, 6, 2) if party else date(year, 11, 3),
            _people(draw, draw.size),
        )

    def alter(self, rng: random.Random, subject: Race) -> Alteration[Race]:
        change = rng.choice(("date", "office", "wording" if subject.party else "rules"))
        if change == "date":
            day = subject.day.replace(year=subject.day.year + 1)
            return Alteration(replace(subject, day=day), change, Relation.SIMILAR)
        if change == "office":
            return Alteration(replace(subject, is_twin_office=True), "subject", Relation.SIMILAR)
        if change == "rules":
            sworn_in = replace(subject, is_sworn_in=True)
            return Alteration(sworn_in, change, Relation.POLYMARKET_IMPLIES)
        return Alteration(replace(subject, is_primary=True), change, Relation.SIMILAR)

    def kalshi(self, subject: Race, style: Style, count: int) -> KalshiEventDraft:
        office, adjective, _, _ = subject.office
        where, year = subject.place, subject.day.year
        if subject.party:
            series = f"KX{code(office)}NOM{subject.party[0]}{code(where)}"
            event_title = f"{subject.party} nominee for {office} of {where} in {year}?"
            market_title = f"Will {{name}} be the {subject.party} nominee for {office} of {where}?"
            rule = (
                f"is chosen as the {subject.party} nominee for {office} of {where} in the primary"
            )
        else:
            series = f"KX{code(office)}{code(where)}"
            event_title = f"Who will win the {year} {where} {adjective} election?"
            market_title = f"Will {{name}} win the {year} {where} {adjective} election?"
            rule = f"wins the election for {office} of {where}"
        names = subject.candidates[:count]
        markets = [
            KalshiMarketDraft(
                suffix=suffix,
                title=event_title if style.variant % 3 == 0 else market_title.format(name=name),
                yes_sub_title=name,
                rules_primary=(
                    f"If {name} {rule} held on {dates.short(subject.day)} (ET), then the market "
                    "resolves to Yes."
                ),
                rules_secondary=(
                    "The result as certified by the election authority decides. Taking the office "
                    "is not required."
                ),
                ends_at=dates.eastern(subject.day, 24),
                strike_type="custom",
                custom_strike={"Candidate": name},
            )
            for name, suffix in zip(names, suffixes(names), strict=True)
        ]
        return KalshiEventDraft(
            series_ticker=series,
            series_title=event_title.replace(f" {year}", "").replace(f" in {year}", ""),
            event_ticker=f"{series}-{dates.ticker_month(subject.day)}",
            title=event_title,
            sub_title=f"In {year}",
            category="Elections",
            frequency="custom",
            tags=("US Elections", where),
            source=(f"{where} Election Authority", "https://elections.example/"),
            is_exclusive=True,
            markets=markets,
        )

    def polymarket(
        self, subject: Race, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        office, adjective, short_office, twin = subject.office
        if subject.is_twin_office:
            office = adjective = short_office = twin
        where, year, party = subject.place, subject.day.year, subject.party
        if subject.is_primary:
            event_title = f"{where} {party} {adjective} primary winner ({year})"
            question = f"Will {{name}} win the {year} {party} primary for {where} {office}?"
            rule = f"gets the most votes of all in the {party} primary for {office} of {where}"
        elif party:
            event_title = f"{where} {adjective} {party} nominee ({year})"
            question = style.pick(
                (f"Will {{name}} be the {party} nominee for {where} {office} in {year}?",),
                (
                    f"{{name}} gets {where} {short_office} {party} nomination in {year}?",
                    f"Will {{name}} win the {year} {party} nomination for {where} {short_office}?",
                ),
            )
            rule = f"is chosen as the {party} nominee for {office} of {where} in the primary"
        else:
            event_title = f"{where} {adjective} election winner ({year})"
            question = style.pick(
                (
                    f"Will {{name}} win the {where} {adjective} election in {year}?",
                    f"{{name}} wins {year} {where} {adjective} election?",
                ),
                (
                    f"{{name}} elected {where} {office} in {year}?",
                    f"{where} {short_office}: {{name}} victorious in {year}?",
                ),
            )
            rule = f"wins the election for {office} of {where}"
        proviso = (
            f"{{name}} must also have been sworn in as {office} within 90 days of the vote."
            if subject.is_sworn_in
            else "The certified result decides; whether the winner takes the office does not "
            "matter."
        )
        names = [subject.candidates[number] for number in numbers]
        letter = chr(ord("A") + style.variant % 4)
        names += ["Other", f"Placeholder {style.variant % 9 + 1}", f"Person {letter}"][:extras]
        markets = [
            PolymarketMarketDraft(
                slug=slug(question.format(name=name)),
                question=question.format(name=name),
                group_item_title=name,
                description=(
                    f'This market will resolve to "Yes" if {name} {rule} held on '
                    f"{dates.long(subject.day)} (ET). Otherwise, this market will resolve to "
                    f'"No".\n\n{proviso.format(name=name)}'
                ),
                ends_at=dates.eastern(subject.day, 24),
                is_placeholder=position >= len(numbers),
            )
            for position, name in enumerate(names)
        ]
        return PolymarketEventDraft(
            slug=slug(event_title),
            title=event_title,
            description=markets[0].description,
            tags=("Politics", "Elections", where),
            is_neg_risk=True,
            markets=markets,
        )


AWARD_STARTS = words("Silver Golden Crystal Bronze Meridian Royal Pacific Atlas Aurora Summit")
AWARD_ENDS = words("Lantern Laurel Orchid Compass Falcon Quill Pearl Crown")
# Category, its other name, the category an altered subject asks for, whether people are nominated.
PRIZES = (
    ("Best Director", "top director", "Best Debut Director", True),
    ("Best Leading Performance", "lead acting prize", "Best Supporting Performance", True),
    ("Best Original Screenplay", "original script prize", "Best Adapted Screenplay", True),
    ("Best Picture", "top film", "Best International Picture", False),
    ("Album of the Year", "best album", "Song of the Year", False),
    ("Game of the Year", "best video game", "Indie Game of the Year", False),
)


@dataclass(frozen=True, slots=True)
class Award:
    award: str
    prize: tuple[str, str, str, bool]
    day: date  # of the ceremony
    nominees: tuple[str, ...]
    is_twin_prize: bool = False
    is_nomination: bool = False


class Awards(Family[Award]):
    """Nominee × category × year."""

    name = "awards"
    shape = Shape.EXCLUSIVE
    polymarket_fees = "culture"
    sizes = (4, 8)
    extras = 1

    def draw(self, draw: Draw) -> Award:
        awards = len(AWARD_STARTS) * len(AWARD_ENDS)
        turn, number = divmod(draw.serial, awards)
        start, end = divmod(draw.scatter(number, awards), len(AWARD_ENDS))
        prize = PRIZES[(turn + start + end) % len(PRIZES)]
        year = draw.today.year + 1 + (draw.today.year + 1) % 2 + 2 * (turn // len(PRIZES))
        works = draw.rng.randrange(800)
        return Award(
            f"{AWARD_STARTS[start]} {AWARD_ENDS[end]} Awards",
            prize,
            date(year, 3, 1 + draw.rng.randrange(28)),
            _people(draw, draw.size)
            if prize[3]
            else tuple(title(works + 31 * n) for n in range(draw.size)),
        )

    def alter(self, rng: random.Random, subject: Award) -> Alteration[Award]:
        change = rng.choice(("date", "metric", "wording"))
        if change == "date":
            day = subject.day.replace(year=subject.day.year + 1)
            return Alteration(replace(subject, day=day), change, Relation.SIMILAR)
        if change == "metric":
            return Alteration(replace(subject, is_twin_prize=True), change, Relation.SIMILAR)
        return Alteration(replace(subject, is_nomination=True), change, Relation.KALSHI_IMPLIES)

    def kalshi(self, subject: Award, style: Style, count: int) -> KalshiEventDraft:
        prize, year = subject.prize[0], subject.day.year
        series = f"KX{code(subject.award[:-7])}{code(prize)}"
        names = subject.nominees[:count]
        event_title = f"{prize} at the {year} {subject.award}?"
        markets = [
            KalshiMarketDraft(
                suffix=suffix,
                title=f"Will {name} win {prize} at the {year} {subject.award}?",
                yes_sub_title=name,
                rules_primary=(
                    f"If {name} wins {prize} at the {year} {subject.award}, held on "
                    f"{dates.short(subject.day)} (ET), then the market resolves to Yes."
                ),
                rules_secondary=(
                    "If the prize is shared, the name that comes first in the alphabet wins."
                ),
                ends_at=dates.eastern(subject.day, 24),
                strike_type="custom",
                custom_strike={"Nominee": name},
            )
            for name, suffix in zip(names, suffixes(names), strict=True)
        ]
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f"{subject.award}: {prize}",
            event_ticker=f"{series}-{dates.ticker_month(subject.day)}",
            title=event_title,
            sub_title=f"In {year}",
            category="Entertainment",
            frequency="annual",
            tags=("Awards",),
            source=(subject.award, "https://awards.example/"),
            is_exclusive=True,
            markets=markets,
        )

    def polymarket(
        self, subject: Award, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        prize, short_prize, twin, _ = subject.prize
        if subject.is_twin_prize:
            prize = short_prize = twin
        award, year = subject.award, subject.day.year
        short_award = award.removesuffix(" Awards") + "s"
        if subject.is_nomination:
            event_title = f"{award} {year}: {prize} nominations"
            question = f"Will {{name}} be nominated for {prize} at the {year} {award}?"
            rule = f"is among the nominees for {prize} at the {year} {award}"
        else:
            event_title = f"{award} {year}: {prize} winner"
            question = style.pick(
                (
                    f"{{name}} wins {prize} at {year} {award}?",
                    f"Will {{name}} win {prize} at the {award} in {year}?",
                ),
                (
                    f"{short_award} {year}: {{name}} takes {short_prize}?",
                    f"Will {short_prize} go to {{name}} at the {year} {short_award}?",
                ),
            )
            rule = f"wins {prize} at the {year} {award}"
        names = [subject.nominees[number] for number in numbers]
        names += ["Other"][:extras]
        markets = [
            PolymarketMarketDraft(
                slug=slug(question.format(name=name)),
                question=question.format(name=name),
                group_item_title=name,
                description=(
                    f'This market will resolve to "Yes" if {name} {rule}, held on '
                    f"{dates.long(subject.day)} (ET). Otherwise, this market will resolve to "
                    '"No".\n\nA shared prize goes to the name that comes first in the alphabet.'
                ),
                ends_at=dates.eastern(subject.day, 24),
                is_placeholder=position >= len(numbers),
            )
            for position, name in enumerate(names)
        ]
        return PolymarketEventDraft(
            slug=slug(event_title),
            title=event_title,
            description=markets[0].description,
            tags=("Pop Culture", "Awards"),
            is_neg_risk=not subject.is_nomination,
            markets=markets,
        )
