"""Between two records the host asks the GPU for nothing: torch itself raises where it does."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.gpu.visit import Visit

ROOT = Path(__file__).parents[2]

_SAID = "said "
"""Before what a process says of a setting: libraries may print lines of their own."""

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
    """Rounds on new batches, as kernels one by one and as a graph.

    In a process of its own, since a recording that fails leaves torch's memory in disorder; in
    another one after that.
    """
    failed: list[str] = []
    left = [*SETTINGS]
    while left and visit.left > 0:
        before = len(left)
        command = [sys.executable, "-m", "benchmarks.gpu.syncs", visit.device, *left]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
            try:
                for line in running.stdout or ():
                    if line.startswith(_SAID):
                        said, name = json.loads(line.removeprefix(_SAID)), left.pop(0)
                        failed += [f"{name}: {said}"] if said else []
                        yield {"settings": len(SETTINGS) - len(left), "failed": failed}
            except BaseException:  # whoever waits no longer closes this, and that waits for its end
                running.kill()
                raise
        if left and (running.returncode or len(left) == before):
            failed.append(f"{left.pop(0)}: its process ended with {running.returncode}")
            yield {"settings": len(SETTINGS) - len(left), "failed": failed}


def main() -> None:
    """What is wrong with each setting, line by line, up to the first that cannot be recorded."""
    device, *names = sys.argv[1:]
    for name in names:
        said, goes_on = fault(device, SETTINGS[name])
        print(f"{_SAID}{json.dumps(said)}", flush=True)
        if not goes_on:
            return


def fault(device: str, settings: dict[str, Any]) -> tuple[str, bool]:
    """Nothing, or what is wrong; and whether torch is as it was."""
    import torch
    from torch.utils import _pytree

    from ganstudy.engine.session import Session
    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.kinds.adversarial.batches import batches
    from ganstudy.kinds.adversarial.program import playing, program
    from ganstudy.kinds.adversarial.training import initial
    from ganstudy.trial import Trial

    player = {"width": 8, "depth": 2}
    whole = {"batch": 64, **settings}
    for key in ("generator", "critic"):
        whole[key] = {**player, **whole.get(key, {})}
    own = [Trial(Adversarial.model_validate(whole), seed) for seed in range(3)]
    place, session = torch.device(device), Session(device)
    with session.computing():
        game, start = initial(own, place)
        steps = program("eager", place.type)
        drawn = list(itertools.islice(batches(own, place), 4))
        game.updates.play(steps, game, start, drawn[0])

        def rounds(play: Any) -> Any:
            state = start
            torch.cuda.set_sync_debug_mode("error")
            try:
                for batch in drawn:
                    state, _ = play(state, batch)
            finally:
                torch.cuda.set_sync_debug_mode("default")
            return state

        try:
            one = rounds(lambda state, batch: game.updates.play(steps, game, state, batch))
        except RuntimeError as error:
            # After any other error a GPU's context is lost.
            return str(error).splitlines()[0], "synchroniz" in str(error)
        graph = playing(steps, game, place)
        try:
            graph(start, drawn[0])
        except RuntimeError as error:
            return f"it cannot be recorded: {str(error).splitlines()[0]}", False
        try:
            other = rounds(graph)
        except RuntimeError as error:
            return f"as a graph: {str(error).splitlines()[0]}", False
    same = zip(_pytree.tree_leaves(one), _pytree.tree_leaves(other), strict=True)
    alike = all(torch.equal(own, its) for own, its in same)
    return "" if alike else "the graph has other numbers", True


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    good = found["settings"] - len(found["failed"])
    promise = "No host sync between records, and a graph has the numbers of its kernels one by one"
    return [
        f"- {promise}: {good} of {found['settings']} settings.",
        *(f"    - {failure}" for failure in found["failed"]),
    ]


if __name__ == "__main__":
    main()
