"""How far a job is: each of its studies, which one is run, and what is left."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ganstudy import existing
from ganstudy.store.job_directory import Foreseen, JobDirectory
from ganstudy.store.place import is_run

__all__ = ["runs", "status"]


def runs(path: Path) -> list[Path]:
    """The runs of a job that have begun, in its order; none where there is no job."""
    job = JobDirectory(path)
    names = job.read() if job.exists else ()
    return [path / name for name in names if is_run(path / name)]


def status(path: Path, *, run_plugins: bool = False) -> dict[str, Any]:
    """How far a job is, as plain values; the time left is None where it is not known.

    Errors  `RunError`.
    """
    job, begun = JobDirectory(path), runs(path)
    plan, running = job.read(), job.running()
    studies = {
        name: existing.status(path / name, run_plugins=run_plugins)
        if path / name in begun
        else {"run": str(path / name), "status": {"missing": planned.trials}, "running": None}
        for name, planned in plan.items()
    }
    total = Counter[str]()
    for own in studies.values():
        total.update(own["status"])
    return {
        "job": str(path),
        "status": dict(total),
        "running": running,
        "seconds_left": _left(plan, studies, running) if running else None,
        "studies": studies,
    }


def _left(plan: dict[str, Foreseen], studies: dict[str, Any], running: str) -> float | None:
    """Seconds: what the run at work says, and of those after it the share that is missing."""
    now = (studies[running]["running"] or {}).get("seconds_left") if running in studies else None
    if now is None:
        return None
    later = list(plan)[list(plan).index(running) + 1 :]
    missing: dict[str, int] = {name: studies[name]["status"].get("missing", 0) for name in later}
    shares = {name: missing[name] / max(plan[name].trials, 1) for name in later}
    return float(now) + sum((plan[name].seconds * share for name, share in shares.items()), 0.0)
