"""`trackio`: a project for the study, and a run for each trial, in a folder of one's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganstudy.export._base import ExportedRun, ExportedTrial, Exporter, ExportError

_DIGEST = "_Digest"
"""Its pages list nothing that begins with `_` among the settings by which runs can be grouped."""

_REPORT = "the report"

_OF_THE_NETWORK = ("TRACKIO_DATASET_ID", "TRACKIO_BUCKET_ID", "SPACE_ID")
"""Variables of an environment by which Trackio keeps what it has elsewhere."""


class TrackioExporter(Exporter):
    """Settings and tags as the config, curves and scalars as metrics, runs grouped by arm.

    The figures of the report are images of one further run. All lies in a database of the project
    with the images beside it; no server is asked.
    """

    extra = "trackio"
    opens = "TRACKIO_DIR={place} trackio show"

    def write(self, run: ExportedRun, place: Path) -> int:
        """Runs that are not there; one of a trial that has changed is deleted first."""
        with _storage(place) as storage:
            # By their ids: what a trial is called may change.
            names = {str(r["id"]): r["name"] for r in storage.get_run_records(run.study)}
            names.pop(_REPORT, None)
            run.refuse_another({f"{run.study}/{own}" for own in names}, place)
            for outdated in names.keys() & set(run.left):
                storage.delete_run(run.study, names[outdated], run_id=outdated)
            added = 0
            for trial in run.trials:
                if (name := names.get(trial.id)) is not None:
                    known = storage.get_run_config(run.study, name, run_id=trial.id) or {}
                    if known.get(_DIGEST) == trial.digest:
                        continue
                    storage.delete_run(run.study, name, run_id=trial.id)
                _write(storage, run.study, trial)
                added += 1
            known = storage.get_run_config(run.study, _REPORT, run_id=_REPORT) or {}
            if run.figures and known.get(_DIGEST) != run.figures_digest:
                _write_figures(storage, run)
        return added


@contextmanager
def _storage(place: Path) -> Iterator[Any]:
    """Trackio's storage, in this place; where it is it is told once, when it is imported.

    Errors  `ExportError` in a process that has told it another place before.
    """
    place, before = place.absolute(), dict(os.environ)
    for name in _OF_THE_NETWORK:
        os.environ.pop(name, None)
    os.environ["TRACKIO_DIR"] = str(place)
    try:
        from trackio.sqlite_storage import SQLiteStorage
        from trackio.utils import TRACKIO_DIR

        if place != TRACKIO_DIR:
            message = f"Trackio is in use in this process, for {TRACKIO_DIR}; export from another"
            raise ExportError(message)
        place.mkdir(parents=True, exist_ok=True)
        yield SQLiteStorage
    finally:
        os.environ.clear()
        os.environ.update(before)


def _write(storage: Any, project: str, trial: ExportedTrial) -> None:
    finished = datetime.fromtimestamp(trial.finished, UTC).isoformat()
    rows: dict[int, dict[str, float]] = {}
    for name, (steps, values) in trial.curves.items():
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            rows.setdefault(step, {})[name] = value
    last = rows.setdefault(max(rows, default=0), {})
    last |= {f"final/{name}": value for name, value in trial.scalars.items()}
    config = {
        **{f"tag.{key}": text for key, text in trial.tags.items()},
        **trial.parameters,
        # Names by which Trackio groups runs and says when they were made.
        "_Group": trial.tags["arm"] or None,
        "_Created": finished,
        # In one transaction with the numbers: a run that was cut short has none of either.
        _DIGEST: trial.digest,
    }
    storage.bulk_log(
        project=project,
        run=trial.name,
        run_id=trial.id,
        metrics_list=[rows[step] for step in sorted(rows)],
        steps=sorted(rows),
        timestamps=[finished] * len(rows),
        config=config,
    )


def _write_figures(storage: Any, run: ExportedRun) -> None:
    from trackio import Image

    storage.delete_run(run.study, _REPORT, run_id=_REPORT)
    images = {path.stem: Image(path, caption=path.stem) for path in run.figures}
    for image in images.values():
        image._save(run.study, _REPORT, 0)
    shown = {name: image._to_dict() for name, image in images.items()}
    config = {
        "question": run.question,
        "tag.study": run.study,
        _DIGEST: run.figures_digest,
    }
    storage.bulk_log(
        project=run.study, run=_REPORT, run_id=_REPORT, metrics_list=[shown], config=config
    )
