"""What a target is: a law p that can be sampled, with the truths that are known about it."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ganstudy.family import Member

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._image import Image

    Array = NDArray[np.floating]


class Modes(Protocol):
    """The modes of a target, and which of them a sample belongs to.

    Where a classifier that errs reads them, they have `confusions` as well: for each class of which
    a mode is made how many held-out images of one (row) it reads as another, `(classes, classes)`;
    and they may have `judged`, how many of each class these are, where to ask trains no classifier.
    """

    @property
    def weights(self) -> Array:
        """Share of p of each mode, shape `(modes,)` with sum 1."""

    def assign(self, samples: Array, radius: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The mode of each sample, and whether the sample is of high quality.

        `radius` is in standard deviations of a mode in the plane; in another dimension, or for
        data, it stands for the share of p that it holds there, 1 - exp(-radius^2 / 2); for modes
        that are points, for thirds of the way that they have for themselves. A sample that is not
        finite is of low quality.

        Shapes  `(*, dimension) -> (*), (*)`.
        """

    def high_quality_share(self, radius: float) -> float:
        """Share of samples of p itself that are of high quality."""


class Target(Member, ABC):
    """The law p of the data, in plain NumPy so that reports can draw it without torch.

    Labels  a target with `labels > 0` also gives samples with their labels, 0 to `labels - 1`.
            Where it has modes as well, label k is mode k.
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of features of one sample."""

    @property
    def image(self) -> Image | None:
        """The shape of a sample where it is an image, with `dimension` numbers; None otherwise."""
        return None

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws from p, shape `(count, dimension)`."""

    @abstractmethod
    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance of p, shapes `(dimension,)` and `(dimension, dimension)`."""

    @property
    def has_density(self) -> bool:
        """Whether p has a density with respect to volume: whether a member states `log_prob`."""
        return type(self).log_prob is not Target.log_prob

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, -inf outside the support; shapes `(*, dimension) -> (*)`.

        Errors  `NotImplementedError` where `has_density` is false.
        """
        raise NotImplementedError(f"{self.name} has no density")

    def known_modes(self) -> Modes | None:
        """The modes of p; None for a law that has none."""
        return None

    @classmethod
    def has_modes(cls) -> bool:
        """Whether a member states `known_modes`."""
        return cls.known_modes is not Target.known_modes

    @property
    def mode_names(self) -> tuple[str, ...]:
        """What the user calls the modes, in their order; empty where they have numbers alone."""
        return ()

    @property
    def mode_factors(self) -> tuple[tuple[str, int], ...]:
        """What the number of a mode is made of, the first slowest, with how many values each has:
        `(("first digit", 10), ("second digit", 10))`; nothing where modes are only numbered.
        """
        return ()

    def nearest_training(self, samples: Array) -> NDArray[np.float32] | None:
        """The training row nearest to each sample by Euclid, `(count, dimension)`; None where p is
        not the law of given rows.
        """
        return None

    @property
    def labels(self) -> int:
        """Number of labels; 0 for a target without labels."""
        return 0

    @property
    def label_shares(self) -> Array:
        """Share of p of each label, `(labels,)` with sum 1: those of the modes, or equal ones; none
        of a target without labels."""
        if not self.labels:
            return np.zeros(0)
        modes = self.known_modes()
        return np.full(self.labels, 1 / self.labels) if modes is None else modes.weights

    @property
    def untrained(self) -> str:
        """Why the labels cannot be told to trials; empty where they can."""
        return ""

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The draws of `sample` with their labels, shapes `(count, dimension)` and `(count,)`.

        Errors  `NotImplementedError` where `labels` is 0.
        """
        raise NotImplementedError(f"{self.name} has no labels")

    def held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws that no training step sees, shape `(count, dimension)`.

        Of a law that can be sampled without end these are fresh draws; of data, held-out rows.
        """
        return self.sample(rng, count)

    @property
    def unseen_rows(self) -> int | None:
        """How many different held-out samples there are; None where there is no end of them."""
        return None

    def unseen(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Different samples that no training step sees; of data, each held-out row once at most.

        Shape  `(count, dimension)`, or as many as there are.
        """
        return self.held_out(rng, count)

    @property
    def copied_rows(self) -> int:
        """How many of the given held-out rows are the same as a training row."""
        return 0

    def held_out_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The draws of `held_out` with their labels; see `sample_labelled`.

        Errors  `NotImplementedError` where `labels` is 0, or those of held-out rows are unknown.
        """
        if self.holds_out:
            raise NotImplementedError(f"{self.name} does not know the labels of held-out rows")
        return self.sample_labelled(rng, count)

    @property
    def holds_out(self) -> bool:
        """Whether p is the law of given rows, with others held out."""
        return type(self).held_out is not Target.held_out

    @property
    def labels_held_out(self) -> bool:
        """Whether samples that no training step sees have labels, where those it sees have."""
        return not self.holds_out or type(self).held_out_labelled is not Target.held_out_labelled

    @property
    def gone(self) -> str:
        """Why data of the user's own, which trials have seen, have no values here; else empty."""
        return ""

    def account(self) -> list[str]:
        """What was read from the user's files, in lines for the user to see; nothing otherwise."""
        return []

    @property
    def description(self) -> str:
        """What p is, in a sentence; for data, with the number of rows."""
        return inspect.cleandoc(type(self).__doc__ or "").splitlines()[0]
