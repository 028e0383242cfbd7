"""Settings that have a step do all that one can: each member of each family, and their mixtures."""

from __future__ import annotations

from typing import Any

from benchmarks.gpu.syncs import SETTINGS
from ganstudy import activations, constraints, divergences, estimators, networks, optimizers
from ganstudy.kinds.adversarial import updates

OF_SGD = ("competitive_gradient_descent", "lead")
FEWER = {
    "competitive_gradient_descent": {"iterations": 2},
    "sinkhorn_divergence": {"iterations": 3},
}
"""Iterations of a solver that are written out one after the other, the next like the last."""


def _both(**settings: Any) -> dict[str, Any]:
    """Settings of both players."""
    return {"generator": settings, "critic": settings}


CASES: dict[str, dict[str, Any]] = {
    **SETTINGS,
    **{
        name: {"divergence": {"name": name, **FEWER.get(name, {})}}
        for name in divergences.family.files
    },
    **{f"constraint {name}": {"constraint": name} for name in constraints.family.files},
    **{f"critic of {name}": {"critic": {"estimator": name}} for name in estimators.family.files},
    **{
        f"updates {name}": {
            "updates": {"name": name, **FEWER.get(name, {})},
            **(_both(optimizer="sgd") if name in OF_SGD else {}),
        }
        for name in updates.family.files
    },
    **{f"optimizer {name}": _both(optimizer=name) for name in optimizers.family.files},
    **{f"activation {name}": _both(activation=name) for name in activations.family.files},
    **{
        f"network {name}": {"target": "digits", "batch": 4, **_both(network=name)}
        for name in networks.family.files
    },
    "pac": {"critic": {"pac": 2}, "constraint": "r1"},
}
"""By what they show; for small networks and a `batch` of 64, where they say no other."""
