"""What all settings have in common: where they come from, and how one that is wrong is told."""

import os
from difflib import get_close_matches
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSettingError

from ingestion.errors import SettingsError

# A letter or two of a whole name: MARKETFINDER_WAREHOUSE_OLD is another one.
_ALMOST = 0.93


class EnvironmentSettings(BaseSettings):
    """Settings from the environment, or from a file `.env` in the working directory.

    Each kind has an `env_prefix`. Wrong values are not shown, because one of them may be a secret
    in the wrong place; a kind without secrets turns `hide_input_in_errors` off.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )


SomeSettings = TypeVar("SomeSettings", bound=EnvironmentSettings)


def load_environment(kind: type[SomeSettings]) -> SomeSettings:
    """The settings in force. Raises SettingsError, one line for each setting that is wrong."""
    shows_values = not kind.model_config["hide_input_in_errors"]
    try:
        settings = kind()
    except ValidationError as error:
        lines = [
            f"{_variable(kind, problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
            + (f" (it is {problem['input']!r})" if shows_values else "")
            for problem in error.errors(include_input=shows_values, include_context=False)
            if problem["type"] != "default_factory_not_called"
        ]
        raise SettingsError("\n".join(lines)) from None
    except UnreadableSettingError as error:
        raise SettingsError(f"{error}: it must be JSON") from None
    except UnicodeDecodeError:
        raise SettingsError(".env is not a UTF-8 text file") from None
    _refuse_misspelt()
    return settings


def _refuse_misspelt() -> None:
    """Raises SettingsError for a variable that is called almost as a setting: it would be passed
    over, and a budget or a file be the default one. Any other name may be somebody else's."""
    known = {
        _variable(kind, (str(field.validation_alias or name),))
        for kind in EnvironmentSettings.__subclasses__()
        for name, field in kind.model_fields.items()
    }
    environment = {**dotenv_values(".env"), **os.environ}
    given = {name.upper() for name, value in environment.items() if value}
    lines = [
        f"{name} is no setting: {meant[0]} is"
        for name in sorted(given - known)
        if name.startswith("MARKETFINDER_")
        and (meant := get_close_matches(name, known, 1, _ALMOST))
    ]
    if lines:
        raise SettingsError("\n".join(lines))


def _variable(kind: type[EnvironmentSettings], place: tuple[int | str, ...]) -> str:
    """The variable of a field; one with an alias is called by it."""
    name = "_".join(map(str, place)).upper()
    return name if name.startswith("MARKETFINDER_") else kind.model_config["env_prefix"] + name


def shown_url(url: str) -> str:
    """`url` without user, password, query and fragment, fit for messages."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def http_url(value: str, such_as: str, *, may_have_user: bool = False) -> str:
    """The URL without a slash at its end. Raises ValueError when it is none."""
    parts = urlsplit(value)
    is_url = parts.scheme in ("http", "https") and parts.hostname
    if not is_url or ("@" in parts.netloc and not may_have_user):
        ending = "" if may_have_user else ", without a password"
        raise ValueError(f"must be a URL such as {such_as}{ending}")
    return value.rstrip("/")


def header_safe(key: SecretStr) -> SecretStr:
    """The key without white space around it. Raises ValueError when no HTTP header can hold it."""
    # The HTTP library quotes a header that it cannot send, and with it the key.
    stripped = key.get_secret_value().strip()
    if not all("!" <= letter <= "~" for letter in stripped):
        raise ValueError("must be one line of printable ASCII without spaces")
    return SecretStr(stripped)
