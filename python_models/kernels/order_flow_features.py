"""Order-flow features: rows of books and trades in, one row of features a snapshot out.

What needs the snapshot before, a window of time or the volume clock; ``order_flow_feature_table``
says what the features are, ``order_flow_feature_loop`` how they are computed.

* **Order.** The rows of one exchange and symbol come in ascending ``book_number``, its trades in
  ascending ``trade_number``. Symbols may be mixed, batches cut anywhere.
* **Arrival.** ``arrival`` orders books and trades by when they were known: frames of one feed, or
  times of capture. A trade belongs to the first row of a higher arrival than its own and than that
  of any trade before it. Trades that no row has reached wait; one handed over when the rows have
  passed it counts at the next row: rows that have been given do not change.
* **Late books** (``is_late``) have no features and change nothing for the rows after them: they are
  counted, and otherwise as if they were not there.
* **Late trades.** A trade that was told more than ``max_age_seconds`` after it was made is history
  and no flow: it is left out and counted in the state, and moves nothing (a time of telling may be
  wrong). So is one that was made so long before another of the symbol, told in time, was told: its
  segment came late.
* **Runs.** ``OrderFlow.states`` is all that the next run must know (``STATES_SCHEMA``). Cut into
  any runs, the rows are the same bit for bit, as long as each run is given the trades below the
  arrival of its last row.
* **Null.** An invalid row has no features. No NaN, infinity or negative zero comes out.
* **Trades** that are history told at subscription, or without a time, a positive price and a
  positive size up to 1e15, are left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from python_models.kernels import order_flow_feature_loop as loop
from python_models.kernels.lent_memory import LentMemory
from python_models.kernels.order_book_feature_loop import finish_column
from python_models.kernels.order_book_features import (
    IDENTITY_FIELDS,
    LEVELS_TYPE,
    ROWS_AT_A_TIME,
)
from python_models.kernels.order_flow_feature_loop import Doubles, Int64s
from python_models.kernels.order_flow_feature_table import (
    ARROW_TYPES,
    DEFAULT_PARAMETERS,
    SPREAD_REGIMES,
    FlowFeature,
    FlowParameters,
    feature_fields,
    flow_features,
)

# Rows whose values stay in the processor's cache until they are put into columns.
BLOCK_ROWS = 512
NEVER = np.iinfo(np.int64).min
NO_TRADE = np.iinfo(np.int64).max
TIME = pa.timestamp("us")
MOST_SIZE = 1e15

BOOKS_SCHEMA = pa.schema(
    [
        *IDENTITY_FIELDS,
        pa.field("arrival", pa.int64()),
        *(pa.field(name, pa.float64()) for name in loop.INPUTS),
        pa.field("bids", LEVELS_TYPE),
        pa.field("asks", LEVELS_TYPE),
    ]
)
"""Columns of ``order_book_features``, and the levels of ``order_books``."""

TRADES_SCHEMA = pa.schema(
    [
        pa.field("exchange", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("trade_number", pa.int64()),
        pa.field("arrival", pa.int64()),
        pa.field("told_at", TIME),  # when the feed told it
        pa.field("traded_at", TIME),
        pa.field("price", pa.float64()),
        pa.field("size", pa.float64()),
        pa.field("is_buy", pa.bool_()),  # the aggressor; null where not told
        pa.field("is_backfill", pa.bool_()),
    ]
)

_SAMPLE_NAMES = (
    "order_flow_lots",
    "multi_level_order_flow_lots",
    "best_lots",
    "relative_spread",
    "imbalance_1",
    "squared_return",
    "buy_lots",
    "sell_lots",
    "traded_lots",
    "bipower",
    "tight_microseconds",
    "wide_microseconds",
    "known_microseconds",
    "log_return",
    "bid_slope",
    "ask_slope",
    "cog_vs_mid",
    "near_depth",
    "signed_lots",
    "mid_change",
)
_REAL_NAMES = (
    "mid_velocity",
    "velocity_seconds",
    "last_trade_price",
    "bucket_lots",
    "bucket_filled_lots",
    "bucket_buy_lots",
    "bucket_sell_lots",
    "bucket_untold_lots",
    "bucket_close_price",
    "bucket_count",
    "day_lots",
    "whole_days_lots",
)
_ROW_TYPE = pa.struct(
    [
        ("booked_at", TIME),
        ("is_linked", pa.bool_()),
        ("regime", pa.int8()),  # 0 tight, 1 normal, 2 wide, -1 not known
        *((name, pa.float64()) for name in _SAMPLE_NAMES),
    ]
)
_LEVEL_TYPE = pa.struct([("price", pa.float64()), ("lots", pa.float64())])
_WINDOW_TYPE = pa.struct([("seconds", pa.int64()), ("first", pa.int64()), ("split", pa.int64())])
_BUCKET_TYPE = pa.struct([("aggressor_imbalance", pa.float64()), ("bulk_imbalance", pa.float64())])
_TRADE_TYPE = pa.struct(
    [
        ("arrival", pa.int64()),
        ("told_at", TIME),
        ("price", pa.float64()),
        ("lots", pa.float64()),
        ("sign", pa.int8()),  # 1 buy, -1 sell, 0 not told
    ]
)
STATES_SCHEMA = pa.schema(
    [
        pa.field("exchange", pa.string(), nullable=False),
        pa.field("symbol", pa.string(), nullable=False),
        pa.field("parameters", pa.string(), nullable=False),
        pa.field("book_number", pa.int64()),  # the last row given
        pa.field("source", pa.string()),  # of the last row that was not late
        pa.field("stream", pa.string()),
        pa.field("is_broken", pa.bool_()),  # by what came since the last valid row
        pa.field("previous_at", TIME),  # of the last valid row; null before it
        pa.field("latest_at", TIME),
        pa.field("latest_arrival", pa.int64()),
        pa.field("bids", pa.list_(_LEVEL_TYPE)),  # of the last valid row
        pa.field("asks", pa.list_(_LEVEL_TYPE)),
        pa.field("window_rows", pa.list_(_ROW_TYPE)),  # by time; lots are of 1e-8
        pa.field("last_row", pa.int64()),  # place in window_rows of the row put in last
        pa.field("windows", pa.list_(_WINDOW_TYPE)),  # places in window_rows
        pa.field("trade_number", pa.int64()),  # the last trade given
        pa.field("told_to", TIME),  # the latest time that a trade was told, late ones left out
        pa.field("first_arrival", pa.int64()),  # of a trade; null while none was told in time
        pa.field("arrived_to", pa.int64()),  # the highest arrival of a trade that was told in time
        pa.field("late_trades", pa.int64(), nullable=False),  # left out
        pa.field("late_books", pa.int64(), nullable=False),  # left out
        pa.field("pending_trades", pa.list_(_TRADE_TYPE)),
        pa.field("tick_sign", pa.int64()),
        pa.field("full_buckets", pa.list_(_BUCKET_TYPE)),  # the newest last
        pa.field("bucket_changes", pa.list_(pa.float64())),  # ticks of 1e-8, the newest last
        pa.field("trade_day", pa.int64()),  # since 1970
        pa.field("whole_days", pa.int64()),  # -1 before the end of the first day
        *(pa.field(name, pa.float64()) for name in _REAL_NAMES),
    ]
)
"""One row an exchange and symbol: what the next run must know."""


@cache
def features_schema(parameters: FlowParameters = DEFAULT_PARAMETERS) -> pa.Schema:
    """Return the columns that ``OrderFlow`` gives for these parameters."""
    return pa.schema([*IDENTITY_FIELDS, *feature_fields(flow_features(parameters))])


@dataclass
class _Symbol:
    """What is known of one exchange and symbol."""

    past: loop.Past
    timeline: loop.Timeline
    windows: tuple[Int64s, Int64s]  # starts and splits
    book_number: int | None = None
    origin: tuple[str | None, str | None] = (None, None)  # source and stream
    trade_number: int | None = None
    told_to: int = NEVER
    arrived_to: int = NEVER
    late_trades: int = 0
    late_books: int = 0
    pending: list[loop.Trades] = field(default_factory=list)


class OrderFlow:
    """The order flow of any number of symbols, kept in memory between batches.

    Memory: the batch worked on, the trades not yet reached by a row (25 bytes each), and a symbol's
    rows in the longest window (200 bytes each; 430 bytes more for each window that holds the row,
    while its symbol is worked on).

    Args:
        states: Where the run before stopped (``STATES_SCHEMA``); None: nothing came before.
        parameters: What the features are computed for.

    Raises:
        ValueError: The states are of other parameters.
    """

    def __init__(
        self, states: pa.Table | None = None, parameters: FlowParameters = DEFAULT_PARAMETERS
    ) -> None:
        self.parameters = parameters
        self._memory = LentMemory()
        self._symbols: dict[tuple[str, str], _Symbol] = {}
        for state in [] if states is None else states.cast(STATES_SCHEMA).to_batches():
            for row in range(state.num_rows):
                self._restore(state.slice(row, 1))

    def features(
        self,
        books: Iterable[pa.RecordBatch | pa.Table],
        trades: Iterable[pa.RecordBatch | pa.Table] = (),
    ) -> Iterator[pa.RecordBatch]:
        """Compute the features of every book, in the order of the input.

        Trades are read as far as the rows need them; what is left when the books end is read too,
        and waits in the state.

        Args:
            books: ``BOOKS_SCHEMA``, columns in any order; more columns are left out.
            trades: ``TRADES_SCHEMA``, likewise.

        Yields:
            Batches of ``features_schema``, none of them empty.

        Raises:
            ValueError: A column is missing or has another type (``pyarrow.ArrowInvalid``, which is
                one), or book or trade numbers do not ascend; the message names the symbol.
        """
        unread = iter(trades)
        for batch in books:
            table = _typed(batch, BOOKS_SCHEMA, "order books")
            for part in table.to_batches(max_chunksize=ROWS_AT_A_TIME):
                if part.num_rows:
                    self._read_trades(part, unread)
                    yield self.apply(part)
        for more in unread:
            self.add_trades(more)

    def add_trades(self, trades: pa.RecordBatch | pa.Table) -> None:
        """Take trades (``TRADES_SCHEMA``) that the rows to come may reach."""
        table = _typed(trades, TRADES_SCHEMA, "trades")
        for key, places in _by_symbol(table):
            own = table if len(places) == table.num_rows else table.take(pa.array(places))
            self._add_trades_of(self._symbol(*key), key, own)

    def apply(self, books: pa.RecordBatch) -> pa.RecordBatch:
        """Return the features of one batch of ``BOOKS_SCHEMA``, with the trades taken so far."""
        features, layout = _plan(self.parameters)
        is_valid = np.zeros(books.num_rows, bool)
        # Columns a whole number of pages apart would fight for the same lines of the cache.
        values = self._memory.lend(len(features), books.num_rows + 8)
        for key, places in _by_symbol(pa.Table.from_batches([books])):
            state = self._symbol(*key)
            if len(places) == books.num_rows:
                is_valid[:] = self._apply_to(state, key, books, layout, values)
            else:
                room = np.empty((len(features), len(places) + 8))
                own = books.take(pa.array(places))
                is_valid[places] = self._apply_to(state, key, own, layout, room)
                values[:, places] = room[:, : len(places)]
        columns = [books[field.name] for field in IDENTITY_FIELDS]
        columns[features_schema(self.parameters).get_field_index("is_valid")] = pa.array(is_valid)
        columns += [
            _column(feature, column[: books.num_rows])
            if feature.group in self.parameters.groups
            else pa.nulls(books.num_rows, ARROW_TYPES[feature.value_type])
            for feature, column in zip(features, values, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=features_schema(self.parameters))

    def states(self) -> pa.Table:
        """Return what the next run must know, ``STATES_SCHEMA``."""
        rows = [self._state(*key, symbol) for key, symbol in self._symbols.items()]
        return pa.Table.from_batches(rows, STATES_SCHEMA)

    def _symbol(self, exchange: str, symbol: str) -> _Symbol:
        """Return what is known of a symbol, nothing at first."""
        key = (exchange, symbol)
        if key not in self._symbols:
            count = len(self.parameters.all_windows())
            self._symbols[key] = _Symbol(
                _empty_past(self.parameters),
                _empty_timeline(0),
                (np.zeros(count, np.int64), np.zeros(count, np.int64)),
            )
        return self._symbols[key]

    def _read_trades(
        self, books: pa.RecordBatch, unread: Iterator[pa.RecordBatch | pa.Table]
    ) -> None:
        """Read trades until each symbol of the batch has one that none of its rows can reach.

        As trades count in the order told, none after that one can belong to these rows.
        """
        arrivals = _int64s(books["arrival"])
        for key, places in _by_symbol(pa.Table.from_batches([books])):
            symbol = self._symbol(*key)
            while symbol.arrived_to < arrivals[places].max():
                more = next(unread, None)
                if more is None:
                    return
                self.add_trades(more)

    def _add_trades_of(self, symbol: _Symbol, key: tuple[str, str], trades: pa.Table) -> None:
        """Queue the trades of one symbol that count."""
        numbers = trades["trade_number"].to_numpy()
        symbol.trade_number = _last_of_ascending(
            numbers, symbol.trade_number, f"trade_number of {' '.join(key)}"
        )
        times, told = _microseconds(trades["traded_at"]), _microseconds(trades["told_at"])
        prices, sizes = _doubles(trades["price"]), _doubles(trades["size"])
        is_flow = ~pc.fill_null(trades["is_backfill"], False).to_numpy(zero_copy_only=False)
        is_flow &= (times != NEVER) & (prices > 0) & (prices < np.inf)
        is_flow &= (sizes > 0) & (sizes <= MOST_SIZE)
        signs = pc.fill_null(
            pc.if_else(trades["is_buy"], pa.scalar(1, pa.int8()), pa.scalar(-1, pa.int8())),
            pa.scalar(0, pa.int8()),
        ).to_numpy()
        arrivals = _int64s(trades["arrival"])
        latest_made = times.astype(float) + self.parameters.max_age_seconds * 1e6
        is_late = is_flow & (latest_made < told)
        told = np.where(is_late, NEVER, told)
        told = np.maximum.accumulate(np.append(symbol.told_to, told))[1:]
        arrivals = np.where(is_late, NEVER, arrivals)
        if symbol.past.whole[loop.FIRST_ARRIVAL] == NO_TRADE and not is_late.all():
            symbol.past.whole[loop.FIRST_ARRIVAL] = arrivals[np.argmin(is_late)]
        arrivals = np.maximum.accumulate(np.append(symbol.arrived_to, arrivals))[1:]
        symbol.told_to, symbol.arrived_to = int(told[-1]), int(arrivals[-1])
        is_late |= is_flow & (latest_made < told)
        symbol.late_trades += int(is_late.sum())
        is_flow &= ~is_late
        if is_flow.any():
            symbol.pending.append(
                loop.Trades(
                    arrivals=arrivals[is_flow],
                    times=np.where(told == NEVER, times, told)[is_flow],
                    prices=prices[is_flow],
                    lots=np.rint(sizes[is_flow] * loop.SIZE_UNITS),
                    signs=signs[is_flow],
                )
            )

    def _apply_to(
        self,
        symbol: _Symbol,
        key: tuple[str, str],
        books: pa.RecordBatch,
        layout: loop.Layout,
        values: Doubles,
    ) -> NDArray[np.bool_]:
        """Write the features of one symbol's rows; return which of them are valid."""
        number, kept, count = symbol.book_number, len(symbol.timeline.times), books.num_rows
        symbol.book_number = _last_of_ascending(
            books["book_number"].to_numpy(), number, f"book_number of {' '.join(key)}"
        )
        rows = _rows(books, symbol)
        symbol.late_books += int(rows.is_late.sum())
        timeline = _longer(symbol.timeline, count + 1)
        spreads = np.concatenate([timeline.samples[:kept, loop.SPREAD], rows.columns[4]])
        ranks, most = _ranks(spreads)
        timeline.ranks[:kept] = ranks[:kept]
        settings = _settings(self.parameters, *key)
        room = _room(settings, *symbol.windows, kept + count + 1, most)
        trades = _joined(symbol.pending)
        loop.restore(timeline, symbol.past, settings, room)
        taken = 0
        block = np.empty((min(count, BLOCK_ROWS), len(values)))
        for first in range(0, count, BLOCK_ROWS):
            part = block[: count - first]
            taken = loop.fill_flow_features(
                rows,
                first,
                ranks[kept:],
                trades,
                taken,
                symbol.past,
                timeline,
                settings,
                layout,
                room,
                part,
            )
            values[:, first : first + len(part)] = part.T
        left: Any = (column[taken:] for column in trades)
        symbol.pending = [loop.Trades(*left)]
        whole = symbol.past.whole
        head, end = int(whole[loop.HEAD]), int(whole[loop.END])
        kept_columns: Any = (column[head:end].copy() for column in timeline)
        symbol.timeline = loop.Timeline(*kept_columns)
        symbol.windows = (room.starts - head, room.splits - head)
        whole[loop.LAST] -= head
        whole[loop.HEAD], whole[loop.END] = 0, end - head
        return rows.is_usable

    def _state(self, exchange: str, name: str, symbol: _Symbol) -> pa.RecordBatch:
        """Return the state of one symbol."""
        past, timeline = symbol.past, symbol.timeline
        whole, trades = past.whole, _joined(symbol.pending)
        full, changes = whole[loop.FULL], whole[loop.CHANGES]
        rows = pa.StructArray.from_arrays(
            [
                pa.array(timeline.times).cast(TIME),
                pa.array(timeline.is_linked),
                pa.array(timeline.regimes),
                *(_nullable(column) for column in timeline.samples.T),
            ],
            fields=list(_ROW_TYPE),
        )
        seconds = np.array(self.parameters.all_windows(), np.int64)
        count = len(past.aggressor)
        values: dict[str, Any] = {
            "exchange": [exchange],
            "symbol": [name],
            "parameters": [repr(self.parameters)],
            "book_number": [symbol.book_number],
            "source": [symbol.origin[0]],
            "stream": [symbol.origin[1]],
            "is_broken": [bool(whole[loop.IS_BROKEN])],
            "previous_at": [_or_null(whole[loop.PREVIOUS_AT])],
            "latest_at": [_or_null(whole[loop.LATEST_AT])],
            "latest_arrival": [_or_null(whole[loop.LATEST_ARRIVAL])],
            "bids": _one_list(_LEVEL_TYPE, *map(_nullable, past.levels[loop.BID])),
            "asks": _one_list(_LEVEL_TYPE, *map(_nullable, past.levels[loop.ASK])),
            "window_rows": _list_of(rows),
            "last_row": [int(whole[loop.LAST])],
            "windows": _one_list(_WINDOW_TYPE, seconds, *symbol.windows),
            "trade_number": [symbol.trade_number],
            "told_to": [_or_null(symbol.told_to)],
            "first_arrival": [_or_null(whole[loop.FIRST_ARRIVAL], NO_TRADE)],
            "arrived_to": [_or_null(symbol.arrived_to)],
            "late_trades": [symbol.late_trades],
            "late_books": [symbol.late_books],
            "pending_trades": _one_list(
                _TRADE_TYPE,
                trades.arrivals,
                pa.array(trades.times).cast(TIME),
                trades.prices,
                trades.lots,
                trades.signs,
            ),
            "tick_sign": [int(whole[loop.TICK_SIGN])],
            "full_buckets": _one_list(
                _BUCKET_TYPE,
                _nullable(past.aggressor[count - full :]),
                _nullable(past.bulk[count - full :]),
            ),
            "bucket_changes": _list_of(pa.array(past.changes[len(past.changes) - changes :])),
            "trade_day": [None if whole[loop.DAY] == NEVER else int(whole[loop.DAY])],
            "whole_days": [int(whole[loop.DAYS])],
            **{name: _nullable(past.real[[i]]) for i, name in enumerate(_REAL_NAMES)},
        }
        columns = [
            value
            if isinstance(value, pa.Array)
            else pa.array(value, STATES_SCHEMA.field(name).type)
            for name, value in values.items()
        ]
        return pa.RecordBatch.from_arrays(columns, schema=STATES_SCHEMA)

    def _restore(self, state: pa.RecordBatch) -> None:
        """Take one row of ``STATES_SCHEMA``."""
        scalars = {
            name: state[name][0].as_py()
            for name, kind in zip(STATES_SCHEMA.names, STATES_SCHEMA.types, strict=True)
            if not pa.types.is_list(kind) and not pa.types.is_timestamp(kind)
        }
        key = (scalars["exchange"], scalars["symbol"])
        if scalars["parameters"] != repr(self.parameters):
            raise ValueError(
                f"The state of {key[0]} {key[1]} is of other parameters, {scalars['parameters']}: "
                f"compute everything again for {self.parameters!r}."
            )
        symbol = self._symbol(*key)
        past, whole = symbol.past, symbol.past.whole
        rows = _list_columns(state, "window_rows")
        count = len(rows["booked_at"])
        symbol.timeline = loop.Timeline(
            times=_microseconds(rows["booked_at"]),
            samples=np.column_stack([_doubles(rows[name]) for name in _SAMPLE_NAMES]),
            parts=np.empty((count, loop.PARTS)),
            is_linked=rows["is_linked"].to_numpy(zero_copy_only=False),
            regimes=rows["regime"].to_numpy(),
            ranks=np.zeros(count, np.int64),
        )
        windows = _list_columns(state, "windows")
        symbol.windows = (windows["first"].to_numpy().copy(), windows["split"].to_numpy().copy())
        symbol.book_number, symbol.trade_number = scalars["book_number"], scalars["trade_number"]
        symbol.origin = (scalars["source"], scalars["stream"])
        symbol.told_to = int(_microseconds(state["told_to"])[0])
        symbol.arrived_to = int(_int64s(state["arrived_to"])[0])
        symbol.late_trades = scalars["late_trades"]
        symbol.late_books = scalars["late_books"]
        trades = _list_columns(state, "pending_trades")
        symbol.pending = [
            loop.Trades(
                arrivals=_int64s(trades["arrival"]),
                times=_microseconds(trades["told_at"]),
                prices=_doubles(trades["price"]),
                lots=_doubles(trades["lots"]),
                signs=trades["sign"].to_numpy(),
            )
        ]
        for side, name in ((loop.BID, "bids"), (loop.ASK, "asks")):
            levels = _list_columns(state, name)
            past.levels[side] = [_doubles(levels["price"]), _doubles(levels["lots"])]
        buckets = _list_columns(state, "full_buckets")
        _fill_ring(past.aggressor, _doubles(buckets["aggressor_imbalance"]))
        _fill_ring(past.bulk, _doubles(buckets["bulk_imbalance"]))
        changes = _doubles(state["bucket_changes"].flatten())
        _fill_ring(past.changes, changes)
        previous, latest = (_microseconds(state[name])[0] for name in ("previous_at", "latest_at"))
        day, first_arrival = scalars["trade_day"], scalars["first_arrival"]
        places = {
            loop.HAS_PREVIOUS: previous != NEVER,
            loop.IS_BROKEN: scalars["is_broken"],
            loop.PREVIOUS_AT: previous,
            loop.LATEST_AT: latest,
            loop.LATEST_ARRIVAL: _int64s(state["latest_arrival"])[0],
            loop.FIRST_ARRIVAL: NO_TRADE if first_arrival is None else first_arrival,
            loop.END: count,
            loop.LAST: scalars["last_row"],
            loop.DAY: NEVER if day is None else day,
            loop.DAYS: scalars["whole_days"],
            loop.TICK_SIGN: scalars["tick_sign"],
            loop.FULL: len(buckets["bulk_imbalance"]),
            loop.CHANGES: len(changes),
        }
        for place, value in places.items():
            whole[place] = value
        past.real[:] = [np.nan if scalars[name] is None else scalars[name] for name in _REAL_NAMES]


