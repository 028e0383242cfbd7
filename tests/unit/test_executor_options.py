"""Options of executors on the command line: each has its own, and mistakes are told in words."""

from __future__ import annotations

import json
import math
import re
from asyncio import CancelledError
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from inline import Inline
from tiny import write_study
from unrendered import pageless

from ganstudy import pipeline
from ganstudy.asked import execution
from ganstudy.cli import main
from ganstudy.engine.session import Session
from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.executors import executor_named, family
from ganstudy.schedule.executors.slurm import SlurmOptions, seconds_of
from ganstudy.schedule.where import Where
from ganstudy.search import search_of
from ganstudy.session import engaged, first_program
from ganstudy.store import RunError
from ganstudy.store.job_directory import JobDirectory
from ganstudy.study import load
from ganstudy.system import cores
from ganstudy.trial import Trial


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--jobs 2", "--jobs is an option of --executor slurm"),
        ("--executor dask --partition short", "--partition is an option of --executor slurm"),
        ("--executor slurm --scheduler tcp://a:1", "--scheduler is an option of --executor dask"),
        ("--executor slurm --jobs 0", "--jobs: 0: "),
        ("--executor slurm --jobs 4 --workers 6", "6 workers cannot be dealt out evenly to 4 jobs"),
        ("--devices banana", "no device 'banana' here"),
        ("--executor slurm --devices banana", "no device 'banana' anywhere; there are cpu, cuda:0"),
        ("--executor slurm --devices cuda:0,cuda:0", "a device is named twice"),
        ("--executor slurm --jobs two", "'two' is not a valid integer"),
        ("--executor=slurm --time soon", "--time: 'soon': should be minutes"),
        ("--executor slurm --partition 'a\n#SBATCH'", "should be one word"),
        ("--executor slurm --jbos 2", "No such option '--jbos'"),
    ],
)
def test_a_mistake_is_told_before_anything_begins(tmp_path: Path, options: str, said: str) -> None:
    import shlex

    command = ["run", str(write_study(tmp_path)), "--out", str(tmp_path / "run")]
    for further in ([], ["--dry-run"]):
        result = CliRunner().invoke(main, [*command, *shlex.split(options), *further])
        assert result.exit_code == 2, result.output
        assert said in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("options", "workers"), [("--jobs 3", 3), ("--jobs 3 --workers 6", 6)])
def test_each_job_has_a_worker_unless_more_are_asked_for(
    tmp_path: Path, options: str, workers: int
) -> None:
    command = ["run", str(write_study(tmp_path)), "--dry-run", "--executor", "slurm"]
    result = CliRunner().invoke(main, [*command, *options.split()])
    assert result.exit_code == 0, result.output
    assert f"{workers} workers" in result.output


def _one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    monkeypatch.setattr("ganstudy.schedule.devices.named", lambda asked: ("cuda:0",))
    memory = SimpleNamespace(total_memory=80 * 2**30)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: memory)


@pytest.mark.parametrize(
    ("asked", "used", "said"),
    [
        ("auto", None, "eager: a GPU is given each round as one graph"),
        ("auto", "compiled", "compiled: as the earlier trials of this run; on a GPU its bits may"),
        ("compiled", None, "compiled: as the study asks; on a GPU its bits may depend on the pack"),
        ("eager", "eager", "eager: as the earlier trials of this run\n"),
    ],
)
def test_a_plan_for_a_gpu_is_that_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, used: str | None, said: str
) -> None:
    """It was that of a CPU; and steps that began compiled there went on so, without a word."""
    _one_gpu(monkeypatch)
    monkeypatch.setattr("ganstudy.session.why_no_compiler", lambda: "")
    monkeypatch.setattr("ganstudy.store.RunDirectory.program", lambda self: used)
    for study in (write_study(tmp_path), tmp_path):
        command = [
            "run",
            str(study),
            "--dry-run",
            "--devices",
            "cuda:0",
            "--out",
            str(tmp_path / "r"),
        ]
        asks = [] if study == tmp_path and asked == "auto" else [f"engine.program={asked}"]
        result = CliRunner().invoke(main, [*command, *asks])
        assert result.exit_code == 0, result.output
        assert said in result.output
        assert "with 1 worker" in result.output


@pytest.mark.parametrize("here", [False, True])
def test_an_executor_says_itself_whether_its_workers_are_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: bool
) -> None:
    """Of these no more are started than packs are worth; it was so of the one called `local`."""
    monkeypatch.setattr(Inline, "here", here)
    monkeypatch.setattr("ganstudy.session.executor_named", {"own": Inline, "local": Inline}.get)
    search, where = search_of(load(write_study(tmp_path))), Where(8, executor="own")
    parts = search.outlook(8)
    assert engaged(search, parts, where).workers == (1 if here else 8)


