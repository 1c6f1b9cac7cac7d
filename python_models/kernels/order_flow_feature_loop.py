"""The compiled loop behind the order-flow features: one pass over the rows of a symbol.

**Numbers.** Sizes are counted in lots of 1e-8, whole numbers kept in doubles: sums and differences
are exact up to 2^53 and correctly rounded beyond. So are prices, in ticks of 1e-8, finer where they
are small and coarser where they are large. Prices are kept as they are told, and two are counted in
the same ticks where they are compared, so that no comparison is of ticks of two kinds. Times are
microseconds in int64.

**Rows in windows.** ``Timeline`` holds the valid rows that a window may still need, by time and,
of equal times, in their order; a row that goes back in time is put where it belongs. The rows of a
window are then neighbours, from its start to the row just put in.

**Window sums.** Nothing is ever subtracted from a sum. The rows of a window are split in two. Sums
from each row of the front to the split are kept, added up from the split backwards; so are sums of
the back, added up forwards. A window is one of the former and the latter, put together. When the
front is used up, all rows of the window become the front. Where the split lies depends on nothing
but the rows that came before, and is part of the state: sums that are added up again after a
restart are added in the same order, and have the same bits. Means and squares are kept as in Chan,
Golub, LeVeque (1983), so that equal values have variance 0 exactly.

**Trades.** A trade is taken by the first row that arrived after it: what had not arrived, nobody
knew. One that is handed over when the rows have passed it counts at the next row: nothing changes a
row that has been given.

All compiled code is in this one file; see ``compilation`` for why.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from python_models.kernels.compilation import compiled, inlined, inner

Doubles = NDArray[np.float64]
Int64s = NDArray[np.int64]
Booleans = NDArray[np.bool_]

BID, ASK = 0, 1
PRICE, LOTS = 0, 1
SIZE_UNITS = 1e8
TICKS = 1e8  # what changes of price from bucket to bucket are counted in
FINEST_TICKS = 1e22  # the last power of ten that a double holds exactly
FEWEST_TICKS = 1e6
MOST_TICKS = float(1 << 51)
SECOND = 1_000_000
DAY_LENGTH = 86_400 * SECOND
MOST_BUCKETS = float(1 << 53)  # beyond, a double does not count on
NORMAL, TIGHT_REGIME, WIDE_REGIME, NO_REGIME = 1, 0, 2, -1

# Columns of Timeline.samples, NaN where null. First the values that are added up, then what lies
# between a row and its neighbour before, then the values that have moments.
(FLOW, LEVELS_FLOW, BEST_LOTS, SPREAD, IMBALANCE, SQUARE, BUYS, SELLS, VOLUME) = range(9)
BIPOWER, TIGHT_TIME, WIDE_TIME, KNOWN_TIME = range(9, 13)
RETURN, BID_SLOPE, ASK_SLOPE, CENTER, NEAR = range(13, 18)
SIGNED, MID_CHANGE = 18, 19
SAMPLES = 20

# Columns of Timeline.parts, what a row adds to every window: values, 0 where null, then counts.
ADDED = (FLOW, LEVELS_FLOW, SQUARE, SPREAD, IMBALANCE, BUYS, SELLS, VOLUME)
COUNTED = (RETURN, SPREAD, IMBALANCE, VOLUME)
(
    SUM_FLOW,
    SUM_LEVELS_FLOW,
    SUM_SQUARE,
    SUM_SPREAD,
    SUM_IMBALANCE,
    SUM_BUYS,
    SUM_SELLS,
    SUM_VOLUME,
    COUNT_RETURN,
    COUNT_SPREAD,
    COUNT_IMBALANCE,
    COUNT_VOLUME,
    PARTS,
) = range(13)
# Places in a vector of sums. Every window has the parts, what lies between the rows, and mean and
# M2 of the return.
SUM_BIPOWER, COUNT_BIPOWER, RETURN_MEAN, RETURN_SQUARES, COMMON = range(PARTS, PARTS + 5)
# The shape window besides: best sizes, and (n, mean, M2) of slopes and centre.
SUM_BEST, COUNT_ROWS = COMMON, COMMON + 1
FIRST_SHAPE = COMMON + 2
SHAPES = 3
# The long window besides: times of regimes, (n, mean, M2) of near depth, and
# (n, mean x, mean y, Mxx, Mxy, Myy) of (FLOW, RETURN) and of (SIGNED, MID_CHANGE).
SUM_TIGHT = FIRST_SHAPE + 3 * SHAPES
SUM_WIDE, SUM_KNOWN, NEAR_MOMENT = SUM_TIGHT + 1, SUM_TIGHT + 2, SUM_TIGHT + 3
FIRST_PAIR = NEAR_MOMENT + 3
PAIRS = 2
TOTALS = FIRST_PAIR + 6 * PAIRS

# Places in Past.whole.
(
    HAS_PREVIOUS,
    IS_BROKEN,  # what came since the last valid row hides what happened
    PREVIOUS_AT,
    LATEST_AT,
    LATEST_ARRIVAL,
    FIRST_ARRIVAL,  # of a trade of any kind
    HEAD,  # first row of the timeline still needed
    END,
    LAST,  # place of the row put in last
    DAY,
    DAYS,  # whole days seen; -1 before the end of the first, which has no beginning
    TICK_SIGN,
    FULL,  # buckets in the rings
    CHANGES,
    WHOLES,
) = range(15)
# Places in Past.real.
(
    VELOCITY,
    VELOCITY_SECONDS,
    LAST_TRADE_PRICE,
    BUCKET_LOTS,  # V; NaN while none is open
    FILLED,
    BUCKET_BUYS,
    BUCKET_SELLS,
    BUCKET_UNTOLD,
    BUCKET_CLOSE,  # price, of the bucket before
    BUCKETS,
    DAY_LOTS,
    DAYS_LOTS,
    REALS,
) = range(13)
# Places in Room.flow: the trades of the interval that ends at this row.
FLOW_BUYS, FLOW_SELLS, FLOW_LOTS, FLOW_COUNT, FLOW_UNSIGNED, VPIN_AGGRESSOR, VPIN_BULK = range(7)
FLOWS = 7


class Settings(NamedTuple):
    """``FlowParameters`` as arrays; times in microseconds."""

    has_rolling: bool
    has_advanced: bool
    windows: Int64s  # all that are needed, ascending; none: no timeline is kept
    shown: Int64s  # which of them have columns of their own
    shape: int  # which window
    long: int
    weights: Doubles  # (levels,)
    max_age: int
    back: int
    tight: float
    wide: float
    kyle_rows: int
    bucket_lots: float  # NaN: a share of the mean daily volume
    bucket_share: float


class Layout(NamedTuple):
    """The first column of each family of features."""

    dynamic: int
    normalised: int
    windows: int
    shapes: int
    spreads: int
    kyles: int
    buckets: int


class Levels(NamedTuple):
    """One side of the books, packed like an Arrow list column; NaN where null."""

    offsets: NDArray[np.int32]  # (rows + 1,)
    prices: Doubles
    sizes: Doubles


class Rows(NamedTuple):
    """Rows of ``order_book_features`` and their levels."""

    times: Int64s  # (rows,)
    arrivals: Int64s  # (rows,)
    is_usable: Booleans  # valid, with a time and best levels
    is_late: Booleans  # as if it were not there
    is_reset: Booleans  # sent whole, or of another stream than the row before that was not late
    columns: Doubles  # (INPUTS, rows), NaN where null; the order is INPUTS'
    bids: Levels
    asks: Levels


INPUTS = (
    "best_bid_price",
    "best_ask_price",
    "best_bid_size",
    "best_ask_size",
    "relative_spread",
    "imbalance_1",
    "bid_slope",
    "ask_slope",
    "cog_vs_mid",
    "bid_volume_band_0_5_bps",
    "ask_volume_band_0_5_bps",
)


class Trades(NamedTuple):
    """Trades in the order told."""

    arrivals: Int64s  # of this trade or of one told before it, whichever was later
    times: Int64s  # the latest at which one was told
    prices: Doubles
    lots: Doubles
    signs: NDArray[np.int8]  # 1 the aggressor bought, -1 sold, 0 not told


class Past(NamedTuple):
    """What is known of a symbol besides the timeline; changed in place."""

    whole: Int64s  # (WHOLES,)
    real: Doubles  # (REALS,), NaN where null
    levels: Doubles  # (2 sides, 2, levels) of the last valid row: price, lots; NaN where none
    aggressor: Doubles  # (vpin_buckets,): |buys − sells| / V, the newest last
    bulk: Doubles  # (vpin_buckets,): |2 Φ(Δp / σ) − 1|
    changes: Doubles  # (sigma_buckets,): Δp in ticks


class Timeline(NamedTuple):
    """Valid rows by time; the rows HEAD to END − 1 are in use."""

    times: Int64s
    samples: Doubles  # (rows, SAMPLES)
    parts: Doubles  # (rows, PARTS), follow from the samples
    is_linked: Booleans  # neither reset nor stale
    regimes: NDArray[np.int8]
    ranks: Int64s  # of the spread among all that may come, from 1; 0 where null


class Room(NamedTuple):
    """Sums of each window, and room to work in."""

    starts: Int64s  # (windows,): first row
    splits: Int64s  # first row of the back
    bases: Int64s  # row that fronts begin at
    fronts: Doubles  # (windows, rows, TOTALS): from a row to the split
    backs: Doubles  # (windows, TOTALS)
    totals: Doubles  # (windows, TOTALS): of the whole window
    ranked: NDArray[np.int32]  # Fenwick tree of the spreads in the long window
    nothing: Doubles  # (TOTALS,): zeros
    levels: Doubles  # (2, 2, levels) of this row
    flow: Doubles  # (FLOWS,)


@compiled
def restore(timeline: Timeline, past: Past, settings: Settings, room: Room) -> None:
    """Add the sums of every window up again, in the order in which they were added first."""
    last = past.whole[LAST]
    for row in range(past.whole[END]):
        _fill_parts(timeline.samples[row], timeline.parts[row])
    for window in range(len(settings.windows)):
        split = room.splits[window]
        _fill_front(timeline, window, split - 1, settings, room)
        _copy(room.backs[window], room.nothing)
        for row in range(split, last + 1):
            _add_to_back(timeline, window, row, settings, room)
    room.ranked[:] = 0
    if len(settings.windows) > 0:
        for row in range(room.starts[settings.long], last + 1):
            _count_rank(room.ranked, timeline.ranks[row], 1)
    _mean_imbalances(past, room)


@compiled
def fill_flow_features(
    rows: Rows,
    first: int,
    ranks: Int64s,
    trades: Trades,
    taken: int,
    past: Past,
    timeline: Timeline,
    settings: Settings,
    layout: Layout,
    room: Room,
    values: Doubles,
) -> int:
    """Write the features of some rows; NaN where one is not defined.

    Args:
        rows: In their order.
        first: Which row comes next; as many follow as ``values`` has.
        ranks: (rows,): of their spreads; see ``Timeline.ranks``.
        trades: In their order.
        taken: How many of them earlier rows have taken.
        past, timeline, room: As the call before left them, or restored; changed in place. The
            timeline has room for all rows behind END.
        settings, layout: What is computed, and where it goes.
        values: (rows, features), overwritten: a row's values are written side by side.

    Returns:
        How many trades these and earlier rows have taken.
    """
    whole = past.whole
    for row in range(first, first + len(values)):
        out = values[row - first]
        out[:] = np.nan
        if rows.is_late[row]:
            continue
        if not rows.is_usable[row]:
            whole[IS_BROKEN] = 1
            continue
        time = rows.times[row]
        is_first = whole[HAS_PREVIOUS] == 0
        whole[LATEST_AT] = time if is_first else max(whole[LATEST_AT], time)
        whole[LATEST_ARRIVAL] = max(whole[LATEST_ARRIVAL], rows.arrivals[row])
        room.flow[:VPIN_AGGRESSOR] = 0.0
        while taken < len(trades.times) and trades.arrivals[taken] < whole[LATEST_ARRIVAL]:
            _take_trade(trades, taken, settings, past, room)
            taken += 1
        is_reset = is_first or whole[IS_BROKEN] != 0 or rows.is_reset[row]
        is_stale = not is_first and time - whole[PREVIOUS_AT] > settings.max_age
        out[layout.dynamic] = is_reset
        out[layout.dynamic + 1] = np.nan if is_first else is_stale
        is_linked = not (is_reset or is_stale)
        place = _place_of(timeline, past, settings, time)
        # A row too far back for the timeline is written to the place behind its end, and dropped.
        sample = timeline.samples[place if place >= 0 else whole[END]]
        sample[:] = np.nan
        _load_book(rows, row, room)
        _static_samples(rows, row, sample)
        _dynamic_features(rows, row, is_linked, past, settings, layout, room, sample, out)
        if place >= 0:
            _fill_parts(sample, timeline.parts[place])
            timeline.times[place] = time
            timeline.is_linked[place] = is_linked
            timeline.ranks[place] = ranks[row]
            _rolling_features(place, past, timeline, settings, layout, room, out)
        _volume_clock_features(past, layout, room, out)
        for side in range(2):
            _copy(past.levels[side, PRICE], room.levels[side, PRICE])
            _copy(past.levels[side, LOTS], room.levels[side, LOTS])
        whole[HAS_PREVIOUS] = 1
        whole[IS_BROKEN] = 0
        whole[PREVIOUS_AT] = time
    return taken


@inlined
def _copy(into: Doubles, values: Doubles) -> None:
    """Write values over others; an assignment of slices would make an array."""
    for place in range(len(into)):
        into[place] = values[place]


# Ticks.


@inlined
def _ticks_per_unit(low: float, high: float) -> float:
    """Return the ticks of one unit of quote currency in which two prices are compared.

    They are 1e8, more where the lower price would have less than a million, and fewer where the
    higher one would have more than 2^51: ``order_book_feature_loop`` has the same rule.
    """
    scale = TICKS
    while low * scale < FEWEST_TICKS and scale < FINEST_TICKS:
        scale *= 10
    while high * scale > MOST_TICKS and scale > 1:
        scale /= 10
    return scale


@inlined
def _ticks_apart(price: float, other: float) -> float:
    """Return how much higher a price is than another, in ticks of 1e-8, not always whole."""
    scale = _ticks_per_unit(min(price, other), max(price, other))
    apart: float = np.rint(price * scale) - np.rint(other * scale)
    # A power of ten divides exactly, and its inverse would not.
    return apart / (scale / TICKS) if scale >= TICKS else apart * (TICKS / scale)


# Trades and buckets.


@inner
def _take_trade(trades: Trades, trade: int, settings: Settings, past: Past, room: Room) -> None:
    """Add one trade to the interval, the day and the buckets."""
    whole, real, flow = past.whole, past.real, room.flow
    price, lots, told = trades.prices[trade], trades.lots[trade], trades.signs[trade]
    if price > real[LAST_TRADE_PRICE]:
        whole[TICK_SIGN] = 1
    elif price < real[LAST_TRADE_PRICE]:
        whole[TICK_SIGN] = -1
    real[LAST_TRADE_PRICE] = price
    sign = told if told != 0 else whole[TICK_SIGN]
    flow[FLOW_COUNT] += 1
    flow[FLOW_LOTS] += lots
    if sign > 0:
        flow[FLOW_BUYS] += lots
    elif sign < 0:
        flow[FLOW_SELLS] += lots
    else:
        flow[FLOW_UNSIGNED] += 1
    if not settings.has_advanced:
        return
    _turn_day(trades.times[trade], past)
    if math.isnan(real[BUCKET_LOTS]):
        real[BUCKET_LOTS] = _volume_of_a_bucket(settings, past)
    if real[BUCKET_LOTS] > 0:
        _fill_buckets(price, lots, told, settings, past, room)
    real[DAY_LOTS] += lots


@inner
def _turn_day(time: int, past: Past) -> None:
    """Close the day before when this trade is of a later one; the first day is left out."""
    whole, real = past.whole, past.real
    day = time // DAY_LENGTH
    if day > whole[DAY]:
        if whole[DAYS] >= 0:
            real[DAYS_LOTS] += real[DAY_LOTS]
        # Before the first trade of all there is no day to close.
        if whole[DAYS] >= 0 or real[DAY_LOTS] > 0:
            whole[DAYS] += 1
        whole[DAY] = day
        real[DAY_LOTS] = 0.0


@inner
def _volume_of_a_bucket(settings: Settings, past: Past) -> float:
    """Return V for a bucket that opens now, in lots; NaN where it is not known."""
    if not math.isnan(settings.bucket_lots):
        return settings.bucket_lots
    days = past.whole[DAYS]
    if days < 1:
        return np.nan
    lots: float = np.rint(settings.bucket_share * past.real[DAYS_LOTS] / days)
    return max(1.0, lots)


@inner
def _fill_buckets(
    price: float, lots: float, told: int, settings: Settings, past: Past, room: Room
) -> None:
    """Fill the open bucket, and as many more as the trade overflows into."""
    real = past.real
    side = BUCKET_BUYS if told > 0 else BUCKET_SELLS if told < 0 else BUCKET_UNTOLD
    # After so many buckets of one trade the rings hold nothing else, and stay as they are.
    most = len(past.aggressor) + len(past.changes) + 1
    closed = 0
    while lots >= real[BUCKET_LOTS] - real[FILLED]:
        missing = real[BUCKET_LOTS] - real[FILLED]
        real[side] += missing
        lots -= missing
        _close_bucket(price, past)
        closed += 1
        real[BUCKET_LOTS] = _volume_of_a_bucket(settings, past)
        real[FILLED] = 0.0
        real[BUCKET_BUYS] = 0.0
        real[BUCKET_SELLS] = 0.0
        real[BUCKET_UNTOLD] = 0.0
        if closed == most and lots >= real[BUCKET_LOTS]:
            rest = lots % real[BUCKET_LOTS]
            real[BUCKETS] += np.rint((lots - rest) / real[BUCKET_LOTS])
            lots = rest
    real[side] += lots
    real[FILLED] += lots
    if closed > 0:
        _mean_imbalances(past, room)


@inner
def _close_bucket(price: float, past: Past) -> None:
    """Put the imbalances of the full bucket into the rings."""
    whole, real = past.whole, past.real
    imbalance = abs(real[BUCKET_BUYS] - real[BUCKET_SELLS]) / real[BUCKET_LOTS]
    bulk = np.nan
    if not math.isnan(real[BUCKET_CLOSE]):
        change = _ticks_apart(price, real[BUCKET_CLOSE])
        _push(past.changes, change)
        whole[CHANGES] = min(whole[CHANGES] + 1, len(past.changes))
        if whole[CHANGES] == len(past.changes):
            sigma = _deviation(past.changes)
            # 2 Φ(z) − 1 is erf(z / √2).
            bulk = math.erf(abs(change) / sigma / math.sqrt(2.0)) if sigma > 0 else np.nan
    _push(past.aggressor, imbalance if real[BUCKET_UNTOLD] == 0 else np.nan)
    _push(past.bulk, bulk)
    whole[FULL] = min(whole[FULL] + 1, len(past.aggressor))
    real[BUCKET_CLOSE] = price
    real[BUCKETS] += 1


@inner
def _push(ring: Doubles, value: float) -> None:
    """Drop the oldest value and put the newest last."""
    for place in range(len(ring) - 1):
        ring[place] = ring[place + 1]
    ring[len(ring) - 1] = value


@inner
def _deviation(values: Doubles) -> float:
    """Return the sample standard deviation; 0 exactly of equal values."""
    mean, squares = 0.0, 0.0
    for place in range(len(values)):
        distance = values[place] - mean
        mean += distance / (place + 1)
        squares += distance * (values[place] - mean)
    return math.sqrt(squares / (len(values) - 1))


@inner
def _mean_imbalances(past: Past, room: Room) -> None:
    """Write both VPINs, from the oldest bucket to the newest; NaN while there are too few."""
    count = len(past.aggressor)
    aggressor, bulk = 0.0, 0.0
    for place in range(count):
        aggressor += past.aggressor[place]
        bulk += past.bulk[place]
    is_full = past.whole[FULL] == count
    room.flow[VPIN_AGGRESSOR] = aggressor / count if is_full else np.nan
    room.flow[VPIN_BULK] = bulk / count if is_full else np.nan


@inner
def _volume_clock_features(past: Past, layout: Layout, room: Room, out: Doubles) -> None:
    """Write VPIN and the state of the open bucket."""
    real = past.real
    out[layout.buckets] = room.flow[VPIN_AGGRESSOR]
    out[layout.buckets + 1] = room.flow[VPIN_BULK]
    if real[BUCKET_LOTS] > 0 and real[BUCKETS] < MOST_BUCKETS:
        out[layout.buckets + 2] = real[BUCKETS]
        out[layout.buckets + 3] = real[FILLED] / real[BUCKET_LOTS]


# This row and the one before.


@inner
def _load_book(rows: Rows, row: int, room: Room) -> None:
    """Write prices and lots of the levels of a row; NaN where a side has none."""
    levels = room.levels
    for side in range(2):
        packed = rows.bids if side == BID else rows.asks
        first = packed.offsets[row]
        count = packed.offsets[row + 1] - first
        for level in range(levels.shape[2]):
            if level < count:
                levels[side, PRICE, level] = packed.prices[first + level]
                levels[side, LOTS, level] = np.rint(packed.sizes[first + level] * SIZE_UNITS)
            else:
                levels[side, PRICE, level] = np.nan
                levels[side, LOTS, level] = np.nan
        levels[side, PRICE, 0] = rows.columns[side, row]
        levels[side, LOTS, 0] = np.rint(rows.columns[2 + side, row] * SIZE_UNITS)


@inner
def _static_samples(rows: Rows, row: int, sample: Doubles) -> None:
    """Write what the windows need of this row alone."""
    columns = rows.columns
    sample[BEST_LOTS] = np.rint(columns[2, row] * SIZE_UNITS) + np.rint(
        columns[3, row] * SIZE_UNITS
    )
    sample[SPREAD] = columns[4, row]
    sample[IMBALANCE] = columns[5, row]
    sample[BID_SLOPE] = columns[6, row]
    sample[ASK_SLOPE] = columns[7, row]
    sample[CENTER] = columns[8, row]
    sample[NEAR] = columns[9, row] + columns[10, row]


@inlined
def _part(price: float, lots: float, old_price: float, old_lots: float, up: float) -> float:
    """Return one side's part of the order flow; NaN where a level lacks.

    ``up`` is 1.0 for bids, whose higher prices are better, and -1.0 for asks.
    """
    if math.isnan(price) or math.isnan(old_price):
        return np.nan
    if price == old_price:
        return lots - old_lots
    return lots if up * price > up * old_price else -old_lots


@inner
def _dynamic_features(
    rows: Rows,
    row: int,
    is_linked: bool,
    past: Past,
    settings: Settings,
    layout: Layout,
    room: Room,
    sample: Doubles,
    out: Doubles,
) -> None:
    """Write what compares this row with the one before, where they follow on each other."""
    real = past.real
    velocity = seconds = np.nan
    if is_linked:
        column = layout.dynamic + 2
        bid, ask = rows.columns[0, row], rows.columns[1, row]
        old_bid, old_ask = past.levels[BID, PRICE, 0], past.levels[ASK, PRICE, 0]
        scale = _ticks_per_unit(min(ask, old_ask), max(ask, old_ask))
        twice_mid = np.rint(old_bid * scale) + np.rint(old_ask * scale)
        change = np.rint(bid * scale) + np.rint(ask * scale) - twice_mid
        log_return = math.log1p(change / twice_mid)
        sample[RETURN] = log_return
        sample[SQUARE] = log_return * log_return
        sample[MID_CHANGE] = change / (2 * scale)
        out[column] = log_return
        seconds = (rows.times[row] - past.whole[PREVIOUS_AT]) / SECOND
        if seconds > 0:
            velocity = sample[MID_CHANGE] / seconds
            out[column + 1] = velocity
            out[column + 2] = (velocity - real[VELOCITY]) / ((seconds + real[VELOCITY_SECONDS]) / 2)
        _order_flow(column + 3, past, settings, room, sample, out)
        # Before the feed has told any trade, nobody knows that there was none.
        if past.whole[FIRST_ARRIVAL] < past.whole[LATEST_ARRIVAL]:
            _trade_flow(layout.normalised + 1, room, sample, out)
    real[VELOCITY] = velocity
    real[VELOCITY_SECONDS] = seconds


@inner
def _order_flow(
    column: int,
    past: Past,
    settings: Settings,
    room: Room,
    sample: Doubles,
    out: Doubles,
) -> None:
    """Write the order flow imbalance of each level, and of all."""
    new, old = room.levels, past.levels
    weighted = 0.0
    for level in range(len(settings.weights)):
        bid = _part(
            new[BID, PRICE, level],
            new[BID, LOTS, level],
            old[BID, PRICE, level],
            old[BID, LOTS, level],
            1.0,
        )
        ask = _part(
            new[ASK, PRICE, level],
            new[ASK, LOTS, level],
            old[ASK, PRICE, level],
            old[ASK, LOTS, level],
            -1.0,
        )
        out[column + 1 + level] = (bid - ask) / SIZE_UNITS
        if level == 0:
            sample[FLOW] = bid - ask
            out[column] = sample[FLOW] / SIZE_UNITS
        known = (0.0 if math.isnan(bid) else bid) - (0.0 if math.isnan(ask) else ask)
        weighted += settings.weights[level] * known
    sample[LEVELS_FLOW] = weighted
    out[column + 1 + len(settings.weights)] = weighted / SIZE_UNITS


@inner
def _trade_flow(column: int, room: Room, sample: Doubles, out: Doubles) -> None:
    """Write the trades of the interval that ends at this row."""
    flow = room.flow
    sample[VOLUME] = flow[FLOW_LOTS]
    out[column + 3] = flow[FLOW_COUNT]
    if flow[FLOW_UNSIGNED] == 0:
        buys, sells = flow[FLOW_BUYS], flow[FLOW_SELLS]
        sample[BUYS] = buys
        sample[SELLS] = sells
        sample[SIGNED] = buys - sells
        out[column] = _ratio(buys - sells, buys + sells)
        out[column + 1] = buys / SIZE_UNITS
        out[column + 2] = sells / SIZE_UNITS


# The timeline.


@inner
def _place_of(timeline: Timeline, past: Past, settings: Settings, time: int) -> int:
    """Make room for a row of this time, and return its place; -1 where no window will need it.

    Rows that no window can need any more are dropped from the head.
    """
    whole, times = past.whole, timeline.times
    if len(settings.windows) == 0:
        return -1
    oldest = whole[LATEST_AT] - settings.windows[len(settings.windows) - 1] - settings.back
    while whole[HEAD] < whole[END] and times[whole[HEAD]] <= oldest:
        whole[HEAD] += 1
    if time <= oldest:
        return -1
    place = whole[END]
    while place > whole[HEAD] and times[place - 1] > time:
        place -= 1
    for row in range(whole[END], place, -1):
        times[row] = times[row - 1]
        _copy(timeline.samples[row], timeline.samples[row - 1])
        _copy(timeline.parts[row], timeline.parts[row - 1])
        timeline.is_linked[row] = timeline.is_linked[row - 1]
        timeline.regimes[row] = timeline.regimes[row - 1]
        timeline.ranks[row] = timeline.ranks[row - 1]
    whole[END] += 1
    return int(place)


@inner
def _link(timeline: Timeline, past: Past, settings: Settings, row: int) -> None:
    """Write what lies between a row and its neighbour before."""
    sample = timeline.samples[row]
    sample[BIPOWER] = np.nan
    sample[TIGHT_TIME : KNOWN_TIME + 1] = 0.0
    if row == past.whole[HEAD]:
        return
    sample[BIPOWER] = abs(sample[RETURN]) * abs(timeline.samples[row - 1, RETURN])
    length = timeline.times[row] - timeline.times[row - 1]
    regime = timeline.regimes[row - 1]
    if timeline.is_linked[row] and length <= settings.max_age and regime != NO_REGIME:
        sample[KNOWN_TIME] = length
        if regime == TIGHT_REGIME:
            sample[TIGHT_TIME] = length
        elif regime == WIDE_REGIME:
            sample[WIDE_TIME] = length


@inner
def _rolling_features(
    place: int,
    past: Past,
    timeline: Timeline,
    settings: Settings,
    layout: Layout,
    room: Room,
    out: Doubles,
) -> None:
    """Move every window to the row just put in, and write what is in them."""
    whole = past.whole
    time = timeline.times[place]
    is_back = place <= whole[LAST]
    is_in_order = time >= whole[LATEST_AT] - settings.back
    timeline.regimes[place] = NO_REGIME
    _link(timeline, past, settings, place)
    # Every window is moved, ranks first: the regime is part of the link of the row after.
    long = settings.long
    if is_back:
        room.ranked[:] = 0
    else:
        for left in range(whole[LAST] + 1, place + 1):
            _count_rank(room.ranked, timeline.ranks[left], 1)
    start = room.starts[long]
    for window in range(len(settings.windows)):
        oldest = time - settings.windows[window]
        _move_window(timeline, past, window, place, oldest, is_back, settings, room)
        _total(timeline, window, place, settings, room)
    if is_back:
        start = room.starts[long]
        for left in range(start, place + 1):
            _count_rank(room.ranked, timeline.ranks[left], 1)
    for left in range(start, room.starts[long]):
        _count_rank(room.ranked, timeline.ranks[left], -1)
    whole[LAST] = place
    if is_in_order:
        if settings.has_rolling:
            _window_features(settings, layout, room, out)
            _shape_features(settings, layout, room, out)
        if settings.has_advanced:
            _spread_features(place, timeline, settings, layout, room, out)
            _kyle_features(settings, layout, room, out)
    if place + 1 < whole[END]:
        _link(timeline, past, settings, place + 1)


# Sums of windows.


@inner
def _move_window(
    timeline: Timeline,
    past: Past,
    window: int,
    place: int,
    oldest: int,
    is_back: bool,
    settings: Settings,
    room: Room,
) -> None:
    """Let the window end at ``place`` and begin after ``oldest``."""
    times = timeline.times
    if is_back:
        start = place
        while start > past.whole[HEAD] and times[start - 1] > oldest:
            start -= 1
    else:
        for row in range(past.whole[LAST] + 1, place + 1):
            _add_to_back(timeline, window, row, settings, room)
        start = room.starts[window]
        while times[start] <= oldest:
            start += 1
    room.starts[window] = start
    if is_back or start > room.splits[window]:
        room.splits[window] = place + 1
        _fill_front(timeline, window, place, settings, room)
        _copy(room.backs[window], room.nothing)


@inner
def _fill_front(timeline: Timeline, window: int, last: int, settings: Settings, room: Room) -> None:
    """Add up the rows from the window's start to ``last``, from the last to the first."""
    start = room.starts[window]
    room.bases[window] = start
    fronts = room.fronts[window]
    for row in range(last, start - 1, -1):
        total = fronts[row - start]
        if row == last:
            _copy_totals(total, room.nothing, window, settings)
        else:
            _copy_totals(total, fronts[row - start + 1], window, settings)
            _add_link(total, timeline.samples[row + 1], window, settings)
        _add_row(total, timeline.samples[row], timeline.parts[row], window, settings)


