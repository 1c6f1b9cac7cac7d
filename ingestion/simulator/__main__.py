"""Run the simulator by hand: `python -m ingestion.simulator --port 8000 --truth truth.csv`."""

import csv
import threading
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingestion.simulator import Faults, TruePair, World, serve


def write_truth(world: World, path: Path) -> int:
    """One line a pair; returns how many."""
    pairs = world.truth()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(TruePair)])
        writer.writeheader()
        writer.writerows(asdict(pair) for pair in pairs)
    return len(pairs)


def main(
    *,
    seed: int = 7,
    kalshi_markets: Annotated[int, typer.Option(min=0)] = 1_200,
    polymarket_markets: Annotated[int, typer.Option(min=0)] = 2_400,
    tick: Annotated[int, typer.Option(min=0, help="How many steps of change since the start.")] = 0,
    now: Annotated[datetime | None, typer.Option(help="In UTC; else the clock.")] = None,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    faults: Annotated[bool, typer.Option(help="A 429 or a dropped line at times.")] = False,
    truth: Annotated[Path | None, typer.Option(help="A CSV for what is true of the pairs.")] = None,
) -> None:
    """Serve both venues on loopback until interrupted."""
    moment = datetime.now(UTC) if now is None else now.replace(tzinfo=UTC)
    world = World(seed, kalshi_markets, polymarket_markets, moment, tick)
    with serve(world, Faults.usual() if faults else Faults(), port) as server:
        typer.echo(f"Kalshi      {server.kalshi_url}")
        typer.echo(f"Polymarket  {server.polymarket_url}")
        typer.echo(f"CLOB        {server.clob_url}")
        if truth is not None:
            typer.echo(f"{write_truth(world, truth):,} pairs written to {truth}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("Stopped.")


if __name__ == "__main__":
    typer.run(main)
