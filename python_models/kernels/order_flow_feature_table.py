"""What each order-flow feature is: name, formula, unit, source, window, and when it is null.

This table is the one source. The output schema of ``order_flow_features`` and the places that the
compiled loop writes to come from it, and so can descriptions in dbt's YAML.

A prime marks the valid row before. p and q are price and size, superscripts b and a the bid and the
ask side, r is ``log_return``, e is ``order_flow_imbalance``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import pyarrow as pa

ValueType = Literal["DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR"]
ARROW_TYPES: dict[ValueType, pa.DataType] = {
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
}
Group = Literal["dynamic", "rolling", "advanced"]
GROUPS: tuple[Group, ...] = ("dynamic", "rolling", "advanced")
SPREAD_REGIMES = ("tight", "normal", "wide")

CONT = "Cont, Kukanov, Stoikov (2014), The price impact of order book events"
XU = "Xu, Gould, Howison (2019), Multi-level order-flow imbalance in a limit order book"
KYLE = "Kyle (1985), Continuous auctions and insider trading; regression of Cont et al. (2014)"
EASLEY = "Easley, López de Prado, O'Hara (2012), Flow toxicity and liquidity"
BARNDORFF = "Barndorff-Nielsen, Shephard (2004), Power and bipower variation"


@dataclass(frozen=True)
class FlowParameters:
    """What the features are computed for; the names of the rolling columns follow from it.

    Attributes:
        windows: Rolling windows in seconds, ascending.
        shape_window: Window of the slopes, of the centre of gravity and of the depth that
            normalises the order flow, in seconds.
        long_window: Window of near depth, spread percentile and Kyle's lambda, in seconds.
        levels: Levels of the multi-level order flow, at least 1.
        level_decay: α of their weights e^(−α m).
        max_age_seconds: A row is stale when the valid row before is older than this.
        back_seconds: How far a row's time may lie behind the latest one and still have rolling
            features; the state keeps rows for the longest window and this.
        tight, wide: Spread percentiles up to and from which the regime is tight or wide.
        kyle_rows: Rows that a Kyle's lambda needs at least.
        bucket_volume: Volume of a VPIN bucket in base currency, for all symbols. None: a share of
            the symbol's mean daily volume, known after the first whole UTC day.
        bucket_volumes: (exchange, symbol, volume), for the symbols that have one of their own.
        bucket_share: That share.
        vpin_buckets: Full buckets that VPIN is the mean of.
        groups: Groups of features that are wanted; the columns of others are null, and what only
            they need is not computed.
        waits_for_trades: Whether books recorded apart from their trades are given with them. It
            is the caller's to do, and stands here so that rows of both kinds are not mixed.
        sigma_buckets: Changes from bucket to bucket that σ of the bulk classification is taken of.

    Raises:
        ValueError: A value is out of range; the message names the field.
    """

    windows: tuple[int, ...] = (5, 15, 60, 300, 900)
    shape_window: int = 60
    long_window: int = 300
    levels: int = 10
    level_decay: float = 0.5
    max_age_seconds: int = 300
    back_seconds: int = 60
    tight: float = 0.2
    wide: float = 0.8
    kyle_rows: int = 10
    bucket_volume: float | None = None
    bucket_volumes: tuple[tuple[str, str, float], ...] = ()
    bucket_share: float = 1 / 50
    vpin_buckets: int = 50
    sigma_buckets: int = 20
    groups: tuple[Group, ...] = GROUPS
    waits_for_trades: bool = True

    def __post_init__(self) -> None:
        if any(not low < high for low, high in pairwise((0, *self.windows))):
            raise ValueError(
                f"windows is {self.windows}: positive, ascending numbers of seconds are needed."
            )
        if not set(self.groups) <= set(GROUPS):
            raise ValueError(f"groups is {self.groups}: {', '.join(GROUPS)} are known.")
        least = {
            "shape_window": 1,
            "long_window": 1,
            "levels": 1,
            "level_decay": 0,
            "max_age_seconds": 0,
            "back_seconds": 0,
            "kyle_rows": 2,
            "vpin_buckets": 1,
            "sigma_buckets": 2,
        }
        for name, smallest in least.items():
            if not smallest <= getattr(self, name) <= 1e9:
                raise ValueError(f"{name} is {getattr(self, name)}: {smallest} or more is needed.")
        if not 0 <= self.tight < self.wide <= 1:
            raise ValueError(
                f"tight is {self.tight}: 0 ≤ tight < wide ({self.wide}) ≤ 1 is needed."
            )
        if not 0 < self.bucket_share < float("inf"):
            raise ValueError(f"bucket_share is {self.bucket_share}: more than 0 is needed.")
        volumes = [("bucket_volume", self.bucket_volume)] if self.bucket_volume is not None else []
        volumes += [("bucket_volumes", volume) for _, _, volume in self.bucket_volumes]
        for name, volume in volumes:
            if volume is None or not 1e-8 <= volume <= 1e15:
                raise ValueError(f"{name} is {volume}: 1e-8 to 1e15 base currency is needed.")

    def all_windows(self) -> tuple[int, ...]:
        """Return every window in seconds that sums are kept for, ascending."""
        rolling = (*self.windows, self.shape_window) if "rolling" in self.groups else ()
        long = (self.long_window,) if {"rolling", "advanced"} & set(self.groups) else ()
        return tuple(sorted({*rolling, *long}))


@dataclass(frozen=True)
class FlowFeature:
    """One column.

    Attributes:
        name: Column name.
        formula: What it is, for a person to read.
        unit: What it is measured in.
        null_when: When it is null on a row that is valid; empty: never.
        window: Seconds that it looks back, 0 for none.
        source: Where the formula is from; empty: plain arithmetic.
        value_type: Its type in the warehouse.
        group: dynamic, rolling or advanced.
    """

    name: str
    formula: str
    unit: str
    null_when: str = ""
    window: int = 0
    source: str = ""
    value_type: ValueType = "DOUBLE"
    group: Group = "dynamic"

    def description(self) -> str:
        """Return the column's description for the documentation."""
        window = f" over the last {self.window} s" if self.window else ""
        source = f" Source: {self.source}." if self.source else ""
        condition = f" or {self.null_when}" if self.null_when else ""
        return (
            f"{self.formula}{window}. Unit: {self.unit}.{source} "
            f"Null when is_valid is false or is_late is true{condition}."
        )


