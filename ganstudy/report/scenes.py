"""One filmed trial of each arm, chosen by a rule and not by its looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganstudy.analysis import trial_scores
from ganstudy.analysis.design import label_text
from ganstudy.film import FILM, VIEWS
from ganstudy.report.findings import Findings
from ganstudy.report.layout import thinned

Array = NDArray[np.float64]

MOST = 12
"""Of more arms an even choice is shown, the first and the last among them."""

REACH = 0.92
"""Length of the longest arrows, in cells of their grid."""

LARGE = 0.95
"""Quantile of the sizes of a trial's gradients that is drawn, with all above, at full length."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The film of one trial.

    samples  `(frames, particles, 2)`, NaN from a divergence on
    pull     `(frames, arrows, arrows, 2)`, if it was recorded
    logits   `(frames, points, points)`, if they were
    """

    arm: int
    label: str
    diverged_at: float
    target: str
    divergence: str
    steps: list[int]
    window: Array
    samples: Array
    pull: Array | None
    logits: Array | None

    @property
    def seen(self) -> list[int]:
        """Frames before any divergence."""
        return np.flatnonzero(np.isfinite(self.samples[:, 0, 0])).tolist()

    def outside(self, frame: int) -> str:
        """`53% outside`: samples of a frame that its window lacks; empty for hardly any."""
        low, high = self.window.T
        samples = self.samples[frame]
        share = 1 - float(np.mean(((samples >= low) & (samples <= high)).all(axis=1)))
        return f"{share:.0%} outside" if share >= 0.01 else ""

    @property
    def arrows(self) -> Array | None:
        """Arrows in cells: their lengths grow with the square root of the gradients' sizes."""
        if self.pull is None:
            return None
        size = np.linalg.norm(self.pull, axis=-1, keepdims=True)
        known = size[np.isfinite(size)]
        full = float(np.quantile(known, LARGE)) if known.size else 0.0
        if not full:
            return np.zeros_like(self.pull)
        with np.errstate(invalid="ignore", divide="ignore"):
            length = np.sqrt(np.minimum(size / full, 1.0))
            return np.asarray(np.where(size == 0, 0.0, REACH * length * self.pull / size))


def scenes(findings: Findings) -> list[Scene]:
    """The filmed trial in the middle by score, of each arm; of an even number, the worse one."""
    ds = findings.ds
    if "frame_samples" not in ds:
        return []
    dims = (findings.arm, *findings.axes, "seed")
    filmed = np.isfinite(
        ds["frame_samples"].isel(frame=0, particle=0, coordinate=0).transpose(*dims).values
    )
    scores = findings.metric.sign * trial_scores(ds)["score"].transpose(*dims).values
    arms = [arm for arm in range(len(findings.arms)) if filmed[arm].any()]
    found = []
    for arm in (arms[place] for place in thinned(len(arms), MOST)):
        places = np.argwhere(filmed[arm])
        own = np.nan_to_num(scores[arm][filmed[arm]], nan=-np.inf)
        middle = places[np.argsort(own, kind="stable")[(len(own) - 1) // 2]]
        found.append(_scene(findings, arm, dict(zip(dims, (arm, *middle.tolist()), strict=True))))
    return found


def _scene(findings: Findings, arm: int, place: dict[str, int]) -> Scene:
    names = (
        *(variable.name for variable in FILM),
        "target_settings",
        "divergence_settings",
        "diverged_at",
    )
    one = findings.ds[[name for name in names if name in findings.ds]]
    one = one.isel(place, missing_dims="ignore")
    steps = one["frame_step"].values
    frames = np.isfinite(steps)
    read = {
        own.name: one[own.name].transpose(*own.dims).values
        for own in FILM
        if own.name in VIEWS and own.name in one
    }
    views = {
        name: values[frames].astype(np.float64)
        for name, values in read.items()
        if np.isfinite(values).any()
    }
    # Trials that keep fewer samples than others are padded.
    samples = views["frame_samples"]
    samples = samples[:, np.isfinite(samples).all(axis=2).any(axis=0)]
    where = [
        f"{findings.named(name)} {label_text(findings.ds[name].values[place[name]].item())}"
        for name in (*findings.axes, "seed")
    ]
    return Scene(
        arm=arm,
        label=" · ".join(where),
        diverged_at=float(one["diverged_at"]),
        target=str(one["target_settings"].item()),
        divergence=str(one["divergence_settings"].item()) if "divergence_settings" in one else "",
        steps=steps[frames].astype(np.int64).tolist(),
        window=one["film_window"].transpose("coordinate", "edge").values.astype(np.float64),
        samples=samples,
        pull=views.get("generator_pull"),
        logits=views.get("critic_logits"),
    )


def rule(findings: Findings, shown: Sequence[Scene]) -> str:
    """Which trials are shown, in a sentence."""
    text = (
        f"Of each arm the trial in the middle by {findings.metric.long_name}, among those of all "
        f"its {findings.among} that have a film; of two in the middle, the worse."
    )
    if len(shown) < len(findings.arms):
        which = "evenly chosen" if len(shown) == MOST else "those with films"
        text += f" {len(shown)} of {len(findings.arms)} arms, {which}."
    return text