@inlined
def _add_to_back(timeline: Timeline, window: int, row: int, settings: Settings, room: Room) -> None:
    """Add a row to the end of the window's back."""
    total, sample = room.backs[window], timeline.samples[row]
    if row > room.splits[window]:
        _add_link(total, sample, window, settings)
    _add_row(total, sample, timeline.parts[row], window, settings)


@inlined
def _total(timeline: Timeline, window: int, place: int, settings: Settings, room: Room) -> None:
    """Put front and back together, and what lies before the window's first row but inside it."""
    start, split = room.starts[window], room.splits[window]
    total = room.totals[window]
    if start == split:
        _copy_totals(total, room.backs[window], window, settings)
    else:
        front = room.fronts[window, start - room.bases[window]]
        _copy_totals(total, front, window, settings)
        if split <= place:
            _add_totals(total, room.backs[window], window, settings)
            _add_link(total, timeline.samples[split], window, settings)


@inner
def _fill_parts(sample: Doubles, part: Doubles) -> None:
    """Write what a row adds to every window."""
    for place, column in enumerate(ADDED):
        value = sample[column]
        part[place] = 0.0 if math.isnan(value) else value
    for place, column in enumerate(COUNTED):
        part[COUNT_RETURN + place] = 0.0 if math.isnan(sample[column]) else 1.0


