"""Plug-ins that mix the trials of a pack: with them a trial would depend on its neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError

from ganstudy.bounds import SettingsT, at_ends, changed, floats
from ganstudy.constraints import Constraint, Together
from ganstudy.family import MemberT

if TYPE_CHECKING:
    from ganstudy.engine.stacked import Stacked
    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.state import Diagnostics
    from ganstudy.trial import Trial

    Pack = Sequence[Trial[AdversarialSettings]]

__all__ = ["check_projections", "check_rounds"]

_OF_STEPS = ("divergence", "constraint", "updates", "generator", "critic")
"""Keys of a trial whose members compute with a whole pack."""


def check_rounds(trials: Pack, begun: Callable[[Pack], Diagnostics]) -> None:
    """The first rounds of a trial with a plug-in have to be the same beside another one.

    That is one with another seed, and with other floats of the plug-ins, whatever the pack is: none
    trains where another would not. The same to 1e-3: mixing is meant, and no last bits.

    begun   the diagnostics of a pack after its first rounds, `(pack,)` each

    Errors  `ValueError` for a plug-in that mixes the trials of a pack, as by a norm of all of them.
    """
    for names, own in {_plugins(own): own for own in reversed(trials)}.items():
        if not names:
            continue
        alone, beside = begun([own]), begun([own, _neighbour(own)])
        for name, value in alone.items():
            found, expected = beside[name][0].double(), value[0].double()
            if not torch.allclose(found, expected, rtol=1e-3, atol=1e-6, equal_nan=True):
                told = f"{name} of a trial is {float(expected):g} alone and {float(found):g} beside"
                mixes = "mixes" if len(names) == 1 else "mix"
                message = f"{' and '.join(names)} {mixes} the trials of a pack (first axis)"
                raise ValueError(f"{message}: {told} another")


def _neighbour(trial: Trial[AdversarialSettings]) -> Trial[AdversarialSettings]:
    """One with other floats of the plug-ins of which trials of a pack may have their own.

    Those of a network, an activation or an estimator are the same in a pack.
    """
    own = trial.configuration
    others: dict[str, Any] = {
        "divergence": _elsewhere(own.divergence),
        "constraint": Together.of(map(_elsewhere, own.constraint.parts)),
        "updates": _elsewhere(own.updates),
        "generator": _with(own.generator, optimizer=_elsewhere(own.generator.optimizer)),
        "critic": _with(own.critic, optimizer=_elsewhere(own.critic.optimizer)),
    }
    for name, value in others.items():
        own = _with(own, **{name: value})
    return replace(trial, configuration=own, seed=trial.seed ^ 1)


def _elsewhere(member: MemberT) -> MemberT:
    """A plug-in's member with each float near an end of what it admits, if that may share its pack.

    It may not where a default is written as a whole number: that is no column.
    """
    other = member
    for name in floats(member) if member.plugin else ():
        other = next(at_ends(other, name), other)
    return other if other.structure() == member.structure() else member


def _with(settings: SettingsT, **others: Any) -> SettingsT:
    """Settings with others of their values; the same ones where these do not go together."""
    try:
        return changed(settings, **others)
    except ValidationError:
        return settings


def _plugins(trial: Trial[AdversarialSettings]) -> tuple[str, ...]:
    """Names of the plug-ins that take part in a trial's steps."""
    settings = json.loads(trial.settings)
    return tuple(sorted({name for key in _OF_STEPS for name in _named(settings.get(key))}))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "plugin" in value:
            yield str(value["name"])
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from _named(part)


def check_projections(of: Stacked[Constraint], parameters: torch.Tensor) -> None:
    """What a plug-in makes of a trial's parameters has to be the same without the others.

    A round may hold none that it would move.

    Errors  `ValueError` for one that mixes the trials of a stack, as by a mean over its first axis.
    """
    for member, _ in of.groups:
        if not member.plugin:
            continue
        # On numbers that differ in size, so that neighbours would show.
        sizes = torch.arange(1.0, len(parameters) + 1, device=parameters.device)
        stacked = parameters * sizes[:, None]
        together = member.project(stacked)
        for place in (slice(0, 1), slice(len(parameters) - 1, None)):
            alone = member.mapped(partial(_cut, place)).project(stacked[place])
            if not torch.allclose(together[place], alone, rtol=1e-3, atol=1e-6):
                raise ValueError(f"{member.name}: project mixes the trials of a stack (first axis)")


def _cut(place: slice, value: Any) -> Any:
    """The part of a tensor, or whatever else the value is."""
    return value[place] if isinstance(value, torch.Tensor) else value