def test_an_executor_that_lacks_a_package_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From Python, too, where no command line has asked for it before."""

    def lacks(name: str) -> None:
        raise ExecutorError(f"the executor {name} needs dask: pip install 'ganstudy[{name}]'")

    monkeypatch.setattr("ganstudy.session.executor_named", lacks)
    with pytest.raises(RunError, match="the executor dask needs dask: pip install"):
        pipeline.run(load(write_study(tmp_path)), tmp_path / "run", workers=1, executor="dask")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--devices", "cuda:0"], "a GPU's kernels are made by Triton, which is not installed"),
        (["engine.program=portable"], "the portable program needs fma, which this processor lacks"),
        (
            ["engine.program=portable", "--executor", "dask"],
            "needs fma, which this processor lacks",
        ),
    ],
)
def test_nothing_is_set_aside_for_what_this_machine_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], said: str
) -> None:
    """The old run was moved away before a worker refused to train."""
    if "--devices" in asked:
        _one_gpu(monkeypatch)
    monkeypatch.setattr("ganstudy.engine.arithmetic.find_spec", lambda name: None)
    monkeypatch.setattr("ganstudy.portable.lacking", lambda: ["fma"])
    (tmp_path / "own").mkdir()
    study = write_study(tmp_path / "own")
    (run := tmp_path / "runs" / study.stem).mkdir(parents=True)
    for of, out in ((study, run), (study.parent, run.parent)):
        command = ["run", str(of), "--out", str(out), "--fresh", *asked]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2, result.output
        assert said in result.stderr
        assert "; nothing is set aside" in result.stderr
    assert not list(tmp_path.rglob("*aside*"))


@pytest.mark.parametrize("folder", [False, True])
def test_a_plan_for_a_gpu_cuts_the_packs_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    """They were those of a CPU's core, and with them the time."""
    _one_gpu(monkeypatch)
    cuts: list[list[int]] = []
    planned: list[float] = []

    def told(search: object, parts: Sequence[Sequence[object]], where: Where) -> None:
        cuts.append([len(pack) for pack in parts])
        if folder:
            plan = JobDirectory(tmp_path / "run").read()
            planned.extend(own.seconds for own in plan.values())
        raise RunError("no more")

    monkeypatch.setattr(pipeline, "engaged", told)
    study = write_study(tmp_path)
    command = ["run", str(tmp_path if folder else study), "--devices", "cuda:0", "seeds=100"]
    command += ["--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, [*command, "--dry-run", "--json"])
    said = json.loads(result.stdout)
    if folder:
        (said,) = said["studies"].values()
    assert CliRunner().invoke(main, command).exit_code == 2
    assert [said["packs"]] == cuts == [[200, 200]]
    assert [round(own) for own in planned] == [said["seconds"]] * folder


@pytest.mark.parametrize(
    ("options", "on_cpus", "told"),
    [
        ("--executor slurm --devices cuda:0", False, False),
        ("--executor dask --scheduler tcp://a:1 --devices cuda:0", False, False),
        ("--executor slurm", True, True),
        ("--executor slurm --devices cpu", True, False),
        ("--executor dask", True, False),
        ("", True, False),
    ],
)
def test_gpus_of_workers_are_asked_for_where_there_is_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    options: str,
    on_cpus: bool,
    told: bool,
) -> None:
    """They were refused from a login node; left out, jobs trained on CPUs without a word."""
    monkeypatch.setattr("ganstudy.schedule.devices.may_be_there", lambda: False)
    command = ["run", str(write_study(tmp_path)), "--out", str(tmp_path / "run"), "--dry-run"]
    result = CliRunner().invoke(main, [*command, *options.split()])
    assert result.exit_code == 0, result.output
    assert ("a GPU is given each round as one graph" in result.stdout) != on_cpus
    line = "trials train on CPUs, since no GPU is here: --devices cuda:0 is for workers that"
    assert (line in caplog.text) == told


THEORY = "question: Who turns?\ntrial: {kind: game, steps: 2}\nseeds: 3\n"


@pytest.mark.parametrize(("devices", "told"), [("auto", False), ("cuda:0", True)])
def test_a_gpu_that_no_trial_uses_is_not_held(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    devices: str,
    told: bool,
) -> None:
    """It was waited for, and one process did the work of all cores."""
    _one_gpu(monkeypatch)
    theory = load(write_study(tmp_path, THEORY, "theory.yaml"))
    where = execution([theory], None, devices, "local")
    assert (where.devices, where.workers) == (("cpu",), cores())
    assert ("--devices cuda:0 is not used: a processor computes all" in caplog.text) == told
    portable = load(write_study(tmp_path), ["engine.program=portable"])
    assert execution([portable], None, devices, "local").devices == ("cpu",)
    both = execution([theory, load(write_study(tmp_path))], None, "auto", "local")
    assert (both.devices, both.workers) == (("cuda:0",), 1)


def test_what_a_processor_computes_names_no_gpu(tmp_path: Path) -> None:
    """Beside studies that use one: it asked for Triton, and said that the GPU had computed it."""
    points = load(write_study(tmp_path, THEORY)).points
    own = Trial(next(iter(points.values())), 0)
    (record,) = own.configuration.train([own], Session("cuda:0"))
    assert record.arithmetic == Session().arithmetic


