"""A classifier of a target's images, trained once on a machine, on training images alone."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock

from ganstudy import machine_cache
from ganstudy.family import canonical_json
from ganstudy.targets._class_spread import ClassSpread, beside, class_of
from ganstudy.targets._classifier_training import judges, trained_portably
from ganstudy.targets._convolutions import features_of
from ganstudy.targets._reader import Reader, ReadModes
from ganstudy.whole_file import digest, write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Target
    from ganstudy.targets._image import Image
    from ganstudy.targets._rows import RowsTarget

__all__ = ["ClassModes", "Classifier", "classifier", "known_accuracy"]

_BESIDE = ("accuracy", "confusion", "means", "unit", "read", "distance")
"""What is kept beside the parameters."""

_AS_READ = 1 + 1e-5
"""By how much an image may be read to be farther than where the classifier was trained, whose
arithmetic is another: ten times what was found. Some image is the farthest of each class.
"""

_AT_ITS_MEAN = 1e-3
"""Distance to its class at which its only image may be read: a hundred times what was found."""

_RECIPE = 4
"""Of the file that keeps a classifier; another training or network is another number."""


@dataclass(frozen=True, eq=False)
class Classifier(Reader):
    r"""A network's features of images, and the class that it reads in them.

    Maths   cross-entropy, by Adam with a rate that falls to 0, over batches of training images. The
            distance of an image to its class is $\sqrt{(v - \mu_c)^T \Sigma^{-1} (v - \mu_c)}$ for
            v its features and, beside them, the image itself in at most 8 x 8 pixels, with the
            class's mean and a covariance that all classes share.
    Source  Lee et al. 2018, "A simple unified framework for detecting out-of-distribution samples",
            section 2.1, of features alone; these do not see that an image has no contrast.

    parameters  those of the network
    judged      accuracy and confusion on held-out images
    spread      of the classes, in features and pixels
    known       class and distance of training images
    """

    image: Image
    parameters: Mapping[str, NDArray[np.float32]]
    judged: tuple[float, Array]
    spread: ClassSpread
    known: tuple[NDArray[np.intp], Array]
    _last: dict[bytes, tuple[NDArray[np.intp], Array]] = field(default_factory=dict, repr=False)

    @property
    def classes(self) -> int:
        """Outputs of the network."""
        return len(self.parameters["classes"])

    @property
    def accuracy(self) -> float:
        """Share of held-out images that are read right."""
        return self.judged[0]

    @property
    def confusion(self) -> Array:
        """How held-out images are read; see `confusion`."""
        return self.judged[1]

    def training(self) -> tuple[NDArray[np.intp], Array]:
        """Class and distance of training images, as far as this process may read the same."""
        read, distance = self.known
        return read, distance * _AS_READ + _AT_ITS_MEAN

    def features(self, samples: Array) -> NDArray[np.float64]:
        """Features of samples, `(count, dimension) -> (count, 64)`."""
        return features_of(self.parameters, samples, self.image)

    def read(self, images: Array) -> tuple[NDArray[np.intp], Array]:
        """Class of each image and its distance to that class; see `Reader.read`.

        Several metrics have the same images read, one after the other: the last ones are known.
        """
        form = f"{images.dtype} {images.shape}".encode()
        key = hashlib.blake2b(np.ascontiguousarray(images).data, key=form).digest()
        if key not in self._last:
            self._last.clear()
            self._last[key] = self._read(images)
        return self._last[key]

    def _read(self, images: Array) -> tuple[NDArray[np.intp], Array]:
        clouds = images.reshape(-1, *images.shape[-2:])
        read = np.empty(clouds.shape[:2], np.intp)
        distance = np.empty(clouds.shape[:2])
        for cloud, own, far in zip(clouds, read, distance, strict=True):
            features = self.features(cloud)
            own[:] = class_of(self.parameters, features)
            far[:] = self.spread.distances(beside(features, cloud, self.image), own)
            # Beyond black and white by as much as there is between them, nothing is an image.
            far[~(np.abs(cloud) <= 3).all(axis=-1)] = np.inf
        for known in (read, distance):
            known.setflags(write=False)
        return read.reshape(images.shape[:-1]), distance.reshape(images.shape[:-1])


@dataclass(frozen=True, kw_only=True)
class ClassModes(ReadModes):
    """The classes of labelled images, told apart by a classifier of their own."""

    target: RowsTarget

    @property
    def judged(self) -> NDArray[np.int64]:
        """How many held-out images of each class the classifier is judged by, trained or not."""
        labels = self.target.rows().held_out_labels
        assert labels is not None
        return np.bincount(labels[judges(len(labels))], minlength=len(self.shares))

    @property
    def reader(self) -> Classifier:
        """Trained if this machine has not one yet."""
        return classifier(self.target)

    @property
    def confusions(self) -> tuple[Array, ...]:
        """How the classifier reads held-out images."""
        return (self.reader.confusion,) * self.channels


@lru_cache(maxsize=4)
def classifier(target: Target) -> Classifier:
    """The classifier of a target of labelled images; trained if this machine has not one yet.

    Processes that want it at the same time wait for the first.

    Errors  of `trained_portably`.
    """
    image = target.image
    assert image is not None
    assert target.labels
    machine_cache.folder(made=True)
    path = _path(target)
    path.parent.mkdir(exist_ok=True)
    with FileLock(f"{path}.lock"):
        kept = _kept(path)
        if kept is None:
            kept = trained_portably(target, image)
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, **kept)
            write_whole(path, content.getvalue(), durable=False)
    others = {name: kept.pop(name) for name in _BESIDE}
    return Classifier(
        image,
        kept,
        (float(others["accuracy"]), others["confusion"]),
        ClassSpread(others["means"], others["unit"]),
        (others["read"], others["distance"]),
    )


def known_accuracy(target: Target) -> float | None:
    """Share of held-out images that the target's classifier gets right; None before it is there."""
    kept = _kept(_path(target))
    return None if kept is None else float(kept["accuracy"])


def _path(target: Target) -> Path:
    folder = machine_cache.folder() / "ganstudy_classifiers"
    made_by = [metadata.version(name) for name in ("torch", "numpy")]
    known = [target.model_dump(), _RECIPE, *made_by]
    return folder / f"{digest(canonical_json(known).encode())[:24]}.npz"


def _kept(path: Path) -> dict[str, NDArray[Any]] | None:
    """What a file has; None if there is none, or it is not whole."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            kept = {name: arrays[name] for name in arrays}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        return None
    return kept if kept.keys() >= set(_BESIDE) else None
