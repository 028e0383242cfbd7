"""What a step needs of each of its members: trials that are strangers, and rounds for a GPU."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from nowhere import as_on_a_gpu, play
from tiny import REQUIRED, at_its_bounds, example, trial

from ganstudy import activations, constraints, divergences, estimators, networks, optimizers
from ganstudy.bounds import floats
from ganstudy.kinds.adversarial import Adversarial, updates
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.training import initial
from ganstudy.trial import Trial

CPU = torch.device("cpu")
ROUNDS = 6
"""One more than `lookahead` has between two looks."""
SMALL: dict[str, dict[str, Any]] = {
    "competitive_gradient_descent": {"iterations": 2},
    "resnet": {"blocks": 1, "group": 4},
}


def _both(**settings: Any) -> dict[str, Any]:
    """Settings of both players."""
    return {"generator": settings, "critic": settings}


def _settings(family: str, name: str, **values: float) -> dict[str, Any]:
    """Of a trial that has the member, with values of its floats."""
    own = {"name": name, **REQUIRED.get(name, {}), **SMALL.get(name, {}), **values}
    return {"batch": 64, **_with(family, own)}


def _with(family: str, own: dict[str, Any]) -> dict[str, Any]:
    match family:
        case "estimators":
            return {"critic": {"estimator": own}}
        case "activations" | "optimizers":
            return _both(**{family.removesuffix("s"): own})
        case "networks":
            return {"target": "digits", "batch": 4, **_both(network=own)}
        case "updates":
            taken = updates.family[own["name"]].optimizers
            return {"updates": own, **(_both(optimizer=taken[0]) if taken else {})}
        case _:
            return {family.removesuffix("s"): own}


FAMILIES = {
    **{"activations": activations.family, "constraints": constraints.family},
    **{"divergences": divergences.family, "estimators": estimators.family},
    **{"networks": networks.family, "optimizers": optimizers.family, "updates": updates.family},
}
MEMBERS = [(family, name) for family, own in FAMILIES.items() for name in own.names]


@pytest.mark.parametrize(("family", "name"), MEMBERS)
def test_a_round_on_a_gpu_waits_for_nothing(
    family: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host is asked for no number (`.item()`, `if loss > 0`), nothing of it takes part
    (`torch.tensor` without a device), and sums have an order that does not depend on the pack.
    """
    as_on_a_gpu(monkeypatch)
    play(_settings(family, name))


def _played(pack: list[Trial[Adversarial]]) -> list[torch.Tensor]:
    """Where both players of the first trial stand after some rounds."""
    game, state = initial(pack, CPU)
    for batch in itertools.islice(batches(pack, CPU), ROUNDS):
        state, _ = game.updates.play(program("eager", "cpu"), game, state, batch)
    return [player.parameters[0] for player in (state.generator, state.critic)]


@pytest.mark.parametrize(
    ("family", "name"),
    [
        # The package's own are held to more in tests/reference/test_bit_for_bit.py.
        pytest.param(family, name, marks=[pytest.mark.slow] * (not FAMILIES[family][name].plugin))
        for family, name in MEMBERS
    ],
)
def test_trials_of_a_pack_are_strangers(family: str, name: str) -> None:
    """A trial moves beside another as it moves beside its double, bit for bit: nothing is taken
    over the first axis, nor over that of a member's own floats.
    """
    own = example(FAMILIES[family][name])
    first, *others = (
        trial(seed, **_settings(family, name, **floats(member)))
        for seed, member in enumerate([own, own, *at_its_bounds(own)])
    )
    alone = _played([first] * 2)
    for other in others:
        # Those of a network are the shape of a pack.
        if other.configuration.pack_key() == first.configuration.pack_key():
            assert all(map(torch.equal, _played([first, other]), alone))
