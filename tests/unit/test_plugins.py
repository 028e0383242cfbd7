"""Plug-ins: members in files of the user's own, from the study file to the worker and back."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from inline import trained_inline
from tiny import STUDY, write_study
from unrendered import unrendered

from ganstudy import divergences, plugins
from ganstudy.cli import main
from ganstudy.divergences import DiscreteLaws
from ganstudy.plugins import conformance
from ganstudy.search.grid import Grid
from ganstudy.store import open_run
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.targets import target_of

ROOT = Path(__file__).parents[2]
MEMBER = '''\
"""A divergence of the user's own."""

from ganstudy.divergences import Divergence
from ganstudy.divergences import ClassifierDivergence


class {name}(ClassifierDivergence):
    """The minimax loss, written anew.

    Source  this test.
    """

    def generator_loss(self, fake):
        return -fake.logaddexp(fake.new_zeros(())).mean(-1)

    def exact(self, laws):
        return float("nan")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for plug-ins, forgotten after the test."""
    yield tmp_path
    plugins.forget()


def _plugin(folder: Path, stem: str = "my_divergence", name: str = "Mine") -> Path:
    path = folder / f"{stem}.py"
    path.write_text(MEMBER.format(name=name), encoding="utf-8")
    return path


def _talking(folder: Path) -> Path:
    """The same, which prints when it is imported, and when it is asked for its loss."""
    path = _plugin(folder)
    said = path.read_text().replace("return -fake", 'print("it is lost")\n        return -fake')
    path.write_text(f'{said}\n\nprint("it is there")\n', encoding="utf-8")
    return path


def _study(folder: Path) -> Path:
    text = STUDY.replace("[minimax, wasserstein]", "[minimax, my_divergence]")
    return write_study(folder, f"plugins: [my_divergence.py]\n{text}")


def test_member_of_a_plugin_is_found_by_its_stem(folder: Path) -> None:
    name, member = plugins.load(_plugin(folder))
    assert name == "divergences"
    assert divergences.family["my_divergence"] is member
    assert "my_divergence" in divergences.family.names
    again = divergences.family.from_config(member().model_dump())
    assert again == member()


@pytest.mark.slow
def test_study_with_a_plugin_runs_and_reopens(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Workers find the member, wherever it is and whatever it prints, and once its run has been set
    aside; trials of the copy equal those of the original bit for bit.
    """
    folder /= f"a{os.pathsep}b"
    folder.mkdir()
    _talking(folder)
    path, out = _study(folder), folder / "run"
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    for asked in ([path, "--out", out], [out / "study.yaml", "--fresh"]):
        plugins.forget()
        with unrendered():
            done = CliRunner().invoke(main, ["run", *map(str, asked), "--workers", "1", "--json"])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["status"] == {"complete": 8}
        worker = capfd.readouterr()
        assert worker.out == ""
        assert "it is lost" in worker.err
    dataset = open_run(out)
    mine = dataset.sel(divergence="my_divergence")
    minimax = dataset.sel(divergence="minimax")
    assert bool((mine["samples"] == minimax["samples"]).all())
    (folder / "my_divergence.py").unlink()  # the run keeps its own copy
    monkeypatch.chdir("/")
    with unrendered():
        again = CliRunner().invoke(main, ["report", str(out), "--plugins"])
    assert again.exit_code == 0, again.output


def _run(*asked: object) -> dict[str, int]:
    """How many trials of a run have which status; nothing but that is on standard output."""
    with trained_inline(), unrendered():
        done = CliRunner().invoke(main, ["run", *map(str, asked), "--workers", "1", "--json"])
    assert done.exit_code == 0, done.output
    status: dict[str, int] = json.loads(done.stdout)["status"]
    return status


@pytest.mark.slow
def test_a_run_has_the_plugin_that_was_set_aside_with_the_run_before(folder: Path) -> None:
    """It was looked for where the run had been, and left out: no worker found it."""
    text = _talking(folder).read_bytes()
    out = folder / "run"
    _run(_study(folder), "--out", out)
    (folder / "my_divergence.py").unlink()
    plugins.forget()
    assert _run(out / "study.yaml", "--fresh") == {"complete": 8}
    assert (out / "my_divergence.py").read_bytes() == text
    assert (folder / "run.aside-1" / "my_divergence.py").read_bytes() == text


