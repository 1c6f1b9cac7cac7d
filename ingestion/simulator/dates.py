"""Dates as the venues write them. US eastern time is computed, so no zone database is needed."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def short(day: date) -> str:
    """`Oct 3, 2026`, as Kalshi writes it."""
    return f"{MONTHS[day.month - 1][:3]} {day.day}, {day.year}"


def long(day: date) -> str:
    """`October 3, 2026`, as Polymarket writes it."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def month_day(day: date) -> str:
    """`October 3`."""
    return f"{MONTHS[day.month - 1]} {day.day}"


def month_year(day: date) -> str:
    """`October 2026`."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def ticker_day(day: date) -> str:
    """`26OCT03`, as in a Kalshi ticker."""
    return f"{day.year % 100:02d}{MONTHS[day.month - 1][:3].upper()}{day.day:02d}"


def ticker_month(day: date) -> str:
    """`26OCT`, as in a Kalshi ticker."""
    return ticker_day(day)[:5]


def hour_name(hour: int) -> str:
    """`5 PM` for 17."""
    return f"{(hour + 11) % 12 + 1} {'AM' if hour < 12 else 'PM'}"


def _nth_sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


@lru_cache(maxsize=4_096)
def eastern_zone(day: date) -> tuple[str, int]:
    """Name and UTC offset in hours of US eastern time at noon of a day."""
    is_summer = _nth_sunday(day.year, 3, 2) <= day < _nth_sunday(day.year, 11, 1)
    return ("EDT", -4) if is_summer else ("EST", -5)


def eastern(day: date, hour: int) -> datetime:
    """The instant (UTC) of a whole hour of US eastern time; 24 is the next midnight."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return midnight + timedelta(hours=hour - eastern_zone(day)[1])


def wire(instant: datetime) -> str:
    """Of an instant in UTC: `2026-10-03T21:00:00Z`; microseconds only when there are any."""
    return instant.isoformat()[:-6] + "Z"


def next_month(day: date, months: int = 1) -> date:
    """The first day of the month `months` after that of `day`."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def even_day(day: date) -> date:
    """The day itself, or the next one: an even ordinal.

    Subjects are dated on even days and their altered twins on odd ones, so that a twin never
    coincides with another subject by accident.
    """
    return day + timedelta(days=day.toordinal() % 2)
