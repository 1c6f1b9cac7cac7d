"""Publishing tables: Parquet sets that are whole, and a real PostgreSQL."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from postgres_server import PASSWORD, postgres_server
from pydantic import SecretStr

from ingestion.errors import PublishError, SettingsError
from ingestion.publish_parquet import publish_parquet
from ingestion.publish_postgres import (
    PostgresSettings,
    load_postgres_settings,
    publish_postgres,
)
from ingestion.publish_tables import TABLES
from ingestion.publishing import Target, publish
from ingestion.settings import Settings
from ingestion.simulation import MARK

# What is to come through as it is: every type that gold has, and texts that strangers wrote.
GOLD = """
create schema gold;
create table gold.markets as
select
    range as market_number,
    'kalshi:' || range as market_id,
    case range % 4
        when 0 then null
        when 1 then ''
        when 2 then 'a "quote", a comma, a \\backslash, \\N, \\u0000' || chr(10) || '💰</script>'
        else ' spaces '
    end as title,
    (range / 7.0)::decimal(28, 8) as volume,
    range % 3 = 0 as is_active,
    [
        {'label': 'Yes', 'ask_price': 0.12345678::decimal(12, 8)},
        {'label': null, 'ask_price': null}
    ] as outcomes,
    if(range % 2 = 0, ['a', '\\u0000', null], []) as tags,
    timestamp '2026-10-01 12:00:00.123456' + to_seconds(range) as processed_at,
    date '2026-10-01' as end_date,
    if(range % 2 = 0, range / 3.0::double, null) as score
from range(50_000);
comment on table gold.markets is 'Every market.';
comment on column gold.markets.volume is 'Traded, in USD. Null: not told.';
create view gold.sync_logs as select 'one' as sync_id, 2::bigint as markets;
create table gold.llm_usage (model varchar, usd decimal(18, 9));
create table gold.publication as
select
    'run-1' as run_id, timestamp '2026-10-01 12:30:00' as published_at, 'w' as warehouse,
    'state-1' as warehouse_state;
"""
NAMES = ("markets", "sync_logs", "gold.llm_usage")

KILLED = """
    import os, signal, sys
    from ingestion import publish_parquet
    from ingestion.settings import Settings
    from pathlib import Path

    def die(*arguments):
        os.kill(os.getpid(), signal.SIGKILL)

    settings = Settings(warehouse=Path(sys.argv[1]))
    for name in ("_comments", "_flush", "_turn", "_forget"):
        if not os.fork():
            setattr(publish_parquet, name, die)
            publish_parquet.publish_parquet(settings, names=["markets", "sync_logs"])
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published copy of 50,000 rows."""
    path = tmp_path_factory.mktemp("copy") / "marketfinder.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(GOLD)
    return path


@pytest.fixture
def settings(copy: Path, tmp_path: Path) -> Settings:
    """A published copy of this test's own."""
    settings = Settings(warehouse=tmp_path / "warehouse.duckdb")
    shutil.copyfile(copy, settings.published)
    return settings


def publish_anew(settings: Settings, statement: str, state: str) -> None:
    """Another published copy in the place of this one."""
    new = settings.published.with_suffix(".new.duckdb")
    shutil.copyfile(settings.published, new)
    with duckdb.connect(new) as connection:
        connection.execute(statement)
        connection.execute(f"update gold.publication set warehouse_state = '{state}'")
    new.replace(settings.published)


