"""What each order-book feature is: name, formula, unit, type, and when it is null.

This table is the one source. The output schema of ``order_book_features``, the places that the
compiled loop writes to and the descriptions in dbt's YAML all come from it.

Level i = 0 is the best; p is a price in quote currency, q a size in base currency; superscripts b
and a are the bid and the ask side; "bps" is 10⁴ times a fraction of the mid. ``_all`` in a name
means all levels that the row of ``order_books`` keeps (20 a side, or fewer).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pyarrow as pa

ValueType = Literal["DOUBLE", "INTEGER", "BOOLEAN"]
ARROW_TYPES: dict[ValueType, pa.DataType] = {
    "DOUBLE": pa.float64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
}
SIDES = (("bid", "b"), ("ask", "a"))


@dataclass(frozen=True)
class FeatureParameters:
    """What the features are computed for; the names of the columns follow from it.

    Attributes:
        depths: Numbers of levels k, ascending, for depths, imbalances and notionals.
        bands_bps: Upper bounds of the distance bands in whole bps, ascending; a band begins where
            the one before ends, the first at 0.
        vwap_depth: Levels k of ``bid_vwap_k`` and ``ask_vwap_k``.
        notionals: Market orders for the slippage, in quote currency, ascending.
        smart_decay: Decay per level of the smart depth.
        slope_levels: Levels that the slope of cumulative size is fitted to, 2 or more.

    Raises:
        ValueError: A value is out of range; the message names the field.
    """

    depths: tuple[int, ...] = (1, 3, 5, 10)
    bands_bps: tuple[int, ...] = (5, 10, 25, 50, 100)
    vwap_depth: int = 5
    notionals: tuple[float, ...] = (1_000, 10_000, 100_000)
    smart_decay: float = 0.1
    slope_levels: int = 10

    def __post_init__(self) -> None:
        for name in ("depths", "bands_bps", "notionals"):
            values = (0, *getattr(self, name))
            if any(not low < high < float("inf") for low, high in pairwise(values)):
                raise ValueError(
                    f"{name} is {getattr(self, name)}: positive, ascending numbers are needed."
                )
        if self.bands_bps and self.bands_bps[-1] >= 10_000:
            raise ValueError(f"bands_bps is {self.bands_bps}: a bid is never 10000 bps from mid.")
        if self.vwap_depth < 1:
            raise ValueError(f"vwap_depth is {self.vwap_depth}: 1 or more is needed.")
        if self.slope_levels < 2:
            raise ValueError(f"slope_levels is {self.slope_levels}: a slope needs 2 or more.")
        if not 0 <= self.smart_decay < float("inf"):
            raise ValueError(f"smart_decay is {self.smart_decay}: 0 or more is needed.")

    def bands(self) -> Iterator[tuple[int, int]]:
        """Return (lower, upper) of each band in bps."""
        return pairwise((0, *self.bands_bps))


@dataclass(frozen=True)
class Feature:
    """One column.

    Attributes:
        name: Column name.
        formula: What it is, for a person to read.
        unit: What it is measured in.
        null_when: When it is null on a row that is valid; empty: never.
        value_type: Its type in the warehouse.
    """

    name: str
    formula: str
    unit: str
    null_when: str = ""
    value_type: ValueType = "DOUBLE"

    def description(self) -> str:
        """Return the column's description for the documentation."""
        condition = f" or {self.null_when}" if self.null_when else ""
        return f"{self.formula}. Unit: {self.unit}. Null when is_valid is false{condition}."


DEFAULT_PARAMETERS = FeatureParameters()
NO_SIZE = "all sizes in it are 0"


def structural_features(parameters: FeatureParameters = DEFAULT_PARAMETERS) -> tuple[Feature, ...]:
    """Return the features that one snapshot is enough for, in the order of the columns.

    Columns of one family stand together, bid before ask: the compiled loop counts on that.
    """
    return (
        *_best_features(),
        *_depth_features(parameters),
        *_band_features(parameters),
        *_notional_features(parameters),
        *_fill_features(parameters),
        *_shape_features(parameters),
        *_summary_features(),
    )


def feature_fields(features: tuple[Feature, ...]) -> list[pa.Field]:
    """Return the Arrow fields of the features, all nullable."""
    return [pa.field(feature.name, ARROW_TYPES[feature.value_type]) for feature in features]


