"""`extends:`: what studies share is written once, and every mistake still has its file and line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from inline import trained_inline
from tiny import STUDY, write_study

from ganstudy import existing, pipeline
from ganstudy.store import RunDirectory
from ganstudy.study import load
from ganstudy.study.document import StudyError, read_document

SHARED = """\
trial:
  target: {name: ring, modes: 4}
  generator: {width: 4, depth: 1}
  critic: &critic {width: 4, depth: 1}
  steps: 6
  batch: 16
  record: {every: 2, samples: 32}
search:
  grid:
    divergence: [minimax, wasserstein]
    critic.steps: [1, 2]
seeds: 5
"""
OWN = """\
extends: _shared.yaml
question: Which divergence keeps all modes?
trial:
  generator: {depth: 2}
  target: {name: grid, side: 2}
search:
  grid:
    critic.steps: [3]
seeds: 2
"""


def _written(folder: Path, own: str = OWN, shared: str = SHARED) -> Path:
    write_study(folder, shared, "_shared.yaml")
    return write_study(folder, own)


def test_mappings_are_merged_and_all_else_is_the_studys(tmp_path: Path) -> None:
    """Another member takes the place of the first whole: it has no `modes`."""
    values = read_document(_written(tmp_path)).values
    assert values["trial"]["generator"] == {"width": 4, "depth": 2}
    assert values["trial"]["target"] == {"name": "grid", "side": 2}
    assert values["search"]["grid"] == {
        "divergence": ["minimax", "wasserstein"],
        "critic.steps": [3],
    }
    assert (values["seeds"], values["trial"]["steps"]) == (2, 6)
    assert "extends" not in values


def test_it_is_the_study_that_says_the_same_alone(tmp_path: Path) -> None:
    """The same trials: `extends` leaves no trace in an id."""
    alone = load(write_study(tmp_path, STUDY, "alone.yaml"))
    study = load(_written(tmp_path, "extends: _shared.yaml\nquestion: Same?\nseeds: 2\n"))
    assert study.points == alone.points
    assert study.seeds == alone.seeds


def test_a_reference_and_an_override_reach_what_is_shared(tmp_path: Path) -> None:
    own = OWN + "x-note: 1\nengine: {pack: '${trial.steps}'}\n"
    values = read_document(
        _written(tmp_path, own), ["trial.steps=8", "trial.critic.width=5"]
    ).values
    assert values["engine"]["pack"] == 8
    assert values["trial"]["critic"] == {"width": 5, "depth": 1}


def test_a_dollar_that_was_escaped_stays_one(tmp_path: Path) -> None:
    """The kept study says it once more, and was not read again."""
    own = OWN.replace("Which divergence", r"'At \${5} or \\\${trial.steps}, or ${trial.steps}")
    asked = read_document(_written(tmp_path, own.replace("modes?", "modes?'")))
    assert asked.values["question"].startswith(r"At ${5} or \${trial.steps}, or 6")
    kept = read_document(write_study(tmp_path, asked.text, "kept.yaml"))
    assert json.dumps(kept.values) == json.dumps(asked.values)


@pytest.mark.skipif(sys.platform != "linux", reason="a name there is text, or is refused")
def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    """The kept study tells its bytes by their codes."""
    path = _written(tmp_path).rename(tmp_path / "study\udcfc.yaml")
    text = read_document(path).text
    assert text.encode().startswith(rb"# study\udcfc.yaml, over _shared.yaml")


MISTAKES = {
    "in the shared file": (OWN, SHARED.replace("batch", "bath"), "_shared.yaml:6: trial.bath"),
    "in the study": (OWN.replace("side", "sied"), SHARED, "tiny.yaml:5: trial.target.sied"),
    "of an axis there": (OWN, SHARED.replace("minimax", "minmax"), "_shared.yaml:10: "),
    "of an axis here": (OWN.replace("[3]", "[0]"), SHARED, "tiny.yaml:8: "),
    "no such file": (OWN.replace("_shared", "_share"), SHARED, "did you mean '_shared.yaml'?"),
    "not itself": (OWN.replace("_shared", "tinny"), SHARED, "no such file; valid: _shared.yaml"),
    "elsewhere": (OWN.replace("_shared", "../_shared"), SHARED, "tiny.yaml:1: extends: ../_shared"),
    "not a name": (OWN.replace("_shared.yaml", "[1]"), SHARED, "tiny.yaml:1: extends: the name"),
    "of a chain": (OWN, f"extends: tiny.yaml\n{SHARED}", "_shared.yaml:1: extends: a shared file"),
    "no YAML": (OWN, "a: [", "_shared.yaml:"),
    "a list": (OWN, "[1]", "_shared.yaml:1: a shared file is a mapping"),
    "empty": (OWN, "", "_shared.yaml: the file is empty"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_the_file_and_the_line_where_it_stands(tmp_path: Path, name: str) -> None:
    own, shared, told = MISTAKES[name]
    with pytest.raises(StudyError) as error:
        load(_written(tmp_path, own, shared))
    assert told in str(error.value)


@pytest.mark.parametrize("shared", ["no file", "a: [", "[1]", f"extends: tiny.yaml\n{SHARED}"])
def test_mistakes_beside_a_shared_file_that_cannot_be_read_are_told(
    tmp_path: Path, shared: str
) -> None:
    """But none that what is shared could mend: nothing is missed, no reference is lost."""
    own = OWN.replace("seeds: 2", "seeds: many\nsead: ${trial.steps}").replace("[3]", "3")
    own += "plugins: [gone.py]\nengine: {pack: '${trial.batch}', time_limit: -1}\nscore: {}\n"
    path = _written(tmp_path, own.replace("question:", "x-note:"), shared)
    if shared == "no file":
        (tmp_path / "_shared.yaml").unlink()
    with pytest.raises(StudyError) as error:
        load(path, ["engine.memory_limit=much", "trial.steps=3"])
    first, *others = (problem.key for problem in error.value.problems)
    assert first in ("extends", "")
    expected = ["engine.memory_limit=much", "engine.time_limit", "plugins.0", "score", "sead"]
    assert sorted(others) == [*expected, "search.grid.critic.steps", "seeds"]


def test_an_override_that_is_none_does_not_hide_that_the_shared_file_is_gone(
    tmp_path: Path,
) -> None:
    path = _written(tmp_path, OWN.replace("_shared", "gone"))
    with pytest.raises(StudyError) as error:
        load(path, ["nonsense"])
    assert [problem.key for problem in error.value.problems] == ["extends", "nonsense"]


def test_what_was_replaced_is_no_place_of_a_mistake(tmp_path: Path) -> None:
    """A ring's `modes` stands in the shared file; the grid of the study has none to blame there."""
    document = read_document(_written(tmp_path))
    assert document.problem(("trial", "target", "modes"), "").place.endswith("tiny.yaml:5")
    assert document.problem(("trial", "generator", "width"), "").place.endswith("_shared.yaml:3")


