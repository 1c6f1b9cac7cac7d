"""Bars against plain computations: Polars on real trades, worked examples, and any split into runs.

dbt compiles each model twice, as a full refresh and as an incremental run. Where many runs are
needed, that SQL runs on DuckDB directly, with dbt's delete and insert around it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipelines import dbt
from polars.testing import assert_frame_equal

KEY = ["exchange", "symbol", "duration_seconds", "started_at"]
DURATIONS = (60, 120, 600)  # of the tests on DuckDB directly
MAXIMUM_FILLED_DAYS = 1
START = datetime(2026, 3, 1, 12)

Row = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of bars, and the silver table below it."""

    model: str
    table: str
    at: str
    number: str
    columns: str


TRADES = Kind(
    "trade_bars",
    "trades",
    "traded_at",
    "trade_number",
    "exchange varchar, symbol varchar, trade_number bigint, trade_id varchar, traded_at timestamp,"
    " price double, size double, is_buy boolean, dollar_volume double",
)
TICKERS = Kind(
    "ticker_bars",
    "tickers",
    "ticked_at",
    "ticker_number",
    "exchange varchar, symbol varchar, ticker_number bigint, ticked_at timestamp,"
    " last_price double, best_bid_price double, best_ask_price double, spread_bps double",
)
BOOKS = Kind(
    "order_book_bars",
    "order_book_features",
    "booked_at",
    "book_number",
    "exchange varchar, symbol varchar, source varchar, book_number bigint, booked_at timestamp,"
    " is_valid boolean, is_late boolean, mid_price double, spread_bps double, imbalance_1 double,"
    " imbalance_5 double",
)
KINDS = (TRADES, TICKERS, BOOKS)
# Of books, which it follows later.
ORDER_FLOW = (
    "exchange varchar, symbol varchar, source varchar, book_number bigint, booked_at timestamp,"
    " order_flow_imbalance double"
)