def _best_features() -> Iterator[Feature]:
    for what, symbol, unit in (("price", "p", "quote currency"), ("size", "q", "base currency")):
        for side, mark in SIDES:
            yield Feature(f"best_{side}_{what}", f"{symbol}^{mark}_0", unit)
    quote = "quote currency"
    yield Feature("mid_price", "(p^b_0 + p^a_0) / 2", quote)
    yield Feature("spread", "p^a_0 − p^b_0", quote)
    yield Feature("relative_spread", "spread / mid_price", "fraction of mid")
    yield Feature("spread_bps", "10⁴ × relative_spread", "bps")
    both_zero = "both best sizes are 0"
    yield Feature(
        "microprice",
        "(p^b_0 q^a_0 + p^a_0 q^b_0) / (q^b_0 + q^a_0): the mid, drawn to the side that is thinner",
        quote,
        both_zero,
    )
    yield Feature("micro_minus_mid", "microprice − mid_price", quote, both_zero)


def _depth_features(parameters: FeatureParameters) -> Iterator[Feature]:
    for label, levels, few in _depths(parameters.depths):
        for side, mark in SIDES:
            yield Feature(
                f"{side}_depth_{label}",
                f"Σ q^{mark}_i over {levels}",
                "base currency",
                few.format("the side has"),
            )
        yield Feature(
            f"imbalance_{label}",
            f"(bid_depth_{label} − ask_depth_{label}) / (bid_depth_{label} + ask_depth_{label})",
            "from −1 (asks only) to 1 (bids only)",
            _or(few.format("a side has"), "both depths are 0"),
        )


def _band_features(parameters: FeatureParameters) -> Iterator[Feature]:
    for low, high in parameters.bands():
        band = f"{low}_{high}_bps"
        interval = f"{'[' if low == 0 else '('}{low}, {high}] bps"
        unreached = f"the deepest level kept of {{}} lies within {low} bps" if low else ""
        for side, mark in SIDES:
            yield Feature(
                f"{side}_volume_band_{band}",
                f"Σ q^{mark}_i over levels with 10⁴ |p − mid| / mid in {interval}, decided in "
                f"integers; a lower bound where depth_complete_{high} is false",
                "base currency",
                unreached.format("the side"),
            )
        yield Feature(
            f"imbalance_band_{band}",
            f"(bid − ask) / (bid + ask) of the volumes in {interval}",
            "from −1 (asks only) to 1 (bids only)",
            _or(unreached.format("a side"), "both volumes are 0"),
        )
        yield Feature(
            f"depth_complete_{high}",
            f"True when the deepest level kept of each side lies beyond {high} bps, so that no "
            "level of the band is missing",
            "true or false",
            value_type="BOOLEAN",
        )


def _notional_features(parameters: FeatureParameters) -> Iterator[Feature]:
    for label, levels, few in _depths(parameters.depths):
        for side, mark in SIDES:
            yield Feature(
                f"{side}_notional_{label}",
                f"Σ p^{mark}_i q^{mark}_i over {levels}",
                "quote currency",
                few.format("the side has"),
            )
    yield Feature(
        "book_pressure",
        "(B − A) / (B + A) with B = Σ q^b_i / (1 + i) and A = Σ q^a_i / (1 + i), all levels kept",
        "from −1 (asks only) to 1 (bids only)",
        "all sizes are 0",
    )


def _fill_features(parameters: FeatureParameters) -> Iterator[Feature]:
    for label, levels, few in _depths((parameters.vwap_depth,)):
        for side, mark in SIDES:
            yield Feature(
                f"{side}_vwap_{label}",
                f"Σ p^{mark}_i q^{mark}_i / Σ q^{mark}_i over {levels}",
                "quote currency",
                _or(few.format("the side has"), NO_SIZE),
            )
    for notional in parameters.notionals:
        label = f"{notional:.12g}".replace(".", "_").replace("+", "")
        for way, side, sign in (("buy", "asks", "(P − mid)"), ("sell", "bids", "(mid − P)")):
            yield Feature(
                f"slippage_{way}_bps_{label}",
                f"10⁴ {sign} / mid, where P is the mean price of a market order that {way}s for "
                f"{notional:,.12g} of quote currency from the {side} kept; positive is a cost",
                "bps",
                f"the {side} kept are worth less than that",
            )