def in_gold(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Rows of the published copy."""
    with duckdb.connect(settings.published, read_only=True) as connection:
        return connection.execute(query).fetchall()


def parquet_sets(settings: Settings) -> Path:
    """Where they are by default."""
    return settings.published.with_name("marketfinder-parquet")


def test_parquet_keeps_types_values_and_descriptions(settings: Settings) -> None:
    done = publish_parquet(settings, names=NAMES)
    assert done.rows == {"markets": 50_000, "sync_logs": 1, "llm_usage": 0, "publication": 1}
    current = parquet_sets(settings) / "current"
    file = f"read_parquet('{current}/markets.parquet')"
    assert in_gold(settings, f"describe select * from {file}") == in_gold(
        settings, "describe gold.markets"
    )
    assert in_gold(settings, f"from {file} order by all") == in_gold(
        settings, "from gold.markets order by all"
    )
    told = dict(
        in_gold(
            settings,
            "select decode(key), decode(value)"
            f" from parquet_kv_metadata('{current}/markets.parquet')",
        )
    )
    assert told["description"] == "Every market."
    assert json.loads(told["columns"])["volume"] == "Traded, in USD. Null: not told."
    again = publish_parquet(settings, names=NAMES)
    assert again.seconds == 0


def test_a_parquet_set_is_replaced_at_once(settings: Settings, tmp_path: Path) -> None:
    """A reader has the set before until the one after next; nothing else is left or touched."""
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "notes").mkdir()
    publish_parquet(settings, names=["markets"], to=target)
    current = target / "current"
    first = current.resolve()
    publish_anew(settings, "delete from gold.markets where is_active", "state-2")
    publish_parquet(settings, names=["markets"], to=target)
    second = current.resolve()
    assert second != first
    counted = f"select count(*) from read_parquet('{first}/markets.parquet')"
    assert in_gold(settings, counted) == [(50_000,)]
    publish_anew(settings, "delete from gold.markets", "state-3")
    publish_parquet(settings, names=["markets"], to=target)
    third = current.resolve()
    assert {path.name for path in target.iterdir()} == {
        *("notes", "current", second.name, third.name)
    }


SIMULATED = "create schema raw; create table raw.simulations as select 'demo' as run_id"
LIVE = "drop table raw.simulations; update gold.publication set is_simulated = false"


def test_a_parquet_set_of_simulated_data_says_so(settings: Settings, tmp_path: Path) -> None:
    """And does not come in the place of a live one, nor that in its own."""
    publish_parquet(settings, names=NAMES)
    live = (parquet_sets(settings) / "current").resolve()
    publish_anew(settings, SIMULATED, "state-2")
    with pytest.raises(PublishError, match="holds live data, and these are simulated"):
        publish(Target.PARQUET, settings, tables=NAMES)
    assert (parquet_sets(settings) / "current").resolve() == live
    # What was made with an older version does not say what it is.
    publish_anew(
        settings, "alter table gold.publication add column is_simulated boolean default true", "3"
    )
    place = tmp_path / "simulated"
    assert publish(Target.PARQUET, settings, tables=NAMES, to=place).endswith(MARK)
    (told,) = in_gold(
        settings,
        f"select decode(value) from parquet_kv_metadata('{place}/current/markets.parquet')"
        " where decode(key) = 'description'",
    )
    assert told == (f"{MARK} Every market.",)
    publish_anew(settings, "delete from gold.markets", "state-4")
    publish_parquet(settings, names=NAMES, to=place)
    publish_anew(settings, LIVE, "state-5")
    with pytest.raises(PublishError, match="holds simulated data, and these are live"):
        publish_parquet(settings, names=NAMES, to=place)


def test_a_killed_parquet_set_was_never_there(settings: Settings) -> None:
    publish_parquet(settings, names=NAMES)
    sets = parquet_sets(settings)
    first = (sets / "current").resolve()
    publish_anew(settings, "delete from gold.markets where is_active", "state-2")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(settings.warehouse)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(-signal.SIGKILL)] * 4, done.stderr
    # The last one died when the link was turned and before the leftovers were removed.
    assert (sets / "current").resolve() != first
    publish_anew(settings, "delete from gold.markets", "state-3")
    publish_parquet(settings, names=NAMES)
    assert len([path for path in sets.iterdir() if path.is_dir() and not path.is_symlink()]) == 2
    assert len(list((sets / "current").iterdir())) == len(NAMES) + 1


def test_tables_and_folders_that_cannot_be(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"has no gold\.market\. It has gold\.llm_usage"):
        publish_parquet(settings, names=["market"])
    with pytest.raises(PublishError, match=f"has no {TABLES[1].name}"):
        publish_parquet(settings)
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="cannot be written"):
        publish_parquet(settings, names=NAMES, to=tmp_path / "file")


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """A database of a server of our own."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def postgres(postgres_url: str) -> PostgresSettings:
    """Settings for the database, which is empty."""
    settings = PostgresSettings(url=SecretStr(postgres_url))
    rows(settings, "drop schema if exists marketfinder cascade;"
         " drop schema if exists marketfinder_staging cascade; select 1")  # fmt: skip
    return settings


def rows(settings: PostgresSettings, query: str) -> list[tuple[Any, ...]]:
    """What the database answers."""
    connection = psycopg2.connect(settings.url.get_secret_value())
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found
    finally:
        connection.close()


COLUMNS = "market_number, market_id, nullif(title, ''), volume, is_active, end_date, score"


def test_postgres_holds_what_gold_holds(settings: Settings, postgres: PostgresSettings) -> None:
    done = publish_postgres(settings, postgres, names=NAMES)
    assert done.rows == {"markets": 50_000, "sync_logs": 1, "llm_usage": 0, "publication": 1}
    order = "order by market_number"
    assert rows(postgres, f"select {COLUMNS} from marketfinder.markets {order}") == in_gold(
        settings, f"select {COLUMNS} from gold.markets {order}"
    )
    assert rows(
        postgres,
        "select outcomes, tags, processed_at at time zone 'UTC' = timestamp"
        f" '2026-10-01 12:00:00.123456' + market_number * interval '1 second'"
        f" from marketfinder.markets where market_number < 2 {order}",
    ) == [
        (
            [{"label": "Yes", "ask_price": 0.12345678}, {"label": None, "ask_price": None}],
            ["a", "\\u0000", None] if number == 0 else [],
            True,
        )
        for number in range(2)
    ]
    kinds = dict(
        rows(
            postgres,
            "select column_name, data_type || coalesce('(' || numeric_precision || ','"
            " || numeric_scale || ')', '') from information_schema.columns"
            " where table_schema = 'marketfinder' and table_name = 'markets'",
        )
    )
    assert kinds["volume"] == "numeric(28,8)"
    assert kinds["outcomes"] == "jsonb"
    assert kinds["processed_at"] == "timestamp with time zone"


def test_postgres_is_replaced_and_not_added_to(
    settings: Settings, postgres: PostgresSettings
) -> None:
    publish_postgres(settings, postgres, names=NAMES)
    # A view of somebody's on our table goes on.
    rows(postgres, "create view marketfinder.mine as select count(*) from marketfinder.markets;"
         " select 1")  # fmt: skip
    publish_anew(
        settings,
        "delete from gold.markets where is_active;"
        "update gold.markets set title = 'nul ' || chr(0) || '.',"
        " tags = ['\\' || chr(0), '\\\\u0000'] where market_number = 1;"
        "insert into gold.llm_usage values ('m', 0.123456789)",
        "state-2",
    )
    publish_postgres(settings, postgres, names=NAMES)
    ((left,),) = in_gold(settings, "select count(*) from gold.markets")
    assert rows(postgres, "select * from marketfinder.mine") == [(left,)]
    assert rows(
        postgres, "select title, tags from marketfinder.markets where market_number = 1"
    ) == [("nul .", ["\\", "\\\\u0000"])]
    assert rows(postgres, "select model, usd from marketfinder.llm_usage") == [
        ("m", Decimal("0.123456789"))
    ]


def test_postgres_is_not_given_simulated_data_for_live_ones(
    settings: Settings, postgres: PostgresSettings
) -> None:
    publish_postgres(settings, postgres, names=NAMES)
    publish_anew(
        settings,
        f"{SIMULATED}; delete from gold.markets;"
        "alter table gold.publication add column is_simulated boolean default true",
        "state-2",
    )
    with pytest.raises(PublishError, match="holds live data, and these are simulated"):
        publish_postgres(settings, postgres, names=NAMES)
    assert rows(postgres, "select count(*) from marketfinder.markets") == [(50_000,)]
    rows(postgres, "drop schema marketfinder cascade; select 1")
    publish_postgres(settings, postgres, names=NAMES)
    publish_postgres(settings, postgres, names=NAMES)
    assert rows(postgres, "select is_simulated from marketfinder.publication") == [(True,)]
    publish_anew(settings, LIVE, "state-3")
    with pytest.raises(PublishError, match="holds simulated data, and these are live"):
        publish_postgres(settings, postgres, names=NAMES)


def test_postgres_killed_in_the_middle_is_as_before(
    settings: Settings, postgres: PostgresSettings
) -> None:
    publish_postgres(settings, postgres, names=NAMES)
    publish_anew(settings, "delete from gold.markets where is_active", "state-2")
    program = """
        import os, signal
        from dlt.destinations.impl.postgres.postgres import PostgresCsvCopyJob
        from ingestion.publish_postgres import load_postgres_settings, publish_postgres
        from ingestion.settings import load_settings
        PostgresCsvCopyJob.run = lambda job: os.kill(os.getpid(), signal.SIGKILL)
        publish_postgres(load_settings(), load_postgres_settings(), names=["markets"])
    """
    environment = {
        **os.environ,
        "MARKETFINDER_WAREHOUSE": str(settings.warehouse),
        "MARKETFINDER_POSTGRES_URL": postgres.url.get_secret_value(),
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert rows(postgres, "select count(*) from marketfinder.markets") == [(50_000,)]
    for path in settings.published.parent.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path
    publish_postgres(settings, postgres, names=NAMES)
    ((left,),) = in_gold(settings, "select count(*) from gold.markets")
    assert rows(postgres, "select count(*) from marketfinder.markets") == [(left,)]


def test_postgres_failures_are_told_in_words(
    settings: Settings, postgres: PostgresSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    good = postgres.url.get_secret_value()
    for url, words in (
        (good.replace(PASSWORD, "wrong-4711"), "password authentication failed"),
        (good.replace("/postgres", "/nowhere"), 'database "nowhere" does not exist'),
        ("postgresql://a:wrong-4711@127.0.0.1:1/x", "Connection refused"),
    ):
        with pytest.raises(PublishError, match=words) as failed:
            publish_postgres(settings, PostgresSettings(url=SecretStr(url)), names=NAMES)
        assert "4711" not in str(failed.value)
        assert len(str(failed.value).splitlines()) == 1
    assert capfd.readouterr().err == ""


def test_postgres_settings_are_told_without_their_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for url, words in (
        ("", "MARKETFINDER_POSTGRES_URL is not set"),
        (f"mysql://a:{PASSWORD}@host/x", "must be a URL"),
        (f"postgresql://a:{PASSWORD}@host", "must name a database"),
        (f"postgresql://a@host/x?password={PASSWORD}", "must name user and password"),
        ("postgresql://host/x", "must name user and password"),
        (f"postgresql://a:{PASSWORD}/4@host/x", "no number as its port"),
        (f"postgresql://a:b@host:{PASSWORD}/x", "no number as its port"),
    ):
        monkeypatch.setenv("MARKETFINDER_POSTGRES_URL", url)
        with pytest.raises(SettingsError, match=words) as wrong:
            load_postgres_settings()
        assert PASSWORD not in str(wrong.value)
    monkeypatch.setenv("MARKETFINDER_POSTGRES_SCHEMA", PASSWORD)
    with pytest.raises(SettingsError, match="\nMARKETFINDER_POSTGRES_SCHEMA: String") as wrong:
        load_postgres_settings()
    assert PASSWORD not in str(wrong.value)
