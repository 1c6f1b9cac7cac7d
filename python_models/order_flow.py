"""Drives the order flow of all symbols over a warehouse, from where the run before has stopped.

Rows of features and, for each symbol, what the next run must know go into one table in one insert,
so that neither can be there without the other: a run that is killed leaves nothing behind, and the
next one begins where the last whole one ended.

**What was known when.** Frames of Coinbase are numbered in the order in which they came: a trade
counts at the first book whose frame came after the trade's. CCXT's books and trades are recorded
apart from each other, and their times of capture order them: a trade counts at the first book that
was captured after it. Such a book waits until a trade of its symbol is loaded that was captured at
its time or later (and not long after it was made: the recorder's clock would be doubtful), so that
none can be missing below it. Books and trades that are loaded in any
order and in any number of runs then give the same rows.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_models.batches import read_ahead
from python_models.kernels.order_book_features import ROWS_AT_A_TIME
from python_models.kernels.order_flow_feature_table import GROUPS, FlowParameters
from python_models.kernels.order_flow_features import (
    BOOKS_SCHEMA,
    STATES_SCHEMA,
    OrderFlow,
    features_schema,
)

_RUN_NUMBER = pa.field("run_number", pa.int64())
_STATE_TYPE = pa.struct([field.with_nullable(True) for field in STATES_SCHEMA])
_HELD_SCHEMA = pa.schema([("source", pa.string()), _RUN_NUMBER, ("state", _STATE_TYPE)])
TRADES_AT_A_TIME = 100_000
_ANEW = "dbt build --full-refresh --select order_flow_rows+"
# The feed of silver.trades that tells the trades of a source of books, and what arrives when.
SOURCES = {
    "replayed": ("coinbase", "books.book_number", "trades.frame_number"),
    "captured": ("ccxt", "epoch_us(books.captured_at)", "epoch_us(trades.told_at)"),
}

# How far the books and trades of each captured symbol go beyond those that it has rows for. Of all
# that are held, only these ranges are read.
_UNREAD = """
select
    coalesce(resumed.book_number + 1, symbols.first_book_number) as first_book,
    symbols.last_book_number as last_book,
    coalesce(resumed.trade_number + 1, 0) as first_trade,
    coalesce(symbols.last_trade_number, -1) as last_trade
from silver.captured_symbols as symbols
left join resumed using (exchange, symbol)
where symbols.last_book_number > coalesce(resumed.book_number, -1)
"""
# Books that have no row yet; a captured one and all after it wait while a trade may come before it.
_NEW_BOOKS = """
with unread_books as (
    {books}
),

unread_trades as (
    {trades}
),

waiting as (
    select
        books.exchange,
        books.symbol,
        books.book_number,
        {arrival} as arrival,
        coalesce(resumed.trade_number, -1) as trade_number,
    from unread_books as books
    left join resumed using (exchange, symbol)
    where books.book_number > coalesce(resumed.book_number, -1)
),

-- A trade told long after it was made may have a wrong time of telling: nothing waits for it.
told as (
    select exchange, symbol, max(epoch_us(told_at)) as told_to
    from unread_trades as trades
    inner join (select distinct exchange, symbol, trade_number from waiting) as symbols
        using (exchange, symbol)
    where
        {waits} and feed = '{feed}' and trades.trade_number > symbols.trade_number
        and (is_backfill or told_at <= traded_at + to_seconds({max_age}))
    group by all
),

first_to_wait as (
    select exchange, symbol, min(waiting.book_number) as book_number
    from waiting
    left join told using (exchange, symbol)
    left join resumed using (exchange, symbol)
    where
        {waits}
        and arrival > coalesce(greatest(told_to, resumed.arrived_to), arrival - 1)
    group by all
)

select waiting.*
from waiting
left join first_to_wait using (exchange, symbol)
where waiting.book_number < first_to_wait.book_number or first_to_wait.book_number is null
order by waiting.book_number, exchange, symbol
"""
_KEY = ["exchange", "symbol", "book_number"]
_LEVELS = ("bids", "asks")
# Both were written in the order of the books: read apart, and not by a join, which would copy them
# and lose the order, they mostly lie side by side already.
_QUERIES = (
    f"""
    select {", ".join(name for name in BOOKS_SCHEMA.names if name not in ("arrival", *_LEVELS))}
    from silver.order_book_features
    where source = '{{source}}' and book_number between {{first}} and {{last}}
    """,
    f"""
    select {", ".join([*_KEY, *(f"{side}[:{{levels}}] as {side}" for side in _LEVELS)])}
    from silver.order_books
    where source = '{{source}}' and book_number between {{first}} and {{last}}
    """,
)
# Only of symbols whose books go on, so that the others' do not pile up in the state. Those of a
# segment that came late are history; which did is known as far as the frames are sequenced.
_TRADES = """
select
    exchange,
    symbol,
    trades.trade_number,
    {arrival} as arrival,
    told_at,
    traded_at,
    price,
    size,
    is_buy,
    is_backfill or frame_number in (
        select frame_number from silver.sequence_gaps where kind = 'late segment'
    ) as is_backfill,
