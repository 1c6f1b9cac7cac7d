"""Slots: no drift, no overlap, none made up for, whatever the clock and the runs do."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pipelines import NOW

from ingestion import cli
from ingestion.build import PROJECT
from ingestion.errors import SettingsError
from ingestion.schedule import Schedule, pause, seconds_of

HALF_HOUR = 1_800.0
NOON = NOW.timestamp()


@dataclass
class Machine:
    """Two clocks, and runs that take as long as the script says. `jumps`: at a time since
    the start, the clock on the wall is put on by so many seconds."""

    took: list[float]
    codes: list[int] = field(default_factory=list)
    jumps: dict[float, float] = field(default_factory=dict)
    wall_starts_at: float = NOON + 60
    passed: float = 0
    starts: list[float] = field(default_factory=list)
    since: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def now(self) -> float:
        put_on = sum(by for at, by in self.jumps.items() if at <= self.passed)
        return self.wall_starts_at + self.passed + put_on

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def run(self) -> int:
        self.starts.append(self.now() - NOON)
        self.since.append(self.passed)
        self.passed += self.took[len(self.starts) - 1]
        return self.codes[len(self.starts) - 1] if self.codes else 0

    def go(self) -> list[float]:
        """The starts in seconds since noon by the clock on the wall, to the second."""
        schedule = Schedule(
            HALF_HOUR, self.run, self.said.append, self.now, lambda: self.passed, self.sleep
        )
        schedule.keep_going(len(self.took))
        return [round(start) for start in self.starts]


def test_slots_do_not_drift() -> None:
    machine = Machine(took=[61.3, 95.7, 120.2, 40.9, 77])
    assert machine.go() == [60, 1_800, 3_600, 5_400, 7_200]


def test_a_run_that_is_longer_than_a_slot_skips_slots() -> None:
    machine = Machine(took=[30, 4_000, 30, 30])
    assert machine.go() == [60, 1_800, 7_200, 9_000]
    assert "2 slots were missed. The next is at 2026-10-01 14:00:00 UTC" in machine.said[1]
    assert "missed" not in machine.said[0] + machine.said[2]


def test_a_run_that_fails_is_followed_by_the_next() -> None:
    machine = Machine(took=[5] * 4, codes=[1, 4, -9, 0])
    assert machine.go() == [60, 1_800, 3_600, 5_400]
    assert "failed (exit code 1)" in machine.said[0]
    assert "in use" in machine.said[1]
    assert "failed (exit code -9)" in machine.said[2]


def test_a_machine_that_slept_runs_once() -> None:
    """Three and a half hours later at once: five slots are gone."""
    machine = Machine(took=[30] * 3, jumps={600: 12_000})
    assert machine.go() == [60, 12_660, 14_400]


def test_a_clock_that_is_put_back_delays_no_run() -> None:
    machine = Machine(took=[30] * 4, jumps={600: -7_200})
    assert machine.go() == [60, -5_400, -3_600, -1_800]
    waits = [
        after - before for before, after in zip(machine.since, machine.since[1:], strict=False)
    ]
    assert max(waits) <= HALF_HOUR


def test_a_clock_that_is_put_back_a_little_repeats_no_slot() -> None:
    machine = Machine(took=[30, 1, 30], jumps={1_740.5: -5})
    assert machine.go() == [60, 1_800, 3_600]
    assert pause(NOON - 0.5, HALF_HOUR, since_start=1.0) == pytest.approx(HALF_HOUR + 0.5)
    assert pause(NOON - 0.5, HALF_HOUR, since_start=1_700.0) == pytest.approx(0.5)


def test_durations() -> None:
    assert [seconds_of(text) for text in ("90s", "30m", "1.5h", "1d")] == [90, 1_800, 5_400, 86_400]
    for wrong in ("", "30", "m", "-5m", "5 m", "1w"):
        with pytest.raises(SettingsError, match="is no duration"):
            seconds_of(wrong)


@pytest.mark.parametrize("every", ["5s", "0.9m", "0s"])
def test_an_interval_is_a_minute_at_least(
    every: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["marketfinder", "schedule", "--every", every])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert "give 1m or more" in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_it_goes_on_after_a_failed_run_and_stops_when_told_to(tmp_path: Path) -> None:
    """No venue answers, so each run fails; the schedule is told to stop in the second."""
    settings = {
        "MARKETFINDER_WAREHOUSE": str(tmp_path / "warehouse.duckdb"),
        "MARKETFINDER_KALSHI_URL": "http://127.0.0.1:9",
        "MARKETFINDER_POLYMARKET_URL": "http://127.0.0.1:9",
        "MARKETFINDER_REQUEST_ATTEMPTS": "1",
    }
    say = "lambda line: print(line, flush=True)"
    program = f"from ingestion.schedule import run_every; run_every(1, [], {say})"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "The run failed (exit code 1)" in process.stdout.readline()
        time.sleep(1)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert time.monotonic() - begun < 30
        assert process.stderr is not None
        assert "No venue could be read" in process.stderr.read()
