"""Asking a venue: paging, pacing, retries, and answers that are checked before they are used."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from dlt.sources.helpers.requests.retry import Client
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response, exceptions

from ingestion.api_requests import PacedAdapter, RequestLog
from ingestion.environment import shown_url
from ingestion.errors import RefusedError, VenueError
from ingestion.payloads import parse
from ingestion.venues import Clock, Listing, Page, utc_now

_EXCERPT_CHARACTERS = 80
_LONGEST_WAIT_SECONDS = 60.0
# Something that was asked for is not there or not well said, or it is too much at once.
_OF_WHAT_IS_ASKED = (400, 404, 410, 413, 414, 422)
# How a field is called that tells of a further page.
_MORE = re.compile("cursor|next|more", re.IGNORECASE)


class RepeatedCursorError(Exception):
    """A cursor that was followed before; the text is the cursor."""


class CursorPaginator(BasePaginator):
    """Asks for the next page by the cursor of the last, until there is none.

    An empty page with a cursor goes on. A cursor that was followed before is an error: the venue
    would serve the same pages for ever.
    """

    def __init__(self, param: str, field: str) -> None:
        super().__init__()
        self.param = param
        self.field = field
        self.followed: set[str] = set()
        self.cursor = ""

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Reads the cursor of an answer that was checked."""
        self.cursor = response.json().get(self.field) or ""
        self._has_next_page = self.cursor != ""
        if self.cursor in self.followed:
            raise RepeatedCursorError(self.cursor[:_EXCERPT_CHARACTERS])
        self.followed.add(self.cursor)

    def update_request(self, request: Request) -> None:
        """Puts the cursor into the next request."""
        if self._has_next_page:
            request.params = {**(request.params or {}), self.param: self.cursor}


