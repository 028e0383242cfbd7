"""The suites of steps on the GPU: against plain PyTorch on the CPU, and alone against in packs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TRAINING, BITS, TILES, CONVOLUTIONS = (
    f"tests/{name}.py"
    for name in (
        *("reference/test_training", "reference/test_bit_for_bit", "reference/test_fixed_tiles"),
        "conformance/test_convolutional",
    )
)
SUITES = {
    "steps": (TRAINING, "not slow", "", "Steps against plain PyTorch on the CPU"),
    "kernels": (TILES, "not slow", "", "Products and sums against double precision on the CPU"),
    "bits": (BITS, "not slow", "not convolutions", "Trials alone and in packs, with =="),
    "convolutions": (CONVOLUTIONS, "not slow", "", "Convolutions against torch.nn, either way"),
    "convolutions in packs": (
        *(BITS, "", "convolutions"),
        "Trials of convolutions alone and in packs, with ==",
    ),
    "workers": (BITS, "slow", "not compiled", "Trials in two workers, with =="),
}


def measure(device: str) -> dict[str, Any]:
    """Tests that ran; the names of those that fail."""
    results = {name: run(device, *tests) for name, (*tests, _) in SUITES.items()}
    failed = [test for own in results.values() for test in own["failures"]]
    return {"suites": results, "failed": failed}


def run(device: str, path: str, marks: str, keyword: str, *, workers: int = 4) -> dict[str, Any]:
    """How many tests of a file ran, and the names of those that failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-n", str(workers)),
            *(path, "-m", marks, "-k", keyword, "-o", "addopts=", "-o", "filterwarnings="),
            *("-p", "no:cacheprovider", "-p", "no:benchmark", "--tb=line", f"--junitxml={report}"),
        ]
        environment = {**os.environ, "GANSTUDY_TEST_DEVICE": device}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if not report.is_file():
            return {"tests": 0, "failures": [f"{path}: {(done.stdout + done.stderr)[-500:]}"]}
        cases = list(ElementTree.parse(report).iter("testcase"))
    failures = [
        f"{case.get('name')}: {(bad.get('message') or '').partition(chr(10))[0][:120]}"
        for case in cases
        for bad in (*case.iter("failure"), *case.iter("error"))
    ]
    skipped = sum(1 for case in cases for _ in case.iter("skipped"))
    if len(cases) == skipped:
        failures.append(f"{path}: no test ran")
    return {"tests": len(cases) - skipped, "failures": failures}


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    result = []
    for name, own in found["suites"].items():
        good = own["tests"] - len(own["failures"])
        result.append(f"- {SUITES[name][-1]}: {good} of {own['tests']} tests.")
        result += [f"    - {failure}" for failure in own["failures"]]
    return result
