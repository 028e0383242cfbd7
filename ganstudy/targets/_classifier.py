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
from ganstudy.targets._convolutions import features_of, initial, one_thread, seen
from ganstudy.targets._reader import Reader, ReadModes, confusion
from ganstudy.whole_file import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Target
    from ganstudy.targets._image import Image

__all__ = ["ClassModes", "Classifier", "classifier", "known_accuracy"]

STEPS, BATCH = 600, 128
"""Some 77,000 images: ten times through 8,000 of MNIST, in ten to twenty seconds."""

_RATE = 2e-3
_JUDGED = 5000
"""Held-out images by which it is judged, and draws of training images whose spread it knows."""

_FEW = 8
"""Most pixels a side in which an image stands beside its features."""

_BESIDE = ("accuracy", "confusion", "means", "unit", "read", "distance")
"""What is kept beside the parameters."""

_RECIPE = 2
"""Of the file that keeps a classifier; another training or network is another number."""

_RIDGE = 1e-3


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
    spread      means of the classes, and the matrix that makes their spread the unit
    known       class and distance of training images
    """

    image: Image
    parameters: Mapping[str, NDArray[np.float32]]
    judged: tuple[float, Array]
    spread: tuple[Array, Array]
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
        """Class and distance of training images."""
        return self.known

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
            own[:] = _class_of(self.parameters, features)
            far[:] = _distances(_beside(features, cloud, self.image), own, self.spread)
            # Beyond black and white by as much as there is between them, nothing is an image.
            far[~(np.abs(cloud) <= 3).all(axis=-1)] = np.inf
        for known in (read, distance):
            known.setflags(write=False)
        return read.reshape(images.shape[:-1]), distance.reshape(images.shape[:-1])


@dataclass(frozen=True, kw_only=True)
class ClassModes(ReadModes):
    """The classes of labelled images, told apart by a classifier of their own."""

    target: Target

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
    """
    image = target.image
    assert image is not None
    assert target.labels
    path = _path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        kept = _kept(path)
        if kept is None:
            kept = _trained(target, image)
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, **kept)
            write_whole(path, content.getvalue(), durable=False)
    others = {name: kept.pop(name) for name in _BESIDE}
    return Classifier(
        image,
        kept,
        (float(others["accuracy"]), others["confusion"]),
        (others["means"], others["unit"]),
        (others["read"], others["distance"]),
    )


def known_accuracy(target: Target) -> float | None:
    """Share of held-out images that the target's classifier gets right; None before it is there."""
    kept = _kept(_path(target))
    return None if kept is None else float(kept["accuracy"])


def _path(target: Target) -> Path:
    folder = machine_cache.folder() / "ganstudy_classifiers"
    known = [target.model_dump(), _RECIPE, metadata.version("torch")]
    return folder / f"{hashlib.sha256(canonical_json(known).encode()).hexdigest()[:24]}.npz"


def _kept(path: Path) -> dict[str, NDArray[Any]] | None:
    """What a file has; None if there is none, or it is not whole."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            kept = {name: arrays[name] for name in arrays}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        return None
    return kept if kept.keys() >= set(_BESIDE) else None


def _trained(target: Target, image: Image) -> dict[str, NDArray[Any]]:
    """The network's parameters, how well it does on held-out images, and how images spread."""
    parameters = _fitted(target, image)
    # Given images once each, for twice they tell no more.
    rows, labels = target.unseen_labelled(np.random.default_rng(1), _JUDGED)
    read = _class_of(parameters, features_of(parameters, rows, image))
    rows, own = target.sample_labelled(np.random.default_rng(2), _JUDGED)
    features = features_of(parameters, rows, image)
    spread = _spread(_beside(features, rows, image), own, target.labels)
    known = _class_of(parameters, features)
    return {
        **parameters,
        "accuracy": np.array(np.mean(read == labels)),
        "confusion": confusion(labels, read, target.labels),
        "means": spread[0],
        "unit": spread[1],
        "read": known,
        "distance": _distances(_beside(features, rows, image), known, spread),
    }


def _fitted(target: Target, image: Image) -> dict[str, NDArray[np.float32]]:
    import torch
    from torch.nn import functional

    drawn = initial(image, target.labels, seed=0)
    tensors = {name: torch.from_numpy(own).requires_grad_() for name, own in drawn.items()}
    optimizer = torch.optim.Adam(tensors.values(), lr=_RATE)
    rng = np.random.default_rng(0)
    with one_thread():
        for step in range(STEPS):
            rows, labels = target.sample_labelled(rng, BATCH)
            images = torch.from_numpy(rows).reshape(-1, *image)
            logits = functional.linear(
                seen(tensors, images), tensors["classes"], tensors["classes_bias"]
            )
            loss = functional.cross_entropy(logits, torch.from_numpy(labels))
            optimizer.param_groups[0]["lr"] = _RATE * (1 - step / STEPS)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    return {name: own.detach().numpy() for name, own in tensors.items()}


def _class_of(parameters: Mapping[str, NDArray[np.float32]], features: Array) -> NDArray[np.intp]:
    weight, bias = parameters["classes"].astype(np.float64), parameters["classes_bias"]
    return np.asarray((features @ weight.T + bias).argmax(axis=-1))


def _beside(features: Array, samples: Array, image: Image) -> Array:
    """Features, and the image itself in few pixels, each the mean of what it covers."""
    within = np.nan_to_num(np.clip(samples, -10, 10)).reshape(len(samples), *image)
    for axis in (-1, -2):
        length = within.shape[axis]
        edges = np.linspace(0, length, min(length, _FEW) + 1).astype(int)
        count = np.diff(edges).reshape(-1, 1) if axis == -2 else np.diff(edges)
        within = np.add.reduceat(within, edges[:-1], axis=axis) / count
    return np.concatenate([features, within.reshape(len(samples), -1)], axis=1)


def _spread(values: Array, labels: NDArray[np.integer], classes: int) -> tuple[Array, Array]:
    """Mean of each class, and a matrix that makes the spread within classes the unit."""
    count = np.bincount(labels, minlength=classes)
    total = np.zeros((classes, values.shape[1]))
    np.add.at(total, labels, values)
    means = total / np.maximum(count, 1)[:, None]
    within = values - means[labels]
    covariance = within.T @ within / len(values)
    ridge = _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return means, np.linalg.inv(np.linalg.cholesky(covariance + ridge)).T


def _distances(values: Array, classes: NDArray[np.intp], spread: tuple[Array, Array]) -> Array:
    means, unit = spread
    return np.asarray(np.sqrt(np.square((values - means[classes]) @ unit).sum(axis=-1)))
