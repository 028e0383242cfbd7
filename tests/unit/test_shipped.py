"""The studies that come with the package, by its commands; and the package as it is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class
from click.testing import CliRunner
from packaging.requirements import Requirement

from ganstudy import shipped
from ganstudy.cli import main
from ganstudy.engine import pace
from ganstudy.study import json_schema, load

ROOT = Path(__file__).parents[2]


def _asked(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, words)
    return result.exit_code, result.output


@pytest.mark.slow
def test_every_study_is_listed_with_question_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    studies = shipped.studies()  # read once: all of them take seconds
    monkeypatch.setattr(shipped, "studies", lambda: studies)
    monkeypatch.setattr(pace, "known", lambda: pace.GUESS)
    code, text = _asked("studies", "--json")
    rows = json.loads(text)
    assert code == 0
    alone = [p for p in (ROOT / "studies").rglob("*.yaml") if p.parent.name != "atlas"]
    assert rows.keys() == {path.stem for path in alone}
    for name, study in studies.items():
        assert rows[name]["question"] == study.file.question
        assert rows[name]["seconds"] > 0
    text = _asked("studies")[1]
    assert text.count("?") >= len(rows)
    # Of seeds until it is settled, time and trials are both the most.
    own = studies["settled"]
    most = len(own.points) * len(own.seeds)
    (line,) = (line for line in text.splitlines() if line.startswith("settled "))
    assert re.search(rf"\(at most {most} trials, at most [^()]+, a guess\)$", line)
    assert (rows["settled"]["trials"], rows["settled"]["open_ended"]) == (most, True)
    assert not any(row["measured"] for row in rows.values())
    assert re.search(r"^quick .*\(40 trials, about [^()]+, a guess\)$", text, re.MULTILINE)
    assert [line for line in text.splitlines() if line.startswith("atlas ")]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shipped.files()))
def test_a_new_study_is_a_copy_with_its_comments(tmp_path: Path, name: str) -> None:
    """The same trials, the same words, and a schema that is there."""
    path = tmp_path / "my.yaml"
    assert _asked("new", str(path), "--from", name)[0] == 0
    original = shipped.files()[name]
    text = path.read_text(encoding="utf-8")
    schema = text.splitlines()[0].partition("$schema=file://")[2]
    assert json.loads(Path(schema).read_text(encoding="utf-8"))["properties"]
    written = original.read_text(encoding="utf-8").splitlines()
    assert text.splitlines()[1:] == written[written[0].startswith("# yaml-language-server") :]
    assert load(path).points == load(original).points
    assert _asked("check", str(path))[0] == 0


@pytest.mark.parametrize(
    ("asked", "begun"),
    [
        ("quick", "new quick.yaml --from quick"),
        ("denisty_ratio", "new density_ratio.yaml --from density_ratio"),
        ("studies/atlas/ring.yaml", "new atlas --from atlas"),
        ("qiuck.yaml", ""),
    ],
)
def test_a_study_that_is_not_here_may_come_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, begun: str
) -> None:
    """Outside a checkout it was no such file; one beside it is nearer."""
    monkeypatch.chdir(tmp_path)
    if not begun:
        Path("quick.yaml").touch()
    code, text = _asked("run", asked)
    assert code == 2
    assert (f"`ganstudy {begun}`" if begun else "did you mean 'quick.yaml'?") in text


@pytest.mark.slow
def test_a_new_folder_has_the_studies_and_what_they_share(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    assert _asked("new", str(path), "--from", "atlas")[0] == 0
    original = ROOT / "studies" / "atlas"
    assert {own.name for own in path.iterdir()} == {own.name for own in original.glob("*.yaml")}
    ring = path / "ring.yaml"
    assert load(ring).points == load(original / "ring.yaml").points
    assert "$schema=file://" in ring.read_text(encoding="utf-8").splitlines()[0]
    code, text = _asked("new", str(path), "--from", "atlas")
    assert (code, "File exists" in text) == (2, True)
    assert "change its studies, then" in _asked("new", str(tmp_path / "two"), "--from", "atlas")[1]


def test_a_new_folder_is_not_called_as_a_file(tmp_path: Path) -> None:
    """It was made, a folder `my.yml`, and "change it" was said of it."""
    code, text = _asked("new", str(tmp_path / "my.yml"), "--from", "atlas")
    assert code == 2
    assert "atlas is a folder of studies; name one, such as my\n" in text
    assert [*tmp_path.iterdir()] == []


def test_the_schema_beside_them_is_that_of_the_package() -> None:
    """`ganstudy schema > studies/study.schema.json` makes it so."""
    kept = json.loads((ROOT / "studies" / "study.schema.json").read_text(encoding="utf-8"))
    assert kept == json_schema(), "run `ganstudy schema > studies/study.schema.json`"


def test_a_new_study_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("mine")
    code, text = _asked("new", str(path))
    assert (code, path.read_text()) == (2, "mine")
    assert "File exists" in text
    code, text = _asked("new", str(tmp_path / "none" / "my.yaml"))
    assert (code, text) == (2, f"{tmp_path / 'none'}: no such folder\n")


def test_an_unknown_study_is_refused_with_the_nearest(tmp_path: Path) -> None:
    code, text = _asked("new", str(tmp_path / "my.yaml"), "--from", "mode_colapse")
    assert code == 2
    assert "did you mean 'mode_collapse'?" in text
    assert not (tmp_path / "my.yaml").exists()


def _python(version: str) -> str | None:
    """A Python of a version: this one, one on the path, or one that pyenv keeps."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    kept = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    for found in (shutil.which(f"python{version}"), *map(str, kept)):
        # A shim of pyenv is there for versions that are not.
        if (
            found
            and not subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode
        ):
            return found
    return None