def test_the_command_line_names_no_shared_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="named in the study"):
        load(_written(tmp_path), ["extends=_other.yaml"])


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    write_study(tmp_path, SHARED, "elsewhere.yaml")
    (tmp_path / "own" / "_shared.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(StudyError, match="lies beside its study"):
        load(write_study(tmp_path / "own", OWN))


def test_a_run_stands_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its copy of the study needs no other file; a changed shared file is a changed study."""
    path, out = _written(tmp_path), tmp_path / "run"
    monkeypatch.setattr("ganstudy.report.build", lambda *_, press: tmp_path / "no page")
    with trained_inline():
        pipeline.run(load(path), out, workers=1)
        asked = load(path)
        (tmp_path / "_shared.yaml").unlink()
        kept = RunDirectory(out).read_study()
        assert json.dumps(kept.document.values) == json.dumps(asked.document.values)
        assert kept.points == asked.points
        assert "over _shared.yaml" in (out / "study.yaml").read_text()
        assert existing.status(out)["status"] == {"complete": 4}
        write_study(tmp_path, SHARED.replace("[minimax, ", "[minimax, hinge, "), "_shared.yaml")
        progress = pipeline.run(load(path), out, workers=1)
    assert (progress.trained, progress.done.total()) == (2, 6)


def test_equal_text_is_read_to_values_of_its_own(tmp_path: Path) -> None:
    """Merged keys and aliases included; each mistake has the place of its own file."""
    text = "x-a: &a {width: 4, depth: 1}\ntrial: {generator: {<<: *a, depth: 2}, critic: *a}\n"
    (elsewhere := tmp_path / "elsewhere").mkdir()
    first, second = (read_document(write_study(folder, text)) for folder in (tmp_path, elsewhere))
    assert first.values == second.values
    first.values["trial"]["generator"]["width"] = first.values["trial"]["critic"]["width"] = 9
    third = read_document(write_study(elsewhere, text))
    assert third.values == second.values
    assert third.values["trial"]["generator"] == {"width": 4, "depth": 2}
    assert third.values["trial"]["critic"] == {"width": 4, "depth": 1}
    place = third.problem(("trial", "critic"), "made up").place
    assert place == f"{elsewhere / 'tiny.yaml'}:2"
