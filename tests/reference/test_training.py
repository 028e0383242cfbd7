"""The stacked engine against a plain PyTorch training loop, written as a textbook would."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from tiny import train, trial
from torch import nn

from ganstudy.kinds.adversarial import Adversarial
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.draws import evaluation_latent, held_out
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.state import Batches
from ganstudy.kinds.adversarial.training import initial
from ganstudy.trial import Trial

CPU = torch.device("cpu")
STEPS = 50
FEW = 12
Curves = dict[str, list[float]]
Noise = tuple[torch.Tensor, ...]
Batch = tuple[torch.Tensor, torch.Tensor, Noise]


def _network(parameters: dict[str, torch.Tensor], row: int, settings: Any) -> nn.Sequential:
    """nn.Sequential with the weights of one trial of a stack."""
    layers: list[nn.Module] = []
    for layer in range(settings.depth + 1):
        weight = parameters[f"weight_{layer}"][row]
        linear = nn.Linear(*weight.shape)
        with torch.no_grad():
            linear.weight.copy_(weight.T)
            linear.bias.copy_(parameters[f"bias_{layer}"][row, 0])
        layers.append(linear)
        if layer < settings.depth:
            norms: dict[str, Callable[[int], nn.Module]] = {
                "batch": nn.BatchNorm1d,
                "layer": nn.LayerNorm,
            }
            if settings.norm in norms:
                layers.append(norms[settings.norm](weight.shape[1]))
            layers.append(nn.Tanh() if settings.activation.name == "tanh" else nn.ReLU())
    return nn.Sequential(*layers)


def _of_one(batch: Batch) -> Batch:
    x, z, noise = batch
    return x[0], z[0], tuple(own[0] for own in noise)


def _norm(gradients: list[torch.Tensor]) -> float:
    return float(torch.cat([g.flatten() for g in gradients]).norm())


class _Plain:
    """A trial in plain modules and torch.optim solvers, one step after another."""

    def __init__(self, own: Trial[Adversarial]) -> None:
        self.own, self.configuration = own, own.configuration
        c = self.configuration
        game, state = initial([own, own], CPU)
        generator, critic = state.generator.parameters, state.critic.parameters
        self.generator = _network(game.generator.split(generator), 0, c.generator)
        self.critic = _network(game.critic.split(critic), 0, c.critic)
        self.average = copy.deepcopy(self.generator)
        self.g_solver = self._solver(self.generator, c.generator)
        self.c_solver = self._solver(self.critic, c.critic)
        self.labels = c.target.labels if c.condition else 0
        self.slow: list[torch.Tensor] = []
        self.rounds = 0

    def _solver(self, network: nn.Module, player: Any) -> torch.optim.Optimizer:
        values = list(network.parameters())
        match player.optimizer.name:
            case "adam":
                return torch.optim.Adam(values, lr=player.lr, eps=player.optimizer.eps)
            case "rmsprop":
                return torch.optim.RMSprop(values, lr=player.lr, eps=player.optimizer.eps)
            case "momentum":
                return torch.optim.SGD(values, lr=player.lr, momentum=player.optimizer.momentum)
            case _:
                return torch.optim.SGD(values, lr=player.lr)

    # --- losses ---

    def fake(self, z: torch.Tensor) -> torch.Tensor:
        samples = self.generator(z)
        return torch.cat([samples, z[:, -self.labels :]], dim=1) if self.labels else samples

    def judge(self, x: torch.Tensor) -> torch.Tensor:
        pac = self.configuration.critic.pac
        x = self.configuration.critic.scale * x
        rows = [x[i : i + pac].flatten() for i in range(0, len(x), pac)]
        return self.critic(torch.stack(rows))

    def critic_loss(
        self, x: torch.Tensor, y: torch.Tensor, noise: Noise
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        c, log_loss = self.configuration, nn.BCEWithLogitsLoss()
        x, y = self.blurred(x, y, noise)
        on_real, on_fake = self.judge(x), self.judge(y)
        ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_real)
        match c.divergence.name:
            case "wasserstein":
                loss = on_fake.mean() - on_real.mean()
            case "relativistic_average":
                loss = log_loss(on_real - on_fake.mean(), ones)
                loss = loss + log_loss(on_fake - on_real.mean(), zeros)
            case "relativistic_pairing":
                loss = self.paired_loss(on_real, on_fake)
            case _:
                loss = log_loss(on_real, ones) + log_loss(on_fake, zeros)
        values = {"critic_loss": loss, "real_logit": on_real.mean(), "fake_logit": on_fake.mean()}
        penalties = [
            self.penalty(rule, x, y, own)
            for rule, own in zip(c.constraint.acting, noise, strict=True)
            if rule.name in ("gradient_penalty", "r1", "r2")
        ]
        if penalties:
            values["penalty"] = torch.stack(penalties).sum()
            loss = loss + values["penalty"]
        return loss, {name: float(value.detach()) for name, value in values.items()}

    def blurred(
        self, x: torch.Tensor, y: torch.Tensor, noise: Noise
    ) -> tuple[torch.Tensor, torch.Tensor]:
        for rule, own in zip(self.configuration.constraint.acting, noise, strict=True):
            if rule.name == "instance_noise":
                x, y = x + own[: len(x)], y + own[len(x) :]
        return x, y

    def penalty(self, rule: Any, x: torch.Tensor, y: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        pac = self.configuration.critic.pac
        if rule.name == "gradient_penalty":
            at = u.repeat_interleave(pac, dim=0) * x + (1 - u.repeat_interleave(pac, dim=0)) * y
        else:
            at = x if rule.name == "r1" else y
        at = at.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(self.judge(at).sum(), at, create_graph=True)
        if self.labels:
            slopes = slopes[:, : -self.labels]
        squared = (slopes**2).reshape(len(at) // pac, -1).sum(dim=1)
        if rule.name == "gradient_penalty":
            return rule.weight * ((squared.sqrt() - 1) ** 2).mean()
        return rule.weight / 2 * squared.mean()

    def generator_loss(self, x: torch.Tensor, z: torch.Tensor, noise: Noise) -> torch.Tensor:
        log_loss = nn.BCEWithLogitsLoss()
        x, y = self.blurred(x, self.fake(z), noise)
        on_fake = self.judge(y)
        match self.configuration.divergence.name:
            case "non_saturating":
                return log_loss(on_fake, torch.ones_like(on_fake))
            case "minimax":
                return -log_loss(on_fake, torch.zeros_like(on_fake))
            case "relativistic_average":
                on_real = self.judge(x)
                loss = log_loss(on_fake - on_real.mean(), torch.ones_like(on_fake))
                return loss + log_loss(on_real - on_fake.mean(), torch.zeros_like(on_real))
            case "relativistic_pairing":
                return self.paired_loss(on_fake, self.judge(x))
            case _:
                return -on_fake.mean()

    def paired_loss(self, upper: torch.Tensor, lower: torch.Tensor) -> torch.Tensor:
        rule: Any = self.configuration.divergence
        if rule.pairing == "all":
            upper, lower = upper.repeat_interleave(len(lower), 0), lower.repeat(len(upper), 1)
        return nn.BCEWithLogitsLoss()(upper - lower, torch.ones_like(upper))

    # --- gradients and steps ---

    def of_critic(self, batch: Any) -> tuple[list[torch.Tensor], dict[str, float]]:
        x, z, noise = batch
        loss, values = self.critic_loss(x, self.fake(z).detach(), noise)
        gradients = list(torch.autograd.grad(loss, list(self.critic.parameters())))
        return gradients, {**values, "critic_gradient_norm": _norm(gradients)}

    def of_generator(self, batch: Any) -> tuple[list[torch.Tensor], dict[str, float]]:
        loss = self.generator_loss(*batch)
        gradients = list(torch.autograd.grad(loss, list(self.generator.parameters())))
        values = {"generator_loss": loss.item(), "generator_gradient_norm": _norm(gradients)}
        return gradients, values

    def move_critic(self, gradients: list[torch.Tensor]) -> None:
        for parameter, gradient in zip(self.critic.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.c_solver.step()
        if "clip" in str(self.configuration.constraint):
            with torch.no_grad():
                for parameter in self.critic.parameters():
                    parameter.clamp_(-0.05, 0.05)

    def move_generator(self, gradients: list[torch.Tensor]) -> None:
        for parameter, gradient in zip(self.generator.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.g_solver.step()

    def follow(self) -> None:
        decay = self.configuration.generator.average
        if decay is not None:
            for mean, now in zip(
                self.average.parameters(), self.generator.parameters(), strict=True
            ):
                mean.data.mul_(decay).add_(now.data, alpha=1 - decay)

    # --- rounds ---

    def round(self, batch: Batches) -> dict[str, float]:
        d = [_of_one(batch.d_step(i)) for i in range(len(batch.real))]
        m = [_of_one(batch.m_step(i)) for i in range(len(batch.latent) - len(batch.real))]
        name = self.configuration.updates.name
        return dict(getattr(self, name)(d, m))

    def alternating(self, d: list[Any], m: list[Any]) -> dict[str, float]:
        steps = self.configuration.critic.steps
        best, stale, taken = np.inf, 0, 0
        for batch in d:
            if not isinstance(steps, int) and stale >= steps.patience:
                break
            gradients, values = self.of_critic(batch)
            self.move_critic(gradients)
            taken += 1
            if not isinstance(steps, int):
                stale = stale + 1
                if values["critic_loss"] < best - steps.until:
                    best, stale = values["critic_loss"], 0
        if not isinstance(steps, int):
            values["critic_steps_taken"] = taken
        for batch in m:
            gradients, own = self.of_generator(batch)
            self.move_generator(gradients)
            self.follow()
        return {**values, **own}

    def simultaneous(self, d: list[Any], m: list[Any]) -> dict[str, float]:
        to_critic, values = self.of_critic(d[0])
        rule: Any = self.configuration.updates
        to_generator, own = self.of_generator(d[0] if rule.shared else m[0])
        self.move_critic(to_critic)
        self.move_generator(to_generator)
        self.follow()
        return {**values, **own}

    def extragradient(self, d: list[Any], m: list[Any]) -> dict[str, float]:
        start = [copy.deepcopy(n.state_dict()) for n in (self.generator, self.critic)]
        to_critic, to_generator = self.of_critic(d[0])[0], self.of_generator(m[0])[0]
        self.move_critic(to_critic)
        self.move_generator(to_generator)
        to_critic, values = self.of_critic(d[1])
        to_generator, own = self.of_generator(m[1])
        self.generator.load_state_dict(start[0])
        self.critic.load_state_dict(start[1])
        self.move_critic(to_critic)
        self.move_generator(to_generator)
        self.follow()
        return {**values, **own}

    def lookahead(self, d: list[Any], m: list[Any]) -> dict[str, float]:
        rule: Any = self.configuration.updates
        players = [*self.generator.parameters(), *self.critic.parameters()]
        if not self.rounds:
            self.slow = [p.detach().clone() for p in players]
        values = self.alternating(d, m)
        self.rounds += 1
        if self.rounds % rule.rounds == 0:
            for slow, fast in zip(self.slow, players, strict=True):
                slow.lerp_(fast.detach(), rule.share)
                fast.data.copy_(slow)
        return values

    def lead(self, d: list[Any], m: list[Any]) -> dict[str, float]:
        c, weight = self.configuration, cast(Any, self.configuration.updates).weight
        phi, theta = list(self.critic.parameters()), list(self.generator.parameters())
        now = [p.detach().clone() for p in (*theta, *phi)]
        moved = [a - b for a, b in zip(now, self.slow or now, strict=True)]
        self.slow = now
        x, z, noise = d[0]
        loss, values = self.critic_loss(x, self.fake(z), noise)
        on_m = self.generator_loss(*m[0])
        to_phi = torch.autograd.grad(loss, phi, create_graph=True)
        to_theta = torch.autograd.grad(on_m, theta, create_graph=True)
        # D_(theta phi) L_M dphi is the slope of L_M along dphi, differentiated in theta.
        on_phi = torch.autograd.grad(on_m, phi, create_graph=True, allow_unused=True)
        on_theta = torch.autograd.grad(loss, theta, create_graph=True)
        along = [
            sum(
                ((g * u).sum() for g, u in zip(gs, us, strict=True) if g is not None),
                start=0 * on_m,
            )
            for gs, us in ((on_phi, moved[len(theta) :]), (on_theta, moved[: len(theta)]))
        ]
        push_theta = torch.autograd.grad(along[0], theta, allow_unused=True, retain_graph=True)
        push_phi = torch.autograd.grad(along[1], phi, allow_unused=True)
        on_theta, on_phi = (
            [(g if e is None else g + weight / lr * e).detach() for g, e in zip(g, e, strict=True)]
            for g, e, lr in (
                (to_theta, push_theta, c.generator.lr),
                (to_phi, push_phi, c.critic.lr),
            )
        )
        self.move_critic(on_phi)
        self.move_generator(on_theta)
        own = {"generator_loss": on_m.item(), "generator_gradient_norm": _norm(on_theta)}
        return {**values, **own, "critic_gradient_norm": _norm(on_phi)}

    def consensus(self, d: list[Any], m: list[Any]) -> dict[str, float]:
        rule: Any = self.configuration.updates
        phi, theta = list(self.critic.parameters()), list(self.generator.parameters())
        x, z, noise = d[0]
        loss, values = self.critic_loss(x, self.fake(z), noise)
        on_m = self.generator_loss(*m[0])
        to_phi = torch.autograd.grad(loss, phi, create_graph=True)
        to_theta = torch.autograd.grad(on_m, theta, create_graph=True)
        energy = sum(((g**2).sum() for g in (*to_phi, *to_theta)), start=torch.zeros(())) / 2
        extra = torch.autograd.grad(energy, [*phi, *theta], allow_unused=True)
        whole = [
            (g if e is None else g + rule.weight * e).detach()
            for g, e in zip([*to_phi, *to_theta], extra, strict=True)
        ]
        on_phi, on_theta = whole[: len(phi)], whole[len(phi) :]
        self.move_critic(on_phi)
        self.move_generator(on_theta)
        self.follow()
        own = {"generator_loss": on_m.item(), "generator_gradient_norm": _norm(on_theta)}
        return {**values, **own, "critic_gradient_norm": _norm(on_phi)}


def _plain(own: Trial[Adversarial]) -> tuple[Curves, torch.Tensor, _Plain]:
    """Curves at every round, and final samples."""
    plain, curves = _Plain(own), Curves()
    c = own.configuration
    rounds = c.steps // c.generator.steps
    unseen = held_out([own], CPU)[0] if c.training_set is not None else None
    for batch in itertools.islice(batches([own, own], CPU), rounds):
        values = plain.round(batch)
        if unseen is not None:
            with torch.no_grad():
                values["held_out_logit"] = float(plain.judge(unseen).mean())
        for name, value in values.items():
            curves.setdefault(name, []).append(value)
    with torch.no_grad():
        return curves, plain.generator(evaluation_latent([own], CPU)[0]), plain


def _settings(own: Trial[Adversarial]) -> dict[str, Any]:
    settings = own.configuration.model_dump()
    settings.pop("name")
    return settings


def _assert_equal(own: Trial[Adversarial], rtol: float = 2e-4, atol: float = 2e-5) -> None:
    record = train([trial(6, **_settings(own)), own])[1]
    assert record.status == "complete"
    curves, samples, plain = _plain(own)
    for name, values in curves.items():
        np.testing.assert_allclose(record.values[name], values, rtol=rtol, atol=atol, err_msg=name)
    metrics = {metric.name for metric in own.configuration.record.metrics}
    ours = {n for n in record.along("step") if n.removeprefix("average_") not in metrics}
    assert ours - {"bound", "exact"} == set(curves)
    assert "samples" in record.values
    np.testing.assert_allclose(record.values["samples"], samples.numpy(), rtol=rtol, atol=atol)
    if own.configuration.generator.average is not None:
        with torch.no_grad():
            mean = plain.average(evaluation_latent([own], CPU)[0]).numpy()
        game, state = initial([own, own], CPU)
        for batch in itertools.islice(batches([own, own], CPU), own.configuration.steps):
            state, _ = game.updates.play(program("eager", "cpu"), game, state, batch)
        found = game.sample(state.generator, evaluation_latent([own, own], CPU), averaged=True)
        np.testing.assert_allclose(found[0].numpy(), mean, rtol=rtol, atol=atol)


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
    _assert_equal(own)


SMOOTH = {"activation": "tanh", "optimizer": {"name": "adam", "eps": 1e-3}}
FEATURES: dict[str, dict[str, Any]] = {
    "gradient penalty": {"constraint": "gradient_penalty", "critic": {"steps": 2}},
    "r1": {"constraint": "r1"},
    "r2": {"constraint": {"name": "r2", "weight": 3.0}},
    "r1 and r2": {"constraint": ["r1", {"name": "r2", "weight": 3.0}]},
    "noise and a penalty": {"constraint": ["instance_noise", "gradient_penalty"]},
    "a penalty and clipped weights": {"constraint": ["r1", {"name": "clip", "bound": 0.05}]},
    "instance noise": {"constraint": {"name": "instance_noise", "until": 0.5}},
    "several M-steps": {"generator": {"steps": 3}, "record": {"every": 3}},
    "pac": {"critic": {"pac": 3}},
    "pac with a penalty": {"critic": {"pac": 2}, "constraint": "gradient_penalty"},
    "until": {"critic": {"steps": {"until": 0.001, "patience": 2, "max": 7}, "lr": 0.02}},
    "simultaneous": {"updates": "simultaneous"},
    "simultaneous with a penalty": {"updates": "simultaneous", "constraint": "r1"},
    "simultaneous on one batch": {
        "updates": {"name": "simultaneous", "shared": True},
        "constraint": "r1",
    },
    "scaled inputs": {"critic": {"scale": 0.25}, "constraint": "r1"},
    "extragradient": {"updates": "extragradient"},
    "averaged extragradient": {"updates": "extragradient", "generator": {"average": 0.7}},
    "consensus": {"updates": "consensus"},
    "consensus with a penalty": {
        "updates": {"name": "consensus", "weight": 1.0},
        "constraint": "r1",
    },
    "lookahead": {"updates": {"name": "lookahead", "rounds": 4}, "critic": {"steps": 2}},
    "lead": {
        "updates": {"name": "lead", "weight": 0.5},
        "generator": {"optimizer": {"name": "momentum", "momentum": 0.5}, "lr": 0.05},
        "critic": {"optimizer": "sgd", "lr": 0.1},
    },
    "relativistic": {"divergence": "relativistic_average"},
    "relativistic consensus": {"divergence": "relativistic_average", "updates": "consensus"},
    "relativistic pairs": {
        "divergence": "relativistic_pairing",
        "constraint": ["r1", "r2"],
        "critic": {"pac": 2},
    },
    "all relativistic pairs": {"divergence": {"name": "relativistic_pairing", "pairing": "all"}},
    "batch norm": {"generator": {"norm": "batch"}, "critic": {"norm": "batch"}},
    "layer norm": {"generator": {"norm": "layer"}, "critic": {"norm": "layer"}},
    "average": {"generator": {"average": 0.9}},
    "conditional": {"condition": True},
    "conditional penalty": {"condition": True, "constraint": "r1", "critic": {"pac": 1}},
    "training set": {"training_set": 20},
    "epochs": {"training_set": {"size": 50, "balanced": True, "sampling": "epochs"}},
}


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_equals_a_plain_loop(feature: str) -> None:
    """The same, for what a study can add, over a dozen rounds."""
    settings = copy.deepcopy(FEATURES[feature])
    for player in ("generator", "critic"):
        settings[player] = {
            "width": 12,
            "depth": 2,
            "lr": 3e-3,
            **SMOOTH,
            **settings.get(player, {}),
        }
    settings.setdefault("record", {"every": 1})
    own = trial(5, steps=FEW, batch=24, **settings)
    _assert_equal(own, rtol=1e-3)


def test_samples_are_measured_by_running_moments() -> None:
    """Means and deviations of each layer, averaged over the batches of the M-steps, by hand."""
    weight, steps = 0.2, 9
    # The biases before a norm have no effect, and gradients of rounding: SMOOTH has a large eps.
    generator = {"width": 6, "depth": 2, "norm": "batch", "norm_average": weight, **SMOOTH}
    own = trial(2, generator=generator, steps=steps, record={"every": steps})
    plain, hidden = _Plain(own), []
    for layer in range(2):
        linear, norm = plain.generator[3 * layer], plain.generator[3 * layer + 1]
        means, deviations = torch.zeros(6), torch.ones(6)
        hidden.append((linear, norm, [means, deviations]))

    def passed(x: torch.Tensor, learn: bool) -> torch.Tensor:
        for linear, norm, moments in hidden:
            x = linear(x)
            if learn:
                mean, deviation = x.mean(0), (x.var(0, unbiased=False) + norm.eps).sqrt()
                moments[0] = (1 - weight) * moments[0] + weight * mean
                moments[1] = (1 - weight) * moments[1] + weight * deviation
            else:
                mean, deviation = moments
            x = ((x - mean) / deviation * norm.weight + norm.bias).tanh()
        return plain.generator[-1](x)

    for batch in itertools.islice(batches([own, own], CPU), steps):
        gradients, _ = plain.of_critic((batch.real[0, 0], batch.latent[0, 0], ()))
        plain.move_critic(gradients)
        with torch.no_grad():
            passed(batch.latent[1, 0], learn=True)
        gradients, _ = plain.of_generator((batch.real[0, 0], batch.latent[1, 0], ()))
        plain.move_generator(gradients)
    latent = evaluation_latent([own], CPU)[0]
    with torch.no_grad():
        expected, by_their_own = passed(latent, learn=False), plain.generator(latent)
    found = train([own])[0].values["samples"]
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-3, atol=1e-4)
    assert np.abs(found - by_their_own.numpy()).max() > 0.01


# --- games that can be solved by hand ------------------------------------------------------------


def _linear_game(updates: Any, steps: int = 8) -> tuple[np.ndarray[Any, Any], ...]:
    """Bilinear: generator x = b (depth 0, its weights see noise), critic a = w x; by recursion."""
    player = {"depth": 0, "optimizer": "sgd", "lr": 0.1}
    own = trial(
        3,
        divergence="wasserstein",
        constraint="none",
        target={"name": "ring", "modes": 1, "std": 0.1},
        generator=player,
        critic=player,
        updates=updates,
        steps=steps,
        batch=8,
        record={"every": 1},
    )
    game, state = initial([own, own], CPU)
    w, b = (
        v[0].double().numpy() for v in game.generator.split(state.generator.parameters).values()
    )
    a = game.critic.split(state.critic.parameters)["weight_0"][0].double().numpy()[:, 0]
    drawn = list(itertools.islice(batches([own, own], CPU), steps))
    record = train([own])[0]
    rule = updates if isinstance(updates, str) else updates["name"]
    lr, gamma = 0.1, 0.1
    for batch in drawn:
        x = batch.real[:, 0].double().numpy()
        z = batch.latent[:, 0].double().numpy()
        d_mean, m_mean = z[: len(x)].mean(1), z[len(x) :].mean(1)

        def of_critic(w: Any, b: Any, i: int, x: Any = x, d: Any = d_mean) -> Any:
            return d[i] @ w + b[0] - x[i].mean(0)

        def of_generator(a: Any, i: int, m: Any = m_mean) -> tuple[Any, Any]:
            return -np.outer(m[i], a), -a[None]

        if rule == "alternating":
            a = a - lr * of_critic(w, b, 0)
            to_w, to_b = of_generator(a, 0)
        elif rule == "simultaneous":
            to_w, to_b = of_generator(a, 0)
            a = a - lr * of_critic(w, b, 0)
        elif rule == "extragradient":
            to_w, to_b = of_generator(a, 0)
            ahead_a = a - lr * of_critic(w, b, 0)
            ahead_w, ahead_b = w - lr * to_w, b - lr * to_b
            to_w, to_b = of_generator(ahead_a, 1)
            a = a - lr * of_critic(ahead_w, ahead_b, 1)
        else:
            v = of_critic(w, b, 0)
            to_w, to_b = of_generator(a, 0)
            # |v|^2/2 in (w, b) through the critic's gradient; in a through the generator's.
            to_w = to_w + gamma * np.outer(d_mean[0], v)
            to_b = to_b + gamma * v[None]
            a = a - lr * (v + gamma * (m_mean[0] @ m_mean[0] + 1) * a)
        w, b = w - lr * to_w, b - lr * to_b
    latent = evaluation_latent([own], CPU)[0].double().numpy()
    assert "samples" in record.values
    return record.values["samples"], latent @ w + b


@pytest.mark.parametrize("updates", ["alternating", "simultaneous", "extragradient", "consensus"])
def test_updates_of_a_bilinear_game_by_hand(updates: str) -> None:
    """SGD on E_q a - E_p a with affine players: every scheme is a linear recursion in NumPy."""
    found, expected = _linear_game(updates)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


# --- what is recorded ----------------------------------------------------------------------------


def test_recorded_metrics_are_those_of_the_recorded_samples() -> None:
    """The last value of each metric's curve can be computed anew from the stored samples."""
    own = trial(1, steps=10, record={"every": 3})
    record = train([own])[0]
    np.testing.assert_array_equal(record.values["step"], [3, 6, 9, 10])
    assert "samples" in record.values
    for metric in own.configuration.record.metrics:
        expected = metric.compute(record.values["samples"], own.configuration.target)
        assert record.values[metric.name][-1] == pytest.approx(float(expected), rel=1e-6)
