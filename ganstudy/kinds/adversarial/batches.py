"""The batches of a pack: each trial's own random numbers, drawn in blocks of rounds.

Random numbers come from NumPy on the host, whatever the device: the same trial sees the same data
and the same latent noise on every machine, and blocks need no generator state in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganstudy.kinds.adversarial.state import Batches
from ganstudy.kinds.adversarial.training_set import balanced, rows_of

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.training_set import TrainingSet
    from ganstudy.trial import Trial

    Array = NDArray[np.float32]

__all__ = ["batches", "block_length", "evaluation_latent", "evaluation_latents", "held_out"]

_BLOCK = 2**17
"""Numbers that a trial draws at once: enough to hide the call, few enough to stay in cache."""


def block_length(configuration: AdversarialSettings) -> int:
    """Rounds whose numbers are drawn together; fixed by the trial, never by its pack."""
    d_steps, m_steps = configuration.gradients
    real = d_steps * configuration.batch * configuration.target.dimension
    latent = (d_steps + m_steps) * configuration.batch * configuration.generator.latent
    return min(64, max(1, _BLOCK // (real + latent)))


def batches(
    trials: Sequence[Trial[AdversarialSettings]], device: torch.device, start: int = 0
) -> Iterator[Batches]:
    """Endless batches, those of one round at a time, from the round `start` on."""
    rounds = block_length(trials[0].configuration)
    block, skipped = divmod(start, rounds)
    source = _Source(trials, rounds, device)
    for parts in _ahead(source, block) if device.type == "cuda" else map(source, count(block)):
        for number in range(skipped, rounds):
            real, latent, *noise = (part[number] for part in parts)
            yield Batches(real, latent, tuple(noise))
        skipped = 0


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
    """Samples of p that no D-step sees, `(pack, count, dimension)`."""
    drawn = []
    for trial in trials:
        configuration, rng = trial.configuration, trial.stream("evaluation", 1)
        # Whole groups of the samples that the critic judges together, one at least.
        pac = configuration.critic.pac
        count = max(configuration.record.samples // pac, 1) * pac
        if configuration.labels:
            drawn.append(_samples(configuration, rng, count))
        else:
            drawn.append(configuration.target.held_out(rng, count))
    return torch.from_numpy(np.stack(drawn)).to(device)


class _Source:
    """The blocks of a pack on a device, each with the pack's axis behind those of rounds and steps.

    A trial's numbers are drawn by generators of its own: threads that draw for several trials at
    once change nothing.
    """

    def __init__(
        self, trials: Sequence[Trial[AdversarialSettings]], rounds: int, device: torch.device
    ) -> None:
        self.data, self.rounds, self.device = [_Data(trial) for trial in trials], rounds, device

    def __call__(self, block: int) -> list[Tensor]:
        """Draw a block, one trial after the other."""
        whole, put = self._begun(block)
        for place in range(1, len(self.data)):
            put(place)
        return whole

    def begin(self, block: int, pool: Executor) -> Callable[[], list[Tensor]]:
        """Have a block drawn by a pool of threads; what waits for it, and sends it to the device.

        It is drawn into pinned memory, from which a GPU copies while the host goes on.
        """
        whole, put = self._begun(block)
        drawn = [pool.submit(put, place) for place in range(1, len(self.data))]

        def sent() -> list[Tensor]:
            for own in drawn:
                own.result()
            return [part.to(self.device, non_blocking=True) for part in whole]

        return sent

    def _begun(self, block: int) -> tuple[list[Tensor], Callable[[int], None]]:
        """Room for a block, with the numbers of the first trial, and what puts in another's."""
        first = self.data[0].block(block, self.rounds)
        pinned = self.device.type == "cuda"
        whole = [
            torch.empty(*p.shape[:2], len(self.data), *p.shape[2:], pin_memory=pinned)
            for p in first
        ]
        views = [part.numpy() for part in whole]

        def put(place: int) -> None:
            own = self.data[place].block(block, self.rounds) if place else first
            for there, part in zip(views, own, strict=True):
                there[:, :, place] = part

        put(0)
        return whole, put


def _ahead(source: _Source, block: int) -> Iterator[list[Tensor]]:
    """Blocks from one on, the next of which is drawn while the device trains on the last."""
    pool = ThreadPoolExecutor()
    try:
        ready = source.begin(block, pool)
        for following in count(block + 1):
            parts = ready()
            ready = source.begin(following, pool)
            yield parts
    finally:
        pool.shutdown(cancel_futures=True)


class _Data:
    """The samples of p that one trial sees, fresh ones or rows of its training set."""

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
        """The parts of `Batches` for some rounds, of this trial alone."""
        latent = _latent(self.trial, block, rounds)
        return [self.draw(block, rounds), latent, *self.noise(block, rounds)]

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
        return drawn.reshape(*shape, -1)

    def noise(self, block: int, rounds: int) -> tuple[Array, ...]:
        """What each acting constraint draws, `(rounds, D- and M-gradients, *, *)`, one after the
        other from one stream.
        """
        configuration = self.trial.configuration
        total = configuration.steps // configuration.generator.steps
        progress = np.minimum((block * rounds + np.arange(rounds)) / total, 1.0)
        gradients, batch = sum(configuration.gradients), configuration.batch
        shape = (gradients, batch, configuration.target.dimension + configuration.labels)
        rng, noise = self.trial.stream("constraint", block), []
        for constraint in configuration.constraint.acting:
            drawn = constraint.draw(rng, progress, shape, batch // configuration.critic.pac)
            if drawn is None:
                drawn = np.empty((rounds, gradients, 0, 0), np.float32)
            elif constraint.perturbs and configuration.labels:
                drawn[..., -configuration.labels :] = 0  # labels are told as they are
            noise.append(drawn)
        return tuple(noise)


def _latent(trial: Trial[AdversarialSettings], block: int, rounds: int) -> Array:
    """`(rounds, D- and M-gradients, batch, latent + labels)`."""
    configuration = trial.configuration
    shape = (rounds, sum(configuration.gradients), configuration.batch)
    drawn = _latents(configuration, trial.stream("latent", block), int(np.prod(shape)))
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


def _latents(configuration: AdversarialSettings, rng: np.random.Generator, count: int) -> Array:
    """Latent noise, `(count, latent + labels)`; its labels follow the law of p's."""
    size = (count, configuration.generator.latent)
    if configuration.generator.latent_law == "normal":
        noise = rng.standard_normal(size, dtype=np.float32)
    else:
        noise = 2 * rng.random(size, dtype=np.float32) - 1
    if not configuration.labels:
        return noise
    _, labels = configuration.target.sample_labelled(rng, count)
    return _with_labels(noise, labels, configuration.labels)


def _with_labels(samples: Array, labels: NDArray[np.int64], count: int) -> Array:
    one_hot = np.zeros((len(samples), count), np.float32)
    one_hot[np.arange(len(samples)), labels] = 1
    return np.concatenate([samples, one_hot], axis=1)
