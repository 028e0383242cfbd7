"""Figures and sentences of kinds whose truth is known; a kind's file bears its name."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

    from ganstudy.report.drawing import Drawing
    from ganstudy.report.findings import Findings


def drawings(findings: Findings) -> list[Drawing]:
    """The classical pictures of the study's kind; none for a kind without a file here."""
    module = _module(findings)
    return [] if module is None else list(module.draw(findings))


def known(findings: Findings) -> bool:
    """Whether the study's kind has pictures."""
    return _module(findings) is not None


def sentences(findings: Findings) -> list[Markup]:
    """What the study's kind has to say beside its claims and its ranking."""
    module = _module(findings)
    return [] if module is None else list(module.sentences(findings))


def call(findings: Findings) -> str:
    """The expression in `ds` and `analysis` that the sentences' numbers come from."""
    return str(_module(findings).call(findings))


def _module(findings: Findings) -> Any:
    kind = str(findings.ds.attrs.get("kind", ""))
    known = {module.name for module in pkgutil.iter_modules(__path__)}
    return importlib.import_module(f"{__name__}.{kind}") if kind in known else None
