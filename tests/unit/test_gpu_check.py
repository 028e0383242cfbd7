"""What of the GPU check a machine without a GPU can tell."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.gpu import convolutions, leases, packages, syncs, throughput, training, wheels
from benchmarks.gpu.__main__ import PARTS, TABLES, kept, main, markdown, visited, write
from benchmarks.gpu.suites import SUITES, Suite
from benchmarks.gpu.visit import LOG, Visit
from ganstudy.kinds.adversarial import program

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "gpu"
MACHINE = {"gpu": "NVIDIA H200", "memory_GiB": 139.8, "torch": "2.11.0+cu130"}


# --- the page -------------------------------------------------------------------------------------


def test_the_page_is_that_of_the_results() -> None:
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    assert (FOLDER / "results.md").read_text(encoding="utf-8") == markdown(results)
    assert results.keys() - {"machine"} <= PARTS.keys()


def test_each_part_of_the_page_has_its_own_date_and_version() -> None:
    """They were all of today once one part was run again."""
    old = {"date": "2026-11-26", "version": "0.1.0"}
    new = {"date": "2026-12-01", "version": "0.2.0"}
    row = {"trials": 64, "workers": 1, "steps": 600, "rate": 40_000.0}
    results = {
        "machine": MACHINE,
        "training": {**new, "width": 32, "batch": 256, "rows": [row]},
        "bits": {**old, "tests": 103, "failed": []},
        "workers": {**new, "tests": 1, "failed": [], "cut": True},
    }
    today = "(2026-12-01, version 0.2.0)"
    assert markdown(results).splitlines() == [
        "Written by `make gpu-check` on an NVIDIA H200, 139.8 GiB, PyTorch 2.11.0+cu130.",
        "",
        "- Trials alone and in packs, with ==: 103 of 103 tests (2026-11-26, version 0.1.0).",
        f"- Trials in two workers, with ==: 1 of 1 tests until time was up {today}.",
        "",
        f"Whole trainings, trial-steps per second, width 32, batches of 256, by default {today}:",
        "",
        "| trials | workers | steps | trial-steps per second |",
        "|---|---|---|---|",
        "| 64 | 1 | 600 | 40,000 |",
    ]


def test_what_was_found_before_is_kept_where_results_go_elsewhere(tmp_path: Path) -> None:
    """From this checkout; from there, once there is something; nothing of another GPU's."""
    known = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    here = {**known["machine"], "free_GiB": 1.0}
    assert kept(tmp_path, here) == {**known, "machine": here}
    assert kept(tmp_path, {**here, "gpu": "NVIDIA H100"}).keys() == {"machine"}
    (tmp_path / "results.json").write_text(json.dumps({"machine": here, "leases": {}}))
    assert kept(tmp_path, here) == {"machine": here, "leases": {}}


def test_a_file_that_is_written_is_whole_at_any_time(tmp_path: Path) -> None:
    """Of a check that was killed half a file was left, and the next one did not start."""
    write(tmp_path, {"machine": MACHINE})
    read = {}
    for name in ("results.json", "results.md"):
        (tmp_path / f"{name}.before").hardlink_to(tmp_path / name)
        read[name] = (tmp_path / name).read_bytes()
    write(tmp_path, {"machine": {**MACHINE, "gpu": "another"}})
    for name, content in read.items():
        assert (tmp_path / f"{name}.before").read_bytes() == content
        assert (tmp_path / name).read_bytes() != content


# --- the visit ------------------------------------------------------------------------------------


class _Rows:
    """A part that finds a row after the other, each of which takes a second of a clock."""

    promised = True

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock

    def measure(self, visit: Visit) -> Iterator[dict[str, Any]]:
        rows = []
        for number in range(3):
            self.clock[0] += 1
            rows.append(number)
            yield {"rows": rows, "failed": ["a promise"]}

    def lines(self, found: dict[str, Any]) -> list[str]:
        return [f"{len(found['rows'])} rows."]


