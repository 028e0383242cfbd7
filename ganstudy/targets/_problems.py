"""What is wrong with data."""

__all__ = ["DataError"]


class DataError(ValueError):
    """A file that cannot serve as data; says which file, and what about it."""
