"""`marketfinder publish postgres`: tables of gold in a PostgreSQL database, by dlt's destination.

dlt loads into tables of a schema beside, and then fills the real ones from these.
"""

import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ingestion.environment import EnvironmentSettings, load_environment
from ingestion.errors import PublishError, SettingsError
from ingestion.outward import carry, only_publisher, refuse_the_other_kind
from ingestion.publish_tables import Table, TablesPublication, chosen_tables
from ingestion.settings import Settings
from ingestion.simulation import is_simulated
from ingestion.venues import Progress

_ROWS = 20_480


def _postgres_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value():
        return value
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("postgresql", "postgres") or not parts.hostname:
        raise ValueError("must be a URL such as postgresql://user:password@host:5432/database")
    if not parts.path.strip("/"):
        raise ValueError("must name a database: postgresql://user:password@host:5432/database")
    try:
        _ = parts.port
    except ValueError:  # whose text is a part of it: of the password, where that has a slash
        raise ValueError("has no number as its port; / in a password is %2F, @ is %40") from None
    if not (parts.username and parts.password):
        raise ValueError(
            "must name user and password: postgresql://user:password@host:5432/database"
        )
    return value


class PostgresSettings(EnvironmentSettings):
    """Where to publish; every field is also MARKETFINDER_POSTGRES_<FIELD> in the environment."""

    model_config = SettingsConfigDict(env_prefix="MARKETFINDER_POSTGRES_")

    url: Annotated[SecretStr, AfterValidator(_postgres_url)] = SecretStr("")
    # `schema` is a name that pydantic has taken.
    into: str = Field(
        default="marketfinder",
        pattern=r"^[a-z_][a-z0-9_]{0,40}$",
        validation_alias="MARKETFINDER_POSTGRES_SCHEMA",
    )


def load_postgres_settings() -> PostgresSettings:
    """The settings in force. Raises SettingsError when one is wrong, or there is no URL."""
    settings = load_environment(PostgresSettings)
    if not settings.url.get_secret_value():
        raise SettingsError(
            "MARKETFINDER_POSTGRES_URL is not set, such as"
            " postgresql://user:password@host:5432/database"
        )
    if find_spec("psycopg2") is None:
        raise SettingsError(
            "PostgreSQL's driver is not installed: uv sync --extra postgres, or"
            " pip install 'marketfinder[postgres]'"
        )
    return settings


def publish_postgres(
    settings: Settings,
    postgres_settings: PostgresSettings,
    *,
    names: Sequence[str] = (),
    progress: Progress | None = None,
) -> TablesPublication:
    """Replaces the tables in a schema of a PostgreSQL database, each in one transaction.

    Nested columns are jsonb, and an empty text is null: dlt's loader knows no difference. Raises
    PublishError; a table then has all of its rows of before or all of the new ones.
    """
    import dlt

    begun = time.monotonic()
    rows: dict[str, int] = {}
    problem: list[Exception] = []
    url = postgres_settings.url.get_secret_value()
    with (
        only_publisher(settings, "postgres") as folder,
        chosen_tables(settings, names) as (connection, tables),
    ):
        place = f"schema {postgres_settings.into} of {urlsplit(url).hostname}"
        holds_simulated = _holds_simulated(postgres_settings)
        if holds_simulated is not None:
            refuse_the_other_kind(place, holds_simulated, is_simulated(connection))

        def read(table: Table, query: str) -> Iterator[pa.Table]:
            rows[table.short] = 0
            try:
                # dlt reads its resources in turns, and a connection has one result at a time.
                with connection.cursor() as reading:
                    reading.execute("use copy")
                    reader = reading.sql(query).to_arrow_reader(_ROWS)
                    yield reader.schema.empty_table()
                    for batch in reader:
                        rows[table.short] += batch.num_rows
                        yield pa.Table.from_batches([batch])
                        if progress:
                            progress(f"postgres {table.short}", rows[table.short], None)
                    reading.execute(f"select count(*) from {table.name}")
                    if reading.fetchall() != [(rows[table.short],)]:
                        raise PublishError(f"Not all rows of {table.name} could be read.")
            except (duckdb.Error, PublishError) as error:
                problem.append(error)
                raise

        def resource(table: Table) -> Any:
            query, nested = _flat(connection, table)
            return dlt.resource(
                read,
                name=table.short,
                write_disposition="replace",
                columns=[{"name": name, "data_type": "json"} for name in nested],
            )(table, query)

        failed = carry(
            folder,
            dlt.destinations.postgres(credentials=url),
            lambda: [resource(table) for table in tables],
            file_format="csv",
            dataset_name=postgres_settings.into,
        )
        if problem:
            raise PublishError(f"{settings.published}: {str(problem[0]).splitlines()[0]}")
        if failed:
            raise _failed(failed, postgres_settings)
    return TablesPublication(place, rows, time.monotonic() - begun)


def _holds_simulated(postgres_settings: PostgresSettings) -> bool | None:
    """Whether what is there is simulated, as it says itself; null where nothing is there. What was
    published before it said so is live. Raises PublishError."""
    import psycopg2

    publication = f'"{postgres_settings.into}".publication'
    try:
        # Not by `with`, which ends the transaction and not the connection.
        connection = psycopg2.connect(postgres_settings.url.get_secret_value())
        try:
            with connection.cursor() as asking:
                asking.execute("select to_regclass(%s)", [publication])
                if asking.fetchone() == (None,):
                    return None
                asking.execute(
                    "select coalesce(to_jsonb(publication) ->> 'is_simulated', 'false') = 'true'"
                    f" from {publication} limit 1"
                )
                row = asking.fetchone()
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise _failed(error, postgres_settings) from None
    return row[0] if row else None


def _failed(error: Exception, postgres_settings: PostgresSettings) -> PublishError:
    return PublishError(
        f"PostgreSQL: {_reason(error, postgres_settings.url.get_secret_value())} Every table there"
        " is as before or new as a whole. Check MARKETFINDER_POSTGRES_URL and that its user may"
        f" create the schema {postgres_settings.into}, then publish again."
    )


def _flat(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[str, list[str]]:
    """A query of the table with nested columns as JSON, and their names.

    PostgreSQL's texts cannot hold the character 0, and its JSON not the escape of it; a pair of
    backslashes before `u0000` is no such escape.
    """
    selected, nested = [], []
    for name, kind, *_ in connection.execute(f"describe {table.name}").fetchall():
        column = f'"{name}"'
        if kind == "VARCHAR":
            selected.append(f"replace({column}, chr(0), '') as {column}")
        elif kind.endswith(("[]", ")")) and not kind.startswith("DECIMAL"):
            nested.append(name)
            selected.append(
                f"replace(replace(replace(to_json({column})::varchar, '\\\\', chr(1)), '\\u0000',"
                f" ''), chr(1), '\\\\') as {column}"
            )
        else:
            selected.append(column)
    return f"select {', '.join(selected)} from {table.name}", nested


def _reason(failed: Exception, url: str) -> str:
    """Why PostgreSQL did not take it, in one line and without the password."""
    error: BaseException = failed
    while following := getattr(error, "exception", None) or error.__cause__:
        error = following
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = next((line for line in lines if line.startswith(("FATAL", "ERROR", "psycopg2."))), "")
    text = text or (lines[0] if lines else type(error).__name__)
    password = urlsplit(url).password or ""
    for secret in {url, password, unquote(password)} - {""}:
        text = text.replace(secret, "***")
    return text[:400].rstrip(".") + "."