def order_flow_features_reader(
    flow: OrderFlow,
    books: Iterable[pa.RecordBatch | pa.Table],
    trades: Iterable[pa.RecordBatch | pa.Table] = (),
) -> pa.RecordBatchReader:
    """Return ``flow.features`` as the stream that DuckDB reads without holding it whole.

    ``flow.states()`` is what the next run must know once the stream has been read to its end.
    """
    return pa.RecordBatchReader.from_batches(
        features_schema(flow.parameters), flow.features(books, trades)
    )


@cache
def _plan(parameters: FlowParameters) -> tuple[tuple[FlowFeature, ...], loop.Layout]:
    """Return the features, and in which column each family of them begins."""
    features = flow_features(parameters)
    place = {feature.name: column for column, feature in enumerate(features)}
    shape, long = parameters.shape_window, parameters.long_window
    layout = loop.Layout(
        dynamic=place["is_reset"],
        normalised=place["normalised_order_flow_imbalance"],
        windows=place["trade_count"] + 1,
        shapes=place[f"bid_slope_mean_{shape}"],
        spreads=place[f"near_depth_sigma_{long}"],
        kyles=place[f"kyle_lambda_{long}"],
        buckets=place["vpin_aggressor"],
    )
    return features, layout


@cache
def _settings(parameters: FlowParameters, exchange: str, symbol: str) -> loop.Settings:
    """Return the parameters as the loop takes them."""
    windows = parameters.all_windows()
    has_rolling, has_advanced = (name in parameters.groups for name in ("rolling", "advanced"))
    shape = windows.index(parameters.shape_window) if has_rolling else -1
    long = windows.index(parameters.long_window) if windows else -1
    shown = [windows.index(window) for window in parameters.windows] if has_rolling else []
    volumes = {(place[0], place[1]): place[2] for place in parameters.bucket_volumes}
    volume = volumes.get((exchange, symbol), parameters.bucket_volume)
    return loop.Settings(
        has_rolling=has_rolling,
        has_advanced=has_advanced,
        windows=np.array(windows, np.int64) * loop.SECOND,
        shown=np.array(shown, np.int64),
        shape=shape,
        long=long,
        weights=np.exp(-parameters.level_decay * np.arange(parameters.levels)),
        max_age=parameters.max_age_seconds * loop.SECOND,
        back=parameters.back_seconds * loop.SECOND,
        tight=parameters.tight,
        wide=parameters.wide,
        kyle_rows=parameters.kyle_rows,
        bucket_lots=np.nan if volume is None else float(np.rint(volume * loop.SIZE_UNITS)),
        bucket_share=parameters.bucket_share,
    )


