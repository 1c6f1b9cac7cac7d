"""Logs as JSON, a line an event, for machines that collect them (MARKETFINDER_LOG_FORMAT=json).

Every line has time, level, source (marketfinder, dbt, dlt, or the package that speaks), run_id and
message; some have more. Without it nothing is logged: people read what the commands show.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import orjson

logger = logging.getLogger("marketfinder")
logger.addHandler(logging.NullHandler())

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$", re.IGNORECASE)
_USER_OF_A_URL = re.compile(r"(?<=://)[^/\s@\"']+@")
_LEAST_CHARACTERS = 6
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS = {"debug": logging.DEBUG, "warn": logging.WARNING, "error": logging.ERROR}

_state: dict[str, Any] = {"run_id": "", "is_json": False}


def run_id(given: str = "") -> str:
    """The name of this command's run: the one that was given last, else one that stays."""
    if given or not _state["run_id"]:
        _state["run_id"] = given or new_run_id()
    name: str = _state["run_id"]
    return name


def new_run_id() -> str:
    """A name for one run, which sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"


def is_json() -> bool:
    """Whether logs are written."""
    return bool(_state["is_json"])


def log_as_json() -> None:
    """From now on, to standard error: our events, dbt's, dlt's, and Python's warnings."""
    _state["is_json"] = True
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(_secrets(_environment())))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    # dlt takes the handler that its logger has, and gives it a format of its own.
    speaker = logging.getLogger("dlt")
    speaker.handlers[:] = [_KeepsItsFormat(handler)]


def log_dbt(event: Mapping[str, Any]) -> None:
    """Passes an event of dbt's own log on, from level info up."""
    info, data = event["info"], event["data"]
    if not _state["is_json"] or info["level"] == "debug" or not info["msg"].strip():
        return
    node = data.get("node_info") or {}
    more = {
        "event": info["name"],
        "node": node.get("unique_id"),
        "seconds": data.get("execution_time"),
    }
    logging.getLogger("marketfinder.dbt").log(
        _LEVELS.get(info["level"], logging.INFO),
        "%s",
        re.sub(r"\x1b\[[0-9;]*m", "", info["msg"]),
        extra={name: value for name, value in more.items() if value},
    )


class _KeepsItsFormat(logging.Handler):
    """Hands on to another handler, whatever format this one is given."""

    def __init__(self, other: logging.Handler) -> None:
        super().__init__()
        self.other = other

    def emit(self, record: logging.LogRecord) -> None:
        """Hands on."""
        self.other.emit(record)


class _JsonFormatter(logging.Formatter):
    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        # Longest first: one may be part of another.
        self.secrets = sorted(secrets, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        source = record.name.removeprefix("marketfinder.")
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "source": source,
            "run_id": run_id(),
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(self._clean(line), default=str).decode()

    def _clean(self, value: Any) -> Any:
        """The value without a secret, and fit for JSON."""
        if isinstance(value, str):
            for secret in self.secrets:
                value = value.replace(secret, "***")
            value = _USER_OF_A_URL.sub("***@", value)
            return value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, Mapping):
            return {str(name): self._clean(one) for name, one in value.items()}
        if isinstance(value, list | tuple | set):
            return [self._clean(one) for one in value]
        return value


def _environment() -> dict[str, str]:
    from dotenv import dotenv_values  # of pydantic-settings, which reads .env the same way

    try:
        written = dotenv_values(".env")
    except (OSError, UnicodeDecodeError):
        written = {}
    return {**{name: value for name, value in written.items() if value}, **os.environ}


def _secrets(environment: Mapping[str, str]) -> frozenset[str]:
    """What must not be logged: values of variables that are named so, and passwords in URLs."""
    return frozenset(
        secret
        for name, value in environment.items()
        for secret in _secrets_of(name, value)
        if len(secret) >= _LEAST_CHARACTERS
    )


def _secrets_of(name: str, value: str) -> Iterator[str]:
    if _SECRET_NAME.search(name):
        yield value
    if "://" in value and "@" in value:
        try:
            password = urlsplit(value).password
        except ValueError:
            return
        if password:
            yield password
            yield unquote(password)