@pytest.mark.slow
def test_a_run_goes_on_by_whatever_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own plug-in was to be copied over itself, where its folder was written in two ways."""
    _talking(folder)
    _run(_study(folder), "--out", folder / "run")
    monkeypatch.chdir(folder)
    (folder / "link").symlink_to("run")
    for study in (folder / "run" / "study.yaml", "link/study.yaml"):
        next((folder / "run" / "records").iterdir()).unlink()
        plugins.forget()
        assert _run(study, "--out", "run") == {"complete": 8}


def test_ids_follow_the_text_of_the_file(folder: Path) -> None:
    """Another text means other trials, of the plug-in's arm alone."""
    path = _plugin(folder)
    first = {i: t.id for i, t in Grid(load(_study(folder))).trials.items()}
    path.write_text(path.read_text() + "\n# changed\n")
    plugins.forget()
    second = {i: t.id for i, t in Grid(load(_study(folder))).trials.items()}
    assert {i for i in first if first[i] != second[i]} == {i for i in first if i[0] == 1}


def test_a_file_that_has_changed_is_refused(folder: Path) -> None:
    """The class that was there had the new digest from then on, and trained as the old one."""
    path = _plugin(folder)
    before = path.read_bytes()
    digest = load(_study(folder)).points[1, 0].divergence.plugin
    path.write_bytes(before + b"\n# changed\n")
    with pytest.raises(StudyError, match=r"my_divergence\.py: has changed since this process load"):
        load(_study(folder))
    path.write_bytes(before)
    assert load(_study(folder)).points[1, 0].divergence.plugin == digest == plugins.digest(before)
    (folder / "copy").mkdir()
    other = _plugin(folder / "copy")
    assert plugins.load(other)[1] is divergences.family["my_divergence"]
    other.write_bytes(before + b"\n# changed\n")
    with pytest.raises(plugins.PluginError, match=f"another plug-in has this name: {path}"):
        plugins.load(other)


@pytest.mark.slow
def test_what_a_target_of_a_plugin_asks_for_is_python(folder: Path) -> None:
    """Where nothing else has imported it, `ganstudy` had no `plugins`."""
    path = _plugin(folder)
    with pytest.raises(ValueError, match=r"Python loads it by") as caught:
        target_of(f'{{"name": "{path.stem}"}}')
    (call,) = re.findall(r"ganstudy\.plugins\.load\(.*?\)", str(caught.value))
    loading = f"import ganstudy; print({call.replace('RUN', str(folder))}[0])"
    done = subprocess.run(
        [sys.executable, "-c", loading], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "divergences"


def test_a_file_that_could_not_be_loaded_is_read_anew(folder: Path) -> None:
    """One without a member was kept as it was, however often it was mended."""
    path = folder / "my_divergence.py"
    for text in ("1 / 0\n", "x = 100\n"):
        path.write_text(text)
        with pytest.raises(plugins.PluginError):
            plugins.load(path)
    plugins.load(_plugin(folder))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("from .helper import f", ".helper"),
        ("from . import helper", ".helper"),
        ("import ganstudy.plugins.helper", "ganstudy.plugins.helper"),
        ("def later():\n    from ganstudy.plugins import helper", "ganstudy.plugins"),
        ("import helper", "helper"),
        ("from ..plugins.helper import f", "..plugins.helper"),
        ("import helpers", "helpers"),
        ("from helpers.one import f", "helpers.one"),
        ("import spread.one", "spread.one"),
    ],
)
def test_a_plugin_is_one_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, name: str
) -> None:
    """What it imported from beside it was in no id and in no run, which could not be read then."""
    (folder / "link").symlink_to(folder)
    monkeypatch.syspath_prepend(folder / "link")  # as where somebody's script lies there
    for name_beside in ("helper.py", "json.py", "helpers/__init__.py", "helpers/one.py"):
        (folder / name_beside).parent.mkdir(exist_ok=True)
        (folder / name_beside).write_text("f = 1\n")
    (folder / "spread").mkdir()
    (folder / "spread" / "one.py").write_text("f = 1\n")
    path = _plugin(folder)
    text = f"import json\nfrom ..divergences import hinge\n{path.read_text()}\n"
    text += "import builtins, os\nfrom ganstudy.plugins import PluginError, conformance\n"
    path.write_text(text + line)
    number = len((text + line).splitlines())
    told = f"my_divergence.py:{number}: imports {name}, which lies beside it: a plug-in is one file"
    with pytest.raises(StudyError, match=re.escape(told)):
        load(_study(folder))
    path.write_text(text)
    load(_study(folder))


