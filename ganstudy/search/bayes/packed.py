"""Packs of points that are trained together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganstudy.engine.packing import PackSize
    from ganstudy.kinds import Pack

__all__ = ["whole_points"]


def whole_points(ready: Sequence[Pack], slots: int, seeds: int, size: PackSize) -> list[Pack]:
    """Packs of whole points, which wait for no other pack; at least one for each slot.

    ready  trials of a point each, as many as there are `seeds` at most
    """
    shapes: dict[str, list[Pack]] = {}
    for trials in ready:
        shapes.setdefault(trials[0].configuration.pack_key(), []).append(trials)
    share = math.ceil(len(ready) / slots)
    parts: list[Pack] = []
    for own in shapes.values():
        most = size.most_of(own[0][0].configuration)
        points = max(1, min(share, most // seeds))
        count = math.ceil(len(own) / points)
        for part in range(count):
            trials = tuple(itertools.chain(*own[part::count]))
            parts += [trials[i : i + most] for i in range(0, len(trials), most)]
    return sorted(parts, key=lambda pack: -len(pack) * pack[0].configuration.cost())