@inlined
def _copy_totals(total: Doubles, values: Doubles, window: int, settings: Settings) -> None:
    """Write the sums that this window has over others."""
    for place in range(COMMON):
        total[place] = values[place]
    if window == settings.shape:
        for place in range(COMMON, SUM_TIGHT):
            total[place] = values[place]
    if window == settings.long:
        for place in range(SUM_TIGHT, TOTALS):
            total[place] = values[place]


@inlined
def _add_link(total: Doubles, sample: Doubles, window: int, settings: Settings) -> None:
    """Add what lies between a row and its neighbour before."""
    if not math.isnan(sample[BIPOWER]):
        total[SUM_BIPOWER] += sample[BIPOWER]
        total[COUNT_BIPOWER] += 1.0
    if window == settings.long:
        total[SUM_TIGHT] += sample[TIGHT_TIME]
        total[SUM_WIDE] += sample[WIDE_TIME]
        total[SUM_KNOWN] += sample[KNOWN_TIME]


@inlined
def _add_row(
    total: Doubles, sample: Doubles, part: Doubles, window: int, settings: Settings
) -> None:
    """Add one row, without what lies before it."""
    for place in range(PARTS):
        total[place] += part[place]
    value = sample[RETURN]
    if not math.isnan(value):
        distance = value - total[RETURN_MEAN]
        total[RETURN_MEAN] += distance / total[COUNT_RETURN]
        total[RETURN_SQUARES] += distance * (value - total[RETURN_MEAN])
    if window == settings.shape:
        total[SUM_BEST] += sample[BEST_LOTS]
        total[COUNT_ROWS] += 1.0
        for shape in range(SHAPES):
            _add_value(total, FIRST_SHAPE + 3 * shape, sample[BID_SLOPE + shape])
    if window == settings.long:
        _add_value(total, NEAR_MOMENT, sample[NEAR])
        _add_pair(total, FIRST_PAIR, sample[FLOW], sample[RETURN])
        _add_pair(total, FIRST_PAIR + 6, sample[SIGNED], sample[MID_CHANGE])