@pytest.mark.slow
def test_a_plugin_may_lie_beside_the_package(tmp_path: Path) -> None:
    """As in a checkout."""
    path = _plugin(tmp_path)
    (tmp_path / "ganstudy").symlink_to(ROOT / "ganstudy")
    asked = (
        f"import sys; from ganstudy import plugins; plugins.load(__import__('pathlib').{path!r})"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", asked], check=True, cwd=tmp_path, env=environment)


@pytest.mark.parametrize("where", ["import", "add"])
def test_an_interrupted_import_is_begun_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Until its end the process told of another plug-in of this name."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    path = _plugin(folder)
    with monkeypatch.context() as patch:
        if where == "import":
            path.write_text("raise KeyboardInterrupt\n")
        else:
            patch.setattr(divergences.family, "add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            plugins.load(path)
    _, member = plugins.load(_plugin(folder))
    assert divergences.family["my_divergence"] is member


@pytest.mark.parametrize("stem", ["my_divergence_2", "my_divergenceä", "a_my_divergence"])
def test_a_plugin_that_is_not_needed_is_not_sent(folder: Path, stem: str) -> None:
    """It was where its name begins that of one that is."""
    plugins.load(_plugin(folder))
    _, member = plugins.load(_plugin(folder, stem))
    content = plugins.carried(member())
    plugins.forget()
    assert plugins.received(content).name == stem
    assert "my_divergence" not in divergences.family.names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such Python file"),
        ("x = 1\n", "found: none"),
        ("1 / 0\n", "ZeroDivisionError"),
        (MEMBER.format(name="A") + MEMBER.format(name="B"), "found: A, B"),
    ],
)
def test_bad_plugin_is_an_error_of_the_study(folder: Path, text: str | None, message: str) -> None:
    if text is not None:
        (folder / "my_divergence.py").write_text(text)
    with pytest.raises(StudyError, match=message) as error:
        load(_study(folder))
    assert "tiny.yaml:1: plugins" in str(error.value)


def test_a_constant_without_a_type_is_told_in_words(folder: Path) -> None:
    """At a line of the file; pydantic's words were about `model_config`, of no line."""
    path = _plugin(folder)
    text = path.read_text()
    head, _, body = text.partition("    def ")
    path.write_text(f"{head}    descends_exact = False\n\n    def {body}")
    line = 1 + path.read_text().splitlines().index("class Mine(ClassifierDivergence):")
    said = (
        f"{path}:{line}: `descends_exact = False` lacks a type: a constant is "
        "`descends_exact: ClassVar = False`, a parameter a `Field`"
    )
    with pytest.raises(plugins.PluginError) as error:
        plugins.load(path)
    assert str(error.value) == said
    path.write_text(
        f"from typing import ClassVar\n{path.read_text()}".replace("t =", "t: ClassVar =")
    )
    assert not plugins.load(path)[1]().descends_exact


def test_a_plugin_that_is_not_there_is_told_the_nearest(folder: Path) -> None:
    """It was said to be run first, and by its whole path."""
    (folder / "my_divergences.py").write_text("x = 1\n")
    told = "plugins.0: my_divergence.py: no such Python file; did you mean 'my_divergences.py'"
    with pytest.raises(StudyError, match=told):
        load(_study(folder))


