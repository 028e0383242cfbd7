"""Scikit-learn's handwritten digits, and the classifier that counts their modes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.targets._mixture import GeneralMixture
from ganstudy.targets._reader import Reader, ReadModes
from ganstudy.targets._rows import Rows, split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array

CLASSES = 10
SIDE = 8
"""Pixels a side."""

_HELD_OUT = 0.2
_RIDGE = 0.1
"""Variance added to every pixel, on the scale [-1, 1]; without it, border pixels have none."""


@cache
def digits() -> Rows:
    """The images on the scale [-1, 1] with their labels."""
    table = _table()
    images, labels = (table[:, :-1] / 8 - 1).astype(np.float32), table[:, -1].astype(np.int64)
    train, held_out = split(len(images), _HELD_OUT)
    return Rows(images[train], images[held_out], labels[train], held_out_labels=labels[held_out])


def _table() -> Array:
    """Pixels from 0 to 16 and the digit, a row for each image.

    From the file that scikit-learn brings; to import it takes each process a second or two.
    """
    found = find_spec("sklearn")
    path = Path((found and found.origin) or "").parent / "datasets" / "data" / "digits.csv.gz"
    if path.is_file():
        return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits

    return np.column_stack(load_digits(return_X_y=True))


class DigitModes(ReadModes):
    """The modes of digits, told apart by quadratic discriminant analysis.

    Maths   a Gaussian for each class, with the class's mean and covariance plus 0.1 I; the class of
            largest density times share, and Mahalanobis' distance to it.
    Source  Hastie, Tibshirani & Friedman 2009, section 4.3. Counting by a classifier: Metz et al.
            2017, who take any sample for its class; see `radius: 9`.
    """

    @property
    def reader(self) -> Reader:
        """The Gaussians."""
        return _classifier()

    @staticmethod
    def accuracy() -> float:
        """Share of the held-out images that the classifier gets right."""
        rows = digits()
        return float(np.mean(_classifier().read(rows.held_out)[0] == rows.held_out_labels))


@dataclass(frozen=True, eq=False)
class _Classifier(Reader):
    """A Gaussian for each class."""

    law: GeneralMixture

    @property
    def classes(self) -> int:
        return CLASSES

    def training(self) -> tuple[NDArray[np.intp], Array]:
        return self._training

    @property
    def weights(self) -> Array:
        return self.law.weights

    @cached_property
    def _training(self) -> tuple[NDArray[np.intp], Array]:
        return self.read(digits().train)

    def read(self, images: Array) -> tuple[NDArray[np.intp], Array]:
        """Class of each image and its distance to that class; see `Reader.read`."""
        # Squares of larger numbers overflow, and everything so far away is equally far.
        within = np.clip(np.nan_to_num(images.astype(np.float64), nan=1e100), -1e100, 1e100)
        squared = self.law.squared_distances(within)
        digit = self.law.scores(squared).argmax(axis=-1)
        return digit, np.sqrt(np.take_along_axis(squared, digit[..., None], axis=-1)[..., 0])


@cache
def _classifier() -> _Classifier:
    """Trained once in a process; it takes a few hundredths of a second."""
    rows = digits()
    assert rows.labels is not None
    own = [rows.train[rows.labels == index].astype(np.float64) for index in range(CLASSES)]
    ridge = _RIDGE * np.eye(rows.train.shape[1])
    return _Classifier(
        GeneralMixture(
            means=np.stack([images.mean(axis=0) for images in own]),
            weights=np.array([len(images) for images in own]) / len(rows.train),
            covariances=np.stack([np.cov(images.T) + ridge for images in own]),
        )
    )
