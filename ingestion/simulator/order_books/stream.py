"""A recording of a simulated market: its frames, its lines, its files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from ingestion.simulator.order_books.advanced_trade import AdvancedTrade
from ingestion.simulator.order_books.exchange import Exchange
from ingestion.simulator.order_books.faults import BookFaults, Line, spoilt
from ingestion.simulator.order_books.feeds import Feed, Frame
from ingestion.simulator.order_books.market import MarketSettings
from ingestion.simulator.order_books.segments import Compression, SegmentWriter, Written

FRAMES_PER_SEGMENT = 10_000
FeedName = Literal["advanced_trade", "exchange"]
FEEDS: dict[FeedName, type[Feed]] = {"advanced_trade": AdvancedTrade, "exchange": Exchange}


@dataclass(frozen=True, slots=True)
class LevelTwoStream:
    """A recording. Every iteration begins anew from the seed and gives the same."""

    settings: MarketSettings = field(default_factory=MarketSettings)
    faults: BookFaults = field(default_factory=BookFaults)
    feed: FeedName = "advanced_trade"

    def frames(self, count: int | None = None) -> Iterator[Frame]:
        """What the venue sent, reconnections included and no other fault, with the truth."""
        feed = FEEDS[self.feed](self.settings, self.faults.reconnect_at, self.faults.steps_away)
        return islice(feed.frames(), count)

    def lines(self, count: int | None = None) -> Iterator[Line]:
        """The lines of so many frames, with all faults but those of whole files."""
        return spoilt(self.frames(count), self.faults, self.settings.seed)

    def write(
        self,
        root: Path,
        *,
        frames: int | None = None,
        content_bytes: int | None = None,
        frames_per_segment: int = FRAMES_PER_SEGMENT,
        compression: Compression = "gzip",
        folder: str = "coinbase",
    ) -> Written:
        """Write segments below `<root>/raw/ready/<folder>`.

        `frames` or `content_bytes` (before compression) ends the stream, whichever comes first.
        Raises ValueError when neither is given: the stream has no end of its own.
        """
        if frames is None and content_bytes is None:
            raise ValueError("The stream is endless: say how many frames or content_bytes.")
        if frames_per_segment < 1:
            raise ValueError(f"frames_per_segment is {frames_per_segment}: at least 1.")
        writer = SegmentWriter(root, folder, frames_per_segment, compression, self.faults)
        return writer.write_all(self.lines(frames), content_bytes)