def test_what_was_found_is_there_when_time_is_up_and_the_rest_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part was written when it had ended, and the visit ended within the third."""
    clock = [0.0]
    for name in TABLES:
        monkeypatch.setitem(PARTS, name, _Rows(clock))  # type: ignore[misc]  # a dict after all
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    results: dict[str, Any] = {"machine": MACHINE}
    visit = Visit("cpu", tmp_path, until=5.0)
    assert visited(TABLES, visit, results) == (True, [TABLES[1], TABLES[2]])
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [len(written[name]["rows"]) for name in TABLES[:2]] == [3, 2]
    assert TABLES[2] not in written
    assert "2 rows (" in (tmp_path / "results.md").read_text(encoding="utf-8")


class _Raising(_Rows):
    """One that cannot be recorded, after so many rows."""

    def __init__(self, rows: int) -> None:
        super().__init__([0.0])
        self.found = rows

    def measure(self, visit: Visit) -> Iterator[dict[str, Any]]:
        yield from ({"rows": [*range(row + 1)]} for row in range(self.found))
        raise RuntimeError("CUDA error: capture")


@pytest.mark.parametrize("rows", [0, 1])
def test_a_part_that_raises_is_named_and_the_others_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: int
) -> None:
    """It ended the check, without a trace; what it had found before was there, and is."""
    parts = _Raising(rows), _Rows([0.0])
    parts[1].promised = False
    for name, part in zip(TABLES, parts, strict=False):
        monkeypatch.setitem(PARTS, name, part)  # type: ignore[misc]  # a dict after all
    earlier = {"rows": [0, 0], "date": "2026-11-26", "version": "0.1.0"}
    results: dict[str, Any] = {"machine": MACHINE, TABLES[0]: earlier}
    assert visited(TABLES[:2], Visit("cpu", tmp_path), results) == (True, [])
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [len(written[name]["rows"]) for name in TABLES[:2]] == [rows or 2, 3]
    assert [name for name in TABLES[:2] if "raised" in written[name]] == [TABLES[0]]
    assert "; has raised since" in (tmp_path / "results.md").read_text(encoding="utf-8")
    assert f"{TABLES[0]} raised RuntimeError: CUDA error: capture" in capsys.readouterr().err
    assert "in measure\n" in (tmp_path / LOG).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_suite_that_is_cut_before_a_test_has_run_leaves_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had 0 of 0 tests from then on."""
    path = tmp_path / "test_own.py"
    path.write_text("import time\n\ntime.sleep(99)\n")
    suite = Suite("Sums", str(path))
    monkeypatch.setitem(PARTS, "bits", suite)  # type: ignore[misc]  # a dict after all
    earlier = {"tests": 103, "failed": [], "date": "2026-11-26", "version": "0.1.0"}
    results: dict[str, Any] = {"machine": MACHINE, "bits": earlier}
    soon = Visit("cpu", tmp_path, time.monotonic() + 2.0)
    assert visited(["bits"], soon, results) == (False, ["bits"])
    assert results["bits"] == earlier


def test_what_is_promised_comes_first() -> None:
    """Ten minutes were enough for figures, and not for the bits of trials in packs."""
    promised = {name for name, own in SUITES.items() if own.promised} | {"syncs", "leases"}
    first = {*[*PARTS][: len(promised)]}
    assert first == promised


# --- suites ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_names_tests_that_are_there(name: str) -> None:
    own = SUITES[name]
    tree = ast.parse((ROOT / own.path).read_text(encoding="utf-8"))
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {*own.only, *own.without} <= there
    if "torch.nn" in own.promise:
        assert {*own.only} == {test for test in there if test.endswith("torch_nn")}


_COLLECTED = """
import pytest
from benchmarks.gpu.suites import SUITES
for name, own in SUITES.items():
    print("suite", name)
    pytest.main(["-q", "--collect-only", "-o", "addopts=", *own.tests])
"""


@pytest.fixture(scope="module")
def collected() -> dict[str, set[str]]:
    """The functions of each suite, by one process: each would begin with torch."""
    command = [sys.executable, "-c", _COLLECTED]
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    told = subprocess.run(
        command, cwd=ROOT, env=own, capture_output=True, text=True, check=True
    ).stdout
    suites = (own.partition("\n") for own in re.split(r"^suite ", told, flags=re.M)[1:])
    return {name: set(re.findall(r"^tests/.*?::(\w+)", own, re.M)) for name, _, own in suites}


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_a_suite_collects_what_it_says(name: str, collected: dict[str, set[str]]) -> None:
    """A keyword selected one test of two workers once, and 118 others when they were there."""
    own, found = SUITES[name], collected[name]
    assert found
    if own.only:
        assert found == {*own.only}
    others = {test for other in SUITES.values() if other != own for test in other.only}
    assert not found & {*own.without, *others}


