"""Members of one family, one for each trial of a pack, applied as if they were one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

import torch

from ganstudy.family import Member, MemberT, canonical_json

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Stacked", "choose", "stack"]


@dataclass(frozen=True)
class Stacked(Generic[MemberT]):
    """Groups of trials whose members differ in float parameters only.

    Each group is a member whose float parameters are tensors `(pack, 1)`, with the mask `(pack,)`
    of its trials. The mask is None where a single group holds the whole pack.
    """

    groups: tuple[tuple[MemberT, Tensor | None], ...]

    def select(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """`function(member, *inputs)` for each trial with its own member.

        Every group computes the whole pack, on zeros where a trial is not its own: whatever
        happens to those numbers, neither they nor their gradients reach another trial.
        """
        result: Tensor | None = None
        for member, mask in self.groups:
            if mask is None:
                return function(member, *inputs)
            own = [torch.where(_as_rank(mask, x), x, 0.0) for x in inputs]
            result = choose(mask, function(member, *own), result)
        assert result is not None
        return result

    def sharing(self, method: str) -> Stacked[MemberT]:
        """For calls of one method: members without parameters that inherit it become one group.

        The classifier divergences have one critic loss between them; computing it once instead of
        once for each of them is a third of a D-step of small networks.
        """
        merged: dict[object, tuple[MemberT, Tensor | None]] = {}
        for member, mask in self.groups:
            plain = not type(member).model_fields
            key = getattr(type(member), method) if plain else member
            first, known = merged.get(key, (member, None))
            both = mask if known is None or mask is None else known | mask
            merged[key] = (first, both)
        if len(merged) == 1:
            return Stacked(tuple((member, None) for member, _ in merged.values()))
        return Stacked(tuple(merged.values()))


def choose(mask: Tensor | None, new: Tensor, old: Tensor | None) -> Tensor:
    """`new` for the trials of the mask and `old` for the others."""
    if mask is None or old is None:
        return new
    return torch.where(_as_rank(mask, new), new, old)


def _as_rank(mask: Tensor, like: Tensor) -> Tensor:
    return mask.reshape(-1, *[1] * (like.ndim - 1))


def stack(
    members: Sequence[MemberT],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    also: Iterable[MemberT] = (),
) -> Stacked[MemberT]:
    """Group the members of a pack's trials; float parameters become tensors of `dtype`.

    Members of `also` that no trial has become groups with empty masks.
    """
    keys = [_key(member) for member in members]
    examples = {_key(member): member for member in [*also, *members]}
    groups: list[tuple[MemberT, Tensor | None]] = []
    # In an order of their own, not that of the trials: the same members make the same graph.
    for key, example in sorted(examples.items(), key=lambda item: (item[0][0].name, item[0][1])):
        own = [k == key for k in keys]
        # Trials of other groups are given the example's parameters: valid, and never looked at.
        values = [m if mine else example for m, mine in zip(members, own, strict=True)]
        tensors = {}
        for name, value in example:
            if isinstance(value, float):
                column = [[getattr(member, name)] for member in values]
                tensors[name] = torch.tensor(column, dtype=dtype, device=device)
        whole = all(own) and len(examples) == 1
        mask = None if whole else torch.tensor(own, device=device)
        groups.append((example.model_copy(update=tensors), mask))
    return Stacked(tuple(groups))


def _key(member: Member) -> tuple[type[Member], str]:
    return type(member), canonical_json(member.structure())