def _empty_past(parameters: FlowParameters) -> loop.Past:
    """Return what is known before the first row."""
    whole = np.zeros(loop.WHOLES, np.int64)
    whole[[loop.PREVIOUS_AT, loop.LATEST_AT, loop.LATEST_ARRIVAL, loop.DAY]] = NEVER
    whole[[loop.LAST, loop.DAYS]] = -1
    whole[loop.FIRST_ARRIVAL] = NO_TRADE
    real = np.zeros(loop.REALS)
    real[: loop.FILLED] = np.nan
    real[loop.BUCKET_CLOSE] = np.nan
    return loop.Past(
        whole=whole,
        real=real,
        levels=np.full((2, 2, parameters.levels), np.nan),
        aggressor=np.full(parameters.vpin_buckets, np.nan),
        bulk=np.full(parameters.vpin_buckets, np.nan),
        changes=np.full(parameters.sigma_buckets, np.nan),
    )


def _empty_timeline(rows: int) -> loop.Timeline:
    """Return room for rows."""
    return loop.Timeline(
        times=np.empty(rows, np.int64),
        samples=np.empty((rows, loop.SAMPLES)),
        parts=np.empty((rows, loop.PARTS)),
        is_linked=np.empty(rows, bool),
        regimes=np.empty(rows, np.int8),
        ranks=np.zeros(rows, np.int64),
    )


