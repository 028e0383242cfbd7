"""The studies that come with the project: each is valid, and asks what its file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganstudy.search.grid import Grid
from ganstudy.study import load

FOLDER = Path(__file__).parents[2] / "studies"
STUDIES = sorted(FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_study_is_valid(path: Path) -> None:
    study = load(path)
    assert study.file.question.endswith("?")
    assert len({trial.id for trial in Grid(study).trials.values()}) > 0


PROTOCOLS = {
    "unrolled_gan": "ring",
    "veegan": "grid",
    "pacgan": "grid",
    "gdpp": "ring",
    "bourgan": "grid",
    "wgan_gp": "ring",
    "gan_stability": "gaussian",
}


@pytest.mark.parametrize("paper", PROTOCOLS)
def test_every_protocol_can_be_written_down(paper: str) -> None:
    """One study for each paper, on the target of its table."""
    (path,) = (FOLDER / "protocols").glob(f"{paper}*.yaml")
    trial = next(iter(Grid(load(path)).trials.values()))
    assert trial.configuration.target.name == PROTOCOLS[paper]