def test_a_file_that_is_no_python_is_not_run(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It was said to be run, and then not to be there."""
    _plugin(folder)
    study = _study(folder)
    study.write_text(study.read_text().replace("[my_divergence.py]", "[tiny.yaml]"))
    with pytest.raises(StudyError, match=r"plugins.0: tiny.yaml: is no Python file; valid: my_div"):
        load(study)
    assert "running" not in caplog.text
    with pytest.raises(plugins.PluginError, match=r"tiny.yaml: is no Python file$"):
        plugins.load(study)


@pytest.mark.slow
def test_a_plugin_in_another_folder_is_not_the_one_that_is_asked(folder: Path) -> None:
    """Of a mistyped folder the file of the same name beside the study was trained with."""
    for place in (folder, folder / "v2"):
        place.mkdir(exist_ok=True)
        _plugin(place)
    study = _study(folder)
    text = study.read_text()
    study.write_text(text.replace("[my_divergence.py]", "[v3/my_divergence.py]"))
    told = "v3/my_divergence.py: no such Python file; did you mean 'v2/my_divergence.py'"
    with pytest.raises(StudyError, match=told):
        load(study)
    study.write_text(text.replace("[my_divergence.py]", "[v2/my_divergence.py]"))
    _run(study, "--out", folder / "run")
    plugins.forget()
    checked = CliRunner().invoke(main, ["check", str(folder / "run" / "study.yaml")])
    assert checked.exit_code == 0, checked.output


@pytest.mark.slow
def test_texts_that_trials_were_trained_with_stay_in_the_run(folder: Path) -> None:
    """The second one was written over the only copy of the first."""
    path, out = _plugin(folder), folder / "run"
    first = path.read_bytes()
    _run(_study(folder), "--out", out)
    path.write_bytes(first + b"\n# changed\n")
    plugins.forget()
    _run(_study(folder), "--out", out)
    assert (out / path.name).read_bytes() == path.read_bytes()
    assert (out / f"my_divergence.{plugins.digest(first)}.py").read_bytes() == first
    assert len([*out.glob("*.py")]) == 2


def _of_the_whole_pack(folder: Path) -> Path:
    text = (ROOT / "docs" / "plugins" / "own_reverse_kl.py").read_text()
    path = folder / "whole_mean.py"
    path.write_text(text.replace(".mean(-1)", ".mean()"))
    return path


def test_a_loss_of_the_whole_pack_is_told_by_its_shape(folder: Path) -> None:
    """What NumPy says of a product of the wrong shapes was."""
    plugins.load(_of_the_whole_pack(folder))
    two = np.array([0.5, 0.5])
    laws = DiscreteLaws(two, two, two[:, None])
    told = r"whole_mean: generator_loss gives shape \(\), not one number for each trial, \(2, 2\)$"
    with pytest.raises(ValueError, match=told):
        divergences.family["whole_mean"]().expected_losses(laws, two)


@pytest.mark.slow
def test_the_shape_of_a_loss_is_the_first_of_broken_promises(folder: Path) -> None:
    """Eight came before it of which nobody could tell why.

    What the member does not say of itself is told in words: it was `lines`, and that `[]` does not
    hold.
    """
    path = _of_the_whole_pack(folder)
    bare = "\n    dof: int = 3\n"
    text = re.sub(r'\n    """Descends.*?"""\n', bare, path.read_text(), count=1, flags=re.DOTALL)
    path.write_text(text)
    broken = conformance.check(path).broken
    assert broken[0].promise.startswith("a loss is one number for each trial: ")
    assert "over the last dimension alone" in broken[0].got
    got = [one.got.partition(":")[0] for one in broken]
    assert "parameter dof says in no description what it is" in got
    assert "whole_mean has no docstring" in got
    assert "no line begins with Source and two spaces" in got


@pytest.mark.slow
def test_check_says_which_promises_a_plugin_breaks(folder: Path) -> None:
    """KL the other way round; the right one keeps all, as `test_plugin_examples.py` shows.

    By a process that is begun for it, as a user has it.
    """
    text = (ROOT / "docs" / "plugins" / "own_reverse_kl.py").read_text()
    path = folder / "own_reverse_kl.py"
    path.write_text(text.replace("(laws.q, laws.p)", "(laws.p, laws.q)"))
    done = CliRunner().invoke(main, ["check", "--plugin", str(path)])
    assert done.exit_code == 1, done.output
    kept, count = map(int, re.findall(r"it keeps (\d+) of (\d+) promises", done.stdout)[0])
    assert kept > 10
    assert kept < count
    assert "  promise: generator descends the exact divergence" in done.stdout
    assert f"(broken {count - kept} times, first so:)" in done.stdout
    assert done.stdout.count("  promise: ") == 1 == done.stdout.count("    got: ")
    assert re.search(r"    got: [-.0-9]+ instead of [-.0-9]+ ± 1.0e-09\n", done.stdout)
    expected = "    expected: losses @ direction == approx(slope / h, abs=near)\n"
    assert expected in done.stdout, "without the words beside it"
    assert done.stdout.startswith(f"{path}: own_reverse_kl, a member of divergences, because ")
    for word in ("pytest", "FAILED", "Traceback", "====", " passed", "comparison failed"):
        assert word not in done.stdout.replace("/pytest-", ""), "it is no output of pytest"


@pytest.mark.slow
@pytest.mark.usefixtures("suites_imported")
def test_check_says_that_a_gpu_would_wait(folder: Path) -> None:
    """A loss that asks for a number trains on a CPU, and failed there as its round was recorded."""
    text = (ROOT / "docs" / "plugins" / "own_reverse_kl.py").read_text()
    path = folder / "own_reverse_kl.py"
    path.write_text(
        text.replace("fake.mean(-1)", "fake.mean(-1) * (fake.numel() > fake[0, 0].item())")
    )
    done = CliRunner().invoke(main, ["check", "--plugin", str(path)])
    assert done.exit_code == 1, done.output
    assert "  promise: a round on a gpu waits for nothing: The host is asked" in done.stdout
    assert f"    at: {path}:14, in " in done.stdout


SOUND = {
    "momentum_of_signs": '''\
from pydantic import Field

from ganstudy.optimizers import Optimizer


class Own(Optimizer):
    """Moves by a bounded function of the mean gradient.

    Source  this test.
    """

    beta: float = Field(0.9, ge=0, lt=1, description="decay of the mean")
    slots = ("mean",)

    def update(self, gradient, slots, lr, parameters):
        mean = self.beta * slots["mean"] + (1 - self.beta) * gradient
        return (-lr * mean.tanh()).float(), {"mean": mean.float()}
''',
    "softsign": '''\
from ganstudy.activations import Activation


class Own(Activation):
    """x / (1 + |x|).

    Source  this test.
    """

    def apply(self, sums):
        return sums / (1 + sums.abs())
''',
    "inner_cube": '''\
from pydantic import Field

from ganstudy.constraints import Constraint


class Own(Constraint):
    """Parameters below a bound, those beyond it divided until they are.

    Source  this test.
    """

    bound: float = Field(0.1, gt=0, description="the bound")

    def project(self, parameters):
        largest = parameters.abs().amax(-1, keepdim=True)
        inside = parameters / (largest / self.bound).clamp(min=1)
        return inside.clamp(min=-self.bound, max=self.bound)
''',
}
"""Members of which the suites once asked what none but the package's own can have."""


@pytest.mark.slow
@pytest.mark.usefixtures("suites_imported")
@pytest.mark.parametrize("name", SOUND)
def test_sound_members_keep_their_promises(folder: Path, name: str) -> None:
    path = folder / f"{name}.py"
    path.write_text(SOUND[name], encoding="utf-8")
    assert [*conformance.check(path).sentences()][1:] == []


def test_a_member_is_tested_by_its_whole_name(folder: Path) -> None:
    """Whatever its class is called: the suites number some cases, and name others by their repr."""
    names = ["test_a[my_ring(std=1.0)]", "test_a[my_ring0]", "test_b[2-my_ring-ring]"]
    others = ["test_a[ring(std=0.1)]", "test_my_ring", "test_a[my_ring_2]", "test_a[Mine()]"]
    items = [SimpleNamespace(name=name) for name in (*names, *others)]
    conformance.Collected("my_ring", "targets").pytest_collection_modifyitems(items)
    assert [item.name for item in items] == names
    _, member = plugins.load(_plugin(folder))
    assert (member.__name__, repr(member())) == ("Mine", "my_divergence()")


def test_suites_of_other_families_are_not_collected() -> None:
    """All of them took most of the time of a check, and most have no test of the member."""
    suites = {path.stem: path for path in (ROOT / "tests" / "conformance").glob("*.py")}
    asked = {
        name: {
            stem
            for stem, path in suites.items()
            if not conformance.Collected("mine", name).pytest_ignore_collect(path)
        }
        for name in plugins.FAMILIES
    }
    assert all("test_families" in of_family for of_family in asked.values())
    constraints = {"test_constraints", "test_convolutional", "test_families", "test_steps"}
    assert asked["constraints"] == constraints
    assert asked["initialisations"] == {"test_networks", "test_families"}
    assert {stem for of_family in asked.values() for stem in of_family} == suites.keys()
    # A folder, or a file that is no suite, is for pytest to say.
    assert conformance.Collected("mine", "metrics").pytest_ignore_collect(ROOT / "tests") is None


def test_what_the_suites_need_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pytest alone they looked at executors for two minutes, and ended in its own error."""
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(plugins.PluginError, match=r"need dask_jobqueue: pip install 'gan.*test\]'"):
        conformance.check(_plugin(folder))
    found = conformance.Collected("my_divergence", "divergences")
    found.pytest_exception_interact(SimpleNamespace(), SimpleNamespace(when="collect"), None)
    assert found.broken == []


def test_what_the_suites_import_is_installed_with_them() -> None:
    """One asked for a file of the checkout: for an installed package no suite ran at all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    with_them = {Path(name) for name in included if name.endswith(".py")}
    suites = (ROOT / "tests" / "conformance").glob("*.py")
    for path in (*suites, *map(ROOT.joinpath, with_them)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [own.name for own in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in (name.partition(".")[0] for name in names):
                here = {place / f"{name}.py" for place in (path.parent, ROOT / "tests")}
                of_checkout = {own.relative_to(ROOT) for own in here if own.is_file()}
                assert of_checkout <= with_them, path.name
                assert name == "ganstudy" or not (ROOT / name).is_dir(), path.name


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ("assert () == (2, 3)\n  \n  Right contains 2 more items\n", "() == (2, 3) does not hold"),
        (
            "unused\nassert None is not None\n +  where None = tensor([]).grad",
            "unused: None is not",
        ),
        (
            "assert 0... == 0.2\n comparison failed\nObtained: 0.1\nExpected: 0.2 ± 1e-9",
            "0.1 instead of 0.2 ± 1e-9",
        ),
        ("\nNot equal to tolerance\nMismatched: 1 / 3", "Not equal to tolerance Mismatched"),
    ],
)
def test_what_was_found_is_told_in_words(raised: str, words: str) -> None:
    found = conformance.in_words(raised)
    assert found.startswith(words)
    assert not {"where", "contains", "comparison", "assert"} & set(found.split())


def test_check_names_a_file_without_member(folder: Path) -> None:
    (folder / "empty.py").write_text("")
    done = CliRunner().invoke(main, ["check", "--plugin", str(folder / "empty.py")])
    assert done.exit_code == 2
    assert "found: none" in done.stderr


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("name: float = 1.0", "parameter 'name' would hide what Mine has of this name"),
        ("structure: float = 1.0", "parameter 'structure' would hide what Mine has of this name"),
        ("softplus: float = 1.0", "parameter 'softplus' would hide what Mine has of this name"),
        ("weight: float = 1.0", ""),
        ("powers: list[float] = [1.0]", "parameter 'powers' is a list, which can be changed"),
        ("powers: dict[str, int] | None = None", "parameter 'powers' is a dict, which can be"),
        ("powers: tuple[float, ...] = (1.0,)", ""),
    ],
)
@pytest.mark.filterwarnings("ignore:Field name:UserWarning")
def test_what_no_parameter_can_be_is_told(folder: Path, parameter: str, message: str) -> None:
    """Checks found nothing, and runs ended in tracebacks: of another member, or of no hash."""
    path = _plugin(folder)
    head, define, body = path.read_text().partition("    def ")
    path.write_text(f"{head}    {parameter}\n\n{define}{body}")
    if not message:
        assert hash(plugins.load(path)[1]())
        return
    with pytest.raises(plugins.PluginError) as error:
        plugins.load(path)
    assert str(error.value).startswith(f"{path}: {message}")