def _longer(timeline: loop.Timeline, more: int) -> loop.Timeline:
    """Return the timeline with room for more rows."""
    kept = len(timeline.times)
    longer = _empty_timeline(kept + more)
    column: Any
    for column, old in zip(longer, timeline, strict=True):
        column[:kept] = old
    return longer


def _room(
    settings: loop.Settings, starts: Int64s, splits: Int64s, rows: int, ranks: int
) -> loop.Room:
    """Return room for the windows; what is not written to takes no memory."""
    windows = len(settings.windows)
    return loop.Room(
        starts=starts.copy(),
        splits=splits.copy(),
        bases=np.zeros(windows, np.int64),
        fronts=np.empty((windows, rows, loop.TOTALS)),
        backs=np.zeros((windows, loop.TOTALS)),
        totals=np.zeros((windows, loop.TOTALS)),
        ranked=np.zeros(ranks + 1, np.int32),
        nothing=np.zeros(loop.TOTALS),
        levels=np.empty((2, 2, len(settings.weights))),
        flow=np.zeros(loop.FLOWS),
    )


def _ranks(spreads: Doubles) -> tuple[Int64s, int]:
    """Return the rank of each value from 1, equal ones the same, 0 for NaN; and the highest."""
    ranks = np.zeros(len(spreads), np.int64)
    is_known = ~np.isnan(spreads)
    found, inverse = np.unique(spreads[is_known], return_inverse=True)
    ranks[is_known] = inverse + 1
    return ranks, len(found)


