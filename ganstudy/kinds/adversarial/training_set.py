"""The training set: samples of p that are drawn once, and how they come into batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag

from ganstudy.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Streams = Callable[[int], np.random.Generator]

__all__ = ["NumberOrTrainingSet", "TrainingSet", "balanced", "rows_of"]


class TrainingSet(Settings):
    """Samples of p that are drawn once and reused.

    Source  with replacement, as minibatches are usually analysed; in epochs, `DataLoader(shuffle)`
            of PyTorch; each batch without replacement, the public code of BourGAN; in one order,
            that of WGAN-GP; groups, that of PacGAN.
    """

    size: int = Field(ge=1, description="number of samples")
    balanced: bool = Field(
        False, description="whether each label has as many samples, whatever its share of p"
    )
    sampling: Literal["with_replacement", "without_replacement", "epochs", "one_order"] = Field(
        "with_replacement",
        description="rows of a batch: any; all different; those next in an order that is drawn "
        "anew for each epoch; those next in one order for ever",
    )

    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    groups: int | None = Field(
        None,
        ge=1,
        exclude_if=lambda groups: groups is None,
        description="groups of `critic.pac` samples, drawn from the set once and with replacement, "
        "that stay together; what `sampling` says is then of groups; default: samples one by one",
    )

    @classmethod
    def of(cls, value: int | TrainingSet) -> TrainingSet:
        """A number of samples is a set of this size with the defaults of the rest."""
        return value if isinstance(value, cls) else cls.model_validate({"size": value})


def _form(value: object) -> str:
    return "rule" if isinstance(value, Mapping | TrainingSet) else "number"


NumberOrTrainingSet = Annotated[
    Annotated[int, Field(ge=1), Tag("number")] | Annotated[TrainingSet, Tag("rule")],
    Discriminator(_form),
]


def balanced(
    draw: Callable[[int], tuple[Array, NDArray[np.int64]]], size: int, labels: int
) -> tuple[Array, NDArray[np.int64]]:
    """Samples of which every label has as many, up to one, and their labels, label by label.

    They are the first of each label among samples that `draw` makes, `size` at a time, of which no
    others are kept.
    """
    wanted = size // labels + (np.arange(labels) < size % labels)

    def first(samples: Array, found: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
        rows = [np.flatnonzero(found == label)[:count] for label, count in enumerate(wanted)]
        kept = np.concatenate(rows)
        return samples[kept], found[kept]

    samples, found = first(*draw(size))
    while len(found) < size:
        more, theirs = draw(size)
        samples, found = first(np.concatenate([samples, more]), np.concatenate([found, theirs]))
    return samples, found


def rows_of(
    training_set: TrainingSet, streams: Streams, block: int, batches: int, batch: int
) -> NDArray[np.int64]:
    """Rows of a block of batches, or groups of them, `(batches, batch)`; a function of their place.

    An epoch is as many whole batches as the set has; the rows that are left over in its order sit
    out. Block k of `streams` is that of the k-th block of batches, or of the k-th epoch.
    """
    size = training_set.groups or training_set.size
    match training_set.sampling:
        case "with_replacement":
            return streams(block).integers(size, size=(batches, batch))
        case "without_replacement":
            rng = streams(block)
            drawn = [rng.choice(size, batch, replace=False) for _ in range(batches)]
            return np.stack(drawn)
        case _:
            epoch, place = np.divmod(block * batches + np.arange(batches), size // batch)
            if training_set.sampling == "one_order":
                epoch = np.zeros_like(epoch)
            orders = {number: streams(int(number)).permutation(size) for number in np.unique(epoch)}
            return np.stack(
                [orders[e][p * batch : (p + 1) * batch] for e, p in zip(epoch, place, strict=True)]
            )
