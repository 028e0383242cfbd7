"""Curves against truths: bounds and exact values, early ends of rounds, training sets."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.integrate import dblquad
from tiny import trial

from ganstudy import divergences, plugins, targets
from ganstudy.cli import FAMILIES, main
from ganstudy.family import Member
from ganstudy.kinds.adversarial.affine import critic_error, exact_value
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.training import train

CENTRE, STD = 0.7, 0.6
TARGET = {"name": "ring", "modes": 1, "radius": CENTRE, "std": STD}


def _exact(name: Any, mean: Any, deviations: Any, target: Any = TARGET) -> float:
    parameters = {
        "weight_0": np.diag(np.asarray(deviations, np.float32)),
        "bias_0": np.asarray([mean], np.float32),
    }
    member = divergences.family.from_config(name)
    return exact_value(member, targets.from_config(target), parameters)


def _kl(m0: Any, s0: Any, m1: Any, s1: Any) -> float:
    """KL of diagonal Gaussians."""
    ratio = (np.asarray(s0) / s1) ** 2
    shift = ((np.asarray(m0) - m1) / s1) ** 2
    return float(0.5 * np.sum(ratio + shift - 1 - np.log(ratio)))


def _gauss_hermite(mean: Any, std: Any, nodes: int = 100) -> tuple[Any, Any]:
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    w = w / w.sum()
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(mean) + grid * std, np.outer(w, w).ravel()


def _log_density(x: Any, mean: Any, std: Any) -> Any:
    std = np.broadcast_to(np.asarray(std), (2,))
    return -0.5 * (((x - mean) / std) ** 2).sum(-1) - np.log(2 * np.pi * std.prod())


GAUSSIANS = [((0.7, 0.0), (0.6, 0.6)), ((0.2, -0.4), (0.7, 0.5)), ((1.5, 1.0), (0.9, 1.1))]


@pytest.mark.parametrize(("mean", "std"), GAUSSIANS)
def test_exact_values_between_gaussians(mean: Any, std: Any) -> None:
    """Closed forms of KL both ways and Pearson's; Gauss-Hermite quadrature of JS."""
    p_mean, q_mean, q_std = np.array([CENTRE, 0.0]), np.array(mean), np.array(std)
    p_std = np.full(2, STD)
    assert _exact("f_kl", mean, std) == pytest.approx(_kl(p_mean, p_std, q_mean, q_std), abs=1e-6)
    reverse = _kl(q_mean, q_std, p_mean, p_std)
    assert _exact("f_reverse_kl", mean, std) == pytest.approx(reverse, abs=1e-6)
    spread = 2 * q_std**2 - p_std**2
    terms = q_std**2 / (p_std * np.sqrt(spread)) * np.exp((p_mean - q_mean) ** 2 / spread)
    pearson = float(terms.prod()) - 1
    assert _exact("f_pearson", mean, std) == pytest.approx(pearson, rel=1e-4, abs=1e-6)
    total = 0.0
    for own_mean, own_std in ((p_mean, p_std), (q_mean, q_std)):
        x, weights = _gauss_hermite(own_mean, own_std)
        on_p, on_q = _log_density(x, p_mean, p_std), _log_density(x, q_mean, q_std)
        own = on_p if own_mean is p_mean else on_q
        total += float(weights @ (own - np.logaddexp(on_p, on_q) + np.log(2)))
    assert _exact("minimax", mean, std) == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_exact_values_of_alpha_losses(alpha: float) -> None:
    r"""The least loss has the closed form $\frac\alpha{\alpha - 1} (2 - \int \|(p, q)\|_\alpha)$,
    by SciPy's quadrature ; with alpha 1 it is the GAN's. All pairs of nodes
    were compared: 35 GB.
    """
    (mean, std), member = GAUSSIANS[1], {"name": "alpha_gan", "critic_alpha": alpha}
    found = _exact(member, mean, std)
    if alpha == 1:
        assert found == pytest.approx(_exact("minimax", mean, std), rel=1e-12)
        return

    def both(y: float, x: float) -> float:
        logs = [_log_density(np.array([x, y]), *own) for own in (((CENTRE, 0), STD), (mean, std))]
        return float(np.exp(np.logaddexp(*(alpha * np.array(logs))) / alpha))

    norm = dblquad(both, -6, 6, -6, 6, epsabs=1e-7)[0]
    uninformed = divergences.family.from_config(member).uninformed_loss()
    least = alpha / (alpha - 1) * (2 - norm)
    assert found == pytest.approx(uninformed - least, abs=1e-6)


def test_exact_values_that_a_grid_cannot_give_are_nan() -> None:
    """A law narrower than a cell, modes between the nodes, an integral that has no end."""
    assert np.isnan(_exact("f_kl", (0, 0), (1, 1e-4)))
    assert np.isnan(_exact("f_kl", (0, 0), (1, 1), {"name": "ring", "std": 0.01}))
    assert np.isnan(_exact("f_pearson", (CENTRE, 0), (STD / 2, STD / 2)))


