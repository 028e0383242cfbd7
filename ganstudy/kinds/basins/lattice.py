r"""States of n generated points, and what a landscape over them looks like.

A point can be at one of n data points, or on the way between two of them: sites are the corners of
a complete graph and the places that cut each of its edges into equally long moves. A state says
where each point is; in a move one point goes to a site beside its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Indices = NDArray[np.int64]

LEVEL = 1e-8
"""Values that differ by less are the same height: what finding the best critic leaves open."""


@dataclass(frozen=True)
class Lattice:
    """Sites between `points` data points, `steps` moves apart.

    Data points are the sites 0 to points - 1.
    """

    points: int
    steps: int

    @property
    def sites(self) -> int:
        """Data points, and steps - 1 places on each edge."""
        return self.points + (self.steps - 1) * self.points * (self.points - 1) // 2

    def way(self, start: int, end: int) -> Indices:
        """Sites from one data point to another, both included."""
        if start > end:
            return self.way(end, start)[::-1]
        edge = list(combinations(range(self.points), 2)).index((start, end))
        first = self.points + edge * (self.steps - 1)
        return np.array([start, *range(first, first + self.steps - 1), end])

    @cached_property
    def states(self) -> Indices:
        """`(states, points)`, the site of each point; states count in base `sites`."""
        shape = (self.sites,) * self.points
        return np.stack(np.unravel_index(np.arange(self.sites**self.points), shape), axis=-1)

    def index(self, states: Indices) -> Indices:
        """Rows of `states`, `(*, points) -> (*,)`."""
        return np.asarray(np.ravel_multi_index(tuple(states.T), (self.sites,) * self.points))

    def positions(self, data: Array) -> Array:
        """Where the sites are, from where the data points are; `(sites, dimension)`."""
        placed = np.empty((self.sites, data.shape[1]))
        share = np.linspace(0, 1, self.steps + 1)[:, None]
        for start, end in combinations(range(self.points), 2):
            placed[self.way(start, end)] = (1 - share) * data[start] + share * data[end]
        return placed

    @cached_property
    def moves(self) -> Indices:
        """`(moves, 2)`, pairs of states that one move makes of each other."""
        ways = [self.way(*pair) for pair in combinations(range(self.points), 2)]
        beside = np.concatenate([np.stack([way[:-1], way[1:]], -1) for way in ways])
        found = []
        for point in range(self.points):
            weight = self.sites ** (self.points - 1 - point)
            for one, other in beside:
                at = np.flatnonzero(self.states[:, point] == one)
                found.append(np.stack([at, at + (other - one) * weight], -1))
        return np.concatenate(found)

    def recovered(self) -> NDArray[np.bool_]:
        """Whether a state has a generated point at each data point."""
        return np.asarray((np.sort(self.states) == np.arange(self.points)).all(-1))

    def walk(self) -> Indices:
        """States of the straight way out of collapse.

        All points at the first data point, then the last one moves to the last data point.
        """
        states = np.zeros((self.steps + 1, self.points), dtype=np.int64)
        states[:, -1] = self.way(0, self.points - 1)
        return self.index(states)

    def section(self) -> Indices:
        """`(steps + 1, steps + 1)`: the first and the last point between the first and the last
        data point, the others at their own."""
        way = self.way(0, self.points - 1)
        states = np.tile(np.arange(self.points), (len(way), len(way), 1))
        states[..., 0], states[..., -1] = way[:, None], way[None]
        return self.index(states.reshape(-1, self.points)).reshape(len(way), len(way))


def barrier(lattice: Lattice, values: Array, start: int) -> float:
    """How far every way from a state to recovery has to rise above it: the least rise of all."""
    first, second = lattice.moves.T
    # No way is lower than its start; heights within rounding are one.
    heights = np.unique(np.round(np.maximum(values, values[start]) / LEVEL)) * LEVEL
    goal = lattice.recovered()
    low, high = 0, len(heights) - 1
    while low < high:
        middle = (low + high) // 2
        open_ = values <= heights[middle] + LEVEL
        label = _components(len(values), first, second, open_[first] & open_[second])
        if (label[goal & open_] == label[start]).any():
            high = middle
        else:
            low = middle + 1
    rise = float(heights[low] - values[start])
    return rise if rise > LEVEL else 0.0


def bad_basins(lattice: Lattice, values: Array) -> int:
    """Plateaus above the least value, with a state that is on data points, which no move lowers."""
    first, second = lattice.moves.T
    rise = values[second] - values[first]
    label = _components(len(values), first, second, np.abs(rise) <= LEVEL)
    left = np.zeros(label.max() + 1, dtype=bool)
    left[label[first[rise < -LEVEL]]] = True
    left[label[second[rise > LEVEL]]] = True
    on_data = (lattice.states < lattice.points).all(-1)
    collapsed = np.zeros_like(left)
    collapsed[label[on_data & (values > values.min() + LEVEL)]] = True
    return int((collapsed & ~left).sum())


def _components(states: int, first: Indices, second: Indices, kept: NDArray[np.bool_]) -> Indices:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(int(kept.sum()))
    graph = coo_array((ones, (first[kept], second[kept])), shape=(states, states))
    return np.asarray(connected_components(graph, directed=False)[1])
