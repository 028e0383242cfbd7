"""A run's folder with records that are made up."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tiny import STUDY, write_study

from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, gather
from ganstudy.study import load
from ganstudy.trial import Record
from ganstudy.variable import STEP


def filled(out: Path, text: str = STUDY) -> Grid:
    """A run of made-up records with numbers, gathered; copied where there is no such folder yet."""
    out.parent.mkdir(exist_ok=True)
    if out.exists():
        return _filled(out, text)
    folder, search = _template(text)
    shutil.copytree(folder / "run", out)
    write_study(out.parent, text)
    return search


@cache
def _template(text: str) -> tuple[Path, Grid]:
    """One of each text, for all tests of the process."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name), _filled(Path(folder.name) / "run", text)


def _filled(out: Path, text: str) -> Grid:
    search = Grid(load(write_study(out.parent, text)))
    run = RunDirectory(out)
    rng = np.random.default_rng(0)
    with run.locked():
        run.write_study(search)
        made_up = [
            Record(
                id=trial.id,
                seed=trial.seed,
                settings=trial.settings,
                status="complete",
                program="eager",
                diverged_at=float("nan"),
                seconds=1.0,
                values={
                    "step": np.array([2, 4, 6]),
                    "modes_covered": rng.uniform(0, 4, 3).astype(np.float32),
                    "samples": rng.normal(size=(32, 2)).astype(np.float32),
                },
                variables={own.name: own for own in (STEP, *trial.configuration.variables())},
                finished=0.0,
            )
            for trial in search.trials.values()
        ]
        run.write(made_up)
        run.write_session({"command": "ganstudy run"}, "tiny")
        search.tell(made_up)
        gather(run, search)
    return search
