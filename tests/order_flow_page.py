"""A page of one symbol's order flow for a person to look at: prices, flow, VPIN, spread.

``uv run python tests/order_flow_page.py WAREHOUSE EXCHANGE SYMBOL PNG`` draws any warehouse's.
"""

import sys
from pathlib import Path
from typing import Any

import duckdb
import matplotlib
import matplotlib.dates as mdates
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")
from matplotlib import pyplot as plt

REGIMES = {"tight": "#2a9d8f", "normal": "#bbbbbb", "wide": "#e76f51"}
COLUMNS = """
select
    booked_at, mid_price, microprice, order_flow_imbalance_sum_5, order_flow_imbalance_sum_60,
    trade_flow_imbalance_60, vpin_aggressor, vpin_bulk, spread_bps, spread_regime
from gold.order_book_features
where exchange = ? and symbol = ? and not awaits_order_flow
order by book_number
"""


def draw(warehouse: Path, exchange: str, symbol: str, path: Path) -> dict[str, NDArray[Any]]:
    """Write the page; return what is on it, NaN where null."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        rows = connection.sql(COLUMNS, params=[exchange, symbol]).to_arrow_table()
    columns: dict[str, NDArray[Any]] = {name: rows[name].to_numpy() for name in rows.column_names}
    time = columns["booked_at"]
    figure, (prices, micro, flow, vpin, spread) = plt.subplots(
        5,
        1,
        figsize=(11, 14),
        sharex=True,
        layout="constrained",
        height_ratios=(1.3, 1, 1.3, 1, 1.2),
    )
    figure.suptitle(
        f"{exchange} {symbol}, {len(time):,} books, {time[0].astype('M8[s]')} to "
        f"{time[-1].astype('M8[s]')} UTC",
        fontsize=13,
    )
    steps: dict[str, Any] = {"drawstyle": "steps-post"}
    prices.plot(time, columns["mid_price"], color="#264653", linewidth=1.1, label="mid", **steps)
    prices.set_ylabel("quote currency")
    prices.set_title("Mid", loc="left")
    prices.ticklabel_format(axis="y", style="plain", useOffset=False)

    # Beside the mid's own scale nobody would see it.
    half_spread = columns["spread_bps"] * columns["mid_price"] / 2e4
    lean = (columns["microprice"] - columns["mid_price"]) / half_spread
    micro.plot(time, lean, color="#e9a23b", linewidth=0.6, label="microprice", **steps)
    micro.axhline(0, color="black", linewidth=0.5)
    micro.set_ylim(-1.05, 1.05)
    micro.set_ylabel("half spreads")
    micro.set_title("Microprice − mid, in half spreads (1: at the ask, −1: at the bid)", loc="left")

    flow.fill_between(
        time,
        columns["order_flow_imbalance_sum_5"],
        step="post",
        color="#8ab6d6",
        linewidth=0,
        label="5 s",
    )
    flow.plot(
        time,
        columns["order_flow_imbalance_sum_60"],
        color="#1d3557",
        linewidth=1,
        label="60 s",
        **steps,
    )
    flow.axhline(0, color="black", linewidth=0.5)
    flow.set_ylabel("base currency")
    flow.set_title("Order flow imbalance, summed over the last 5 and 60 s", loc="left")

    vpin.plot(time, columns["vpin_aggressor"], color="#6a4c93", label="by aggressor", **steps)
    vpin.plot(time, columns["vpin_bulk"], color="#c77dff", linewidth=0.9, label="by bulk", **steps)
    vpin.set_ylim(0, 1)
    vpin.set_ylabel("share")
    vpin.set_title("VPIN (empty until enough buckets are full)", loc="left")

    for regime, colour in REGIMES.items():
        is_own = columns["spread_regime"] == regime
        spread.scatter(
            time[is_own], columns["spread_bps"][is_own], s=5, color=colour, label=regime, zorder=2
        )
    if np.nanmin(columns["spread_bps"]) * 20 < np.nanmax(columns["spread_bps"]):
        spread.set_yscale("log")
    spread.set_ylabel("bps")
    spread.set_title("Spread, by its regime over the last 300 s", loc="left")
    clock: Any = mdates.DateFormatter
    spread.xaxis.set_major_formatter(clock("%H:%M:%S"))
    for panel in (prices, micro, flow, vpin, spread):
        panel.grid(alpha=0.25)
        panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return columns


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]))
