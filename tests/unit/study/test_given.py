"""What is given, such as the target, and is no setting that an arm could choose."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import STUDY, write_study

from ganstudy import kinds, shipped
from ganstudy.study.reading import load

GIVEN = {
    "basins": ["points"],
    "conditional": ["condition"],
    "density_ratio": ["laws", "dimension"],
    "disjoint_supports": ["distance"],
    "failure_modes": ["cause"],
    "kl_directions": ["model"],
    "metric_audit": ["check"],
    "ratio_generator": ["target"],
    "wgan_gp_toy": ["law"],
}


@pytest.mark.parametrize("kind", [*kinds.family], ids=lambda kind: kind.name)
def test_each_is_a_key_of_its_kind(kind: type[kinds.Kind]) -> None:
    assert kind.given <= kind.model_fields.keys()
    assert "record" in kind.given


@pytest.mark.slow
def test_axes_of_shipped_studies() -> None:
    given = {name: own.given for name, own in shipped.studies().items()}
    assert {name: own for name, own in given.items() if own} == GIVEN


def test_an_axis_that_also_sets_something_else_is_given(tmp_path: Path) -> None:
    axes = """\
    critic.steps: [1, 2]
    set:
      small: {training_set: 100, critic.lr: 1e-3}
      large: {training_set: 200, critic.lr: 1e-4}
    record.samples: [32, 64]
    target.std: [0.1, 0.2]
"""
    text = STUDY.replace("    critic.steps: [1, 2]\n", axes)
    assert load(write_study(tmp_path, text)).given == ["set", "record_samples", "target_std"]
