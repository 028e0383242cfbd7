"""Cost of a trial against the number of trials, of steps, and against width; a figure."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.overhead import session_seconds

STUDY = """\
question: How does the cost of a trial grow?
trial:
  generator: {{width: {width}}}
  critic: {{width: {width}}}
  steps: {steps}
  batch: 64
  record: {{every: {steps}, samples: 100}}
search:
  grid:
    divergence: [minimax, non_saturating]
seeds: {seeds}
engine: {{program: eager}}
"""

SERIES = {
    "trials": [{"seeds": seeds} for seeds in (5, 50, 500, 5000)],
    "steps": [{"steps": steps} for steps in (50, 200, 800, 3200)],
    "width": [{"width": width} for width in (16, 32, 64, 128, 256)],
}


def measure() -> dict[str, Any]:
    series: dict[str, list[tuple[int, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, points in SERIES.items():
            for point in points:
                settings = {"width": 16, "steps": 50, "seeds": 20, **point}
                study = Path(folder) / f"{name}.yaml"
                study.write_text(STUDY.format(**settings))
                out = Path(folder) / f"{name}-{time.time_ns()}"
                seconds = session_seconds(study, out)
                value = settings["seeds"] * 2 if name == "trials" else settings[name]
                series.setdefault(name, []).append((value, seconds / (2 * settings["seeds"])))
    draw(series, Path(__file__).parent / "growth.svg")
    return {"series": series}


def draw(series: dict[str, list[tuple[int, float]]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(series), figsize=(10, 3.2), layout="constrained")
    labels = {"trials": "number of trials", "steps": "M-steps", "width": "width of the layers"}
    for ax, (name, rows) in zip(axes, series.items(), strict=True):
        ax.loglog(*zip(*rows, strict=True), marker="o")
        ax.set_xlabel(labels[name])
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("seconds per trial")
    figure.savefig(path)
