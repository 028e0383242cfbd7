"""Settings given on the command line: in force where they are written, or refused with a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from inline import trained_inline
from tiny import STUDY, write_study

from ganstudy import existing, open_run, pipeline, report
from ganstudy.cli import main
from ganstudy.store import RunDirectory
from ganstudy.study import load
from ganstudy.study.document import read_document
from ganstudy.study.names import name_problem

FILES = sorted((Path(__file__).parents[3] / "studies").rglob("*.yaml"))
STUDIES = [path for path in FILES if not path.name.startswith("_")]


def _check(path: Path, *overrides: str) -> Result:
    return CliRunner().invoke(main, ["check", str(path), *overrides])


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_kept_study_is_the_one_that_was_asked(tmp_path: Path, path: Path) -> None:
    """Every value, in its order, after an override was written into the file."""
    asked = read_document(path, ["seeds=2", "trial.record.every=7", "trial.critic.new=a b"])
    kept = read_document(write_study(tmp_path, asked.text))
    # As text, in which mappings have an order.
    assert json.dumps(kept.values) == json.dumps(asked.values)
    if asked.shared is not None:  # it is made of two files, and has the comments of neither
        return
    written = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    comments = [line for line in written if line.startswith("#")]
    assert all(comment in asked.text for comment in comments)


ORDERED = """\
question: Which comes first?   # the order of the file
compare: zeta
trial:
  target: {name: ring, modes: 4}
  generator: &player {width: 4, depth: 1}
  critic: *player
  steps: 4
  batch: 16
  record: {every: 2, samples: 32, frames: 0}
search:
  grid:
    zeta: {z: {critic.lr: 1e-3}, a: {critic.lr: 1e-2}}   # z first
    alpha: {y: {generator.lr: 1e-3}, b: {generator.lr: 1e-2}}
seeds: 1
"""


def test_an_override_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dimensions, labels and comments stay as they are written when a run is reported again."""
    path = write_study(tmp_path, ORDERED)
    monkeypatch.setattr(report, "build", lambda *_, **__: tmp_path / "no page")
    with trained_inline():
        pipeline.run(load(str(path), ["trial.steps=2"]), str(tmp_path / "run"), workers=1)
        existing.report_anew(tmp_path / "run")
    ds = open_run(tmp_path / "run")
    assert list(ds["status"].dims) == ["zeta", "alpha", "seed"]
    assert ds["zeta"].values.tolist() == ["z", "a"]
    assert ds["alpha"].values.tolist() == ["y", "b"]
    text = (tmp_path / "run" / "study.yaml").read_text()
    assert "# the order of the file" in text
    assert "# z first" in text
    assert "overridden on the command line: trial.steps=2" in text
    again = RunDirectory(tmp_path / "run").read_study()
    assert next(iter(again.points.values())).steps == 2


def test_an_override_changes_one_use_of_an_anchor(tmp_path: Path) -> None:
    """The generator's width is not the critic's, though both were written once."""
    path = write_study(tmp_path, ORDERED)
    asked = load(path, ["trial.generator.width=16"])
    kept = load(write_study(tmp_path, asked.document.text, "kept.yaml"))
    for study in (asked, kept):
        point = next(iter(study.points.values()))
        assert (point.generator.width, point.critic.width) == (16, 4)


AXIS = "search: {grid: {generator.lr: [1e-3, 1e-2], critic.steps: [1, 2]}}\n"
BUNDLES = "search: {grid: {size: {s: {generator.width: 4, batch: 8}, l: {generator.width: 8}}}}\n"
MEMBER = "search: {grid: {target: [gaussian, {name: ring, modes: 3}]}}\n"
SPACE = """\
search:
  bayes:
    space:
      generator.lr: {low: 1e-4, high: 1e-2}
      constraint: [none, clip]
      critic.lr: {low: 1e-4, high: 1e-2, when: {constraint: clip}}
    trials: 4
    objective: {maximize: high_quality}
"""

