"""Audits: laws as stated, criteria by hand, and the published verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inline import trained_inline
from numpy.typing import NDArray
from tiny import write_study
from unrendered import unrendered

from ganstudy import metrics, pipeline, targets
from ganstudy.kinds.audit import Audit, criteria, published
from ganstudy.kinds.audit.check import Size
from ganstudy.kinds.audit.checks import CHECKS
from ganstudy.kinds.audit.published import verdict
from ganstudy.search.grid import Grid
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial

Array = NDArray[np.float64]

SIZE = Size(4000, 4.0)


def _run(seed: int = 0, **settings: Any) -> Record:
    kind = Audit.model_validate({"samples": 200, "repeats": 1, "spread": 2, **settings})
    (record,) = kind.train([Trial(kind, seed)])
    return record


def _drawn(check: str, variant: str, x: float) -> tuple[Array, Array]:
    own = CHECKS[check]
    real, fake = (np.random.default_rng(seed) for seed in (1, 2))
    return own.real(variant, x, SIZE, real), own.fake(variant, x, SIZE, fake)


def test_fifteen_checks_have_clouds_of_one_dimension_and_sweeps_in_order() -> None:
    assert len(CHECKS) == 15
    for name, check in CHECKS.items():
        for variant in check.variants:
            swept = check.sweep(variant, 11, SIZE)
            assert (np.diff(swept) > 0).all(), name
            assert 10 <= len(swept) <= 11
            for x in swept[[0, -1]]:
                real, fake = _drawn(name, variant, x)
                assert real.shape[1] == fake.shape[1]
                assert np.isfinite(real).all()
                assert np.isfinite(fake).all()


def test_laws_are_those_of_the_paper() -> None:
    """Moments, shares and supports, within five standard errors of 4,000 samples."""
    error = 5 / np.sqrt(SIZE.samples)
    real, fake = _drawn("mean_shift", "8", 3.0)
    np.testing.assert_allclose(real.mean(0), 0, atol=error)
    np.testing.assert_allclose(fake.mean(0), 3, atol=error)
    assert len(_drawn("mean_shift_outlier", "1 of p", 0.0)[0]) == SIZE.samples + 1
    assert _drawn("mean_shift_outlier", "64 of q", 0.0)[1][-1] == pytest.approx(np.ones(64))
    _, fake = _drawn("spread", "8", -1.0)
    assert fake.std() == pytest.approx(0.1, rel=error)
    _, fake = _drawn("modes_dropped_in_turn", "1", 7.0)
    near = [(np.abs(fake - 10 / 9 * mode) < 0.5).mean() for mode in range(3)]
    np.testing.assert_allclose(near, 1 / 3, atol=error)
    _, fake = _drawn("modes_dropped_together", "1", 0.5)
    assert (fake < 0.55).mean() == pytest.approx(1 / 5.5, abs=error)
    real, fake = _drawn("modes_dropped_and_invented", "2", 10.0)
    angles = [np.round(np.degrees(np.arctan2(*x.T[::-1])) / 36) % 10 for x in (real, fake)]
    assert [len(np.unique(angle)) for angle in angles] == [5, 10]
    real, fake = _drawn("hypersphere", "16", 0.4)
    np.testing.assert_allclose(np.linalg.norm(real, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(fake, axis=1), 0.4)
    real, fake = _drawn("sample_size", "8", 4000.0)
    assert (fake < 1).all(axis=1).mean() == pytest.approx(0.2, abs=error)
    ball, torus = _drawn("hypersphere_to_torus", "ball", 4000.0)
    assert np.linalg.norm(ball, axis=1).max() <= 0.8
    assert (np.linalg.norm(ball, axis=1) < 0.4).mean() == pytest.approx(1 / 8, abs=error)
    around = np.hypot(np.hypot(torus[:, 0], torus[:, 1]) - 1, torus[:, 2])
    assert around.max() <= 0.1
    real, fake = _drawn("two_modes_for_one", "1", 4.0)
    assert [real.std(), fake.std()] == pytest.approx([np.sqrt(5), np.sqrt(17)], rel=2 * error)
    real, fake = _drawn("one_dimension_apart", "up to 1000", 1.0)
    np.testing.assert_allclose(fake.mean(0) - real.mean(0), [6] + [0] * 10, atol=2 * error)
    real, fake = _drawn("discretised", "q", 1.0)
    assert np.array_equal(fake, np.round(fake))
    assert not np.array_equal(real, np.round(real))


def test_p_is_one_cloud_along_a_sweep() -> None:
    """Where p does not depend on what is swept, its samples do not either."""
    for name in ("mean_shift", "mean_shift_heavy_tail", "hypersphere", "generated_size"):
        variant = CHECKS[name].variants[0]
        ends = CHECKS[name].sweep(variant, 11, SIZE)[[0, -1]]
        clouds = [_drawn(name, variant, x)[0] for x in ends]
        np.testing.assert_array_equal(*clouds)


def test_margins_by_hand() -> None:
    up, bell = np.array([0.0, 0.3, 1.0]), np.array([0.0, 1.0, 0.1])
    assert criteria.near(0.97, 1.0) == pytest.approx(0.02)
    assert criteria.near(0.9, 1.0) == pytest.approx(-0.05)
    assert criteria.flat(up) == pytest.approx(-0.95)
    assert criteria.settles(np.array([5.0, 0.2, 0.21, 0.2])) == pytest.approx(0.04)
    assert criteria.rises(up) == pytest.approx(0.1)
    assert criteria.falls(up) == pytest.approx(-1.2)
    assert criteria.falls(np.array([0.8, 1.0, 0.0])) == pytest.approx(-0.1)
    assert criteria.falls(np.array([0.5, 0.4, 0.4])) == pytest.approx(-0.1)
    assert criteria.peaks(bell) == pytest.approx(0.1)
    assert criteria.peaks(np.array([0.0, 0.8, 1.0])) == pytest.approx(-0.4)
    assert criteria.drops_by(np.array([1.0, 0.85, 0.0]), 1) == pytest.approx(0.05)


@pytest.mark.parametrize("reading", ["low", "high"])
def test_a_diversity_metric_may_be_low_or_high_but_not_both(reading: str) -> None:
    kind = Audit.model_validate({"audited": "recall", "check": "spread"})
    low, high = np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0])
    same = {"low": low, "high": high}[reading]
    assert min(kind.margins(np.stack([same] * 3))) >= 0
    assert min(kind.margins(np.stack([low, high, same]))) < 0


def test_margins_are_the_least_of_all_variants() -> None:
    kind = Audit.model_validate({"audited": "density", "check": "hypersphere"})
    good, poor = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.9, 0.0])
    shape, value = kind.margins(np.stack([good, poor, good]))
    assert (shape, value) == (pytest.approx(0.1), pytest.approx(-0.05))


@pytest.mark.parametrize("audited", ["density", "coverage", "precision", "symmetric_recall"])
def test_verdicts_are_the_published_ones(audited: str) -> None:
    """Where a verdict is no close call it is theirs, with a fifth of their samples already."""
    close, compared = 0.08, 0
    for check in ("mean_shift", "hypersphere", "scaling", "mean_shift_heavy_tail", "discretised"):
        record = _run(audited=audited, check=check, repeats=2)
        published = verdict(audited, check)
        assert published is not None
        for name, theirs in zip(("shape_margin", "value_margin"), published, strict=True):
            margin = float(record.values[name][-1])
            if abs(margin) > close:
                compared += 1
                assert (margin >= 0) == theirs, (check, name, margin)
    assert compared >= 5


@pytest.mark.slow
@pytest.mark.parametrize("audited", ["density", "coverage", "probabilistic_recall"])
def test_verdicts_of_as_many_samples_are_the_published_ones(audited: str) -> None:
    """With 1,000 samples, as theirs; rare outliers of p decide close calls, and repeats are few."""
    same = []
    for check in CHECKS:
        if check in ("sample_size", "one_dimension_apart"):  # minutes, for what is far from close
            continue
        record = _run(audited=audited, check=check, repeats=2, samples=1000)
        published = verdict(audited, check)
        assert published is not None
        margins = [float(record.values[name][-1]) for name in ("shape_margin", "value_margin")]
        same += [
            (margin >= 0) == theirs
            for margin, theirs in zip(margins, published, strict=True)
            if abs(margin) > 0.05
        ]
    assert len(same) >= 12
    assert np.mean(same) > 0.9


ROOT = Path(__file__).parents[3]


def test_what_stands_beside_a_metric_is_what_the_study_finds() -> None:
    """Some of its trials once more; close calls may differ from one machine to another."""
    study, compared = load(ROOT / "studies" / "metric_audit.yaml"), 0
    for audited, check in (("density", "scaling"), ("recall", "discretised")):
        trials = [
            trial
            for trial in Grid(study).trials.values()
            if (trial.configuration.audited.name, trial.configuration.check) == (audited, check)
        ]
        records = trials[0].configuration.train(trials)
        kept = dict(zip(CHECKS, metrics.AUDITED[audited].split(), strict=True))[check]
        for name, stated in zip(("shape_margin", "value_margin"), kept, strict=True):
            margin = float(np.mean([record.values[name][-1] for record in records]))
            if abs(margin) > 0.01:
                compared += 1
                assert (margin >= 0) == (stated == "T"), (audited, check, name, margin)
    assert compared >= 3


def test_a_check_more_shifts_no_published_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that stood behind it had that of another check, without a word."""
    assert published.verdict("recall", "scaling") == (False, True)
    monkeypatch.setattr(published, "CHECKS", {"a_new_one": None, **CHECKS})
    with pytest.raises(ValueError, match="shorter"):
        published.verdict("recall", "scaling")


