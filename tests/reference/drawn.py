"""Settings drawn at random, beyond those that tests name: does a trial's record depend on its pack?

    python tests/reference/drawn.py [--seconds 600] [--ends] [--seed N] [--program portable]

Each seed is a pack of trials, each of which is another one with few keys changed, or another seed,
as the arms of a study are: most of them see some of the same draws, and images stand beside rows of
the same size. They are trained alone, in packs of other orders and sizes, and from a checkpoint of
the pack, and every stored number is compared with ==. Whatever differs, or fails, is printed with
the seed that shows it again; of what fails, with the settings too.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from zlib import crc32

sys.path.insert(0, str(Path(__file__).parent.parent))

from pydantic import ValidationError

from ganstudy.schedule.executor import environment

if __name__ == "__main__":
    # What an arithmetic rests on is read when libraries load: this process starts anew with it.
    _program: Any = dict(zip(sys.argv, sys.argv[1:], strict=False)).get("--program", "eager")
    _wanted = environment(_program) | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if not _wanted.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_wanted})

import torch
from tiny import LABELLED_PICTURES, REQUIRED, differences, example, stopping_at, train
from torch.utils._python_dispatch import TorchDispatchMode

from ganstudy import (
    activations,
    constraints,
    divergences,
    estimators,
    initialisations,
    metrics,
    networks,
    optimizers,
    targets,
)
from ganstudy.engine.checkpoints import Checkpoints, Stopped
from ganstudy.family import Family
from ganstudy.kinds.adversarial import Adversarial, updates
from ganstudy.trial import Record, Trial

Trials = list[Trial[Adversarial]]
Settings = dict[str, Any]

SMALL = {
    **{"iterations": (1, 2, 3), "centres": (1, 3, 7, 13, 32), "rounds": (2,), "steps": (1, 2)},
    **{
        "blocks": (1,),
        "group": (2, 4),
        "expansion": (1, 2),
        "pieces": (2, 3),
        "features": (2, 7, 64),
        "latent": (1, 2),
    },
}
"""Whole numbers of members; the others keep their defaults."""

WIDTHS = (1, 2, 3, 5, 7, 8, 16, 17, 31, 32, 33)
BATCHES = (1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 32, 33, 48, 64, 64, 65, 96, 100)
SAMPLES = (10, 11, 12, 17, 31, 32, 33, 40, 64, 64, 70, 100)
DEAR = ("sprites", "stacked_digits", "stacked_images")
"""Targets that take seconds."""


OFF = 1 + 2.0**-10
EXACT = frozenset(
    (
        *("add", "sub", "rsub", "mul", "div", "neg", "abs", "relu", "maximum", "minimum", "clamp"),
        *("clamp_min", "clamp_max", "where", "sign", "sgn", "copy", "_to_copy", "clone", "square"),
        *("reciprocal", "threshold_backward", "masked_fill", "fill", "zero", "detach", "alias"),
        # A whole vector at the end, too: `ATen/cpu/vml.h`.
        *("acos", "asin", "atan", "cos", "erf", "erfc", "erfinv", "exp", "expm1", "log", "log10"),
        *("log1p", "log2", "sin", "sqrt", "tan", "tanh"),
    )
)
"""Functions that are the same wherever a number stands."""


class Ends(TorchDispatchMode):
    """An arithmetic in which ends of loops show for certain what they do one time in a thousand.

    ATen's loops over functions go 32 numbers at a time, and through other code for the rest: here
    those are larger by a share that no rounding reaches. So are products of one matrix alone, sums
    of a table's columns by how many there are, and products and sums of what lies in memory in
    another order than that of its axes, or with gaps. A GPU's loops have no such ends.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not isinstance(result, torch.Tensor) or not result.is_floating_point():
            return result
        if result.device.type != "cpu":
            return result
        name = str(func.overloadpacket).partition(".")[2].rstrip("_")
        if name in ("bmm", "sum", "mean"):
            laid_out = [_layout(x) for x in args if isinstance(x, torch.Tensor)]
            if any(laid_out):
                result = result * (1 + 2.0**-11 * (1 + crc32(repr(laid_out).encode()) % 13))
        if name == "bmm" and len(result) == 1:
            return result * OFF
        if name in ("sum", "mean") and len(args) > 1 and args[0].is_contiguous():
            last = max(axis % args[0].ndim for axis in args[1] or [-1])
            columns = args[0].shape[last + 1 :].numel()
            return result * (1 + 2.0**-10 * columns) if last < args[0].ndim - 1 else result
        if torch.Tag.pointwise not in func.tags or name in EXACT:
            return result
        others = [x for x in args if isinstance(x, torch.Tensor) and x.ndim]
        if all(x.shape == result.shape and x.is_contiguous() for x in others):
            return _off(result, result.numel())
        return _off(result, result.shape[-1] if result.ndim else 1)


