"""A folder of study files: which of its files are studies, and all that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ganstudy.store.job_directory import JobDirectory
from ganstudy.store.place import is_run, runs_at
from ganstudy.study.problem import Problem, StudyError

if TYPE_CHECKING:
    from ganstudy.study import Study

__all__ = ["Folder", "files", "is_job"]

SHARED = "_"
"""How the names of files begin that studies share, and that are none themselves."""

TAKEN = ("report",)
"""Names of folders beside the runs of a job, which no study can have."""


@dataclass(frozen=True)
class Folder:
    """The studies of a folder by their names, and where they are run, in this order."""

    path: Path
    studies: dict[str, Study]
    directory: JobDirectory

    @classmethod
    def read(cls, path: Path, overrides: Sequence[str] = (), out: Path | None = None) -> Folder:
        """Read and check every study before anything is trained; overrides are those of each.

        out  where they are run; by default `runs/<name of the folder>`

        Errors  `StudyError` with the problems of all of them.
        """
        from ganstudy.study import load

        studies: dict[str, Study] = {}
        problems: list[Problem] = []
        for file in files(path):
            try:
                studies[file.stem] = load(file, overrides)
            except StudyError as error:
                problems += error.problems
        if problems:
            raise StudyError(problems)
        return cls(path, studies, JobDirectory(out or Path("runs") / path.resolve().name))


def is_job(path: Path) -> bool:
    """Whether a path is that of a job, the runs of a folder, or of any other folder of runs."""
    return JobDirectory(path).exists or runs_at(path) != [path]


def files(path: Path) -> list[Path]:
    """The study files of a folder, in the order of their names; those in its folders are left out.

    Errors  `StudyError` for a folder that holds none, is a run, or names two runs alike.
    """
    if is_run(path):
        message = f"is a run, which `ganstudy run {quote(str(path / 'study.yaml'))}` continues"
        raise StudyError([Problem(str(path), "", message)])
    found = sorted(own for own in path.glob("*.y*ml") if own.suffix in (".yaml", ".yml"))
    studies = [own for own in found if not own.name.startswith((SHARED, "."))]
    if problems := list(_problems(path, studies)):
        raise StudyError(problems)
    return studies


def _problems(path: Path, studies: Sequence[Path]) -> Iterator[Problem]:
    if not studies:
        message = f"holds no study: no file *.yaml whose name does not begin with {SHARED}"
        if is_job(path):
            message = "holds runs, and no study; `ganstudy run FOLDER` takes that of their studies"
        yield Problem(str(path), "", message)
    stems = [own.stem for own in studies]
    for own in studies:
        if own.stem in TAKEN:
            yield Problem(str(own), "", f"in a folder no study can be called {own.stem}")
        elif stems.index(own.stem) < studies.index(own):
            other = studies[stems.index(own.stem)].name
            yield Problem(str(own), "", f"its run would be that of {other}; rename one of them")
