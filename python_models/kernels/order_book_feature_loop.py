"""The compiled loop behind the structural order-book features: one row of values a snapshot.

**Numbers.** Sizes are counted in units of 1e-8 and prices in ticks of 1e-8 (coarser where a double
could not hold that many digits, finer where a price has few, see ``_ticks_per_unit``). Both are
whole numbers kept in doubles: their sums and differences are exact up to 2^53, correctly rounded
beyond, and never overflow. So equal decimals give equal features, and a level that is exactly 5 bps
away is in the band that ends at 5 bps. What is not a sum of whole numbers (notionals, fits,
logarithms) is added up in doubles from the best level to the worst, in one order always.

**Places.** ``Layout`` says in which column each family of features begins; within a family the
order is the table's (``order_book_feature_table``).

All compiled code is in this one file; see ``compilation`` for why.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from python_models.kernels.compilation import compiled, inlined, inner

Doubles = NDArray[np.float64]
Int64s = NDArray[np.int64]

BID, ASK = 0, 1
SIZE_UNITS = 1e8  # a unit of size is 1e-8 of the base currency
USUAL_TICKS = 1e8
FINEST_TICKS = 1e22  # the last power of ten that a double holds exactly
FEWEST_TICKS = 1e6
# Below 2^51, a decimal of 8 places times 1e8 in doubles rounds to the whole number that is meant:
# the error of the two roundings stays under a half. Twice the mid then stays under 2^52.
MOST_TICKS = float(1 << 51)
BPS = 10_000

# Rows of Workspace.levels.
TICKS, UNITS, DISTANCES, UNITS_SO_FAR, NOTIONAL_SO_FAR = 0, 1, 2, 3, 4
LEVEL_ROWS = 5
# Rows of Settings.weights.
HARMONIC, SMART = 0, 1
# Elements of Workspace.totals, a side.
COUNT, NOTIONAL, PRESSURE, SMART_UNITS, BEST_5_UNITS = 0, 1, 2, 3, 4
TOTALS = 5


class Side(NamedTuple):
    """The levels of one side of the books, packed like an Arrow list column."""

    offsets: NDArray[np.int32]  # (rows + 1,)
    prices: Doubles  # quote currency, best first
    sizes: Doubles  # base currency
    level_counts: Doubles  # (rows,): levels of the full book; NaN where not known


class Settings(NamedTuple):
    """``FeatureParameters`` as arrays."""

    depths: Int64s
    bands_bps: Int64s
    notionals: Doubles  # quote currency × SIZE_UNITS
    weights: Doubles  # (2, levels): of a level in the book pressure and in the smart depth
    vwap_depth: int
    slope_levels: int


class Layout(NamedTuple):
    """The first column of each family of features."""

    best: int
    micro: int
    depths: int
    bands: int
    notionals: int
    book_pressure: int
    vwaps: int
    slippages: int
    smart_depths: int
    slopes: int
    decay_rates: int
    depth_decays: int
    concentrations: int
    ginis: int
    half_depth_levels: int
    centers: int
    walls: int
    wall_shares: int
    proxies: int
    gaps: int
    level_counts: int


class Workspace(NamedTuple):
    """Room for one book; the first axis is the side (bid, ask) where there are two."""

    levels: Doubles  # (2, LEVEL_ROWS, levels)
    depth_units: Doubles  # (2, depths + 1): sums of the best k levels, and of all
    band_units: Doubles  # (2, bands)
    totals: Doubles  # (2, TOTALS)
    band_limits: Doubles  # (bands,): upper bounds in half ticks from mid


def workspace(settings: Settings, levels: int) -> Workspace:
    """Return room for books of at most ``levels`` levels a side."""
    return Workspace(
        levels=np.empty((2, LEVEL_ROWS, levels)),
        depth_units=np.empty((2, len(settings.depths) + 1)),
        band_units=np.empty((2, len(settings.bands_bps))),
        totals=np.empty((2, TOTALS)),
        band_limits=np.empty(len(settings.bands_bps)),
    )


@compiled
def fill_features(
    bids: Side,
    asks: Side,
    is_valid: NDArray[np.bool_],
    settings: Settings,
    layout: Layout,
    room: Workspace,
    values: Doubles,
) -> None:
    """Write the features of every row; NaN where one is not defined.

    Args:
        bids, asks: The books.
        is_valid: (rows,), changed in place: a book that has an empty side, is crossed or locked, or
            is not made of positive prices and non-negative sizes, best first, becomes false.
        settings, layout: What is computed, and where it goes.
        room: Overwritten.
        values: (features, rows or more), NaN on entry.
    """
    for row in range(len(is_valid)):
        if not is_valid[row]:
            continue
        is_valid[row] = _load_book(bids, asks, row, room)
        if not is_valid[row]:
            continue
        best_ticks = room.levels[:, TICKS, 0]
        scale = _ticks_per_unit(asks.prices[asks.offsets[row]])
        twice_mid = best_ticks[BID] + best_ticks[ASK]
        mid = twice_mid / (2 * scale)
        _best_features(bids, asks, row, twice_mid, mid, scale, layout, room, values)
        _band_limits(settings.bands_bps, twice_mid, room)
        for side in range(2):
            book = bids if side == BID else asks
            _sums_of_a_side(book, side, row, settings, layout, room, values)
            _bands_of_a_side(side, room)
            _fills_of_a_side(book, side, row, mid, settings, layout, room, values)
            _fits_of_a_side(side, row, twice_mid, settings, layout, room, values)
            _shape_of_a_side(side, row, layout, room, values)
            values[layout.gaps + side, row] = _mean_gap(room, side, twice_mid)
            values[layout.level_counts + side, row] = book.level_counts[row]
        _features_of_both_sides(row, mid, settings, layout, room, values)
        _band_features(row, layout, room, values)


@compiled
def finish_column(values: Doubles, bits: NDArray[np.uint8]) -> int:
    """Turn what is not a finite number into null: 0.0 in ``values``, a 0 in ``bits``.

    Args:
        values: (rows,), changed in place; -0.0 becomes 0.0.
        bits: (ceil(rows / 8),), overwritten: an Arrow validity bitmap.

    Returns:
        How many values are null.
    """
    nulls = 0
    for byte in range(len(bits)):
        found = 0
        first = 8 * byte
        for bit in range(min(8, len(values) - first)):
            value = values[first + bit]
            if math.isfinite(value):
                values[first + bit] = value + 0.0
                found |= 1 << bit
            else:
                values[first + bit] = 0.0
                nulls += 1
        bits[byte] = found
    return nulls


@inlined
def _ratio(numerator: float, denominator: float) -> float:
    """Divide; NaN where the denominator is 0."""
    return numerator / denominator if denominator != 0 else np.nan


@inlined
def _imbalance(bid: float, ask: float) -> float:
    """Return (bid − ask) / (bid + ask); NaN where both are 0 or one is not known."""
    return _ratio(bid - ask, bid + ask)


@inlined
def _ticks_per_unit(best_ask: float) -> float:
    """Return how many ticks one unit of quote currency has: 1e8, unless prices are small or large.

    The best ask has a million ticks at least: below 0.01, each power of ten brings a decimal. And
    it stays at or under 2^51 ticks: at 1e-8 that is 22.5 million, and each power of ten beyond
    costs a decimal. A double has no more than 15 decimal digits to give anyway.
    (``order_flow_feature_loop`` has the same rule, for two prices.)
    """
    scale = USUAL_TICKS
    while best_ask * scale < FEWEST_TICKS and scale < FINEST_TICKS:
        scale *= 10
    while best_ask * scale > MOST_TICKS and scale > 1:
        scale /= 10
    return scale


@inner
def _load_book(bids: Side, asks: Side, row: int, room: Workspace) -> bool:
    """Write ticks, units and distances of a book; answer whether it is a book."""
    first_bid, first_ask = bids.offsets[row], asks.offsets[row]
    if first_bid == bids.offsets[row + 1] or first_ask == asks.offsets[row + 1]:
        return False
    best_bid, best_ask = bids.prices[first_bid], asks.prices[first_ask]
    if not 0 < best_bid < best_ask <= MOST_TICKS:
        return False
    scale = _ticks_per_unit(best_ask)
    twice_mid = np.rint(best_bid * scale) + np.rint(best_ask * scale)
    return _load_side(bids, BID, row, scale, twice_mid, room) and _load_side(
        asks, ASK, row, scale, twice_mid, room
    )


@inner
def _load_side(
    book: Side, side: int, row: int, scale: float, twice_mid: float, room: Workspace
) -> bool:
    """Write ticks, units and distances of a side; answer whether prices and sizes can be."""
    first = book.offsets[row]
    count = book.offsets[row + 1] - first
    sign = 1.0 if side == ASK else -1.0
    levels = room.levels[side]
    is_sound = True
    before = -np.inf
    for level in range(count):
        price, size = book.prices[first + level], book.sizes[first + level]
        is_sound &= (sign * price > before) & (0 < price < np.inf) & (0 <= size < np.inf)
        before = sign * price
        ticks = np.rint(price * scale)
        levels[TICKS, level] = ticks
        levels[UNITS, level] = np.rint(size * SIZE_UNITS)
        levels[DISTANCES, level] = sign * (2 * ticks - twice_mid)
    room.totals[side, COUNT] = count
    return is_sound


@inner
def _best_features(
    bids: Side,
    asks: Side,
    row: int,
    twice_mid: float,
    mid: float,
    scale: float,
    layout: Layout,
    room: Workspace,
    values: Doubles,
) -> None:
    """Write prices and sizes of the best levels, and what lies between them."""
    bid, ask = bids.offsets[row], asks.offsets[row]
    bid_price, ask_price = bids.prices[bid], asks.prices[ask]
    spread_ticks = room.levels[ASK, TICKS, 0] - room.levels[BID, TICKS, 0]
    bid_units, ask_units = room.levels[BID, UNITS, 0], room.levels[ASK, UNITS, 0]
    both = bid_units + ask_units
    values[layout.best, row] = bid_price
    values[layout.best + 1, row] = ask_price
    values[layout.best + 2, row] = bids.sizes[bid]
    values[layout.best + 3, row] = asks.sizes[ask]
    values[layout.best + 4, row] = mid
    values[layout.best + 5, row] = spread_ticks / scale
    values[layout.best + 6, row] = 2 * spread_ticks / twice_mid
    values[layout.best + 7, row] = 2 * BPS * spread_ticks / twice_mid
    values[layout.micro, row] = _ratio(bid_price * ask_units + ask_price * bid_units, both)
    # The same as microprice − mid, without the digits that the subtraction would lose.
    values[layout.micro + 1, row] = _ratio(spread_ticks * (bid_units - ask_units), 2 * both * scale)


@inner
def _band_limits(bands_bps: Int64s, twice_mid: float, room: Workspace) -> None:
    """Write how far from mid each band reaches, in half ticks.

    |p − mid| / mid ≤ bps / 10⁴ is |2 p − 2 mid| ≤ bps × 2 mid / 10⁴, and the left side is a whole
    number: it may be compared with the right side rounded down.
    """
    whole, rest = int(twice_mid) // BPS, int(twice_mid) % BPS
    for band in range(len(bands_bps)):
        bps = bands_bps[band]
        room.band_limits[band] = bps * whole + bps * rest // BPS


@inner
def _sums_of_a_side(
    book: Side,
    side: int,
    row: int,
    settings: Settings,
    layout: Layout,
    room: Workspace,
    values: Doubles,
) -> None:
    """Write depths, notionals and mean prices of a side, and the sums for what comes later."""
    first = book.offsets[row]
    count = int(room.totals[side, COUNT])
    levels, weights = room.levels[side], settings.weights
    units = notional = pressure = smart = 0.0
    best_5 = np.nan
    place = 0
    depths = settings.depths
    for depth in range(len(depths)):
        room.depth_units[side, depth] = np.nan
    for level in range(count):
        size = levels[UNITS, level]
        units += size
        notional += book.prices[first + level] * size
        pressure += weights[HARMONIC, level] * size
        smart += weights[SMART, level] * size
        levels[UNITS_SO_FAR, level] = units
        levels[NOTIONAL_SO_FAR, level] = notional
        if place < len(depths) and depths[place] == level + 1:
            room.depth_units[side, place] = units
            values[layout.depths + 3 * place + side, row] = units / SIZE_UNITS
            values[layout.notionals + 2 * place + side, row] = notional / SIZE_UNITS
            place += 1
        if level + 1 == settings.vwap_depth:
            values[layout.vwaps + side, row] = _ratio(notional, units)
        if level == 4:
            best_5 = units
    room.depth_units[side, len(depths)] = units
    values[layout.depths + 3 * len(depths) + side, row] = units / SIZE_UNITS
    values[layout.notionals + 2 * len(depths) + side, row] = notional / SIZE_UNITS
    values[layout.vwaps + 2 + side, row] = _ratio(notional, units)
    values[layout.centers + side, row] = _ratio(notional, units)
    room.totals[side, NOTIONAL] = notional
    room.totals[side, PRESSURE] = pressure
    room.totals[side, SMART_UNITS] = smart
    room.totals[side, BEST_5_UNITS] = best_5


@inner
def _bands_of_a_side(side: int, room: Workspace) -> None:
    """Add up the sizes in each band; NaN where the levels kept do not reach into it."""
    levels, limits, units = room.levels[side], room.band_limits, room.band_units[side]
    count = int(room.totals[side, COUNT])
    level = 0
    for band in range(len(limits)):
        total = 0.0 if level < count else np.nan
        while level < count and levels[DISTANCES, level] <= limits[band]:
            total += levels[UNITS, level]
            level += 1
        units[band] = total


@inner
def _fills_of_a_side(
    book: Side,
    side: int,
    row: int,
    mid: float,
    settings: Settings,
    layout: Layout,
    room: Workspace,
    values: Doubles,
) -> None:
    """Write what market orders against this side cost; buys take asks, sells take bids."""
    levels = room.levels[side]
    count = int(room.totals[side, COUNT])
    sign = 1.0 if side == ASK else -1.0
    column = layout.slippages + (0 if side == ASK else 1)
    level = 0
    for order in range(len(settings.notionals)):
        notional = settings.notionals[order]
        while level < count and levels[NOTIONAL_SO_FAR, level] < notional:
            level += 1
        if level == count:
            return
        units, paid = 0.0, 0.0
        if level > 0:
            units, paid = levels[UNITS_SO_FAR, level - 1], levels[NOTIONAL_SO_FAR, level - 1]
        units += (notional - paid) / book.prices[book.offsets[row] + level]
        values[column + 2 * order, row] = sign * BPS * (notional / units - mid) / mid


@inner
def _fits_of_a_side(
    side: int,
    row: int,
    twice_mid: float,
    settings: Settings,
    layout: Layout,
    room: Workspace,
    values: Doubles,
) -> None:
    """Write the slopes of cumulative size and of ln size on the distance from mid."""
    levels = room.levels[side]
    count = int(room.totals[side, COUNT])
    half_ticks_per_bp = twice_mid / BPS
    fitted = settings.slope_levels
    if fitted <= count:
        values[layout.slopes + side, row] = (
            _slope(levels[DISTANCES], levels[UNITS_SO_FAR], fitted) * half_ticks_per_bp / SIZE_UNITS
        )
    # The fit of logarithms needs the levels above 0 side by side; sums so far are done with.
    distances, logarithms = levels[NOTIONAL_SO_FAR], levels[UNITS_SO_FAR]
    found = 0
    for level in range(count):
        if levels[UNITS, level] > 0:
            distances[found] = levels[DISTANCES, level]
            logarithms[found] = math.log(levels[UNITS, level])
            found += 1
    if found >= 3:
        values[layout.decay_rates + side, row] = (
            -_slope(distances, logarithms, found) * half_ticks_per_bp
        )


@inner
def _slope(x: Doubles, y: Doubles, count: int) -> float:
    """Return the least-squares slope of y on x over the first ``count`` points."""
    # Counted from the first point, so that equal y give a slope of 0 and not of rounding errors.
    x_sum = y_sum = 0.0
    for point in range(count):
        x_sum += x[point] - x[0]
        y_sum += y[point] - y[0]
    x_mean, y_mean = x_sum / count, y_sum / count
    products = squares = 0.0
    for point in range(count):
        deviation = x[point] - x[0] - x_mean
        products += deviation * (y[point] - y[0] - y_mean)
        squares += deviation * deviation
    return _ratio(products, squares)


@inner
def _shape_of_a_side(side: int, row: int, layout: Layout, room: Workspace, values: Doubles) -> None:
    """Write how the size of a side is spread over its levels."""
    units = room.levels[side, UNITS]
    count = int(room.totals[side, COUNT])
    total = room.depth_units[side, room.depth_units.shape[1] - 1]
    if count >= 5:
        values[layout.depth_decays + side, row] = _ratio(units[4], units[0])
    if total == 0:
        return
    squares = so_far = differences = 0.0
    half, wall = -1, 0
    for level in range(count):
        size = units[level]
        squares += size * size
        so_far += size
        if half < 0 and 2 * so_far >= total:
            half = level
        if size > units[wall]:
            wall = level
        rank = 0  # levels smaller than this one, less those larger
        for other in range(count):
            rank += int(units[other] < size) - int(units[other] > size)
        differences += size * rank
    values[layout.concentrations + side, row] = squares / (total * total)
    values[layout.ginis + side, row] = differences / (count * total)
    values[layout.half_depth_levels + side, row] = half
    values[layout.walls + side, row] = wall
    values[layout.wall_shares + side, row] = units[wall] / total


@inner
def _mean_gap(room: Workspace, side: int, twice_mid: float) -> float:
    """Return the mean distance between neighbouring levels in bps; NaN of a single level."""
    count = int(room.totals[side, COUNT])
    distances = room.levels[side, DISTANCES]
    return _ratio(BPS * (distances[count - 1] - distances[0]), twice_mid * (count - 1))


@inner
def _features_of_both_sides(
    row: int, mid: float, settings: Settings, layout: Layout, room: Workspace, values: Doubles
) -> None:
    """Write imbalances and what else compares or adds up the two sides."""
    depths = room.depth_units
    everything = len(settings.depths)
    for depth in range(everything + 1):
        values[layout.depths + 3 * depth + 2, row] = _imbalance(
            depths[BID, depth], depths[ASK, depth]
        )
    totals = room.totals
    values[layout.book_pressure, row] = _imbalance(totals[BID, PRESSURE], totals[ASK, PRESSURE])
    values[layout.smart_depths, row] = totals[BID, SMART_UNITS] / SIZE_UNITS
    values[layout.smart_depths + 1, row] = totals[ASK, SMART_UNITS] / SIZE_UNITS
    values[layout.smart_depths + 2, row] = _imbalance(
        totals[BID, SMART_UNITS], totals[ASK, SMART_UNITS]
    )
    units = depths[BID, everything] + depths[ASK, everything]
    center = _ratio(totals[BID, NOTIONAL] + totals[ASK, NOTIONAL], units)
    values[layout.centers + 2, row] = center
    values[layout.centers + 3, row] = BPS * (center - mid) / mid
    spread, relative_spread = values[layout.best + 5, row], values[layout.best + 6, row]
    values[layout.proxies, row] = _ratio(spread, units / SIZE_UNITS)
    best_5 = (totals[BID, BEST_5_UNITS] + totals[ASK, BEST_5_UNITS]) / SIZE_UNITS
    values[layout.proxies + 1, row] = _ratio(relative_spread, math.log1p(best_5))


@inner
def _band_features(row: int, layout: Layout, room: Workspace, values: Doubles) -> None:
    """Write volumes and imbalance of each band, and whether all its levels are kept."""
    bid_count, ask_count = int(room.totals[BID, COUNT]), int(room.totals[ASK, COUNT])
    reach = min(
        room.levels[BID, DISTANCES, bid_count - 1], room.levels[ASK, DISTANCES, ask_count - 1]
    )
    for band in range(room.band_units.shape[1]):
        bid, ask = room.band_units[BID, band], room.band_units[ASK, band]
        column = layout.bands + 4 * band
        values[column, row] = bid / SIZE_UNITS
        values[column + 1, row] = ask / SIZE_UNITS
        values[column + 2, row] = _imbalance(bid, ask)
        values[column + 3, row] = reach > room.band_limits[band]
