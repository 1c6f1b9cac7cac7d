"""Real level-2 captures as updates for the replay, with the answers that came beside them.

Prices and sizes become integers of 1e-8 from their decimal strings, never by way of a float.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python_models.kernels.order_book_replay import BookSide, BookUpdates, UpdateKind

DIGITS = 8
Quote = tuple[int, int, int, int]  # bid price, bid size, ask price, ask size


def units(text: str) -> int:
    """Return a decimal string as an integer of 1e-8; exact, or an error."""
    whole, _, fraction = text.partition(".")
    if fraction[DIGITS:].strip("0"):
        raise ValueError(f"{text} has more than {DIGITS} decimals.")
    return int(whole + fraction[:DIGITS].ljust(DIGITS, "0"))


class UpdateList:
    """Collects rows of updates one by one."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, int, int]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def mark(self, frame: int, kind: UpdateKind) -> None:
        """Add a row without a level."""
        self._rows.append((frame, kind, 0, 0, 0))

    def level(self, frame: int, side: BookSide, price: int, size: int) -> None:
        """Add an update of a level."""
        self._rows.append((frame, UpdateKind.UPDATE, side, price, size))

    def updates(self) -> BookUpdates:
        """Return what was collected."""
        columns = np.array(self._rows, np.int64).reshape(-1, 5).T
        return BookUpdates(
            columns[0],
            columns[1].astype(np.int8),
            columns[2].astype(np.int8),
            columns[3],
            columns[4],
        )


def coinbase_updates(root: Path) -> dict[str, BookUpdates]:
    """Return the updates of each product of the Coinbase capture; frame = sequence number."""
    lists: dict[str, UpdateList] = {}
    for path in sorted((root / "order_books/coinbase/raw/ready/coinbase").glob("*.ndjson.gz")):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                frame = json.loads(line)
                if frame["channel"] != "l2_data":
                    continue
                number = frame["sequence_num"]
                for event in frame["events"]:
                    rows = lists.setdefault(event["product_id"], UpdateList())
                    is_snapshot = event["type"] == "snapshot"
                    rows.mark(number, UpdateKind.SNAPSHOT if is_snapshot else UpdateKind.TOUCH)
                    for update in event["updates"]:
                        rows.level(
                            number,
                            BookSide.BID if update["side"] == "bid" else BookSide.ASK,
                            units(update["price_level"]),
                            units(update["new_quantity"]),
                        )
    return {product: rows.updates() for product, rows in lists.items()}


def coinbase_answers(root: Path) -> dict[str, list[dict[str, str]]]:
    """Return the known best bid and offer after each book frame, by product, in order."""
    answers: dict[str, list[dict[str, str]]] = {}
    path = root / "order_books/coinbase/best_bid_offer_after_each_l2_frame.csv"
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            answers.setdefault(row["product_id"], []).append(row)
    return answers


@dataclass(frozen=True)
class DepthCapture:
    """A Binance depth capture.

    Attributes:
        updates: The REST snapshot and the differences after it; a frame is one of these messages.
        update_ids: (frames,) int64; the exchange's id of the last change in each frame.
        quotes: Best bid and offer by that id, as the exchange said them on another stream.
        broken_links: Differences that do not follow on the one before (would be gaps).
    """

    updates: BookUpdates
    update_ids: NDArray[np.int64]
    quotes: dict[int, Quote]
    broken_links: int


def binance_capture(path: Path) -> DepthCapture:
    """Read a Binance capture: drop differences the snapshot has, apply the others in order."""
    snapshot: dict[str, Any] | None = None
    differences: list[dict[str, Any]] = []
    quotes: dict[int, Quote] = {}
    for message in _messages(path):
        data = message.get("data", message)
        if "lastUpdateId" in data:
            snapshot = data
        elif data.get("e") == "depthUpdate":
            differences.append(data)
        elif "B" in data and "A" in data:
            quotes[data["u"]] = (
                units(data["b"]),
                units(data["B"]),
                units(data["a"]),
                units(data["A"]),
            )
    if snapshot is None:
        raise ValueError(f"{path} has no REST snapshot.")
    rows, last_id = UpdateList(), snapshot["lastUpdateId"]
    rows.mark(0, UpdateKind.SNAPSHOT)
    for side, name in ((BookSide.BID, "bids"), (BookSide.ASK, "asks")):
        for price, size in snapshot[name]:
            rows.level(0, side, units(price), units(size))
    ids, broken = [last_id], 0
    for difference in differences:
        if difference["u"] <= last_id:
            continue
        # The first difference kept straddles the snapshot, the others follow on.
        before = difference.get("pu", difference["U"] - 1)
        broken += before > last_id if len(ids) == 1 else before != last_id
        frame, last_id = len(ids), difference["u"]
        ids.append(last_id)
        rows.mark(frame, UpdateKind.TOUCH)
        for side, name in ((BookSide.BID, "b"), (BookSide.ASK, "a")):
            for price, size in difference[name]:
                rows.level(frame, side, units(price), units(size))
    return DepthCapture(rows.updates(), np.array(ids), quotes, broken)


def _messages(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            yield json.loads(line.split(" ", 1)[1])
