"""The stacked engine against a plain PyTorch training loop, written as a textbook would."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from tiny import trial
from torch import nn

from ganstudy.engine.batches import batches, evaluation_latent
from ganstudy.engine.training import initial, train
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.trial import Trial

CPU = torch.device("cpu")
STEPS = 50


def _network(parameters: dict[str, torch.Tensor], row: int) -> nn.Sequential:
    """nn.Sequential with the weights of one trial of a stack."""
    layers: list[nn.Module] = []
    for layer in range(len(parameters) // 2):
        weight = parameters[f"weight_{layer}"][row]
        linear = nn.Linear(*weight.shape)
        with torch.no_grad():
            linear.weight.copy_(weight.T)
            linear.bias.copy_(parameters[f"bias_{layer}"][row, 0])
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _norm(network: nn.Module) -> float:
    gradients = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
    return float(torch.cat(gradients).norm())


def _plain(own: Trial[Adversarial]) -> tuple[dict[str, list[float]], torch.Tensor]:
    """Curves at every step, and final samples."""
    configuration = own.configuration
    game, state = initial([own, own], CPU)
    generator = _network(game.generator.split(state.generator.parameters), 0)
    critic = _network(game.critic.split(state.critic.parameters), 0)
    solvers: dict[str, Any] = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}
    g_solver, c_solver = (
        solvers[player.optimizer.name](
            network.parameters(), lr=player.lr, eps=player.optimizer.model_dump()["eps"]
        )
        for network, player in (
            (generator, configuration.generator),
            (critic, configuration.critic),
        )
    )
    log_loss = nn.BCEWithLogitsLoss()
    curves: dict[str, list[float]] = {}
    for real, latent in itertools.islice(batches([own, own], CPU), configuration.steps):
        for x, z in zip(real[:, 0], latent[:-1, 0], strict=True):
            c_solver.zero_grad()
            on_real, on_fake = critic(x), critic(generator(z).detach())
            if configuration.divergence.name == "wasserstein":
                critic_loss = on_fake.mean() - on_real.mean()
            else:
                critic_loss = log_loss(on_real, torch.ones_like(on_real))
                critic_loss = critic_loss + log_loss(on_fake, torch.zeros_like(on_fake))
            critic_loss.backward()
            critic_norm = _norm(critic)
            c_solver.step()
            if configuration.constraint.name == "clip":
                with torch.no_grad():
                    for weight in critic.parameters():
                        weight.clamp_(-0.05, 0.05)
        g_solver.zero_grad()
        on_fake_again = critic(generator(latent[-1, 0]))
        match configuration.divergence.name:
            case "non_saturating":
                generator_loss = log_loss(on_fake_again, torch.ones_like(on_fake_again))
            case "minimax":
                generator_loss = -log_loss(on_fake_again, torch.zeros_like(on_fake_again))
            case _:
                generator_loss = -on_fake_again.mean()
        generator_loss.backward()
        values = {
            "critic_loss": float(critic_loss.detach()),
            "generator_loss": float(generator_loss.detach()),
            "real_logit": float(on_real.detach().mean()),
            "fake_logit": float(on_fake.detach().mean()),
            "critic_gradient_norm": critic_norm,
            "generator_gradient_norm": _norm(generator),
        }
        g_solver.step()
        for name, value in values.items():
            curves.setdefault(name, []).append(value)
    with torch.no_grad():
        return curves, generator(evaluation_latent([own], CPU)[0])


@pytest.mark.parametrize("d_steps", [1, 3])
@pytest.mark.parametrize("divergence", ["minimax", "non_saturating", "reverse_kl", "wasserstein"])
def test_engine_equals_a_plain_loop(divergence: str, d_steps: int) -> None:
    """Every curve at every step, and the final samples, agree to rounding.

    Rounding is 6e-8 a step, relative; 50 steps of two coupled networks may carry it further, and
    2e-4 still sees an update too many, a batch used twice, or a critic that is one step old.
    """
    wasserstein = divergence == "wasserstein"
    # The gradient of a Wasserstein critic's last bias is zero but for rounding, and RMSProp divides
    # it by its own size: a large epsilon keeps that noise from deciding the critic's offset.
    rmsprop = {"name": "rmsprop", "eps": 1e-3}
    player = {"width": 16, "depth": 2, "optimizer": rmsprop if wasserstein else "adam"}
    own = trial(
        5,
        divergence=divergence,
        constraint={"name": "clip", "bound": 0.05} if wasserstein else "none",
        generator=player,
        critic={**player, "steps": d_steps},
        steps=STEPS,
        batch=24,
        record={"every": 1, "samples": 50},
    )
    record = train([trial(6, **_settings(own)), own])[1]
    curves, samples = _plain(own)
    for name, values in curves.items():
        np.testing.assert_allclose(record.curves[name], values, rtol=2e-4, atol=2e-5, err_msg=name)
    assert record.samples is not None
    np.testing.assert_allclose(record.samples, samples.numpy(), rtol=2e-4, atol=2e-5)


def _settings(own: Trial[Adversarial]) -> dict[str, Any]:
    settings = own.configuration.model_dump()
    settings.pop("name")
    return settings


def test_recorded_metrics_are_those_of_the_recorded_samples() -> None:
    """The last value of each metric's curve can be computed anew from the stored samples."""
    own = trial(1, steps=10, record={"every": 3})
    record = train([own])[0]
    np.testing.assert_array_equal(record.steps, [3, 6, 9, 10])
    assert record.samples is not None
    for metric in own.configuration.record.metrics:
        expected = metric.compute(record.samples, own.configuration.target)
        assert record.curves[metric.name][-1] == pytest.approx(float(expected), rel=1e-6)
