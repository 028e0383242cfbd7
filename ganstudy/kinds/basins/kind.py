"""`basins`: which divergences keep a collapsed generator behind a barrier."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ganstudy.kinds._losses import admits_every_critic
from ganstudy.kinds._theory import Claim, OneByOne, Outcome, curve, metric, orbit
from ganstudy.kinds.basins import best_critics
from ganstudy.kinds.basins.claims import CLAIMS, checks
from ganstudy.kinds.basins.lattice import bad_basins, barrier
from ganstudy.kinds.basins.settings import BasinsSettings

if TYPE_CHECKING:
    from ganstudy.trial import Trial
    from ganstudy.variable import Variable


class Basins(BasinsSettings, OneByOne):
    r"""The landscape over n generated points: the value of each state at the best critic.

    Maths   p has mass 1/n at each of n data points, drawn from a standard normal in the plane; q
            has mass 1/n at each generated point. The value of a state is what the generator
            descends there. A bad basin is a plateau above the least value, with a state whose
            points are all at data points, that no move leaves downwards; the barrier of collapse
            is the least rise of all ways from it to recovery. Both are exact on a lattice where
            one point moves at a time along the lines between data points. Without a constraint on
            the critic only coincidences matter, and every way is one on the lattice; under a
            constraint both are upper bounds, since ways off the lattice may be lower.
    Source  Sun, Fang & Schwing 2020, "Towards a better global loss landscape of GANs".
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS
    given: ClassVar[frozenset[str]] = OneByOne.given | {"points"}

    @property
    def scheduled(self) -> str:
        """Its walk has as many states as steps."""
        return "the walk"

    def cost(self) -> float:
        """Measured: a linear programme or a descent for each state of its kind."""
        if not admits_every_critic(self.divergence):
            states: int = self.lattice.sites**self.points
            return 0.1 + 1e-3 * states
        return 2.0 if self.divergence.paired else 0.5

    def described(self) -> tuple[Variable, ...]:
        """Basins, the barrier, and the value on the way out of collapse."""
        endless = (0.0, float("inf"))
        return (
            metric("bad_basins", "bad basins of the generator's points", "lower", endless, 0.0),
            metric("barrier", "barrier between collapse and recovery", "lower", endless, 0.0),
            curve("value", "value at the best critic, on the way out of collapse"),
            orbit("recovered_value", "value at recovery"),
        )

    def compute_one(self, trial: Trial[Self]) -> Outcome:
        """The landscape of one trial, its basins and its claims."""
        stream, lattice = trial.stream("data"), self.lattice
        data, law = (
            stream.normal(size=(self.points, 2)),
            stream.dirichlet(np.full(self.points, 5.0)),
        )
        values = best_critics.of_states(self, data)
        walk, last = lattice.walk(), np.full(self.steps + 1, np.nan)
        curves = {
            "bad_basins": last.copy(),
            "barrier": last.copy(),
            "value": values[walk],
            "recovered_value": np.full(self.steps + 1, values[lattice.recovered()].min()),
        }
        curves["bad_basins"][-1] = bad_basins(lattice, values)
        curves["barrier"][-1] = barrier(lattice, values, int(walk[0]))
        kept = {name: found[self.recorded_steps] for name, found in curves.items()}
        return Outcome(kept, checks(self, data, values, law), values[lattice.section()])
