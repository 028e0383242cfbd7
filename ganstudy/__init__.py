"""ganstudy: which GAN objective, and why? Declarative studies of adversarial objectives."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganstudy import plot as plot
    from ganstudy import plugins as plugins
    from ganstudy.analysis.runs import open_runs as open_runs
    from ganstudy.atlas import open_atlas as open_atlas
    from ganstudy.generators import load_generator as load_generator
    from ganstudy.generators import sample as sample
    from ganstudy.store import open_run as open_run

__all__ = ["load_generator", "open_atlas", "open_run", "open_runs", "plot", "plugins", "sample"]


def __getattr__(name: str) -> Any:
    # `ganstudy --help` must not pay for xarray and matplotlib, which take seconds to import.
    if name == "open_run":
        # For `ds.gan`.
        import_module("ganstudy.analysis.accessor")
        from ganstudy.store import open_run

        return open_run
    if name == "open_atlas":
        return import_module("ganstudy.atlas").open_atlas
    if name in ("load_generator", "sample"):
        return getattr(import_module("ganstudy.generators"), name)
    if name in ("plot", "plugins"):
        return import_module(f"ganstudy.{name}")
    if name == "open_runs":
        import_module("ganstudy.analysis.accessor")
        from ganstudy.analysis.runs import open_runs

        return open_runs
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
