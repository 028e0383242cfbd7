"""The fastest thing an expert would write: one jitted vmap over trials of a scan over steps."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp

CHUNK = 100
"""Steps in one call of the compiled scan."""

Parameters = list[tuple[jax.Array, jax.Array]]


def network(key: jax.Array, sizes: list[int]) -> Parameters:
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        key, w, b = jax.random.split(key, 3)
        bound = inputs**-0.5
        layers.append(
            (
                jax.random.uniform(w, (inputs, outputs), minval=-bound, maxval=bound),
                jax.random.uniform(b, (outputs,), minval=-bound, maxval=bound),
            )
        )
    return layers


def forward(parameters: Parameters, x: jax.Array) -> jax.Array:
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return x @ weight + bias


def adam(gradient: Any, state: Any, step: jax.Array, lr: float) -> tuple[Any, Any]:
    first, second = state
    first = jax.tree.map(lambda m, g: 0.5 * m + 0.5 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
    a, b = 1 - 0.5**step, 1 - 0.999**step
    change = jax.tree.map(lambda m, v: -lr * (m / a) / (jnp.sqrt(v / b) + 1e-8), first, second)
    return change, (first, second)


def start(key: jax.Array, width: int) -> Any:
    g, c = jax.random.split(key)
    generator, critic = network(g, [2, width, width, 2]), network(c, [2, width, width, 1])
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    return (
        (generator, (zeros(generator), zeros(generator))),
        (critic, (zeros(critic), zeros(critic))),
        jnp.zeros(()),
    )


def one_step(
    batch: int, d_steps: int, penalty: float, carry: Any, key: jax.Array
) -> tuple[Any, None]:
    (generator, g_state), (critic, c_state), step = carry

    def d_step(carry: Any, own: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
        critic, c_state = carry
        number, key = own
        modes, noise, z, between = jax.random.split(key, 4)
        angle = 2 * jnp.pi * jax.random.randint(modes, (batch,), 0, 8) / 8
        real = jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=1)
        real = real + 0.02 * jax.random.normal(noise, (batch, 2))
        fake = forward(generator, jax.random.normal(z, (batch, 2)))

        def critic_loss(parameters: Parameters) -> jax.Array:
            on_real, on_fake = forward(parameters, real), forward(parameters, fake)
            loss = jax.nn.softplus(-on_real).mean() + jax.nn.softplus(on_fake).mean()
            if not penalty:
                return loss
            share = jax.random.uniform(between, (batch, 1))
            slope = jax.grad(lambda x: forward(parameters, x).sum())(
                share * real + (1 - share) * fake
            )
            norm = jnp.sqrt((slope**2).sum(1) + 1e-12)
            return loss + penalty * ((norm - 1) ** 2).mean()

        change, c_state = adam(jax.grad(critic_loss)(critic), c_state, number, 1e-3)
        return (jax.tree.map(jnp.add, critic, change), c_state), None

    step = step + 1
    *for_critic, for_generator = jax.random.split(key, d_steps + 1)
    numbers = (step - 1) * d_steps + 1 + jnp.arange(d_steps)
    (critic, c_state), _ = jax.lax.scan(
        d_step, (critic, c_state), (numbers, jnp.stack(for_critic)), unroll=True
    )

    def generator_loss(parameters: Parameters) -> jax.Array:
        latent = jax.random.normal(for_generator, (batch, 2))
        return jax.nn.softplus(-forward(critic, forward(parameters, latent))).mean()

    change, g_state = adam(jax.grad(generator_loss)(generator), g_state, step, 1e-3)
    generator = jax.tree.map(jnp.add, generator, change)
    return ((generator, g_state), (critic, c_state), step), None


class JaxPack:
    """Trials side by side, `CHUNK` steps in one call."""

    def __init__(
        self,
        seed: int,
        width: int,
        batch: int,
        pack: int,
        d_steps: int = 1,
        penalty: float = 0.0,
    ) -> None:
        keys = jax.random.split(jax.random.key(seed), pack)
        self.state = jax.vmap(functools.partial(start, width=width))(keys)
        self.keys, self.pack = keys, pack

        def chunk(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            key, own = jax.random.split(key)
            step = functools.partial(one_step, batch, d_steps, penalty)
            carry, _ = jax.lax.scan(step, carry, jax.random.split(own, CHUNK))
            return carry, key

        self.chunk = jax.jit(jax.vmap(chunk))

    def run(self, steps: int) -> None:
        for _ in range(steps // CHUNK):
            self.state, self.keys = self.chunk(self.state, self.keys)
        jax.block_until_ready(self.state)
