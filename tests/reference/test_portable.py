"""The portable program: the same bits on every processor, of which this one can emulate others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from portable_trials import TRIALS, digest
from processors import EMULATOR, NOT_PORTABLE, OTHER_MAKERS, needs_emulator, needs_portable
from tiny import Listed, trial

from ganstudy.engine.arithmetic import NotPortable
from ganstudy.engine.session import Session
from ganstudy.kinds.adversarial.training import train
from ganstudy.schedule.executor import environment
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import train_packs

HERE = Path(__file__).parent
GOLDEN: dict[str, str] = json.loads((HERE.parent / "golden" / "portable.json").read_text())

EMULATED = (
    *("divergence mmd", "batch norm", "tanh", "estimator", "equilibrium"),
    *("target embedded_mixture of few features", "network dcgan", "features"),
)
"""An emulated processor takes some twenty times as long: of each operation of the program one trial
that has it, with a penalty in that of convolutions.
"""
FEW = ("divergence non_saturating", "divergence mmd", "batch norm", "target embedded_mixture")
CONVOLVED = ("network dcgan", "network resnet", "features")


def _digests(
    *names: str, through: tuple[str, ...] = (), variables: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    command = [*through, sys.executable, "-W", "ignore", str(HERE / "portable_trials.py"), *names]
    own = {**os.environ, **variables, **environment("portable")}
    ended = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, str] = json.loads(ended.stdout)
    return found


@pytest.mark.slow
@needs_portable
def test_golden_digests() -> None:
    """All that trials store, as it was on an AMD EPYC of the fourth generation; where an embedded
    mixture has few features, of the third.
    """
    assert _digests(*GOLDEN) == GOLDEN


@pytest.mark.slow
@needs_portable
def test_convolutions_are_not_those_of_the_processor() -> None:
    """oneDNN, which takes them elsewhere, chooses its loops by the processor; told to do so by an
    older one it had other bits in each of these. Other digests are of no concern to it.
    """
    names = (*FEW, *CONVOLVED)
    older = _digests(*names, variables={"ONEDNN_MAX_CPU_ISA": "SSE41"})
    assert older == {name: GOLDEN[name] for name in names}


def test_every_trial_has_a_golden_digest() -> None:
    """Another one is printed by `portable_trials.py`, and is the same wherever it is computed."""
    owing = "add to tests/golden/portable.json what tests/reference/portable_trials.py prints"
    assert TRIALS.keys() == GOLDEN.keys(), owing


@pytest.mark.slow
@needs_emulator
def test_golden_digests_on_a_processor_of_another_maker() -> None:
    """MKL asks for the maker, and an emulator computes 1/x and 1/√x exactly where processors
    approximate, each in its own way: digests equal to those that this one has show that no such
    instruction is used, whatever the name.
    """
    assert EMULATOR is not None
    found = _digests(*EMULATED, through=(EMULATOR, "-cpu", OTHER_MAKERS))
    assert found == {name: GOLDEN[name] for name in EMULATED}


@pytest.mark.slow
@needs_portable
def test_a_worker_is_portable_alone_and_in_packs() -> None:
    """Its process is started with all that it takes, whatever this one has. It trains the trial of
    a digest beside two others, and another one alone; convolutions, too.
    """
    names = ("penalty", "network dcgan")
    trials = {name: [trial(seed, **TRIALS[name]) for seed in (0, 1, 2)] for name in names}
    parts = [part for own in trials.values() for part in (tuple(own), (own[1],))]
    with LocalExecutor(1, program="portable") as executor:
        found = [r for own in train_packs(Listed(parts), executor, "portable") for r in own]
    assert {record.arithmetic.partition(",")[0] for record in found} == {"portable"}
    for name, (golden, other, _) in trials.items():
        assert {digest(r) for r in found if r.id == golden.id} == {GOLDEN[name]}
        beside, alone = (r for r in found if r.id == other.id)
        assert digest(beside) == digest(alone)


def test_refused_where_it_would_not_be_portable() -> None:
    """A process that was not started for it says with what it is started, where it can be."""
    why = "which this processor lacks" if NOT_PORTABLE else "MKL_CBWR='COMPATIBLE'"
    with pytest.raises(NotPortable, match=why):
        train([trial()], Session(program="portable"))
    with pytest.raises(NotPortable, match="not for cuda:0"):
        train([trial()], Session("cuda:0", "portable"))