@pytest.mark.slow
def test_a_suite_is_run_counted_and_missed(tmp_path: Path) -> None:
    """On the CPU, which it takes as any device; where nothing runs, that is a failure.

    By one process: more would each begin with torch, for a few tests.
    """
    visit = Visit("cpu", tmp_path)
    games = Suite(
        "", "tests/reference/test_training.py", ("test_updates_of_a_bilinear_game_by_hand",)
    )
    (own,) = games.measure(visit, workers=0)
    assert own == {"tests": 4, "failed": []}
    assert not (tmp_path / LOG).exists()
    path = tmp_path / "test_own.py"
    path.write_text("import pytest\n\n@pytest.mark.skip\ndef test_sums():\n    pass\n")
    (own,) = Suite("", str(path), ("test_sums",)).measure(visit, workers=0)
    assert own == {"tests": 0, "failed": [f"{path}: no test ran"]}
    assert "1 skipped" in (tmp_path / LOG).read_text(encoding="utf-8")


class _UntilBegun(Visit):
    """A visit whose time is up once a test has left a mark."""

    @property
    def left(self) -> float:
        while not (self.out / "mark").exists() and super().left > 0:
            time.sleep(0.01)
        return 0.0


@pytest.mark.slow
def test_a_suite_that_fails_leaves_its_trace_and_one_without_time_what_it_found(
    tmp_path: Path,
) -> None:
    path, mark = tmp_path / "test_own.py", tmp_path / "mark"
    tests = ["def test_one():", "    assert 1 + 1 == 3", "def test_other():"]
    tests += [f"    open({str(mark)!r}, 'w').close()", "    time.sleep(99)"]
    path.write_text("\n".join(["import time", *tests]))
    (own,) = Suite("Sums", str(path), ("test_one",)).measure(Visit("cpu", tmp_path), workers=0)
    assert own == {"tests": 1, "failed": ["test_one: assert (1 + 1) == 3"]}
    assert f"{path.name}:3: in test_one" in (tmp_path / LOG).read_text(encoding="utf-8")
    soon = _UntilBegun("cpu", tmp_path, time.monotonic() + 60.0)
    (own,) = Suite("Sums", str(path)).measure(soon, workers=0)
    assert own["cut"]
    assert own["failed"][0] == "test_one: assert (1 + 1) == 3"


# --- slots, and what is asked of the host ---------------------------------------------------------


_SAYS = """\
#!/bin/sh
shift 3
for name in "$@"; do
  echo noise
  case "$name" in
    lead) kill -9 $$ ;;
    r1) echo 'said "it cannot be recorded"'; exit ;;
    *) echo 'said ""' ;;
  esac
done
"""


def _program(folder: Path, text: str) -> str:
    """The path of a program of this text."""
    path = folder / "says"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_a_setting_that_breaks_its_process_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All were lost with one that could not be recorded, and what came after it in this process."""
    monkeypatch.setattr(sys, "executable", _program(tmp_path, _SAYS))
    found = [*syncs.measure(Visit("cuda:0", tmp_path))]
    assert [own["settings"] for own in found] == [*range(1, len(syncs.SETTINGS) + 1)]
    faults = ["lead: its process ended with -9", "r1: it cannot be recorded"]
    assert found[-1]["failed"] == faults
    soon = Visit("cuda:0", tmp_path, time.monotonic())
    assert [*syncs.measure(soon)] == []


def test_settings_that_nobody_waits_for_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visit closes what it measures when time is up, and that waits for its process."""
    says = "#!/bin/sh\necho 'said \"\"'\nexec sleep 60\n"
    monkeypatch.setattr(sys, "executable", _program(tmp_path, says))
    with closing(syncs.measure(Visit("cuda:0", tmp_path))) as settings:
        assert next(settings) == {"settings": 1, "failed": []}
        started = time.monotonic()
    assert time.monotonic() - started < 30