def create_silver(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables that bars read, empty."""
    connection.execute("create schema silver; create schema gold")
    for kind in KINDS:
        connection.execute(f"create table silver.{kind.table} ({kind.columns})")
    connection.execute(f"create table silver.order_flow_features ({ORDER_FLOW})")


def build_bars(command: str, warehouse: Path, *arguments: str, **environment: str) -> None:
    """Runs dbt on the bars alone."""
    names = [kind.model for kind in KINDS]
    done = dbt(warehouse, command, "--quiet", "--select", *names, *arguments, **environment)
    assert done.returncode == 0, done.stdout


class Bars:
    """A warehouse in memory: rows land, and bars are brought up to date as dbt does it."""

    def __init__(self, sql: dict[tuple[str, bool], str]) -> None:
        self.sql = sql
        self.connection = duckdb.connect()
        self.connection.execute("attach ':memory:' as warehouse; use warehouse")
        create_silver(self.connection)

    def clear(self) -> None:
        """Forgets all rows and bars."""
        for kind in KINDS:
            self.connection.execute(f"delete from silver.{kind.table}")
            self.connection.execute("delete from silver.order_flow_features")
            self.connection.execute(f"drop table if exists gold.{kind.model}")

    def land(self, kind: Kind, rows: Sequence[Row]) -> None:
        """Adds rows to the silver table, as they are."""
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            self.connection.execute(
                f"insert into silver.{kind.table} ({names}) values ({marks})", list(row.values())
            )

    def tell_order_flow(self, books: Sequence[Row], values: Sequence[float | None]) -> None:
        """Adds the order flow of books."""
        for book, value in zip(books, values, strict=True):
            row = [book[name] for name in ("exchange", "symbol", "source", "book_number")]
            self.connection.execute(
                "insert into silver.order_flow_features values (?, ?, ?, ?, ?, ?)",
                [*row, book["booked_at"], value],
            )

    def refresh(self, kind: Kind) -> None:
        """Builds all bars."""
        self.connection.execute(
            f"create or replace table gold.{kind.model} as {self.sql[kind.model, False]}"
        )

    def run(self, kind: Kind) -> list[Row]:
        """Brings the bars up to date; returns what was written."""
        self.connection.execute(
            f"create or replace temp table written as {self.sql[kind.model, True]}"
        )
        same = " and ".join(f"written.{name} = held.{name}" for name in KEY)
        self.connection.execute(f"delete from gold.{kind.model} as held using written where {same}")
        self.connection.execute(f"insert into gold.{kind.model} by name select * from written")
        return self.rows("select * from written")

    def rows(self, query: str) -> list[Row]:
        """The answer to a query."""
        found = self.connection.execute(query)
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def bars(self, kind: Kind, where: str = "true") -> list[Row]:
        """The bars in order."""
        order = ", ".join(KEY)
        return self.rows(f"select * from gold.{kind.model} where {where} order by {order}")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], str]:
    """The SQL of each model, as a full refresh (False) and as an incremental run (True)."""
    target = tmp_path_factory.mktemp("compiled")
    warehouse = target / "warehouse.duckdb"
    with duckdb.connect(warehouse) as connection:
        create_silver(connection)
    known = {
        "bar_durations_seconds": list(DURATIONS),
        "maximum_filled_days": MAXIMUM_FILLED_DAYS,
    }
    sql = {}
    for incremental, command in enumerate(("run", "compile")):
        build_bars(command, warehouse, "--vars", json.dumps(known), DBT_TARGET_PATH=str(target))
        for kind in KINDS:
            (path,) = target.glob(f"compiled/**/{kind.model}.sql")
            sql[kind.model, bool(incremental)] = path.read_text()
    return sql


@pytest.fixture(scope="module")
def bars(compiled: dict[tuple[str, bool], str]) -> Iterator[Bars]:
    """A warehouse that each test clears."""
    warehouse = Bars(compiled)
    yield warehouse
    warehouse.connection.close()


def trade(number: int, seconds: float, price: float, size: float = 1.0, **other: Any) -> Row:
    """A trade so many seconds after START."""
    return {
        "exchange": "venue",
        "symbol": "BTC/USDT",
        "trade_number": number,
        "trade_id": str(number),
        "traded_at": START + timedelta(seconds=seconds),
        "price": price,
        "size": size,
        "is_buy": True,
        "dollar_volume": price * size,
        **other,
    }


def ticker(number: int, seconds: float, price: float | None, **other: Any) -> Row:
    """A ticker so many seconds after START."""
    return {
        "exchange": "venue",
        "symbol": "BTC/USDT",
        "ticker_number": number,
        "ticked_at": START + timedelta(seconds=seconds),
        "last_price": price,
        "best_bid_price": None,
        "best_ask_price": None,
        "spread_bps": None,
        **other,
    }


def book(number: int, seconds: float, mid: float | None, imbalance: float | None = None) -> Row:
    """A snapshot so many seconds after START, invalid without a mid price."""
    return {
        "exchange": "venue",
        "symbol": "BTC/USDT",
        "source": "replayed",
        "book_number": number,
        "booked_at": START + timedelta(seconds=seconds),
        "is_valid": mid is not None,
        "is_late": False,
        "mid_price": mid,
        "spread_bps": None if mid is None else 10 / mid,
        "imbalance_1": imbalance,
        "imbalance_5": imbalance,
    }


def test_worked_examples(bars: Bars) -> None:
    bars.clear()
    variances = [trade(i, i, price) for i, price in enumerate([100, 100.1, 100.05, 100.2])]
    ranges = [
        trade(10 + i, 600 + 120 * i, price) for i, price in enumerate([100, 101, 99.5, 100.5])
    ]
    bars.land(TRADES, variances + ranges)
    bars.refresh(TRADES)
    first, second = bars.bars(TRADES, "duration_seconds = 600")
    assert first["realised_variance"] == pytest.approx(3.493013e-6, rel=1e-6)
    assert second["parkinson_variance"] == pytest.approx(8.075037e-5, rel=1e-6)
    assert second["garman_klass_variance"] == pytest.approx(1.0233449e-4, rel=1e-6)
    assert second["rogers_satchell_variance"] == pytest.approx(9.950723e-5, rel=1e-6)
    # Across slices of a bar the return counts, across bars it does not.
    returns = [log(101 / 100), log(99.5 / 101), log(100.5 / 99.5)]
    assert second["realised_variance"] == pytest.approx(sum(r * r for r in returns), rel=1e-12)
    minutes = bars.bars(TRADES, "duration_seconds = 60 and open != close")
    assert [bar["close"] for bar in minutes] == [100.2]


def test_a_snapshot_counts_until_the_next_one(bars: Bars) -> None:
    bars.clear()
    bars.land(
        BOOKS,
        [
            book(1, 10, 100, 0.5),  # 20 s
            book(2, 30, None),  # invalid: 40 s unknown
            book(3, 70, 101, -1),  # 10 s
            book(4, 80, 102, 1),  # until the bar ends: 40 s, 520 s in the longest
        ],
    )
    bars.refresh(BOOKS)
    found = {(bar["duration_seconds"], bar["started_at"]): bar for bar in bars.bars(BOOKS)}
    two = found[120, START]
    assert two["mean_imbalance_1_by_time"] == pytest.approx((20 * 0.5 - 10 + 40) / 70)
    assert two["mean_imbalance_5"] == pytest.approx(0.5 / 3)
    assert (two["snapshot_count"], two["valid_share"]) == (4, 0.75)
    assert (two["open"], two["low"], two["high"], two["close"]) == (100, 100, 102, 102)
    assert two["realised_variance"] == pytest.approx(log(1.01) ** 2 + log(102 / 101) ** 2)
    ten = found[600, START]
    assert ten["mean_imbalance_1_by_time"] == pytest.approx((20 * 0.5 - 10 + 520) / 550)
    assert found[60, START]["mean_imbalance_1_by_time"] == 0.5


def test_sides_are_told_of_a_bar_only_where_all_are_known(bars: Bars) -> None:
    bars.clear()
    sides = [(0, True), (1, False), (60, True), (61, None), (200, None)]
    bars.land(TRADES, [trade(i, at, 100, 2, is_buy=side) for i, (at, side) in enumerate(sides)])
    bars.refresh(TRADES)
    found = bars.bars(TRADES, "duration_seconds = 60")
    assert [(bar["buy_volume"], bar["sell_volume"], bar["buy_ratio"]) for bar in found] == [
        (2, 2, 0.5),
        (None, None, None),
        (0, 0, None),  # empty
        (None, None, None),
    ]


def test_order_flow_adds_up_once_all_of_it_is_known(bars: Bars) -> None:
    bars.clear()
    books = [book(number, at, 100) for number, at in enumerate((10, 20, 70, 80, 130, 190))]
    flow: list[float | None] = [None, 5e10, -7.25, 0.1, None, 0.2]
    bars.land(BOOKS, books)
    bars.refresh(BOOKS)
    for known, sums in (
        (0, [None, None, None, None]),
        (3, [5e10, None, None, None]),
        (6, [5e10, -7.15, None, 0.2]),
    ):
        bars.connection.execute("delete from silver.order_flow_features")
        bars.tell_order_flow(books[:known], flow[:known])
        bars.run(BOOKS)
        found = bars.bars(BOOKS, "duration_seconds = 60")
        assert [bar["order_flow_imbalance"] for bar in found] == sums
        waiting = [2, 2, 1, 1] if known == 0 else [0, 1, 1, 1] if known == 3 else [0] * 4
        assert [bar["waiting_count"] for bar in found] == waiting
    assert bars.run(BOOKS) == []
    [whole] = bars.bars(BOOKS, "duration_seconds = 600")
    assert whole["order_flow_imbalance"] == 49999999993.05


def test_a_late_snapshot_is_in_no_bar(bars: Bars) -> None:
    bars.clear()
    books = [book(1, 10, 100, 0.5), book(3, 50, 101, 0.5)]
    bars.land(BOOKS, books)
    bars.refresh(BOOKS)
    expected = bars.bars(BOOKS)
    late = [book(2, 20, 77, -1), book(4, 55, 78, -1), book(5, 999, 79, 0)]
    bars.land(BOOKS, [{**one, "is_late": True} for one in late])
    bars.run(BOOKS)
    assert bars.bars(BOOKS) == expected
    bars.refresh(BOOKS)
    assert bars.bars(BOOKS) == expected


def test_ties_are_broken_by_trade_id_as_a_number(bars: Bars) -> None:
    bars.clear()
    at_once = [("10", 4.0), ("9", 5.0), ("101", 6.0), ("00000000-uuid", 7.0)]
    bars.land(
        TRADES,
        [trade(i, 0, price, trade_id=name) for i, (name, price) in enumerate(at_once)],
    )
    bars.refresh(TRADES)
    assert {(bar["open"], bar["close"]) for bar in bars.bars(TRADES)} == {(5.0, 7.0)}


def test_empty_bars_end_with_the_recording(bars: Bars) -> None:
    bars.clear()
    bars.land(TRADES, [trade(1, 0, 100.0), trade(2, 3 * 86_400, 101.0)])
    bars.refresh(TRADES)
    for seconds in DURATIONS:
        empty = bars.bars(TRADES, f"is_forward_filled and duration_seconds = {seconds}")
        assert len(empty) == MAXIMUM_FILLED_DAYS * 86_400 // seconds
        assert {(bar["close"], bar["volume"], bar["vwap"]) for bar in empty} == {(100, 0, None)}


def test_huge_and_tiny_values_keep_their_digits(bars: Bars) -> None:
    bars.clear()
    huge = [trade(i, i, 1e12, 1e12) for i in range(3)]
    tiny = [trade(10 + i, i, 1e-8, 1e-3, symbol="tiny") for i in range(3)]
    free = [trade(20, 0, 0.0, symbol="free"), trade(21, 1, -37.63, symbol="free")]
    bars.land(TRADES, huge + tiny + free)
    bars.refresh(TRADES)
    found = {bar["symbol"]: bar for bar in bars.bars(TRADES, "duration_seconds = 60")}
    assert found["BTC/USDT"]["dollar_volume"] == 3e24
    assert found["tiny"]["vwap"] == pytest.approx(1e-8, rel=1e-9)
    assert found["free"]["realised_variance"] is None
    assert found["free"]["parkinson_variance"] is None


def test_sums_do_not_depend_on_threads_or_order(bars: Bars) -> None:
    """Doubles whose plain sum changes with the order of adding."""
    bars.clear()
    tables = []
    for threads, order in ((1, "i"), (4, "hash(i)")):
        bars.connection.execute(f"set threads = {threads}; delete from silver.trades")
        bars.connection.execute(f"""
            insert into silver.trades
            select
                'venue', 'BTC/USDT', row_number() over (order by {order}), cast(i as varchar),
                timestamp '2026-03-01' + to_milliseconds(i // 3),
                1 + (hash(i) % 9973) / 7e4 as price,
                exp((hash(i + 1) % 4000) / 200.0 - 10) as size, hash(i + 2) % 2 = 0, price * size
            from range(300000) as numbers (i) order by {order}
        """)
        bars.refresh(TRADES)
        tables.append(
            bars.rows(
                "select * exclude (last_trade_number) from gold.trade_bars"
                f" order by {', '.join(KEY)}"
            )
        )
    assert tables[0] == tables[1]


# Times on both sides of bars, within a few of them and days away.
seconds = st.one_of(
    st.integers(0, 1_500),
    st.sampled_from([0, 59, 60, 61, 119, 120, 599, 600, 3_600]),
    st.integers(0, 4 * 1_440).map(lambda minutes: minutes * 60),
)
prices = st.sampled_from([99.7, 100.0, 100.1, 100.3, 1e-8])
maybe_prices = st.one_of(st.none(), prices)
shares = st.one_of(st.none(), st.floats(-1, 1))
symbols = st.sampled_from(["BTC/USDT", "ETH/USDT"])
row_makers: dict[Kind, st.SearchStrategy[Callable[[int], Row]]] = {
    TRADES: st.builds(
        lambda at, price, size, symbol, side: (
            lambda number: trade(number, at, price, size, symbol=symbol, is_buy=side)
        ),
        seconds,
        prices,
        st.floats(1e-9, 1e12),
        symbols,
        st.sampled_from([True, False, None]),
    ),
    TICKERS: st.builds(
        lambda at, price, bid, symbol: (
            lambda number: ticker(number, at, price, best_bid_price=bid, symbol=symbol)
        ),
        seconds,
        maybe_prices,
        maybe_prices,
        symbols,
    ),
    BOOKS: st.builds(
        # Captured books have numbers apart from the replayed ones, in a symbol's bars or not.
        lambda at, mid, share, symbol, source, is_late, runs, flow: (
            lambda number: {
                **book(
                    number + 1_000 * (source == "captured"), at, mid, None if mid is None else share
                ),
                "symbol": symbol,
                "source": source,
                "is_late": is_late,
                "runs": runs,
                "flow": flow,
            }
        ),
        seconds,
        maybe_prices,
        shares,
        symbols,
        st.sampled_from(["replayed", "captured"]),
        st.sampled_from([False, False, True]),
        # After how many runs its order flow is known.
        st.sampled_from([0, 0, 1, 2, 9]),
        st.one_of(st.none(), st.floats(-1e12, 1e12)),
    ),
}


def bars_of(kind: Kind, rows: Sequence[Row]) -> set[tuple[Any, ...]]:
    """The keys of the bars that rows lie in."""
    return {
        (
            row["exchange"],
            row["symbol"],
            duration,
            START
            + (row[kind.at] - START) // timedelta(seconds=duration) * timedelta(seconds=duration),
        )
        for row in rows
        if not row.get("is_late")
        for duration in DURATIONS
    }


def key_of(bar: Row) -> tuple[Any, ...]:
    """The key of a bar."""
    return tuple(bar[name] for name in KEY)


def check_any_split(bars: Bars, kind: Kind, runs: Sequence[Sequence[Row]]) -> None:
    """Runs end with what a full refresh gives, and each writes what it has to and no more."""
    bars.clear()
    bars.refresh(kind)
    awaited: list[tuple[int, Row, float | None]] = []
    for number, rows in enumerate(runs):
        before = {key_of(bar): bar for bar in bars.bars(kind)}
        last_held: dict[tuple[Any, ...], datetime] = {}
        for key, bar in before.items():
            if not bar["is_forward_filled"]:
                last_held[key[:3]] = key[3]
        awaited += [(number + row["runs"], row, row["flow"]) for row in rows if "runs" in row]
        bars.land(kind, [{k: row[k] for k in row if k not in ("runs", "flow")} for row in rows])
        followed = [(row, flow) for run, row, flow in awaited if run == number]
        bars.tell_order_flow(*zip(*followed, strict=True) if followed else ([], []))
        waiting = {key for key, bar in before.items() if bar.get("waiting_count")}
        written = {key_of(bar): bar for bar in bars.run(kind)}
        after = {key_of(bar): bar for bar in bars.bars(kind)}

        reopened = {key for key, bar in written.items() if not bar["is_forward_filled"]}
        followed_bars = bars_of(kind, [row for row, _ in followed])
        assert bars_of(kind, rows) | followed_bars <= reopened
        assert reopened <= bars_of(kind, rows) | waiting
        # Empty bars are written behind a reopened bar, or behind the last one that was held.
        behind: tuple[Any, ...] = ()
        for key, bar in after.items():
            if not bar["is_forward_filled"]:
                behind = key
            elif key in written:
                assert behind in reopened or behind[3] == last_held[key[:3]]
        assert before.keys() <= after.keys()
        assert {key for key in before if before[key] != after[key]} <= written.keys()

    gradual = bars.bars(kind)
    bars.refresh(kind)
    assert gradual == bars.bars(kind)


def draw_runs(kind: Kind, data: st.DataObject) -> list[list[Row]]:
    """Rows numbered as they land, cut into runs, some of them empty."""
    makers = data.draw(st.lists(row_makers[kind], max_size=25), label="rows")
    rows = [make(number) for number, make in enumerate(makers)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4), label="cuts"))
    return [rows[low:high] for low, high in pairwise([0, *cuts, len(rows)])]


common = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model)
@given(data=st.data())
@settings(max_examples=25, **common)  # type: ignore[arg-type]
def test_any_split_into_runs_gives_the_same_bars(
    bars: Bars, kind: Kind, data: st.DataObject
) -> None:
    check_any_split(bars, kind, draw_runs(kind, data))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model)
@given(data=st.data())
@settings(max_examples=300, **common)  # type: ignore[arg-type]
def test_any_split_at_length(bars: Bars, kind: Kind, data: st.DataObject) -> None:
    check_any_split(bars, kind, draw_runs(kind, data))


@given(data=st.data())
@settings(max_examples=15, **common)  # type: ignore[arg-type]
def test_trades_give_the_same_bars_in_whatever_order_they_land(
    bars: Bars, data: st.DataObject
) -> None:
    rows = [row for run in draw_runs(TRADES, data) for row in run]
    tables = []
    for landed in (rows, data.draw(st.permutations(rows))):
        bars.clear()
        bars.land(TRADES, [{**row, "trade_number": i} for i, row in enumerate(landed)])
        bars.refresh(TRADES)
        tables.append(
            [
                {**bar, "last_trade_number": None}
                for bar in bars.bars(TRADES)
                if bar["last_trade_number"] is not None
            ]
        )
    assert tables[0] == tables[1]


def polars_bars(trades: pl.DataFrame, seconds: int) -> pl.DataFrame:
    """Trade bars of one duration, computed with nothing of the model."""
    side, size, price = pl.col("is_buy"), pl.col("size"), pl.col("price")
    returns = price.log().diff()
    full = (
        trades.with_columns(number=pl.col("trade_id").cast(pl.UInt64, strict=False))
        .sort("exchange", "symbol", "traded_at", "number", "trade_number", nulls_last=True)
        .group_by_dynamic(
            "traded_at", every=f"{seconds}s", group_by=["exchange", "symbol"], closed="left"
        )
        .agg(
            open=price.first(),
            high=price.max(),
            low=price.min(),
            close=price.last(),
            volume=size.sum(),
            dollar_volume=pl.col("dollar_volume").sum(),
            buy_volume=pl.when(side.is_not_null().all()).then(size.filter(side).sum()),
            sell_volume=pl.when(side.is_not_null().all()).then(size.filter(~side).sum()),
            realised_variance=pl.when(pl.len() > 1).then((returns * returns).sum()),
            trade_count=pl.len().cast(pl.Int64),
            last_trade_number=pl.col("trade_number").max(),
        )
        .rename({"traded_at": "started_at"})
    )
    grid = pl.concat(
        part.select("exchange", "symbol", "started_at")
        .upsample("started_at", every=f"{seconds}s")
        .select(pl.col("exchange", "symbol").forward_fill(), "started_at")
        for part in full.partition_by("exchange", "symbol")
    )
    filled = grid.join(full, on=["exchange", "symbol", "started_at"], how="left").sort(
        "exchange", "symbol", "started_at"
    )
    close = pl.col("close").forward_fill().over("exchange", "symbol")
    return filled.select(
        "exchange",
        "symbol",
        pl.lit(seconds).cast(pl.Int32).alias("duration_seconds"),
        *(pl.col(name).fill_null(close) for name in ("open", "high", "low", "close")),
        *(pl.col(name).fill_null(0) for name in ("volume", "dollar_volume")),
        (pl.col("dollar_volume") / pl.col("volume")).alias("vwap"),
        *(
            pl.when(pl.col("trade_count").is_null()).then(0.0).otherwise(pl.col(name)).alias(name)
            for name in ("buy_volume", "sell_volume")
        ),
        (pl.col("buy_volume") / (pl.col("buy_volume") + pl.col("sell_volume"))).alias("buy_ratio"),
        "realised_variance",
        pl.col("trade_count").fill_null(0),
        "last_trade_number",
        pl.col("open").is_null().alias("is_forward_filled"),
        "started_at",
    )


def real_trades(root: Path) -> str:
    """A query for the captured trades, as silver has them, in landing order: every seventh late."""
    folder = root / "order_books"
    return f"""
        select
            exchange, symbol, row_number() over (order by is_late, place) as trade_number, trade_id,
            traded_at, price, size, side = 'buy' as is_buy, price * size as dollar_volume, is_late
        from (
            select *, row_number() over (order by exchange, traded_at, trade_id) as place,
                place % 7 = 0 as is_late
            from (
                select exchange, symbol, trade_id, epoch_ms("timestamp") as traded_at, price,
                    amount as size, side
                from read_parquet('{folder}/ccxt/raw/ready/ccxt/trades/*.parquet')
                union all
                select 'ccxt', 'XRP/ETH', id, epoch_ms("timestamp"), price, amount, side
                from read_parquet('{folder}/reference/ccxt_trades_xrp_eth_2019-10.parquet')
            )
        )
    """


def test_real_trades_match_polars_in_two_dbt_runs(shared_data: Path, tmp_path: Path) -> None:
    """The first run has six of seven trades, the second is incremental, and dbt's tests pass."""
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(warehouse) as connection:
        create_silver(connection)
        connection.execute(f"create table landed as {real_trades(shared_data)}")
        connection.execute(
            "insert into silver.trades select * exclude (is_late) from landed where not is_late"
        )
    build_bars("run", warehouse)
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            "insert into silver.trades select * exclude (is_late) from landed where is_late"
        )
    build_bars("build", warehouse)
    with duckdb.connect(warehouse) as connection:
        trades = connection.sql("select * from silver.trades").to_arrow_table()
        found = connection.sql("select * from gold.trade_bars").to_arrow_table()
    expected = pl.concat(
        polars_bars(pl.DataFrame(pl.from_arrow(trades)), seconds)
        for seconds in (60, 300, 900, 3600)
    )
    actual = pl.DataFrame(pl.from_arrow(found)).select(expected.columns)
    assert expected.height > 4_000
    assert expected["is_forward_filled"].any()
    exact = [
        *KEY,
        "open",
        "high",
        "low",
        "close",
        "trade_count",
        "last_trade_number",
        "is_forward_filled",
    ]
    assert_frame_equal(actual.select(exact).sort(KEY), expected.select(exact).sort(KEY))
    assert_frame_equal(
        actual.sort(KEY), expected.sort(KEY), check_exact=False, rel_tol=1e-9, abs_tol=1e-16
    )
