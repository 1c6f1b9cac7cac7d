"""Matches: two siblings of one title on Kalshi against one market with two team names."""

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
from ingestion.simulator.vocabulary import NICKNAMES, TEAM_CITIES, slug

PAIRS = len(TEAM_CITIES) * (len(TEAM_CITIES) - 1) // 2


@dataclass(frozen=True, slots=True)
class League:
    code: str
    sport: str
    name: str
    twin: str  # another league of the same clubs
    ball: str  # what Kalshi's `custom_strike` calls the team


@dataclass(frozen=True, slots=True)
class Team:
    city: str
    nickname: str

    @property
    def full(self) -> str:
        return f"{self.city} {self.nickname}"

    @property
    def code(self) -> str:
        return self.city[:3].upper().replace(" ", "")


@dataclass(frozen=True, slots=True)
class Game:
    league: League
    away: Team
    home: Team
    day: date
    hour: int
    period: str = ""  # "first half" when not the whole match
    rule: str = ""  # what else counts
    is_home_first: bool = False  # the order of the outcomes on Polymarket


LEAGUES = (
    League("NAFL", "football", "North Atlantic Football League", "NAFL Reserves", "football_team"),
    League("PBL", "basketball", "Premier Basketball League", "Women's PBL", "basketball_team"),
    League("IBA", "baseball", "Interstate Baseball Association", "IBA Futures", "baseball_team"),
    League("CHA", "hockey", "Continental Hockey Alliance", "CHA Juniors", "hockey_team"),
    League("NVL", "volleyball", "National Volleyball League", "Women's NVL", "volleyball_team"),
    League("RLU", "lacrosse", "Rocky Lacrosse Union", "Women's RLU", "lacrosse_team"),
)
SOCCER = (
    League("USP", "soccer", "United Soccer Premiership", "Women's USP", "soccer_team"),
    League("ACL", "soccer", "Atlantic Champions League", "ACL Second Division", "soccer_team"),
    League("PCC", "soccer", "Pacific Coast Cup", "Women's PCC", "soccer_team"),
)


