"""JSON that is read and written without losing anything."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.payloads import UnwritableRecordError, content_hash, dump, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
)  # fmt: skip


@settings(max_examples=50)
@given(VALUES)
def test_what_is_read_is_written(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert json.loads(dump(parse(text))) == value


@pytest.mark.parametrize(
    "number",
    ["0", "-1", "1.10", "0.5600", "1E+5", "1e400", "0.1000000000000000055511151231257827",
     "9223372036854775808", "123456789012345678901234567890", "1" * 5_000],
)  # fmt: skip
def test_numbers_keep_their_digits(number: str) -> None:
    text = f'{{"n":{number}}}'
    assert dump(parse(text)) == text


@pytest.mark.parametrize("text", ["NaN", "-Infinity", '"\\ud800"', '{"\\udfff": 1}'])
def test_what_is_not_json_is_read_but_not_written(text: str) -> None:
    with pytest.raises(UnwritableRecordError):
        dump(parse(text))


@settings(max_examples=50)
@given(st.dictionaries(st.text("abcd"), st.integers(0, 99), min_size=2))
def test_the_hash_is_of_the_content_and_not_of_its_order(record: dict[str, int]) -> None:
    backwards = dict(reversed(record.items()))
    assert content_hash(record) == content_hash(backwards)
    field = next(iter(record))
    assert content_hash(record) != content_hash({**record, field: record[field] + 1})


def test_the_hash_is_the_same_for_ever() -> None:
    assert content_hash({"b": "ü", "a": [1, None, True]}) == "8eeb9f82e7d64e90a5fcd0d3cc32bb9c"
