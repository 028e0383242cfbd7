"""What is wrong with data."""

from collections.abc import Sequence

__all__ = ["ChangedDataError", "DataError", "some", "unreadable"]


class DataError(ValueError):
    """A file that cannot serve as data; says which file, and what about it."""


class ChangedDataError(DataError):
    """A file that is no longer what the study was read with; no trial is at fault."""


def unreadable(path: object, error: Exception) -> DataError:
    """What a format's own reader says of a file, but for advice that no study can follow."""
    why = str(error)
    if "allow_pickle" in why:
        why = "it holds no numbers that NumPy has written, but objects, or text under another name"
    return DataError(f"{path}: cannot be read: {why}")


def some(texts: Sequence[str], most: int) -> str:
    """The first of the texts, and how many more there are."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
