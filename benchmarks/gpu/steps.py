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
SUITES = {
    "steps": ("tests/reference/test_training.py", "not slow", "against plain PyTorch on the CPU"),
    "kernels": ("tests/reference/test_fixed_tiles.py", "not slow", "products and sums, in float64"),
    "bits": ("tests/reference/test_bit_for_bit.py", "not slow", "alone and in packs, with =="),
    "workers": ("tests/reference/test_bit_for_bit.py", "slow and not compiled", "in two workers"),
    "compiled": ("tests/reference/test_bit_for_bit.py", "slow and compiled", "compiled, with =="),
}
PROMISED = ("steps", "kernels", "bits", "workers")


def measure(device: str) -> dict[str, Any]:
    """Tests by outcome; the names of those that fail."""
    results: dict[str, Any] = {}
    for name, (path, marks, _) in SUITES.items():
        results[name] = _run(device, path, marks)
    failed = [test for name in PROMISED for test in results[name]["failures"]]
    return {"suites": results, "failed": failed}


def _run(device: str, path: str, marks: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        slow, keyword = marks, ""
        if " and " in marks:
            slow, keyword = "slow", marks.removeprefix("slow and ")
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-n", "4", path, "-m", slow, "-k", keyword),
            *("-p", "no:cacheprovider", "-p", "no:benchmark", "-o", "addopts=", "--tb=line"),
            *("-o", "filterwarnings=", f"--junitxml={report}"),
        ]
        environment = {**os.environ, "GANSTUDY_TEST_DEVICE": device}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if not report.is_file():
            return {"tests": 0, "failures": [f"{path}: {(done.stdout + done.stderr)[-500:]}"]}
        cases = list(ElementTree.parse(report).iter("testcase"))
    failures = [
        f"{case.get('name')}: {(bad.get('message') or '').splitlines()[0][:120]}"
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
        promise = "" if name in PROMISED else " (not promised)"
        result.append(f"- {SUITES[name][2].capitalize()}: {good} of {own['tests']} tests{promise}.")
        result += [f"    - {failure}" for failure in own["failures"]]
    return result
