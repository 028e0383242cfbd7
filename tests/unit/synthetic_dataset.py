"""A made-up gathered study in the shape that the store writes, for tests of analysis and report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ganstudy import film
from ganstudy.targets import from_config

RING = {"name": "ring", "modes": 8, "radius": 1.0, "std": 0.02}
LINE = {"name": "gaussian", "mean": [0.0], "std": 1.0}
SPACE = {"name": "gaussian", "mean": [0.0, 0.0, 0.0], "std": 1.0}
TARGETS = {1: LINE, 2: RING, 3: SPACE}
"""Laws by their number of features."""
DIVERGENCES = ["minimax", "non_saturating", "reverse_kl", "wasserstein"]
GRID: dict[str, Sequence[Any]] = {
    "divergence": DIVERGENCES,
    "lr": ["slow", "fast"],
    "critic_steps": [1, 5],
    "capacity": ["small", "large"],
}
QUESTION = "Which divergence keeps all eight modes as D-steps and capacity change?"

METRICS: dict[str, dict[str, Any]] = {
    "modes_covered": {
        "long_name": "modes covered",
        "units": "modes",
        "direction": "higher",
        "bounds": [0.0, 8.0],
        "value_at_equality": 8.0,
    },
    "high_quality": {
        "long_name": "share of high-quality samples",
        "direction": "higher",
        "bounds": [0.0, 1.0],
        "value_at_equality": 0.989,
    },
    "mode_kl": {
        "long_name": "KL of the mode histogram",
        "units": "nats",
        "direction": "lower",
        "bounds": [0.0, math.inf],
        "value_at_equality": 0.0,
    },
}
PERFECT = {
    "modes_covered": [8.0, 8.0, 8.0],
    "high_quality": [0.986, 0.989, 0.991],
    "mode_kl": [0.0012, 0.0018, 0.0024],
}
CURVES: dict[str, dict[str, Any]] = {
    "critic_loss": {"long_name": "critic loss"},
    "generator_loss": {"long_name": "generator loss"},
    "real_logit": {"long_name": "mean logit of data"},
    "fake_logit": {"long_name": "mean logit of samples"},
    "critic_gradient_norm": {"long_name": "norm of the critic's gradient"},
    "generator_gradient_norm": {"long_name": "norm of the generator's gradient"},
}


def synthetic_dataset(
    axes: Mapping[str, Sequence[Any]] | None = None,
    *,
    seeds: int = 5,
    steps: int = 20,
    samples: int = 2000,
    features: int = 2,
    compare: str | None = None,
    score: str = "modes_covered",
    status: Mapping[tuple[int, ...], str] | None = None,
    strengths: Sequence[float] = (0.35, 0.6, 0.95, 0.8),
    spread: float = 0.6,
) -> xr.Dataset:
    """A study whose arms cover a growing number of the ring's modes, by `strengths` in turn.

    `status` overrides the status of single trials by their index along (axes…, seed). All other
    dims follow the contract of `ganstudy.open_run`; the default is the 160-trial study of the
    README with a few divergences, failures and missing trials.
    """
    rng = np.random.default_rng(20260727)
    if axes is None:
        axes = GRID
        if status is None and seeds == 5:
            status = {
                **{(0, 1, 1, 1, seed): "diverged" for seed in range(5)},
                (0, 1, 1, 0, 2): "diverged",
                (1, 1, 1, 1, 0): "diverged",
                (2, 0, 1, 0, 3): "failed",
                (3, 1, 0, 0, 4): "missing",
            }
    dims = [*axes, "seed"]
    shape = (*(len(values) for values in axes.values()), seeds)
    recorded = np.linspace(100, 100 * steps, steps).astype(np.int64)
    states = np.full(shape, "complete", dtype="<U10")
    diverged_at = np.full(shape, np.nan)
    for point, state in (status or {}).items():
        states[point] = state
        if state == "diverged":
            diverged_at[point] = recorded[steps // 2 - 1]

    arm = list(axes).index(compare) if compare else 0
    curves = {name: np.full((*shape, steps), np.nan) for name in (*METRICS, *CURVES)}
    drawn = np.full((*shape, samples, features), np.nan, dtype=np.float32)
    for point in np.ndindex(*shape):
        if states[point] not in ("complete", "diverged"):
            continue
        strength = strengths[point[arm] % len(strengths)] if axes else strengths[2]
        others = [index for axis, index in enumerate(point[:-1]) if axis != arm]
        level = strength + 0.08 * sum(others) - 0.12 + 0.05 * rng.normal() * spread
        curve = _modes_over_time(rng, level, steps)
        seen = steps if states[point] == "complete" else steps // 2 - 1
        curves["modes_covered"][point][:seen] = curve[:seen]
        quality = np.clip(0.55 + 0.4 * strength * np.linspace(0, 1, steps), 0, 1)
        curves["high_quality"][point][:seen] = quality[:seen]
        curves["mode_kl"][point][:seen] = np.log(8 / np.maximum(curve, 0.5))[:seen]
        for k, name in enumerate(CURVES):
            path = np.exp(-np.linspace(0, 2, steps)) * (1 + k) + 0.2 * rng.normal(size=steps)
            curves[name][point][:seen] = (path * (1 + 3 * (strength > 0.7)))[:seen]
        if states[point] == "complete":
            drawn[point] = _ring_samples(rng, round(curve[-1]), samples, features, strength)

    facts = {name: {**METRICS[name], "role": "metric"} for name in METRICS}
    facts |= {name: {**CURVES[name], "role": "curve"} for name in CURVES}
    ds = xr.Dataset(
        {
            "status": (dims, states),
            "diverged_at": (dims, diverged_at, {"long_name": "M-step of divergence"}),
            "seconds": (
                dims,
                np.where(np.isin(states, ["complete", "diverged"]), 3.2, np.nan),
                {"long_name": "training time", "units": "s"},
            ),
            "trial_id": (dims, np.full(shape, "0123abcd4567")),
            **{name: ([*dims, "step"], values, facts[name]) for name, values in curves.items()},
            "samples": ([*dims, "sample", "feature"], drawn),
            "target_settings": json.dumps(TARGETS[features]),
            **{
                f"{name}_perfect": ("draw", np.asarray(values), {"role": "perfect"})
                for name, values in PERFECT.items()
            },
        },
        coords={
            **{axis: list(values) for axis, values in axes.items()},
            "seed": np.arange(seeds),
            "step": recorded,
        },
    )
    ds.attrs = {
        "question": QUESTION,
        "study": "mode_collapse",
        "compare": compare or next(iter(axes), ""),
        "score": score,
        "axes": list(axes),
    }
    return ds


def _modes_over_time(rng: np.random.Generator, level: float, steps: int) -> np.ndarray[Any, Any]:
    """Modes covered at each record: a rise towards `level` with falls and recoveries."""
    rise = 8 * min(max(level, 0.1), 1.0) * (1 - np.exp(-np.linspace(0.2, 5, steps)))
    falls = np.where(rng.random(steps) < 0.12 * (1.2 - level), 3, 0)
    return np.asarray(np.clip(np.round(rise + 0.4 * rng.normal(size=steps) - falls), 0, 8))


def _ring_samples(
    rng: np.random.Generator, modes: int, count: int, features: int, strength: float
) -> np.ndarray[Any, Any]:
    mode = rng.choice(np.sort(rng.permutation(8)[: max(modes, 1)]), size=count)
    centres = np.stack([np.cos(2 * np.pi * mode / 8), np.sin(2 * np.pi * mode / 8)], axis=-1)
    planar = centres + (0.02 + 0.05 * (1 - strength)) * rng.normal(size=(count, 2))
    between = rng.random(count) < 0.05
    planar[between] += 0.4 * rng.normal(size=(int(between.sum()), 2))
    extra = rng.normal(size=(count, max(features - 2, 0)))
    return np.concatenate([planar, extra], axis=1)[:, :features].astype(np.float32)


FRAMES = 4


def filmed(ds: xr.Dataset, particles: int = 10) -> xr.Dataset:
    """The study with films: particles that run outwards, over the logit x + 2 y."""
    dims = tuple(map(str, ds["status"].dims))
    shape = ds["status"].shape
    rng = np.random.default_rng(3)
    edges = film.window(from_config(json.loads(str(ds["target_settings"].item()))))
    (x, y), (at_x, at_y) = film.grid(edges, film.GRID), film.grid(edges, film.ARROWS)
    samples = np.full((*shape, FRAMES, particles, 2), np.nan, np.float32)
    for point in np.ndindex(*shape):
        seen = {"complete": FRAMES, "diverged": 2}.get(str(ds["status"].values[point]), 0)
        direction = rng.normal(size=(particles, 2))
        samples[point][:seen] = np.linspace(0.1, 0.8, FRAMES)[:seen, None, None] * direction
    alive = np.isfinite(samples[..., 0, 0])
    logits = np.broadcast_to(x + 2 * y[:, None], (*shape, FRAMES, film.GRID, film.GRID))
    pull = np.broadcast_to([1.0, 2.0], (*shape, FRAMES, film.ARROWS, film.ARROWS, 2)).astype(
        np.float32
    )
    return ds.assign(
        frame_step=("frame", 100.0 * np.arange(1, FRAMES + 1)),
        film_window=(("coordinate", "edge"), edges),
        frame_samples=((*dims, "frame", "particle", "coordinate"), samples),
        critic_logits=(
            (*dims, "frame", "grid_y", "grid_x"),
            np.where(alive[..., None, None], logits, np.nan),
        ),
        generator_pull=(
            (*dims, "frame", "arrow_y", "arrow_x", "coordinate"),
            np.where(alive[..., None, None, None], pull, np.nan),
        ),
        divergence_settings=(
            "divergence",
            [json.dumps({"name": str(name)}) for name in ds["divergence"].values],
        ),
    ).assign_coords(grid_x=x, grid_y=y, arrow_x=at_x, arrow_y=at_y)
