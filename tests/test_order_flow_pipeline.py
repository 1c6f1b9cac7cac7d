"""Order-flow features through the warehouse: runs, orders of loading, kills, real captures."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from order_book_builds import WAREHOUSE, CompiledModels
from order_flow_page import draw
from pipelines import ask, scans_of
from test_order_books import BOOK, SNAPSHOT, Runs, frame, level2, load, write
from test_order_books import captured as record
from test_order_books import trade as told_trade

from ingestion.simulator.order_books import (
    BITCOIN,
    ETHER,
    BookFaults,
    LevelTwoStream,
    MarketSettings,
    write_ccxt_segments,
)
from ingestion.simulator.order_books.ccxt import CcxtSettings
from python_models import order_flow
from python_models.order_flow_docs import (
    GOLD_PATH,
    SILVER_PATH,
    gold_yaml,
    project_variables,
    silver_yaml,
)

START = datetime(2026, 10, 1, 23, 59, 50, tzinfo=UTC)
MARKET = MarketSettings(
    seed=5, start=START, products=(replace(BITCOIN, depth=60), replace(ETHER, depth=40))
)
STREAM = LevelTwoStream(MARKET, BookFaults(dropped=(200,), duplicated=(230,), reconnect_at=(380,)))
FLOW = "from silver.order_flow_features order by exchange, symbol, book_number"
GOLD = "from gold.order_book_features order by exchange, symbol, book_number"
STATES = "select * exclude (run_number) from silver.order_flow_states order by exchange, symbol"
# Small buckets and few of them, so that VPIN has a value in a minute.
SMALL_BUCKETS = {"order_flow_bucket_volume": 0.2, "order_flow_buckets": 5}


def variables(**changed: Any) -> dict[str, str]:
    """The vars of dbt_project.yml as the models are given them, some of them changed."""
    return {"variables": json.dumps({**project_variables(), **changed})}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    """The models up to the wide table and the dictionary, compiled by dbt once."""
    selected = "+gold_order_book_features +order_flow_states +feature_dictionary"
    return CompiledModels(tmp_path_factory.mktemp("models"), selected)


# Any runs


@pytest.fixture(scope="module")
def replayed(
    models: CompiledModels, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, list[Any]]]:
    """A simulated recording, and all rows of a build of the whole of it."""
    root = tmp_path_factory.mktemp("replayed")
    STREAM.write(root, frames=500)
    warehouse = root / "whole" / WAREHOUSE
    load(root, warehouse)
    models.build(warehouse, **variables(**SMALL_BUCKETS))
    return root, {query: ask(warehouse, query) for query in (FLOW, GOLD, STATES)}


@hypothesis_settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(1, 499), min_size=1, max_size=4))
def test_any_runs_give_the_same_rows_and_none_changes(
    models: CompiledModels,
    replayed: tuple[Path, dict[str, list[Any]]],
    tmp_path_factory: pytest.TempPathFactory,
    cuts: list[int],
) -> None:
    """So no row depends on what came after it: at each cut the future was not there yet."""
    root, expected = replayed
    runs = Runs(root, tmp_path_factory.mktemp("runs") / WAREHOUSE)
    ends = sorted({*cuts, len(runs)})
    for first, last in zip([0, *ends], ends, strict=False):
        runs.add(first, last)
        models.build(runs.warehouse, **variables(**SMALL_BUCKETS))
        so_far = ask(runs.warehouse, FLOW)
        whole = {row[:5]: row for row in expected[FLOW]}
        assert all(row == whole[row[:5]] for row in so_far)
    assert {query: ask(runs.warehouse, query) for query in expected} == expected


def test_the_recording_has_what_the_tests_are_about(
    replayed: tuple[Path, dict[str, list[Any]]],
) -> None:
    warehouse = replayed[0] / "whole" / WAREHOUSE
    [(rows, resets, invalid, waiting, trades, vpins)] = ask(
        warehouse,
        """
        select
            count(*), count(*) filter (is_reset), count(*) filter (not is_valid),
            count(*) filter (awaits_order_flow), sum(trade_count), count(vpin_aggressor)
        from gold.order_book_features
        """,
    )
    assert rows > 300
    assert resets >= 4
    assert invalid > 0
    assert waiting == 0
    assert trades > 20
    assert vpins > 50


def test_a_kill_leaves_nothing_behind(
    models: CompiledModels, replayed: tuple[Path, dict[str, list[Any]]], tmp_path: Path
) -> None:
    """In the middle of the rows, and between the tables before."""
    root, expected = replayed
    runs = Runs(root, tmp_path / WAREHOUSE)
    runs.add(0, 250)
    models.build(runs.warehouse, **variables(**SMALL_BUCKETS))
    runs.add(250, len(runs))
    settings = variables(**SMALL_BUCKETS)["variables"]
    before = [name for name in (model.relation for model in models.models) if "flow" not in name]
    models.build(runs.warehouse, before)
    with duckdb.connect(runs.warehouse) as connection:
        table = "silver.order_flow_rows"
        connection.execute("begin")
        rows = order_flow.new_rows(connection, table, True, settings)
        assert rows.read_next_batch().num_rows
        connection.register("rows", rows)
        connection.execute(f"insert into {table} by name select * from rows")
        connection.execute("rollback")
    models.build(runs.warehouse, **variables(**SMALL_BUCKETS))
    assert {query: ask(runs.warehouse, query) for query in expected} == expected


# Captured books and trades, which are recorded apart


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated books and trades as CCXT's recorder writes them, in several segments of each."""
    root = tmp_path_factory.mktemp("captured")
    write_ccxt_segments(root, MARKET, CcxtSettings(), steps=400, rows_per_segment=150)
    return root