def _rows(books: pa.RecordBatch, symbol: _Symbol) -> loop.Rows:
    """Return the rows of one symbol as flat arrays, and remember where they are from."""
    columns = np.stack([_doubles(books[name]) for name in loop.INPUTS])
    columns[~np.isfinite(columns)] = np.nan
    times = _microseconds(books["booked_at"])
    bid, ask, bid_size, ask_size = columns[:4]
    is_usable = pc.fill_null(books["is_valid"], False).to_numpy(zero_copy_only=False).copy()
    is_usable &= (abs(times.astype(float)) < float(1 << 61)) & (times != NEVER)
    is_usable &= (bid > 0) & (bid < ask) & (bid_size >= 0) & (ask_size >= 0)
    is_reset = pc.fill_null(books["is_snapshot"], False).to_numpy(zero_copy_only=False).copy()
    is_late = pc.fill_null(books["is_late"], False).to_numpy(zero_copy_only=False)
    in_time = np.flatnonzero(~is_late)
    for place, name in enumerate(("source", "stream")):
        before = pa.array([symbol.origin[place]], pa.string())
        codes = pa.concat_arrays([before, books[name]]).dictionary_encode("encode").indices
        # Late rows are passed over; the first row of all is reset anyway.
        own = codes.to_numpy()[np.append(0, in_time + 1)]
        is_reset[in_time] |= np.diff(own) != 0
    if len(in_time):
        last = int(in_time[-1])
        symbol.origin = (books["source"][last].as_py(), books["stream"][last].as_py())
    return loop.Rows(
        times=times,
        arrivals=_int64s(books["arrival"]),
        is_usable=is_usable,
        is_late=is_late,
        is_reset=is_reset,
        columns=columns,
        bids=_levels(books["bids"]),
        asks=_levels(books["asks"]),
    )


