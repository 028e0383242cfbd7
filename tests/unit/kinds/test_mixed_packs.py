"""Plug-ins that mix the trials of a pack: refused in any pack, in the words of the one at fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import differences, train, trial

from ganstudy import plugins
from ganstudy.plugins import conformance

DIVERGENCE = '''\
from ganstudy.divergences import ClassifierDivergence


class Own(ClassifierDivergence):
    """Descends logits in units of their mean size.

    Source  this test.
    """

    def generator_loss(self, fake):
        return -(fake / fake.abs().mean({of})).mean(-1)

    def exact(self, laws):
        return float("nan")
'''
UPDATES = '''\
from ganstudy.kinds.adversarial.updates import CoupledUpdates


class Own(CoupledUpdates):
    """Steps of one length.

    Source  this test.
    """

    def directions(self, game):
        (m, d), diagnostics = game.gradients()
        size = ((m * m).sum({of}) + (d * d).sum({of})).sqrt()
        return m / size, d / size, diagnostics
'''
OPTIMIZER = '''\
from ganstudy.optimizers import Optimizer


class Own(Optimizer):
    """Steps of one length.

    Source  this test.
    """

    def update(self, gradient, slots, lr, parameters):
        size = (gradient * gradient).sum({of}).sqrt()
        return (-lr * gradient / size).float(), {{}}
'''
ACTIVATION = '''\
from ganstudy.activations import Activation


class Own(Activation):
    """Sums in units of the largest.

    Source  this test.
    """

    def apply(self, sums):
        return sums.relu() / sums.abs().amax({of})
'''
EACH = {"of": "-1, keepdim=True"}
ALL = {"of": ""}
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "divergence": (DIVERGENCE, {"divergence": "own"}),
    "updates": (UPDATES, {"updates": "own"}),
    "optimizer": (OPTIMIZER, {"critic": {"optimizer": "own"}}),
    "activation": (ACTIVATION, {"generator": {"activation": "own"}}),
}


PENALTY = '''\
from ganstudy.constraints.r1 import R1


class Own(R1):
    """R1, counted more than once.

    Source  this test.
    """

    def penalty(self, gradient, real, fake, noise):
        return ({count} * super().penalty(gradient, real, fake, noise)[:, None]).sum(-1)
'''
COUNTED: dict[str, tuple[str, dict[str, Any]]] = {
    "divergence": (DIVERGENCE.replace("-(", "-({count} * "), {"divergence": "own"}),
    "constraint": (PENALTY, {"constraint": "own"}),
    "several constraints": (PENALTY, {"constraint": ["own", "r2"]}),
    "updates": (UPDATES.replace("m / size", "({count} * m / size).float()"), {"updates": "own"}),
    "optimizer": (OPTIMIZER.replace("(-lr", "(-lr * {count}"), {"generator": {"optimizer": "own"}}),
}
"""With a number of their own that counts what each trial is given."""


def _counted(part: str, count: str, field: str) -> str:
    """The text of one whose sums are of each trial, and whose `own` is such a number."""
    text = COUNTED[part][0].replace("    def ", f"    own: float = {field}\n\n    def ", 1)
    text = text.replace("from ganstudy", "from pydantic import Field\n\nfrom ganstudy", 1)
    return text.format(**EACH, count=count)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a plug-in is written, which is forgotten after the test."""
    yield tmp_path / "own.py"
    plugins.forget()


@pytest.mark.parametrize("part", PARTS)
def test_what_mixes_trials_is_refused_in_any_pack(path: Path, part: str) -> None:
    """Each trial was trained with numbers of the others; alone it had still other ones."""
    text, settings = PARTS[part]
    path.write_text(text.format(**ALL), encoding="utf-8")
    plugins.load(path)
    pack = [trial(seed, steps=4, **settings) for seed in range(3)]
    for trials in (pack, pack[:1]):
        with pytest.raises(
            ValueError, match=r"^own mixes the trials of a pack \(first axis\): \w+ "
        ):
            train(trials)


@pytest.mark.parametrize("part", PARTS)
def test_what_keeps_to_each_trial_is_trained(path: Path, part: str) -> None:
    """The same by the last axis, with which a trial has its bits in any pack."""
    text, settings = PARTS[part]
    path.write_text(text.format(**EACH), encoding="utf-8")
    plugins.load(path)
    pack = [trial(seed, steps=4, batch=32, **settings) for seed in range(2)]
    first, _ = train(pack)
    assert differences(train(pack[:1])[0], first) == []


@pytest.mark.parametrize("field", ["1.0", "Field(1.0, ge=1, le=2)"])
@pytest.mark.parametrize("part", COUNTED)
def test_what_mixes_numbers_of_its_own_is_refused(path: Path, part: str, field: str) -> None:
    """Beside its double a trial had the mean that it has alone, whatever other packs would hold."""
    path.write_text(_counted(part, "self.own.mean()", field), encoding="utf-8")
    plugins.load(path)
    with pytest.raises(ValueError, match=r"^own mixes the trials of a pack \(first axis\): \w+ "):
        train([trial(0, steps=4, **COUNTED[part][1])])


@pytest.mark.parametrize("field", ["1.0", "1", "Field(1.0, ge=1, le=1)"])
@pytest.mark.parametrize("part", COUNTED)
def test_numbers_of_its_own_are_each_trials(path: Path, part: str, field: str) -> None:
    """A class may admit no others, too; a default of 1 shares no pack with 0.1."""
    path.write_text(_counted(part, "self.own", field), encoding="utf-8")
    plugins.load(path)
    (record,) = train([trial(0, steps=4, **COUNTED[part][1])])
    assert record.status == "complete"


@pytest.mark.slow
@pytest.mark.usefixtures("suites_imported")
def test_check_sees_it_of_numbers_of_its_own(path: Path) -> None:
    path.write_text(_counted("optimizer", "self.own.mean()", "1.0"), encoding="utf-8")
    broken = [one.promise for one in conformance.check(path).broken]
    assert any(promise.startswith("trials of a pack are strangers") for promise in broken)


@pytest.mark.slow
@pytest.mark.usefixtures("suites_imported")
@pytest.mark.parametrize("part", ["updates", "optimizer"])
def test_check_sees_it_too(path: Path, part: str) -> None:
    """Of these families no suite had two trials of a plug-in that differ."""
    path.write_text(PARTS[part][0].format(**ALL), encoding="utf-8")
    broken = [one.promise for one in conformance.check(path).broken]
    assert any(promise.startswith("trials of a pack are strangers") for promise in broken)
    assert any(promise.startswith("directions") for promise in broken) == (part == "updates")
