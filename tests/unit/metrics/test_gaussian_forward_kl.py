"""The divergence from p to the Gaussian of the samples' moments, against others' closed forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad
from torch.distributions import MultivariateNormal, kl_divergence

from ganstudy import metrics, targets
from ganstudy.study import load

METRIC = metrics.family.from_config("gaussian_forward_kl")
STUDY = Path(__file__).parents[3] / "studies" / "f_divergences.yaml"
DRAWN = 0.01
"""More than four standard errors of a mean over 200,000 draws."""


def test_between_gaussians_it_is_that_of_torch() -> None:
    """To rounding: a Gaussian is the nearest to itself."""
    target = targets.from_config({"name": "gaussian", "mean": [0.0, 1.0, -2.0], "std": 0.7})
    mean, covariance = (torch.as_tensor(own) for own in target.moments())
    p = MultivariateNormal(mean, covariance)
    rng = np.random.default_rng(0)
    clouds = rng.normal(size=(4, 500, 3)) @ rng.normal(size=(4, 3, 3)) + rng.normal(size=(4, 1, 3))
    expected = np.array(
        [
            float(kl_divergence(p, MultivariateNormal(*map(torch.as_tensor, fitted))))
            for fitted in ((cloud.mean(0), np.cov(cloud.T)) for cloud in clouds)
        ]
    )
    np.testing.assert_allclose(METRIC.compute(clouds, target), expected, rtol=1e-9, atol=1e-9)
    assert METRIC.reading(target).bounds[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_the_nearest_gaussian_to_the_study_of_f_divergences() -> None:
    """By quadrature: what its findings say that no generator of it can go below."""
    point: Any = next(iter(load(STUDY).points.values()))
    target = point.target
    mean, covariance = target.moments()
    normal = MultivariateNormal(*map(torch.as_tensor, (mean, covariance)))

    def surprise(y: float, x: float) -> float:
        log_p = float(target.log_prob(np.array([x, y])))
        return float(np.exp(log_p)) * (
            log_p - float(normal.log_prob(torch.tensor([x, y]).double()))
        )

    expected, _ = dblquad(surprise, -4, 5, -4, 4, epsabs=1e-3, epsrel=1e-3)
    stated = METRIC.reading(target).value_at_equality
    assert stated == pytest.approx(expected, abs=DRAWN)
    assert f"{stated:.2f}" == "0.34"


def test_what_it_cannot_tell_is_refused_or_infinite() -> None:
    """A law without a density; a cloud that fills no volume."""
    digits = targets.from_config("digits")
    assert METRIC.unfit(digits, 1000) == (
        "metric gaussian_forward_kl needs the density of p, which digits does not state"
    )
    ring = targets.from_config("ring")
    line = np.linspace(0, 1, 50)[:, None] * [1.0, 0.0]
    assert METRIC.compute(line, ring) == np.inf