def _levels(lists: pa.ListArray) -> loop.Levels:
    """Return one side of the books as flat arrays; a null list is an empty one."""
    if lists.null_count:
        lists = pc.if_else(pc.is_valid(lists), lists, pa.scalar([], LEVELS_TYPE))
    prices, sizes = lists.values.flatten()
    return loop.Levels(lists.offsets.to_numpy(), _doubles(prices), _doubles(sizes))


def _typed(batch: pa.RecordBatch | pa.Table, schema: pa.Schema, what: str) -> pa.Table:
    """Return the columns of the schema, in one chunk each."""
    table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise ValueError(f"The {what} have no column {', '.join(missing)}.")
    return table.select(schema.names).cast(schema).combine_chunks()


def _by_symbol(table: pa.Table) -> Iterator[tuple[tuple[str, str], Int64s]]:
    """Return each exchange and symbol with the places of its rows."""
    if not table.num_rows:
        return
    codes = np.zeros(table.num_rows, np.int64)
    names: list[list[str]] = []
    for column in ("exchange", "symbol"):
        encoded = pa.chunked_array([table[column].combine_chunks().dictionary_encode("encode")])
        part = encoded.combine_chunks()
        part = part.chunk(0) if isinstance(part, pa.ChunkedArray) else part
        names.append(part.dictionary.to_pylist())
        codes = codes * len(names[-1]) + part.indices.to_numpy()
    if all(len(known) == 1 for known in names):
        yield (names[0][0], names[1][0]), np.arange(table.num_rows)
        return
    for code in np.unique(codes):
        exchange, symbol = divmod(int(code), len(names[1]))
        yield (names[0][exchange], names[1][symbol]), np.flatnonzero(codes == code)