def _link(wheel: Path, site: Path) -> None:
    """Give an environment what a wheel asks for, and nothing else, from this one: to fetch and to
    unpack it anew takes a minute, and shows what setting up this one has shown.
    """
    (told,) = metadata.distributions(path=[str(wheel)])
    left, found = list(told.requires or ()), set()
    while left:
        asked = Requirement(left.pop())
        if asked.name in found or (asked.marker and not asked.marker.evaluate({"extra": ""})):
            continue
        found.add(asked.name)
        own = metadata.distribution(asked.name)
        left += own.requires or ()
        for name in {path.parts[0] for path in own.files or ()} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(own.locate_file(name))


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_wheel_in_an_empty_environment(tmp_path: Path, version: str) -> None:
    """Built from the checkout, installed elsewhere, and half a minute later there is a page."""
    here = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    python = _python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=tmp_path,
            env=here,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    fixed: list[str | Path] = ["--quiet", "--no-compile", "--constraint", ROOT / "constraints.txt"]
    ask = [python, "-m", "pip", "install", "--dry-run", "--no-deps", "--target", tmp_path / "none"]
    asked = [str(part) for part in (*ask, *fixed, "torch")]
    own = python == sys.executable
    if not own and subprocess.run(asked, env=here, capture_output=True, check=False).returncode:
        pytest.skip(f"the build of torch in constraints.txt cannot be had for Python {version}")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, ROOT)
    run(python, "-m", "venv", "--without-pip", tmp_path / "empty")
    there = tmp_path / "empty" / "bin"
    (wheel,) = tmp_path.glob("ganstudy-*.whl")
    if own:
        _link(wheel, next((tmp_path / "empty" / "lib").glob("python*")) / "site-packages")
        fixed.append("--no-index")  # of another version it would write where the link leads
    run(sys.executable, "-m", "pip", "--python", there / "python", "install", *fixed, wheel)
    assert "quick" in run(there / "ganstudy", "studies")
    run(there / "ganstudy", "new", "my.yaml")
    run(there / "ganstudy", "run", "my.yaml", "--workers", "2", "trial.steps=100", "seeds=2")
    page = tmp_path / "runs" / "my" / "report" / "index.html"
    assert load(ROOT / "studies" / "quick.yaml").file.question in page.read_text(encoding="utf-8")
    assert not list((tmp_path / "empty").rglob("site-packages/tests"))


def test_a_run_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its results are, nothing is trained."""
    trained: list[Path] = []

    def run(study: object, out: Path, **how: object) -> None:
        trained.append(out)
        (out / "results.zarr").mkdir(parents=True)

    monkeypatch.setattr("ganstudy.pipeline.run", run)
    assert shipped.made("quick", tmp_path) == tmp_path / "quick"
    assert shipped.made("quick", tmp_path) == tmp_path / "quick"
    assert trained == [tmp_path / "quick"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verbs, and names of exports; the script is the one that the tutorial has shells read."""
    completion = get_completion_class(shell)
    assert completion is not None
    own = completion(main, {}, "ganstudy", "_GANSTUDY_COMPLETE")
    assert "_GANSTUDY_COMPLETE" in own.source_vars()["complete_var"]
    verbs = [item.value for item in own.get_completions([], "re")]
    assert verbs == ["report", "retry"]
    tools = [item.value for item in own.get_completions(["export", "runs/a"], "t")]
    assert tools == ["tensorboard", "trackio"]
    studies = [item.value for item in own.get_completions(["new", "my.yaml", "--from"], "mo")]
    assert studies == ["mode_collapse"]
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    assert f"_GANSTUDY_COMPLETE={shell}_source ganstudy" in page
