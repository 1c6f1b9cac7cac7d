# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "ccxt>=4.5.90",
#     "hftbacktest>=2.4.4",
#     "nautilus-trader>=1.221",
#     "numba>=0.68,<0.70",
#     "numpy>=2.2,<3",
#     "pyarrow",
# ]
# ///
"""Order-book replay, side by side: the top 20 levels after every message of 10 updates.

Run ``uv run --script tests/benchmarks/order_book_replay.py`` from the repository root; see the
README beside this file for what is measured and how.
"""

import argparse
import gc
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from order_book_captures import binance_capture  # noqa: E402

from python_models.kernels.order_book_replay import (  # noqa: E402
    BookSide,
    BookUpdates,
    OrderBook,
    UpdateKind,
)

DEPTH = 20
MESSAGE = 10
BATCH = 100_000  # updates handed over at a time, as from a query
CONTENDERS = (
    "marketfinder",
    "hftbacktest_roivector",
    "hftbacktest_hashmap",
    "numba_sorted_arrays",
    "nautilus_trader",
    "ccxt",
)
SLOW = ("nautilus_trader", "ccxt")  # once a turn, the others five times
Levels = NDArray[np.int64]  # (messages, 4, DEPTH): bid prices, bid sizes, ask prices, ask sizes


@numba.njit
def simulate(messages: int, seed: int, slots: int, rows: Any) -> int:
    """Write a stream of a liquid product into ``rows``: (frame, kind, side, price, size).

    The mid price walks by up to three ticks a message, and levels it passes are deleted first, so
    the book never crosses. Updates lie at distances drawn log-uniformly from the mid: most near the
    best, some thousands of ticks away. A taken level is changed or deleted, a free one is set or,
    in one case of twelve, deleted although it is not there.
    """
    np.random.seed(seed)
    sizes = np.zeros((2, slots), np.int64)
    middle = slots // 2
    count = 0
    rows[count] = (0, 1, 0, 0, 0)
    count += 1
    reach = slots // 2 - 2
    for side in range(2):
        for distance in range(1, reach):
            # Dense near the best, sparse far away.
            if np.random.random() < max(0.9 * np.exp(-distance / 200.0), 0.02):
                price = middle + distance if side else middle - distance
                sizes[side, price] = np.random.randint(1, 500_000_000)
                rows[count] = (0, 0, side, price, sizes[side, price])
                count += 1
    for message in range(1, messages + 1):
        first = count
        move = np.random.randint(-3, 4) if np.random.random() < 0.3 else 0
        target = min(max(middle + move, slots // 4), 3 * slots // 4)
        while middle != target and count - first < 8:
            middle += 1 if target > middle else -1
            for side in range(2):
                if sizes[side, middle]:
                    sizes[side, middle] = 0
                    rows[count] = (message, 0, side, middle, 0)
                    count += 1
        while count - first < 10:
            side = np.random.randint(0, 2)
            distance = int(np.exp(np.random.random() * np.log(float(slots // 4 - 2))))
            price = middle + distance if side else middle - distance
            if sizes[side, price]:
                size = 0 if np.random.random() < 0.35 else np.random.randint(1, 500_000_000)
            else:
                size = 0 if np.random.random() < 0.08 else np.random.randint(1, 500_000_000)
            sizes[side, price] = size
            rows[count] = (message, 0, side, price, size)
            count += 1
    return count


def synthetic(updates: int, seed: int = 7, slots: int = 1 << 17) -> BookUpdates:
    """Return a simulated stream of about ``updates`` updates in messages of 10."""
    rows = np.zeros((updates + slots, 5), np.int64)
    count = simulate(updates // MESSAGE, seed, slots, rows)
    columns = rows[:count].T
    return BookUpdates(
        columns[0], columns[1].astype(np.int8), columns[2].astype(np.int8), columns[3], columns[4]
    )


def in_tens(updates: BookUpdates, tick: int) -> BookUpdates:
    """Return a capture in the product's ticks, and its differences cut into messages of 10."""
    keep = (updates.kinds == UpdateKind.SNAPSHOT) | (updates.kinds == UpdateKind.UPDATE)
    snapshot = updates.frames == 0
    frames = np.zeros(len(updates), np.int64)
    later = keep & ~snapshot
    frames[later] = 1 + np.arange(later.sum()) // MESSAGE
    return BookUpdates(
        frames[keep],
        updates.kinds[keep],
        updates.sides[keep],
        updates.price_ticks[keep] // tick,
        updates.size_lots[keep],
    )


# Each contender prepares its own input from the updates and returns a function that replays them
# once: with no argument as fast as it can, with ``Levels`` also writing down what it read.
Replay = Callable[[Levels | None], None]


def prepare_marketfinder(updates: BookUpdates) -> Replay:
    cuts = np.flatnonzero(np.diff(updates.frames)) + 1
    ends = [int(cuts[np.searchsorted(cuts, end)]) for end in range(BATCH, int(cuts[-1]), BATCH)]
    batches = [
        updates[start:end] for start, end in zip([0, *ends], [*ends, len(updates)], strict=True)
    ]

    def replay(levels: Levels | None) -> None:
        book, written = OrderBook(depth=DEPTH), 0
        for batch in batches:
            rows = book.apply(batch)
            if levels is not None:
                for lane, offsets, values in (
                    (0, rows.bid_offsets, rows.bid_price_ticks),
                    (1, rows.bid_offsets, rows.bid_size_lots),
                    (2, rows.ask_offsets, rows.ask_price_ticks),
                    (3, rows.ask_offsets, rows.ask_size_lots),
                ):
                    counts = np.diff(offsets)
                    row = np.repeat(np.arange(len(rows)), counts)
                    column = np.arange(len(values)) - offsets[:-1][row]
                    levels[written + row, lane, column] = values
            written += len(rows)

    return replay


@numba.njit
def read_roivector(hbt: Any, messages: int, out: Any, keep: bool) -> None:
    """Process message by message and read 20 levels a side from the depth's own arrays."""
    for message in range(messages):
        # The clock starts at the first event.
        hbt.elapse(1000 if message else 0)
        depth = hbt.depth(0)
        row = out[message] if keep else out[0]
        row[:] = 0
        low = depth.roi_lb_tick
        sizes = depth.bid_depth
        at, filled = depth.best_bid_tick - low, 0
        while filled < DEPTH and at >= 0:
            if sizes[at] > 0:
                row[0, filled], row[1, filled] = at + low, np.int64(sizes[at])
                filled += 1
            at -= 1
        sizes = depth.ask_depth
        at, filled = depth.best_ask_tick - low, 0
        while filled < DEPTH and at < sizes.size:
            if sizes[at] > 0:
                row[2, filled], row[3, filled] = at + low, np.int64(sizes[at])
                filled += 1
            at += 1


@numba.njit
def read_hashmap(hbt: Any, messages: int, low: int, high: int, out: Any, keep: bool) -> None:
    """Process message by message and read 20 levels a side tick by tick."""
    for message in range(messages):
        # The clock starts at the first event.
        hbt.elapse(1000 if message else 0)
        depth = hbt.depth(0)
        row = out[message] if keep else out[0]
        row[:] = 0
        at, filled = depth.best_bid_tick, 0
        while filled < DEPTH and at >= low:
            size = depth.bid_qty_at_tick(at)
            if size > 0:
                row[0, filled], row[1, filled] = at, np.int64(size)
                filled += 1
            at -= 1
        at, filled = depth.best_ask_tick, 0
        while filled < DEPTH and at <= high:
            size = depth.ask_qty_at_tick(at)
            if size > 0:
                row[2, filled], row[3, filled] = at, np.int64(size)
                filled += 1
            at += 1


def prepare_hftbacktest(updates: BookUpdates, roivector: bool) -> Replay:
    import hftbacktest as hft

    levels_only = updates.kinds == UpdateKind.UPDATE
    events = np.zeros(int(levels_only.sum()), hft.event_dtype)
    bids = updates.sides[levels_only] == BookSide.BID
    # For the local processor alone: the exchange's copy of the book would double the work.
    events["ev"] = hft.LOCAL_EVENT | hft.DEPTH_EVENT | np.where(bids, hft.BUY_EVENT, hft.SELL_EVENT)
    events["exch_ts"] = events["local_ts"] = (updates.frames[levels_only] + 1) * 1000
    events["px"] = updates.price_ticks[levels_only]
    events["qty"] = updates.size_lots[levels_only]
    low, high = int(events["px"].min()), int(events["px"].max())
    messages = len(np.unique(updates.frames))

    def replay(levels: Levels | None) -> None:
        asset = (
            hft.BacktestAsset()
            .data(events)
            .linear_asset(1.0)
            .constant_order_latency(0, 0)
            .risk_adverse_queue_model()
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0, 0.0)
            .tick_size(1.0)
            .lot_size(1.0)
            .last_trades_capacity(0)
        )
        out = np.zeros((1, 4, DEPTH), np.int64) if levels is None else levels
        if roivector:
            hbt = hft.ROIVectorMarketDepthBacktest([asset.roi_lb(low).roi_ub(high)])
            read_roivector(hbt, messages, out, levels is not None)
        else:
            hbt = hft.HashMapMarketDepthBacktest([asset])
            read_hashmap(hbt, messages, low, high, out, levels is not None)
        hbt.close()

    return replay


@numba.njit
def replay_sorted(
    frames: Any, kinds: Any, sides: Any, prices: Any, sizes: Any, out: Any, keep: bool
) -> None:
    """The plain fast way: each side a sorted array, best last, changed by moving its tail."""
    capacity = 1024
    ranks = np.zeros((2, capacity), np.int64)
    lots = np.zeros((2, capacity), np.int64)
    used = np.zeros(2, np.int64)
    message = 0
    for index in range(frames.size):
        if kinds[index] == 1:
            used[:] = 0
        else:
            side, size = sides[index], sizes[index]
            rank = -prices[index] if side else prices[index]
            low, high = 0, used[side]
            while low < high:
                middle = (low + high) >> 1
                if ranks[side, middle] < rank:
                    low = middle + 1
                else:
                    high = middle
            present = low < used[side] and ranks[side, low] == rank
            if size and present:
                lots[side, low] = size
            elif size:
                if used[side] == capacity:
                    ranks = np.concatenate((ranks, np.zeros_like(ranks)), axis=1)
                    lots = np.concatenate((lots, np.zeros_like(lots)), axis=1)
                    capacity *= 2
                for at in range(used[side], low, -1):
                    ranks[side, at], lots[side, at] = ranks[side, at - 1], lots[side, at - 1]
                ranks[side, low], lots[side, low] = rank, size
                used[side] += 1
            elif present:
                used[side] -= 1
                for at in range(low, used[side]):
                    ranks[side, at], lots[side, at] = ranks[side, at + 1], lots[side, at + 1]
        if index + 1 == frames.size or frames[index + 1] != frames[index]:
            row = out[message] if keep else out[0]
            row[:] = 0
            for side in range(2):
                for level in range(min(DEPTH, used[side])):
                    at = used[side] - 1 - level
                    row[2 * side, level] = -ranks[side, at] if side else ranks[side, at]
                    row[2 * side + 1, level] = lots[side, at]
            message += 1


def prepare_sorted(updates: BookUpdates) -> Replay:
    def replay(levels: Levels | None) -> None:
        out = np.zeros((1, 4, DEPTH), np.int64) if levels is None else levels
        replay_sorted(
            updates.frames,
            updates.kinds,
            updates.sides,
            updates.price_ticks,
            updates.size_lots,
            out,
            levels is not None,
        )

    return replay


def by_message(updates: BookUpdates) -> list[tuple[int, int]]:
    """Return (first row, row after the last) of each message."""
    cuts = (np.flatnonzero(np.diff(updates.frames)) + 1).tolist()
    return list(zip([0, *cuts], [*cuts, len(updates)], strict=True))


def prepare_ccxt(updates: BookUpdates) -> Replay:
    from ccxt.async_support.base.ws.order_book import OrderBook as CcxtOrderBook

    prices, sizes = updates.price_ticks.tolist(), updates.size_lots.tolist()
    sides = updates.sides.tolist()
    starts = by_message(updates)
    first = starts[0][1]

    def replay(levels: Levels | None) -> None:
        book = CcxtOrderBook()
        book.reset(
            {
                "bids": [[prices[i], sizes[i]] for i in range(1, first) if sides[i] == 0],
                "asks": [[prices[i], sizes[i]] for i in range(1, first) if sides[i] == 1],
            }
        )
        bids, asks = book["bids"], book["asks"]
        stores = (bids.storeArray, asks.storeArray)
        for message, (start, end) in enumerate(starts):
            if start:
                for i in range(start, end):
                    stores[sides[i]]([prices[i], sizes[i]])
            # Levels change in place: what is kept of them must be copied.
            best_bids = [level[:] for level in bids[:DEPTH]]
            best_asks = [level[:] for level in asks[:DEPTH]]
            if levels is not None:
                levels[message, :2, : len(best_bids)] = np.array(best_bids).T
                levels[message, 2:, : len(best_asks)] = np.array(best_asks).T

    return replay


def prepare_nautilus_trader(updates: BookUpdates) -> Replay:
    from nautilus_trader.core import nautilus_pyo3 as pyo3

    product = pyo3.InstrumentId.from_str("BTC-USD.X")
    sides = (pyo3.OrderSide.BUY, pyo3.OrderSide.SELL)
    deltas = []
    for start, end in by_message(updates):
        message = []
        for i in range(start, end):
            if updates.kinds[i] == UpdateKind.SNAPSHOT:
                continue
            size, price = int(updates.size_lots[i]), int(updates.price_ticks[i])
            order = pyo3.BookOrder(
                sides[updates.sides[i]], pyo3.Price(price, 0), pyo3.Quantity(size / 1e8, 8), price
            )
            action = pyo3.BookAction.UPDATE if size else pyo3.BookAction.DELETE
            message.append(pyo3.OrderBookDelta(product, action, order, 0, i, 0, 0))
        deltas.append(pyo3.OrderBookDeltas(product, message))

    def replay(levels: Levels | None) -> None:
        book = pyo3.OrderBook(product, pyo3.BookType.L2_MBP)
        for message, batch in enumerate(deltas):
            book.apply_deltas(batch)
            # As levels: faster than bids_to_dict, and than taking price and size out of each.
            best_bids, best_asks = book.bids(DEPTH), book.asks(DEPTH)
            if levels is not None:
                for lane, best in ((0, best_bids), (2, best_asks)):
                    levels[message, lane, : len(best)] = [
                        round(level.price.as_double()) for level in best
                    ]
                    levels[message, lane + 1, : len(best)] = [
                        round(level.size() * 1e8) for level in best
                    ]

    return replay


PREPARE: dict[str, Callable[[BookUpdates], Replay]] = {
    "marketfinder": prepare_marketfinder,
    "hftbacktest_roivector": lambda updates: prepare_hftbacktest(updates, True),
    "hftbacktest_hashmap": lambda updates: prepare_hftbacktest(updates, False),
    "numba_sorted_arrays": prepare_sorted,
    "nautilus_trader": prepare_nautilus_trader,
    "ccxt": prepare_ccxt,
}


def peak_memory() -> int:
    """Return the greatest resident size since ``forget_peak_memory``, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak_memory() -> None:
    """Let the peak begin at the present size, where the system can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def run_contender(name: str, stream: Path, repeats: int, verify: bool) -> dict[str, Any]:
    """Replay a stored stream with one contender in this process; seconds, bytes, digest."""
    with np.load(stream) as file:
        uncrossed = file["uncrossed"]
        updates = BookUpdates(*(file[field.name] for field in fields(BookUpdates)))
        first = BookUpdates(*(file[f"warm_up_{field.name}"] for field in fields(BookUpdates)))
    PREPARE[name](first)(None)  # compiles and imports what it needs
    replay = PREPARE[name](updates)
    gc.collect()
    forget_peak_memory()
    before = peak_memory()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        replay(None)
        seconds.append(time.perf_counter() - start)
    memory, digest = peak_memory() - before, ""
    if verify:
        levels = np.zeros((len(np.unique(updates.frames)), 4, DEPTH), np.int64)
        replay(levels)
        digest = hashlib.sha256(levels[uncrossed].tobytes()).hexdigest()
    return {"seconds": min(seconds), "memory": memory, "digest": digest}


def in_a_process(
    contender: str, updates: BookUpdates, uncrossed: Any, repeats: int, verify: bool
) -> dict[str, Any]:
    """Run a contender on a stream in a process of its own; what ``run_contender`` answers."""
    warm_up = synthetic(1000, slots=1 << 10)
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder) / "stream.npz"
        first = {f"warm_up_{name}": values for name, values in asdict(warm_up).items()}
        np.savez(stream, uncrossed=uncrossed, **asdict(updates), **first)
        command = [sys.executable, __file__, "--contender", contender, "--stream", str(stream)]
        command += ["--repeats", str(repeats), *(["--verify"] if verify else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{contender} failed:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def compare(name: str, updates: BookUpdates, contenders: list[str], rounds: int) -> None:
    """Run every contender on a stream, in turns and in processes of their own, and print."""
    levels = int((updates.kinds == UpdateKind.UPDATE).sum())
    messages = len(np.unique(updates.frames))
    # A message of 10 may end inside a venue's own message, where the book can be crossed for a
    # moment; hftbacktest then leaves levels out. Those moments are timed, but not compared.
    uncrossed = ~OrderBook(depth=1).apply(updates).is_crossed
    print(
        f"\n{name}: {levels:,} updates in {messages:,} messages, top {DEPTH} after each; levels "
        f"compared after the {int(uncrossed.sum()):,} that leave the book uncrossed"
    )
    results: dict[str, list[dict[str, Any]]] = {contender: [] for contender in contenders}
    for turn in range(rounds):
        for contender in contenders:
            repeats = 1 if contender in SLOW else 5
            results[contender].append(
                in_a_process(contender, updates, uncrossed, repeats, verify=turn == 0)
            )
    ours = statistics.median(result["seconds"] for result in results["marketfinder"])
    answer = results["marketfinder"][0]["digest"]
    print(f"{'':24}{'million/s':>10}{'ratio':>9}{'memory':>11}  same levels")
    for contender in contenders:
        seconds = statistics.median(result["seconds"] for result in results[contender])
        memory = max(result["memory"] for result in results[contender]) / 1e6
        same = "yes" if results[contender][0]["digest"] == answer else "NO"
        print(
            f"{contender:24}{levels / seconds / 1e6:10.2f}{seconds / ours:8.1f}x{memory:8.1f} MB"
            f"  {same}"
        )


def report_growth(updates: int) -> None:
    """Print the peak memory of our replay on streams of growing length."""
    print("\nmarketfinder, peak memory of the replay by length of the simulated stream")
    for times in (1, 2, 4):
        stream = synthetic(times * updates)
        uncrossed = np.ones(len(np.unique(stream.frames)), np.bool_)
        memory = in_a_process("marketfinder", stream, uncrossed, 1, verify=False)["memory"]
        print(f"{times * updates:>24,}{memory / 1e6:8.1f} MB")


def report_warm_up() -> None:
    """Print what the first replay of a process costs, without and with compiled code in a cache."""
    program = (
        "import sys, time; sys.path[:0] = sys.argv[1:]; start = time.perf_counter();"
        "from python_models.kernels.order_book_replay import *; loaded = time.perf_counter();"
        "replay_order_book(BookUpdates([1, 1], [1, 0], [0, 0], [0, 5], [0, 5]));"
        "print(f'import {loaded - start:.1f} s, first replay {time.perf_counter() - loaded:.1f} s')"
    )
    print("\nmarketfinder, warm-up of a process")
    with tempfile.TemporaryDirectory() as folder:
        for cache in ("nothing cached", "cached"):
            done = subprocess.run(
                [sys.executable, "-c", program, str(ROOT)],
                env={**os.environ, "NUMBA_CACHE_DIR": folder},
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"{cache:>24}  {done.stdout.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Order-book replay, side by side.")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--stream", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--verify", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--updates", type=int, default=2_000_000, help="of the simulated stream")
    parser.add_argument("--rounds", type=int, default=3, help="turns of all contenders")
    arguments = parser.parse_args()
    if arguments.contender:
        result = run_contender(
            arguments.contender, arguments.stream, arguments.repeats, arguments.verify
        )
        print(json.dumps(result))
        return

    contenders = [name for name in CONTENDERS if name in {"marketfinder", *arguments.only}]
    compare("simulated", synthetic(arguments.updates), contenders, arguments.rounds)
    data = Path(os.environ.get("MARKETFINDER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    for file, tick in (("usdm_btcusdt_20240808", 10**7), ("spot_btcusdt_20240808", 10**6)):
        path = data / f"order_books/binance/{file}.gz"
        if path.exists():
            updates = in_tens(binance_capture(path).updates, tick)
            compare(f"Binance {file}", updates, contenders, arguments.rounds)
        else:
            print(f"\nBinance {file}: left out, {path} is not there.")
    report_growth(arguments.updates)
    report_warm_up()


if __name__ == "__main__":
    main()