def _last_of_ascending(numbers: Int64s, before: int | None, what: str) -> int:
    """Return the last number.

    Raises:
        ValueError: One is not above the one before.
    """
    ascends = np.diff(numbers) > 0
    if before is not None and numbers[0] <= before:
        raise ValueError(f"{what} is {numbers[0]} after {before}: numbers must ascend.")
    if not ascends.all():
        place = int(np.argmin(ascends))
        raise ValueError(
            f"{what} is {numbers[place + 1]} after {numbers[place]}: numbers must ascend."
        )
    return int(numbers[-1])


def _joined(trades: list[loop.Trades]) -> loop.Trades:
    """Return trades in one piece."""
    if not trades:
        none, empty = np.empty(0, np.int64), np.empty(0)
        return loop.Trades(none, none, empty, empty, np.empty(0, np.int8))
    return loop.Trades(*(np.concatenate(columns) for columns in zip(*trades, strict=True)))


def _microseconds(times: pa.Array | pa.ChunkedArray) -> Int64s:
    """Return times as int64, ``NEVER`` where null."""
    return _int64s(times.cast(pa.int64()))


def _int64s(values: pa.Array | pa.ChunkedArray) -> Int64s:
    """Return whole numbers, ``NEVER`` where null."""
    return cast(Int64s, pc.fill_null(values, NEVER).to_numpy())


