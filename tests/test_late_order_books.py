"""Which books are late: the rule against a plain one, cut into runs, and beside another stream."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_models.kernels.late_order_books import ARRIVALS_SCHEMA, are_late

START = datetime(2026, 10, 1, 12)
Book = dict[str, Any]


def book(
    booked: float, captured: float | None = None, stream: str = "one", symbol: str = "X/USDT"
) -> Book:
    """A book of so many seconds after noon."""
    return {
        "exchange": "binance",
        "symbol": symbol,
        "stream": stream,
        "booked_at": START + timedelta(seconds=booked),
        "captured_at": None if captured is None else START + timedelta(seconds=captured),
    }


def late(books: list[Book], states: list[Book] | None = None) -> list[bool]:
    tables = [pa.Table.from_pylist(part or [], ARRIVALS_SCHEMA) for part in (books, states)]
    return [bool(one) for one in are_late(*tables).is_late]


def plain_late(books: list[Book]) -> list[bool]:
    found: list[bool] = []
    for place, this in enumerate(books):
        taken = [
            one
            for one, is_late in zip(books[:place], found, strict=True)
            if not is_late and one["symbol"] == this["symbol"]
        ]
        captures = [one["captured_at"] for one in taken if one["captured_at"]]
        found.append(
            (
                this["captured_at"] is not None
                and any(time > this["captured_at"] for time in captures)
            )
            or (
                bool(taken)
                and taken[-1]["stream"] != this["stream"]
                and max(one["booked_at"] for one in taken) > this["booked_at"]
            )
        )
    return found


def state_of(books: list[Book]) -> list[Book]:
    """What the rows that are there tell of the books before."""
    in_time = [one for one, is_late in zip(books, plain_late(books), strict=True) if not is_late]
    states = []
    for symbol in sorted({one["symbol"] for one in in_time}):
        own = [one for one in in_time if one["symbol"] == symbol]
        captures = [one["captured_at"] for one in own if one["captured_at"]]
        states.append(
            {
                **own[-1],
                "booked_at": max(one["booked_at"] for one in own),
                "captured_at": max(captures, default=None),
            }
        )
    return states


BOOKS = st.lists(
    st.builds(
        book,
        st.integers(0, 9),
        st.none() | st.integers(0, 9),
        st.sampled_from(["one", "another"]),
        st.sampled_from(["X/USDT", "Y/USDT"]),
    ),
    max_size=30,
)


@given(BOOKS, st.integers(0, 30))
def test_any_books_in_any_runs_are_as_the_rule_says(books: list[Book], cut: int) -> None:
    assert late(books) == plain_late(books)
    first = books[:cut]
    assert [*late(first), *late(books[cut:], state_of(first))] == plain_late(books)
    # And as a batch of the same run.
    tables = [pa.Table.from_pylist(part, ARRIVALS_SCHEMA) for part in (first, books[cut:])]
    begun = are_late(tables[0])
    assert [*begun.is_late, *are_late(tables[1], begun.states).is_late] == plain_late(books)


def test_a_book_captured_before_one_that_is_there_is_late() -> None:
    """A segment that was loaded after one that follows on it."""
    assert late([book(1, 1), book(9, 9), book(5, 5), book(8.9, 9), book(9, 10)]) == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_time_may_go_back_in_a_stream() -> None:
    assert late([book(9, 1), book(1, 2), book(0, 2)]) == [False] * 3


def test_of_two_recorders_at_the_same_time_the_first_counts() -> None:
    one = [book(second) for second in range(10)]
    another = [book(second + 0.4, stream="another") for second in range(9)]
    assert late(one + another + [book(10), book(11, stream="another")]) == (
        [False] * 10 + [True] * 9 + [False] * 2
    )


@pytest.mark.parametrize("captured", [None, 100.0])
def test_the_stream_within_another_changes_nothing(captured: float | None) -> None:
    """Nor does what it says of its own time, late though it is."""
    before = [book(second, captured and captured + second) for second in range(5)]
    after = [book(second, captured and captured + second) for second in range(5, 9)]
    within = [book(3.5, captured and captured + 50, stream="another")]
    assert late(before + within + after) == [False] * 5 + [True] + [False] * 4
