"""Between two records the host asks the GPU for nothing: torch itself raises where it does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.visit import Visit

SETTINGS: dict[str, dict[str, Any]] = {
    "alternating, five D-steps": {"critic": {"steps": 5}},
    "simultaneous": {"updates": "simultaneous"},
    "extragradient, averaged": {"updates": "extragradient", "generator": {"average": 0.9}},
    "consensus": {"updates": "consensus"},
    "lead": {
        "updates": "lead",
        "generator": {"optimizer": "sgd"},
        "critic": {"optimizer": "sgd"},
    },
    "gradient penalty": {"constraint": "gradient_penalty"},
    "r1": {"constraint": "r1"},
    "clip": {"constraint": "clip"},
    "spectral norm": {"constraint": "spectral_norm"},
    "instance noise": {"constraint": "instance_noise"},
    "batch norm": {"critic": {"norm": "batch"}, "generator": {"norm": "batch"}},
    "kernels": {"divergence": "mmd"},
    "kliep": {"critic": {"estimator": "kliep"}},
    "lsif": {"critic": {"estimator": "lsif"}},
    "relativistic": {"divergence": "relativistic_average"},
    "conditional": {"condition": True},
    "convolutions": {
        "target": "digits",
        "generator": {"network": "dcgan", "norm": "batch"},
        "critic": {"network": {"name": "resnet", "blocks": 1, "group": 4}},
    },
}


def measure(visit: Visit) -> Iterator[dict[str, Any]]:
    """Rounds on new batches, as kernels one by one and as a graph."""
    import torch
    from torch.utils import _pytree

    from ganstudy.engine.session import Session
    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.kinds.adversarial.batches import batches
    from ganstudy.kinds.adversarial.program import playing, program
    from ganstudy.kinds.adversarial.training import initial
    from ganstudy.trial import Trial

    failed = []
    for name, settings in SETTINGS.items():
        player = {"width": 8, "depth": 2}
        whole = {"batch": 64, **settings}
        for key in ("generator", "critic"):
            whole[key] = {**player, **whole.get(key, {})}
        own = [Trial(Adversarial.model_validate(whole), seed) for seed in range(3)]
        place, session = torch.device(visit.device), Session(visit.device)
        with session.computing():
            game, state = initial(own, place)
            steps = program("eager", place.type)
            graph = playing(steps, game, place)
            drawn = list(itertools.islice(batches(own, place), 4))
            graph(state, drawn[0])
            torch.cuda.set_sync_debug_mode("error")
            try:
                one, other = state, state
                for batch in drawn:
                    one, _ = game.updates.play(steps, game, one, batch)
                    other, _ = graph(other, batch)
            except RuntimeError as error:
                failed.append(f"{name}: {str(error).splitlines()[0]}")
                continue
            finally:
                torch.cuda.set_sync_debug_mode("default")
            same = zip(_pytree.tree_leaves(one), _pytree.tree_leaves(other), strict=True)
            if not all(torch.equal(own, its) for own, its in same):
                failed.append(f"{name}: the graph has other numbers")
    yield {"settings": len(SETTINGS), "failed": failed}


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    good = found["settings"] - len(found["failed"])
    promise = "No host sync between records, and a graph has the numbers of its kernels one by one"
    return [
        f"- {promise}: {good} of {found['settings']} settings.",
        *(f"    - {failure}" for failure in found["failed"]),
    ]
