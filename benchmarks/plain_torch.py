"""The ordinary way: one trial a time in PyTorch, as its tutorials write it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


def network(inputs: int, width: int, depth: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class PlainTrial:
    """A non-saturating GAN on a ring of eight Gaussians, with Adam."""

    def __init__(
        self,
        seed: int,
        width: int,
        batch: int,
        d_steps: int = 1,
        lr: float = 1e-3,
        divergence: str = "non_saturating",
        penalty: float = 0.0,
    ) -> None:
        torch.manual_seed(seed)
        self.penalty = penalty
        self.batch, self.d_steps, self.divergence = batch, d_steps, divergence
        self.generator = network(2, width, 2, 2)
        self.critic = network(2, width, 2, 1)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), lr=lr, betas=(0.5, 0.999))
        self.c_optimizer = torch.optim.Adam(self.critic.parameters(), lr=lr, betas=(0.5, 0.999))
        self.loss = nn.BCEWithLogitsLoss()
        self.ones, self.zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
        angles = 2 * np.pi * torch.arange(8) / 8
        self.means = torch.stack([angles.cos(), angles.sin()], dim=1)

    def real(self) -> torch.Tensor:
        mode = torch.randint(8, (self.batch,))
        return self.means[mode] + 0.02 * torch.randn(self.batch, 2)

    def step(self) -> None:
        for _ in range(self.d_steps):
            with torch.no_grad():
                fake = self.generator(torch.randn(self.batch, 2))
            self.c_optimizer.zero_grad()
            real = self.real()
            loss = self.loss(self.critic(real), self.ones)
            loss = loss + self.loss(self.critic(fake), self.zeros)
            if self.penalty:
                loss = loss + self.penalty * self.steepness(real, fake)
            loss.backward()
            self.c_optimizer.step()
        self.g_optimizer.zero_grad()
        # Without this the backward pass would compute gradients of the critic that nobody uses.
        self.critic.requires_grad_(False)
        logits = self.critic(self.generator(torch.randn(self.batch, 2)))
        self.generator_loss(logits).backward()
        self.g_optimizer.step()
        self.critic.requires_grad_(True)

    def steepness(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        share = torch.rand(self.batch, 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        return (slope.norm(dim=1) - 1).square().mean()

    def generator_loss(self, logits: torch.Tensor) -> torch.Tensor:
        if self.divergence == "minimax":
            return -self.loss(logits, self.zeros)
        if self.divergence == "reverse_kl":
            return -logits.mean()
        return self.loss(logits, self.ones)

    def train(self, steps: int, every: int, samples: int) -> np.ndarray:
        """Modes covered at every recorded step."""
        latent = torch.randn(samples, 2)
        curve = []
        for step in range(1, steps + 1):
            self.step()
            if step % every == 0:
                with torch.no_grad():
                    distance = torch.cdist(self.generator(latent), self.means)
                nearest, mode = distance.min(dim=1)
                counts = torch.bincount(mode[nearest < 0.06], minlength=8)
                curve.append(int((counts >= samples / 80).sum()))
        return np.array(curve)


def train(**settings: object) -> np.ndarray:
    """One whole trial, in a worker process."""
    torch.set_num_threads(1)
    steps, every, samples = (int(str(settings.pop(k))) for k in ("steps", "every", "samples"))
    # Objects to mypy: `throughput` and `peers` hand over what its fields ask for.
    return PlainTrial(**settings).train(steps, every, samples)  # type: ignore[arg-type]