DEFAULT_PARAMETERS = FlowParameters()
NO_PAST = "is_reset or is_stale is true"
IN_ORDER = "the row's time is more than back_seconds behind the latest"
SIGNED = "−1 (sells only) to 1 (buys only)"


def flow_features(parameters: FlowParameters = DEFAULT_PARAMETERS) -> tuple[FlowFeature, ...]:
    """Return the features that need the rows or the trades before, in the order of the columns.

    Columns of one family stand together: the compiled loop counts on that.
    """
    windows = (feature for window in parameters.windows for feature in _window_features(window))
    rolling = (*windows, *_shape_features(parameters.shape_window))
    advanced = (
        *_spread_features(parameters),
        *_kyle_features(parameters),
        *_volume_clock_features(parameters),
    )
    return (
        *_dynamic_features(parameters),
        *(replace(feature, group="rolling") for feature in rolling),
        # Near depth stands beside the spreads in the loop's columns.
        *(
            feature if feature.group == "rolling" else replace(feature, group="advanced")
            for feature in advanced
        ),
    )


def feature_fields(features: tuple[FlowFeature, ...]) -> list[pa.Field]:
    """Return the Arrow fields of the features, all nullable."""
    return [pa.field(feature.name, ARROW_TYPES[feature.value_type]) for feature in features]


