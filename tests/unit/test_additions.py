"""What can be added from outside the package, each as one file: used from the study to the page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from inline import trained_inline
from unrendered import unrendered

from ganstudy import open_run, plugins
from ganstudy.cli import main

EXAMPLES = Path(__file__).parents[2] / "docs" / "plugins"
"""The files of the how-to, two of which are added here to more than one thing."""

SEARCH = '''\
"""A search of the user's own."""

from functools import cached_property

import numpy as np
from pydantic import Field

from ganstudy.search.grid import Grid
from ganstudy.study.search_keys import SearchKeys
from ganstudy.variable import Variable


class SomeKeys(SearchKeys):
    """Its keys in the study file."""

    share: float = Field(
        gt=0, le=1, examples=[0.75], description="share of the grid's points that are trained"
    )


class Some(Grid):
    """Some points of the grid, drawn at random."""

    keys = SomeKeys
    adds = (Variable("drawn", "place of the point in the order of the draw", ()),)

    @cached_property
    def order(self):
        points = sorted(self.study.points)
        rng = np.random.default_rng(0)
        return [points[i] for i in rng.permutation(len(points))]

    @property
    def chosen(self):
        return self.order[: round(self.study.keys.share * len(self.order))]

    @property
    def planned(self):
        mask = np.zeros(self.shape, dtype=bool)
        for index in self.chosen:
            mask[index] = True
        return mask

    @cached_property
    def trials(self):
        return {index: t for index, t in super().trials.items() if index[:-1] in self.chosen}

    def variables(self):
        drawn = np.full(self.shape[:-1], -1)
        for place, index in enumerate(self.order):
            drawn[index] = place
        return {"drawn": (self.dimensions[:-1], drawn, self.about("drawn"))}

    def attributes(self):
        return {"search": self.name}

    def sentences(self):
        return [f"drawn: {len(self.chosen)} of {len(self.order)} points"]
'''

EXECUTOR = '''\
"""An executor of the user's own."""

from ganstudy.schedule.executor import Executor, attempt


class Here(Executor):
    """Trains in this very process, one pack at a time."""

    def open(self):
        self.tasks, self.packs = [], 0

    def room(self):
        return 1 - len(self.tasks)

    def submit(self, task):
        self.packs += 1
        self.tasks.append((self.packs, task))
        return self.packs

    def wait(self, seconds):
        tasks, self.tasks = self.tasks, []
        return [(number, attempt(task, self.devices[0])) for number, task in tasks]

    def clock(self, handle):
        return None

    def kill(self, handle):
        return ""

    def drain(self):
        pass

    def close(self):
        print(f"trained here: {self.packs} packs")
'''

SECTION = (EXAMPLES / "costs.py").read_text(encoding="utf-8")

STUDY = """\
question: Can everything be added?
plugins: [some.py, here.py, costs.py]
trial: {kind: game, steps: 20}
search:
  grid: {method: [gradient, extragradient], lr: [0.05, 0.1]}
  some: {share: 0.75}
seeds: 2
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run with all three, in a process that nothing else shares; its folder, and its words."""
    folder = tmp_path_factory.mktemp("additions")
    for name, text in (("some", SEARCH), ("here", EXECUTOR), ("costs", SECTION)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    script = """
from contextlib import suppress
from ganstudy import open_run, plot
from ganstudy.cli import main
from ganstudy.report import press
press.cores = lambda: 1  # no other process prints its figures
with suppress(SystemExit):
    main("run study.yaml --out run --executor here --workers 1".split(), standalone_mode=False)
main(["status", "run", "--plugins"], standalone_mode=False)
axes = plot.time_by_arm(open_run("run"))
assert "time_by_arm" in plot.__all__
print("bars:", len(axes.patches))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return folder / "run", done.stdout


@pytest.mark.slow
def test_a_search_is_one_file(printed: tuple[Path, str]) -> None:
    """Its key is read, its trials are trained, and what it adds is in the dataset."""
    path, said = printed
    ds = open_run(path)
    statuses, counts = np.unique(ds["status"], return_counts=True)
    assert dict(zip(statuses.tolist(), counts.tolist(), strict=True)) == {
        "complete": 6,
        "excluded": 2,
    }
    assert sorted(ds["drawn"].values.ravel().tolist()) == [0, 1, 2, 3]
    assert ds["drawn"].attrs["long_name"].startswith("place of the point")
    xr.testing.assert_equal(ds["drawn"] < 3, (ds["status"] == "complete").all("seed"))
    assert "drawn: 3 of 4 points" in said
    assert ds.attrs["search"] == "some"


@pytest.mark.slow
def test_an_executor_is_one_file(printed: tuple[Path, str]) -> None:
    path, said = printed
    assert re.search(r"trained here: [1-9]\d* packs", said)
    assert '"executor": "here"' in (path / "environment.json").read_text()


@pytest.mark.slow
def test_a_report_section_is_one_file(printed: tuple[Path, str]) -> None:
    """It stands in its place with figure, table and sentence, and its figure is a function."""
    path, said = printed
    page = (path / "report" / "index.html").read_text()
    ids = re.findall(r'<section id="(.*?)">', page)
    assert ids.index("costs") == ids.index("metrics") + 1
    assert '<a href="#costs">Costs</a>' in page
    assert "What it cost" in page
    assert "ganstudy.plot.time_by_arm(ds)" in page
    assert re.search(r"<li>Costs: \d+ s & more\.", page)
    for name in ("time_by_arm.svg", "time_by_arm.png", "costs.tex"):
        assert (path / "report" / name).stat().st_size
    assert (path / "report" / "costs.csv").read_text().startswith("arm,euros\n")
    assert "bars: 2" in said


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text", "least"), [("some", SEARCH, 5), ("here", EXECUTOR, 4)])
def test_the_suite_of_its_family_finds_nothing(
    name: str, text: str, least: int, tmp_path: Path
) -> None:
    """By `check --plugin`; it is not of a family that no suite has a test for. Of an executor that
    trains at once what is ended from outside is left out.
    """
    path = tmp_path / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "--plugin", str(path)])
    plugins.forget()
    assert done.exit_code == 0, done.output[-3000:]
    assert int(re.findall(r"it keeps (\d+) of", done.stdout)[0]) >= least


def test_an_unknown_executor_is_refused_with_the_names_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the study is read, since a plug-in may have brought it."""
    (tmp_path / "study.yaml").write_text(
        STUDY.replace("plugins: [some.py, here.py, costs.py]\n", "").replace(
            "  some: {share: 0.75}\n", ""
        )
    )
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["run", "study.yaml", "--executor", "herre"])
    assert done.exit_code == 2
    assert "'herre'" in done.stderr
    assert "dask" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_what_a_member_lacks_is_said(tmp_path: Path) -> None:
    """A class that is still abstract is no member, and not nothing either."""
    path = tmp_path / "unfinished.py"
    path.write_text(EXECUTOR.replace("def drain", "def drained"), encoding="utf-8")
    with pytest.raises(plugins.PluginError, match="found: Here, which does not define drain"):
        plugins.load(path)
    plugins.forget()


VARIABLE = '''\
"""A dataset variable of the user's own, of every trial of a kind that there is."""

