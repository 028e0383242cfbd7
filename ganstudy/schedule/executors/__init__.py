"""Executors: where packs are trained. A file here is one; its stem is the name to `--executor`."""

from ganstudy.family import Family
from ganstudy.schedule.executor import Executor

__all__ = ["family"]

family: Family[Executor] = Family(__name__, Executor)