def built_in_turns(
    models: CompiledModels, root: Path, warehouse: Path, *turns: str, **changed: Any
) -> list[tuple[Any, ...]]:
    """All rows after builds that each find more segments, by their names."""
    ready = root / "raw/ready/ccxt"
    aside = {path: path.with_suffix(".aside") for path in ready.glob("*/*.parquet")}
    for path, hidden in aside.items():
        path.rename(hidden)
    try:
        for turn in turns:
            for path in ready.glob(turn.replace(".parquet", ".aside")):
                path.rename(path.with_suffix(".parquet"))
            load(root, warehouse)
            models.build(warehouse, **variables(**SMALL_BUCKETS, **changed))
    finally:
        for path, hidden in aside.items():
            if hidden.exists():
                hidden.rename(path)
    return ask(warehouse, KNOWN)


# Numbers are given in the order of loading: what is compared is told apart by its time.
KNOWN = """
select * exclude (stream, book_number)
from gold.order_book_features where not awaits_order_flow
order by exchange, symbol, booked_at
"""
SEGMENTS = "*/*.parquet"


def test_books_wait_for_trades_whichever_are_loaded_first(
    models: CompiledModels, captured: Path, tmp_path: Path
) -> None:
    whole = built_in_turns(models, captured, tmp_path / "whole" / WAREHOUSE, SEGMENTS)
    assert len(whole) > 100
    for name, *turns in (
        ("books first", "orderbook/*.parquet", SEGMENTS),
        ("trades first", "trades/*.parquet", SEGMENTS),
        ("in turns", "*/*00001.parquet", "*/*00002.parquet", SEGMENTS),
    ):
        warehouse = tmp_path / name / WAREHOUSE
        assert built_in_turns(models, captured, warehouse, *turns) == whole, name


def test_books_without_trades_are_there_and_say_that_they_wait(
    models: CompiledModels, captured: Path, tmp_path: Path
) -> None:
    waiting, free = tmp_path / "waiting" / WAREHOUSE, tmp_path / "free" / WAREHOUSE
    assert built_in_turns(models, captured, waiting, "orderbook/*.parquet") == []
    count = "select count(*), count(mid_price), count(log_return) from gold.order_book_features"
    [(books, mids, returns)] = ask(waiting, count)
    assert books == mids > 100
    assert returns == 0
    changed = {"order_flow_waits_for_trades": False}
    assert len(built_in_turns(models, captured, free, "orderbook/*.parquet", **changed)) == books
    [(with_return, with_trades)] = ask(
        free, "select count(log_return), count(trade_count) from gold.order_book_features"
    )
    assert with_return == books - 2
    assert with_trades == 0


