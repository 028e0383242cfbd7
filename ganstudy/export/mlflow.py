"""`mlflow`: an experiment for the study, and a run for each trial, in a file of one's own."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ganstudy.export._base import ExportedRun, ExportedTrial, Exporter, ExportError
from ganstudy.whole_file import write_whole

_TRIAL, _DIGEST = "ganstudy.trial", "ganstudy.digest"
_REPORT = "report"
_LONGEST = 6000
"""Characters that MLflow keeps of a param; more it cuts off in silence."""


class MlflowExporter(Exporter):
    """Settings as params, curves and scalars as metrics, arm, axes and seed as tags.

    The figures of the report are artifacts of one further run.
    All lies in a database `mlflow.db` with the artifacts beside it; no server is asked.
    """

    extra = "mlflow"
    opens = "mlflow ui --backend-store-uri sqlite:///{place}/mlflow.db"

    def write(self, run: ExportedRun, place: Path) -> int:
        """Runs that are not there; one of a trial that has changed is deleted first."""
        from mlflow.tracking import MlflowClient

        place.mkdir(parents=True, exist_ok=True)
        database = place / "mlflow.db"
        if not database.exists():
            _begin(database)
        client = MlflowClient(tracking_uri=f"sqlite:///{database.absolute()}")
        experiment = _experiment(client, run, place)
        there = {
            own.data.tags[_TRIAL]: own
            for own in _runs(client, experiment)
            if _TRIAL in own.data.tags
        }
        run.refuse_another({f"{run.study}/{own}" for own in there if own != _REPORT}, place)
        for outdated in there.keys() & set(run.left):
            client.delete_run(there[outdated].info.run_id)
        added = 0
        for trial in run.trials:
            known = there.get(trial.id)
            if known is not None and known.data.tags.get(_DIGEST) == trial.digest:
                continue
            if known is not None:
                client.delete_run(known.info.run_id)
            _write(client, experiment, trial)
            added += 1
        report = there.get(_REPORT)
        known = report and report.data.tags.get(_DIGEST)
        if run.figures and known != run.figures_digest:
            _write_figures(client, experiment, run, report)
        return added


def _begin(database: Path) -> None:
    """Make a database whole, or not at all: MLflow opens none of which it lacks some tables."""
    from mlflow.tracking import MlflowClient

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Windows keeps what is open
        made = Path(folder) / database.name
        MlflowClient(tracking_uri=f"sqlite:///{made}").search_experiments()
        write_whole(database, made.read_bytes())


def _experiment(client: Any, run: ExportedRun, place: Path) -> str:
    where = (place / "artifacts" / run.study).absolute()
    found = client.get_experiment_by_name(run.study)
    if found is not None:
        _refuse_moved(str(found.artifact_location), where, place)
        return str(found.experiment_id)
    tags = {"mlflow.note.content": run.question}
    return str(client.create_experiment(run.study, artifact_location=where.as_uri(), tags=tags))


def _refuse_moved(kept: str, where: Path, place: Path) -> None:
    """MLflow keeps the place of artifacts once for all, and would write figures there.

    Errors  `ExportError` where that is another one on this machine.
    """
    told = urlsplit(kept)
    before = Path(url2pathname(told.path))
    if told.scheme == "file" and before.resolve() != where.resolve():
        advice = "move it back, or remove it and export again, or choose another --to"
        raise ExportError(f"{place}: was made to keep its figures in {before}; {advice}")


def _runs(client: Any, experiment: str) -> list[Any]:
    """All runs of an experiment, page by page."""
    found: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _write(client: Any, experiment: str, trial: ExportedTrial) -> None:
    from mlflow.entities import Metric, Param, RunTag

    tags = {**trial.tags, _TRIAL: trial.id}
    end = round(1000 * trial.finished)
    begun = end - round(1000 * trial.scalars["seconds"])
    own = client.create_run(experiment, start_time=begun, tags=tags, run_name=trial.name)
    metrics = [Metric(name, value, 0, 0) for name, value in trial.scalars.items()]
    for name, (steps, values) in trial.curves.items():
        pairs = zip(steps.tolist(), values.tolist(), strict=True)
        metrics += [Metric(name, value, 0, step) for step, value in pairs]
    params = [Param(name, _short(str(value))) for name, value in trial.parameters.items()]
    for start in range(0, len(params), 100):
        client.log_batch(own.info.run_id, params=params[start : start + 100])
    for start in range(0, len(metrics), 1000):
        client.log_batch(own.info.run_id, metrics=metrics[start : start + 1000])
    # The digest last: a run that was cut short has none, and is written again.
    client.log_batch(own.info.run_id, tags=[RunTag(_DIGEST, trial.digest)])
    status = "FAILED" if trial.tags["status"] == "failed" else "FINISHED"
    client.set_terminated(own.info.run_id, status, end_time=end)


def _short(text: str) -> str:
    """What MLflow would cut, so that two texts which begin alike are still told apart."""
    if len(text) <= _LONGEST:
        return text
    behind = f"... sha256 {sha256(text.encode()).hexdigest()}"
    return text[: _LONGEST - len(behind)] + behind


def _write_figures(client: Any, experiment: str, run: ExportedRun, known: Any) -> None:
    from mlflow.entities import RunTag

    if known is not None:
        client.delete_run(known.info.run_id)
    tags = {_TRIAL: _REPORT, "study": run.study}
    own = client.create_run(experiment, tags=tags, run_name="the report")
    for path in run.figures:
        client.log_artifact(own.info.run_id, str(path), "figures")
    client.log_batch(own.info.run_id, tags=[RunTag(_DIGEST, run.figures_digest)])
    client.set_terminated(own.info.run_id)
