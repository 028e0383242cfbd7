"""Samples of a trained generator, and what has to be known to read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.targets import RowsTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.targets import Image

__all__ = ["Sampled", "legend"]


@dataclass(frozen=True, eq=False)
class Sampled:
    """Samples of a trial's generator.

    samples  `(count, dimension)`, or `(count, channels, height, width)` of a target with images
    latent   what each was made from, `(count, latent)`
    labels   the label that each was made under; None without labels
    legend   arrays by name, where the data have them: `features`, what columns of samples are
             called; `scale` and `mean`, which take samples to the units of the data, as
             `samples * scale + mean`; `label_names`, what 0, 1, ... of `labels` are called
    image    the shape of a sample where it is an image
    target   settings of p, as JSON
    words    what they are, in a line; whether they have the bits of those that the trial stored,
             where these were asked for
    """

    trial: str
    samples: NDArray[np.float32]
    latent: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    legend: Mapping[str, NDArray[Any]]
    image: Image | None
    target: str
    words: str


def legend(configuration: Adversarial) -> dict[str, NDArray[Any]]:
    """That of the samples of a trial, whether its data are there or gone; see `Sampled`."""
    target = configuration.target
    if not isinstance(target, RowsTarget):
        return {}
    known: dict[str, NDArray[Any]] = {}
    if (units := target.features) is not None:
        known |= {"features": np.array(units.names), "mean": units.mean, "scale": units.scale}
    if configuration.labels and target.label_names:
        known["label_names"] = np.array(target.label_names)
    return known