PATIENCE = "{max: 5, until: 0.01, patience: 1}"


@pytest.mark.parametrize(
    ("steps", "said"), [("2", "a GPU is given each round"), (PATIENCE, "one by one on a GPU")]
)
def test_a_plan_says_how_a_gpu_is_given_a_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: str, said: str
) -> None:
    """With patience the host decides after each D-step; it was said to be one graph."""
    _one_gpu(monkeypatch)
    text = f"question: Patience?\ntrial: {{critic: {{steps: {steps}}}}}\nseeds: 1\n"
    search = Where(1, ("cuda:0",)).search_of(load(write_study(tmp_path, text)))
    program, why = first_program(search, search.outlook(1), Where(1, ("cuda:0",)))
    assert program == "eager"
    assert said in why


def test_packs_for_a_gpu_elsewhere_ask_none_here(tmp_path: Path) -> None:
    """It is taken to have 16 GiB, of which packs fill half, shared by the workers."""
    study = load(write_study(tmp_path))
    for executor, options in (("slurm", {}), ("dask", {"scheduler": "tcp://a:1"})):
        size = Where(2, ("cuda:0",), executor, options).pack_size(study)
        assert size.most(300_000) == 1024
        assert size.most(100_000_000) == 16 * 2**30 // 2 // 2 // 8 // 100_000_000 == 5
    asked = load(write_study(tmp_path), ("engine.pack=7",))
    assert Where(2, ("cuda:0",), "slurm").pack_size(asked).most(100_000_000) == 7


@pytest.mark.parametrize(("options", "started"), [("", 1), ("--executor slurm --jobs 4", 4)])
def test_jobs_have_the_workers_that_they_are_dealt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, started: int
) -> None:
    """A study of seconds, worth one worker, was refused: it cannot be dealt out to four jobs."""
    asked: list[int] = []

    def opened(where: Where, *_: object) -> Inline:
        asked.append(where.workers)
        return Inline(1)

    monkeypatch.setattr(pipeline, "open_executor", opened)
    command = ["run", str(write_study(tmp_path)), "--out", str(tmp_path / "run"), "--workers", "4"]
    with pageless():
        result = CliRunner().invoke(main, [*command, *options.split()])
    assert result.exit_code == 0, result.output
    assert asked == [started]


@pytest.mark.parametrize(
    ("cause", "guard"),
    [
        (OSError(24, "Too many open files"), False),
        (TimeoutError("timed out"), False),
        (RuntimeError("gone"), True),
    ],
)
def test_a_cluster_that_cannot_start_is_an_error_in_words(
    monkeypatch: pytest.MonkeyPatch, cause: Exception, guard: bool
) -> None:
    """It was a traceback of Dask's; most often of a script that its own workers run once more."""

    def started(**_: object) -> None:
        cause.__cause__ = CancelledError()  # as Dask's time-outs have it, without a word
        raise RuntimeError("Nanny failed to start.") from cause

    monkeypatch.setattr("ganstudy.schedule.executors.dask.LocalCluster", started)
    with pytest.raises(ExecutorError, match=re.escape(f"cannot start: {cause}")) as told:
        executor_named("dask")(1)
    assert ('below `if __name__ == "__main__":`' in str(told.value)) == guard


def test_help_has_the_options_of_all_executors() -> None:
    said = CliRunner().invoke(main, ["run", "--help"]).output
    for executor in family:
        for name in executor.asks.model_fields:
            assert f"--{name}" in said
    assert "[slurm]" in said


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(self: object, name: str) -> None:
        raise ModuleNotFoundError(name="dask_jobqueue")

    monkeypatch.setattr(type(family), "__getitem__", lacks)
    result = CliRunner().invoke(main, ["run", str(write_study(tmp_path)), "--executor", "slurm"])
    assert result.exit_code == 2, result.output
    assert "needs dask_jobqueue: pip install 'ganstudy[slurm]'" in result.stderr
    result = CliRunner().invoke(main, ["list", "executors"])  # which ended in a traceback
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    needs = "needs dask_jobqueue, which is not installed: pip install 'ganstudy[{0}]'"
    assert [f"{name}: {needs.format(name)}" for name in ("dask", "slurm")] == [
        line for line in lines if line.startswith(("dask: ", "slurm: "))
    ]


def test_time_limits_as_the_manual_of_slurm_has_them() -> None:
    """Each of its six forms, and two words for none."""
    found = [seconds_of(limit) for limit in ("90", "1:30", "4:00:00", "1-2", "1-2:03", "1-2:03:04")]
    assert found == [5400, 90, 14400, 93600, 93780, 93784]
    assert math.isinf(seconds_of("0"))
    assert math.isinf(seconds_of("UNLIMITED"))
    for wrong in ("", "4h", "1:2:3:4", "-5", "1-", "٣"):
        with pytest.raises(ValueError, match=r"should be minutes"):
            SlurmOptions(time=wrong)