from silver.trades as trades
inner join symbols using (exchange, symbol)
where
    feed = '{feed}' and trades.trade_number > symbols.trade_number
    and trades.trade_number > (select min(trade_number) from symbols)
    and (
        feed = 'ccxt' or frame_number <= (select max(frame_number) from silver.sequenced_frames)
    )
order by trades.trade_number
"""


def flow_parameters(variables: Mapping[str, Any]) -> FlowParameters:
    """dbt's vars as parameters; see ``order_flow_*`` in dbt_project.yml.

    Raises:
        ValueError: A value is out of range; the message names the field.
    """
    volume = variables["order_flow_bucket_volume"]
    return FlowParameters(
        windows=tuple(variables["order_flow_windows"]),
        levels=int(variables["order_flow_levels"]),
        level_decay=float(variables["order_flow_level_decay"]),
        max_age_seconds=int(variables["order_flow_maximum_age_seconds"]),
        bucket_volume=float(volume) if volume else None,
        bucket_volumes=tuple(
            (exchange, symbol, float(own))
            for exchange, symbol, own in variables["order_flow_bucket_volumes"]
        ),
        bucket_share=float(variables["order_flow_bucket_share"]),
        vpin_buckets=int(variables["order_flow_buckets"]),
        groups=tuple(group for group in GROUPS if group in variables["order_book_feature_groups"]),
        waits_for_trades=bool(variables["order_flow_waits_for_trades"]),
    )


def new_rows(
    session: Any, table: str, is_incremental: bool, variables: str | Mapping[str, Any]
) -> pa.RecordBatchReader:
    """Rows of all books that have none and need not wait, then the states that have changed.

    Args:
        session: A DuckDB connection.
        table: Where the rows of the runs before are.
        is_incremental: Whether it is there.
        variables: dbt's vars, as a mapping or as JSON.

    Raises:
        ValueError: The rows that are there were computed for other parameters, or by a version that
            kept its states otherwise.
    """
    variables = json.loads(variables) if isinstance(variables, str) else variables
    parameters = flow_parameters(variables)
    held = _held_states(session, table) if is_incremental else _HELD_SCHEMA.empty_table()
    _refuse_others(held, parameters, table)
    return pa.RecordBatchReader.from_batches(
        rows_schema(parameters),
        _rows(session, held, parameters),
    )


def rows_schema(parameters: FlowParameters) -> pa.Schema:
    """Features and 0, or in the rows that end a run its number and a symbol's state.

    The state is a list of one, or null: a struct would have all its fields written for every row.
    """
    state = pa.field("state", pa.list_(_STATE_TYPE))
    return pa.schema([*features_schema(parameters), _RUN_NUMBER, state])


def _rows(session: Any, held: pa.Table, parameters: FlowParameters) -> Iterator[pa.RecordBatch]:
    schema = rows_schema(parameters)
    run_number = 1 + (pc.max(held["run_number"]).as_py() or 0)
    for source in SOURCES:
        own = held.filter(pc.equal(held["source"], source))
        before = pa.Table.from_struct_array(own["state"]) if own.num_rows else None
        flow = OrderFlow(before, parameters)
        # In a thread of its own: where DuckDB's are both busy writing, the next rows are there.
        for rows in read_ahead(_features(session, flow, before, source)):
            numbers = pa.array(np.zeros(rows.num_rows, np.int64))
            nothing = pa.nulls(rows.num_rows, schema.field("state").type)
            yield pa.RecordBatch.from_arrays([*rows.columns, numbers, nothing], schema=schema)
        yield from _state_rows(flow.states(), before, source, run_number, schema)


def _features(
    session: Any, flow: OrderFlow, before: pa.Table | None, source: str
) -> Iterator[pa.RecordBatch]:
    """The rows of one source; the state goes on with them."""
    feed, book_arrival, trade_arrival = SOURCES[source]
    resumed = STATES_SCHEMA.empty_table() if before is None else before
    resumed = resumed.select(["exchange", "symbol", "book_number", "trade_number", "arrived_to"])
    reader = session.cursor()
    reader.register("resumed", resumed)
    waits = flow.parameters.waits_for_trades
    is_held_back = source == "captured" and waits
    unread_books, unread_trades = _unread(reader, source, resumed)
    new_books = reader.sql(
        _NEW_BOOKS.format(
            books=unread_books,
            trades=unread_trades,
            feed=feed,
            arrival=book_arrival,
            waits=is_held_back,
            max_age=flow.parameters.max_age_seconds,
        )
    ).to_arrow_table()
    if not new_books.num_rows:
        return
    symbols = new_books.group_by(["exchange", "symbol"]).aggregate([("trade_number", "min")])
    symbols = symbols.rename_columns(["exchange", "symbol", "trade_number"])
    trades: Iterator[pa.RecordBatch] = iter(())
    if source == "replayed" or waits:
        other_reader = session.cursor()
        other_reader.register("symbols", symbols)
        trades = iter(
            other_reader.sql(_TRADES.format(feed=feed, arrival=trade_arrival)).to_arrow_reader(
                TRADES_AT_A_TIME
            )
        )
    levels = flow.parameters.levels
    books = read_ahead(_books(reader, new_books, source, levels))
    yield from flow.features(books, trades)


def _unread(reader: Any, source: str, resumed: pa.Table) -> tuple[str, str]:
    """Queries of the books that may have no row yet, and of the trades that they may wait for."""
    books = f"select * from silver.order_books where source = '{source}' and book_number"
    trades = "select * from silver.trades where trade_number"
    if source == "replayed":
        # None waits: what is new lies after all that is held.
        after = pc.max(resumed["book_number"]).as_py()
        return f"{books} > {-1 if after is None else after}", f"{trades} < 0"
    unread = reader.sql(_UNREAD).fetchall()
    return (
        _of_ranges(books, [(first, last) for first, last, _, _ in unread]),
        _of_ranges(trades, [(first, last) for _, _, first, last in unread]),
    )


def _of_ranges(query: str, ranges: list[tuple[int, int]]) -> str:
    """A query of what lies in some ranges of numbers, each a part of its own: DuckDB passes over
    what lies outside of one, and not of several at once."""
    apart: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if apart and first <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(last, apart[-1][1]))
        elif first <= last:
            apart.append((first, last))
    parts = [f"{query} between {first} and {last}" for first, last in apart or [(0, -1)]]
    return " union all ".join(parts)


def _books(reader: Any, new_books: pa.Table, source: str, levels: int) -> Iterator[pa.Table]:
    """Books with their structural features, a bounded number at a time."""
    for start in range(0, new_books.num_rows, ROWS_AT_A_TIME):
        chunk = new_books.slice(start, ROWS_AT_A_TIME)
        first, last = chunk["book_number"][0].as_py(), chunk["book_number"][-1].as_py()
        features, books = (
            reader.sql(
                query.format(source=source, first=first, last=last, levels=levels)
            ).to_arrow_table()
            for query in _QUERIES
        )
        found = side_by_side(chunk, features)
        for part, names in ((chunk, ["arrival"]), (books, _LEVELS)):
            own = side_by_side(found, part)
            for name in names:
                found = found.append_column(name, own[name])
        yield found


def side_by_side(rows: pa.Table, others: pa.Table) -> pa.Table:
    """Those of the others that are books of the rows too, in their order."""
    if all(others[name].equals(rows[name]) for name in _KEY):
        return others
    wanted, found = (
        pc.binary_join_element_wise(*(part[name].cast(pa.string()) for name in _KEY), "\n")
        for part in (rows, others)
    )
    return others.take(pc.index_in(wanted, found).drop_null())


def _state_rows(
    states: pa.Table, before: pa.Table | None, source: str, run_number: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The states of the symbols that have new rows, a row each."""
    names = ["exchange", "symbol", "book_number"]
    known = [] if before is None else before.select(names).to_pylist()
    for place, identity in enumerate(states.select(names).to_pylist()):
        if identity not in known:
            own = states.slice(place, 1)
            values = {**identity, "source": source, "run_number": run_number}
            columns = [pa.array([values.get(field.name)], field.type) for field in schema]
            columns[-1] = pa.ListArray.from_arrays(
                pa.array([0, 1], pa.int32()), own.to_struct_array().combine_chunks()
            )
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _held_states(session: Any, table: str) -> pa.Table:
    """The last state of each symbol, and the run that wrote it."""
    columns = session.sql(f"from {table} limit 0").to_arrow_table().schema
    if "state" not in columns.names or columns.field("state").type != pa.list_(_STATE_TYPE):
        raise ValueError(
            f"{table} was built by an older version, which kept its states otherwise. "
            f"Build everything anew: {_ANEW}"
        )
    query = f"""
        select source, run_number, state[1] as state
        from {table}
        where run_number > 0
        qualify row_number() over (
            partition by source, exchange, symbol order by run_number desc
        ) = 1
    """
    return session.sql(query).to_arrow_table().cast(_HELD_SCHEMA)


def _refuse_others(held: pa.Table, parameters: FlowParameters, table: str) -> None:
    """Raise where rows of other parameters are held: two kinds would stand in one column."""
    for state in held["state"]:
        known = state["parameters"].as_py()
        if known != repr(parameters):
            asked = re.findall(r"(\w+)=(.*?)(?=, \w+=|\)$)", repr(parameters))
            before = dict(re.findall(r"(\w+)=(.*?)(?=, \w+=|\)$)", known))
            changed = [
                f"{name} {before.get(name)}, and now {value}"
                for name, value in asked
                if before.get(name) != value
            ]
            raise ValueError(
                f"{table} was computed with {'; '.join(changed)}. Build with the same order_flow_* "
                f"vars, or everything anew: {_ANEW}"
            )
