"""Classes of images, and how far an image is from its class, in features and in few pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ganstudy.targets._image import FARTHEST

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from ganstudy.targets._base import Array
    from ganstudy.targets._image import Image

__all__ = ["ClassSpread", "beside", "class_of"]

_FEW = 8
"""Most pixels a side in which an image stands beside its features."""

_RIDGE = 1e-3


def class_of(parameters: Mapping[str, NDArray[np.float32]], features: Array) -> NDArray[np.intp]:
    """The class that a network's last layer reads in features, `(count, 64) -> (count,)`."""
    weight, bias = parameters["classes"].astype(np.float64), parameters["classes_bias"]
    return np.asarray((features @ weight.T + bias).argmax(axis=-1))


def beside(features: Array, samples: Array, image: Image) -> Array:
    """Features, and the image itself in few pixels, each the mean of what it covers."""
    within = np.nan_to_num(np.clip(samples, -FARTHEST, FARTHEST)).reshape(len(samples), *image)
    for axis in (-1, -2):
        length = within.shape[axis]
        edges = np.linspace(0, length, min(length, _FEW) + 1).astype(int)
        count = np.diff(edges).reshape(-1, 1) if axis == -2 else np.diff(edges)
        within = np.add.reduceat(within, edges[:-1], axis=axis) / count
    return np.concatenate([features, within.reshape(len(samples), -1)], axis=1)


class ClassSpread(NamedTuple):
    """Means of the classes, and the matrix that makes their spread the unit."""

    means: Array
    unit: Array

    @classmethod
    def of(cls, values: Array, labels: NDArray[np.integer], classes: int) -> Self:
        """Of values, `(count, features)`; all classes share a covariance."""
        count = np.bincount(labels, minlength=classes)
        total = np.zeros((classes, values.shape[1]))
        np.add.at(total, labels, values)
        means = total / np.maximum(count, 1)[:, None]
        within = values - means[labels]
        covariance = within.T @ within / len(values)
        ridge = _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        return cls(means, np.linalg.inv(np.linalg.cholesky(covariance + ridge)).T)

    def distances(self, values: Array, classes: NDArray[np.intp]) -> Array:
        """Mahalanobis' distance of values to their classes, `(count,)`."""
        return np.asarray(
            np.sqrt(np.square((values - self.means[classes]) @ self.unit).sum(axis=-1))
        )
