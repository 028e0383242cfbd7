"""An axis has any name that the dataset and its analyses leave free, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from tiny import STUDY, write_study
from unrendered import unrendered

from ganstudy import variable
from ganstudy.kinds.adversarial.training import train
from ganstudy.report import build
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, gather
from ganstudy.study import Study, load
from ganstudy.study.document import StudyError

PAGE = Path(__file__).parents[3] / "docs" / "notation.md"
WRITTEN = {
    name.replace(".", "_")
    for name in re.findall(r"`([^`\n]+)`", PAGE.read_text(encoding="utf-8"))
    if re.fullmatch(r"[A-Za-z_.]+", name)
}
KEYS = {
    "generator.lr": 0.01,
    "critic.lr": 0.01,
    "generator.latent": 3,
    "generator.width": 5,
    "critic.width": 5,
    "target.modes": 3,
    "training_set": 20,
    "generator.latent_law": "uniform",
}
# Each passed `check`, was trained, and then ended in a traceback.
ONCE = (
    *("draw", "frame", "coordinate", "particle", "grid_x", "arrow_y", "divergence_settings"),
    *("modes_covered_perfect", "edge", "frame_step", "level", "score", "rank", "best", "other"),
    *("mean", "low", "seeds"),
)


def _study(axes: dict[str, str]) -> str:
    lines = [f"    {name}: {{one: {{{key}: {KEYS[key]}}}}}\n" for name, key in axes.items()]
    return STUDY.replace("    critic.steps: [1, 2]\n", "".join(lines))


def _refused(name: str, folder: Path) -> bool:
    """Whether `check` refuses an axis of this name; on its line, if it does."""
    text = _study({name: "generator.lr"})
    line = next(n for n, own in enumerate(text.splitlines(), 1) if own.startswith(f"    {name}:"))
    try:
        load(write_study(folder, text))
    except StudyError as error:
        told = str(error)
    else:
        return False
    assert f":{line}:" in told
    return True


@pytest.mark.parametrize("name", ONCE)
def test_what_the_dataset_or_an_analysis_makes_is_refused(name: str, tmp_path: Path) -> None:
    assert _refused(name, tmp_path)


PENALISED_LATER = """\
    penalty: {without: {constraint: none}, with: {constraint: gradient_penalty}}
"""
PENALISED_SOMETIMES = """\
    penalty: {slow: {generator.lr: 0.001}, fast: {generator.lr: 0.01}}
  bayes:
    space: {constraint: [none, gradient_penalty], critic.lr: [0.01, 0.1]}
    trials: 2
    objective: {maximize: modes_covered}
"""


@pytest.mark.parametrize("grid", [PENALISED_LATER, PENALISED_SOMETIMES])
def test_what_any_point_records_is_refused(grid: str, tmp_path: Path) -> None:
    """Though the first records no penalty."""
    text = STUDY.replace("    divergence: [minimax, wasserstein]\n    critic.steps: [1, 2]\n", grid)
    with pytest.raises(StudyError, match=r":11: search\.grid\.penalty: a recorded variable has"):
        load(write_study(tmp_path, text))


def test_steps_until_the_loss_settles_stand_on_an_axis_beside_a_number(tmp_path: Path) -> None:
    """Which the steps that were taken had taken the name of."""
    text = STUDY.replace("critic.steps: [1, 2]", "critic.steps: [1, {until: 0.1, max: 2}]")
    dataset = _trained(load(write_study(tmp_path, text)), tmp_path / "run")
    assert list(dataset["critic_steps"].values) == ["1", "(until=0.1, max=2)"]
    one, settled = dataset["critic_steps_taken"].transpose("critic_steps", ...).values
    assert np.isnan(one).all()
    assert ((settled >= 1) & (settled <= 2)).all()


@pytest.mark.slow
def test_names_of_the_page_are_refused_or_work_to_the_report(tmp_path: Path) -> None:
    """As many at a time as there are settings to give them."""
    free = sorted(name for name in WRITTEN if not _refused(name, tmp_path))
    assert {"critic_steps", "values", "axes"} <= set(free)
    for start in range(0, len(free), len(KEYS)):
        names = free[start : start + len(KEYS)]
        _report(dict(zip(names, KEYS, strict=False)), tmp_path / str(start))


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of all dimensions, variables and coordinates that xarray is given."""
    seen: set[str] = set()
    for cls, names in (
        (xr.Variable, lambda own: own.dims),
        (xr.Dataset, lambda own: own.variables),
        (xr.DataArray, lambda own: own.coords),
    ):
        made: Any = cls.__init__

        def init(self: Any, *given: Any, _made: Any = made, _names: Any = names, **by: Any) -> None:
            _made(self, *given, **by)
            seen.update(map(str, _names(self)))

        monkeypatch.setattr(cls, "__init__", init)
    replaced = xr.Dataset._replace

    def replace(self: Any, *given: Any, **by: Any) -> Any:
        result = replaced(self, *given, **by)
        seen.update(map(str, result.variables))
        return result

    monkeypatch.setattr(xr.Dataset, "_replace", replace)
    return seen


def test_every_name_that_the_report_makes_is_reserved(traced: set[str], tmp_path: Path) -> None:
    dataset = _report({}, tmp_path)
    stated = load(write_study(tmp_path)).points[0, 0].variables()
    known = {str(name) for name in dataset.variables} | {str(dim) for dim in dataset.dims}
    reserved = variable.OF_ANALYSES | variable.names_of([*stated, *variable.OF_A_DATASET])
    assert "seed_mean" in traced
    assert {name for name in traced if name.isidentifier()} - known - reserved == set()


def _report(axes: dict[str, str], folder: Path) -> xr.Dataset:
    """The dataset of a study of these axes, trained and reported."""
    folder.mkdir(exist_ok=True)
    dataset = _trained(load(write_study(folder, _study(axes) if axes else STUDY)), folder / "run")
    with unrendered():
        build(dataset, {}, folder / "report")
    return dataset


def _trained(study: Study, folder: Path) -> xr.Dataset:
    plan, run = Grid(study), RunDirectory(folder)
    with run.locked():
        run.write_study(plan)
        for trial in plan.trials.values():
            records = train([trial])
            run.write(records)
            plan.tell(records)
        return gather(run, plan)
