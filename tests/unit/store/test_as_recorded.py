"""Runs whose settings a check has come to refuse since they were recorded."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inline import trained_inline
from tiny import STUDY, write_study
from unrendered import unrendered

from ganstudy import pipeline, settings
from ganstudy.cli import main
from ganstudy.divergences import f_alpha
from ganstudy.divergences.alpha_gan import AlphaGAN
from ganstudy.kinds.adversarial.players import Critic
from ganstudy.kinds.adversarial.training_set import TrainingSet
from ganstudy.kinds.fit import Fit
from ganstudy.settings import as_recorded
from ganstudy.store import RunDirectory
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.targets.gaussian import Gaussian
from ganstudy.targets.mixture import Mixture

CHANGES = {
    "too near 1 for single precision": ("{name: f_alpha, alpha: 0.95}", ""),
    "greater than or equal to 0.03": ("{name: alpha_gan, critic_alpha: 0.01}", ""),
    "in size, as in single precision": ("minimax", "optimizer: {name: adam, eps: 1.0e-300}, "),
}
"""What a check of the class, the bound of a field and single precision refuse, by what is said: the
divergence that is trained beside another one, and settings of the critic."""


def told(*arguments: object) -> str:
    """What a verb says, which does what it is asked."""
    result = CliRunner().invoke(main, [str(own) for own in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def _recorded(folder: Path, *changes: str) -> RunDirectory:
    """A run that was recorded when less was refused."""
    divergences, critics = zip(*(CHANGES[own] for own in changes), strict=True)
    text = STUDY.replace("[minimax, wasserstein]", f"[wasserstein, {', '.join(divergences)}]")
    text = text.replace("critic: {", f"critic: {{{''.join(critics)}").replace("[1, 2]", "[1]")
    study, directory = write_study(folder, text), RunDirectory(folder / "run")
    with trained_inline(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(f_alpha, "HIGHEST_BELOW_1", 0.98)
        patch.setattr(settings, "TINIEST", 0.0)
        patch.setattr(pipeline, "report", lambda *_: None)
        with as_recorded():  # for the bound, which its class has taken in
            asked = load(study)
        pipeline.run(asked, directory.path, workers=1)
    with pytest.raises(StudyError):
        load(study)
    return directory


@pytest.mark.slow
def test_it_can_be_read_by_every_verb(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` and others said what is wrong with the study, and nothing of its trials."""
    run = _recorded(tmp_path, *CHANGES)
    recorded = run.recorded()
    with trained_inline(), unrendered(), caplog.at_level(logging.WARNING):
        told("status", run.path)
        for change in CHANGES:
            assert re.search(f"{change}.*; read as it was recorded", caplog.text)
        assert caplog.text.count("read as it was recorded") == len(CHANGES)
        told("report", run.path)
        told("export", run.path, "csv")
        assert "the same bits" in told("verify", run.path, "--workers", 1, "--trials", 8)
        monkeypatch.setattr(pipeline, "report", lambda *_: None)
        told("retry", run.path, "--workers", 1)
        told("run", run.study, "--workers", 1)
    assert run.recorded() == recorded


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_new_is_trained_with_it(change: str, tmp_path: Path) -> None:
    """Neither further trials of the same run, nor those of a study that has been changed."""
    run = _recorded(tmp_path, change)
    for changed in ("", "# by hand\n"):
        run.study.write_text(f"{run.study.read_text()}{changed}")
        overrides = [] if changed else ["seeds=3"]
        result = CliRunner().invoke(main, ["run", str(run.study), *overrides])
        assert result.exit_code == 2, result.output
        assert change in result.output


SEARCH = """\
search:
  bayes:
    space: {divergence: [minimax, hinge], critic.lr: {low: 1e-4, high: 1e-2%s}}
    trials: 2
    startup: 1
    objective: {maximize: %s}
"""
PRUNER = "    sampler: gp\n    pruner: {name: successive_halving, first: 40}\n"
NESTEROV = "{optimizer: {name: momentum, nesterov: true}}"
REFUSED_SINCE = {
    "a sampler that learns nothing from what is pruned": SEARCH % ("", "modes_covered") + PRUNER,
    "a condition on no value": SEARCH % (", when: {divergence: []}", "modes_covered"),
    "a metric twice": SEARCH % ("", "[modes_covered, modes_covered]"),
    "Nesterov's momentum": f"trial: {{updates: lead, generator: &n {NESTEROV}, critic: *n}}\n",
    "one law twice": "trial: {kind: ratio, laws: normal, shift: 0, scale: 1}\n",
    "fewer samples than a metric needs": "trial: {kind: audit, samples: 20, spread: 100}\n",
}


@pytest.mark.parametrize("trial", REFUSED_SINCE.values(), ids=REFUSED_SINCE)
def test_what_was_recorded_before_it_was_refused_is_read(trial: str, tmp_path: Path) -> None:
    """No verb could read such a run, whose trials are there."""
    study = write_study(tmp_path, f"question: What?\n{trial}")
    with pytest.raises(StudyError):
        load(study)
    with as_recorded() as passed:
        load(study, kept=True)
    assert passed


def test_what_is_set_of_the_engine_is_nothing_new(tmp_path: Path) -> None:
    """`retry RUN engine.memory_limit=8`, as is told of failures, was refused."""
    run = _recorded(tmp_path, next(iter(CHANGES)))
    assert run.read_study(["engine.memory_limit=8"], to_train=True).file.engine.memory_limit == 8


def test_a_number_has_the_type_of_its_field() -> None:
    """Ids are made of it: 0 is 0.0 there. What is no number is refused all the same."""
    with as_recorded() as passed:
        own = AlphaGAN.model_validate({"critic_alpha": 0})
        assert repr(own.critic_alpha) == "0.0"
        assert [*passed] == [
            "alpha_gan: critic_alpha: Input should be greater than or equal to 0.03"
        ]
        for wrong in ({"critic_alpha": "low"}, {"critic_alpha": True}, {"criticalpha": 1.0}):
            with pytest.raises(ValueError, match="critic"):
                AlphaGAN.model_validate(wrong)
        assert Mixture.model_validate({"means": [[1e-300], [1.0]]}).means[0] == (1e-300,)
    with pytest.raises(ValueError, match="critic_alpha"):
        AlphaGAN.model_validate({"critic_alpha": 0})


def test_a_number_may_stand_in_any_form_of_its_field() -> None:
    """Nothing but a bare number with a default was read; what may be none was no key at all."""
    recorded: list[tuple[type[settings.Settings], dict[str, Any], str, Any]] = [
        (Gaussian, {"std": 0}, "std", 0.0),
        (Critic, {"steps": 0}, "steps", 0),
        (TrainingSet, {"size": 2_000_000}, "size", 2_000_000),
        (Fit, {"divergence": "mmd", "cells": 5000}, "cells", 5000),
    ]
    for own, values, name, number in recorded:
        with pytest.raises(ValueError, match=name):
            own.model_validate(values)
        with as_recorded() as passed:
            assert repr(getattr(own.model_validate(values), name)) == repr(number)
        (told,) = passed
        assert f" {name}: " in told