def test_every_judge_was_audited_and_the_page_says_what_was_found() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    judges = {member.name for member in metrics.family if member.judges}
    owing = "run studies/metric_audit.yaml with it, and write its verdicts into AUDITED"
    assert set(metrics.AUDITED) == judges, owing
    for name, verdicts in metrics.AUDITED.items():
        passes = [c for c, both in zip(CHECKS, verdicts.split(), strict=True) if both == "TT"]
        listed = ", ".join(f"`{check}`" for check in passes) or "none"
        assert f"| `{name}` | {len(passes)} of 15 | {listed} |" in text
        target = targets.from_config("ring")
        about = metrics.family[name]().variable(target).attributes
        assert about["audit"] == f"passes {len(passes)} of 15 sanity checks"


@pytest.mark.slow
def test_the_report_says_it_beside_the_metric(tmp_path: Path) -> None:
    """A page that has density says how many checks density passes, and what checks are."""
    text = """\
question: Audited beside?
trial:
  steps: 10
  record: {every: 5, samples: 60, metrics: [density, modes_covered]}
search: {grid: {divergence: [minimax, non_saturating]}}
seeds: 2
"""
    with trained_inline(), unrendered():
        pipeline.run(load(write_study(tmp_path, text)), tmp_path / "run", workers=1)
    page = (tmp_path / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count('href="#audits">passes') == 1
    assert 'id="audits"' in page


def test_a_clouds_law_is_all_of_it() -> None:
    """Metrics compare with exactly the samples of p, whatever the number of q's."""
    record = _run(audited="coverage", check="generated_size", samples=100, spread=2)
    kept = record.values["samples"]
    assert kept.shape[1] == 11
    # A cube covered by ever more samples is covered more.
    assert kept[0, -1] > kept[0, 0]
    assert np.isnan(kept[3:]).all()


def test_every_judge_can_be_audited() -> None:
    for member in metrics.family:
        if member.judges:
            values = _run(audited=member.name, check="mean_shift_heavy_tail", samples=100).values
            assert np.isfinite(values["shape_margin"][-1])
            assert values["passed"][-1] in (0, 1)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("audited: vendi_score", "vendi_score is no metric of fidelity or diversity"),
        ("steps: 11", "multiple of 2"),
        ("check: mean_shfit", "mean_shift"),
        ("audited: {name: density, features: random_convolutions}", "have no features"),
        ("samples: 90, audited: alpha_precision", "alpha_precision needs 100"),
        ("samples: 140, spread: 100", "fewer than 2"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, keys: str, said: str) -> None:
    text = f"question: Audited?\ntrial: {{kind: audit, {keys}}}\nseeds: 2\n"
    with pytest.raises(StudyError, match=said):
        load(write_study(tmp_path, text))
