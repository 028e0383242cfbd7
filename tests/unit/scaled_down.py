"""The studies that come with the project, made as small as a test can wait for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from ganstudy.study import Study, load

FOLDER = Path(__file__).parents[2] / "studies"
STUDIES = sorted(path for path in FOLDER.rglob("*.yaml") if not path.name.startswith("_"))


def scaled_down(path: Path) -> Study:
    """A study with its arms and its settings, and not for long."""
    return load(path, list(_overrides(_original(path))))


@cache
def _original(path: Path) -> Study:
    """Read once for all who ask: the largest take a second."""
    return load(path)


def _overrides(study: Study) -> Iterator[str]:
    """Overrides that leave a study its arms and its settings, and take its length."""
    yield "seeds=2"
    kind = next(iter(study.points.values()))
    varied = {key for axis in study.axes for settings in axis.settings for key in settings}
    varied |= {parameter.name for parameter in study.space}
    varied |= {
        key for own in study.space for bundle in getattr(own, "bundles", ()) for key in bundle
    }
    rounds = {getattr(getattr(p, "generator", None), "steps", 1) for p in study.points.values()}
    steps = int(np.lcm.reduce(list(rounds))) * (10 if kind.name == "audit" else 4)
    if kind.steps > steps:
        yield f"trial.steps={steps}"
        yield f"trial.record.every={steps // 2}"
    if kind.name == "adversarial":
        needed = [m.fewest(p.target) for p in study.points.values() for m in p.record.metrics]
        yield f"trial.record.samples={max(250, *needed)}"
        yield "trial.record.frames=2"
        small = {"batch": 72, "generator.width": 16, "critic.width": 16}
        for key in small.keys() - varied:
            yield f"trial.{key}={small[key]}"
    if kind.name == "ratio":
        yield "trial.samples=100"
    if kind.name == "basins":
        yield "trial.steps=2"
    if kind.name == "audit":
        yield from ("trial.samples=100", "trial.spread=2", "trial.repeats=1")
    if study.file.engine.program == "compiled":
        yield "engine.program=eager"
    if study.file.search.bayes is not None:
        yield "search.bayes.trials=5"
    if study.document.shared is not None:
        # One of those that share their arms trains all of them.
        yield from ("seeds=1", "engine.pack=64")
        yield from (f"search.bayes.{key}" for key in ("trials=2", "repeats=2", "fresh=1"))
        if study.name != "ring":
            yield "search.grid.divergence=[non_saturating, wasserstein, relativistic_pairing]"
