"""Whether a module of the user's may be run: where a study is only read, it may not."""

from __future__ import annotations

__all__ = ["trust", "trusted"]

_asked = {"modules": True}


def trust(modules: bool) -> None:
    """Let modules be run in this process from now on, or not."""
    _asked["modules"] = modules


def trusted() -> bool:
    """Whether modules may be run."""
    return _asked["modules"]