@inlined
def _add_value(total: Doubles, place: int, value: float) -> None:
    """Add one value, unless it is null, to (n, mean, M2)."""
    if not math.isnan(value):
        total[place] += 1.0
        distance = value - total[place + 1]
        total[place + 1] += distance / total[place]
        total[place + 2] += distance * (value - total[place + 1])


@inlined
def _add_pair(total: Doubles, place: int, x: float, y: float) -> None:
    """Add one point, unless it is null, to (n, mean x, mean y, Mxx, Mxy, Myy)."""
    if math.isnan(x) or math.isnan(y):
        return
    total[place] += 1.0
    from_x, from_y = x - total[place + 1], y - total[place + 2]
    total[place + 1] += from_x / total[place]
    total[place + 2] += from_y / total[place]
    total[place + 3] += from_x * (x - total[place + 1])
    total[place + 4] += from_x * (y - total[place + 2])
    total[place + 5] += from_y * (y - total[place + 2])


@inlined
def _add_totals(total: Doubles, more: Doubles, window: int, settings: Settings) -> None:
    """Add sums to sums, without what lies between them."""
    if more[COUNT_RETURN] > 0:
        count = total[COUNT_RETURN] + more[COUNT_RETURN]
        share = more[COUNT_RETURN] / count
        distance = more[RETURN_MEAN] - total[RETURN_MEAN]
        total[RETURN_MEAN] += distance * share
        squares = distance * distance * total[COUNT_RETURN] * share
        total[RETURN_SQUARES] += more[RETURN_SQUARES] + squares
    for place in range(RETURN_MEAN):
        total[place] += more[place]
    if window == settings.shape:
        total[SUM_BEST] += more[SUM_BEST]
        total[COUNT_ROWS] += more[COUNT_ROWS]
        for shape in range(SHAPES):
            _add_moment(total, more, FIRST_SHAPE + 3 * shape)
    if window == settings.long:
        total[SUM_TIGHT] += more[SUM_TIGHT]
        total[SUM_WIDE] += more[SUM_WIDE]
        total[SUM_KNOWN] += more[SUM_KNOWN]
        _add_moment(total, more, NEAR_MOMENT)
        _add_pairs(total, more, FIRST_PAIR)
        _add_pairs(total, more, FIRST_PAIR + 6)


