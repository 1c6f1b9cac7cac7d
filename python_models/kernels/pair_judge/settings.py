"""Settings of the judge of pairs, from the environment: endpoint, key, model, prices, budgets."""

from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ingestion.environment import EnvironmentSettings, header_safe, http_url, load_environment
from ingestion.errors import SettingsError

_PREFIX = "MARKETFINDER_JUDGE_"
NANO_USD = 10**9
"""Money is counted in whole nano-dollars: a token can cost less than a millionth of a dollar."""


def _base_url(value: str) -> str:
    return http_url(value, "https://api.openai.com/v1")


Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=18, decimal_places=9)]


class JudgeSettings(EnvironmentSettings):
    """What the judge needs to know; every field is also MARKETFINDER_JUDGE_<FIELD>.

    Without a key the judge is off. With one, the model and its prices must be known: a budget in
    USD means nothing without them. The ledger is beside the warehouse unless a place is given.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX)

    enabled: bool = True
    asks_in: Literal["calls", "batches"] = "calls"
    api_key: Annotated[SecretStr, AfterValidator(header_safe)] = SecretStr("")
    base_url: Annotated[str, AfterValidator(_base_url)] = "https://api.openai.com/v1"
    model: str = ""
    response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    warehouse: Path = Field(
        default=Path("data/warehouse.duckdb"), validation_alias="MARKETFINDER_WAREHOUSE"
    )
    ledger: Path = Field(default_factory=lambda data: data["warehouse"].with_name("judge.sqlite"))

    usd_per_million_input_tokens: Usd | None = None
    usd_per_million_output_tokens: Usd | None = None
    batch_price_share: Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)] = Decimal("0.5")
    max_output_tokens: int = Field(default=4_000, ge=100, le=200_000)

    max_calls_per_run: int = Field(default=1_000, ge=0)
    max_usd_per_run: Usd = Decimal(5)
    max_calls_per_day: int = Field(default=5_000, ge=0)
    max_usd_per_day: Usd = Decimal(10)

    calls_in_flight: int = Field(default=20, ge=1, le=1_000)
    attempts: int = Field(default=4, ge=1, le=20)
    timeout_seconds: float = Field(default=120, gt=0, le=3_600)
    backoff_seconds: float = Field(default=1, ge=0, le=60)
    longest_wait_seconds: float = Field(default=60, ge=0, le=3_600)

    @property
    def is_on(self) -> bool:
        """Whether there is a key to ask with, and it may be used."""
        return self.enabled and self.api_key.get_secret_value() != ""

    @property
    def why_off(self) -> str:
        """Why the judge is off."""
        return "switched off" if not self.enabled else "no key"

    def require_on(self) -> None:
        """Raises SettingsError where there is nobody to ask."""
        if not self.is_on:
            raise SettingsError(
                f"The judge is off ({self.why_off}): set {_PREFIX}API_KEY, and the model and its"
                " prices as .env.example shows."
            )

    def model_post_init(self, context: Any) -> None:
        """Checks that what a key needs is there."""
        needed = {
            "model": self.model,
            "usd_per_million_input_tokens": self.usd_per_million_input_tokens is not None,
            "usd_per_million_output_tokens": self.usd_per_million_output_tokens is not None,
        }
        missing = [f"{_PREFIX}{name.upper()}" for name, known in needed.items() if not known]
        if self.is_on and missing:
            raise SettingsError(
                f"{_PREFIX}API_KEY is set, but not {', '.join(missing)}. A local model costs 0."
            )

    def nano_usd(self, input_tokens: int, output_tokens: int) -> int:
        """The price of so many tokens, rounded up."""
        # Tokens times USD a million, in nano-dollars: times 1,000.
        thousandth = (self.usd_per_million_input_tokens or Decimal(0)) * input_tokens + (
            self.usd_per_million_output_tokens or Decimal(0)
        ) * output_tokens
        return ceil(thousandth * 1_000)


def load_judge_settings() -> JudgeSettings:
    """The settings in force. Raises SettingsError, one line for each setting that is wrong.

    The text never holds a value: one of them may be the key in the wrong place.
    """
    return load_environment(JudgeSettings)