def _doubles(values: pa.Array | pa.ChunkedArray) -> Doubles:
    """Return doubles as NumPy, nulls as NaN."""
    filled = pc.fill_null(values, np.nan) if values.null_count else values
    return cast(Doubles, filled.to_numpy())


def _nullable(values: Doubles) -> pa.Array:
    """Return doubles as Arrow, NaN as null."""
    return pa.array(values, pa.float64(), from_pandas=True)


def _or_null(value: int, null: int = NEVER) -> int | None:
    """Return a whole number, None for the one that stands for null."""
    return None if value == null else int(value)


def _list_of(values: pa.Array) -> pa.Array:
    """Return a list column of one row."""
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)


def _one_list(kind: pa.StructType, *columns: Any) -> pa.Array:
    """Return a column of one row, a list of structs of these columns."""
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, kind, strict=True)
    ]
    return _list_of(pa.StructArray.from_arrays(arrays, fields=list(kind)))


def _list_columns(state: pa.RecordBatch, name: str) -> dict[str, pa.Array]:
    """Return the columns of a list of structs in a table of one row."""
    values = state[name].flatten()
    kind = values.type
    return {field.name: values.field(place) for place, field in enumerate(kind)}


def _fill_ring(ring: Doubles, values: Doubles) -> None:
    """Put values at the end of a ring."""
    ring[len(ring) - len(values) :] = values


def _column(feature: FlowFeature, values: Doubles) -> pa.Array:
    """Return the values of a feature as Arrow, NaN as null; ``values`` is changed in place."""
    rows = len(values)
    bits = np.empty((rows + 7) // 8, np.uint8)
    nulls = finish_column(values, bits)
    data: NDArray[Any] = values
    if feature.value_type == "BIGINT":
        data = values.astype(np.int64)
    elif feature.value_type == "BOOLEAN":
        data = np.packbits(values != 0, bitorder="little")
    elif feature.value_type == "VARCHAR":
        codes = values.astype(np.int8)
        buffers = [pa.py_buffer(bits), pa.py_buffer(codes)]
        indices = pa.Array.from_buffers(pa.int8(), rows, buffers, nulls)
        return pa.array(SPREAD_REGIMES).take(indices)
    buffers = [pa.py_buffer(bits) if nulls else None, pa.py_buffer(data)]
    return pa.Array.from_buffers(ARROW_TYPES[feature.value_type], rows, buffers, nulls)