@inlined
def _add_moment(total: Doubles, more: Doubles, place: int) -> None:
    """Add (n, mean, M2) to (n, mean, M2)."""
    if more[place] > 0:
        count = total[place] + more[place]
        share = more[place] / count
        distance = more[place + 1] - total[place + 1]
        total[place + 1] += distance * share
        total[place + 2] += more[place + 2] + distance * distance * total[place] * share
        total[place] = count


@inlined
def _add_pairs(total: Doubles, more: Doubles, place: int) -> None:
    """Add the sums of points to the sums of points."""
    if more[place] > 0:
        count = total[place] + more[place]
        share = more[place] / count
        apart = total[place] * share
        from_x = more[place + 1] - total[place + 1]
        from_y = more[place + 2] - total[place + 2]
        total[place + 1] += from_x * share
        total[place + 2] += from_y * share
        total[place + 3] += more[place + 3] + from_x * from_x * apart
        total[place + 4] += more[place + 4] + from_x * from_y * apart
        total[place + 5] += more[place + 5] + from_y * from_y * apart
        total[place] = count


# What is in a window.


@inlined
def _ratio(numerator: float, denominator: float) -> float:
    """Divide; NaN where the denominator is 0."""
    return numerator / denominator if denominator != 0 else np.nan


@inlined
def _if_any(value: float, count: float) -> float:
    """Return a sum or a mean; NaN where nothing was added."""
    return value if count > 0 else np.nan


