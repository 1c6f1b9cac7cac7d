"""One call to the endpoint: sent once, read once, and what its failure means for the next.

The package's own retries are off: each attempt is reserved and paid for by itself. A call is tried
again after 429, a 5xx and a timeout, and after nothing else.
"""

import asyncio
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson

from python_models.kernels.pair_judge.settings import JudgeSettings

if TYPE_CHECKING:
    import openai


def client(settings: JudgeSettings) -> "openai.AsyncOpenAI":
    """The package's client for the endpoint of the settings."""
    import openai

    return openai.AsyncOpenAI(
        api_key=settings.api_key.get_secret_value(),
        base_url=settings.base_url,
        timeout=settings.timeout_seconds,
        max_retries=0,
    )


@dataclass(frozen=True)
class Failure:
    """A call without an answer.

    ``reason`` is ours: what the endpoint wrote is not kept, it may hold what was sent.
    ``is_charged``: whether it may have been paid for. ``stops_run``: whether no other call will
    fare better.
    """

    reason: str
    is_retried: bool = False
    is_charged: bool = False
    stops_run: bool = False
    retry_after: float | None = None


async def call(
    endpoint: "openai.AsyncOpenAI", body: dict[str, Any], timeout_seconds: float
) -> Any | Failure:
    """Sends a chat-completions request: the body of the answer, or what went wrong."""
    import httpx
    import openai

    try:
        # The package's timeout starts anew with every byte; this one does not.
        async with asyncio.timeout(timeout_seconds):
            # As it is: the typed method walks the whole body and its schema, again for each call.
            raw = await endpoint.post("/chat/completions", cast_to=httpx.Response, body=body)
        return orjson.loads(raw.content)
    except (TimeoutError, openai.APITimeoutError):
        return Failure("timeout", is_retried=True, is_charged=True)
    except openai.APIStatusError as error:
        return status_failure(error.status_code, error.response.headers)
    except openai.APIConnectionError as error:
        is_sent = "connect" not in type(error.__cause__).__name__.lower()
        return Failure("no connection", is_charged=is_sent)
    except (ValueError, openai.APIError):
        return Failure("not a chat completion", is_charged=True)


def status_failure(status: int, headers: Mapping[str, str]) -> Failure:
    """What an HTTP status other than success means."""
    if status == 429:
        return Failure("rate limited", is_retried=True, retry_after=retry_after(headers))
    if status >= 500:
        return Failure(f"server error {status}", is_retried=True, retry_after=retry_after(headers))
    # The key, the model or the address is wrong: no other call will fare better.
    return Failure(f"turned away with {status}", stops_run=status in (401, 403, 404))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait from a Retry-After header: seconds or a date; None if there is no such."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


class Pace:
    """The limiter that all calls of a run share: how long everyone waits after a 429."""

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._resumes_at = 0.0

    async def wait(self) -> None:
        """Returns when calls may be made."""
        while (left := self._resumes_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)

    async def wait_after(self, failure: Failure, attempt: int) -> bool:
        """Waits before the next try of a call; False if the endpoint asks for too long a wait.

        The wait is what Retry-After says, else it doubles from attempt to attempt (from 1), with
        jitter. After a 429 all calls wait.
        """
        longest = self._settings.longest_wait_seconds
        if failure.retry_after is not None and failure.retry_after > longest:
            return False
        doubled = min(self._settings.backoff_seconds * 2 ** (attempt - 1), longest)
        seconds = doubled * random.uniform(0.5, 1.0)
        if failure.retry_after is not None:
            seconds = failure.retry_after
        if failure.reason == "rate limited":
            resumes_at = asyncio.get_running_loop().time() + seconds
            self._resumes_at = max(self._resumes_at, resumes_at)
        else:
            await asyncio.sleep(seconds)
        return True