def _shape_features(parameters: FeatureParameters) -> Iterator[Feature]:
    decay = f"e^(−{parameters.smart_decay:g} i)"
    for side, mark in SIDES:
        yield Feature(
            f"smart_{side}_depth", f"Σ q^{mark}_i {decay} over all levels kept", "base currency"
        )
    yield Feature(
        "smart_depth_imbalance",
        "(smart_bid_depth − smart_ask_depth) / (smart_bid_depth + smart_ask_depth)",
        "from −1 (asks only) to 1 (bids only)",
        "all sizes are 0",
    )
    count = parameters.slope_levels
    yield from _a_side(
        "slope",
        "Least-squares slope of q^{mark}_0 + … + q^{mark}_i on the distance of p^{mark}_i from mid "
        f"in bps, over the best {count} levels",
        "base currency per bps",
        f"the side has fewer than {count} levels",
    )
    yield from _a_side(
        "decay_rate",
        "Minus the least-squares slope of ln q^{mark}_i on the distance of p^{mark}_i from mid in "
        "bps, over all levels kept with a size above 0",
        "per bps",
        "fewer than 3 levels of the side have a size above 0",
    )
    yield from _a_side(
        "depth_decay_5",
        "q^{mark}_4 / q^{mark}_0",
        "ratio",
        "the side has fewer than 5 levels or its best size is 0",
    )
    yield from _a_side(
        "concentration",
        "Σ (q^{mark}_i / Σ q^{mark})², all levels kept (Herfindahl)",
        "from 1 / levels (equal sizes) to 1 (one level)",
        NO_SIZE,
    )
    yield from _a_side(
        "gini",
        "Gini coefficient of the n sizes: Σ_i Σ_j |q^{mark}_i − q^{mark}_j| / (2 n Σ q^{mark})",
        "from 0 (equal sizes) to 1 − 1 / n",
        NO_SIZE,
    )
    yield from _a_side(
        "half_depth_level",
        "First level at which half of the side's size kept is reached",
        "level, 0 is the best",
        NO_SIZE,
        "INTEGER",
    )


def _summary_features() -> Iterator[Feature]:
    quote = "quote currency"
    yield from _a_side(
        "center_of_gravity",
        "Σ p^{mark}_i q^{mark}_i / Σ q^{mark}_i, all levels kept",
        quote,
        NO_SIZE,
    )
    yield Feature(
        "center_of_gravity",
        "Σ p q / Σ q over all levels kept of both sides",
        quote,
        "all sizes are 0",
    )
    yield Feature(
        "cog_vs_mid",
        "10⁴ (center_of_gravity − mid_price) / mid_price",
        "bps",
        "all sizes are 0",
    )
    yield from _a_side(
        "wall_level",
        "Level of the largest size kept of the {side} side; of equal ones the best",
        "level, 0 is the best",
        NO_SIZE,
        "INTEGER",
    )
    yield from _a_side(
        "wall_share", "max q^{mark}_i / Σ q^{mark}_i, all levels kept", "share, 0 to 1", NO_SIZE
    )
    yield Feature(
        "amihud_proxy",
        "spread / (bid_depth_all + ask_depth_all)",
        "quote currency per base currency",
        "all sizes are 0",
    )
    yield Feature(
        "lambda_proxy",
        "relative_spread / ln(1 + D), D the size of the best 5 levels of both sides",
        "fraction of mid",
        "a side has fewer than 5 levels or all of these sizes are 0",
    )
    yield from _a_side(
        "mean_gap_bps",
        "Mean of 10⁴ |p^{mark}_i − p^{mark}_(i+1)| / mid over neighbouring levels kept",
        "bps",
        "the side has one level",
    )
    yield from _a_side(
        "level_count",
        "Levels of the {side} side of the full book, those not kept included",
        "levels",
        "order_books does not say",
        "INTEGER",
    )


def _a_side(
    name: str, formula: str, unit: str, null_when: str, value_type: ValueType = "DOUBLE"
) -> Iterator[Feature]:
    """Return one feature of each side; {mark} and {side} in the formula are the side's."""
    for side, mark in SIDES:
        text = formula.format(mark=mark, side=side)
        where = null_when.replace(NO_SIZE, f"all sizes of the {side}s are 0")
        yield Feature(f"{side}_{name}", text, unit, where, value_type)


def _depths(depths: tuple[int, ...]) -> Iterator[tuple[str, str, str]]:
    """Return (label, words, words for too few levels) of each number of levels, and of all."""
    for depth in depths:
        few = f"{{}} fewer than {depth} levels" if depth > 1 else ""
        yield str(depth), "the best level" if depth == 1 else f"the best {depth} levels", few
    yield "all", "all levels kept", ""


def _or(*conditions: str) -> str:
    """Join the conditions that are not empty."""
    return " or ".join(condition for condition in conditions if condition)