HIDDEN: dict[str, tuple[str, str, str]] = {
    "by an axis": (AXIS, "trial.generator.lr=banana", "search.grid.generator.lr"),
    "by an axis, of its type": (AXIS, "trial.generator.lr=0.5", "search.grid.generator.lr"),
    "in a group": (AXIS, "trial.generator={lr: 0.5, width: 8}", "search.grid.generator.lr"),
    "by every bundle": (BUNDLES, "trial.generator.width=16", "search.grid.size"),
    "by members": (MEMBER, "trial.target=moons", "search.grid.target"),
    "of another member": (MEMBER, "trial.target.side=3", "search.grid.target"),
    "by a parameter": (SPACE, "trial.generator.lr=banana", "search.bayes.space.generator.lr"),
    "by a list": (SPACE, "trial.constraint=clip", "search.bayes.space.constraint"),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_an_override_without_effect_is_refused(tmp_path: Path, case: str) -> None:
    """What every point sets otherwise; the message names what to override."""
    body, override, by = HIDDEN[case]
    path = write_study(tmp_path, f"question: Why?\n{body}")
    result = _check(path, override)
    assert result.exit_code == 2, result.output
    assert f"command line: {override}: changes nothing" in result.stderr
    assert f"is set by {by}; override that" in result.stderr


BLAMED = {
    "an axis": ("search.grid.steps=[10, 0]", "search.grid.steps.1: "),
    "a member": ("search.grid.target=[rang, grid]", "search.grid.target.0: unknown name 'rang'"),
    "a bundle": ("search.grid.size={a: {steps: 0}, b: {batch: 8}}", "search.grid.size.a: "),
    "a space": (
        "search.bayes={trials: 3, objective: {maximize: modes_covered}, space: {steps: [0, 3, 9]}}",
        "search.bayes.space.steps.0: ",
    ),
    "what a member keeps": ("trial.target={name: ring, modes: -1}", "trial.target.modes: "),
    "a key that is not there": ("seeds.max=80", "seeds.until: this key is required"),
}


@pytest.mark.parametrize("case", BLAMED)
def test_no_line_of_the_file_is_blamed_for_an_override(tmp_path: Path, case: str) -> None:
    """Each is above or beside a sound line of the same key; what is wrong in it is named."""
    override, told = BLAMED[case]
    body = "question: Why?\ntrial: {steps: 10, target: ring}\nseeds: 2\n"
    body += "search: {grid: {target: [ring, grid]}}\n" if case == "what a member keeps" else ""
    path = write_study(tmp_path, body)
    result = _check(path, override)
    assert result.exit_code == 2, result.output
    assert f"command line: {override}: {told}" in result.stderr
    assert f"{path}:" not in result.stderr


ANCHORS = "x-players: {one: &one {width: 8}, two: 16}\ntrial: {generator: *one, critic: *one}\n"


def test_an_override_of_an_anchor_is_refused(tmp_path: Path) -> None:
    """What uses it had been read before; a reference is read afterwards."""
    path = write_study(tmp_path, f"question: Why?\n{ANCHORS}")
    for override in ("x-players.one.width=9", "x-players={one: {width: 9}}", "x-new=3"):
        result = _check(path, override)
        assert result.exit_code == 2, result.output
        name = override.partition("=")[0].partition(".")[0]
        assert f"command line: {override}: changes nothing: {name} holds anchors" in result.stderr
    path.write_text(f"{path.read_text()}seeds: ${{x-players.two}}\n", encoding="utf-8")
    assert len(load(path, ["x-players.two=3"]).seeds) == 3


def test_the_last_override_of_a_key_counts_in_a_kept_study(tmp_path: Path) -> None:
    """Of three, the kept study had them in another order, and another value."""
    overrides = ["trial.critic.steps=2", "trial.critic={width: 8}", "trial.critic.steps=5"]
    asked = read_document(write_study(tmp_path), overrides)
    assert asked.values["trial"]["critic"] == {"width": 8, "steps": 5}
    kept = read_document(write_study(tmp_path, asked.text))
    assert json.dumps(kept.values) == json.dumps(asked.values)
    assert f"# overridden on the command line: {' '.join(overrides)}\n" in asked.text


def test_an_override_is_taken_back_with_another_between(tmp_path: Path) -> None:
    """A key that is not in the file stood elsewhere in the kept study, and that was refused."""
    overrides = ["trial.steps=7", "trial.batch=8", "trial.steps=9"]
    asked = read_document(write_study(tmp_path, "question: Why?\n"), overrides)
    kept = read_document(write_study(tmp_path, asked.text))
    assert list(kept.values["trial"].items()) == [("steps", 9), ("batch", 8)]


MERGED = """\
question: Why?
x-small: &small {width: 16, depth: 1}
x-slow: &slow {width: 32, lr: 1e-4}
trial:
  generator: &generator {<<: *small, width: 8}
  critic: {<<: *generator, steps: 2}   # as wide as the generator
  encoder: {lr: 1e-3, <<: [*slow, *small]}
"""


def test_merges_of_merges_can_be_overridden(tmp_path: Path) -> None:
    """It was a traceback, with the earlier run set aside by then."""
    path = write_study(tmp_path, MERGED)
    asked = read_document(path, ["trial.steps=5", "trial.critic.width=9"])
    assert asked.values["trial"]["generator"] == {"width": 8, "depth": 1}
    assert asked.values["trial"]["critic"] == {"width": 9, "depth": 1, "steps": 2}
    assert asked.values["trial"]["encoder"] == {"width": 32, "depth": 1, "lr": 1e-3}
    kept = read_document(write_study(tmp_path, asked.text))
    assert json.dumps(kept.values) == json.dumps(asked.values)
    assert "# as wide as the generator" in asked.text


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("form", ["question=one{}two", 'question="one{}two"'])
def test_a_kept_study_is_read_again_whatever_was_typed(
    tmp_path: Path, line_break: str, form: str
) -> None:
    """A break other than a plain one had ended the comment that tells of the override."""
    asked = load(write_study(tmp_path), [form.format(line_break)])
    path = tmp_path / "kept.yaml"
    path.write_bytes(asked.document.text.encode())
    kept = load(path)
    assert kept.file.question == asked.file.question
    assert kept.file.question.startswith("one")
    assert path.read_text(encoding="utf-8") == asked.document.text


def test_what_could_not_be_read_again_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    """Such as a study that is too long once it says what was overridden."""
    long = f"{STUDY}#{'-' * (199_990 - len(STUDY))}\n"
    result = _check(write_study(tmp_path, long), "seeds=3")
    assert result.exit_code == 2, result.output
    told = "command line: seeds=3: cannot be kept as a file that says the same: a study has 200,000"
    assert told in result.stderr


@pytest.mark.parametrize(
    ("body", "override"),
    [
        (AXIS, "trial.generator.width=16"),
        (AXIS, "trial.generator={width: 16}"),
        (BUNDLES, "trial.batch=32"),
        (MEMBER, "trial.target.modes=5"),
        (SPACE, "trial.critic.lr=0.5"),
        (AXIS, "search.grid.generator.lr=[0.5]"),
        ("search: {grid: {constraint.weight: [0.1, 1.0]}}\n", "trial.constraint=r1"),
    ],
)
def test_an_override_with_effect_somewhere_is_taken(
    tmp_path: Path, body: str, override: str
) -> None:
    result = _check(write_study(tmp_path, f"question: Why?\n{body}"), override)
    hidden = "trial.target.modes=5"
    assert (result.exit_code == 0) != (override == hidden), result.output


LABELS = """\
question: Why?
search:
  grid:
    cap: {8: {batch: 8}, 0.5: {batch: 16}, true: {batch: 24}, null: {batch: 32}, yes: {batch: 40}}
    target.std: [null, 0.5]
  exclude: [{cap: 8, target.std: 0.5}, {cap: true}, {cap: null, target.std: null}]
trial: {target: gaussian}
seeds: 1
"""


def test_labels_are_called_what_they_look_like(tmp_path: Path) -> None:
    """Numbers, true and null as labels, and as what exclude leaves out."""
    study = load(write_study(tmp_path, LABELS))
    assert study.axes[0].labels == ("8", "0.5", "true", "null", "yes")
    assert study.axes[1].labels == ("none", "0.5")
    left = {(study.axes[0].labels[i], study.axes[1].labels[j]) for i, j in study.points}
    every = {(a, b) for a in study.axes[0].labels for b in study.axes[1].labels}
    assert every - left == {("8", "0.5"), ("true", "none"), ("true", "0.5"), ("null", "none")}


def test_labels_that_look_the_same_are_one(tmp_path: Path) -> None:
    body = "question: Why?\nsearch: {grid: {cap: {8: {batch: 8}, '8': {batch: 9}}}}\n"
    result = _check(write_study(tmp_path, body))
    assert result.exit_code == 2
    assert ":2" in result.stderr
    assert "8" in result.stderr


def test_an_axis_can_be_narrowed(tmp_path: Path) -> None:
    """What the file excludes may be gone then; what the command line excludes may not."""
    path = write_study(tmp_path, STUDY.replace("seeds:", "  exclude: [{critic.steps: 2}]\nseeds:"))
    assert len(load(path, ["search.grid.critic.steps=[1, 3]"]).points) == 4
    result = _check(path, "search.exclude=[{critic.steps: 5}]")
    assert result.exit_code == 2
    assert "5 is not a value of this axis" in result.stderr


def test_keys_that_hold_anchors_alone(tmp_path: Path) -> None:
    body = "question: Why?\nx-players: &players {width: 4}\ntrial: {generator: *players}\n"
    study = load(write_study(tmp_path, body))
    assert next(iter(study.points.values())).generator.width == 4


def test_infinite_bounds_are_of_their_key(tmp_path: Path) -> None:
    """Not of `low.int`."""
    for bound in (".inf", ".nan", "1e999"):
        body = SPACE.replace("low: 1e-4, high: 1e-2}", f"low: 1e-4, high: {bound}}}", 1)
        result = _check(write_study(tmp_path, f"question: Why?\n{body}"))
        assert result.exit_code == 2
        assert "search.bayes.space.generator.lr.high: " in result.stderr


RESOLVERS = ["oc.env:HOME", "oc.env:NOPE,x", "oc.decode:1", "oc.select:trial", "oc.create:{}"]


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_a_study_reads_nothing_of_the_machine(tmp_path: Path, resolver: str) -> None:
    """Whose secrets would stand in the page of whoever runs somebody else's study."""
    for text in (f"${{{resolver}}}", f"a ${{{resolver}}} b", f"\\\\${{{resolver}}}"):
        path = write_study(tmp_path, f"question: '{text}'\n")
        result = _check(path)
        assert result.exit_code == 2, result.output
        assert f"{path}:1: question: a reference is a key path" in result.stderr
    result = _check(write_study(tmp_path), f"question=${{{resolver}}}")
    assert result.exit_code == 2
    assert "command line" in result.stderr


def test_dollars_that_are_no_references(tmp_path: Path) -> None:
    path = write_study(tmp_path, "question: 'What of $5, \\${this, \\${that} and $$?'\n")
    assert load(path).file.question == "What of $5, ${this, ${that} and $$?"


NAMES = {
    "empty": ("''", "empty"),
    "blank": ("'  '", "empty"),
    "space before": ("' a'", "space"),
    "long": ("a" * 300, "120 characters"),
    "two lines": ('"a\\nb"', "printable"),
    "terminal": ('"a\\e[2J"', "printable"),
    "right to left": ('"a\\u202eb"', "printable"),
    "underscore": ("_a", "underscore"),
}


@pytest.mark.parametrize("case", NAMES)
@pytest.mark.parametrize("where", ["axis", "label", "value"])
def test_names_that_nothing_can_show(tmp_path: Path, case: str, where: str) -> None:
    name, message = NAMES[case]
    grid = {
        "axis": f"{{{name}: {{s: {{batch: 8}}, l: {{batch: 16}}}}}}",
        "label": f"{{size: {{{name}: {{batch: 8}}, l: {{batch: 16}}}}}}",
        "value": f"{{size: {{a: {{batch: 8}}}}, target: [ring, {name}]}}",
    }[where]
    result = _check(write_study(tmp_path, f"question: Why?\nsearch:\n  grid: {grid}\n"))
    assert result.exit_code == 2, result.output
    assert ":3" in result.stderr
    assert message in result.stderr


@pytest.mark.parametrize("name", ["G/D width", "a\\b", "/", "../x"])
def test_axes_are_no_folders(tmp_path: Path, name: str) -> None:
    """A slash in the name of a dimension would make a group of the store."""
    body = f"question: Why?\nsearch:\n  grid:\n    '{name}': {{s: {{batch: 8}}}}\n"
    result = _check(write_study(tmp_path, body))
    assert result.exit_code == 2
    assert ":4" in result.stderr
    assert "no slashes" in result.stderr


def test_axes_have_signs_that_file_names_have_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a locale is not UTF-8, the dataset could not be written once all was trained."""
    monkeypatch.setattr("os.fsencode", lambda name: name.encode("latin-1"))
    assert name_problem("Größe") is None
    assert "has no such sign" in str(name_problem("\u0420\u0430\u0437"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a:b"], "Windows has none such"),
        (["what?"], "Windows has none such"),
        (["CON"], "a device on Windows"),
        (["\N{GREEK SMALL LETTER PI}" * 120 + "2"], "120 characters"),
        (["\u597d" * 100], "240 bytes"),
        (["Size", "size"], "same dimension as axis 'Size', but for case at most"),
        (["Score"], "a meaning of its own"),
        (["Modes_Covered"], "a recorded variable has this name"),
    ],
)
def test_axes_are_files_on_every_system(tmp_path: Path, names: list[str], message: str) -> None:
    """Each is a folder of results.zarr, which is read on other systems than it was written on."""
    keys = ("batch", "steps")
    axes = "".join(f"    '{n}': {{s: {{{keys[k]}: 8}}}}\n" for k, n in enumerate(names))
    result = _check(write_study(tmp_path, f"question: Why?\nsearch:\n  grid:\n{axes}"))
    assert result.exit_code == 2
    assert f":{3 + len(names)}" in result.stderr
    assert message in result.stderr
