"""Targets: the laws p that generators are trained to match."""

import json
from functools import cache

from ganstudy.family import Family
from ganstudy.settings import as_recorded
from ganstudy.targets._base import Modes, Target
from ganstudy.targets._classifier import classifier, known_accuracy
from ganstudy.targets._classifier_training import trained_portably
from ganstudy.targets._convolutions import FEATURES, features_of, initial, one_thread
from ganstudy.targets._curve import CurveTarget
from ganstudy.targets._digits import DigitModes
from ganstudy.targets._files import check_content, fingerprint, unchanged
from ganstudy.targets._image import FARTHEST, Image
from ganstudy.targets._mixture import (
    GaussianMixture,
    GeneralMixture,
    IsotropicMixture,
    MixtureTarget,
)
from ganstudy.targets._outline import FileOutline, Outline, there
from ganstudy.targets._own_data import OwnData, OwnFile, reading_again
from ganstudy.targets._problems import ChangedDataError
from ganstudy.targets._reader import confusion
from ganstudy.targets._rows import RowsTarget

__all__ = [
    "FARTHEST",
    "FEATURES",
    "ChangedDataError",
    "CurveTarget",
    "DigitModes",
    "FileOutline",
    "GaussianMixture",
    "GeneralMixture",
    "Image",
    "IsotropicMixture",
    "MixtureTarget",
    "Modes",
    "Outline",
    "OwnData",
    "OwnFile",
    "RowsTarget",
    "Target",
    "check_content",
    "classifier",
    "confusion",
    "family",
    "features_of",
    "fingerprint",
    "from_config",
    "initial",
    "known_accuracy",
    "one_thread",
    "reading_again",
    "target_of",
    "there",
    "trained_portably",
    "unchanged",
]

family = Family(__name__, Target)
from_config = family.from_config


@cache
def target_of(config: str) -> Target:
    """The target that a run has kept as this JSON: a number that is refused today is read.

    Errors  `ValueError` for one of a plug-in that is not loaded.
    """
    settings = json.loads(config)
    if (name := settings["name"]) not in family.names:
        raise ValueError(
            f"no target {name!r} is known here. If it is a plug-in's, which is code: Python loads "
            f'it by ganstudy.plugins.load("RUN/{name}.py"), and commands by --plugins'
        )
    with as_recorded():
        return from_config(settings)
