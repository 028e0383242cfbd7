"""The suites of steps on the GPU: against plain PyTorch on the CPU, and alone against in packs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu.visit import Visit

__all__ = ["SUITES", "Suite"]

ROOT = Path(__file__).parents[2]

WORKERS = min(12, os.cpu_count() or 1)
"""Processes of a suite, each of which has a CUDA context of its own."""

MOST_FAILURES = 10
"""After which a suite ends: what more of them say is the same."""

_TO_END = 60.0
"""Seconds in which a suite that is interrupted ends its tests and writes what it has found."""


@dataclass(frozen=True)
class Suite:
    """Tests of one file that show one promise.

    only      the functions of the file; those that are not slow, by default
    without   functions that need no GPU, or are another suite's
    promised  whether one that fails is a failure of the check
    """

    promise: str
    path: str
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    promised: bool = True

    @property
    def tests(self) -> list[str]:
        """What pytest is asked for."""
        if self.only:
            return [f"{self.path}::{name}" for name in self.only]
        apart = (f"--deselect={self.path}::{name}" for name in self.without)
        return [self.path, "-m", "not slow", *apart]

    def measure(self, visit: Visit, workers: int = WORKERS) -> Iterator[dict[str, Any]]:
        """How many tests ran, and the names of those that failed; `cut` where time was up, and
        nothing where it was before any had run.
        """
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "junit.xml"
            said, cut = self._run(visit, report, workers)
            cases = [*ElementTree.parse(report).iter("testcase")] if report.is_file() else []
        failed = [
            f"{case.get('name')}: {(bad.get('message') or '').partition(chr(10))[0][:120]}"
            for case in cases
            for bad in (*case.iter("failure"), *case.iter("error"))
        ]
        ran = len(cases) - sum(1 for case in cases for _ in case.iter("skipped"))
        if not ran and not cut:
            failed.append(f"{self.path}: no test ran")
        if failed:
            visit.tell(self.promise, said)
        if ran or not cut:
            yield {"tests": ran, "failed": failed} | ({"cut": True} if cut else {})

    def _run(self, visit: Visit, report: Path, workers: int) -> tuple[str, bool]:
        """What pytest says, and whether it was interrupted as time was up."""
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-n", str(workers), *self.tests),
            *("-o", "addopts=", "-o", "filterwarnings=", "-p", "no:cacheprovider"),
            # zarr's own plug-in would load NumPy before the tests' settings take one thread.
            *("-p", "no:benchmark", "-p", "no:zarr"),
            *("--tb=short", f"--maxfail={MOST_FAILURES}"),
            f"--junitxml={report}",
        ]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "GANSTUDY_TEST_DEVICE": visit.device},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            try:
                return running.communicate(timeout=min(max(visit.left, 0.0), 10**6))[0], False
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGINT)
            try:
                return running.communicate(timeout=_TO_END)[0], True
            except subprocess.TimeoutExpired:
                running.kill()
                return running.communicate()[0], True

    def lines(self, found: dict[str, Any]) -> list[str]:
        """For the page."""
        good = found["tests"] - len(found["failed"])
        until = " until time was up" if found.get("cut") else ""
        return [
            f"- {self.promise}: {good} of {found['tests']} tests{until}.",
            *(f"    - {failure}" for failure in found["failed"]),
        ]


_TRAINING, _BITS, _TILES, _CONVOLUTIONS = (
    f"tests/{name}.py"
    for name in (
        *("reference/test_training", "reference/test_bit_for_bit", "reference/test_fixed_tiles"),
        "conformance/test_convolutional",
    )
)

_OF_CONVOLUTIONS = (
    "test_each_feature_of_convolutions_alone_and_in_a_pack",
    "test_convolutions_at_once_alone_and_in_a_pack",
    "test_features_of_convolutions_together",
)

SUITES = {
    "packs_of_convolutions": Suite(
        "Trials of convolutions alone and in packs, with ==", _BITS, _OF_CONVOLUTIONS
    ),
    "bits": Suite(
        "Trials alone and in packs, with ==",
        _BITS,
        without=(
            *_OF_CONVOLUTIONS,
            "test_numbers_that_once_depended_on_the_pack",
            "test_each_feature_as_a_gpu_compiles_it",
            "test_exact_kinds_in_any_pack",
            "test_drawn_settings_that_raise_are_a_fault_and_other_seeds_follow",
        ),
    ),
    "last_numbers": Suite(
        "Logits, and the game at its end, alone and in packs, with ==",
        _BITS,
        ("test_numbers_that_once_depended_on_the_pack",),
    ),
    "steps": Suite("Steps against plain PyTorch on the CPU", _TRAINING),
    "kernels": Suite(
        "Products and sums against double precision on the CPU",
        _TILES,
        without=("test_kernels_are_compiled_for_gpus",),
    ),
    "workers": Suite("Trials in two workers, with ==", _BITS, ("test_one_worker_and_two",)),
    "networks": Suite(
        "Convolutions against torch.nn, either way",
        _CONVOLUTIONS,
        (
            "test_generators_equal_torch_nn",
            "test_critics_equal_torch_nn",
            "test_running_moments_are_those_of_torch_nn",
        ),
    ),
    "compiled": Suite(
        "Compiled trials alone and in packs, with ==, which is not promised",
        _BITS,
        (
            "test_features_compiled_alone_and_in_any_pack",
            "test_compiled_alone_and_in_any_pack",
            "test_drawn_settings_compiled",
        ),
        promised=False,
    ),
}
