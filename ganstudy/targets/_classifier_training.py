"""A classifier is trained in a process of its own, which computes portably whoever asks for it.

The same training images are to give the same classifier on every x86-64 processor with AVX2 and
FMA, by one build of torch and NumPy, whatever program asks first. The process is given images, and
not the target they are of: it knows no plug-in and reads no file.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy import portable
from ganstudy.interpreters import ON_ONE_CORE, found_in
from ganstudy.targets._class_spread import ClassSpread, beside, class_of
from ganstudy.targets._convolutions import features_of, initial, one_thread, seen
from ganstudy.targets._image import Image
from ganstudy.targets._reader import confusion
from ganstudy.targets._rows import RowsTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Target

    Labelled = tuple[NDArray[np.float32], NDArray[np.int64]]

__all__ = ["judges", "serve", "trained_portably"]

_STEPS, _BATCH = 600, 128
"""Some 77,000 images: ten times through 8,000 of MNIST, in ten to thirty seconds."""

_RATE = 2e-3
_JUDGED = 5000
"""Held-out images by which it is judged, and training images whose spread it knows."""

_EACH = 50
"""Images of a class by which its spread is known, if it has so many: of fewer a mean lies nearer to
each of them than to another one. Of more than two hundred classes fewer of each are in memory."""

_BEGIN = f"import sys; sys.path[:] = sys.argv[1:]; from {__name__} import serve; serve()"


def trained_portably(target: Target, image: Image, steps: int = _STEPS) -> dict[str, NDArray[Any]]:
    """What a classifier is, found by a process that is started for it; see `_trained`.

    On a processor without AVX2 and FMA, or where it is not known what it has, the process has the
    environment of this one.

    Errors  `RuntimeError` with what that process said last, if it ends before it is done.
    """
    own = {} if portable.lacking() else portable.environment()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [sys.executable, "-P", "-c", _BEGIN, *found_in()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**os.environ, **ON_ONE_CORE, **own},
            process_group=0,  # Ctrl-C is this process's business
        ) as there,
    ):
        assert there.stdin is not None
        assert there.stdout is not None
        try:
            pickle.dump((image, target.labels, steps), there.stdin)
            for images in _parts(target, steps):
                pickle.dump(images, there.stdin)
            there.stdin.close()
            made: dict[str, NDArray[Any]] = pickle.load(there.stdout)
            return made
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            with suppress(OSError):
                there.stdin.close()
            code = there.wait()
            said.seek(0)
            last = said.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise RuntimeError(
                f"the process that trains the classifier of {target.name} ended with {code}"
                f"{last and ': '}{last}"
            ) from error
        finally:
            there.kill()
            with suppress(OSError):
                there.stdin.close()


def serve() -> None:
    """Train a classifier of what comes in, unless whoever asked for it ends before."""
    from ganstudy.portable.functions import Portable

    with suppress(EOFError, BrokenPipeError):
        image, classes, steps = pickle.load(sys.stdin.buffer)
        with Portable():  # type: ignore[no-untyped-call]  # torch has not typed it
            made = _trained(_incoming(), image, classes, steps)
        pickle.dump(made, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _incoming() -> Iterator[Labelled]:
    while True:
        yield pickle.load(sys.stdin.buffer)


def _parts(target: Target, steps: int) -> Iterator[Labelled]:
    """A batch of training images for each step, held-out images, and training images once more,
    each of data once at most.
    """
    rng = np.random.default_rng(0)
    for _ in range(steps):
        yield target.sample_labelled(rng, _BATCH)
    # Given images once each, for twice they tell no more.
    if isinstance(target, RowsTarget) and (rows := target.rows()).labels is not None:
        assert rows.held_out_labels is not None
        judging, known = judges(len(rows.held_out)), _spread_over(rows.labels)
        yield target.values(rows.held_out[judging]), rows.held_out_labels[judging]
        yield target.values(rows.train[known]), rows.labels[known]
    else:
        yield target.held_out_labelled(np.random.default_rng(1), _JUDGED)
        yield target.sample_labelled(np.random.default_rng(2), _JUDGED)


def judges(count: int) -> NDArray[np.intp]:
    """Which of so many held-out images it is judged by."""
    return np.random.default_rng(1).permutation(count)[:_JUDGED]


def _spread_over(labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """Which training images tell the spread of their classes: any, and some of each class."""
    places = np.random.default_rng(2).permutation(len(labels))
    order = np.argsort(labels[places], kind="stable")
    first = np.searchsorted(labels[places][order], labels[places][order])
    rank = np.empty(len(labels), np.intp)
    rank[order] = np.arange(len(labels)) - first
    each = max(2, min(_EACH, 2 * _JUDGED // (int(labels.max()) + 1)))
    return places[(np.arange(len(labels)) < _JUDGED) | (rank < each)]


def _trained(
    images: Iterator[Labelled], image: Image, classes: int, steps: int
) -> dict[str, NDArray[Any]]:
    """The network's parameters, how well it does on held-out images, and how images spread.

    images  see `_parts`
    """
    parameters = _fitted(islice(images, steps), image, classes, steps)
    rows, labels = next(images)
    read = class_of(parameters, features_of(parameters, rows, image))
    rows, own = next(images)
    features = features_of(parameters, rows, image)
    values, known = beside(features, rows, image), class_of(parameters, features)
    spread = ClassSpread.of(values, own, classes)
    return {
        **parameters,
        "accuracy": np.array(np.mean(read == labels)),
        "confusion": confusion(labels, read, classes),
        **spread._asdict(),
        "read": known,
        "distance": spread.distances(values, known),
    }


def _fitted(
    batches: Iterator[Labelled], image: Image, classes: int, steps: int
) -> dict[str, NDArray[np.float32]]:
    import torch
    from torch.nn import functional

    drawn = initial(image, classes, seed=0)
    tensors = {name: torch.from_numpy(own).requires_grad_() for name, own in drawn.items()}
    optimizer = torch.optim.Adam(tensors.values(), lr=_RATE, foreach=False)
    with one_thread():
        for step, (rows, labels) in enumerate(batches):
            images = torch.from_numpy(rows).reshape(-1, *image)
            logits = functional.linear(
                seen(tensors, images), tensors["classes"], tensors["classes_bias"]
            )
            loss = functional.cross_entropy(logits, torch.from_numpy(labels))
            optimizer.param_groups[0]["lr"] = _RATE * (1 - step / steps)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    return {name: own.detach().numpy() for name, own in tensors.items()}
