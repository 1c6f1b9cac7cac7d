"""Runs again and again, for a machine without an orchestrator.

A slot is a whole multiple of the interval since 1970-01-01, UTC: every 30 minutes is on the hour
and half past, however long a run takes. Each run is a process of its own, so that nothing it does,
or that is done to it, ends the schedule; there is one at a time, and slots that pass meanwhile are
skipped.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType

from ingestion.errors import SettingsError
from ingestion.logs import new_run_id, run_id

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
SHORTEST_INTERVAL = 60
_LONGEST_NAP = 1.0
_PATIENCE_SECONDS = 30


def seconds_of(text: str) -> float:
    """The seconds of a duration such as 90s, 30m, 1.5h or 1d. Raises SettingsError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if not found:
        raise SettingsError(
            f"{text!r} is no duration. Give a number and s, m, h or d, such as 30m."
        )
    return float(found[1]) * _UNITS[found[2]]


def pause(now: float, interval: float, since_start: float | None) -> float:
    """Seconds from `now` (Unix time) to the next slot.

    `since_start` are the seconds since the last run began, by a clock that never jumps: a slot less
    than half an interval after that is the one it began for, told again by a clock that went back.
    """
    wait = interval - now % interval
    if since_start is not None and since_start + wait < interval / 2:
        wait += interval
    return wait


@dataclass
class Schedule:
    """One run at a time: at once, then in every slot that is free.

    `run` makes one run and returns its exit code; `say` is given a line for each run.
    """

    interval: float
    run: Callable[[], int]
    say: Callable[[str], None]
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    stopping: bool = field(default=False, init=False)

    def keep_going(self, runs: int | None = None) -> None:
        """Makes runs until it is told to stop, or so many."""
        while not self.stopping and runs != 0:
            begun = self.monotonic()
            into_slot = self.now() % self.interval
            code = self.run()
            took = self.monotonic() - begun
            runs = None if runs is None else runs - 1
            if self.stopping or runs == 0:
                return
            wait = pause(self.now(), self.interval, took)
            following = datetime.fromtimestamp(self.now() + wait, UTC)
            missed = int((into_slot + took) // self.interval)
            slots = "1 slot was" if missed == 1 else f"{missed} slots were"
            note = f", and {slots} missed" if missed else ""
            self.say(
                f"{_ended(code)}; it took {took:.0f} s{note}. The next is at"
                f" {following:%Y-%m-%d %H:%M:%S} UTC."
            )
            self._wait(wait)

    def _wait(self, seconds: float) -> None:
        """Waits for a slot by the wall clock, but no longer than it seemed at first, if that is put
        back; in naps, because a machine that was asleep finds its clock put on."""
        slot, end = self.now() + seconds, self.monotonic() + seconds
        while not self.stopping:
            left = min(slot - self.now(), end - self.monotonic())
            if left <= 0:
                return
            self.sleep(min(left, _LONGEST_NAP))


def run_every(interval: float, arguments: Sequence[str], say: Callable[[str], None]) -> None:
    """Makes runs with these arguments until SIGINT or SIGTERM, which ends the run too."""
    command = [sys.executable, "-m", "ingestion.cli", "run", *arguments]
    process: subprocess.Popen[bytes] | None = None

    def run() -> int:
        nonlocal process
        name = run_id(new_run_id())
        process = subprocess.Popen([*command, "--run-id", name], start_new_session=True)
        waited = 0
        while True:
            try:
                return process.wait(1)
            except subprocess.TimeoutExpired:
                waited += schedule.stopping
            # A load that has begun goes on at the first signal; the second ends it.
            if waited == _PATIENCE_SECONDS:
                process.terminate()
            elif waited == 2 * _PATIENCE_SECONDS:
                process.kill()

    schedule = Schedule(interval, run, say)

    def stop(number: int, frame: FrameType | None) -> None:
        schedule.stopping = True
        if process and process.poll() is None:
            process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    schedule.keep_going()


def _ended(code: int) -> str:
    meanings = {
        0: "The run went well",
        3: "The run went well in part: a venue or a publisher failed",
        4: "There was no run: the warehouse is in use",
        5: "A step of the run had no time left",
    }
    return meanings.get(code, f"The run failed (exit code {code})")
