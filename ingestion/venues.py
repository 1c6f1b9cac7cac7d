"""What the two venues have in common: their kinds of records, and pages of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from ingestion.payloads import Number, Record

if TYPE_CHECKING:
    from dlt.extract import DltResource

Clock = Callable[[], datetime]


class Progress(Protocol):
    """Is told of each page or file: what is read, the records so far, and how many are expected."""

    def __call__(self, what: str, records: int, expected: int | None) -> None:
        """Takes the news."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def as_id(value: object) -> str | None:
    """An identifier as text; null where there is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value:
        return str(value) if isinstance(value, Number) else value
    return None


@dataclass(frozen=True)
class Entity:
    """One kind of record of one venue, and the raw table it lands in."""

    venue: str
    name: str
    """series, event, market, …"""
    table: str
    id_field: str
    parent_id: Callable[[Record], str | None]
    nested: str | None = None
    """The field whose list holds records of their own kind; it does not land with the record."""
    told: Callable[[Record], Record] = lambda record: record
    """What of a record makes another version of it."""
    may_empty: bool = False
    """Whether the venue may list much less than before: what is to come, comes."""


@dataclass(frozen=True)
class Venue:
    """What a reader of a venue's payloads must know."""

    name: str
    entities: tuple[Entity, ...]
    """In the order in which they are fetched."""
    containers: dict[str, Entity]
    """The fields that hold records on a page or around a single record."""
    recognise: Callable[[Record], Entity | None]
    """Which kind of record this is, by its fields."""

    def entity(self, name: str) -> Entity:
        """The entity called `name`, in the singular or plural. Raises KeyError."""
        for entity in self.entities:
            if name in (entity.name, entity.table.removeprefix(f"{self.name}_")):
                return entity
        raise KeyError(name)


@dataclass(frozen=True)
class Page:
    """One answer of a venue: the records as they came, and when."""

    records: Sequence[object]
    fetched_at: datetime
    number: int
    """1 for the first page of a sweep."""


@dataclass(frozen=True)
class Listing:
    """One endpoint: its path, and its pages, which are asked for as they are read."""

    path: str
    pages: Iterator[Page]
    by_id: Callable[[Sequence[str]], Page] | None = None
    """Those of some ids that are listed now; null where the venue cannot be asked so."""


SweepResource = Callable[[Entity, Listing], "DltResource"]
"""Makes the dlt resource that lands the records of a listing."""
