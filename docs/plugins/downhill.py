"""A kind of the user's own."""

import numpy as np
from pydantic import Field

from ganstudy.engine.flight import Flight
from ganstudy.engine.session import ALONE
from ganstudy.kinds import Kind
from ganstudy.trial import Record
from ganstudy.variable import Reading, Variable


class Downhill(Kind):
    """A number that descends its own square by gradient steps.

    Source  this page.
    """

    steps: int = Field(10, ge=1, description="steps")
    lr: float = Field(0.1, gt=0, description="step size")

    def pack_key(self):  # trials that agree on it may train together
        return f"downhill {self.steps}"

    def graph_key(self):  # those that agree on it share a compiled step, if there is any
        return "downhill"

    def cost(self):  # seconds that a trial takes, about
        return 1e-4

    def working_set(self):  # bytes that a trial touches in a step
        return 8

    def variables(self):
        height = Reading("height above the bottom", "m", "lower", (0.0, 100.0), 0.0)
        return Variable.of_metric("height", height), Variable("ends", "first and last", ("end",))

    def train(self, trials, session=ALONE):
        flight, lr = Flight(trials, session), np.array([t.configuration.lr for t in trials])
        path = [np.array([trial.stream("init").normal() for trial in trials])]
        for _ in range(self.steps):
            path.append(path[-1] - 2 * lr * path[-1])
        step, x = np.arange(self.steps + 1), np.stack(path, axis=1)
        return [
            Record.of(
                trial,
                flight,
                self.variables(),
                {"step": step, "height": (own**2).astype(np.float32), "ends": own[[0, -1]]},
                flight.seconds / len(trials),
            )
            for trial, own in zip(trials, x, strict=True)
        ]
