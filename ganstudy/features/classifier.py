"""`classifier`: what a classifier of the target's own classes sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.features._base import Features
from ganstudy.targets import FEATURES, classifier, known_accuracy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.targets import Target


class ClassifierFeatures(Features):
    """The last hidden layer, 64 numbers, of a small convolutional network trained on p's labels.

    Maths   trained once on a machine, on training images alone, and kept in its cache; by
            the portable program, whichever asks. What tells no class from another is not seen.
            Values in this space are those of one classifier, and not to be compared between targets
            or versions of torch; its accuracy on held-out images stands beside them.
    Errors  a target without images or labels.
    Source  Salimans et al. 2016 and Heusel et al. 2017, there features of Inception on ImageNet;
            for digits, a classifier of digits: Bińkowski et al. 2018, section 5.
    """

    def problem(self, target: Target) -> str | None:
        """Images with labels are needed."""
        if why := super().problem(target):
            return why
        return None if target.labels > 1 else f"{target.name} has no labels to train by"

    def of(self, samples: NDArray[np.floating], target: Target) -> NDArray[np.float64]:
        """Trains the classifier where this machine has none yet."""
        return classifier(target).features(samples)

    def dimension(self, target: Target) -> int:
        """The same for every target."""
        return FEATURES

    def about(self, target: Target) -> str:
        """With the accuracy, once the classifier is there."""
        accuracy = known_accuracy(target)
        right = "" if accuracy is None else f", right on {accuracy:.1%} of held-out images"
        return f"in features of a classifier of {target.labels:,} classes{right}"
