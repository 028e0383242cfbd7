"""Members of one family, one for each trial of a pack, applied as if they were one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self

import torch

from ganstudy.family import Member, MemberT, canonical_json

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Stacked", "StackedMember", "choose", "stack"]


class StackedMember(Generic[MemberT]):
    """The members of a group of trials, computing as one: what they say is their class's.

    It has the methods and the plain parameters of the members, and in place of each float
    parameter the trials' own, a tensor `(pack, 1)`. It is no settings: those are plain for ever.
    """

    has_parameters: ClassVar[bool] = False
    plugin: ClassVar[str] = Member.plugin

    def __init__(self, member: MemberT, columns: Mapping[str, Tensor]) -> None:
        self.__dict__.update(member)
        self.__dict__.update(columns)

    @classmethod
    def of(cls, member: MemberT, columns: Mapping[str, Tensor]) -> StackedMember[MemberT]:
        """Members like this one, with their own floats."""
        return _form(type(member))(member, columns)

    def mapped(self, function: Callable[[Any], Any]) -> Self:
        """The same with the function of each parameter."""
        other = object.__new__(type(self))
        other.__dict__.update({name: function(value) for name, value in self.__dict__.items()})
        return other

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


@functools.cache
def _form(base: type[Member]) -> type[StackedMember[Any]]:
    """The stacked type of a class of members: its own methods, over those of its bases."""
    if base is Member:
        return StackedMember
    own: dict[str, Any] = {"has_parameters": bool(base.model_fields)}
    form = CellType()
    for name, value in vars(base).items():
        if not name.startswith(("__", "model_", "_abc_")):
            own[name] = _within(form, value) if isinstance(value, FunctionType) else value
    bases = tuple(_form(parent) for parent in base.__bases__ if issubclass(parent, Member))
    form.cell_contents = type(f"Stacked{base.__name__}", bases, own)
    made: type[StackedMember[Any]] = form.cell_contents
    return made


def _within(form: CellType, method: FunctionType) -> FunctionType:
    """The method as of another class, if it asks for its class: `super()` does."""
    names = method.__code__.co_freevars
    if "__class__" not in names:
        return method
    cells = zip(names, method.__closure__ or (), strict=True)
    closure = tuple(form if name == "__class__" else cell for name, cell in cells)
    return FunctionType(
        method.__code__, method.__globals__, method.__name__, method.__defaults__, closure
    )


@dataclass(frozen=True)
class Stacked(Generic[MemberT]):
    """Groups of trials whose members differ in float parameters only.

    Each group is a stacked member with the mask `(pack,)` of its trials. The mask is None where a
    single group holds the whole pack.
    """

    groups: tuple[tuple[StackedMember[MemberT], Tensor | None], ...]

    @property
    def example(self) -> StackedMember[MemberT]:
        """One of the members, for what all that may share a pack have in common."""
        return self.groups[0][0]

    def select(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """`function(member, *inputs)` for each trial with its own member.

        Every group computes the whole pack, on zeros where a trial is not its own: whatever
        happens to those numbers, neither they nor their gradients reach another trial. Inputs are
        laid out alike in any pack, since a loop over memory with gaps ends in each row, and rounds
        what is left of it in its own way.
        """
        result: Tensor | None = None
        for member, mask in self.groups:
            if mask is None:
                return function(member, *(x.contiguous() for x in inputs))
            own = [torch.where(_as_rank(mask, x), x, 0.0) for x in inputs]
            result = choose(mask, function(member, *own), result)
        assert result is not None
        return result

    def sharing(self, method: str) -> Stacked[MemberT]:
        """For calls of one method: members without parameters that inherit it become one group.

        What it calls they have in common, too; of a plug-in's members nobody knows that, and each
        stays a group of its own. The classifier divergences have one critic loss between them;
        computing it once instead of once for each of them is a third of a D-step of small networks.
        """
        merged: dict[object, tuple[StackedMember[MemberT], Tensor | None]] = {}
        for member, mask in self.groups:
            alone = member.has_parameters or member.plugin
            key = member if alone else getattr(type(member), method)
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
    groups: list[tuple[StackedMember[MemberT], Tensor | None]] = []
    # In an order of their own, not that of the trials: the same members make the same graph.
    for key, example in sorted(examples.items(), key=lambda item: (item[0][0].name, item[0][1])):
        own = [k == key for k in keys]
        # Trials of other groups are given the example's parameters: valid, and never looked at.
        values = [m if mine else example for m, mine in zip(members, own, strict=True)]
        columns = {}
        for name, value in example:
            if isinstance(value, float):
                column = [[getattr(member, name)] for member in values]
                columns[name] = torch.tensor(column, dtype=dtype, device=device)
        whole = all(own) and len(examples) == 1
        mask = None if whole else torch.tensor(own, device=device)
        groups.append((StackedMember.of(example, columns), mask))
    return Stacked(tuple(groups))


def _key(member: Member) -> tuple[type[Member], str]:
    return type(member), canonical_json(member.structure())
