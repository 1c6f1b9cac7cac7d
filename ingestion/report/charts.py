"""Charts as SVG inside a page: in the page's own colours, with a title and a description.

Each chart is drawn twice, for a wide and for a narrow screen, so that its text is readable on both.
Colours are named by the page's CSS variables: the drawing uses stand-ins, which are then replaced.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib import dates as untyped_dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

dates: Any = untyped_dates

_INK, _GRID, UP, DOWN, FIRST, SECOND = (f"#0101{number:02x}" for number in range(1, 7))
_VARIABLES = {
    _INK: "--ink",
    _GRID: "--line",
    UP: "--up",
    DOWN: "--down",
    FIRST: "--first",
    SECOND: "--second",
}
# Width and height in CSS pixels, and the width of the scale's labels.
_SIZES = {"wide": (960, 250, 70), "narrow": (350, 230, 58)}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "marketfinder",
    # A symbol with dollar signs is a symbol.
    "text.parse_math": False,
    "font.size": 12,
    "axes.linewidth": 0.8,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 7,
    "legend.frameon": False,
}
_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"

Numbers = Sequence[float | None]
Times = Sequence[datetime]


def chart(name: str, title: str, description: str, draw: Callable[[Axes], None]) -> Markup:
    """What `draw` draws, as one figure's SVGs. `name` makes the ids of the page unique."""
    drawn = [_svg(f"{name}-{size}", size, title, description, draw) for size in _SIZES]
    return Markup("").join(drawn)


def candles(
    starts: Times, seconds: int, prices: Sequence[Sequence[float | None]], vwap: Numbers
) -> Callable[[Axes], None]:
    """Open, high, low and close as candles, hollow where the close is above the open; VWAP."""

    def draw(axes: Axes) -> None:
        at, width = _centres(starts, seconds), seconds / 86_400 * 0.7
        opens, highs, lows, closes = (_floats(values) for values in prices)
        is_up = closes >= opens
        for is_own, colour, filling in ((is_up, UP, "none"), (~is_up, DOWN, DOWN)):
            tops, bottoms = np.maximum(opens, closes)[is_own], np.minimum(opens, closes)[is_own]
            axes.vlines(at[is_own], tops, highs[is_own], colors=colour, linewidth=1)
            axes.vlines(at[is_own], lows[is_own], bottoms, colors=colour, linewidth=1)
            axes.bar(
                at[is_own],
                tops - bottoms,
                width,
                bottoms,
                facecolor=filling,
                edgecolor=colour,
                linewidth=1,
            )
        axes.plot(at, _floats(vwap), color=FIRST, linewidth=1.6, label="VWAP")
        _frame(axes, starts, seconds)
        _legend(axes)

    return draw


def signed_bars(starts: Times, seconds: int, values: Numbers) -> Callable[[Axes], None]:
    """A bar up or down from zero for each interval."""

    def draw(axes: Axes) -> None:
        heights = np.nan_to_num(_floats(values))
        width = seconds / 86_400 * 0.7
        for is_own, colour, filling in ((heights >= 0, UP, "none"), (heights < 0, DOWN, DOWN)):
            at = _centres(starts, seconds)[is_own]
            axes.bar(at, heights[is_own], width, facecolor=filling, edgecolor=colour, linewidth=1)
        axes.axhline(0, color=_INK, linewidth=0.8)
        _frame(axes, starts, seconds)

    return draw


def lines(starts: Times, seconds: int, series: Mapping[str, Numbers]) -> Callable[[Axes], None]:
    """Up to two lines over time, the second one dashed."""

    def draw(axes: Axes) -> None:
        for (label, values), colour, dashes in zip(
            series.items(), (FIRST, SECOND), ("-", (0, (4, 2))), strict=False
        ):
            axes.plot(
                _centres(starts, seconds),
                _floats(values),
                color=colour,
                linestyle=dashes,
                linewidth=1.6,
                marker="o",
                markersize=3 if len(starts) < 60 else 0,
                label=label,
            )
        axes.set_ylim(bottom=0)
        _frame(axes, starts, seconds)
        if len(series) > 1:
            _legend(axes)

    return draw


def points(groups: Mapping[str, tuple[Numbers, Numbers]], across: str) -> Callable[[Axes], None]:
    """Up to two groups of points, each with a marker of its own; `across` says what x is, on a
    logarithmic scale with room for 0."""

    def draw(axes: Axes) -> None:
        for (label, (wide, high)), colour, marker in zip(
            groups.items(), (FIRST, SECOND), ("o", "^"), strict=False
        ):
            axes.scatter(
                _floats(wide),
                _floats(high),
                s=34,
                facecolor="none",
                edgecolor=colour,
                linewidth=1.4,
                marker=marker,
                label=label,
            )
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(left=-0.3)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(across)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        _legend(axes)

    return draw


def _frame(axes: Axes, starts: Times, seconds: int) -> None:
    """The same times from edge to edge, whatever is drawn, so that charts can be compared."""
    left, right = (float(dates.date2num(at)) for at in (starts[0], starts[-1]))
    margin = 0 if seconds else (right - left) * 0.02
    axes.set_xlim(left - margin, right + seconds / 86_400 + margin)


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.98), ncols=3, borderaxespad=0, fontsize=12)


def _floats(values: Numbers) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if value is None else float(value) for value in values])


def _centres(starts: Times, seconds: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(dates.date2num(list(starts)), dtype=np.float64) + seconds / 86_400 / 2


def _svg(
    name: str, size: str, title: str, description: str, draw: Callable[[Axes], None]
) -> Markup:
    width, height, left = _SIZES[size]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width / 72, height / 72))
        axes = figure.add_axes((left / width, 0.13, 1 - (left + 22) / width, 0.74))
        draw(axes)
        if axes.get_xscale() == "linear" and axes.get_xlim()[0] > 1_000:
            locator = dates.AutoDateLocator(minticks=3, maxticks=9 if size == "wide" else 6)
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(
                dates.DateFormatter("%H:%M")
                if axes.get_xlim()[1] - axes.get_xlim()[0] <= 1
                else dates.ConciseDateFormatter(locator)
            )
        if axes.get_xlabel():
            axes.set_position((left / width, 0.22, 1 - (left + 22) / width, 0.65))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        written = StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return _for_page(written.getvalue(), name, size, title, description)


def _for_page(text: str, name: str, size: str, title: str, description: str) -> Markup:
    """The SVG as a part of a page: its own ids, the page's colours and fonts, and what it shows in
    words."""
    root = ET.fromstring(text[text.index("<svg") :])  # noqa: S314 - our own drawing
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{_SVG}style", f"{_SVG}metadata"):
                parent.remove(child)
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id":
                element.set(key, f"{name}-{value}")
            elif key == _LINK:
                del element.attrib[key]
                element.set("href", value.replace("#", f"#{name}-"))
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}-"))
            elif key == "style":
                element.set(key, _page_style(value))
            elif key == "d":
                element.set(key, re.sub(r"(\.\d\d)\d+", r"\1", value))
    for key in ("width", "height"):
        del root.attrib[key]
    root.set("class", size)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for tag, words in (("desc", description), ("title", title)):
        element = ET.Element(f"{_SVG}{tag}", {"id": f"{name}-{tag}"})
        element.text = words
        root.insert(0, element)
    ET.register_namespace("", _SVG[1:-1])
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - escaped by ElementTree


def _page_style(style: str) -> str:
    for stand_in, variable in _VARIABLES.items():
        style = style.replace(stand_in, f"var({variable})")
    return re.sub(r" font-family: [^;]*;", "", style)
