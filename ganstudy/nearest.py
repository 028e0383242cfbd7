"""The name that was meant where another was written: the closest of ours, or our word for it."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from ganstudy.cause import one_line

__all__ = ["closest", "cut", "nearest", "same"]

_LENGTH = 300
"""Characters of a line of a message, which may quote what the user has written."""

_SHOWN = 10
"""Choices that a message lists where several are meant."""


def nearest(name: object, choices: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """Advice that ends an error message: the closest valid choice, or all of them if few.

    elsewhere  key paths, those that end in the name itself being told if no choice is close
    """
    valid = sorted(choices)
    if close := closest(name, valid):
        return f"; did you mean {cut(close[0])!r}?{_foreign(str(name), close[0])}"
    ends = [path for path in elsewhere if same(name, path.rpartition(".")[2])]
    if ends:
        return f"; did you mean {' or '.join(map(repr, ends[:_SHOWN]))}?"
    return f"; valid: {cut(', '.join(valid))}" if valid else ""


def closest(name: object, choices: Iterable[str]) -> list[str]:
    """The choice that was meant, if any is like it, or is our word for it."""
    valid = list(choices)
    if own := [choice for choice in valid if same(name, choice)]:
        return own[:1]
    # Comparing costs the product of the lengths.
    return difflib.get_close_matches(str(name)[:80], valid, n=1, cutoff=0.6)


_OTHER_WORDS = {
    "clip": ("weight_clipping", "clipping"),
    "constraint": ("regularizer", "regulariser", "penalty"),
    "critic": ("discriminator", "netd"),
    "depth": ("layers", "num_layers", "n_layers"),
    "divergence": ("loss", "objective"),
    "frechet_distance": ("fid", "fd"),
    "generator": ("netg",),
    "gradient_penalty": ("gp", "wgan_gp"),
    "grid": ("25gaussians", "lattice"),
    "high": ("max", "maximum", "upper", "to", "stop", "end"),
    "images": ("mnist", "cifar10", "image_folder"),
    "latent": ("z_dim", "latent_dim", "nz"),
    "least_squares": ("lsgan", "mse"),
    "log": ("log_scale", "loguniform", "log_uniform", "scale"),
    "low": ("min", "minimum", "lower", "from", "start", "begin"),
    "lr": ("learning_rate",),
    "maximum": ("high", "max", "upper"),
    "minimax": ("vanilla", "gan", "standard"),
    "minimum": ("low", "min", "lower"),
    "non_saturating": ("nsgan", "ns"),
    "relativistic_average": ("ragan",),
    "relativistic_pairing": ("rpgan", "rsgan", "r3gan"),
    "ring": ("8gaussians", "circle"),
    "spectral_norm": ("sn", "sngan"),
    "steps": ("epochs", "iterations", "n_iter", "n_critic"),
    "target": ("dataset", "data"),
    "wasserstein": ("wgan", "wgan_gp", "w1", "earth_mover"),
    "width": ("hidden", "hidden_dim", "hidden_size", "units"),
}
"""What others call what we have, where it resembles our name too little, or another one more."""


def same(name: object, choice: str) -> bool:
    """Whether a name is a choice, or our word for it."""
    plain = str(name)[:80].lower().replace("-", "_").replace(" ", "_")
    return plain == choice or plain in _OTHER_WORDS.get(choice, ())


def _foreign(name: str, meant: str) -> str:
    """The letters that keep a name from being the one it looks like; empty if it is plain ASCII."""
    letters = dict.fromkeys(c for c in name if not c.isascii() and c not in meant)
    said = ", ".join(unicodedata.name(c, f"U+{ord(c):04X}") for c in letters)
    return f" It has {said}" if said else ""


def cut(text: str) -> str:
    """A text cut in its middle; control characters, which can clear a terminal, are escaped."""
    shown = one_line(text)
    half = _LENGTH // 2
    return shown if len(shown) <= _LENGTH else f"{shown[:half]} ... {shown[-half:]}"
