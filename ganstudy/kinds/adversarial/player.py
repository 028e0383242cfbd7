"""A player: a stacked function, its gradient, and the rule by which it moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganstudy.engine.gradients import gradients
from ganstudy.engine.stacked import Stacked, choose
from ganstudy.kinds.adversarial.state import AVERAGE, MOMENTS, PlayerState
from ganstudy.networks import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from ganstudy.networks import Architecture, Ends, Function
    from ganstudy.optimizers import Optimizer

    Parameters = Mapping[str, Tensor]
    Diagnostics = dict[str, Tensor]

__all__ = ["Player"]


@dataclass(frozen=True)
class Player:
    """A function with the rule by which each trial updates it; lr is `(pack, 1)` in float64.

    copies  trials at the end of the pack that are copies of the one before them, for nobody's sake;
            none where its function computes a pack as one, so that packs of one size are alike
    """

    function: Function
    architecture: Architecture
    ends: Ends
    shapes: dict[str, tuple[int, ...]]
    optimizers: Stacked[Optimizer]
    lr: Tensor
    copies: int = 0

    def __post_init__(self) -> None:
        """Copies count where they would cost their time."""
        if self.stacks:
            object.__setattr__(self, "copies", 0)

    def split(self, parameters: Tensor) -> dict[str, Tensor]:
        """Named views `(pack, *shape)` of the stacked parameters `(pack, size)`."""
        pack, start, views = parameters.shape[0], 0, {}
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            views[name] = parameters[:, start : start + size].reshape(pack, *shape)
            start += size
        return views

    @property
    def stacks(self) -> bool:
        """Whether its function computes a pack as one."""
        return not isinstance(self.function, Network) or self.function.stacks

    def forward(self, parameters: Parameters, x: Tensor) -> Tensor:
        """`(pack, batch, inputs) -> (pack, batch, outputs)`."""
        return self._computed(self.function.apply, parameters, x)

    def measured(self, state: PlayerState, x: Tensor, averaged: bool) -> Tensor:
        """`forward` as it is measured: by running moments where the state has any, and, if asked
        for, with its averaged parameters.
        """
        parameters = self.split(state.slots[AVERAGE] if averaged else state.parameters)
        if not (moments := state.moments):
            return self.forward(parameters, x)
        return self._computed(self.function.apply_by, parameters, x, moments)

    def follow(self, state: PlayerState, x: Tensor, weight: Tensor, acting: Tensor) -> PlayerState:
        """The state with running moments that have seen one more batch, of trials that act; weight
        `(pack, 1)`.
        """
        with torch.no_grad():
            parameters = self.split(state.parameters)
            own = self.function.moments(self.architecture, self.ends, parameters, self._scaled(x))
        new = weight[:, :, None].to(state.parameters.dtype)
        moments = {}
        for name, value in own.items():
            old = state.slots[MOMENTS + name]
            moments[MOMENTS + name] = choose(acting, (1 - new) * old + new * value, old)
        return state._replace(slots={**state.slots, **moments})

    def _computed(
        self,
        function: Callable[..., Tensor],
        parameters: Parameters,
        x: Tensor,
        *moments: Mapping[str, Tensor],
    ) -> Tensor:
        """What the function makes of rows; of copies, where they cost their time, what it has made
        already, without a gradient.
        """
        x = self._scaled(x)
        if not self.copies:
            return function(self.architecture, self.ends, parameters, x, *moments)
        count = len(x) - self.copies
        own, *by = (
            {name: value[:count] for name, value in each.items()} for each in (parameters, *moments)
        )
        made = function(self.architecture, self.ends, own, x[:count], *by)
        return torch.cat([made, made[-1:].detach().expand(self.copies, *made.shape[1:])])

    def _scaled(self, x: Tensor) -> Tensor:
        scale = self.architecture.scale
        return x if scale == 1 else scale * x

    def gradient(
        self,
        loss: Callable[[Parameters], tuple[Tensor, Diagnostics]],
        state: PlayerState,
        *,
        within: bool = False,
    ) -> tuple[Tensor, Diagnostics]:
        """Gradient `(pack, size)` of a summed loss, and what else the loss returns.

        The sum over trials has each trial's own gradient, since no trial's loss depends on
        another's parameters.

        within  whether that of another loss flows through it
        """
        own = self.split(state.parameters)
        found, aside = gradients(loss, own, within=within)
        pack = state.parameters.shape[0]
        return torch.cat([g.reshape(pack, -1) for g in found], dim=1), aside

    def update(
        self, state: PlayerState, gradient: Tensor, acting: Tensor, start: Tensor | None
    ) -> tuple[PlayerState, Tensor]:
        """The state after one optimizer update, and which trials have moved.

        A trial that does not act, or whose new parameters are not all finite, keeps its own. The
        update sets off from `start`, if given, instead of the parameters of the gradient.
        """
        change: Tensor | None = None
        slots = dict(state.slots)
        for optimizer, mask in self.optimizers.groups:
            own, new = optimizer.update(gradient, state.slots, self.lr, state.parameters)
            change = choose(mask, own, change)
            slots |= {name: choose(mask, value, slots[name]) for name, value in new.items()}
        assert change is not None
        old = state.parameters if start is None else start
        updated = old + change
        moved = acting & torch.isfinite(updated).all(dim=-1)
        return PlayerState(torch.where(moved[:, None], updated, old), slots), moved
