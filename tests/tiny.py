"""Trials and studies small enough to train within a test, and variants of family members."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import numpy as np

from ganstudy import record_differences
from ganstudy.bounds import at_ends, floats
from ganstudy.divergences.minimax import Minimax
from ganstudy.engine import checkpoints
from ganstudy.engine.flight import Flight
from ganstudy.engine.session import Session
from ganstudy.family import Member
from ganstudy.kinds import Pack
from ganstudy.kinds.adversarial import Adversarial, training
from ganstudy.plugins import conformance
from ganstudy.trial import Record, Status, Trial
from ganstudy.variable import STEP

MemberT = TypeVar("MemberT", bound=Member)

DEVICE = os.environ.get("GANSTUDY_TEST_DEVICE", "cpu")
"""Where the suites of steps train: here, or on the GPU that `make gpu-check` names."""

TABLE = Path(__file__).parent / "data" / "table.csv"
PICTURES = TABLE.with_name("pictures.npz")
LABELLED_PICTURES = {"name": "images", "path": str(PICTURES), "label": "y", "grey": True}
"""Grey, as channels of stacks are, so that both have the same trained classifier."""
MODULE = TABLE.with_name("halved.pt")
REQUIRED: dict[str, dict[str, Any]] = {
    "file": {"path": str(TABLE), "label": "group"},
    "images": {"path": str(PICTURES)},
    "stacked_images": {"path": str(PICTURES)},
    "module": {"path": str(MODULE)},
}
"""Settings without which a member means nothing; every other one has defaults."""

STUDY = """\
question: Which divergence keeps all modes?
trial:
  target: {name: ring, modes: 4}
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 6
  batch: 16
  record: {every: 2, samples: 32}
search:
  grid:
    divergence: [minimax, wasserstein]
    critic.steps: [1, 2]
seeds: 2
"""


def write_study(folder: Path, text: str = STUDY, name: str = "tiny.yaml") -> Path:
    """A study file in a folder."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def trial(seed: int = 0, **settings: Any) -> Trial[Adversarial]:
    """A trial of `Adversarial` with small defaults; nested groups are merged by key."""
    base: dict[str, Any] = {
        "generator": {"width": 8, "depth": 1},
        "critic": {"width": 8, "depth": 1},
        "steps": 12,
        "batch": 16,
        # Generators are kept, so that whatever compares records compares these bit for bit, too.
        "record": {"every": 4, "samples": 40, "generator": True},
    }
    for key, value in settings.items():
        grouped = isinstance(value, Mapping) and isinstance(base.get(key), dict)
        base[key] = {**base[key], **value} if grouped else value
    return Trial(Adversarial.model_validate(base), seed)


def example(cls: type[MemberT]) -> MemberT:
    """The member with its defaults, and with what it requires."""
    return cls.model_validate(REQUIRED.get(cls.name, {}))


def train(trials: Sequence[Trial[Adversarial]], **session: Any) -> list[Record]:
    """Train one pack on `DEVICE`; what a session may be given besides."""
    return training.train(trials, Session(DEVICE, **session))


def made_up(trial: Trial[Any], status: Status = "complete") -> Record:
    """What a trial might have recorded: numbers from 0 to 1, drawn from its id."""
    rng = np.random.default_rng(int(trial.id, 16))
    if status == "failed":
        return Record.of_failure(trial, "eager", "made up")
    every, last = trial.configuration.record.every, trial.configuration.steps
    steps = np.arange(every, last + 1, every)
    curves = [own for own in trial.configuration.variables() if own.dims == ("step",)]
    values = {own.name: rng.random(len(steps)).astype(np.float32) for own in curves}
    if status == "diverged":
        values = {name: np.full_like(own, np.nan) for name, own in values.items()}
    return Record(
        id=trial.id,
        seed=trial.seed,
        settings=trial.settings,
        status=status,
        program="eager",
        diverged_at=2.0 if status == "diverged" else math.nan,
        seconds=0.5,
        values={"step": steps, **values},
        variables={own.name: own for own in (STEP, *curves)},
    )


class Listed:
    """A source of packs that are known beforehand."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self.packs = list(packs)

    def ask(self, free_slots: int) -> list[Pack]:
        """All packs at once."""
        packs, self.packs = self.packs, []
        return packs


def at_its_bounds(member: MemberT) -> list[MemberT]:
    """The member of a plug-in with each float in turn near both ends of what its field admits.

    Members of the package have cases of their own in the suites, and none here.
    """
    if not member.plugin:
        return []
    found = [own for name in floats(member) for own in at_ends(member, name)]
    for own in found:
        conformance.note(own)
    return found


def variants(cls: type[MemberT], count: int, seed: int = 0) -> list[MemberT]:
    """Members whose float parameters are random fractions, in (0.5, 1), of their defaults; of a
    plug-in, whose bounds may leave these out, those `at_its_bounds`, and its defaults if too few.
    """
    rng = np.random.default_rng(seed)
    default = example(cls)
    if cls.plugin:
        own = at_its_bounds(default)
        return [*own, *[default] * (count - len(own))]
    return [
        cls.model_validate(
            {
                **REQUIRED.get(cls.name, {}),
                **{n: value * rng.uniform(0.5, 1.0) for n, value in floats(default).items()},
            }
        )
        for _ in range(count)
    ]


class Unstated(Minimax):
    """The log loss, of whose critics nothing is said."""

    def uninformed_loss(self) -> None:  # type: ignore[override]  # as one that states no bound
        """None."""


def differences(a: Record, b: Record) -> list[str]:
    """Names of the stored numbers in which two records differ; time is no result."""
    return sorted(record_differences.differences(a, b))


@contextmanager
def stopping_at(wanted: int) -> Iterator[None]:
    """Every pack is asked to stop after that many rounds."""
    offer = Flight.offer

    def offer_and_stop(self: Flight, step: int, *kept: Any) -> None:
        if step == wanted:
            checkpoints.request_stop()
        offer(self, step, *kept)

    try:
        with mock.patch.object(Flight, "offer", offer_and_stop):
            yield
    finally:
        checkpoints.STOP.clear()
