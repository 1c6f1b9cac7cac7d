"""Settings: from the environment, or from a file `.env` in the working directory."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from ingestion.environment import EnvironmentSettings, http_url, load_environment

_TAKEN_NAMES = ("raw", "bronze", "silver", "gold", "main", "temp", "system", "memory")


def _base_url(value: str) -> str:
    return http_url(value, "https://example.com/api", may_have_user=True)


def _warehouse(value: Path) -> Path:
    if value.suffix != ".duckdb":
        raise ValueError("must be a file name that ends in .duckdb")
    # DuckDB names the database after the file, and a name that is also a schema's is ambiguous.
    if value.stem.lower() in _TAKEN_NAMES:
        raise ValueError(f"must not be called {value.stem}, which is the name of a schema")
    return value


class LogFormat(StrEnum):
    """What commands say of their work: to people, or a line of JSON an event."""

    HUMAN = "human"
    JSON = "json"


class Disposal(StrEnum):
    """What becomes of a segment once it is loaded."""

    ARCHIVE = "archive"
    DELETE = "delete"
    KEEP = "keep"


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class Settings(EnvironmentSettings):
    """What a run needs to know; every field is also MARKETFINDER_<FIELD> in the environment."""

    model_config = SettingsConfigDict(env_prefix="MARKETFINDER_", hide_input_in_errors=False)

    warehouse: Annotated[Path, AfterValidator(_warehouse)] = Path("data/warehouse.duckdb")
    published: Path = Field(default=Path(), validate_default=True)
    segments: Path = Path("data")
    loaded_segments: Disposal = Disposal.ARCHIVE
    kalshi_url: BaseUrl = "https://external-api.kalshi.com/trade-api/v2"
    polymarket_url: BaseUrl = "https://gamma-api.polymarket.com"
    clob_url: BaseUrl = "https://clob.polymarket.com"
    kalshi_requests_per_second: float = Field(default=15, gt=0, le=1_000)
    polymarket_requests_per_second: float = Field(default=25, gt=0, le=1_000)
    request_attempts: int = Field(default=5, ge=1, le=20)
    request_timeout_seconds: float = Field(default=30, gt=0, le=600)
    request_backoff_seconds: float = Field(default=1, ge=0, le=60)
    step_timeout_seconds: float = Field(default=1_800, gt=0, le=86_400)
    metrics: Path | None = None
    log_format: LogFormat = LogFormat.HUMAN

    @field_validator("published")
    @classmethod
    def _beside_the_warehouse(cls, value: Path, info: ValidationInfo) -> Path:
        """By default marketfinder.duckdb beside the warehouse, and never the warehouse itself."""
        warehouse = info.data.get("warehouse")
        if warehouse is None:  # it is wrong, and that is told
            return value if value == Path() else _warehouse(value)
        if value == Path():
            value = warehouse.with_name("marketfinder.duckdb")
        if value.absolute() == warehouse.absolute():
            raise ValueError(
                f"the copy for readers must be another file than the warehouse, {warehouse}; set it"
            )
        return _warehouse(value)


def load_settings() -> Settings:
    """The settings in force. Raises SettingsError, one line for each setting that is wrong."""
    return load_environment(Settings)