def test_there_is_no_distance_from_a_best_logit_that_is_infinite() -> None:
    """Of total variation it was the distance from 20, where tanh is 1."""
    parameters = {"weight_0": np.eye(2, dtype=np.float32), "bias_0": np.zeros((1, 2), np.float32)}
    points, logits = np.array([[0.1, 0.2], [1.0, -0.4]]), np.array([0.3, -0.2])
    found = {
        name: critic_error(
            divergences.family.from_config(name),
            targets.from_config(TARGET),
            parameters,
            points,
            logits,
        )
        for name in ("f_total_variation", "minimax")
    }
    assert np.isnan(found["f_total_variation"])
    on_p = _log_density(points, np.array([CENTRE, 0.0]), STD)
    on_q = _log_density(points, np.zeros(2), 1.0)
    expected = np.abs(logits - (on_p - on_q)).mean()
    assert found["minimax"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f_kl", "f_pearson", "minimax", "f_squared_hellinger"])
def test_the_bound_lies_below_the_exact_value(name: str) -> None:
    """A trained critic's bound, averaged over batches, is below the value and above nothing."""
    own = trial(
        0,
        target=TARGET,
        divergence=name,
        generator={"depth": 0, "lr": 1e-9},
        critic={"width": 24, "depth": 1, "lr": 1e-2, "steps": 4},
        steps=60,
        batch=512,
        record={"every": 3, "samples": 10},
    )
    curves = train([own])[0].along("step")
    bound, exact = curves["bound"][-10:], curves["exact"]
    assert np.ptp(exact) < 1e-4 * exact[0]
    error = bound.std(ddof=1) / np.sqrt(len(bound))
    assert bound.mean() < exact[0] + 3 * error
    assert bound.mean() > 0.5 * exact[0]


@pytest.mark.slow
def test_curves_that_would_bound_something_else_are_left_out() -> None:
    """Samples joined or blurred, critics that are no bound or have no opinion on a point, rows that
    they were fitted to, generators whose law is unknown.
    """
    affine = {"depth": 0}
    assert {"bound", "exact"} <= set(train([trial(0, generator=affine)])[0].along("step"))
    for settings in (
        {"critic": {"pac": 2}},
        {"critic": {"norm": "batch"}},
        {"constraint": "instance_noise"},
        {"divergence": "wasserstein"},
        {"divergence": "mmd"},
    ):
        curves = train([trial(0, generator=affine, **settings)])[0].along("step")
        assert not {"bound", "exact"} & set(curves)
    assert "exact" not in train([trial(0)])[0].along("step")
    reused = train([trial(0, generator=affine, training_set=50)])[0].along("step")
    assert "bound" not in reused
    assert {"exact", "critic_error", "held_out_logit"} <= set(reused)
    assert "bound" not in train([trial(0, target="digits")])[0].along("step")
    uniform = {"depth": 0, "latent_law": "uniform"}
    assert "exact" not in train([trial(0, generator=uniform)])[0].along("step")


def test_each_trial_of_a_pack_settles_by_itself() -> None:
    """Numbers of D-steps differ within a pack, and are those of each trial alone."""
    trials = [
        trial(seed, critic={"steps": {"until": u, "patience": 2, "max": 15}, "lr": lr}, steps=6)
        for seed, (u, lr) in enumerate([(0.0, 0.05), (0.05, 0.05), (10.0, 0.05), (0.0, 1e-4)])
    ]
    records = train(trials)
    counts = [record.values["critic_steps_taken"] for record in records]
    # The first loss always falls below infinity, and then two steps must pass.
    np.testing.assert_array_equal(counts[2], 3)
    assert len({tuple(count) for count in counts}) > 2
    for own, count in zip(trials, counts, strict=True):
        assert bool(((count >= 3) & (count <= 15)).all())
        np.testing.assert_array_equal(train([own])[0].values["critic_steps_taken"], count)


def test_a_training_set_is_all_that_the_critic_sees() -> None:
    """Every row of every batch is one of the set, and all of them come."""
    own = trial(4, training_set=7)
    seen = [
        batch.real.reshape(-1, 2).numpy()
        for batch in itertools.islice(batches([own], torch.device("cpu")), 10)
    ]
    assert len(np.unique(np.concatenate(seen), axis=0)) == 7
    fresh = [
        batch.real.reshape(-1, 2).numpy()
        for batch in itertools.islice(batches([trial(4)], torch.device("cpu")), 10)
    ]
    assert len(np.unique(np.concatenate(fresh), axis=0)) == 160


def test_an_overfitting_critic_shows() -> None:
    """On few samples the critic prefers those it has seen; on many it has no favourites."""
    gaps = {}
    for size in (6, 20000):
        trials = [
            trial(
                seed,
                target={"name": "ring", "std": 0.5},
                training_set=size,
                critic={"width": 32, "depth": 2, "lr": 1e-2, "steps": 10},
                generator={"lr": 1e-6},
                steps=15,
                batch=64,
                record={"every": 15, "samples": 2000},
            )
            for seed in range(4)
        ]
        curves = [record.along("step") for record in train(trials)]
        gaps[size] = np.array([c["real_logit"][-1] - c["held_out_logit"][-1] for c in curves])
    error = gaps[20000].std(ddof=1) / len(gaps[20000]) ** 0.5
    assert gaps[6].min() > 1
    assert abs(gaps[20000].mean()) < 0.2 + 4 * error


@pytest.mark.parametrize("family", FAMILIES)
def test_list_prints_parameters_and_sources(family: str) -> None:
    """Every member with its parameters; every one but the kinds and the identity has a source."""
    result = CliRunner().invoke(main, ["list", family])
    assert result.exit_code == 0
    package = plugins.family(family)
    for member in package:
        assert f"{member.name}: " in result.stdout
        for parameter in member.parameters_of():
            assert parameter in result.stdout
    mathematics = all(issubclass(member, Member) for member in package)
    assert ("source: " in result.stdout) == mathematics


def test_list_prints_formulas() -> None:
    """Where a docstring has them, from their first word to their last."""
    result = CliRunner().invoke(main, ["list", "constraints"])
    assert (
        "    maths: $\\frac\\gamma2 E_p |\\nabla a(x)|^2$\n    source: Mescheder" in result.stdout
    )
