"""Level-2 replay of all products of a connection: Arrow tables in, Arrow tables out.

The tables are what SQL reads and writes around the replay; ``order_book_replay`` says what updates,
rows and runs mean.

* **Updates** (``UPDATES_SCHEMA``) in the order received, or the order received within each product.
  A GAP row without a product says that the connection lost something: it reaches every product,
  those without an update of their own included.
* **Rows** (``ROWS_SCHEMA``), product by product in order of name, each product's in order of frame.
* **Checkpoints** (``CHECKPOINTS_SCHEMA``), one row a product: the full book where the run stopped.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from python_models.kernels.order_book_replay import (
    DEFAULT_DEPTH,
    NO_FRAME,
    BookRows,
    BookSide,
    BookState,
    BookUpdates,
    OrderBook,
    UpdateKind,
)

LEVELS_TYPE = pa.list_(
    pa.field(
        "item",
        pa.struct(
            [
                pa.field("price_ticks", pa.int64(), nullable=False),
                pa.field("size_lots", pa.int64(), nullable=False),
            ]
        ),
        nullable=False,
    )
)
UPDATES_SCHEMA = pa.schema(
    [
        pa.field("product_id", pa.string()),  # null only on a GAP of the whole connection
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("kind", pa.int8(), nullable=False),  # UpdateKind
        pa.field("side", pa.int8()),  # BookSide; this and the next two are null on markers
        pa.field("price_ticks", pa.int64()),
        pa.field("size_lots", pa.int64()),
    ]
)
ROWS_SCHEMA = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("update_count", pa.int32(), nullable=False),
        pa.field("delete_count", pa.int32(), nullable=False),
        pa.field("orphan_delete_count", pa.int32(), nullable=False),
        pa.field("bid_level_count", pa.int32(), nullable=False),
        pa.field("ask_level_count", pa.int32(), nullable=False),
        pa.field("bids", LEVELS_TYPE, nullable=False),  # best first, at most the depth asked for
        pa.field("asks", LEVELS_TYPE, nullable=False),
        pa.field("is_valid", pa.bool_(), nullable=False),
        pa.field("is_crossed", pa.bool_(), nullable=False),
        pa.field("is_snapshot", pa.bool_(), nullable=False),
    ]
)
CHECKPOINTS_SCHEMA = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("last_frame", pa.int64(), nullable=False),
        pa.field("bids", LEVELS_TYPE, nullable=False),
        pa.field("asks", LEVELS_TYPE, nullable=False),
        pa.field("is_valid", pa.bool_(), nullable=False),
    ]
)


class ConnectionReplay:
    """The books of a connection's products, kept in memory between batches.

    Memory: see ``OrderBook``, a product; plus the rows of the batch at hand.

    Args:
        checkpoints: Where the run before stopped (``CHECKPOINTS_SCHEMA``); none: nothing is known.
        depth: Levels a side in each row, from 1.

    Raises:
        ValueError: A checkpoint is not a book, or a product has two; the message names it.
    """

    def __init__(self, checkpoints: pa.Table | None = None, depth: int = DEFAULT_DEPTH) -> None:
        self._depth = depth
        self._books: dict[str, OrderBook] = {}
        if checkpoints is None:
            return
        for row in range(checkpoints.num_rows):
            product = checkpoints["product_id"][row].as_py()
            if product in self._books:
                raise ValueError(f"The checkpoints hold {product} twice: keep its last one.")
            try:
                self._books[product] = OrderBook(_state_of(checkpoints, row), depth)
            except ValueError as error:
                raise ValueError(f"Checkpoint of {product}: {error}") from error

    def apply(self, updates: pa.Table | pa.RecordBatch) -> pa.Table:
        """Apply whole frames (see ``whole_frames``) and return their rows, ``ROWS_SCHEMA``.

        Raises:
            ValueError: An update is impossible; the message names product and update. Some products
                may have moved on by then: begin again from the checkpoints.
        """
        batch = _single_chunk(updates)
        products, codes = _product_codes(batch)
        kinds = _integers(batch, "kind")
        _refuse_nulls(batch, kinds)
        everywhere = np.flatnonzero(codes < 0)
        if (kinds[everywhere] != UpdateKind.GAP).any():
            row = int(everywhere[np.argmax(kinds[everywhere] != UpdateKind.GAP)])
            raise ValueError(
                f"Update {row} has no product_id and kind {kinds[row]}: only a GAP may concern all "
                "products."
            )
        columns = BookUpdates(
            _integers(batch, "frame"),
            kinds,
            _integers(batch, "side"),
            _integers(batch, "price_ticks"),
            _integers(batch, "size_lots"),
        )
        for product in products:
            self._books.setdefault(product, OrderBook(depth=self._depth))
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(products) + 1))
        place = {product: index for index, product in enumerate(products)}
        tables = []
        for product in sorted(self._books):
            index = place.get(product)
            own = everywhere[:0] if index is None else order[starts[index] : starts[index + 1]]
            rows = np.sort(np.concatenate([own, everywhere])) if len(everywhere) else own
            if not len(rows):
                continue
            try:
                found = self._books[product].apply(_take(columns, rows))
            except ValueError as error:
                raise ValueError(f"{product}: {error}") from error
            tables.append(_rows_table(product, found))
        return pa.concat_tables(tables) if tables else ROWS_SCHEMA.empty_table()

    def checkpoints(self) -> pa.Table:
        """Return the full books as they stand, ``CHECKPOINTS_SCHEMA``, in order of product."""
        products = sorted(self._books)
        states = [self._books[product].state() for product in products]
        return pa.table(
            [
                pa.array(products, pa.string()),
                pa.array([state.last_frame for state in states], pa.int64()),
                _levels_column([state.side(BookSide.BID) for state in states]),
                _levels_column([state.side(BookSide.ASK) for state in states]),
                pa.array([state.is_valid for state in states], pa.bool_()),
            ],
            schema=CHECKPOINTS_SCHEMA,
        )


def replay_order_books(
    updates: pa.Table, checkpoints: pa.Table | None = None, depth: int = DEFAULT_DEPTH
) -> tuple[pa.Table, pa.Table]:
    """Replay a table of updates; return rows and checkpoints. See ``ConnectionReplay``."""
    replay = ConnectionReplay(checkpoints, depth)
    rows = replay.apply(updates)
    return rows, replay.checkpoints()


def whole_frames(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.Table]:
    """Cut batches anew so that no frame is in two of them: the last frame waits for the next batch.

    A query's batches end anywhere, in the middle of a frame too. Memory: a batch and a frame.
    """
    waiting: pa.Table | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        if waiting is not None:
            table = pa.concat_tables([waiting, table])
        frames = table["frame"].to_numpy()
        if not len(frames):
            waiting = table
            continue
        others = np.flatnonzero(frames != frames[-1])
        cut = int(others[-1]) + 1 if len(others) else 0
        waiting = table.slice(cut)
        if cut:
            yield table.slice(0, cut)
    if waiting is not None and waiting.num_rows:
        yield waiting


def _single_chunk(updates: pa.Table | pa.RecordBatch) -> pa.Table:
    """Return the updates as a table of unchunked columns with the types of ``UPDATES_SCHEMA``."""
    table = pa.Table.from_batches([updates]) if isinstance(updates, pa.RecordBatch) else updates
    missing = [name for name in UPDATES_SCHEMA.names if name not in table.column_names]
    if missing:
        raise ValueError(f"The updates have no column {', '.join(missing)}.")
    return table.select(UPDATES_SCHEMA.names).cast(UPDATES_SCHEMA).combine_chunks()


def _product_codes(table: pa.Table) -> tuple[list[str], NDArray[np.int64]]:
    """Return the products met and, a row, the index of its product (-1 where there is none)."""
    if not table.num_rows:
        return [], np.empty(0, np.int64)
    encoded = table["product_id"].chunk(0).dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary.to_pylist(), codes


def _integers(table: pa.Table, name: str) -> NDArray[Any]:
    """Return a column as NumPy integers, nulls as 0."""
    column = table[name]
    if column.null_count:
        column = pc.fill_null(column, pa.scalar(0, column.type))
    return cast(NDArray[Any], column.to_numpy())


def _refuse_nulls(table: pa.Table, kinds: NDArray[Any]) -> None:
    """Raise where a frame or kind is null, or an UPDATE lacks its level."""
    for name in ("frame", "kind", "side", "price_ticks", "size_lots"):
        if not table[name].null_count:
            continue
        bad = pc.is_null(table[name]).to_numpy()
        if name not in ("frame", "kind"):
            bad = bad & (kinds == UpdateKind.UPDATE)
        if bad.any():
            raise ValueError(f"Update {int(np.argmax(bad))} has no {name}.")


def _take(updates: BookUpdates, rows: NDArray[np.int64]) -> BookUpdates:
    """Return the updates of some rows; without a copy where they follow on one another."""
    if len(rows) == rows[-1] - rows[0] + 1:
        return updates[int(rows[0]) : int(rows[-1]) + 1]
    return BookUpdates(
        updates.frames[rows],
        updates.kinds[rows],
        updates.sides[rows],
        updates.price_ticks[rows],
        updates.size_lots[rows],
    )


def _levels_array(
    offsets: NDArray[np.int32], prices: NDArray[np.int64], sizes: NDArray[np.int64]
) -> pa.ListArray:
    """Return packed levels as a list column, without copying them."""
    levels = pa.StructArray.from_arrays(
        [pa.array(prices), pa.array(sizes)], fields=list(LEVELS_TYPE.value_type)
    )
    return pa.ListArray.from_arrays(pa.array(offsets), levels, type=LEVELS_TYPE)


def _levels_column(sides: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> pa.ListArray:
    """Return one list of levels for each (prices, sizes)."""
    nothing = np.empty(0, np.int64)
    return _levels_array(
        np.cumsum([0, *(len(prices) for prices, _ in sides)]).astype(np.int32),
        np.concatenate([nothing, *(prices for prices, _ in sides)]),
        np.concatenate([nothing, *(sizes for _, sizes in sides)]),
    )


def _rows_table(product: str, rows: BookRows) -> pa.Table:
    """Return the rows of a product as ``ROWS_SCHEMA``."""
    return pa.table(
        [
            pa.repeat(pa.scalar(product, pa.string()), len(rows)),
            pa.array(rows.frames),
            pa.array(rows.update_counts),
            pa.array(rows.delete_counts),
            pa.array(rows.orphan_delete_counts),
            pa.array(rows.bid_level_counts),
            pa.array(rows.ask_level_counts),
            _levels_array(rows.bid_offsets, rows.bid_price_ticks, rows.bid_size_lots),
            _levels_array(rows.ask_offsets, rows.ask_price_ticks, rows.ask_size_lots),
            pa.array(rows.is_valid),
            pa.array(rows.is_crossed),
            pa.array(rows.is_snapshot),
        ],
        schema=ROWS_SCHEMA,
    )


def _state_of(checkpoints: pa.Table, row: int) -> BookState:
    """Return the state in one row of a checkpoints table."""
    prices, sizes, sides = [], [], []
    for side, name in ((BookSide.BID, "bids"), (BookSide.ASK, "asks")):
        levels = checkpoints[name][row].values
        count = 0 if levels is None else len(levels)
        if count:
            prices.append(levels.field("price_ticks").to_numpy())
            sizes.append(levels.field("size_lots").to_numpy())
        sides.append(np.full(count, side, np.int8))
    nothing = np.empty(0, np.int64)
    last_frame = checkpoints["last_frame"][row].as_py()
    return BookState(
        np.concatenate(sides),
        np.concatenate([nothing, *prices]),
        np.concatenate([nothing, *sizes]),
        bool(checkpoints["is_valid"][row].as_py()),
        NO_FRAME if last_frame is None else last_frame,
    )