def test_what_a_setting_asks_of_the_host_is_told_apart_from_its_recording(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the CPU, where nothing is recorded, and nothing raises but what is told to. After whatever
    else is an error of a GPU nothing more is asked of it by the same process.
    """
    modes: list[str] = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    assert syncs.fault("cpu", {}) == ("", True)
    assert modes == ["error", "default"] * 2
    played = program.playing
    for calls, where in {0: "it cannot be recorded", 2: "as a graph"}.items():
        left = iter(range(calls))

        def own(*given: Any, left: Iterator[int] = left) -> Any:
            if next(left, None) is None:
                raise RuntimeError("a capture\nand its trace")
            return played(*given[:3])(*given[3:])

        def playing(*of: Any, own: Any = own) -> Any:
            return partial(own, *of)

        monkeypatch.setattr(program, "playing", playing)
        assert syncs.fault("cpu", {}) == (f"{where}: a capture", False)
        assert modes[-1] == "default"
    asks, lost = "called a synchronizing CUDA operation", "an illegal memory access"
    for said, goes_on in {asks: True, lost: False}.items():

        def raising(mode: str, said: str = said) -> None:
            raise RuntimeError(said)

        monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", raising)
        assert syncs.fault("cpu", {}) == (said, goes_on)


def test_slots_that_are_everybodys_are_told(tmp_path: Path) -> None:
    """As those of the CPU are, by processes that have asked before anybody waits for them."""
    told = ["two workers have one slot", "a slot that is held was given twice"]
    assert [*leases.measure(Visit("cpu", tmp_path))] == [{"failed": told}]


# --- what is timed --------------------------------------------------------------------------------


@pytest.mark.slow
def test_convolutions_are_timed_both_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On the CPU, where a pack in tiles can be computed, too."""
    monkeypatch.setattr(throughput, "SECONDS", 0.01)
    case = {"network": "dcgan", "width": 4, "depth": 1, "size": 12}
    (found,) = convolutions.measure(Visit("cpu", tmp_path), {"dcgan": case}, (1,))
    (row,) = found["rows"]
    assert min(row["apart"], row["tiles"]) > 0
    assert convolutions.lines(found)[-1].startswith("| dcgan | 1 | ")


def test_a_figure_that_cannot_be_had_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A way that raised lost the whole table, whatever came before it."""

    def rate(device: str, case: Any, pack: int, at_once: bool) -> float:
        if at_once:
            raise RuntimeError("out of memory")
        return 12.0

    monkeypatch.setattr(convolutions, "_rate", rate)
    visit = Visit("cpu", tmp_path)
    (found,) = convolutions.measure(visit, {"dcgan": {}}, (64,))
    assert found["rows"] == [{"network": "dcgan", "pack": 64, "tiles": None, "apart": 12.0}]
    assert visit.raised == ["dcgan, tiles"]
    assert visited([], visit, {}) == (True, [])  # the check fails nevertheless
    assert convolutions.lines(found)[-1] == "| dcgan | 64 | none | 12 |"
    assert "out of memory" in (tmp_path / LOG).read_text(encoding="utf-8")


@pytest.mark.slow
def test_whole_trainings_are_timed(tmp_path: Path) -> None:
    """By workers, one row after the other."""
    found = [*training.measure(Visit("cpu", tmp_path), ((2, 1, 4), (4, 2, 4)), width=4)]
    assert [len(own["rows"]) for own in found] == [2, 2]  # one list that grows
    assert training.lines(found[-1])[-1].startswith("| 4 | 2 | 4 | ")


# --- packages -------------------------------------------------------------------------------------


def test_a_device_that_is_not_there_is_named_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a traceback of torch's."""
    monkeypatch.setattr(packages, "missing", lambda: ({}, {}))
    monkeypatch.setattr("ganstudy.schedule.devices.visible", lambda: {"cuda:98": "GPU-aaaa"})
    for device, said in [("cuda:7", "no GPU 'cuda:7'.*cuda:98"), ("cuda:98", "cannot be used: ")]:
        monkeypatch.setattr(sys, "argv", ["gpu", "--device", device, "--out", str(tmp_path)])
        with pytest.raises(SystemExit, match=said):
            main()


def test_what_is_missing_is_named_with_the_version_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "NEEDED", {"numpy": "1.26", "pytest": "999", "no-such": "1.0"})
    absent, older = packages.missing()
    assert absent.keys() == {"no-such"}
    assert older.keys() == {"pytest"}
    assert older["pytest"].startswith("pytest>=999 (there is ")
    assert "no-such>=1.0" in packages.what_to_do(absent)
    # The module triton is what is asked for, whatever its distribution is called.
    monkeypatch.setattr(packages, "NEEDED", {"triton": "1.26"})
    monkeypatch.setattr(packages, "packages_distributions", lambda: {"triton": ["numpy"]})
    assert packages.missing() == ({}, {})


def test_what_the_package_asks_for_is_asked_for_there_and_brought_along() -> None:
    """Lists of another time had older versions, and neither rich nor safetensors."""
    asked = dict(own.split(">=") for own in packages.PROJECT["dependencies"])
    assert asked.items() <= packages.NEEDED.items()
    assert asked.keys() <= {*wheels.NAMES, *wheels.IN_IMAGES}
