"""Convex's HTTP API: one mutation after the other, each until it is acknowledged.

A function that throws is answered with 200 and {"status": "error"}. A mutation that was cut off may
have been done or not, so those that are called here may come twice.
"""

import re
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import requests
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ingestion.build import one_line
from ingestion.environment import EnvironmentSettings, header_safe, http_url, load_environment
from ingestion.errors import PublishError, SettingsError

FUNCTIONS = {
    "markets": "marketfinder:upsertMarkets",
    "marketSimilarities": "marketfinder:upsertSimilarities",
    "arbitrageOpportunities": "marketfinder:upsertOpportunities",
    "syncLogs": "marketfinder:upsertSyncLogs",
    "remove": "marketfinder:remove",
    "removeOlder": "marketfinder:removeOlder",
    "syncStatus": "marketfinder:writeSyncStatus",
}
"""What is called for the documents of each table, and else: file below convex/, and function."""

_LONGEST_WAIT_SECONDS = 60.0
_THREW = 560  # how some versions of Convex say that a function threw
_PATH = re.compile(r"[A-Za-z0-9_./-]+:[A-Za-z0-9_]+")
_EXCERPT_CHARACTERS = 300


def _deployment(value: str) -> str:
    if not value:
        return value
    url = http_url(value, "https://happy-otter-123.convex.cloud")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.endswith(".convex.site"):
        raise ValueError("is the URL of HTTP actions; functions are called at .convex.cloud")
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must begin with https:// or the key could be read on its way")
    return url


def _functions(value: dict[str, str]) -> dict[str, str]:
    unknown = sorted(value.keys() - FUNCTIONS.keys())
    if unknown:
        raise ValueError(f"has no {unknown[0]!r}, only {', '.join(FUNCTIONS)}")
    if not all(_PATH.fullmatch(path) for path in value.values()):
        raise ValueError('must be paths of functions, such as {"markets": "markets:upsert"}')
    return FUNCTIONS | value


class ConvexSettings(EnvironmentSettings):
    """Where to publish; every field is also MARKETFINDER_CONVEX_<FIELD> in the environment."""

    model_config = SettingsConfigDict(env_prefix="MARKETFINDER_CONVEX_")

    url: Annotated[str, AfterValidator(_deployment)] = ""
    deploy_key: Annotated[SecretStr, AfterValidator(header_safe)] = SecretStr("")
    functions: Annotated[dict[str, str], AfterValidator(_functions)] = Field(default=FUNCTIONS)
    attempts: int = Field(default=6, ge=1, le=20)
    timeout_seconds: float = Field(default=60, gt=0, le=600)
    backoff_seconds: float = Field(default=1, ge=0, le=60)


def load_convex_settings() -> ConvexSettings:
    """The settings in force. Raises SettingsError when one is wrong, or there is no URL or key."""
    settings = load_environment(ConvexSettings)
    for name, value in (("URL", settings.url), ("DEPLOY_KEY", settings.deploy_key)):
        if not (value if isinstance(value, str) else value.get_secret_value()):
            raise SettingsError(
                f"MARKETFINDER_CONVEX_{name} is not set: Convex's dashboard has it, Settings,"
                " URL & Deploy Key. docs/publishing.md says more."
            )
    return settings


class Convex:
    """A deployment of Convex."""

    def __init__(self, settings: ConvexSettings) -> None:
        from dlt.sources.helpers.requests.retry import Client

        self.settings = settings
        self.calls = 0
        self._session = Client(
            request_timeout=settings.timeout_seconds,
            raise_for_status=False,
            status_codes=[429, *(code for code in range(500, 600) if code != _THREW)],
            request_max_attempts=settings.attempts,
            request_backoff_factor=settings.backoff_seconds,
            request_max_retry_delay=_LONGEST_WAIT_SECONDS,
        ).session
        self._session.headers.update(
            {
                "Authorization": f"Convex {settings.deploy_key.get_secret_value()}",
                "Content-Type": "application/json",
                "User-Agent": "marketfinder",
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def mutate(self, name: str, arguments: str) -> Any:
        """Calls the function that `name` stands for, with the JSON of its arguments.

        Returns its value. Raises PublishError when it was not acknowledged.
        """
        path = self.settings.functions[name]
        body = f'{{"path":"{path}","args":{arguments},"format":"json"}}'
        self.calls += 1
        try:
            answer = self._session.post(
                f"{self.settings.url}/api/mutation",
                data=body.encode(),
                allow_redirects=False,
                # The key goes to Convex, whatever ~/.netrc says.
                auth=lambda request: request,
            )
        except requests.RequestException as error:
            raise PublishError(
                f"Convex cannot be reached at {self.settings.url} ({type(error).__name__}),"
                f" {self._times}. {_GO_ON}"
            ) from None
        return self._value(path, answer)

    def _value(self, path: str, answer: requests.Response) -> Any:
        try:
            document = answer.json()
        except ValueError:
            document = None
        said = document if isinstance(document, dict) else {}
        if answer.status_code == 200 and said.get("status") == "success":
            return said.get("value")
        if answer.status_code in (200, _THREW) and "errorMessage" in said:
            raise PublishError(
                f"Convex: {path} was refused: {self._shown(said['errorMessage'])} The functions"
                " are in examples/convex; docs/publishing.md says how to deploy them."
            )
        status = f"Convex answered {answer.status_code} {answer.reason or ''}".rstrip()
        reason = self._shown(said.get("message", ""))
        if answer.status_code in (401, 403):
            raise PublishError(
                f"{status}: {reason} Check MARKETFINDER_CONVEX_DEPLOY_KEY: it must be of the"
                f" deployment {self.settings.url}, and may run internal functions."
            )
        if answer.status_code == 429 or answer.status_code >= 500:
            raise PublishError(f"{status}, {self._times}. {reason} {_GO_ON}")
        raise PublishError(
            f"{status}, which is no answer of its functions. {reason} Check"
            f" MARKETFINDER_CONVEX_URL, now {self.settings.url}"
        )

    @property
    def _times(self) -> str:
        times = self.settings.attempts
        return f"{times} times in a row" if times > 1 else "once"

    def _shown(self, text: object) -> str:
        """What the server says, in one short line that does not repeat our key."""
        words = one_line("".join(c if c.isprintable() else " " for c in str(text)))
        words = words.replace(self.settings.deploy_key.get_secret_value(), "***")
        return words[:_EXCERPT_CHARACTERS]


_GO_ON = "What has arrived stays; publish again later, and it goes on from there."