def _dynamic_features(parameters: FlowParameters) -> Iterator[FlowFeature]:
    age, base = parameters.max_age_seconds, "base currency"
    yield FlowFeature(
        "is_reset",
        "True when what happened since the valid row before is not known: there is none, this row "
        "or one since was sent whole (is_snapshot), was not valid or has no time, or the row is of "
        "another source or stream; late rows (is_late) are passed over",
        "true or false",
        value_type="BOOLEAN",
    )
    yield FlowFeature(
        "is_stale",
        f"True when the valid row before is more than {age} s older",
        "true or false",
        "there is no valid row before",
        value_type="BOOLEAN",
    )
    yield FlowFeature("log_return", "r = ln(mid / mid')", "natural logarithm", NO_PAST)
    later = f"{NO_PAST} or time has not gone on since the valid row before"
    yield FlowFeature("mid_velocity", "(mid − mid') / (t − t')", "quote currency / s", later)
    yield FlowFeature(
        "mid_acceleration",
        "(mid_velocity − mid_velocity') / the mean of the two times that they were taken over",
        "quote currency / s²",
        f"{later} or mid_velocity' is null",
    )
    yield FlowFeature(
        "order_flow_imbalance",
        "e = 1{p^b ≥ p^b'} q^b − 1{p^b ≤ p^b'} q^b' − 1{p^a ≤ p^a'} q^a + 1{p^a ≥ p^a'} q^a' at "
        "level 0, between this row and the one before, not summed over events between",
        base,
        NO_PAST,
        source=CONT,
    )
    for level in range(parameters.levels):
        yield FlowFeature(
            f"order_flow_imbalance_level_{level}",
            f"The same at level {level} of both rows",
            base,
            f"{NO_PAST}" + (f" or a side of either row has no level {level}" if level else ""),
            source=XU,
        )
    yield FlowFeature(
        "multi_level_order_flow_imbalance",
        f"Σ e^(−{parameters.level_decay:g} m) e_m over levels m < {parameters.levels}, not "
        "normalised; at a level that a side of either row lacks, that side counts nothing",
        base,
        NO_PAST,
        source=f"{XU} (the vector; the weights are ours)",
    )
    yield FlowFeature(
        "normalised_order_flow_imbalance",
        "order_flow_imbalance / mean of (q^b_0 + q^a_0) / 2 over the rows",
        "ratio",
        f"{NO_PAST}, all best sizes are 0, or {IN_ORDER}",
        parameters.shape_window,
        CONT,
        group="rolling",
    )
    untold = f"{NO_PAST} or no trade of the symbol has been told yet"
    unsigned = f"{untold} or a trade has no side and no price change before it tells one"
    yield FlowFeature(
        "trade_flow_imbalance",
        "(buy_volume − sell_volume) / (buy_volume + sell_volume)",
        SIGNED,
        f"{unsigned}, or nothing was traded",
    )
    sign = "by aggressor, by the tick rule where no side is told"
    interval = "that arrived after the valid row before and before this row, history left out"
    yield FlowFeature("buy_volume", f"Σ size of buys {interval}, {sign}", base, unsigned)
    yield FlowFeature("sell_volume", f"Σ size of sells {interval}, {sign}", base, unsigned)
    yield FlowFeature("trade_count", f"Trades {interval}", "trades", untold, value_type="BIGINT")


def _window_features(window: int) -> Iterator[FlowFeature]:
    def feature(
        name: str, formula: str, unit: str, null_when: str, source: str = ""
    ) -> FlowFeature:
        null_when = f"{null_when} or {IN_ORDER}"
        return FlowFeature(f"{name}_{window}", formula, unit, null_when, window, source)

    none = "no row in the window has {}"
    base = "base currency"
    return_ = none.format("log_return")
    yield feature(
        "order_flow_imbalance_sum",
        "Σ order_flow_imbalance",
        base,
        none.format("order_flow_imbalance"),
        CONT,
    )
    yield feature(
        "multi_level_order_flow_imbalance_sum",
        "Σ multi_level_order_flow_imbalance",
        base,
        none.format("multi_level_order_flow_imbalance"),
        XU,
    )
    yield feature("mean_return", "Mean of log_return a row", "natural logarithm", return_)
    yield feature(
        "realised_volatility",
        "Sample standard deviation of log_return, not annualised",
        "natural logarithm",
        "fewer than 2 rows in the window have log_return",
    )
    yield feature("realised_variance", "Σ r²", "squared natural logarithm", return_)
    yield feature(
        "bipower_variation",
        "(π / 2) Σ |r_i| |r_(i−1)| over rows that follow on each other in time, both in the window",
        "squared natural logarithm",
        "no two rows of the window that follow on each other have log_return",
        BARNDORFF,
    )
    yield feature(
        "mean_spread",
        "Mean of relative_spread, each row the same weight",
        "fraction of mid",
        none.format("relative_spread"),
    )
    yield feature(
        "mean_imbalance_1",
        "Mean of imbalance_1, each row the same weight",
        "from −1 (asks only) to 1 (bids only)",
        none.format("imbalance_1"),
    )
    yield feature(
        "trade_flow_imbalance",
        "(B − S) / (B + S), B and S the sums of buy_volume and sell_volume",
        SIGNED,
        "nothing with a side was traded",
    )
    yield feature(
        "trade_volume",
        "Σ size of the trades that counted at the window's rows",
        base,
        "every row in the window is reset, stale or before the first trade that was told",
    )