def test_a_trade_counts_at_the_first_book_that_was_captured_after_it(
    models: CompiledModels, captured: Path, tmp_path: Path
) -> None:
    """Said once more in SQL, by a join of every trade with every book."""
    warehouse = tmp_path / WAREHOUSE
    built_in_turns(models, captured, warehouse, SEGMENTS)
    different = ask(
        warehouse,
        """
        with counted as (
            select
                trades.exchange, trades.symbol, trade_number, any_value(size) as size,
                arg_min(books.book_number, books.captured_at) as book_number
            from silver.trades as trades
            inner join silver.order_books as books
                on trades.symbol = books.symbol and books.captured_at > trades.told_at
            group by all
        ),
        summed as (
            select symbol, book_number, count(*) as trade_count, sum(size) as volume
            from counted group by all
        )
        select symbol, book_number, flow.trade_count, summed.trade_count
        from silver.order_flow_features as flow
        left join summed using (symbol, book_number)
        where
            not is_reset
            and flow.trade_count is not null
            and (
                flow.trade_count != coalesce(summed.trade_count, 0)
                or abs(buy_volume + sell_volume - coalesce(volume, 0)) > 1e-9
            )
        """,
    )
    assert different == []
    [(trades,)] = ask(warehouse, "select sum(trade_count) from silver.order_flow_features")
    assert trades > 20


NOON = int(datetime(2026, 10, 1, 12, tzinfo=UTC).timestamp() * 1000)


def book_at(second: float, size: float = 1, **fields: Any) -> dict[str, Any]:
    """A book of BTC/USD, captured a tenth of a second after its time."""
    at = NOON + round(1000 * second)
    return record(
        "orderbook",
        timestamp=at,
        collected_at=at + 100,
        bids=[[100, size]],
        asks=[[101, 1]],
        **fields,
    )


def trade_at(second: float, **fields: Any) -> dict[str, Any]:
    at = NOON + round(1000 * second)
    told = {"trade_id": str(second), "timestamp": at, "collected_at": at + 100, **fields}
    return record("trades", **told)


FEATURES = """
select * exclude (stream, book_number) from silver.order_flow_features
where not is_late and stream like '%{}' order by booked_at
"""


def test_a_second_recorder_and_a_late_segment_change_nothing(
    models: CompiledModels, tmp_path: Path
) -> None:
    """A product's rows are those of the first recorder alone, in whatever runs both come."""
    one = [book_at(second, 1 + second) for second in range(40)]
    another = [book_at(second + 0.4, 50 - second) for second in range(38)]
    told = [trade_at(second + 0.2) for second in range(40)]
    alone, both, parts = (tmp_path / name for name in ("alone", "both", "parts"))
    warehouses = [root / WAREHOUSE for root in (alone, both, parts)]
    for root, warehouse in zip((alone, both), warehouses, strict=False):
        write(root, "one/1", one[:20], "ccxt/orderbook")
        write(root, "one/3", one[30:], "ccxt/orderbook")
        write(root, "1", told, "ccxt/trades")
        if root == both:
            write(root, "one/2", one[20:30], "ccxt/orderbook")
            write(root, "two/1", another, "ccxt/orderbook")
        load(root, warehouse)
        models.build(warehouse, **variables(order_flow_bucket_volume=1, order_flow_buckets=2))
    for feed, name, lines in (
        ("orderbook", "one/1", one[:20]),
        ("trades", "1", told),
        ("orderbook", "one/3", one[30:]),
        ("orderbook", "two/1", another),
        ("orderbook", "one/2", one[20:30]),
    ):
        write(parts, name, lines, f"ccxt/{feed}")
        load(parts, warehouses[2])
        models.build(warehouses[2], **variables(order_flow_bucket_volume=1, order_flow_buckets=2))
    expected = ask(warehouses[0], FEATURES.format("one"))
    assert len(expected) == 30
    late = """
        select late_books, (select count(*) from gold.order_book_features where is_late),
            (select count(log_return) from gold.order_book_features where is_late)
        from silver.order_flow_states
    """
    assert ask(warehouses[0], late) == [(0, 0, 0)]
    assert ask(warehouses[2], FEATURES.format("one")) == expected
    assert ask(warehouses[2], late) == [(48, 48, 0)]
    # Loaded at once, no segment is late; the second recorder still is.
    assert len(ask(warehouses[1], FEATURES.format("one"))) == 40
    assert ask(warehouses[1], late) == [(38, 38, 0)]