def _game(draw: Draw, leagues: tuple[League, ...]) -> Game:
    league = leagues[draw.serial % len(leagues)]
    turn, slot = divmod(draw.serial // len(leagues), PAIRS)
    pair = draw.scatter(slot, PAIRS)
    away = 1
    while pair >= away:
        pair -= away
        away += 1
    shift = NICKNAMES.index("Titans") + sum(map(ord, league.code))
    teams = [
        Team(TEAM_CITIES[n], NICKNAMES[(n + shift) % len(NICKNAMES)]) for n in sorted((pair, away))
    ]
    draw.rng.shuffle(teams)
    first = dates.even_day(draw.today + timedelta(days=3))
    day = first + timedelta(days=2 * (slot % 30) + 60 * turn)
    return Game(
        league,
        teams[0],
        teams[1],
        day,
        draw.rng.choice((13, 16, 19, 20)),
        is_home_first=draw.rng.random() < 0.5,
    )


def _alter(rng: random.Random, game: Game, periods: tuple[str, ...], rule: str) -> Alteration[Game]:
    change = rng.choice(("date", "league", "period", "rules"))
    if change == "date":
        game = replace(game, day=game.day + timedelta(days=1))
    elif change == "league":
        game = replace(game, league=replace(game.league, name=game.league.twin))
    elif change == "period":
        game = replace(game, period=rng.choice(periods))
    else:
        game = replace(game, rule=rule)
    return Alteration(game, change, Relation.SIMILAR)


def _kalshi_event(
    game: Game, suffix_titles: list[tuple[str, str, str, str]], secondary: str
) -> KalshiEventDraft:
    """`suffix_titles`: (suffix, market title, yes_sub_title, what has to happen)."""
    league, day = game.league, game.day
    series = f"KX{league.code}GAME"
    starts = dates.eastern(day, game.hour)
    clock = f"{dates.hour_name(game.hour)} {dates.eastern_zone(day)[0]}"
    scheduled = f"originally scheduled for {dates.short(day)} at {clock}"
    markets = [
        KalshiMarketDraft(
            suffix=suffix,
            title=title,
            yes_sub_title=label,
            rules_primary=(
                f"If {event} the {game.away.city} vs {game.home.city} professional "
                f"{league.sport} game of the {league.name} {scheduled}, then the market "
                "resolves to Yes."
            ),
            rules_secondary=secondary,
            ends_at=starts + timedelta(hours=3),
            strike_type="structured",
            custom_strike={league.ball: _identifier(f"{league.code}{suffix}")},
        )
        for suffix, title, label, event in suffix_titles
    ]
    return KalshiEventDraft(
        series_ticker=series,
        series_title=f"{league.name} game",
        event_ticker=f"{series}-{dates.ticker_day(day)}{game.away.code}{game.home.code}",
        title=f"{game.away.city} vs {game.home.city}",
        sub_title=f"{game.away.code} vs {game.home.code} ({dates.short(day)[:-6]})",
        category="Sports",
        frequency="custom",
        tags=(league.sport.capitalize(),),
        source=("the Governing League", f"https://{league.code.lower()}.example/"),
        is_exclusive=True,
        markets=markets,
    )


class TwoWayGames(Family[Game]):
    """A game without a tie: `A vs B Winner?` twice on Kalshi, `A vs. B` once on Polymarket."""

    name = "games"
    shape = Shape.GAME
    polymarket_fees = "sports"
    sizes = (2, 2)
    extras = 3

    def draw(self, draw: Draw) -> Game:
        return _game(draw, LEAGUES)

    def alter(self, rng: random.Random, subject: Game) -> Alteration[Game]:
        return _alter(
            rng,
            subject,
            ("first half", "first period"),
            "Only regulation time counts: overtime is not considered, and a level score at the end "
            "of regulation resolves 50-50.",
        )

    def kalshi(self, subject: Game, style: Style, count: int) -> KalshiEventDraft:
        away, home = subject.away, subject.home
        has_vs_title = style.variant % 3 != 0
        rows = []
        for team in (away, home)[:count]:
            shared = f"{away.city} vs {home.city} Winner?"
            title = shared if has_vs_title else f"{team.city} wins"
            rows.append((team.code, title, team.city, f"{team.city} wins"))
        return _kalshi_event(
            subject,
            rows,
            "Overtime counts. If the game is postponed, the market stays open until it has been "
            "completed. If it is cancelled without a make-up game, or ends in a tie, the market "
            "resolves to a fair price of 50 cents.\n\nThe team names identify the contract only; "
            "no club or league endorses it.",
        )

    def polymarket(
        self, subject: Game, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        teams = (
            [subject.home, subject.away]
            if subject.is_home_first
            else [
                subject.away,
                subject.home,
            ]
        )
        labels = [style.pick((team.full,), (team.nickname,)) for team in teams]
        league = subject.league
        title = f"{labels[0]} vs. {labels[1]}"
        period = f": {subject.period.title()} Winner" if subject.period else ""
        twin = f" ({league.name})" if league not in LEAGUES else ""
        base = slug(f"{league.code} {teams[0].code} {teams[1].code} {subject.day.isoformat()}")
        starts = dates.eastern(subject.day, subject.hour)
        scope = f"is ahead at the end of the {subject.period}" if subject.period else "wins"
        when = f"{dates.long(subject.day)} at {dates.hour_name(subject.hour)} ET"
        description = (
            f"In the {league.name} {league.sport} game between the {teams[0].full} and the "
            f"{teams[1].full}, scheduled for {when}:\n"
            f'If the {teams[0].full} team {scope}, this market will resolve to "{labels[0]}".\n'
            f'If the {teams[1].full} team {scope}, this market will resolve to "{labels[1]}".\n'
            "If the game is postponed, this market will remain open until it has been completed. "
            "If it is canceled with no make-up game, or ends in a tie, this market will resolve "
            f"50-50.\n{subject.rule or 'Overtime counts.'}"
        )
        markets = [
            PolymarketMarketDraft(
                slug=base,
                question=f"{title}{period}{twin}",
                group_item_title="",
                description=description,
                ends_at=starts,
                outcomes=(labels[0], labels[1]),
                yes_index=1 if subject.is_home_first else 0,
                sports_market_type="moneyline",
            )
        ]
        points = 38 + 2 * (style.variant % 8)
        bets = (
            ("Over", "Under", f"{title}: O/U {points}.5", f"O/U {points}.5", "totals"),
            (labels[0], labels[1], f"Spread: {labels[0]} (-3.5)", "Spread -3.5", "spreads"),
            (labels[0], labels[1], f"{title}: 1H Moneyline", "1H Moneyline", "first_half"),
        )
        for first, second, question, group, kind in bets[:extras]:
            markets.append(
                PolymarketMarketDraft(
                    slug=f"{base}-{slug(kind + ' ' + group)}",
                    question=question,
                    group_item_title=group,
                    description=f"{group}, in the {league.name} game scheduled for {when}.",
                    ends_at=starts,
                    outcomes=(first, second),
                    sports_market_type=kind,
                )
            )
        return PolymarketEventDraft(
            slug=base,
            title=f"{title}{twin}",
            description=description,
            tags=("Sports", league.sport.capitalize(), league.code),
            is_neg_risk=False,
            markets=markets,
            resolution_source=f"https://{league.code.lower()}.example/scores",
            series=(slug(f"{league.code} {subject.day.year}"), league.name),
            game_starts_at=starts,
        )


class ThreeWayGames(Family[Game]):
    """A game that may end in a tie: three siblings on either venue."""

    name = "games_with_ties"
    shape = Shape.EXCLUSIVE
    polymarket_fees = "sports"
    sizes = (3, 3)

    def draw(self, draw: Draw) -> Game:
        return _game(draw, SOCCER)

    def alter(self, rng: random.Random, subject: Game) -> Alteration[Game]:
        return _alter(
            rng,
            subject,
            ("first half",),
            "Extra time and penalty shoot-outs count towards the result.",
        )

    def kalshi(self, subject: Game, style: Style, count: int) -> KalshiEventDraft:
        away, home = subject.away, subject.home
        title = f"{away.city} vs {home.city} Winner?"
        rows = [
            (away.code, title, away.city, f"{away.city} wins"),
            (home.code, title, home.city, f"{home.city} wins"),
            ("TIE", title, "Tie", "a tie is the result of"),
        ]
        return _kalshi_event(
            subject,
            rows[:count],
            "The result after 90 minutes and stoppage time counts; extra time and penalties do "
            "not. If the game is postponed, the market stays open until it has been completed. If "
            "it is cancelled without a make-up game, all markets of the game resolve to No.",
        )

    def polymarket(
        self, subject: Game, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        away, home, league = subject.away, subject.home, subject.league
        day = subject.day.isoformat()
        names = [style.pick((team.full,), (team.nickname,)) for team in (away, home)]
        title = f"{names[0]} vs. {names[1]}"
        period = f" the {subject.period}" if subject.period else ""
        base = slug(f"{league.code} {away.code} {home.code} {day}")
        starts = dates.eastern(subject.day, subject.hour)
        when = f"{dates.long(subject.day)} at {dates.hour_name(subject.hour)} ET"
        span = f"the {subject.period}" if subject.period else "90 minutes plus stoppage time"
        questions = (
            (f"Will {names[0]} win{period} on {day}?", names[0], f"the {away.full} win", away.code),
            (f"Will {names[1]} win{period} on {day}?", names[1], f"the {home.full} win", home.code),
            (
                f"Will {title} end{period} in a draw?",
                f"Draw ({title})",
                f"the {away.full} and the {home.full} draw",
                "draw",
            ),
        )
        markets = [
            PolymarketMarketDraft(
                slug=slug(f"{base} {code}"),
                question=question,
                group_item_title=group,
                description=(
                    f"This market refers to the {league.name} soccer game between the {away.full} "
                    f'and the {home.full}, scheduled for {when}. It will resolve to "Yes" if '
                    f'{event} after {span}, and to "No" otherwise.\n\n'
                    f"{subject.rule or 'Extra time and penalty shoot-outs do not count.'} If the "
                    "game is postponed, this market will remain open until it has been completed. "
                    'If it is canceled with no make-up game, this market will resolve to "No".'
                ),
                ends_at=starts,
                sports_market_type="moneyline",
            )
            for question, group, event, code in (questions[number] for number in numbers)
        ]
        return PolymarketEventDraft(
            slug=base,
            title=title,
            description=markets[0].description,
            tags=("Sports", "Soccer", league.code),
            is_neg_risk=True,
            markets=markets,
            resolution_source=f"https://{league.code.lower()}.example/scores",
            series=(slug(f"{league.code} {subject.day.year}"), league.name),
            game_starts_at=starts,
        )


def _identifier(text: str) -> str:
    """A UUID-like identifier, the same for the same text."""
    digits = random.Random(text).getrandbits(128)
    raw = f"{digits:032x}"
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