def _shape_features(window: int) -> Iterator[FlowFeature]:
    described = [
        (f"{side}_slope", f"{side}_slope", "base currency / bps") for side in ("bid", "ask")
    ]
    described.append(("cog_momentum", "cog_vs_mid", "bps"))
    for name, column, unit in described:
        yield FlowFeature(
            f"{name}_mean_{window}",
            f"Mean of {column}",
            unit,
            f"no row in the window has {column} or {IN_ORDER}",
            window,
        )
        yield FlowFeature(
            f"{name}_std_{window}",
            f"Sample standard deviation of {column}",
            unit,
            f"fewer than 2 rows in the window have {column} or {IN_ORDER}",
            window,
        )


def _spread_features(parameters: FlowParameters) -> Iterator[FlowFeature]:
    window, tight, wide = parameters.long_window, parameters.tight, parameters.wide
    yield FlowFeature(
        f"near_depth_sigma_{window}",
        "Sample standard deviation of the volume of both sides from 0 to 5 bps",
        "base currency",
        f"fewer than 2 rows in the window have it or {IN_ORDER}",
        window,
        group="rolling",
    )
    null_when = f"relative_spread is null or {IN_ORDER}"
    yield FlowFeature(
        f"spread_percentile_{window}",
        "Share of the rows with a relative_spread below this row's, those equal to it (itself too) "
        "counted half",
        "share, 0 to 1",
        null_when,
        window,
    )
    yield FlowFeature(
        "spread_regime",
        f"tight when spread_percentile_{window} ≤ {tight:g}, wide when it is ≥ {wide:g}, else "
        "normal (where most spreads are one tick, a mid that falls makes them relatively wide)",
        "tight, normal or wide",
        null_when,
        window,
        value_type="VARCHAR",
    )
    for regime in ("tight", "wide"):
        yield FlowFeature(
            f"{regime}_fraction_{window}",
            f"Share of time in which the spread_regime last known was {regime}; in order of time, "
            f"not of arrival, a row's regime holds until the next valid row of those that have "
            f"come, and what lies before a reset or stale row is not counted at all",
            "share, 0 to 1",
            f"no time in the window has a regime or {IN_ORDER}",
            window,
        )


def _kyle_features(parameters: FlowParameters) -> Iterator[FlowFeature]:
    window = parameters.long_window
    pairs = (
        ("kyle_lambda", "log_return", "order_flow_imbalance", "natural logarithm / base currency"),
        (
            "kyle_lambda_trades",
            "mid − mid'",
            "buy_volume − sell_volume",
            "quote currency / base currency",
        ),
    )
    for name, outcome, cause, unit in pairs:
        few = f"fewer than {parameters.kyle_rows} rows in the window have both, {IN_ORDER}"
        yield FlowFeature(
            f"{name}_{window}",
            f"Slope of the least-squares line, with intercept, of {outcome} on {cause}",
            unit,
            f"{few}, or {cause} is the same on all",
            window,
            KYLE,
        )
        yield FlowFeature(
            f"{name}_r2_{window}",
            f"R² of the least-squares line of {outcome} on {cause}",
            "share, 0 to 1",
            f"{few}, or {cause} or {outcome} is the same on all",
            window,
            KYLE,
        )


def _volume_clock_features(parameters: FlowParameters) -> Iterator[FlowFeature]:
    buckets, sigma = parameters.vpin_buckets, parameters.sigma_buckets
    few = f"fewer than {buckets} buckets are full"
    yield FlowFeature(
        "vpin_aggressor",
        f"Mean of |buys − sells| / V over the last {buckets} full buckets of volume V, by the side "
        "that the venue told; a trade that overflows a bucket is split",
        "share, 0 to 1",
        f"{few} or a trade in one of them has no side",
        source=EASLEY,
    )
    yield FlowFeature(
        "vpin_bulk",
        f"Mean of |2 Φ(Δp / σ) − 1| over the last {buckets} full buckets; Δp is the change from "
        f"one bucket's last price to the next's, σ the sample standard deviation of the last "
        f"{sigma} of these changes. No side is needed",
        "share, 0 to 1",
        f"{few} or σ of one of them is 0 or has fewer than {sigma} changes",
        source=EASLEY,
    )
    yield FlowFeature(
        "vpin_bucket",
        "Buckets closed since the start of the data: the number, from 0, of the current one",
        "buckets",
        "the volume of a bucket is not known yet",
        value_type="BIGINT",
    )
    yield FlowFeature(
        "bucket_fill",
        "Filled share of the current bucket",
        "share, 0 to 1",
        "the volume of a bucket is not known yet",
    )