@inlined
def _deviation_of(count: float, squares: float) -> float:
    """Return the sample standard deviation; NaN under 2 values."""
    return math.sqrt(squares / (count - 1)) if count > 1 else np.nan


@inner
def _window_features(settings: Settings, layout: Layout, room: Room, out: Doubles) -> None:
    """Write the features that every window has, and the normalised order flow."""
    column = layout.windows
    for shown in range(len(settings.shown)):
        total = room.totals[settings.shown[shown]]
        buys, sells = total[SUM_BUYS], total[SUM_SELLS]
        returns = total[COUNT_RETURN]
        bipower = _if_any(total[SUM_BIPOWER], total[COUNT_BIPOWER])
        out[column] = _if_any(total[SUM_FLOW], returns) / SIZE_UNITS
        out[column + 1] = _if_any(total[SUM_LEVELS_FLOW], returns) / SIZE_UNITS
        out[column + 2] = _if_any(total[RETURN_MEAN], returns)
        out[column + 3] = _deviation_of(returns, total[RETURN_SQUARES])
        out[column + 4] = _if_any(total[SUM_SQUARE], returns)
        out[column + 5] = math.pi / 2 * bipower
        out[column + 6] = _ratio(total[SUM_SPREAD], total[COUNT_SPREAD])
        out[column + 7] = _ratio(total[SUM_IMBALANCE], total[COUNT_IMBALANCE])
        out[column + 8] = _ratio(buys - sells, buys + sells)
        out[column + 9] = _if_any(total[SUM_VOLUME], total[COUNT_VOLUME]) / SIZE_UNITS
        column += 10
    shape = room.totals[settings.shape]
    depth = _ratio(shape[SUM_BEST], shape[COUNT_ROWS]) / 2 / SIZE_UNITS
    out[layout.normalised] = _ratio(out[layout.dynamic + 5], depth)