class VenueClient:
    """One venue's API. Errors are VenueErrors that say what to do."""

    def __init__(
        self,
        venue: str,
        base_url: str,
        *,
        requests_per_second: float,
        attempts: int = 5,
        timeout_seconds: float = 30.0,
        backoff_seconds: float = 1.0,
        clock: Clock = utc_now,
        url_name: str | None = None,
    ) -> None:
        self.venue = venue
        self.url_name = url_name or venue
        self.base_url = base_url
        self.attempts = attempts
        self.timeout_seconds = timeout_seconds
        self.clock = clock
        self.session = Client(
            request_timeout=timeout_seconds,
            raise_for_status=False,
            request_max_attempts=attempts,
            request_backoff_factor=backoff_seconds,
            request_max_retry_delay=_LONGEST_WAIT_SECONDS,
        ).session
        self.session.headers["User-Agent"] = "marketfinder"
        self.log = RequestLog(base_url)
        pacing = PacedAdapter(self.log, requests_per_second)
        self.session.mount("http://", pacing)
        self.session.mount("https://", pacing)
        self.rest = RESTClient(base_url, session=self.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.session.close()

    def listing(
        self,
        path: str,
        field: str,
        params: Mapping[str, str | int] | None = None,
        *,
        cursor_param: str = "cursor",
        cursor_field: str = "cursor",
        cursor_required: bool = True,
        ids: Callable[[Sequence[str]], Mapping[str, object]] | None = None,
    ) -> Listing:
        """The records at `path`: on each page the list in `field`. `ids` says how to ask for some.

        Its pages raise VenueError when the venue does not answer, or not in this shape.
        """
        paginator = CursorPaginator(cursor_param, cursor_field)
        self.log.known(path)
        pages = self._pages(path, field, params or {}, paginator, cursor_required)
        if ids is None:
            return Listing(path, pages)

        def by_id(wanted: Sequence[str]) -> Page:
            asked = {**(params or {}), **ids(wanted)}
            return Page(self.records("GET", path, field, asked), self.clock(), 1)

        return Listing(path, pages, by_id)

    def records(
        self, method: Literal["GET", "POST"], path: str, field: str | None, body: Any
    ) -> list[object]:
        """One answer without pages: the list in `field`, or the whole answer where that is null.

        `body` is the parameters of a GET, the JSON of a POST. Raises VenueError.
        """
        where = f"{self.venue} {path}"
        asked = {"params": body} if method == "GET" else {"json": body}
        try:
            url = self.base_url + self.log.known(path)
            response = self.session.request(method, url, **asked)
            if response.status_code >= 400:
                raise exceptions.HTTPError(response=response)
        except exceptions.RequestException as error:
            raise self._failure(error, where) from error
        return list(self._list(response, field, where))

    def _pages(
        self,
        path: str,
        field: str,
        params: Mapping[str, str | int],
        paginator: CursorPaginator,
        cursor_required: bool,
    ) -> Iterator[Page]:
        number = 1

        def check(response: Response, *args: object, **kwargs: object) -> None:
            if response.is_redirect:
                return
            if response.status_code >= 400:
                raise exceptions.HTTPError(response=response)
            document = self._document(response, field, where())
            cursor = document.get(paginator.field, None if cursor_required else "")
            if not isinstance(cursor, str) and (cursor is not None or cursor_required):
                raise VenueError(
                    f"{where()}: the answer has no text in {paginator.field!r}, so the next page is"
                    " not known. The venue's format has changed: this source must be adapted."
                )
            # Else the first page would be all there is, and nothing would say so.
            others = (name for name in document if name != field and document[name])
            if not cursor and (further := next(filter(_MORE.search, others), None)):
                raise VenueError(
                    f"{where()}: the answer has no {paginator.field!r} but"
                    f" {further[:_EXCERPT_CHARACTERS]!r}, so there may be more. The venue's format"
                    " has changed: this source must be adapted."
                )
            # The client and its paginator ask for the document several times; parsed once, by a
            # parser that keeps every digit.
            response.json = lambda **kwargs: document  # type: ignore[method-assign]

        def where() -> str:
            return f"{self.venue} {path} (page {number})"

        answers = self.rest.paginate(
            path,
            params=dict(params),
            paginator=paginator,
            data_selector=field,
            hooks={"response": [check]},
        )
        while True:
            try:
                records = next(answers, None)
            except RepeatedCursorError as error:
                raise VenueError(
                    f"{where()} sends the cursor {str(error)!r} a second time: its pages would"
                    " repeat for ever. Try again; if it stays so, the venue's paging has changed"
                    " and this source must be adapted."
                ) from None
            except exceptions.RequestException as error:
                raise self._failure(error, where()) from error
            if records is None:
                return
            yield Page(list(records), self.clock(), number)
            number += 1

    def _document(self, response: Response, field: str, where: str) -> dict[str, Any]:
        """The answer's JSON object, which holds a list in `field`."""
        document = self._parsed(response, where)
        if isinstance(document, dict) and document.get(field, "") is None:
            document[field] = []  # how Kalshi writes an empty list now and then
        if isinstance(document, dict) and isinstance(document.get(field), list):
            return document
        found = ", ".join(document) if isinstance(document, dict) else type(document).__name__
        raise VenueError(
            f"{where}: the answer has no list in {field!r}, only"
            f" {found[:_EXCERPT_CHARACTERS] or 'an empty object'}. Check {self.url_setting}; if it"
            " is right, the venue's format has changed and this source must be adapted."
        )

    def _list(self, response: Response, field: str | None, where: str) -> list[Any]:
        """The list in `field`, or the list that the whole answer is."""
        if field is not None:
            found: list[Any] = self._document(response, field, where)[field]
            return found
        document = self._parsed(response, where)
        if isinstance(document, list):
            return document
        raise VenueError(
            f"{where}: the answer is no list. The venue's format has changed: this source must be"
            " adapted."
        )

    def _parsed(self, response: Response, where: str) -> Any:
        """The answer's JSON."""
        kind = response.headers.get("Content-Type", "no content type")
        try:
            return parse(response.content.decode("utf-8-sig", "surrogateescape"))
        except ValueError as error:
            start = response.content[:_EXCERPT_CHARACTERS].decode("utf-8", "replace")
            raise VenueError(
                f"{where} did not answer in JSON ({kind}; it starts {start!r}; {error}). Check"
                f" {self.url_setting}, now {shown_url(self.base_url)}, or try again later."
            ) from None

    @property
    def url_setting(self) -> str:
        """The environment variable that holds the base URL."""
        return f"MARKETFINDER_{self.url_name.upper()}_URL"

    def _failure(self, error: exceptions.RequestException, where: str) -> VenueError:
        """What went wrong, after the last attempt, in words that help."""
        url = shown_url(self.base_url)
        times = f"{self.attempts} times in a row" if self.attempts > 1 else "once"
        check_url = f"Check {self.url_setting}, now {url}."
        if isinstance(error, exceptions.HTTPError) and error.response is not None:
            status = f"{error.response.status_code} {error.response.reason}"
            if error.response.status_code == 429:
                setting = f"MARKETFINDER_{self.venue.upper()}_REQUESTS_PER_SECOND"
                return VenueError(f"{where} answered {status} {times}. Lower {setting}.")
            if error.response.status_code >= 500:
                return VenueError(f"{where} answered {status} {times}. Try again later.")
            refusal = f"{where} answered {status}. {check_url}"
            if error.response.status_code in _OF_WHAT_IS_ASKED:
                return RefusedError(refusal, error.response.status_code)
            return VenueError(refusal)
        if isinstance(error, exceptions.Timeout):
            return VenueError(
                f"{where} did not answer within {self.timeout_seconds:g} s, {times}. Check the"
                " network, or raise MARKETFINDER_REQUEST_TIMEOUT_SECONDS."
            )
        if isinstance(error, exceptions.ChunkedEncodingError):
            return VenueError(f"{where} dropped the connection in mid-answer, {times}.")
        if isinstance(error, exceptions.ConnectionError):
            return VenueError(
                f"{where} cannot be reached: {_cause(error)}, {times}. Check the network and"
                f" {self.url_setting}, now {url}."
            )
        return VenueError(f"{where} cannot be asked: {type(error).__name__}. {check_url}")


def _cause(error: exceptions.RequestException) -> str:
    """Why there is no connection, in a few words without addresses of objects."""
    text = str(error)
    for sign, words in {
        "NameResolutionError": "the host name is not known",
        "Connection refused": "the connection was refused",
        "Certificate": "the TLS certificate was not accepted",
        "CERTIFICATE": "the TLS certificate was not accepted",
        "Remote end closed": "the connection was closed without an answer",
        "Connection reset": "the connection was reset",
        "Connection aborted": "the connection was dropped",
        "unreachable": "the network is unreachable",
    }.items():
        if sign in text:
            return words
    return type(error).__name__
