"""The studies that come with the project: each is valid, and goes from its file to its page."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from inline import trained_inline
from tiny import write_study
from unrendered import unrendered

from ganstudy import open_run, pipeline
from ganstudy.report import prose, style
from ganstudy.report.findings import Findings
from ganstudy.report.theory import supports
from ganstudy.search.grid import Grid
from ganstudy.study import Study, load

FOLDER = Path(__file__).parents[2] / "studies"
STUDIES = sorted(path for path in FOLDER.rglob("*.yaml") if not path.name.startswith("_"))
QUICK = {"gdpp_ring"}
"""Studies that go to their page whenever tests run; the others do so where slow tests run."""


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_study_is_valid(path: Path) -> None:
    study = load(path)
    assert study.file.question.endswith("?")
    assert len({trial.id for trial in Grid(study).trials.values()}) > 0


def scaled_down(study: Study) -> Iterator[str]:
    """Overrides that leave a study its arms and its settings, and take its length."""
    yield "seeds=2"
    kind = next(iter(study.points.values()))
    varied = {key for axis in study.axes for settings in axis.settings for key in settings}
    varied |= {parameter.name for parameter in study.space}
    varied |= {
        key for own in study.space for bundle in getattr(own, "bundles", ()) for key in bundle
    }
    rounds = {getattr(getattr(p, "generator", None), "steps", 1) for p in study.points.values()}
    steps = int(np.lcm.reduce(list(rounds))) * 10
    if kind.steps > steps:
        yield f"trial.steps={steps}"
        yield f"trial.record.every={steps // 2}"
    if kind.name == "adversarial":
        needed = [m.fewest(p.target) for p in study.points.values() for m in p.record.metrics]
        yield f"trial.record.samples={max(250, *needed)}"
        yield "trial.record.frames=2"
        small = {"batch": 120, "generator.width": 16, "critic.width": 16}
        for key in small.keys() - varied:
            yield f"trial.{key}={small[key]}"
    if kind.name == "ratio":
        yield "trial.samples=100"
    if kind.name == "basins":
        yield "trial.steps=2"
    if kind.name == "audit":
        yield from ("trial.samples=40", "trial.spread=2", "trial.repeats=1")
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


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow)
        for path in STUDIES
    ],
)
def test_study_goes_from_its_file_to_its_page(tmp_path: Path, path: Path) -> None:
    """Every arm and every setting is trained, gathered and reported, if not for long."""
    study = load(path, list(scaled_down(load(path))))
    with trained_inline():
        progress = pipeline.run(study, tmp_path / "run", workers=1)
    assert progress.done["failed"] == 0
    assert progress.done.total() == progress.planned
    page = (tmp_path / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert html.escape(study.file.question, quote=False) in html.unescape(page)
    assert "could not be built" not in page
    names = {label for axis in study.axes for label in axis.labels if isinstance(label, str)}
    assert {name for name in names if name not in html.unescape(page)} == set()


ARMS = """\
question: Is the words' order that of the numbers?
trial: {kind: supports, steps: 4, record: {every: 2}}
search:
  grid:
    divergence: [minimax, non_saturating, wasserstein]
    distance: [0.25, 0.5, 1.0]
seeds: 2
"""


def test_arms_keep_their_own_numbers(tmp_path: Path) -> None:
    """As many arms as distances: nothing but the numbers tells one order from the other."""
    with trained_inline(), unrendered():
        pipeline.run(load(write_study(tmp_path, ARMS)), tmp_path / "run", workers=1)
    dataset = open_run(tmp_path / "run").compute()
    with style.figure_style():
        signal, _ = supports.draw(Findings.of(dataset))
    ends = dataset["generator_gradient"].isel(step=-1)
    rows = [ends.sel(divergence=arm).values for arm in dataset["divergence"].values]
    assert prose.spans(dataset["divergence"].values, rows) in signal.alt
