"""Structural order-book features: snapshots in, one row of features a snapshot out.

``order_book_features`` reads batches of ``silver.order_books`` and gives batches of
``silver.order_book_features``. A row's features depend on that row alone, so rows may come in any
order and cut in any way; what needs the row before (order flow, windows) reads this one's output.

* **Books** (``BOOKS_SCHEMA``): levels as doubles, each the nearest to a decimal of at most 8
  places; finer ones are rounded to 1e-8, prices below 0.01 to the millionth part of the best ask or
  finer. Any size is taken: up to 2.2e7 base currency (2^51 units)
  sizes and up to 9e7 (2^53 units) their sums are exact, beyond they are right to a part in 1e15.
  Prices are exact to 8 places up to 2.2e7 quote currency; each power of ten more costs a place,
  which a double does not hold either.
* **Features** (``features_schema``): the columns that say which book it is, and one column a
  feature; ``order_book_feature_table`` says what they are. No NaN, infinity or negative zero.
* **Validity.** ``is_valid`` becomes false for a book with an empty side, crossed or locked, with a
  best ask above 2.2e15 (2^51), or with levels that are not: a price that is not positive, a
  negative size, either one null, NaN or infinite, or not best first. An invalid row has no
  features.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from python_models.kernels import order_book_feature_loop as loop
from python_models.kernels.lent_memory import LentMemory
from python_models.kernels.order_book_feature_table import (
    DEFAULT_PARAMETERS,
    Feature,
    FeatureParameters,
    feature_fields,
    structural_features,
)

# Rows handed over at a time: a row group of DuckDB, which writes a batch of that many as it is.
# Smaller ones are copied into one first: with batches of 4,096, writing took twice the time.
ROWS_AT_A_TIME = 122_880
# Books read at a time: few enough that they stay in the processor's cache, and that the memory
# of the last ones is used again.
BOOKS_AT_A_TIME = 8_192
# Columns a whole number of pages apart would fight for the same lines of the cache.
_STRIDE = ROWS_AT_A_TIME + 8
LEVELS_TYPE = pa.list_(pa.struct([("price", pa.float64()), ("size", pa.float64())]))
# Which book a row is; these columns pass through, is_valid narrowed.
IDENTITY_FIELDS = [
    pa.field("exchange", pa.string()),
    pa.field("symbol", pa.string()),
    pa.field("source", pa.string()),
    pa.field("stream", pa.string()),
    pa.field("book_number", pa.int64()),
    pa.field("booked_at", pa.timestamp("us")),
    pa.field("is_valid", pa.bool_()),
    pa.field("is_snapshot", pa.bool_()),
    pa.field("is_late", pa.bool_()),
]
BOOKS_SCHEMA = pa.schema(
    [
        *IDENTITY_FIELDS,
        pa.field("bids", LEVELS_TYPE),
        pa.field("asks", LEVELS_TYPE),
        pa.field("bid_level_count", pa.int32()),
        pa.field("ask_level_count", pa.int32()),
    ]
)


@cache
def features_schema(parameters: FeatureParameters = DEFAULT_PARAMETERS) -> pa.Schema:
    """Return the columns that ``order_book_features`` gives for these parameters."""
    return pa.schema([*IDENTITY_FIELDS, *feature_fields(structural_features(parameters))])


def order_book_features(
    batches: Iterable[pa.RecordBatch | pa.Table],
    parameters: FeatureParameters = DEFAULT_PARAMETERS,
) -> Iterator[pa.RecordBatch]:
    """Compute the structural features of every book, in the order of the input.

    Memory: a batch of the input, and ``ROWS_AT_A_TIME`` rows of the output, 8 bytes a feature,
    for each batch of the output that is still held.

    Args:
        batches: ``BOOKS_SCHEMA``, columns in any order; more columns are left out.
        parameters: What the features are computed for.

    Yields:
        Batches of ``features_schema(parameters)``, none of them empty.

    Raises:
        ValueError: A column is missing, or a batch cannot have the types of ``BOOKS_SCHEMA``
            (``pyarrow.ArrowInvalid``, which is one).
    """
    memory = LentMemory()
    group = _Group(parameters, memory)
    for books in _parts(batches):
        start = 0
        while start < books.num_rows:
            part = books.slice(start, ROWS_AT_A_TIME - group.rows)
            group.add(part)
            start += part.num_rows
            if group.rows == ROWS_AT_A_TIME:
                yield group.features()
                group = _Group(parameters, memory)
    if group.rows:
        yield group.features()


def order_book_features_reader(
    batches: Iterable[pa.RecordBatch | pa.Table],
) -> pa.RecordBatchReader:
    """Return ``order_book_features`` as the stream that DuckDB reads without holding it whole."""
    return pa.RecordBatchReader.from_batches(features_schema(), order_book_features(batches))


def _parts(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.RecordBatch]:
    """Return what is given as batches of ``BOOKS_SCHEMA``."""
    for batch in batches:
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        missing = [name for name in BOOKS_SCHEMA.names if name not in table.column_names]
        if missing:
            raise ValueError(f"The order books have no column {', '.join(missing)}.")
        yield from table.select(BOOKS_SCHEMA.names).cast(BOOKS_SCHEMA).to_batches()


class _Group:
    """The features of up to ``ROWS_AT_A_TIME`` books that come in parts."""

    def __init__(self, parameters: FeatureParameters, memory: LentMemory) -> None:
        self._parameters = parameters
        self._features, self._layout = _plan(parameters)
        # A column more, for the last one reaches beyond its end where it begins later.
        self._values = memory.lend(len(self._features) + 1, _STRIDE)
        self._identities: list[pa.RecordBatch] = []
        self.rows = 0

    def add(self, books: pa.RecordBatch) -> None:
        """Compute the features of some more books (``BOOKS_SCHEMA``)."""
        bids, asks = _side(books, "bid"), _side(books, "ask")
        depth = max(int(np.diff(side.offsets).max(initial=0)) for side in (bids, asks))
        settings = _settings(self._parameters, depth)
        is_valid = pc.fill_null(books["is_valid"], False).to_numpy(zero_copy_only=False).copy()
        # The columns, each from the first of these rows on.
        size = self._values[:-1].size
        values = self._values.reshape(-1)[self.rows : self.rows + size].reshape(-1, _STRIDE)
        values[:, : books.num_rows] = np.nan
        room = loop.workspace(settings, depth)
        loop.fill_features(bids, asks, is_valid, settings, self._layout, room, values)
        identity = books.select([field.name for field in IDENTITY_FIELDS])
        place = identity.schema.get_field_index("is_valid")
        self._identities.append(identity.set_column(place, "is_valid", pa.array(is_valid)))
        self.rows += books.num_rows

    def features(self) -> pa.RecordBatch:
        """Return all of them; no more can be added."""
        columns = pa.concat_batches(self._identities).columns
        columns += [
            _column(feature, column[: self.rows])
            for feature, column in zip(self._features, self._values[:-1], strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=features_schema(self._parameters))


@cache
def _plan(parameters: FeatureParameters) -> tuple[tuple[Feature, ...], loop.Layout]:
    """Return the features, and in which column each family of them begins."""
    features = structural_features(parameters)
    place = {feature.name: column for column, feature in enumerate(features)}
    first_depth = parameters.depths[0] if parameters.depths else "all"
    bands, notionals = parameters.bands_bps, parameters.notionals
    layout = loop.Layout(
        best=place["best_bid_price"],
        micro=place["microprice"],
        depths=place[f"bid_depth_{first_depth}"],
        bands=place[f"bid_volume_band_0_{bands[0]}_bps"] if bands else 0,
        notionals=place[f"bid_notional_{first_depth}"],
        book_pressure=place["book_pressure"],
        vwaps=place[f"bid_vwap_{parameters.vwap_depth}"],
        slippages=place["ask_vwap_all"] + 1 if notionals else 0,
        smart_depths=place["smart_bid_depth"],
        slopes=place["bid_slope"],
        decay_rates=place["bid_decay_rate"],
        depth_decays=place["bid_depth_decay_5"],
        concentrations=place["bid_concentration"],
        ginis=place["bid_gini"],
        half_depth_levels=place["bid_half_depth_level"],
        centers=place["bid_center_of_gravity"],
        walls=place["bid_wall_level"],
        wall_shares=place["bid_wall_share"],
        proxies=place["amihud_proxy"],
        gaps=place["bid_mean_gap_bps"],
        level_counts=place["bid_level_count"],
    )
    return features, layout


def _settings(parameters: FeatureParameters, levels: int) -> loop.Settings:
    """Return the parameters as the loop takes them, for books of ``levels`` levels."""
    level = np.arange(levels)
    return loop.Settings(
        depths=np.array(parameters.depths, np.int64),
        bands_bps=np.array(parameters.bands_bps, np.int64),
        notionals=np.array(parameters.notionals, np.float64) * loop.SIZE_UNITS,
        weights=np.stack([1 / (1 + level), np.exp(-parameters.smart_decay * level)]),
        vwap_depth=parameters.vwap_depth,
        slope_levels=parameters.slope_levels,
    )


def _side(books: pa.RecordBatch, side: str) -> loop.Side:
    """Return one side of the books as flat arrays; a null list is an empty one."""
    lists = books[f"{side}s"]
    if lists.null_count:
        lists = pc.if_else(pc.is_valid(lists), lists, pa.scalar([], LEVELS_TYPE))
    offsets = lists.offsets.to_numpy()
    prices, sizes = lists.values.flatten()
    level_counts = pc.fill_null(books[f"{side}_level_count"].cast(pa.float64()), np.nan)
    return loop.Side(
        offsets=offsets,
        prices=_doubles(prices),
        sizes=_doubles(sizes),
        level_counts=_doubles(level_counts),
    )


def _doubles(values: pa.DoubleArray) -> NDArray[np.float64]:
    """Return doubles as NumPy, nulls as NaN; without a copy where there are none."""
    filled = pc.fill_null(values, np.nan) if values.null_count else values
    return cast(NDArray[np.float64], filled.to_numpy())


def _column(feature: Feature, values: NDArray[np.float64]) -> pa.Array:
    """Return the values of a feature as Arrow, NaN as null; ``values`` is changed in place."""
    rows = len(values)
    bits = np.empty((rows + 7) // 8, np.uint8)
    nulls = loop.finish_column(values, bits)
    data: NDArray[Any] = values
    if feature.value_type == "INTEGER":
        data = values.astype(np.int32)
    elif feature.value_type == "BOOLEAN":
        data = np.packbits(values != 0, bitorder="little")
    buffers = [pa.py_buffer(bits) if nulls else None, pa.py_buffer(data)]
    arrow_type = feature_fields((feature,))[0].type
    return pa.Array.from_buffers(arrow_type, rows, buffers, nulls)