METRIC = """\
from ganstudy.metrics import Metric, Reading


class Own(Metric):
    def reading(self, target):
        return Reading("own", "", "lower", (0.0, 1.0), 0.0)

    def compute(self, samples, target):
        return 0 * samples.mean((-2, -1))
"""


@pytest.mark.parametrize("name", ["status", "seed", "critic_loss", "samples", "step", "own"])
def test_a_metric_has_a_name_of_its_own(folder: Path, name: str) -> None:
    """No record could be written, or there was no page, of a study that `check` had passed."""
    (folder / f"{name}.py").write_text(METRIC)
    text = STUDY.replace("samples: 32", f"samples: 32, metrics: [modes_covered, {name}]")
    path = write_study(folder, f"plugins: [{name}.py]\n{text}")
    if name == "own":
        assert all(name in corner.readings for corner in load(path).corners())
        return
    with pytest.raises(StudyError, match=rf"record.metrics: .* name of metric '{name}'; rename"):
        load(path)


def test_name_of_a_member_cannot_be_taken(folder: Path) -> None:
    path = _plugin(folder, "minimax")
    with pytest.raises(plugins.PluginError, match="has a member 'minimax' already"):
        plugins.load(path)


LEFT = """\
from pathlib import Path

Path({mark!r}).write_text("ran")
"""


