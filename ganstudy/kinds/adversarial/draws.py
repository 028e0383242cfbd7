"""The random numbers of a trial: samples of p, latent noise, and what its constraints draw.

They come from NumPy on the host, whatever the device: the same trial sees the same data and the
same latent noise on every machine, and blocks need no generator state in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganstudy.kinds.adversarial.training_set import balanced, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.training_set import TrainingSet
    from ganstudy.trial import Trial

    Array = NDArray[np.float32]

__all__ = ["Data", "evaluation_latent", "evaluation_latents", "held_out", "noise"]


class Data:
    """The samples of p that a trial sees, fresh ones or rows of its training set."""

    def __init__(self, trial: Trial[AdversarialSettings]) -> None:
        self.trial = trial
        configuration = trial.configuration
        self.rows: Array | None = None
        self.groups: NDArray[np.int64] | None = None
        self.training_set = configuration.reused
        if self.training_set is not None:
            self.rows = _reused(configuration, trial.stream("training_set"), self.training_set)
            self.groups = self._grouped(self.training_set)

    def _grouped(self, training_set: TrainingSet) -> NDArray[np.int64] | None:
        """Rows that stay together, `(groups, pac)`; None where each comes alone."""
        if training_set.groups is None:
            return None
        size = (training_set.groups, self.trial.configuration.critic.pac)
        return self.trial.stream("training_set", 1).integers(training_set.size, size=size)

    def block(self, block: int, rounds: int) -> list[Array]:
        """Samples and latent noise of some rounds, the first parts of `Batches`."""
        return [self.draw(block, rounds), _latent(self.trial, block, rounds)]

    def draw(self, block: int, rounds: int) -> Array:
        """`(rounds, D-gradients, batch, dimension + labels)`."""
        configuration = self.trial.configuration
        shape = (rounds, configuration.gradients[0], configuration.batch)
        if self.rows is None or self.training_set is None:
            rng = self.trial.stream("data", block)
            drawn = _samples(configuration, rng, int(np.prod(shape)))
        else:
            streams = partial(self.trial.stream, "data")
            count = shape[0] * shape[1]
            together = 1 if self.groups is None else configuration.critic.pac
            batch = configuration.batch // together
            rows = rows_of(self.training_set, streams, block, count, batch)
            rows = rows if self.groups is None else self.groups[rows]
            drawn = np.take(self.rows, rows.ravel(), axis=0)
        return drawn.reshape(*shape, configuration.target.dimension + configuration.labels)


def noise(trial: Trial[AdversarialSettings], block: int, rounds: int) -> tuple[Array, ...]:
    """What each acting constraint draws, `(rounds, D- and M-gradients, *, *)`, one after the other
    from one stream.
    """
    configuration = trial.configuration
    if not configuration.constraint.acting:
        return ()  # no stream need be made, which takes longer than all else here
    total = configuration.steps // configuration.generator.steps
    progress = np.minimum((block * rounds + np.arange(rounds)) / total, 1.0)
    gradients, batch = sum(configuration.gradients), configuration.batch
    shape = (gradients, batch, configuration.target.dimension + configuration.labels)
    rng = trial.stream("constraint", block)
    drawn: list[Array] = []
    for constraint in configuration.constraint.acting:
        own = constraint.draw(rng, progress, shape, batch // configuration.critic.pac)
        if own is None:
            own = np.empty((rounds, gradients, 0, 0), np.float32)
        elif constraint.perturbs and configuration.labels:
            own[..., -configuration.labels :] = 0  # labels are told as they are
        drawn.append(own)
    return tuple(drawn)


def _latent(trial: Trial[AdversarialSettings], block: int, rounds: int) -> Array:
    """`(rounds, D- and M-gradients, batch, latent + labels)`."""
    configuration = trial.configuration
    shape = (rounds, sum(configuration.gradients), configuration.batch)
    rng, count = trial.stream("latent", block), int(np.prod(shape))
    drawn = _latents(configuration, rng, count, configuration.reused)
    return drawn.reshape(*shape, -1)


def _samples(configuration: AdversarialSettings, rng: np.random.Generator, count: int) -> Array:
    """Samples of p, `(count, dimension + labels)`, the label one-hot behind them."""
    if not configuration.labels:
        return configuration.target.sample(rng, count)
    samples, labels = configuration.target.sample_labelled(rng, count)
    return _with_labels(samples, labels, configuration.labels)


def _reused(
    configuration: AdversarialSettings, rng: np.random.Generator, training_set: TrainingSet
) -> Array:
    """The samples of a training set, `(size, dimension + labels)`."""
    if not training_set.balanced:
        return _samples(configuration, rng, training_set.size)
    target = configuration.target
    draw = partial(target.sample_labelled, rng)
    samples, labels = balanced(draw, training_set.size, target.labels)
    return _with_labels(samples, labels, configuration.labels) if configuration.labels else samples


def _latents(
    configuration: AdversarialSettings,
    rng: np.random.Generator,
    count: int,
    beside: TrainingSet | None = None,
) -> Array:
    """Latent noise, `(count, latent + labels)`; its labels come as often as p's, or as those of the
    training set that the critic sees beside it, by which it could tell the two apart.
    """
    size = (count, configuration.generator.latent)
    if configuration.generator.latent_law == "normal":
        noise = rng.standard_normal(size, dtype=np.float32)
    else:
        noise = 2 * rng.random(size, dtype=np.float32) - 1
    if not configuration.labels:
        return noise
    if beside is not None and beside.balanced:
        labels = rng.integers(beside.size, size=count) % configuration.labels
    else:
        _, labels = configuration.target.sample_labelled(rng, count)
    return _with_labels(noise, labels, configuration.labels)


def _with_labels(samples: Array, labels: NDArray[np.int64], count: int) -> Array:
    one_hot = np.zeros((len(samples), count), np.float32)
    one_hot[np.arange(len(samples)), labels] = 1
    return np.concatenate([samples, one_hot], axis=1)


def evaluation_latent(trials: Sequence[Trial[AdversarialSettings]], device: torch.device) -> Tensor:
    """Latent noise held fixed through training, `(pack, record.samples, latent + labels)`."""
    drawn = [next(evaluation_latents(trial)) for trial in trials]
    return torch.from_numpy(np.stack(drawn)).to(device)


def evaluation_latents(trial: Trial[AdversarialSettings]) -> Iterator[Array]:
    """Endless latent noise, `record.samples` rows at a time, that which is held fixed first."""
    configuration, rng = trial.configuration, trial.stream("evaluation")
    while True:
        yield _latents(configuration, rng, configuration.record.samples)


def held_out(trials: Sequence[Trial[AdversarialSettings]], device: torch.device) -> Tensor:
    """Samples of p that no D-step sees, `(pack, count, dimension + labels)`.

    With labels, any samples of a target that does not know those of what it holds out.
    """
    drawn = []
    for trial in trials:
        configuration, rng = trial.configuration, trial.stream("evaluation", 1)
        # Whole groups of the samples that the critic judges together, one at least.
        pac = configuration.critic.pac
        count = max(configuration.record.samples // pac, 1) * pac
        if configuration.labels:
            target = configuration.target
            draw = target.held_out_labelled if target.labels_held_out else target.sample_labelled
            drawn.append(_with_labels(*draw(rng, count), configuration.labels))
        else:
            drawn.append(configuration.target.held_out(rng, count))
    # As batches are, whatever precision a plug-in draws in.
    return torch.from_numpy(np.stack(drawn, dtype=np.float32, casting="same_kind")).to(device)
