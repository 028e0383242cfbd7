"""The trained generator of one trial as the content of a safetensors file.

Tensors are `parameters.*` by the network's own names, `average.*` for the averaged ones, and
`moments.*` for running moments of batch norm, each where there are any. The header tells the trial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load, save

from ganstudy.family import canonical_json
from ganstudy.kinds.adversarial.state import AVERAGE, MOMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from numpy.typing import NDArray

    from ganstudy.kinds.adversarial.player import Player
    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.state import PlayerState
    from ganstudy.trial import Trial

    Tensors = dict[str, NDArray[Any]]

__all__ = ["content", "state_of"]

_PARAMETERS = "parameters."
_AVERAGE = f"{AVERAGE}."


def content(
    trial: Trial[AdversarialSettings], player: Player, state: PlayerState, place: int
) -> bytes:
    """The generator of the trial at a place of a pack; equal generators have equal bytes."""
    kept = {_PARAMETERS: state.parameters}
    if AVERAGE in state.slots:
        kept[_AVERAGE] = state.slots[AVERAGE]
    tensors = {
        prefix + name: _on_host(value[0])
        for prefix, parameters in kept.items()
        for name, value in player.split(parameters[place : place + 1]).items()
    }
    for name, value in state.slots.items():
        if name.startswith(MOMENTS):
            tensors[name] = _on_host(value[place])
    about = {"trial": trial.id, "seed": trial.seed, "settings": trial.settings}
    # One key: of several, the library writes the order in which it has hashed them.
    return bytes(save(tensors, {"ganstudy": canonical_json(about)}))


def state_of(content: bytes, player: Player, state: PlayerState) -> PlayerState:
    """A state like the given one, of a stack of any size, with this generator at every place.

    Errors  `ValueError` for tensors that are not those of the player.
    """
    tensors = load(content)
    slots = dict(state.slots)
    for name in slots:
        if name == AVERAGE:
            slots[name] = _stacked(tensors, _AVERAGE, player, slots[name])
        elif name.startswith(MOMENTS):
            slots[name] = _like(tensors[name], slots[name])
    parameters = _stacked(tensors, _PARAMETERS, player, state.parameters)
    return state._replace(parameters=parameters, slots=slots)


def _stacked(
    tensors: Mapping[str, NDArray[Any]], prefix: str, player: Player, like: torch.Tensor
) -> torch.Tensor:
    rows = [tensors[prefix + name].ravel() for name in player.shapes]
    return _like(np.concatenate(rows), like)


def _like(values: NDArray[Any], like: torch.Tensor) -> torch.Tensor:
    import torch

    if values.shape != like.shape[1:]:
        raise ValueError(f"{values.shape} in the file, where {tuple(like.shape[1:])} is needed")
    return torch.from_numpy(values).to(like.device, like.dtype).expand_as(like).contiguous()


def _on_host(value: torch.Tensor) -> NDArray[Any]:
    array: NDArray[Any] = np.ascontiguousarray(value.detach().cpu().numpy())
    return array
