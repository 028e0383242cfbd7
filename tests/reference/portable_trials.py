"""Trains a handful of small trials by the portable program and prints a digest of each as JSON.

A process of its own, since what makes a program portable acts only if it is there at the start:
`python tests/reference/portable_trials.py [NAME ...]`, in the environment of
`ganstudy.schedule.executor.environment`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))

from tiny import trial

from ganstudy import divergences, networks
from ganstudy.engine.session import Session
from ganstudy.trial import Record

TRIALS = {
    **{f"divergence {name}": {"divergence": name} for name in divergences.family.names},
    "penalty": {"divergence": "wasserstein", "constraint": "gradient_penalty"},
    "spectral norm": {"constraint": "spectral_norm"},
    "batch norm": {"generator": {"norm": "batch"}, "critic": {"norm": "layer"}},
    "tanh": {"generator": {"activation": "tanh"}, "critic": {"activation": "elu"}},
    "estimator": {"divergence": "reverse_kl", "critic": {"estimator": "kliep"}, "batch": 128},
    "optimizers": {"generator": {"optimizer": "sgd"}, "critic": {"optimizer": "rmsprop"}},
    "metrics": {
        "record": {"metrics": ["modes_covered", "mode_kl", "energy_distance", "sliced_wasserstein"]}
    },
    **{
        f"target {name}": {"target": name, "record": {"metrics": ["energy_distance"]}}
        for name in ("swiss_roll", "embedded_mixture", "pinwheel", "digits")
    },
    # An emulated processor takes a minute for the subspace of the one above.
    "target embedded_mixture of few features": {
        "target": {"name": "embedded_mixture", "features": 150, "latent": 90},
        "record": {"metrics": ["energy_distance"]},
    },
    "equilibrium": {"record": {"equilibrium": {}}},
    **{
        f"network {name}": {
            "target": "digits",
            "generator": {"network": name},
            "critic": {"network": name},
            "constraint": "gradient_penalty",
        }
        for name in (own.name for own in networks.family if own.images)
    },
    "features": {
        "target": "digits",
        "record": {
            "samples": 600,
            "metrics": [{"name": "frechet_distance", "features": "random_convolutions"}],
        },
    },
}


def digest(record: Record) -> str:
    """Of every number that a record stores, time excepted."""
    found = hashlib.sha256(f"{record.status} {record.diverged_at}".encode())
    # As the digests were made, when steps had another name and neither labels nor films of images
    # were kept.
    arrays = {{"step": "steps"}.get(name, name): own for name, own in record.values.items()}
    arrays.pop("labels", None)
    if arrays.pop("frame_images", None) is not None:
        del arrays["frame_step"]
    for name, values in sorted(arrays.items()):
        found.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:16]


def digests(names: Sequence[str]) -> dict[str, str]:
    """Of the first of two trials that are trained together."""
    session = Session(program="portable")
    found = {}
    for name in names:
        pack = [trial(seed, **TRIALS[name]) for seed in (0, 1)]
        found[name] = digest(pack[0].configuration.train(pack, session)[0])
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(digests(sys.argv[1:] or list(TRIALS)), indent=1))
