"""Errors that a user can act on. Their text is the whole message: what, where, and what to do."""


class MarketFinderError(Exception):
    """The work could not be done."""

    exit_code = 1


class SettingsError(MarketFinderError):
    """A setting or an argument is wrong."""

    exit_code = 2


class VenueError(MarketFinderError):
    """A venue did not answer, or not in the shape that is documented."""


class RefusedError(VenueError):
    """A venue does not accept what it was asked for, and may accept a part of it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class FileError(MarketFinderError):
    """An archived payload file is absent or unreadable."""


class WarehouseError(MarketFinderError):
    """The warehouse file cannot be opened or written."""


class BusyError(WarehouseError):
    """Another process has the warehouse."""

    exit_code = 4


class PublishError(MarketFinderError):
    """What was built cannot be published; what was published before is as it was."""


class TimedOutError(MarketFinderError):
    """A step took longer than it may."""

    exit_code = 5


class BuildError(MarketFinderError):
    """A model could not be built, or a test on it failed."""


class ParquetError(MarketFinderError):
    """Parquet files cannot be written, read or put in the place of others."""


class ScorerError(MarketFinderError):
    """The scorer of pairs is absent or wrong, or cannot be made."""
