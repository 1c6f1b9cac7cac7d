"""Write segments by hand: `python -m ingestion.simulator.order_books --root data/simulated`."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingestion.simulator.order_books import (
    CcxtSettings,
    LevelTwoStream,
    MarketSettings,
    write_ccxt_segments,
)
from ingestion.simulator.order_books.segments import Compression
from ingestion.simulator.order_books.stream import FRAMES_PER_SEGMENT, FeedName


def main(
    *,
    root: Annotated[Path, typer.Option(help="The segments go below its raw/ready.")],
    seed: int = 7,
    start: Annotated[datetime | None, typer.Option(help="In UTC.")] = None,
    frames: Annotated[int, typer.Option(min=1)] = 10_000,
    frames_per_segment: Annotated[int, typer.Option(min=1)] = FRAMES_PER_SEGMENT,
    feed: FeedName = "advanced_trade",
    compression: Compression = "gzip",
    ccxt_steps: Annotated[int, typer.Option(min=0, help="Of the market, for CCXT as well.")] = 0,
) -> None:
    """Write a simulated market as Coinbase segments, and as CCXT segments if asked for."""
    settings = MarketSettings(seed)
    if start is not None:
        settings = replace(settings, start=start.replace(tzinfo=UTC))
    written = LevelTwoStream(settings, feed=feed).write(
        root, frames=frames, frames_per_segment=frames_per_segment, compression=compression
    )
    typer.echo(
        f"{written.frames:,} frames, {written.updates:,} updates, "
        f"{written.content_bytes:,} bytes before compression"
    )
    paths = written.paths
    if ccxt_steps:
        for more in write_ccxt_segments(root, settings, CcxtSettings(), steps=ccxt_steps).values():
            paths = paths + more
    for path in paths:
        typer.echo(path)


if __name__ == "__main__":
    typer.run(main)
