"""Trial-steps per second of convolutions against an ordinary PyTorch DCGAN, in paired rounds."""

from __future__ import annotations

import functools
import statistics
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.duel import Team
from benchmarks.throughput import ONE_THREAD

BATCH, LATENT, ROUNDS, SECONDS = 64, 64, 7, 5.0
CASES: dict[str, dict[str, int]] = {
    "28x28, grey": {"size": 28, "channels": 1, "width": 32, "depth": 2},
    "64x64, colours": {"size": 64, "channels": 3, "width": 32, "depth": 4},
}


def target(case: str) -> Any:
    """Sprites: drawn by code, so that both read the same images and neither reads a disk."""
    from ganstudy import targets

    shape = {name: CASES[case][name] for name in ("size", "channels")}
    return targets.family.from_config({"name": "sprites", "noise": 0.001, **shape})


class Ours:
    """A pack of trials as the scheduler would train it, without recording."""

    warm_up = 3

    def __init__(self, seed: int, case: str) -> None:
        torch.set_num_threads(1)
        from ganstudy.engine.packing import packs
        from ganstudy.engine.session import Session
        from ganstudy.kinds.adversarial import Adversarial
        from ganstudy.kinds.adversarial.batches import batches
        from ganstudy.kinds.adversarial.program import program
        from ganstudy.kinds.adversarial.training import initial
        from ganstudy.trial import Trial

        size = {name: CASES[case][name] for name in ("width", "depth")}
        player = {"network": "dcgan", "initialisation": "normal", "lr": 2e-4, **size}
        player["optimizer"] = {"name": "adam", "beta1": 0.5}
        configuration = Adversarial.model_validate(
            {
                "target": target(case),
                "batch": BATCH,
                "generator": {**player, "latent": LATENT, "norm": "batch"},
                "critic": {**player, "norm": "batch", "activation": "leaky_relu"},
                "record": {"metrics": ["energy_distance"]},
            }
        )
        own = packs([Trial(configuration, 1000 * seed + i) for i in range(64)], workers=1)[0]
        self.pack, device = len(own), torch.device("cpu")
        self.session, self.program = Session(), program("eager", "cpu")
        self.game, self.state = initial(own, device)
        self.batches = batches(own, device)

    def run(self, steps: int) -> None:
        with self.session.computing():
            for _ in range(steps):
                batch = next(self.batches)
                self.state, _ = self.game.updates.play(self.program, self.game, self.state, batch)


class Plain:
    """One trial, as PyTorch's tutorial on DCGAN writes it, on images that are drawn beforehand."""

    pack, warm_up = 1, 3

    def __init__(self, seed: int, case: str) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        size, channels, width, depth = (CASES[case][n] for n in CASES["28x28, grey"])
        drawn = target(case).sample(np.random.default_rng(seed), 2000)
        self.images = torch.from_numpy(drawn).reshape(-1, channels, size, size)
        self.generator = generator(channels, size, width, depth)
        self.critic = critic(channels, size, width, depth)
        self.g_optimizer, self.c_optimizer = (
            torch.optim.Adam(own.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for own in (self.generator, self.critic)
        )
        self.loss = nn.BCEWithLogitsLoss()
        self.ones, self.zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            real = self.images[torch.randint(len(self.images), (BATCH,))]
            with torch.no_grad():
                fake = self.generator(torch.randn(BATCH, LATENT))
            self.c_optimizer.zero_grad()
            loss = self.loss(self.critic(real), self.ones)
            (loss + self.loss(self.critic(fake), self.zeros)).backward()
            self.c_optimizer.step()
            self.g_optimizer.zero_grad()
            # Without this the backward pass would compute gradients of the critic nobody uses.
            self.critic.requires_grad_(False)
            fake = self.generator(torch.randn(BATCH, LATENT))
            self.loss(self.critic(fake), self.ones).backward()
            self.g_optimizer.step()
            self.critic.requires_grad_(True)


def generator(channels: int, size: int, width: int, depth: int) -> nn.Sequential:
    inner, side = width << (depth - 1), size >> depth
    layers: list[nn.Module] = [nn.Linear(LATENT, inner * side**2)]
    layers += [nn.Unflatten(1, (inner, side, side)), nn.BatchNorm2d(inner), nn.ReLU(True)]
    for _ in range(depth - 1):
        layers += [nn.ConvTranspose2d(inner, inner // 2, 4, 2, 1), nn.BatchNorm2d(inner // 2)]
        layers += [nn.ReLU(True)]
        inner //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(inner, channels, 4, 2, 1), nn.Tanh())


def critic(channels: int, size: int, width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for _ in range(depth - 1):
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width)]
        layers += [nn.LeakyReLU(0.2, True)]
        width *= 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * (size >> depth) ** 2, 1))


def measure(cases: tuple[str, ...] = tuple(CASES)) -> dict[str, Any]:
    from ganstudy.schedule.executor import environment

    rows = []
    for case in cases:
        teams = {
            "ganstudy": Team(
                functools.partial(Ours, case=case), {**ONE_THREAD, **environment("eager")}
            ),
            "plain": Team(functools.partial(Plain, case=case), ONE_THREAD),
        }
        steps = {
            name: max(2, round(SECONDS * team.rate(3) / team.pack / 2))
            for name, team in teams.items()
        }
        turns = [{n: team.rate(steps[n]) for n, team in teams.items()} for _ in range(ROUNDS)]
        for team in teams.values():
            team.stop()
        row: dict[str, Any] = {"images": case, "pack": teams["ganstudy"].pack}
        for name in teams:
            row[name] = statistics.median(turn[name] for turn in turns)
        row["over_plain"] = statistics.median(t["ganstudy"] / t["plain"] for t in turns)
        rows.append(row)
    return {"batch": BATCH, "rounds": ROUNDS, "rows": rows}
