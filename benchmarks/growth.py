"""Seconds of a study against the number of trials, of steps, and against width; a figure."""

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

FIGURE = Path(__file__).parents[1] / "docs" / "growth.png"

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
                value = settings["seeds"] * 2 if name == "trials" else settings[name]
                series.setdefault(name, []).append((value, session_seconds(study, out)))
    draw(series, FIGURE)
    return {"series": series}


def draw(series: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Seconds with the straight line of least squares; against the square of width, since that is
    what the multiply-adds of a layer grow with."""
    import matplotlib.pyplot as plt
    import numpy as np

    figure, axes = plt.subplots(1, len(series), figsize=(10, 3.0), layout="constrained")
    labels = {
        "trials": "trials of 50 steps, width 16",
        "steps": "M-steps of 40 trials, width 16",
        "width": "square of the width, 40 trials of 50 steps",
    }
    for ax, (name, rows) in zip(axes, series.items(), strict=True):
        x, seconds = np.array(rows, float).T
        x = x**2 if name == "width" else x
        slope, start = np.polyfit(x, seconds, 1)
        ends = np.array([0, x.max()])
        ax.plot(ends, start + slope * ends, color="0.7", zorder=0)
        ax.plot(x, seconds, "o")
        ax.set(xlabel=labels[name], ylim=(0, None))
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("seconds, both cores")
    figure.savefig(path, dpi=110)
