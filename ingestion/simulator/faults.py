"""What can be made to go wrong, deterministically."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

Record = dict[str, Any]
Mutation = Callable[[str, Record], Record]


class OnPage(NamedTuple):
    """A fault on one page of a sweep; a plain tuple of the same order serves too.

    `page` counts from 1 along the cursors of a sweep. `path` is the endpoint below the venue's
    base: Kalshi's `/series`, `/events`, `/markets`, `/series/fee_changes`, `/events/fee_changes`,
    Polymarket's `/events/keyset`, `/markets/keyset`. `times` is how many requests it spoils; None
    is all of them.
    """

    page: int
    path: str
    times: int | None = None


PageFault = OnPage | tuple[int, str] | tuple[int, str, int | None]


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything is off unless named. `…_every=n` spoils every n-th request of a server."""

    too_many_requests_every: int | None = None  # Polymarket's 429 has a Retry-After, Kalshi's none
    drop_connection_every: int | None = None  # the socket closes in the middle of the answer
    server_error_on_page: PageFault | None = None  # 500
    html_on_page: PageFault | None = None  # 200 and an HTML page
    truncated_json_on_page: PageFault | None = None  # a complete answer that is half a document
    repeated_cursor_on_page: PageFault | None = None  # the cursor that the page was asked with
    empty_universe: str | None = None  # 'kalshi' or 'polymarket': the venue lists nothing
    mutate: Mutation | None = None  # ('kalshi_market', record) -> the record that is sent instead
    latency_seconds: float = 0

    @classmethod
    def usual(cls) -> "Faults":
        """What a good day looks like: a 429 and a dropped connection now and then."""
        return cls(too_many_requests_every=7, drop_connection_every=11)
