"""What is wrong with data."""

__all__ = ["TableError"]


class TableError(ValueError):
    """A file that cannot serve as data; says which file, and what about it."""
