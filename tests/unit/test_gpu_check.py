"""What of the GPU check a machine without a GPU can tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.gpu import convolutions, packages, steps, throughput
from benchmarks.gpu.__main__ import markdown

FOLDER = Path(__file__).parents[2] / "benchmarks" / "gpu"


def test_the_page_is_that_of_the_results() -> None:
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    assert (FOLDER / "results.md").read_text(encoding="utf-8") == markdown(results)


def test_what_is_missing_is_named_with_the_version_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "NEEDED", {"numpy": "1.26", "pytest": "999", "no-such": "1.0"})
    absent = packages.missing()
    assert absent.keys() == {"pytest", "no-such"}
    assert absent["pytest"].startswith("pytest>=999 (there is ")
    assert "no-such>=1.0" in packages.what_to_do(absent)


@pytest.mark.slow
def test_convolutions_are_timed_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU, where a pack in tiles can be computed, too."""
    monkeypatch.setattr(throughput, "SECONDS", 0.01)
    case = {"network": "dcgan", "width": 4, "depth": 1, "size": 12}
    found = convolutions.measure("cpu", {"dcgan": case}, (1,))
    (row,) = found["rows"]
    assert min(row["apart"], row["tiles"]) > 0
    assert convolutions.lines(found)[-1].startswith("| dcgan | 1 | ")


@pytest.mark.slow
def test_a_suite_is_run_counted_and_missed() -> None:
    """On the CPU, which it takes as any device; where nothing runs, that is a failure.

    By one process: four would each begin with torch, for a single test.
    """
    own = steps.run("cpu", steps.TRAINING, "not slow", "bilinear", workers=0)
    assert own["tests"] > 0
    assert own["failures"] == []
    assert steps.run("cpu", steps.TILES, "not slow", "", workers=0)["failures"] == [
        f"{steps.TILES}: no test ran"
    ]
