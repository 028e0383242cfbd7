"""`ganstudy verify`: a sample of a run's trials trained again, every number compared."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from inline import trained_inline
from tiny import trial
from unrendered import undrawn

from ganstudy import existing, open_run, pipeline
from ganstudy.cli import main
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.kinds.adversarial.training import train
from ganstudy.metrics import Metric
from ganstudy.record_differences import Difference, differences
from ganstudy.report.findings import Findings
from ganstudy.report.sections.arithmetic import Arithmetic
from ganstudy.schedule.where import Where
from ganstudy.store import RunDirectory, RunError
from ganstudy.study import load
from ganstudy.trial import Record
from ganstudy.verification import Again, Verification, verified

CHANGED = "generator_loss"


def verify(run: Path, count: int | None, where: Where) -> Verification:
    """As the verb does."""
    return verified(*existing.reopen(run, run_plugins=True, to_train=True), count, where)


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    """A run of its own, which nobody else will read."""
    return shutil.copytree(tiny_run, tmp_path / "run")


def _rewritten(run: Path, change: Callable[[Record], Record]) -> Record:
    """The run's first record, changed; the file is whole, with a checksum of its own."""
    directory = RunDirectory(run)
    first = next(directory.read())
    directory.forget([first.id])
    changed = change(first)
    directory.write([changed])
    return changed


def _flipped(record: Record) -> Record:
    """The lowest bit of one number is another."""
    values = record.values[CHANGED].copy()
    values.view(np.uint32)[1] ^= 1
    return dataclasses.replace(record, values={**record.values, CHANGED: values})


def _files(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "records").iterdir()}


