"""Recording: the curves and samples of a pack, moved to the host at each recorded step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ganstudy.cause import cleaned, gap
from ganstudy.family import canonical_json
from ganstudy.film import FILM, IMAGE_FILM
from ganstudy.kinds.adversarial.affine import critic_error, exact_value
from ganstudy.kinds.adversarial.camera import Camera
from ganstudy.kinds.adversarial.draws import evaluation_latent, held_out
from ganstudy.kinds.adversarial.equilibrium import measured
from ganstudy.kinds.adversarial.generator_file import content
from ganstudy.kinds.adversarial.recorded import variables
from ganstudy.metrics import measured_by
from ganstudy.trial import Record
from ganstudy.variable import names_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.engine.chance import Chance
    from ganstudy.engine.flight import Flight
    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.state import Diagnostics, State
    from ganstudy.kinds.adversarial.step import Rules
    from ganstudy.metrics import Metric
    from ganstudy.trial import Trial

    Array = NDArray[np.float32]
    Kept = dict[str, NDArray[Any]]

__all__ = ["Recorder", "recorded_steps"]

JUDGED = 500
"""Samples of each law at which a critic is held against the best one."""


def recorded_steps(configuration: AdversarialSettings) -> NDArray[np.int64]:
    """M-steps at which a trial is measured: every so many, and the last."""
    every, last = configuration.record.every, configuration.steps
    return np.unique([*range(every, last + 1, every), last])


class Recorder:
    """What is kept of the trials of a pack; the stack may hold copies behind them.

    curves  `(trials, recorded steps)` each, NaN where a trial has diverged or training has not
            come; beside them, by other names, the frames of films `(trials, frames, *)`
    """

    def __init__(
        self,
        trials: Sequence[Trial[AdversarialSettings]],
        stack: Sequence[Trial[AdversarialSettings]],
        device: torch.device,
        chance: Chance,
    ) -> None:
        self.trials, self.stack, self.chance = trials, stack, chance
        self.steps = recorded_steps(trials[0].configuration)
        self.curves: Kept = {}
        self.gaps: list[dict[str, str]] = [{} for _ in trials]
        self.camera = Camera(trials, stack, self.steps, device)
        self.latent = evaluation_latent(stack, device)
        self.labels: NDArray[np.int64] | None = None
        if labels := trials[0].configuration.labels:
            self.labels = _on_host(self.latent[: len(trials), :, -labels:].argmax(-1))
        # Trials whose generator has a known law, against which their critics can be held.
        self.known = [
            "critic_error" in names_of(variables(trial.configuration)) for trial in trials
        ]
        self.reused = any(trial.configuration.holds_out for trial in trials)
        self.unseen = held_out(stack, device) if self.reused or any(self.known) else None
        # Trials that share target and metrics are measured in one call.
        self.groups: dict[str, list[int]] = {}
        for place, trial in enumerate(trials):
            settings = trial.configuration.model_dump(include={"target", "record"})
            self.groups.setdefault(canonical_json(settings), []).append(place)

    def record(
        self, step: int, game: Rules, state: State, diagnostics: Diagnostics
    ) -> NDArray[np.bool_]:
        """Measure and keep the pack at one step; which trials are alive.

        Errors  `RuntimeError` where a plug-in has drawn what no seed sets.
        """
        self.chance.undrawn()
        count = len(self.trials)
        alive: NDArray[np.bool_] = _on_host(state.alive)[:count]
        values = {name: _on_host(value)[:count] for name, value in diagnostics.items()}
        if self.reused and self.unseen is not None:
            values["held_out_logit"] = _on_host(game.logits(state, self.unseen).mean(-1))[:count]
        fake = game.sample(state.generator, self.latent)
        last = step == self.steps[-1]
        values |= self._metrics(_on_host(fake)[:count], "", last, alive)
        if game.average is not None:
            averaged = game.sample(state.generator, self.latent, averaged=True)
            values |= self._metrics(_on_host(averaged)[:count], "average_", last, alive)
        values["bound"] = self._bounds(values["critic_loss"])
        if any(self.known) and self.unseen is not None:
            values |= self._against_the_best(game, state, self.unseen, fake)
        if last and self.trials[0].configuration.record.equilibrium is not None:
            values |= measured(self.trials, self.stack, game, state)
        column = int(np.searchsorted(self.steps, step))
        for name, value in values.items():
            empty = np.full((count, len(self.steps)), np.nan, np.float32)
            curve = self.curves.setdefault(name, empty)
            curve[:, column] = np.where(alive, value, np.nan)
        self.camera.take(step, game, state, fake, alive, self.curves)
        return alive

    def records(self, game: Rules, state: State, flight: Flight) -> list[Record]:
        """The finished records; samples, and generators that are kept, are those of the last finite
        parameters.
        """
        samples = _on_host(game.sample(state.generator, self.latent))
        alive, survived = _on_host(state.alive), _on_host(state.survived)
        curves = self.curves.keys() - {variable.name for variable in (*FILM, *IMAGE_FILM)}
        seconds = flight.seconds / len(self.trials)
        return [
            Record.of(
                trial,
                flight,
                stated := variables(trial.configuration),
                {
                    "step": self.steps,
                    **{v.name: self.curves[v.name][place] for v in stated if v.name in curves},
                    "samples": samples[place],
                    **({} if self.labels is None else {"labels": self.labels[place]}),
                    **self.camera.film(place, self.curves),
                },
                seconds,
                math.nan if alive[place] else float(survived[place] + 1),
                cleaned("\n".join(self.gaps[place].values())),
                content(trial, game.generator, state.generator, place)
                if trial.configuration.record.generator
                else b"",
            )
            for place, trial in enumerate(self.trials)
        ]

    def _metrics(
        self, samples: Array, prefix: str, last: bool, alive: NDArray[np.bool_]
    ) -> dict[str, Array]:
        """Each living trial's own metrics; those that are costly at the last step alone."""
        values: dict[str, Array] = {}
        for group in self.groups.values():
            places = [place for place in group if alive[place]]
            for metric in self.trials[group[0]].configuration.record.metrics:
                if metric.at == "end" and not last:
                    continue
                name = prefix + metric.recorded_as
                empty = np.full(len(self.trials), np.nan, np.float32)
                column = values.setdefault(name, empty)
                # A plug-in's may look at all clouds at once, or draw as many numbers as they have.
                alone = bool(metric.plugin)
                if alone or (places and not self._measured(metric, name, samples, places, column)):
                    for place in places:  # what it raises for one says nothing of the others
                        self._measured(metric, name, samples, [place], column)
        return values

    def _measured(
        self, metric: Metric, name: str, samples: Array, places: list[int], column: Array
    ) -> bool:
        """Put a metric of some trials into its column; whether that could be done for several."""
        target = self.trials[places[0]].configuration.target
        labels = None if self.labels is None else self.labels[places]
        try:
            try:
                measured = measured_by(metric, samples[places], labels, target)
            finally:  # what it drew before it raised is not the next one's
                self.chance.undrawn()
            column[places] = measured
        except Exception as error:  # what one metric raises is no reason to lose the rest
            if len(places) > 1:
                return False
            self.gaps[places[0]].setdefault(name, gap(name, error))
        return True

    def _bounds(self, critic_loss: Array) -> Array:
        """Each trial's bound on its divergence; NaN where there is none."""
        bounds = np.full(len(self.trials), np.nan, np.float32)
        for place, trial in enumerate(self.trials):
            bound = trial.configuration.divergence.bound(critic_loss[place].astype(np.float64))
            if bound is not None:
                bounds[place] = bound
        return bounds

    def _against_the_best(
        self, game: Rules, state: State, unseen: Tensor, fake: Tensor
    ) -> dict[str, Array]:
        """Where the law of the generator is known: the exact divergence, and how far the critic is
        from the best one on samples of both laws.
        """
        exact = np.full(len(self.trials), np.nan, np.float32)
        error = exact.copy()
        unseen = unseen[:, :JUDGED]
        both = torch.cat([unseen, fake[:, : unseen.shape[1]]], dim=1)
        points, logits = _on_host(both), _on_host(game.logits(state, both))
        for place, trial in enumerate(self.trials):
            if self.known[place]:
                split = game.generator.split(state.generator.parameters[place : place + 1])
                parameters = {name: _on_host(value)[0] for name, value in split.items()}
                known = trial.configuration.divergence, trial.configuration.target, parameters
                exact[place] = exact_value(*known)
                error[place] = critic_error(*known, points[place], logits[place])
        return {"exact": exact, "critic_error": error}


def _on_host(value: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = value.detach().cpu().numpy()
    return array