from dataclasses import replace

from ganstudy.engine.session import ALONE
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.variable import Variable

SPREAD = Variable("spread", "standard deviation of the samples", ("feature",), units="1")


class Spreading(Adversarial):
    """Adversarial trials that say how far their samples are spread."""

    def variables(self):
        return (*super().variables(), SPREAD)

    def train(self, trials, session=ALONE):
        return [
            replace(
                record,
                values={**record.values, "spread": record.values["samples"].std(axis=0)},
                variables={**record.variables, "spread": SPREAD},
            )
            for record in super().train(trials, session)
        ]
'''

KIND = (EXAMPLES / "downhill.py").read_text(encoding="utf-8")

NETWORK = (EXAMPLES / "sine.py").read_text(encoding="utf-8")

DOWNHILL = """\
question: How steep may a step be?
plugins: [downhill.py]
trial: {kind: downhill}
search: {grid: {lr: [0.05, 0.2]}}
seeds: 2
"""

SPREADING = """\
question: Do sines spread?
plugins: [spreading.py, sine.py]
trial:
  kind: spreading
  target: {name: ring, modes: 4}
  generator: {network: sine, width: 4}
  critic: {network: sine, width: 5}
  steps: 4
  batch: 16
  record: {every: 2, samples: 30}
search: {grid: {divergence: [minimax, wasserstein]}}
seeds: 2
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each of two studies: the kind by a worker, the others here."""
    folder = tmp_path_factory.mktemp("trained")
    files = {
        **{"downhill.py": KIND, "spreading.py": VARIABLE, "sine.py": NETWORK},
        **{"downhill.yaml": DOWNHILL, "spreading.yaml": SPREADING},
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ganstudy", "run", "downhill.yaml"),
            *("--out", "downhill", "--workers", "1"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    with trained_inline(), unrendered():
        study, out = str(folder / "spreading.yaml"), str(folder / "spreading")
        inline = CliRunner().invoke(main, ["run", study, "--out", out, "--workers", "1"])
    plugins.forget()
    assert inline.exit_code == 0, inline.output
    return folder


@pytest.mark.slow
def test_a_trainable_kind_is_one_file(trained: Path) -> None:
    """Packed, trained by workers, recorded, gathered by its variables, and ranked in a report."""
    ds = open_run(trained / "downhill")
    assert (ds["status"] == "complete").all()
    assert ds["ends"].dims == ("lr", "seed", "end")
    start, end = ds["ends"].values[..., 0], ds["ends"].values[..., 1]
    shrunk = (1 - 2 * ds["lr"].values[:, None]) ** 10
    np.testing.assert_allclose(end, start * shrunk, rtol=1e-12)
    np.testing.assert_allclose(ds["height"].values[..., -1], end**2, rtol=1e-6)
    assert ds["height"].attrs["units"] == "m"
    page = (trained / "downhill" / "report" / "index.html").read_text()
    assert "height above the bottom" in page


@pytest.mark.slow
def test_a_dataset_variable_is_one_file(trained: Path) -> None:
    """That is no curve: it stands in the dataset with its dimension, units and name."""
    ds = open_run(trained / "spreading")
    assert ds["spread"].dims == ("divergence", "seed", "feature")
    np.testing.assert_allclose(ds["spread"], ds["samples"].std("sample"), rtol=1e-5)
    assert ds["spread"].attrs == {"long_name": "standard deviation of the samples", "units": "1"}


@pytest.mark.slow
def test_a_network_is_one_file(trained: Path) -> None:
    """Both players are made of it, and train."""
    ds = open_run(trained / "spreading")
    assert (ds["status"] == "complete").all()
    assert np.isfinite(ds["generator_loss"]).all()
    resolved = (trained / "spreading" / "resolved.yaml").read_text()
    assert resolved.count('"sine"') == 2
