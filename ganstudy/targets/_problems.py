"""What is wrong with data."""

from collections.abc import Sequence

__all__ = ["DataError", "some"]


class DataError(ValueError):
    """A file that cannot serve as data; says which file, and what about it."""


def some(texts: Sequence[str], most: int) -> str:
    """The first of the texts, and how many more there are."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
