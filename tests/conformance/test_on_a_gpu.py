"""What a GPU needs of each member of a step: a round is recorded once, and launched whole."""

from __future__ import annotations

from typing import Any

import pytest
from nowhere import as_on_a_gpu, play
from tiny import REQUIRED

from ganstudy import activations, constraints, divergences, estimators, networks, optimizers
from ganstudy.kinds.adversarial import updates

SMALL: dict[str, dict[str, Any]] = {
    "competitive_gradient_descent": {"iterations": 2},
    "resnet": {"blocks": 1, "group": 4},
}


def _both(**settings: Any) -> dict[str, Any]:
    """Settings of both players."""
    return {"generator": settings, "critic": settings}


def _settings(family: str, own: dict[str, Any]) -> dict[str, Any]:
    """Of a trial that has the member."""
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
    own = {"name": name, **REQUIRED.get(name, {}), **SMALL.get(name, {})}
    play({"batch": 64, **_settings(family, own)})
