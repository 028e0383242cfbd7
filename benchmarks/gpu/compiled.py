"""Compiled steps alone and in packs: Triton's own order of sums, which nobody has promised."""

from __future__ import annotations

from typing import Any

from benchmarks.gpu import steps


def measure(device: str) -> dict[str, Any]:
    """Tests that ran; the names of those that fail, which is no failure of the check."""
    return {"suite": steps.run(device, steps.BITS, "slow", "compiled")}


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    own = found["suite"]
    good = own["tests"] - len(own["failures"])
    failures = [f"    - {failure}" for failure in own["failures"]]
    promise = "Compiled trials alone and in packs, with ==, which is not promised"
    return ["", f"- {promise}: {good} of {own['tests']} tests.", *failures]
