"""Maps of optimal transport: what they pay, and what they find for Gaussians."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ot
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import fsolve
from tiny import differences, train, trial, write_study

from ganstudy import divergences
from ganstudy.divergences import DiscreteLaws
from ganstudy.study import load
from ganstudy.study.document import StudyError

Array = NDArray[np.float64]


def _normal(x: Array, mean: float, std: float) -> Array:
    density = np.exp(-((x - mean) ** 2) / (2 * std**2))
    return np.asarray(density / density.sum())


@pytest.mark.parametrize(("mean", "std"), [(1.5, 0.5), (-0.7, 1.3)])
def test_potential_of_gaussians(mean: float, std: float) -> None:
    """From N(0, 1) on the line: the potential whose slope is 2 w (x - T^-1(x)) is as good as the
    best of the linear programme, its value is w W_2^2, and the best answers to it are T.
    """
    otm = divergences.family["otm"].model_validate({"weight": 0.7})
    x = np.linspace(-5, 5, 81)
    laws = DiscreteLaws(_normal(x, mean, std), _normal(x, 0, 1), x[:, None])
    potential = 0.7 * (1 - 1 / std) * x**2 + 2 * 0.7 * (mean / std) * x
    stated = otm.expected_losses(laws, potential)[0]
    assert stated == pytest.approx(otm.critic_minimum(laws), abs=2e-3)
    assert -stated == pytest.approx(0.7 * (mean**2 + (std - 1) ** 2), abs=5e-3)
    near = np.abs(x) < 1.5
    gone = x[np.argmax(potential - 0.7 * (x[:, None] - x) ** 2, axis=1)]
    np.testing.assert_allclose(gone[near], (mean + std * x)[near], atol=x[1] - x[0])


def _unbalanced(mean: float, std: float, weight: float) -> tuple[float, float, float]:
    """Coefficients of the quadratic potential a(y) = -u y^2/2 + v y + c between N(0, 1) and a
    normal law, with prices of KL: the map of a reweighted source onto a reweighted target.
    """

    def missed(found: Array) -> list[float]:
        u, v, c = found
        # T(x) = s x + t, and the answer a(T(x)) - w (T(x) - x)^2 is a quadratic in x.
        s, t = 2 * weight / (u + 2 * weight), v / (u + 2 * weight)
        square = weight * s - weight
        slope, level = v * s, v * t / 2 + c
        # The source times e^answer, the target times e^-a: mass, mean, variance of each.
        source = (1 - 2 * square, slope, level)
        target = (1 / std**2 - u, mean / std**2 - v, -c - mean**2 / (2 * std**2) - np.log(std))
        (m0, l0), (m1, l1) = (
            (b / a, d + b**2 / (2 * a) - np.log(abs(a)) / 2) for a, b, d in (source, target)
        )
        return [s * m0 + t - m1, s**2 / source[0] - 1 / target[0], l0 - l1]

    u, v, c = fsolve(missed, [0.0, 0.0, 0.0], xtol=1e-12)
    assert np.abs(missed(np.array([u, v, c]))).max() < 1e-9
    return u, v, c


@pytest.mark.parametrize(("mean", "std"), [(1.0, 0.8), (-0.5, 1.2)])
def test_unbalanced_potential_of_gaussians(mean: float, std: float) -> None:
    """With prices of KL the potential is a quadratic again: its value is that of POT's plan."""
    uotm = divergences.family["uotm"].model_validate({"price": "kl", "weight": 0.5})
    x = np.linspace(-4, 4, 61)
    laws = DiscreteLaws(_normal(x, mean, std), _normal(x, 0, 1), x[:, None])
    u, v, c = _unbalanced(mean, std, 0.5)
    stated = -uotm.expected_losses(laws, -u * x**2 / 2 + v * x + c)[0]
    cost = 0.5 * (x[:, None] - x) ** 2
    plan = ot.unbalanced.mm_unbalanced(laws.q, laws.p, cost, 1.0, div="kl", numItermax=3000)
    marginals = ((plan.sum(1), laws.q), (plan.sum(0), laws.p))
    paid = sum(float((own * np.log(own / law) - own + law).sum()) for own, law in marginals)
    assert stated == pytest.approx(float((cost * plan).sum()) + paid, abs=2e-3)


@pytest.mark.slow
def test_affine_generators_find_their_maps() -> None:
    """On the line, with a critic that can bend: that of `otm` is n + s z, that of `uotm` the one of
    its closed form, which leaves a part of the way to n undone.
    """
    u, v, _ = _unbalanced(1.0, 0.6, 0.5)
    maps = [
        ({"name": "otm"}, (1.0, 0.6)),
        ({"name": "uotm", "price": "kl"}, (v / (u + 1), 1 / (u + 1))),
    ]
    trials = [
        trial(
            divergence=divergence,
            target={"name": "gaussian", "mean": [1.0], "std": 0.6},
            generator={"depth": 0, "latent": 1, "lr": 5e-3, "steps": 5},
            critic={"width": 16, "depth": 1, "activation": "elu", "lr": 2e-3},
            steps=4000,
            batch=128,
            record={"every": 4000, "samples": 4000, "metrics": ["energy_distance"]},
        )
        for divergence, _ in maps
    ]
    for record, (_, (mean, std)) in zip(train(trials), maps, strict=True):
        samples = record.values["samples"]
        assert float(samples.mean()) == pytest.approx(mean, abs=0.12)
        assert float(samples.std()) == pytest.approx(std, abs=0.12)


def test_alone_as_in_a_pack() -> None:
    """Both members and all weights share a pack, with the bits that each trial has alone."""
    settings = [{"name": "otm"}, {"name": "uotm"}, {"name": "otm", "weight": 2.0}]
    trials = [trial(divergence=divergence, steps=6, batch=32) for divergence in settings]
    together = train(trials)
    for own, record in zip(trials, together, strict=True):
        assert differences(record, train([own])[0]) == []


def test_both_players_pay_for_the_way() -> None:
    """Players that hardly move, and ways that cost so much that logits are nothing beside them."""
    still = {"lr": 1e-12}
    one, two = train(
        [
            trial(divergence={"name": "otm", "weight": w}, generator=still, critic=still, batch=32)
            for w in (1e6, 2e6)
        ]
    )
    for name, sign in (("generator_loss", 1), ("critic_loss", -1)):
        assert (sign * one.values[name][1:] > 1e5).all()
        np.testing.assert_allclose(two.values[name][1:], 2 * one.values[name][1:], rtol=1e-4)


def test_latent_space_is_data_space(tmp_path: Path) -> None:
    """Anything else is told with the number that it takes."""
    text = "question: A map?\ntrial: {divergence: otm, generator: {latent: 5}}\n"
    with pytest.raises(
        StudyError, match=r"otm moves.*`generator.latent: 2`, the dimension of.*ring"
    ):
        load(write_study(tmp_path, text))


def test_the_way_is_what_moves_the_generator() -> None:
    """With a flat critic the loss is the mean cost of the way."""
    otm = divergences.family["otm"]()
    z = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(0))
    cost = otm.way_cost(z, 2 * z)
    torch.testing.assert_close(cost, 0.5 * (z**2).sum(-1))
    torch.testing.assert_close(otm.generator_loss(-cost), cost.mean(-1))