def test_a_run_that_cannot_be_written_to_is_verified(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no receipt then, and a warning says so; by a receipt's place that is a folder."""
    RunDirectory(run).verification.mkdir()
    with trained_inline():
        result = CliRunner().invoke(main, ["verify", str(run), "--trials", "1"])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("the same bits: 1 trial trained again")
    assert "keeps no receipt of this: Is a directory" in caplog.text


@pytest.mark.slow
def test_the_same_bits(run: Path) -> None:
    """Alone and in packs, by a worker what this process has trained; the records stay as they are,
    and no report is needed.
    """
    shutil.rmtree(run / "report")
    before = _files(run)
    found = verify(run, None, Where(1))
    assert (found.verdict, found.sound) == ("the same bits", True)
    assert {own.arm for own in found.trials} == {"minimax", "reverse_kl"}
    beside = [own.beside for own in found.trials]
    assert min(beside) == 0 < max(beside)
    assert _files(run) == before
    assert not (run / "report").exists()
    said = RunDirectory(run).provenance()["verification"]
    assert said["verdict"] == "the same bits"
    assert set(said["trials"]) == {own.trial for own in found.trials}
    with undrawn():
        page = existing.report_anew(run).read_text(encoding="utf-8")
    assert "verification verdict" in page


def test_what_only_neighbours_have_is_no_difference(tmp_path: Path) -> None:
    """In a file of a pack a variable is NaN for those that lack it; alone they do without."""
    bounded, other = trial(divergence="minimax"), trial(divergence="wasserstein")
    RunDirectory(tmp_path).records.mkdir()
    RunDirectory(tmp_path).write(train([bounded, other]))
    stored = {record.id: record for record in RunDirectory(tmp_path).read()}
    assert "bound" in stored[bounded.id].values
    for own in (bounded, other):
        assert differences(stored[own.id], train([own])[0]) == {}
    for change in ({"status": "failed"}, {"diverged_at": 3}):
        ended = dataclasses.replace(stored[bounded.id], **change)
        assert differences(ended, stored[bounded.id]).keys() == change.keys()
    spoilt = dataclasses.replace(stored[bounded.id], values={})
    assert differences(spoilt, stored[bounded.id])["bound"].largest == np.inf


@pytest.mark.slow
def test_what_nobody_states_any_more_is_no_difference(run: Path) -> None:
    """A curve that an earlier version recorded of every trial."""

    def earlier(record: Record) -> Record:
        values = {**record.values, "earlier": record.values[CHANGED].copy()}
        own = dataclasses.replace(record.variables[CHANGED], name="earlier")
        stated = {**record.variables, "earlier": own}
        return dataclasses.replace(record, values=values, variables=stated)

    changed = _rewritten(run, earlier)
    assert "earlier" in next(RunDirectory(run).read(trials=[changed.id])).values
    with trained_inline():
        found = verify(run, 99, Where(1))
    assert changed.id in {own.trial for own in found.trials}
    assert (found.verdict, found.sound) == ("the same bits", True)


@pytest.fixture
def _inline() -> Iterator[None]:
    with trained_inline():
        yield


@pytest.mark.usefixtures("_inline")
def test_a_flipped_bit_is_a_fault(run: Path) -> None:
    """On the arithmetic of the record there is no excuse: exit code 1, and the variable's name."""
    changed = _rewritten(run, _flipped)
    result = CliRunner().invoke(
        main, ["verify", str(run), "--trials", "99", "--workers", "1", "--devices", "cpu"]
    )
    assert result.exit_code == 1
    assert result.output.startswith("other bits on the same arithmetic")
    assert f"{CHANGED}: in 1 of" in result.output
    assert "from step 40 on" in result.output
    receipt = json.loads((run / "verification.json").read_text())
    differing = [own["trial"] for own in receipt["trials"] if own["differences"]]
    assert differing == [changed.id]


@pytest.mark.slow
@pytest.mark.usefixtures("_inline")
def test_other_bits_on_other_arithmetic_are_told_and_no_fault(run: Path) -> None:
    """The largest difference of each variable, and from when on there is one."""
    changed = _rewritten(run, lambda own: dataclasses.replace(_flipped(own), arithmetic="abacus"))
    found = verify(run, 99, Where(1))
    assert (found.verdict, found.sound) == ("other arithmetic", True)
    (other,) = [own for own in found.trials if own.differences]
    assert (other.trial, other.then) == (changed.id, "abacus")
    assert 0 < other.differences[CHANGED].largest < 1e-6
    assert other.differences[CHANGED].since == 40


@pytest.mark.slow
@pytest.mark.usefixtures("_inline")
@pytest.mark.parametrize("then", [True, False])
def test_a_metric_that_lacks_numbers_once_is_compared_where_it_has_them(
    run: Path, monkeypatch: pytest.MonkeyPatch, then: bool
) -> None:
    """Memory was short, then or now, and other bits were found; where both are numbers they are
    still looked for.
    """
    metric, changed = _first_metric(run), list[Record]()
    name = metric.recorded_as

    def lacking(own: Record) -> Record:
        values = own.values[name].copy()
        values[0] = np.nan
        told = f"metric {name}: MemoryError: not today"
        return dataclasses.replace(own, values={**own.values, name: values}, cause=told)

    if then:
        changed.append(_rewritten(run, lacking))
    else:
        compute = type(metric).compute
        monkeypatch.setattr(type(metric), "compute", _raising_at_first(compute))
    found = verify(run, 99, Where(1))
    assert (found.verdict, found.sound) == ("the same bits", True)
    told = [own for own in found.trials if own.left_out]
    assert [own.left_out.keys() for own in told] == [{name}]
    assert any(f"{name}: not compared in 1 of" in sentence for sentence in found.sentences())
    said = RunDirectory(run).provenance()["verification"]
    assert (said["verdict"], said["not_compared"]) == ("the same bits", [name])
    if then:
        (own,) = changed
        other = {**own.values, name: own.values[name] + 1}
        RunDirectory(run).write([dataclasses.replace(own, values=other)], {own.id})
        again = {own.trial: own for own in verify(run, 99, Where(1)).trials}
        assert again[changed[0].id].differences.keys() == {name}


def _first_metric(run: Path) -> Metric:
    point = next(iter(load(run / "study.yaml").points.values()))
    assert isinstance(point, Adversarial)
    return point.record.metrics[0]


def _raising_at_first(compute: Callable[..., Any]) -> Callable[..., Any]:
    """The first trial that is measured alone is not, at its first step."""
    left = [1]

    def measure(*given: Any, **named: Any) -> Any:
        if left:
            left.pop()
            raise MemoryError("not today")
        return compute(*given, **named)

    return measure


@pytest.mark.slow
@pytest.mark.usefixtures("_inline")
@pytest.mark.parametrize("frames", [0, 2])
def test_a_film_of_other_frames_is_not_compared(run: Path, frames: int) -> None:
    """`record.frames` is in no id, and changing it trains nothing again: it was a fault."""
    text = (run / "study.yaml").read_text()
    asked = load(run / "study.yaml", [f"trial.record.frames={frames}"])
    (run / "study.yaml").write_text(asked.document.text)
    assert (run / "study.yaml").read_text() != text
    found = verify(run, None, Where(1))
    assert (found.verdict, found.sound) == ("the same bits", True)
    why = f"of 3 frames then, and {frames} now"
    assert [own.left_out for own in found.trials] == [{"film": why}] * len(found.trials)
    with undrawn():
        page = existing.report_anew(run).read_text(encoding="utf-8")
    assert "verification not compared" in page


def test_what_a_receipt_tells_is_json() -> None:
    """It has no infinity, as where one of two is no number, and no NaN, as beside the steps."""
    found = {"a": Difference(np.inf, 4.0), "b": Difference(0.5)}
    own = Again("0", "1", 2, "arm", "complete", "complete", 0, "here", "here", found, {})
    told = json.loads(json.dumps(Verification("", (own,)).receipt(), allow_nan=False))
    assert told["trials"][0]["differences"] == {
        "a": {"largest": None, "since": 4.0},
        "b": {"largest": 0.5, "since": None},
    }


@pytest.mark.slow
@pytest.mark.usefixtures("_inline")
def test_a_receipt_says_which_of_its_records_have_gone(run: Path) -> None:
    """A retry on other arithmetic replaced them, and the page still had the same bits of before."""
    found = verify(run, None, Where(1))
    directory = RunDirectory(run)
    assert "records_gone_since" not in directory.provenance()["verification"]
    beside = {own.id for own in directory.read()} - {own.trial for own in found.trials}
    for trials in (beside, {found.trials[0].trial}):
        again = [dataclasses.replace(own, seconds=9.0) for own in directory.read(trials=trials)]
        directory.write(again, trials)
    said = directory.provenance()["verification"]
    assert said["records_gone_since"] == f"1 of {len(found.trials)}"
    with undrawn():
        page = existing.report_anew(run).read_text(encoding="utf-8")
    assert "verification records gone since" in page


@pytest.mark.slow
@pytest.mark.usefixtures("_inline")
def test_what_failed_and_does_no_more_is_told(run: Path) -> None:
    """There are no numbers to compare, and none is said to be the same."""
    failed = "MemoryError: too much"
    _rewritten(
        run,
        lambda own: dataclasses.replace(own, status="failed", values={}, cause=failed),
    )
    found = verify(run, 99, Where(1))
    assert found.sound
    said = [*found.sentences()]
    assert any("was failed and is complete now" in sentence for sentence in said)
    compared = len(found.trials) - 1
    assert said[0].startswith(f"the same bits: {compared} trials trained again")
    assert said[1] == "and 1 trial of which the run has no numbers to compare"
    assert [own.verdict for own in found.trials].count("nothing to compare") == 1


def test_a_run_of_failures_has_no_numbers_to_verify(run: Path) -> None:
    """It had "the same bits" without a number compared."""
    directory = RunDirectory(run)
    records = [*directory.read()]
    directory.forget([own.id for own in records])
    directory.write(
        [dataclasses.replace(own, status="failed", values={}, cause="no") for own in records]
    )
    with pytest.raises(RunError, match="none of its trials has numbers to compare"):
        verify(run, None, Where(1))


def test_nothing_to_verify(run: Path) -> None:
    """A run without records is told so."""
    shutil.rmtree(run / "records")
    with pytest.raises(RunError, match="nothing to verify"):
        verify(run, None, Where(1))


@pytest.mark.slow
def test_trials_of_more_than_one_arithmetic_are_told(run: Path) -> None:
    """In the dataset, by `status`, and in the report."""
    _rewritten(run, lambda own: dataclasses.replace(own, arithmetic="abacus"))
    assert existing.status(run)["arithmetic"]["abacus"] == 1
    assert "1 computed on abacus" in CliRunner().invoke(main, ["status", str(run)]).output
    with undrawn():
        page = existing.report_anew(run).read_text(encoding="utf-8")
    assert "2 kinds of arithmetic" in page
    with open_run(run) as ds:
        assert int((ds.arithmetic == "abacus").sum()) == 1


def test_one_arithmetic_needs_no_section(tiny_run: Path) -> None:
    """Nothing is said where there is nothing to say, nor of datasets of before it was kept."""
    ds: xr.Dataset = open_run(tiny_run)
    for own in (ds, ds.drop_vars("arithmetic")):
        assert not Arithmetic.applies(Findings.of(own, {}))


@pytest.mark.slow
def test_packs_are_no_larger_than_the_study_asks(run: Path) -> None:
    """They were as large as a core of this machine likes them."""
    with trained_inline():
        before = verify(run, 99, Where(1))
        with (run / "study.yaml").open("a") as study:
            study.write("engine: {pack: 2}\n")
        now = verify(run, 99, Where(1))
    largest = [max(own.beside for own in found.trials) for found in (before, now)]
    assert largest[0] > largest[1] == 1


@pytest.mark.slow
def test_a_run_that_goes_on_on_other_arithmetic_says_so(
    run: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, and goes on."""
    monkeypatch.setattr(pipeline, "report", lambda *_: None)
    directory = RunDirectory(run)
    records = list(directory.read())
    directory.forget([record.id for record in records])
    directory.write([dataclasses.replace(record, arithmetic="abacus") for record in records])
    with trained_inline():
        pipeline.run(load(run / "study.yaml", ["seeds=3"]), run, workers=1)
    lines = [line for line in caplog.messages if "than that of earlier trials" in line]
    assert len(lines) == 1
    assert set(existing.status(run)["status"]) == {"complete"}
