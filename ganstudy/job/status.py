"""How far a job is: each of its studies, which one is run, and what is left."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ganstudy import existing
from ganstudy.store import RunError, lock
from ganstudy.store.job_directory import Foreseen, JobDirectory
from ganstudy.store.place import is_run, runs_at
from ganstudy.study.document import StudyError

__all__ = ["runs", "status"]


def runs(path: Path) -> list[Path]:
    """The runs of a job that have begun, in its order; of a mere folder of runs, by name."""
    job = JobDirectory(path)
    if not job.exists:
        return runs_at(path, telling=True)
    return [path / name for name in job.read() if _has_begun(path / name)]


def _has_begun(run: Path) -> bool:
    try:
        return is_run(run)
    except PermissionError:  # whoever wants to know more of it is told
        return True


def status(path: Path, *, run_plugins: bool = False) -> dict[str, Any]:
    """How far a job is, as plain values; the time left is None where it is not known.

    Of a mere folder of runs nothing is planned but what has begun. Of a run whose status cannot be
    told there is its path, `run`, and why, `error`.

    Errors  `RunError` where the plan of a job cannot be read.
    """
    job, begun = JobDirectory(path), runs(path)
    plan, at_work = (job.read(), job.running()) if job.exists else ({}, None)
    studies = {
        name: {"run": str(path / name), "status": {"missing": planned.trials}, "running": None}
        for name, planned in plan.items()
    }
    studies |= {own.name: _of_run(own, run_plugins) for own in begun}
    # One that is run by itself is followed by none.
    alone = (name for name, own in studies.items() if own.get("running"))
    running, plan = (at_work, plan) if at_work else (next(alone, None), {})
    total = Counter[str]()
    for own in studies.values():
        total.update(own.get("status", {}))
    return {
        "job": str(path),
        "status": dict(total),
        "running": running,
        "seconds_left": _left(plan, studies, running) if running else None,
        "studies": studies,
    }


def _of_run(run: Path, run_plugins: bool) -> dict[str, Any]:
    try:
        with lock.refusing():
            return existing.status(run, run_plugins=run_plugins)
    except (RunError, StudyError) as error:
        return {"run": str(run), "error": str(error)}


def _left(plan: dict[str, Foreseen], studies: dict[str, Any], running: str) -> float | None:
    """Seconds: what the run at work says, and of those after it the share that is missing."""
    now = (studies.get(running, {}).get("running") or {}).get("seconds_left")
    if now is None:
        return None
    later = list(plan)[list(plan).index(running) + 1 :] if running in plan else []
    missing: dict[str, int] = {name: _missing(studies[name]) for name in later}
    shares = {name: missing[name] / max(plan[name].trials, 1) for name in later}
    return float(now) + sum((plan[name].seconds * share for name, share in shares.items()), 0.0)


def _missing(study: dict[str, Any]) -> int:
    """Trials that are to come, as far as one can tell."""
    return int(study.get("status", {}).get("missing", 0))
