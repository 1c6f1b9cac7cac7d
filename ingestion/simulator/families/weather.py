"""The high of a day at a station, in bands of two degrees."""

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
from ingestion.simulator.vocabulary import slug

# City, its short name, the code in Kalshi's series, the station, another station of the city.
STATIONS = (
    ("New York City", "NYC", "NY", "Central Park", "LaGuardia Airport"),
    ("Chicago", "Chicago", "CHI", "Midway Airport", "O'Hare Airport"),
    ("Los Angeles", "LA", "LAX", "Los Angeles Airport", "Downtown Los Angeles"),
    ("Houston", "Houston", "HOU", "Hobby Airport", "Intercontinental Airport"),
    ("Philadelphia", "Philly", "PHIL", "Philadelphia Airport", "Franklin Institute"),
    ("Miami", "Miami", "MIA", "Miami Airport", "Miami Beach"),
    ("Denver", "Denver", "DEN", "Denver Airport", "Central Denver"),
    ("Austin", "Austin", "AUS", "Bergstrom Airport", "Camp Mabry"),
    ("San Francisco", "SF", "SFO", "San Francisco Airport", "Downtown San Francisco"),
    ("Seattle", "Seattle", "SEA", "Sea-Tac Airport", "Boeing Field"),
    ("Boston", "Boston", "BOS", "Logan Airport", "Blue Hill"),
    ("Washington", "DC", "DC", "Reagan Airport", "Dulles Airport"),
    ("Las Vegas", "Vegas", "LV", "Reid Airport", "North Las Vegas"),
    ("New Orleans", "NOLA", "NOLA", "Armstrong Airport", "Lakefront Airport"),
    ("Minneapolis", "Minneapolis", "MIN", "Saint Paul Airport", "Crystal Airport"),
    ("Atlanta", "Atlanta", "ATL", "Hartsfield Airport", "Fulton County Airport"),
    ("Phoenix", "Phoenix", "PHX", "Sky Harbor Airport", "Deer Valley Airport"),
    ("Dallas", "Dallas", "DAL", "Love Field", "Fort Worth Airport"),
)


@dataclass(frozen=True, slots=True)
class Weather:
    city: tuple[str, str, str, str, str]
    day: date
    lowest: int  # the first band ends at this degree
    bands: int
    is_twin_station: bool = False

    def band(self, number: int) -> tuple[str, int | None, int | None]:
        """Words, lower and upper bound (both inclusive) of a band."""
        if number == 0:
            return f"{self.lowest}° or below", None, self.lowest
        floor = self.lowest + 2 * number - 1
        if number == self.bands - 1:
            return f"{floor}° or above", floor, None
        return f"{floor}° to {floor + 1}°", floor, floor + 1