@inner
def _shape_features(settings: Settings, layout: Layout, room: Room, out: Doubles) -> None:
    """Write mean and deviation of slopes and centre, and the deviation of near depth."""
    total = room.totals[settings.shape]
    for shape in range(SHAPES):
        place = FIRST_SHAPE + 3 * shape
        out[layout.shapes + 2 * shape] = _if_any(total[place + 1], total[place])
        out[layout.shapes + 2 * shape + 1] = _deviation_of(total[place], total[place + 2])
    near = room.totals[settings.long]
    out[layout.spreads] = _deviation_of(near[NEAR_MOMENT], near[NEAR_MOMENT + 2])


@inner
def _spread_features(
    place: int,
    timeline: Timeline,
    settings: Settings,
    layout: Layout,
    room: Room,
    out: Doubles,
) -> None:
    """Write where this spread stands in the long window, and how long it was tight or wide."""
    total = room.totals[settings.long]
    rank = timeline.ranks[place]
    if rank > 0:
        below = _ranks_up_to(room.ranked, rank - 1)
        equal = _ranks_up_to(room.ranked, rank) - below
        share = (below + equal / 2) / total[COUNT_SPREAD]
        regime = NORMAL
        if share <= settings.tight:
            regime = TIGHT_REGIME
        elif share >= settings.wide:
            regime = WIDE_REGIME
        timeline.regimes[place] = regime
        out[layout.spreads + 1] = share
        out[layout.spreads + 2] = regime
    # Of the time before the window's first row, only what lies in the window.
    first = room.starts[settings.long]
    sample = timeline.samples[first]
    begin = timeline.times[place] - settings.windows[settings.long]
    inside = float(timeline.times[first] - begin)
    known = total[SUM_KNOWN] + min(sample[KNOWN_TIME], inside)
    tight = total[SUM_TIGHT] + min(sample[TIGHT_TIME], inside)
    wide = total[SUM_WIDE] + min(sample[WIDE_TIME], inside)
    out[layout.spreads + 3] = _ratio(tight, known)
    out[layout.spreads + 4] = _ratio(wide, known)


@inner
def _kyle_features(settings: Settings, layout: Layout, room: Room, out: Doubles) -> None:
    """Write slope and R² of both regressions."""
    total = room.totals[settings.long]
    for pair in range(PAIRS):
        place = FIRST_PAIR + 6 * pair
        if total[place] >= settings.kyle_rows:
            xx, xy, yy = total[place + 3], total[place + 4], total[place + 5]
            column = layout.kyles + 2 * pair
            out[column] = _ratio(xy, xx) * SIZE_UNITS
            # Two ratios: the product of squares can leave the range of a double.
            fit = _ratio(xy, xx) * _ratio(xy, yy)
            out[column + 1] = 1.0 if fit > 1 else fit


@inner
def _count_rank(ranked: NDArray[np.int32], rank: int, count: int) -> None:
    """Add to the number of spreads of a rank; rank 0 is none."""
    if rank == 0:
        return
    place = rank
    while place < len(ranked):
        ranked[place] += count
        place += place & -place


@inner
def _ranks_up_to(ranked: NDArray[np.int32], rank: int) -> int:
    """Return how many spreads have this rank or a lower one."""
    found = 0
    place = rank
    while place > 0:
        found += ranked[place]
        place -= place & -place
    return found
