"""ganstudy: which GAN objective, and why? Declarative studies of adversarial objectives."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganstudy import analysis as analysis
    from ganstudy import generators as generators
    from ganstudy import plot as plot
    from ganstudy import plugins as plugins
    from ganstudy.analysis.runs import open_runs as open_runs
    from ganstudy.atlas import open_atlas as open_atlas
    from ganstudy.generators import load_generator as load_generator
    from ganstudy.generators import sample as sample
    from ganstudy.store import open_run as open_run

    __version__: str

__all__ = [
    *("analysis", "generators", "load_generator", "open_atlas", "open_run", "open_runs"),
    *("plot", "plugins", "sample"),
]

_HOMES = {
    "open_run": "ganstudy.store",
    "open_runs": "ganstudy.analysis.runs",
    "open_atlas": "ganstudy.atlas",
    "load_generator": "ganstudy.generators",
    "sample": "ganstudy.generators",
}
"""Where the functions are defined; all other names are modules."""


def __getattr__(name: str) -> Any:
    # `ganstudy --help` must not pay for xarray and matplotlib, which take seconds to import.
    if name == "__version__":
        return import_module("importlib.metadata").version("ganstudy")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in ("open_run", "open_runs"):
        # For `ds.gan`.
        import_module("ganstudy.analysis.accessor")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    return import_module(f"ganstudy.{name}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