class HighTemperatures(Family[Weather]):
    """City × day × band of degrees Fahrenheit."""

    name = "weather"
    shape = Shape.EXCLUSIVE
    polymarket_fees = "weather"
    sizes = (5, 8)
    is_exhaustive = True

    def draw(self, draw: Draw) -> Weather:
        turn, number = divmod(draw.serial, len(STATIONS))
        day = dates.even_day(draw.today + timedelta(days=3)) + timedelta(days=2 * turn)
        warmth = 45 + 12 * (3 - abs(day.month - 7) // 2)
        return Weather(STATIONS[number], day, warmth + draw.rng.randrange(12), draw.size)

    def alter(self, rng: random.Random, subject: Weather) -> Alteration[Weather]:
        change = rng.choice(("date", "source", "subject"))
        if change == "date":
            subject = replace(subject, day=subject.day + timedelta(days=1))
        elif change == "source":
            subject = replace(subject, is_twin_station=True)
        else:
            subject = replace(subject, city=_twin(subject.city))
        return Alteration(subject, change, Relation.SIMILAR)

    def kalshi(self, subject: Weather, style: Style, count: int) -> KalshiEventDraft:
        city, short_city, symbol, station, _ = subject.city
        day = dates.short(subject.day)
        series = f"KXHIGH{symbol}"
        markets = []
        for number in range(count):
            words, floor, cap = subject.band(number)
            middle = f"B{floor + 0.5}" if floor is not None and cap is not None else ""
            kind = "between" if middle else "less" if floor is None else "greater"
            # The venue's open bounds exclude the strike itself: "less than 64" is "63 or below".
            floor_strike = floor - 1 if floor is not None and not middle else floor
            cap_strike = cap + 1 if cap is not None and not middle else cap
            markets.append(
                KalshiMarketDraft(
                    suffix=middle or f"T{cap_strike if floor is None else floor_strike}",
                    title=f"Highest temperature in {short_city} on {day}?",
                    yes_sub_title=words,
                    rules_primary=(
                        f"If the highest temperature recorded at {station}, {city} on {day} "
                        f"(local standard time) is {words} Fahrenheit, then the market resolves "
                        "to Yes."
                    ),
                    rules_secondary=(
                        "The daily climate report of the National Weather Service, in whole "
                        "degrees, decides. Forecasts and other stations do not count."
                    ),
                    ends_at=dates.eastern(subject.day, 24),
                    strike_type=kind,
                    floor_strike=floor_strike,
                    cap_strike=cap_strike,
                )
            )
        return KalshiEventDraft(
            series_ticker=series,
            series_title=f"Highest temperature in {city}",
            event_ticker=f"{series}-{dates.ticker_day(subject.day)}",
            title=f"Highest temperature in {city} on {day}?",
            sub_title=f"On {day}",
            category="Climate and Weather",
            frequency="daily",
            tags=("Daily temperature",),
            source=("NWS Climatological Report (Daily)", "https://weather.example/climate"),
            is_exclusive=True,
            markets=markets,
        )

    def polymarket(
        self, subject: Weather, style: Style, numbers: range, extras: int
    ) -> PolymarketEventDraft:
        city, short_city, _, station, twin = subject.city
        if subject.is_twin_station:
            station = twin
        day, month_day = dates.long(subject.day), dates.month_day(subject.day)
        markets = []
        for number in numbers:
            words, floor, cap = subject.band(number)
            if floor is not None and cap is not None:
                near, label = f"between {floor}-{cap}°F", f"{floor}-{cap}°F"
            else:
                near = label = words.replace("°", "°F")
            question = style.pick(
                (
                    f"Will the highest temperature in {city} be {near} on {month_day}?",
                    f"Highest temperature in {city} {near} on {month_day}?",
                ),
                (f"{short_city} max temp {label}, {month_day}?",),
            )
            markets.append(
                PolymarketMarketDraft(
                    slug=slug(f"{question} {subject.day.year}"),
                    question=question,
                    group_item_title=label,
                    description=(
                        f'This market will resolve to "Yes" if the highest temperature recorded '
                        f"at {station}, {city} on {day} (local standard time) is {near}. "
                        'Otherwise, this market will resolve to "No".\n\nThe resolution source is '
                        "the daily climate report of the National Weather Service for this "
                        "station, in whole degrees Fahrenheit."
                    ),
                    ends_at=dates.eastern(subject.day, 24),
                )
            )
        return PolymarketEventDraft(
            slug=slug(f"highest temperature in {city} on {day}"),
            title=f"Highest temperature in {city} on {month_day}?",
            description=markets[0].description,
            tags=("Weather", city),
            is_neg_risk=True,
            markets=markets,
            resolution_source="https://weather.example/climate",
            series=(slug(f"{city} daily weather"), f"{city} daily weather"),
        )


def _twin(city: tuple[str, str, str, str, str]) -> tuple[str, str, str, str, str]:
    """Another city with a similar name, for altered subjects only."""
    name = f"East {city[0]}"
    return (name, name, city[2], f"{name} Airport", "")