@pytest.mark.parametrize("verb", ["status", "report"])
def test_reading_somebody_elses_run_executes_nothing(folder: Path, verb: str) -> None:
    """Neither a file beside the study nor one elsewhere; exit 2, and what would make it run."""
    mark, run = folder / "mark", folder / "run"
    (run / "records").mkdir(parents=True)
    (run / "resolved.yaml").write_text("")
    (run / "my_divergence.py").write_text(LEFT.format(mark=str(mark)))
    write_study(run, f"plugins: [my_divergence.py]\n{STUDY}", "study.yaml")
    result = CliRunner().invoke(main, [verb, str(run)])
    assert result.exit_code == 2, result.output
    assert "my_divergence.py is code" in result.stderr
    assert "--plugins" in result.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    "names",
    [
        "  divergence: {name: mine, weight: 3}\n",
        "  target: {name: mine, path: data.csv}\n  constraint: [r1, mine]\n",
        "  record: {metrics: [mine, {name: mine, features: mine}]}\n  updates: mine\n",
        "  critic: {network: {name: mine, of: 3}, activation: mine, optimizer: mine}\n",
        "  critic: {estimator: mine}\nsearch: {mine: {share: 2}}\nscore: mine\n",
    ],
)
def test_mistakes_beside_a_plug_in_that_is_not_there_are_told(tmp_path: Path, names: str) -> None:
    """But none that it may be able to mend: of names that nobody knows, and of what they bring."""
    study = f"plugins: [mine.py]\ntrial:\n  steps: -1\n{names}engine: {{pack: 0}}\nsedes: 3\n"
    with pytest.raises(StudyError) as error:
        load(write_study(tmp_path, study))
    told = [problem.key for problem in error.value.problems]
    assert sorted(told) == ["engine.pack", "plugins.0", "question", "sedes", "trial.steps"]
    with pytest.raises(StudyError) as error:
        load(write_study(tmp_path, f"question: Mine?\n{study}".replace("steps: -1", "kind: mine")))
    told = [problem.key for problem in error.value.problems]
    assert sorted(told) == ["engine.pack", "plugins.0", "sedes"]


@pytest.mark.parametrize("verb", ["check", "plan", "run", "status", "report"])
@pytest.mark.parametrize(
    "where", ["../evil.py", "{folder}/evil.py", "link.py", "below/../../evil.py"]
)
def test_plugins_lie_beside_their_study(folder: Path, verb: str, where: str) -> None:
    """No path leads out of its folder, not even where plug-ins are run."""
    mark, run = folder / "mark", folder / "run"
    (folder / "evil.py").write_text(LEFT.format(mark=str(mark)))
    (run / "records").mkdir(parents=True)
    (run / "resolved.yaml").write_text("")
    (run / "link.py").symlink_to(folder / "evil.py")
    study = write_study(run, f"plugins: ['{where.format(folder=folder)}']\n{STUDY}", "study.yaml")
    reading = verb in ("status", "report")
    result = CliRunner().invoke(
        main, [verb, str(run), "--plugins"] if reading else [verb, str(study)]
    )
    assert result.exit_code == 2, result.output
    assert "a plug-in lies beside its study" in result.stderr
    assert not mark.exists()


def test_running_says_what_it_runs(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _plugin(folder)
    load(_study(folder))
    assert f"running the plug-in {path.resolve()}" in caplog.text
