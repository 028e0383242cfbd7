"""What is wrong with data."""

from collections.abc import Sequence

__all__ = ["ChangedDataError", "DataError", "some"]


class DataError(ValueError):
    """A file that cannot serve as data; says which file, and what about it."""


class ChangedDataError(DataError):
    """A file that is no longer what the study was read with; no trial is at fault."""


def some(texts: Sequence[str], most: int) -> str:
    """The first of the texts, and how many more there are."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
