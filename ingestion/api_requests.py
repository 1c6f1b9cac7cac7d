"""raw.api_requests: what the venues answered and how fast, each try by itself."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import duckdb
from requests import PreparedRequest, Response, exceptions
from requests.adapters import HTTPAdapter
from requests_ratelimiter import LimiterMixin

from ingestion.landing import naive_utc
from ingestion.simulation import SERVER, note_simulation
from ingestion.venues import Clock

_TABLE = """
create schema if not exists raw;
create table if not exists raw.api_requests (
    run_id varchar,
    venue varchar,
    endpoint varchar,
    outcome varchar,
    requests bigint,
    seconds double,
    longest_seconds double,
    finished_at timestamp
)
"""


@dataclass
class Tries:
    """Tries of one endpoint that ended alike."""

    requests: int = 0
    seconds: float = 0
    longest_seconds: float = 0

    def add(self, seconds: float) -> None:
        """One more."""
        self.requests += 1
        self.seconds += seconds
        self.longest_seconds = max(self.longest_seconds, seconds)


class RequestLog:
    """What one client has asked for, by endpoint and outcome.

    An endpoint is a path that was asked for through `known`; whatever else a redirect leads to is
    "other", so that no venue's text becomes a name.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.endpoints: set[str] = set()
        self.tries: dict[tuple[str, str], Tries] = {}
        self.is_simulated = False

    def known(self, path: str) -> str:
        """The same path, which counts by itself from now on."""
        self.endpoints.add(path)
        return path

    def add(self, url: str, outcome: str, seconds: float) -> None:
        """A try that has ended."""
        path = url.partition("?")[0].removeprefix(self.base_url)
        endpoint = path if path in self.endpoints else "other"
        self.tries.setdefault((endpoint, outcome), Tries()).add(seconds)

    def write(
        self, connection: duckdb.DuckDBPyConnection, run_id: str, venue: str, clock: Clock
    ) -> None:
        """Adds the rows, and forgets them. That they cannot be written is no reason to fail; that
        the answers were simulated is noted all the same."""
        if self.is_simulated:
            note_simulation(connection, run_id, clock())
        now = naive_utc(clock())
        rows = [
            (run_id, venue, *key, tries.requests, tries.seconds, tries.longest_seconds, now)
            for key, tries in sorted(self.tries.items())
        ]
        self.tries = {}
        with suppress(duckdb.Error):
            connection.execute(_TABLE)
            if rows:
                connection.executemany(
                    "insert into raw.api_requests values (?, ?, ?, ?, ?, ?, ?, ?)", rows
                )


def _outcome(status: int) -> str:
    if status == 429:
        return "rate limited"
    return {2: "ok", 3: "redirected", 4: "refused"}.get(status // 100, "server error")


class _MeasuredAdapter(HTTPAdapter):
    """Notes how each try went, to the last byte of its answer."""

    def __init__(self, log: RequestLog, **kwargs: Any) -> None:
        self.log = log
        super().__init__(**kwargs)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """As requests has it, but with the body, which requests would read next."""
        begun = time.monotonic()
        outcome = "no connection"
        try:
            response = super().send(request, stream, timeout, verify, cert, proxies)
            _ = response.content
            outcome = _outcome(response.status_code)
            self.log.is_simulated |= response.headers.get("Server", "").startswith(SERVER)
        except exceptions.Timeout:
            outcome = "timeout"
            raise
        finally:
            self.log.add(request.url or "", outcome, time.monotonic() - begun)
        return response


class PacedAdapter(LimiterMixin, _MeasuredAdapter):  # type: ignore[misc]  # as LimiterAdapter is
    """At most so many requests a second, each measured without its wait."""

    def __init__(self, log: RequestLog, per_second: float) -> None:
        # After a 429 the retries wait longer and longer; the limiter need not wait as well.
        super().__init__(log=log, per_second=per_second, limit_statuses=())
