"""The command line: what it prints, what it imports, how it exits."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from tiny import STUDY, write_study

from ganstudy import plugins
from ganstudy.cli import FAMILIES, main
from ganstudy.divergences import family as divergences
from ganstudy.report import PageError
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory
from ganstudy.study import load

ROOT = Path(__file__).parents[2]
SCRIPT = str(Path(sys.executable).with_name("ganstudy"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study, and a run of it in which nothing is trained yet."""
    path = tmp_path_factory.mktemp("cli")
    study = load(write_study(path))
    directory = RunDirectory(path / "run")
    with directory.locked():
        directory.write_study(Grid(study))
    return path


VERBS = [
    ["--help"],
    ["list", "divergences"],
    ["schema"],
    ["check", "tiny.yaml"],
    ["plan", "tiny.yaml", "--workers", "2"],
    ["run", "tiny.yaml", "--dry-run", "--workers", "2"],
    ["status", "run"],
    *(["list", family] for family in FAMILIES),
]


def test_torch_is_not_imported(folder: Path) -> None:
    """Every verb but `run` starts without torch and without warnings, and --help without xarray."""
    code = (
        "import sys\n"
        "from ganstudy.cli import main\n"
        f"for arguments in {VERBS!r}:\n"
        "    try:\n"
        "        main(arguments, standalone_mode=False)\n"
        "    except SystemExit as end:\n"
        "        assert not end.code, arguments\n"
        "    assert 'torch' not in sys.modules, arguments\n"
        "    assert 'xarray' not in sys.modules or arguments != ['--help']\n"
        "    print('verb done')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.count("verb done") == len(VERBS)


def test_help_is_quick() -> None:
    """Of the installed command, and has every verb.

    Half a second of processor time, which a busy machine does not stretch.
    """

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    times = []
    for _ in range(3):
        before = spent()
        done = subprocess.run([SCRIPT, "--help"], check=True, capture_output=True, text=True)
        assert "Commands:" in done.stdout
        times.append(spent() - before)
    assert min(times) < 0.5
    for verb in main.commands:
        assert f"\n  {verb} " in done.stdout


def test_the_end_of_a_verb_looks_for_no_garbage() -> None:
    """Half a second after a page; what others have registered for the end of the process runs."""
    program = (
        "import atexit, gc, sys; from ganstudy.cli import main\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1_000))\n"
        "main(['--version'])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout.split()[-1] == b"True"


@pytest.mark.parametrize("verb", sorted(main.commands))
def test_every_verb_is_in_the_readme_and_has_help(verb: str) -> None:
    """No command is undocumented."""
    assert f"ganstudy {verb}" in (ROOT / "README.md").read_text(encoding="utf-8")
    command = main.commands[verb]
    assert command.help
    shown = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    assert f"{verb} {' '.join(command.help.split('.', 1)[0].split())}" in shown
    assert CliRunner().invoke(main, [verb, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "tiny.yaml", "--json", "--workers", "2"],
        ["run", "tiny.yaml", "--dry-run", "--json", "--workers", "2"],
    ],
)
def test_plan_as_json(folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """One object with the numbers of the plan, and nothing else."""
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert result.stderr == ""
    planned = json.loads(result.stdout)
    assert planned["study"] == "tiny"
    assert planned["axes"] == {"divergence": ["minimax", "wasserstein"], "critic.steps": [1, 2]}
    assert planned["seeds"] == [0, 1]
    assert (planned["trials"], planned["recorded"]) == (8, 0)
    assert sum(planned["packs"]) == 8
    assert planned["trial_steps"] == 8 * 6
    assert not (folder / "runs").exists()


def test_plan_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question, the axes, and how much there is to do."""
    monkeypatch.chdir(folder)
    text = CliRunner().invoke(main, ["plan", "tiny.yaml", "--workers", "2"]).stdout
    for part in ("Which divergence", "divergence: minimax, wasserstein", "8 trials", "8 to train"):
        assert part in text


def test_status_of_a_run(folder: Path) -> None:
    """Counts in words and as JSON."""
    result = CliRunner().invoke(main, ["status", str(folder / "run")])
    assert (result.exit_code, result.stdout) == (0, "8 missing\nnot running\n")
    result = CliRunner().invoke(main, ["status", str(folder / "run"), "--json"])
    answer = json.loads(result.stdout)
    assert answer["status"] == {"missing": 8}
    assert answer["failures"] == []


@pytest.mark.parametrize("verb", ["status", "report", "retry"])
def test_no_run_is_an_error_without_traceback(tmp_path: Path, verb: str) -> None:
    """Exit 2 for a path that is no run."""
    for path in (tmp_path, tmp_path / "nowhere", Path(__file__)):
        result = CliRunner().invoke(main, [verb, str(path)])
        assert result.exit_code == 2
        assert isinstance(result.exception, SystemExit)
        assert "not a run directory" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_out_that_is_a_file_is_an_error_without_traceback(tmp_path: Path) -> None:
    """Exit 2 where no run directory can be made."""
    study = write_study(tmp_path)
    taken = tmp_path / "taken"
    taken.write_text("not a folder")
    result = CliRunner().invoke(main, ["run", str(study), "--out", str(taken), "--workers", "1"])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert taken.read_text() == "not a folder"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["ruin", "tiny.yaml"],
        ["plan", "tiny.yaml", "--workers", "0"],
        ["run", "tiny.yaml", "--devices", "cuda:77"],
        ["run", "tiny.yaml", "--devices", "abacus"],
        ["list", "divergance"],
    ],
)
def test_usage_errors_exit_with_two(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """A misspelt verb, option or device."""
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, arguments)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "divergence"], "'divergence' is not one of them; did you mean 'divergences'?"),
        (["compare", "a", "--along", "arms"], "'arms' is not one of them; did you mean 'arm'?"),
        (["check", "tiny.yaml", "--seeds", "8"], "is written without dashes: seeds=8\n"),
        (["run", "tiny.yaml", "--seed=3"], "is written without dashes: seeds=3\n"),
        (["run", "tiny.yaml", "--seeds=[1, 2]"], "is written without dashes: seeds='[1, 2]'\n"),
        (["run", "tiny.yaml", "--seeds", "--fresh"], "is written without dashes: seeds=VALUE\n"),
        (["run", "tiny.yaml", "--trial.steps=5"], "is written without dashes: trial.steps=5\n"),
        (["plan", "tiny.yaml", "--steps", "5"], "is written without dashes: trial.steps=5\n"),
        (["plan", "tiny.yaml", "--lr=1"], "dashes: trial.generator.lr=1 or trial.critic.lr=1\n"),
        (["retry", "a", "--time-limit=5"], "is written without dashes: engine.time_limit=5\n"),
        (["run", "tiny.yaml", "--worker", "2"], "'--worker'. Did you mean '--workers'?\n"),
        (["run", "tiny.yaml", "--device", "cpu"], "'--device'. Did you mean '--devices'?\n"),
        (["run", "tiny.yaml", "--zoom"], "No such option '--zoom'.\n"),
        # Nothing that was not meant is advised, nor the study as a value.
        (["run", "tiny.yaml", "--name=5"], "No such option '--name'.\n"),
        (["run", "tiny.yaml", "--path", "x.csv"], "No such option '--path'.\n"),
        (["run", "tiny.yaml", "--epsilon=1e-8"], "No such option '--epsilon'.\n"),
        (["run", "tiny.yaml", "--trials", "3"], "No such option '--trials'.\n"),
        (["run", "--quiet", "tiny.yaml"], "No such option '--quiet'.\n"),
        (["run", "--seeds", "tiny.yaml"], "is written without dashes: seeds=VALUE\n"),
        (["run", "--seeds", "."], "is written without dashes: seeds=VALUE\n"),
        (["run", "--seeds", "steps=10", "tiny.yaml"], "without dashes: seeds=VALUE\n"),
        (["run", "tiny.yaml", "--critic.steps=5"], "without dashes: trial.critic.steps=5\n"),
        (["run", "tiny.yaml", "--critic.step=5"], "are written without dashes: trial.steps=5\n"),
        (["run", "tiny.yaml", "--search.bayes.trials=3"], "dashes: search.bayes.trials=3\n"),
        (["run", "tiny.yaml", "--critic.lr", "-0.1"], "dashes: trial.critic.lr=-0.1\n"),
        (["run", "--workers", "2", "--seeds", "tiny.yaml"], "dashes: seeds=VALUE\n"),
        (["run", "tiny.yaml", "--target", "grid"], "without dashes: trial.target=grid\n"),
        (["retry", "a", "--generator"], "'--generator'. Did you mean '--generators'?\n"),
        (["status", "a", "--seeds", "8"], "No such option '--seeds'.\n"),
        (["check", "tiny.yaml", "--plugin", "a.py"], "a plug-in with --plugin, not both"),
        (["check"], "name a study, or a plug-in with --plugin\n"),
    ],
)
def test_a_word_that_is_not_known_is_told_with_what_was_meant(
    arguments: list[str], told: str
) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr


@pytest.mark.parametrize("family", FAMILIES)
def test_list_shows_members_with_parameters_and_sources(family: str) -> None:
    """What a study file can name, in words and as JSON."""
    text = CliRunner().invoke(main, ["list", family]).stdout
    members = json.loads(CliRunner().invoke(main, ["list", family, "--json"]).stdout)
    assert members
    for member in members:
        written = {k: about["default"] for k, about in member["parameters"].items()}
        if written and "required" not in written.values():
            # As a study file has them: `null` and `relu`, where it was `None` and `ReLU()`.
            own = plugins.family(family)[member["name"]]
            values = {key: YAML(typ="safe").load(text) for key, text in written.items()}
            assert own.model_validate(values) == own()
        assert f"{member['name']}: {member['summary']}" in text
        for name, about in member["parameters"].items():
            assert about["description"], name
            assert "Undefined" not in about["default"]


@pytest.mark.parametrize("asked", [["run", "tiny.yaml", "--dry-run"], ["report", "run"]])
def test_a_time_between_live_pages_asks_for_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    """It was dropped without a word; beside --live, on whichever side, it is taken."""
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, [*asked, "--every", "5"])
    assert (result.exit_code, "add --live" in result.stderr) == (2, True)
    if asked[0] == "run":
        for live in (["--live", "--every", "5"], ["--every", "5", "--live"]):
            assert CliRunner().invoke(main, [*asked, *live]).exit_code == 0
    for every in ("nan", "inf"):  # of the first, each page followed the last at once
        result = CliRunner().invoke(main, [*asked, "--live", "--every", every])
        assert (result.exit_code, f"{every} is no number of sec" in result.stderr) == (2, True)


IMPLYING = [name for name in divergences.names if divergences[name].defaults]


@pytest.mark.parametrize("name", IMPLYING)
def test_what_a_divergence_implies_is_said(name: str) -> None:
    """Each key and value, by `list` and in the table of docs/objectives.md."""
    implied = dict(divergences[name].defaults)
    members = json.loads(_output(["list", "divergences", "--json"]))
    assert [own["implies"] for own in members if own["name"] == name] == [implied]
    own = _output(["list", "divergences"]).partition(f"\n{name}: ")[2]
    line = re.search(r"^    implies, where a study leaves it out: (.*)$", own, re.MULTILINE)
    assert line
    assert YAML(typ="safe").load(line[1]) == implied
    page = (ROOT / "docs" / "objectives.md").read_text(encoding="utf-8")
    rows = page.partition("## What a divergence implies")[2].partition("\n## ")[0].splitlines()
    (row,) = (row for row in rows if row.startswith(f"| `{name}` |"))
    told = YAML(typ="safe").load("\n".join(re.findall(r"`(.+?)`", row)[1:]))
    assert told == implied


@pytest.mark.parametrize("verb", ["report", "run", "compare"])
def test_a_report_that_lacks_a_section_ends_in_one(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Whichever verb writes it; the message names page and section."""
    run, again, both = (tmp_path / name for name in ("run", "again", "both"))
    for folder in (run, again):
        shutil.copytree(tiny_run, folder)

    def lacking(dataset: object, provenance: object, destination: Path, press: object) -> Path:
        raise PageError(destination / "index.html", {"settings": "ZeroDivisionError: no number"})

    monkeypatch.setattr("ganstudy.report.build", lacking)
    monkeypatch.setattr("ganstudy.existing.build", lacking)
    arguments = {
        "report": [str(run)],
        "run": [str(run / "study.yaml"), "--workers", "1"],
        "compare": [str(run), str(again), "--out", str(both)],
    }
    result = CliRunner().invoke(main, [verb, *arguments[verb]])
    assert result.exit_code == 1, result.output
    page = (both if verb == "compare" else run) / "report" / "index.html"
    assert f"{page}: sections that could not be made: settings" in result.stderr


def test_schema_is_json() -> None:
    """Editors read it from standard output. That of the package marks each name of a plug-in as a
    mistake; where it is asked to, it has them.
    """
    own = Path(__file__).parents[2] / "docs" / "plugins" / "own_reverse_kl.py"
    try:
        schema = CliRunner().invoke(main, ["schema", "--plugin", str(own)]).stdout
    finally:
        plugins.forget()
    assert json.loads(schema)["title"] == "StudyFile"
    names = [one for one in re.findall(r'"enum": \[(.*?)\]', schema, re.DOTALL) if "minimax" in one]
    assert names
    assert all('"own_reverse_kl"' in one for one in names)
    assert '"const": "own_reverse_kl"' in schema
    missing = CliRunner().invoke(main, ["schema", "--plugin", "none.py"])
    assert missing.exit_code == 2
    assert "none.py: no such Python file" in missing.stderr


@pytest.mark.slow
def test_the_question_is_not_lost_to_an_environment(tmp_path: Path) -> None:
    """A locale without UTF-8 does not break reading or printing a study."""
    path = write_study(tmp_path, STUDY.replace("Which", "Welche für"))
    done = subprocess.run(
        [SCRIPT, "plan", str(path), "--workers", "2"],
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert "für" in done.stdout.decode()


def test_what_a_study_can_show_is_said_before_it_is_run(tmp_path: Path) -> None:
    """By `check` and `plan`, of fixed seeds and several arms; in JSON too."""
    study = tmp_path / "study.yaml"
    arms = "search: {grid: {divergence: [minimax, hinge, reverse_kl], generator.width: [8, 16]}}"
    study.write_text(f"question: Which?\n{arms}\nseeds: 5\n")
    checked = CliRunner().invoke(main, ["check", str(study)])
    assert (
        "5 seeds of 3 arms can make no difference clear, however large: that takes at least 10. "
        "With 21, a difference of 1 standard deviation (of paired differences over seeds) is clear "
        "in 80 % of studies"
    ) in checked.output
    enough = ["plan", str(study), "seeds=12", "--out", str(tmp_path / "run")]
    assert re.search(r"12 seeds of 3 arms: a difference of 1\.\d stan", _output(enough))
    power = json.loads(_output([*enough, "--json"]))["power"]
    assert (power["pairs"], power["fewest"], power["seeds"]) == (3, 10, 12)
    assert 1 < power["effect"] < 2 <= power["needed"]
    alone = _output(["check", str(study), "search.grid={}"])
    assert "can make" not in alone


def test_a_score_without_a_worst_value_is_promised_what_wins_can_show(tmp_path: Path) -> None:
    """Of three pairs, 3 * 2 * 2^-10 without one of eleven seeds is below 0.01, and of ten not."""
    study = tmp_path / "study.yaml"
    arms = "search: {grid: {divergence: [minimax, hinge, reverse_kl]}}"
    metrics = "trial: {record: {metrics: [modes_covered, energy_distance]}}"
    study.write_text(f"question: Which?\n{metrics}\n{arms}\nseeds: 12\n")
    assert "by wins" not in _output(["check", str(study)])
    unbounded = ["plan", str(study), "score=energy_distance", "--out", str(tmp_path / "run")]
    assert (
        "The score has no worst value: if a trial diverges or scores infinity, arms are compared "
        "by wins, and nothing is clear with fewer than 11 seeds"
    ) in _output(unbounded)
    assert json.loads(_output([*unbounded, "--json"]))["power"]["by_wins"] == 11
    # Of two arms ten seeds are the fewest either way.
    two = "search.grid.divergence=[minimax, hinge]"
    assert "by wins" not in _output([*unbounded, two])
    assert json.loads(_output([*unbounded, two, "--json"]))["power"]["by_wins"] == 10


def test_computations_are_promised_no_grades(tmp_path: Path) -> None:
    """Where chance has no part the page grades nothing, however many seeds there are."""
    study = tmp_path / "study.yaml"
    trial = "trial: {kind: game, steps: 10, record: {every: 10}}\nanswer: ranking"
    grid = "search: {grid: {method: [gradient, lookahead]}}"
    study.write_text(f"question: Which?\n{trial}\n{grid}\nseeds: 12\n")
    assert "of 2 arms" not in _output(["check", str(study)])


def test_what_searches_can_show_is_said_before_they_are_made(tmp_path: Path) -> None:
    """By repeats, as the report tests them; the seeds of a point are no draws of its arm."""
    study = tmp_path / "study.yaml"
    study.write_text(
        "question: Which?\n"
        "search:\n"
        "  bayes: {space: {generator.width: [8, 16]}, trials: 2, objective: {minimize: mode_kl}}\n"
        "  grid: {divergence: [minimax, hinge, reverse_kl]}\n"
        "seeds: 12\n"
    )
    once = _output(["check", str(study)])
    assert (
        "one search of each arm (search.bayes.repeats) tells no arms apart: that takes at least "
        "10. With 21, a difference of 1 standard deviation (of paired differences over searches) "
        "is clear in 80 % of studies"
    ) in once
    few = _output(["check", str(study), "search.bayes.repeats=3"])
    assert (
        "3 searches of 3 arms can make no difference clear, however large: that takes at least 10"
        in few
    )
    enough = ["plan", str(study), "search.bayes.repeats=12", "--out", str(tmp_path / "run")]
    power = json.loads(_output([*enough, "--json"]))["power"]
    assert (power["fewest"], power["seeds"], power["unit"]) == (10, 12, "search")
    assert 1 < power["effect"] < 2 <= power["needed"]


def _output(command: list[str]) -> str:
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_current_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MKL told a fatal error for each worker, and that none of them starts."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    result = CliRunner().invoke(main, ["list", "divergences"])
    assert result.exit_code == 2
    assert result.stderr == "the current folder is gone\n"
