"""Executors: where packs are trained. A file here is one; its stem is the name to `--executor`."""

from ganstudy.family import Family
from ganstudy.schedule.executor import Executor, ExecutorError

__all__ = ["executor_named", "family"]

family: Family[Executor] = Family(__name__, Executor)


def executor_named(name: str) -> type[Executor]:
    """The executor of a name; only its own module is imported, which takes a second.

    Errors  `ExecutorError` if it needs a package that is not installed.
    """
    try:
        return family[name]
    except ModuleNotFoundError as error:
        extra = f"pip install 'ganstudy[{name}]'"
        raise ExecutorError(f"the executor {name} needs {error.name}: {extra}") from None
