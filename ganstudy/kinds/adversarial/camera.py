"""Filming: the samples and the critic of a pack in the plane, at some of its recorded steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganstudy.film import (
    ARROWS,
    GRID,
    PARTICLES,
    VIEWS,
    frame_steps,
    grid,
    images_filmed,
    window,
)
from ganstudy.kinds.adversarial.draws import held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.state import State
    from ganstudy.kinds.adversarial.step import Rules
    from ganstudy.trial import Trial

    Kept = dict[str, NDArray[np.floating]]

__all__ = ["Camera"]


WITNESSES = 512
"""Samples of each law from which a critic in closed form is made."""

BITS = {"frame_images": 7, "frame_samples": 10, "critic_logits": 15, "generator_pull": 7}
"""Bits that are kept behind the first: logits may differ by little of their size."""

LARGEST = 1e38
"""Infinite numbers are kept as this: NaN and infinity are for trials that have diverged."""


class Camera:
    """Takes the frames of a pack; the stack may hold copies behind its trials.

    steps    M-steps of the frames, none if the trials are not filmed
    windows  `(trials, coordinate, edge)`
    """

    def __init__(
        self,
        trials: Sequence[Trial[AdversarialSettings]],
        stack: Sequence[Trial[AdversarialSettings]],
        recorded: NDArray[np.int64],
        device: torch.device,
    ) -> None:
        shape = trials[0].configuration
        filmed = shape.filmed or shape.filmed_images
        self.steps = frame_steps(recorded, shape.record.frames if filmed else 0)
        self.trials = len(trials)
        # Images are the film themselves; nothing is drawn behind them.
        self.images = images_filmed(shape.target.dimension) if shape.filmed_images else 0
        if not len(self.steps) or self.images:
            return
        edges = [window(trial.configuration.target) for trial in stack]
        self.windows = np.stack(edges[: len(trials)]).astype(np.float32)
        self.judged = shape.judges_points
        alone = not (shape.divergence.paired or shape.divergence.charged)
        self.pulls = self.judged and alone
        self.grid, self.arrows = (
            torch.from_numpy(np.stack([_points(own, n) for own in edges])).to(device)
            for n in (GRID, ARROWS)
        )
        self.real: Tensor | None = None
        if shape.divergence.closed_form:
            self.real = held_out(stack, device)[:, :WITNESSES]

    def take(
        self,
        step: int,
        game: Rules,
        state: State,
        fake: Tensor,
        alive: NDArray[np.bool_],
        kept: Kept,
    ) -> None:
        """Put the frame of a step into `kept`, if it is one; NaN where a trial has diverged.

        fake  samples of the latent noise that is held fixed, `(pack, count, 2)`
        """
        if step not in self.steps:
            return
        images = {"frame_images": fake[:, : self.images]}
        views = images if self.images else self._in_the_plane(game, state, fake)
        frame = int(np.searchsorted(self.steps, step))
        for name, view in views.items():
            values = view[: self.trials].detach().cpu().numpy()
            known = kept.get(name)
            if known is None or not self._has_all(known):
                empty = (self.trials, len(self.steps), *values.shape[1:])
                known = kept[name] = np.full(empty, np.nan, np.float32)
            known[alive, frame] = _rounded(values[alive], BITS[name])

    def _in_the_plane(self, game: Rules, state: State, fake: Tensor) -> dict[str, Tensor]:
        """Samples, and what the critic says about them."""
        views = {"frame_samples": fake[:, :PARTICLES]}
        laws = None if self.real is None else (self.real, fake[:, :WITNESSES])
        if self.judged:
            logits = game.logits_at(state, self.grid, laws)
            views["critic_logits"] = logits.reshape(-1, GRID, GRID)
        if self.pulls:
            pull = game.pull(state, self.arrows, laws)
            views["generator_pull"] = pull.reshape(-1, ARROWS, ARROWS, 2)
        return views

    def film(self, place: int, kept: Kept) -> Kept:
        """The film of one trial of the pack, without views of which no frame was taken."""
        if not len(self.steps):
            return {}
        steps = {"frame_step": self.steps.astype(np.float64)}
        window = {} if self.images else {"film_window": self.windows[place]}
        views = ("frame_images",) if self.images else VIEWS
        taken = (name for name in views if name in kept and self._has_all(kept[name]))
        return {**steps, **window, **{name: kept[name][place] for name in taken}}

    def _has_all(self, frames: NDArray[np.floating]) -> bool:
        """Or else they come from an earlier session, which asked for other frames."""
        return len(frames[0]) == len(self.steps)


def _rounded(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """The same numbers with so many bits behind the first: the rest compresses to nothing."""
    dropped = np.finfo(np.float32).nmant - bits
    raised = np.clip(values, -LARGEST, LARGEST).view(np.uint32) + np.uint32(1 << (dropped - 1))
    return (raised >> dropped << dropped).view(np.float32)


def _points(edges: NDArray[np.float64], points: int) -> NDArray[np.float32]:
    """A grid as a batch, row by row from below: `(points^2, 2)`."""
    x, y = np.meshgrid(*grid(edges, points))
    return np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32)
