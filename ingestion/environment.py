"""What all settings have in common: where they come from, and how one that is wrong is told."""

from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSettingError

from ingestion.errors import SettingsError


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
        return kind()
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


def _variable(kind: type[EnvironmentSettings], place: tuple[int | str, ...]) -> str:
    """The variable of a field; one with an alias is called by it."""
    name = "_".join(map(str, place)).upper()
    return name if name.startswith("MARKETFINDER_") else kind.model_config["env_prefix"] + name


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
