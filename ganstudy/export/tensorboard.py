"""`tensorboard`: a folder of events for each trial, with hyperparameters."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganstudy.export._base import ExportedRun, ExportedTrial, Exporter
from ganstudy.export._files import has_noted, known, remember

_REPORT = "~report"
"""Where the figures are; no folder of an arm is called so."""


class TensorboardExporter(Exporter):
    """Curves as scalars, settings and scalars in the HPARAMS tab, figures of the report as images.

    Each trial is a run of TensorBoard, `STUDY/ARM/ID`; the figures are in `STUDY/~report`.
    """

    extra = "tensorboard"
    opens = "tensorboard --logdir {place}"

    def write(self, run: ExportedRun, place: Path) -> int:
        """Folders of events; those of a trial that has changed are written anew."""
        from torch.utils.tensorboard.writer import SummaryWriter

        before, added = known(place, self.name), 0
        written = dict(before) if has_noted(place, self.name) else {}
        now = dict(run.digests)
        # An earlier version had the figures where those of an arm may be, a folder for each trial.
        figures, once = f"{run.study}/{_REPORT}", f"{run.study}/report"
        of_study = {name for name in before if name.startswith(f"{run.study}/")}
        run.refuse_another(of_study - {figures, once}, place)
        place.mkdir(parents=True, exist_ok=True)
        for outdated in run.left:  # also of an export that was killed before it noted them
            _remove(place / run.study, outdated)
            before.pop(f"{run.study}/{outdated}", None)
        for trial in run.trials:
            folder = place / run.study / _folder_name(trial.tags["arm"] or "trials") / trial.id
            if written.get(f"{run.study}/{trial.id}") == trial.digest and folder.is_dir():
                continue
            _remove(place / run.study, trial.id)  # its arm may have had another name
            with _said_once(), SummaryWriter(str(folder)) as writer:
                _write(writer, trial)
            added += 1
        if run.figures and once in before:
            for path in (place / once).glob("events.*"):
                path.unlink(missing_ok=True)
            del before[once]
        if run.figures and before.get(figures) != run.figures_digest:
            _write_figures(place / figures, run)
            now[figures] = run.figures_digest
        remember(place, self.name, before | now)
        return added


def _remove(study: Path, trial: str) -> None:
    """The folder of a trial, below whatever arm."""
    for folder in study.glob(f"*/{trial}"):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _said_once() -> Iterator[None]:
    """What fails in a writer's thread is raised in this one too: no traceback is printed."""
    before = threading.excepthook
    threading.excepthook = lambda raised: None
    try:
        yield
    finally:
        threading.excepthook = before


def _write(writer: Any, trial: ExportedTrial) -> None:
    from torch.utils.tensorboard.summary import hparams

    parameters = {**trial.parameters, **{f"tag.{key}": text for key, text in trial.tags.items()}}
    scalars = {f"final/{name}": value for name, value in trial.scalars.items()}
    # Written into the trial's own run: `add_hparams` would make a second one.
    made = hparams(parameters, scalars)  # type: ignore[no-untyped-call]  # torch has not typed it
    for summary in made:
        writer.file_writer.add_summary(summary)
    for name, value in scalars.items():
        writer.add_scalar(name, value)
    for name, (steps, values) in trial.curves.items():
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            writer.add_scalar(name, value, step)


def _write_figures(folder: Path, run: ExportedRun) -> None:
    from matplotlib.image import imread
    from torch.utils.tensorboard.writer import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    with _said_once(), SummaryWriter(str(folder)) as writer:
        writer.add_text("question", run.question)
        for path in run.figures:
            writer.add_image(path.stem, imread(path)[..., :3], dataformats="HWC")


def _folder_name(text: str) -> str:
    """A text that every file system takes as a name, without a tilde."""
    name = "".join(c if c.isalnum() or c in "._-+=(),'" else "_" for c in text)[:80]
    return name if name.strip(".") else "_" * len(name)
