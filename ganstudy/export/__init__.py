"""Exports: what other tools read. A file here is one, for `ganstudy export RUN STEM`."""

from ganstudy.export._base import ExportedRun, ExportedTrial, Exporter, ExportError, export
from ganstudy.family import Family

__all__ = ["ExportError", "ExportedRun", "ExportedTrial", "Exporter", "export", "family"]

family: Family[Exporter] = Family(__name__, Exporter)
