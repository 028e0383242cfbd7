"""How a row of numbers is an image."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FARTHEST", "Image"]

FARTHEST = 10
"""Where pixels end for what looks at images: what has blown up is far away, and not missing."""


class Image(NamedTuple):
    """The shape of a sample that is an image: rows hold it channel by channel, line by line.

    Values lie on [-1, 1], from black to white.
    """

    channels: int
    height: int
    width: int