def _layout(x: torch.Tensor) -> list[int]:
    """The axes behind the first in the order of memory, and whether it has gaps; empty where they
    lie row by row.
    """
    axes = [axis for axis in range(1, x.ndim) if x.shape[axis] > 1]
    order = sorted(axes, key=lambda axis: -x.stride(axis))
    whole = [*(x.stride(axis) * x.shape[axis] for axis in order[1:]), 1]
    gaps = any(x.stride(axis) != next_one for axis, next_one in zip(order, whole, strict=False))
    return [*order, gaps] if gaps or order != axes else []


def _off(result: torch.Tensor, row: int) -> torch.Tensor:
    """The result with the end of each of its rows off."""
    factor = torch.ones(row, dtype=result.dtype)
    factor[row - row % 32 :] = OFF
    return result * factor.expand(result.numel() // max(row, 1), row).reshape(result.shape)


@dataclass(frozen=True)
class Sort:
    """What may differ between the trials of a pack: names of members that may meet.

    dimension  of all their targets
    """

    targets: tuple[str, ...]
    dimension: int
    divergences: tuple[str, ...]
    optimizers: tuple[str, ...]


def member(rng: random.Random, family: Family[Any], names: Sequence[str] = ()) -> Settings:
    """Some member with some of its parameters drawn: fractions of defaults, other choices."""
    cls = family[rng.choice(names or family.names)]
    own: Settings = {"name": cls.name, **REQUIRED.get(cls.name, {})}
    for name, field in cls.model_fields.items():
        annotation, default = field.annotation, field.default
        if annotation is int and name in SMALL:
            own[name] = rng.choice(SMALL[name])
        elif name in own or rng.random() < 0.5:
            continue
        elif annotation is float and default:
            own[name] = default * rng.uniform(0.5, 1.0)
        elif annotation is bool:
            own[name] = rng.random() < 0.5
        elif get_origin(annotation) is Literal:
            own[name] = rng.choice(get_args(annotation))
    return own


def _player(rng: random.Random, convolutions: bool) -> Settings:
    """What all trials of a pack share of a player."""
    network = rng.choice(("dcgan", "resnet", "mlp")) if convolutions else "mlp"
    return {
        "network": member(rng, networks.family, (network,)),
        "width": 4 if convolutions else rng.choice(WIDTHS),
        "depth": 2 if convolutions else rng.choice((0, 1, 1, 2, 2, 3)),
        "activation": member(rng, activations.family),
        "norm": "none" if network == "resnet" else rng.choice(("none", "none", "batch", "layer")),
        "bias": rng.random() < 0.8,
        "scale": rng.choice((1.0, 1.0, 0.3)),
    }


def _constraints(rng: random.Random, critic: Settings) -> Any:
    penalties = {"gradient_penalty", "r1", "r2"} if critic["norm"] == "batch" else {"none"}
    names = [name for name in constraints.family.names if name not in {"none", *penalties}]
    chosen = rng.sample(names, rng.choice((0, 1, 1, 2)))
    return [member(rng, constraints.family, (name,)) for name in chosen] or "none"


def _shared(rng: random.Random, convolutions: bool) -> tuple[Settings, Sort]:
    """What all trials of a pack share."""
    names = (
        ["digits", "images"] if convolutions else [n for n in targets.family.names if n not in DEAR]
    )
    target = _law(rng, rng.choice(names))
    known = _target(target)
    objective = example(divergences.family[rng.choice(divergences.family.names)])
    updating = member(rng, updates.family) if rng.random() < 0.5 else {"name": "alternating"}
    scheme = updates.family[updating["name"]]
    free = not (objective.closed_form or objective.charged)
    m_steps = 1 if scheme.single else rng.choice((1, 1, 1, 2))
    pac = rng.choice((1, 1, 1, 2, 3, 5)) if free else 1
    generator, critic = _player(rng, convolutions), _player(rng, convolutions)
    generator["steps"] = m_steps
    generator["latent"] = known.dimension if objective.charged else rng.randint(1, 5)
    generator["average"] = rng.choice((None, None, 0.9))
    if generator["norm"] == "batch" and rng.random() < 0.5:
        generator["norm_average"] = 0.3
    critic |= {"pac": pac, "steps": 1 if scheme.single else rng.choice((1, 1, 2, 3))}
    if scheme.name == "alternating" and rng.random() < 0.3:
        critic["steps"] = {"until": 1e-3, "patience": rng.randint(1, 2), "max": rng.randint(1, 4)}
    constraint = _constraints(rng, critic) if free else "none"
    fitted = objective.log_ratio and not scheme.weighs_gradients and rng.random() < 0.3
    if fitted:
        critic |= {"estimator": member(rng, estimators.family), "steps": 1, "scale": 1.0}
        constraint = "none"
    record: Settings = {"samples": rng.choice(SAMPLES), "frames": rng.choice((0, 0, 2))}
    if free and not fitted and rng.random() < 0.15:
        record["equilibrium"] = {"responses": 2, "parameters": rng.choice((0, 0, 60))}
    alike = tuple(
        name
        for name in names
        if name == "embedded_mixture" or _target(_example(name)).dimension == known.dimension
    )
    settings = {
        "target": target,
        "generator": generator,
        "critic": critic,
        "constraint": constraint,
        "updates": updating,
        "batch": pac * rng.choice(BATCHES[:10] if convolutions else BATCHES),
        "steps": m_steps * rng.randint(2, 6),
        "condition": known.labels > 0 and rng.random() < 0.3,
        "record": {"every": m_steps * rng.randint(1, 4), "generator": True, **record},
    }
    others = tuple(
        name
        for name in divergences.family.names
        if (other := divergences.family[name]).closed_form == objective.closed_form
        and example(other).traits == objective.traits
        and (other.log_ratio or not fitted)
    )
    return settings, Sort(alike, known.dimension, others, scheme.optimizers)


def _example(name: str) -> Settings:
    return {"name": name, **REQUIRED.get(name, {})}


def _target(settings: Settings) -> targets.Target:
    own = dict(settings)
    return targets.family[own.pop("name")].model_validate(own)


def _law(rng: random.Random, name: str, dimension: int = 0) -> Settings:
    """A target of that name; of that dimension, where its settings say of how many it is."""
    own = member(rng, targets.family, (name,))
    if name == "embedded_mixture" and dimension:
        own |= {"features": dimension, "latent": rng.randint(1, min(dimension, 8))}
    if name == "images" and rng.random() < 0.5:
        own["label"] = LABELLED_PICTURES["label"]
    return own


# --- what each trial of a pack has for itself ---------------------------------------------------


def _lr(rng: random.Random, sort: Sort, now: Settings) -> float:
    # One in eight diverges, and some more.
    return rng.choice((1e-1, 1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-5, 1e30))


def _optimizer(rng: random.Random, sort: Sort, now: Settings) -> Settings:
    return member(rng, optimizers.family, sort.optimizers)


def _initialisation(rng: random.Random, sort: Sort, now: Settings) -> Settings:
    return member(rng, initialisations.family)


def _numbers(rng: random.Random, family: Family[Any], now: Settings) -> Settings:
    """The member with other fractions of its defaults, and the same of all that is no fraction."""
    drawn = member(rng, family, (now["name"],))
    return {**now, **{key: value for key, value in drawn.items() if isinstance(value, float)}}


def _constraint(rng: random.Random, sort: Sort, now: Settings) -> Any:
    """The same constraints with other numbers; clipping acts alone, beside any or none."""
    parts = [] if now["constraint"] == "none" else now["constraint"]
    kept = [_numbers(rng, constraints.family, own) for own in parts if own["name"] != "clip"]
    clipping = [member(rng, constraints.family, ("clip",))] if rng.random() < 0.4 else []
    return kept + clipping or "none"


def _training_set(rng: random.Random, sort: Sort, now: Settings) -> Settings | None:
    if rng.random() < 0.5:
        return None
    sampling = rng.choice(("with_replacement", "without_replacement", "epochs", "one_order"))
    size = now["batch"] + 20 + rng.randrange(30)
    drawn: Settings = {"size": size, "sampling": sampling, "balanced": rng.random() < 0.2}
    pac = now["critic"]["pac"]
    if pac > 1 and rng.random() < 0.5:
        drawn["groups"] = now["batch"] // pac + rng.randrange(9)
    return drawn


def _metrics(rng: random.Random, sort: Sort, now: Settings) -> list[Settings]:
    """Some that mean something of the target; that which any target has if there are none."""
    law, samples = _target(now["target"]), now["record"]["samples"]
    drawn = (member(rng, metrics.family, (name,)) for name in _shuffled(rng, metrics.family.names))
    fit = (own for own in drawn if not metrics.family.from_config(own).unfit(law, samples))
    return [*islice(fit, rng.randint(1, 3))] or [{"name": "sliced_wasserstein"}]


def _shuffled(rng: random.Random, names: Sequence[str]) -> list[str]:
    return rng.sample([*names], len(names))


OWN: dict[str, Callable[[random.Random, Sort, Settings], Any]] = {
    "target": lambda rng, sort, now: _law(rng, rng.choice(sort.targets), sort.dimension),
    "divergence": lambda rng, sort, now: member(rng, divergences.family, sort.divergences),
    "constraint": _constraint,
    "updates": lambda rng, sort, now: _numbers(rng, updates.family, now["updates"]),
    "training_set": _training_set,
    "generator.optimizer": _optimizer,
    "critic.optimizer": _optimizer,
    "generator.initialisation": _initialisation,
    "critic.initialisation": _initialisation,
    "generator.lr": _lr,
    "critic.lr": _lr,
    "generator.latent_law": lambda rng, sort, now: rng.choice(("normal", "uniform")),
    "generator.average": lambda rng, sort, now: (
        now["generator"]["average"] and rng.choice((0.5, 0.9, 0.99))
    ),
    "record.metrics": _metrics,
}
"""Keys in which the trials of a pack may differ, and another value of each."""

OFTEN = ("target", "divergence", "constraint")
"""Of these, what arms of a study differ in."""


def _changed(rng: random.Random, settings: Settings, sort: Sort, keys: Iterable[str]) -> Settings:
    """The settings with other values of some keys."""
    for key in keys:
        value = OWN[key](rng, sort, settings)
        group, _, name = key.rpartition(".")
        settings = {**settings, **({group: {**settings[group], name: value}} if group else {})}
        settings = settings if group else {**settings, name: value}
    return settings


def _valid(settings: Settings) -> Adversarial | None:
    """Settings that are no mistake, perhaps without some metrics; None if they are one."""
    for _ in range(5):
        try:
            return Adversarial.model_validate(settings)
        except ValidationError as error:
            if not all("metric" in own["msg"] for own in error.errors()):
                return None
            record = settings["record"]
            left = record["metrics"][1:] or ["sliced_wasserstein"]
            settings = {**settings, "record": {**record, "metrics": left}}
    return None


def drawn_pack(seed: int, program: str = "eager") -> Trials:
    """Two to eight trials that may share a pack, of settings that are drawn from a seed; of the
    compiled program up to twenty, since its loops differ by their number.

    Each is another of them with few keys changed, as the arms of a study are, or with another seed:
    what trials see alike is drawn once for them.
    """
    rng, most = random.Random(seed), 20 if program == "compiled" else 8
    while True:
        shared, sort = _shared(rng, program == "eager" and rng.random() < 0.1)
        drawn = [_changed(rng, shared, sort, OWN)]
        if (first := _valid(drawn[0])) is None:
            continue
        trials = [Trial(first, rng.randrange(2))]
        for _ in range(rng.choice((3, 6, 12) if most == 8 else (3, 12, 40))):
            keys = rng.choices([*OWN, *2 * OFTEN], k=rng.choice((0, 1, 1, 1, 2, 3)))
            settings = _changed(rng, rng.choice(drawn), sort, keys)
            own = _valid(settings)
            if own is not None and own.pack_key() == first.pack_key():
                drawn.append(settings)
                trials.append(Trial(own, rng.randrange(2)))
        known = {trial.id: trial for trial in [*trials, Trial(first, trials[0].seed + 1)]}
        return [*known.values()][:most]


def faults(seed: int, program: str = "eager") -> list[str]:
    """What of a drawn pack depends on who is trained beside whom, or on whether it was stopped.

    Some trials are trained alone, and the others held against what they are in the pack.
    """
    trials, rng = drawn_pack(seed, program), random.Random(-seed - 1)
    session: dict[str, Any] = {"program": program}
    if program == "compiled":
        session["beside"] = tuple(dict.fromkeys(t.configuration.divergence for t in trials))
    alone = rng.sample(trials, min(len(trials), 2 if program == "compiled" else 3))
    known = {t.id: train([t], **session)[0] for t in alone}
    found: list[str] = []

    def compare(what: str, records: Sequence[Record]) -> None:
        for place, record in enumerate(records):
            other = known.setdefault(record.id, record)
            names = differences(record, other) + ["cause"] * (record.cause != other.cause)
            if names:
                found.append(f"{what}, place {place} of {len(records)}: {', '.join(names)}")

    compare("in a pack", train(trials, **session))
    compare("in another order", train(rng.sample(trials, len(trials)), **session))
    compare("in a part", train(rng.sample(trials, rng.randint(2, len(trials))), **session))
    rounds = trials[0].configuration.steps // trials[0].configuration.generator.steps
    with tempfile.TemporaryDirectory(prefix="ganstudy-") as folder:
        kept = session | {"checkpoints": Checkpoints(Path(folder))}
        records = _stopped(trials, rng.randint(1, rounds), kept)
        part = rng.sample(trials, rng.randint(1, len(trials)))
        compare("continued", records or train(part, **kept))
    return found


def _stopped(trials: Trials, at: int, session: Settings) -> list[Record]:
    """Train a pack until it stops after some rounds; its records, if it has diverged before."""
    with stopping_at(at):
        try:
            return train(trials, **session)
        except Stopped:
            return []


def told(seed: int, program: str = "eager", ends: bool = False) -> list[str]:
    """The faults of a drawn pack; what it raises is one, told with the settings that were drawn."""
    try:
        with Ends() if ends else nullcontext():
            return faults(seed, program)
    except Exception as error:  # whatever it is, other seeds may show more
        trace = traceback.format_exc().rstrip()
        return [f"{type(error).__name__}: {error}\n{_settings(seed, program)}\n{trace}"]


def _settings(seed: int, program: str) -> str:
    """A line for each trial of a drawn pack, or what drawing it raises."""
    try:
        trials = drawn_pack(seed, program)
    except Exception as error:
        return f"  none were drawn: {type(error).__name__}: {error}"
    return "\n".join(f"  seed {own.seed}: {own.configuration.model_dump_json()}" for own in trials)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=None, help="of the first case; default: any")
    parser.add_argument("--cases", type=int, default=None, help="default: as many as there is time")
    parser.add_argument("--program", default="eager", choices=("eager", "portable", "compiled"))
    parser.add_argument(
        "--ends", action="store_true", help="with the ends of loops off, see `Ends`"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    first = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    started, seed, wrong = time.monotonic(), first, 0
    while time.monotonic() - started < given.seconds and seed - first != given.cases:
        again = f"--program {given.program} --cases 1 --seed {seed}{' --ends' * given.ends}"
        for line in told(seed, given.program, given.ends):
            wrong += 1
            print(f"{again}: {line}", flush=True)
        seed += 1
    print(
        f"{seed - first} packs from seed {first}, {wrong} faults: trials with other bits, or none"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