def test_a_second_recorder_of_a_replayed_product_changes_nothing(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Nor does its gap; its books after the first one's are taken, as of a new stream."""
    sizes = [level2(number, ("bid", "100", str(1 + number))) for number in range(1, 20)]
    one, two = tmp_path / "alone" / WAREHOUSE, tmp_path / "both" / WAREHOUSE
    other = [SNAPSHOT, *sizes[3:15], level2(20, *BOOK, type="snapshot")]
    for warehouse, segments in ((one, {"one/1": [SNAPSHOT, *sizes]}), (two, {"two/1": other})):
        for name, lines in segments.items():
            write(tmp_path, name, lines)
            load(tmp_path, warehouse)
            models.build(warehouse, **variables())
    expected = ask(one, FEATURES.format("one"))
    assert len(expected) == 20
    assert ask(two, FEATURES.format("one")) == expected
    late = "select is_late, is_reset, count(*) from gold.order_book_features where stream like {}"
    late += " group by all order by all"
    assert ask(two, late.format("'%two'")) == [(False, True, 1), (True, None, 13)]


def test_a_wrong_time_of_telling_lets_no_book_go(models: CompiledModels, tmp_path: Path) -> None:
    """A trade of a recorder's clock that was an hour ahead does not say what came before."""
    told = [trade_at(second + 0.2) for second in range(5)]
    told[2]["collected_at"] += 3_600_000
    write(tmp_path, "1", [book_at(second) for second in range(10)], "ccxt/orderbook")
    write(tmp_path, "1", told, "ccxt/trades")
    warehouse = tmp_path / WAREHOUSE
    load(tmp_path, warehouse)
    models.build(warehouse, **variables())
    flow = """
        select awaits_order_flow, trade_count from gold.order_book_features order by book_number
    """
    assert ask(warehouse, flow) == [
        (False, None),
        (False, 1),
        (False, 1),
        (False, 0),
        (False, 1),
        *[(True, None)] * 5,
    ]


class Scanning:
    """A session that notes how many rows the scans of its queries look at."""

    def __init__(self, connection: Any, rows: list[int]) -> None:
        self.connection = connection
        self.rows = rows

    def cursor(self) -> "Scanning":
        return Scanning(self.connection.cursor(), self.rows)

    def register(self, name: str, table: pa.Table) -> None:
        self.connection.register(name, table)

    def sql(self, query: str) -> Any:
        scans = scans_of(self.connection, query)
        self.rows.append(sum(scan.read for scan in scans if len(scan.columns) > 1))
        return self.connection.sql(query)


def test_books_that_wait_are_found_without_the_history(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Also where a symbol's recording ended long ago, and its last books wait for ever."""
    warehouse, history = tmp_path / WAREHOUSE, 1_000_000
    ended = [book_at(second, symbol="ETH/USD") for second in range(6)]
    write(tmp_path, "1", ended, "ccxt/orderbook")
    write(tmp_path, "1", [trade_at(2.2, symbol="ETH/USD")], "ccxt/trades")
    load(tmp_path, warehouse)
    models.build(warehouse, **variables())
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            f"insert into silver.trades by name select * replace ({history} as trade_number,"
            " 'BTC/USD' as symbol) from silver.trades"
        )
    for start in (10, 20, 30):
        seconds = range(start, start + 10)
        write(tmp_path, str(start), [book_at(second) for second in seconds], "ccxt/orderbook")
        write(tmp_path, str(start), [trade_at(second + 0.2) for second in seconds], "ccxt/trades")
        load(tmp_path, warehouse)
        if start < 30:
            models.build(warehouse, **variables())
    between = {
        "bronze.ccxt_order_books": ("frame_number", "frame_number + 1000 + number"),
        "silver.trades": ("trade_number", "10 + number"),
    }
    with duckdb.connect(warehouse) as connection:
        for table, (name, value) in between.items():
            connection.execute(
                f"""
                create or replace table {table} as
                (from {table} order by {name} limit 1)
                union all
                select first.* replace ({value} as {name}, 'BTC/USD' as symbol)
                from (from {table} order by {name} limit 1) as first,
                    range({history - 100}) as before (number)
                union all
                (from {table} order by {name} offset 1)
                """
            )
        connection.execute("checkpoint")
    flow = "silver.order_flow_rows"
    models.build(warehouse, [m.relation for m in models.models if m.relation != flow])
    with duckdb.connect(warehouse) as connection:
        rows: list[int] = []
        session = Scanning(connection, rows)
        given = json.dumps(project_variables())
        made = order_flow.new_rows(session, flow, True, given).read_all()
    assert made.filter(pc.equal(made["run_number"], 0))["symbol"].to_pylist() == ["BTC/USD"] * 10
    assert max(rows) < history // 2


def test_the_trades_of_a_segment_that_came_late_are_history(
    models: CompiledModels, tmp_path: Path
) -> None:
    """Its books are not taken either; trades of a segment in time count."""

    def traded(number: int) -> dict[str, Any]:
        at = datetime(2026, 10, 1, 12, 0, number, tzinfo=UTC).isoformat()
        one = told_trade(trade_id=str(number), time=at)
        return frame(number, "market_trades", {"type": "update", "trades": [one]})

    warehouse = tmp_path / WAREHOUSE
    segments = {
        "1": [SNAPSHOT, traded(1), level2(2, BOOK[0])],
        "3": [level2(6, *BOOK, type="snapshot"), traded(7), level2(8, BOOK[0])],
        "2": [traded(3), traded(4), level2(5, BOOK[0])],
        "4": [traded(9), level2(10, BOOK[0])],
    }
    for name, lines in segments.items():
        write(tmp_path, name, lines)
        load(tmp_path, warehouse)
        models.build(warehouse, **variables())
    counts = "select trade_count from gold.order_book_features order by booked_at"
    assert ask(warehouse, counts) == [(None,), (1,), (None,), (1,), (1,)]


# Parameters, columns


def test_other_parameters_are_refused(
    models: CompiledModels, replayed: tuple[Path, dict[str, list[Any]]], tmp_path: Path
) -> None:
    """Rows of two kinds would stand in one column."""
    runs = Runs(replayed[0], tmp_path / WAREHOUSE)
    runs.add(0, 100)
    models.build(runs.warehouse, **variables())
    runs.add(100, 200)
    with pytest.raises(ValueError, match=r"computed with levels 10, and now 5\. .*--full-refresh"):
        models.build(runs.warehouse, **variables(order_flow_levels=5))
    models.build(runs.warehouse, **variables())


def test_states_of_an_older_version_are_refused(
    models: CompiledModels, replayed: tuple[Path, dict[str, list[Any]]], tmp_path: Path
) -> None:
    """They were structs, not lists of one."""
    runs = Runs(replayed[0], tmp_path / WAREHOUSE)
    runs.add(0, 100)
    models.build(runs.warehouse)
    with duckdb.connect(runs.warehouse) as connection:
        connection.execute("alter table silver.order_flow_rows alter state type using state[1]")
    with pytest.raises(ValueError, match=r"kept its states otherwise.*--full-refresh"):
        models.build(runs.warehouse)


def test_the_dictionary_has_every_feature_of_the_wide_table(
    replayed: tuple[Path, dict[str, list[Any]]],
) -> None:
    warehouse = replayed[0] / "whole" / WAREHOUSE
    columns = ask(
        warehouse,
        "select column_name, data_type from duckdb_columns()"
        " where schema_name = 'gold' and table_name = 'order_book_features' order by column_index",
    )
    first = [name for name, _ in columns].index("bid_price_0")
    told = ask(warehouse, "select name, data_type from gold.feature_dictionary order by position")
    assert told == columns[first:]
    groups = ask(warehouse, "select distinct feature_group from gold.feature_dictionary")
    assert {name for (name,) in groups} == {"raw", "structural", "dynamic", "rolling", "advanced"}


def test_the_yaml_is_what_the_tables_of_features_say() -> None:
    for path, text in ((SILVER_PATH, silver_yaml), (GOLD_PATH, gold_yaml)):
        assert path.read_text() == text(project_variables()), (
            f"{path.name} is old: uv run python -m python_models.order_flow_docs"
        )


def test_what_is_known_of_a_book_is_found_in_whatever_order_it_was_written() -> None:
    books = pa.table(
        {
            "exchange": ["a", "a", "b", "a"],
            "symbol": ["x", "y", "x", "x"],
            "book_number": [1, 1, 2, 3],
            "bids": [[1.0], [2.0], [3.0], [4.0]],
        }
    )
    wanted = books.drop_columns("bids")
    assert order_flow.side_by_side(wanted, books) is books
    assert order_flow.side_by_side(wanted, books.take([3, 1, 0, 2])) == books
    # One that waits, and one of which nothing is known.
    assert order_flow.side_by_side(wanted.slice(1), books.slice(0, 3)) == books.slice(1, 2)


# Real captures


@pytest.fixture(scope="module")
def real(
    models: CompiledModels, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The captures of Coinbase, Binance and Bybit, through the whole pipeline."""
    warehouse = tmp_path_factory.mktemp("real") / WAREHOUSE
    for name in ("coinbase", "ccxt"):
        load(shared_data / "order_books" / name, warehouse)
    models.build(warehouse, **variables(order_flow_bucket_volume=1, order_flow_buckets=20))
    return warehouse


def test_real_books_have_the_order_flow_of_a_plain_query(real: Path) -> None:
    """Binance's and Coinbase's returns and order flow from neighbouring rows, in SQL."""
    different = ask(
        real,
        """
        with neighbours as (
            select
                *,
                lag(columns('^(bid|ask)_(price|size)_0$|^mid_price$'))
                    over (partition by exchange, symbol order by book_number) as "old_\\0"
            from gold.order_book_features
            where not awaits_order_flow
        )
        select exchange, symbol, book_number
        from neighbours
        where
            not is_reset and (
                abs(ln(mid_price / old_mid_price) - log_return) > 1e-12
                or abs(
                    if(bid_price_0 >= old_bid_price_0, bid_size_0, 0)
                    - if(bid_price_0 <= old_bid_price_0, old_bid_size_0, 0)
                    - if(ask_price_0 <= old_ask_price_0, ask_size_0, 0)
                    + if(ask_price_0 >= old_ask_price_0, old_ask_size_0, 0)
                    - order_flow_imbalance
                ) > 1e-7
            )
        """,
    )
    assert different == []
    counts = dict(
        ask(real, "select exchange, count(log_return) from gold.order_book_features group by all")
    )
    assert counts["binance"] == 3447
    assert counts["coinbase"] == 436


def test_real_trades_are_counted_once(real: Path) -> None:
    """Every trade after the first book and before the last one that does not wait."""
    [(counted, there)] = ask(
        real,
        """
        select
            (select sum(trade_count) from gold.order_book_features where exchange = 'binance'),
            (
                select count(*)
                from silver.trades
                where
                    exchange = 'binance'
                    and told_at >= (
                        select min(captured_at) from silver.order_books where exchange = 'binance'
                    )
                    and told_at < (
                        select max(captured_at)
                        from silver.order_books
                        inner join silver.order_flow_features using (exchange, symbol, book_number)
                        where exchange = 'binance'
                    )
            )
        """,
    )
    assert counted == there > 9_000


def test_a_page_to_look_at(real: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Prices, order flow, VPIN and spread of both captures, drawn into the test output."""
    output = tmp_path_factory.mktemp("pages")
    shown = draw(real, "binance", "BTC/USDT", output / "binance.png")
    draw(real, "coinbase", "BTC-USD", output / "coinbase.png")
    for name in ("binance", "coinbase"):
        assert (output / f"{name}.png").stat().st_size > 50_000
    assert np.isfinite(shown["mid_price"]).all()
    assert np.nanmin(shown["vpin_aggressor"]) >= 0
    assert np.nanmax(shown["vpin_aggressor"]) <= 1
    assert set(shown["spread_regime"]) == {"tight", "normal", "wide"}
