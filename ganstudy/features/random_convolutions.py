"""`random_convolutions`: what a convolutional network sees that was never trained."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.features._base import Features
from ganstudy.targets import FEATURES, features_of, initial

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.targets import Image, Target


class RandomConvolutions(Features):
    """The last layer, 64 numbers, of a small convolutional network with random weights.

    Maths   3 x 3 convolutions, rectifiers and halvings with weights by He et al. 2015, drawn once
            by `law_seed`: the same on every machine, whatever the images are of.
    Errors  a target without images.
    Source  Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models",
            which has 64 features of an untrained network, there VGG16, where images are far
            from those that networks are trained on.
    """

    law_seed: int = Field(0, ge=0, description="of the weights; no trial's seed changes them")

    def of(self, samples: NDArray[np.floating], target: Target) -> NDArray[np.float64]:
        """The features of images."""
        image = target.image
        assert image is not None
        return features_of(_parameters(image, self.law_seed), samples, image)

    def dimension(self, target: Target) -> int:
        """The same for every target."""
        return FEATURES

    def about(self, target: Target) -> str:
        """Which weights."""
        return f"in features of random convolutions (seed {self.law_seed})"


@lru_cache(maxsize=4)
def _parameters(image: Image, seed: int) -> Mapping[str, NDArray[np.float32]]:
    return initial(image, 0, seed)
