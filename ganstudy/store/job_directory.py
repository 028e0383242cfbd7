"""The directory of a job: a run for each study of a folder, and which of them is at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from ganstudy.store import heartbeat, lock
from ganstudy.store.place import RunError, is_ours, is_run
from ganstudy.store.run_directory import RunDirectory
from ganstudy.whole_file import Damaged, read_now, remove_partial, sealed, unsealed, write_whole

__all__ = ["Foreseen", "JobDirectory"]


class Foreseen(NamedTuple):
    """How many trials a study has, and about how many seconds all of them take."""

    trials: int
    seconds: float


_PLAN = TypeAdapter(dict[str, Foreseen])


class JobDirectory:
    """Where the studies of a folder are run: all that is theirs lies in runs of their own.

    Of the job itself there is job.json alone, by which runs that have not begun are known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan = path / "job.json"
        self.report = path / "report"
        self._heartbeat = path / "heartbeat.json"

    @property
    def exists(self) -> bool:
        """Whether a job is, or was, run here."""
        return self.plan.is_file()

    def run(self, name: str) -> RunDirectory:
        """The run of a study."""
        return RunDirectory(self.path / name)

    def check(self) -> None:
        """Refuse a place that no job can have.

        Errors  `RunError` if it is a run's or a file's, or has files where a job would write its
                own that no job has written.
        """
        if is_run(self.path):
            message = "is a run, and no place for those of a folder; choose another --out"
            raise RunError(f"{self.path}: {message}")
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path}: is a file; choose another --out")
        if not is_ours(self.plan):
            raise RunError(f"{self.plan}: is not what a job has written; move it away")
        if not self.exists and not is_ours(self._heartbeat):
            raise RunError(f"{self._heartbeat}: is not what a job has written; move it away")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the job alone; the kernel frees it when this process dies.

        Errors  `RunError` if another process holds it, and as `check`.
        """
        self.check()
        with lock.held(self.path, self._heartbeat):
            remove_partial(self.path)
            try:
                yield
            finally:
                self._heartbeat.unlink(missing_ok=True)

    def write(self, plan: Mapping[str, Foreseen], running: str) -> None:
        """Say what is planned, in the order in which it is run, and what is run now."""
        whole = {name: own._asdict() for name, own in plan.items()}
        write_whole(self.plan, sealed({"studies": whole}, indent=2))
        self.beat(running)

    def beat(self, running: str) -> None:
        """Say again what is run now: other machines believe what is minutes old, and no older.

        Errors  `OSError`.
        """
        heartbeat.write(self._heartbeat, {"study": running})

    def read(self) -> dict[str, Foreseen]:
        """What is planned, by study.

        Errors  `RunError` if it cannot be read.
        """
        try:
            return _PLAN.validate_python(unsealed(read_now(self.plan)).get("studies"))
        except (OSError, Damaged, ValidationError) as error:
            raise RunError(f"{self.plan}: {_in_words(error)}") from None

    def running(self) -> str | None:
        """The study that is run now; None if no process is at work here."""
        said = heartbeat.read(self._heartbeat)
        return str(said["study"]) if said else None


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    said = str(error) if isinstance(error, Damaged) else "it is not what this version writes"
    return f"{said}; move it away, and `ganstudy run FOLDER` writes it again"
