"""Several runs as one dataset, if they can be compared."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from ganstudy.analysis.budget import tuned
from ganstudy.analysis.handling import is_search
from ganstudy.analysis.joined import join
from ganstudy.analysis.meanings import placeless
from ganstudy.analysis.metric import metric_names, with_ends
from ganstudy.analysis.standing import Run
from ganstudy.analysis.studies import join_studies
from ganstudy.metrics import name_in
from ganstudy.store import RunDirectory, RunError, open_run, runs_at
from ganstudy.store.place import Unlike
from ganstudy.variable import SETTINGS

__all__ = ["open_runs"]


def open_runs(*paths: str | Path, along: Literal["arm", "study"] = "arm") -> xr.Dataset:
    """Several runs as one dataset, so that all statistics compare them; see docs/compare.md.

    A folder of runs stands for all of them.

    Along `arm`, arms are those of all runs, `run: arm`, with the coordinate `run`; if no run has
    several arms the dimension is `run`. An axis that is a setting in one run is one in all of
    them. A search stands there with each of its arms at its best point.

    - A run without an axis that others have stands at the value that its own settings amount to.
    - What a run never planned is `excluded`; a seed that only others have is `missing`.
    - A metric that only some runs record is kept as a curve, which ranks nobody.
    - Samples stay on disk until somebody asks for them, as in `open_run`.

    Along `study`, the runs are of the same arms on different targets: `study` is one more axis,
    and searches stay searches. Each study keeps its score, and `analysis.of_study` has it as it was
    alone; samples and films are in its own dataset. What a study never planned is `excluded`.

    In either, `attrs["differences"]` has, as JSON, each setting in which runs differ and its values
    there.

    Errors  `Unlike`, a `RunError`, that names the runs and the difference. Along `arm`, where they
            differ in schema, kind, target, in how a metric measures, in the meaning of a setting's
            label, or have no headline metric in common. Along `study`, where they differ in
            schema, kind, arms, settings, what these mean, or the space and sampler of their search.
            `TypeError` for what is no path, as a list of them.
    """
    if along not in ("arm", "study"):
        raise RunError(f"along should be 'arm' or 'study' (got {along!r})")
    for path in paths:
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"open_runs takes each path by itself, open_runs(a, b), not {path!r}")
    places = [place for path in paths for place in runs_at(Path(path))]
    directories = [RunDirectory.existing(place) for place in places]
    if len(places) < 2:
        raise RunError("name at least two runs to compare, or a folder with several")
    datasets = [open_run(place) for place in places]
    names = _names(datasets, directories)
    runs = [
        Run(name, directory.path.as_posix(), dataset, directory.asked.read_resolved())
        for name, directory, dataset in zip(names, directories, datasets, strict=True)
    ]
    if along == "study":
        joined = join_studies(runs, _score_of_any(runs))
        return joined.assign_attrs(differences=json.dumps(_differences(runs)))
    _check(runs)
    score = _score(runs)
    ready = with_ends([_ready(run.dataset, score) for run in runs])
    joined = join([run.with_dataset(ds) for run, ds in zip(runs, ready, strict=True)])
    joined = joined.assign_attrs(score=score, differences=json.dumps(_differences(runs)))
    return joined.set_coords([name for name in SETTINGS if name in joined])


def _ready(ds: xr.Dataset, score: str) -> xr.Dataset:
    """A grid study; of a search each arm at the point that is best by the score."""
    ds = ds.assign_attrs(score=score)
    ds = tuned(ds) if is_search(ds) else ds
    # Laid beside those of other runs, as coordinates are not.
    return ds.reset_coords([name for name in SETTINGS if name in ds.coords])


def _names(datasets: Sequence[xr.Dataset], directories: Sequence[RunDirectory]) -> list[str]:
    """A name for each run: its study's, or else its directory's, or else its whole path.

    Errors  `RunError` for a run that is named twice.
    """
    paths = [directory.path.resolve() for directory in directories]
    if (twice := Counter(paths).most_common(1)[0])[1] > 1:
        raise RunError(f"{os.path.relpath(twice[0])}: named twice; a run cannot differ from itself")
    choices = [
        [str(ds.attrs["study"]) for ds in datasets],
        [path.name for path in paths],
        [directory.path.as_posix() for directory in directories],
    ]
    return next(
        (names for names in choices if len(set(names)) == len(names)), list(map(str, paths))
    )


def _score_of_any(runs: Sequence[Run]) -> str:
    """The first headline metric that all runs have; where there is none, the first run's."""
    known = [set(metric_names(run.dataset)) for run in runs]
    scores = [str(run.dataset.attrs["score"]) for run in runs]
    return next((name for name in scores if all(name in own for own in known)), scores[0])


def _score(runs: Sequence[Run]) -> str:
    """The first run's headline metric that all runs have, or else another run's."""
    known = [set(metric_names(run.dataset)) for run in runs]
    for run in runs:
        if all(run.dataset.attrs["score"] in names for names in known):
            return str(run.dataset.attrs["score"])
    lines = [
        f"  {run.path}: ranked by {run.dataset.attrs['score']}; records {', '.join(sorted(names))}"
        for run, names in zip(runs, known, strict=True)
    ]
    message = "no run is ranked by a metric that all of them record, so nothing ranks their arms"
    raise Unlike("\n".join([f"cannot compare: {message}", *lines]))


def _check(runs: Sequence[Run]) -> None:
    """Refuse runs whose numbers do not mean the same."""
    for first, second in combinations(runs, 2):
        for what, hint in (
            ("schema", "make both with one version of ganstudy"),
            ("kind", "trials of different kinds have no numbers in common"),
        ):
            values = [run.dataset.attrs.get(what, "") for run in (first, second)]
            if values[0] != values[1]:
                _refuse(first, second, f"{what} is {values[0]} and {values[1]}; {hint}")
        samples = [run.resolved.values().get("record.samples") for run in (first, second)]
        if samples[0] != samples[1]:
            shown = [", ".join(values or ["none"]) for values in samples]
            message = f"record.samples is {shown[0]} and {shown[1]}; metrics depend on it"
            _refuse(first, second, message)
        _check_metrics(first, second)


def _check_metrics(first: Run, second: Run) -> None:
    """Refuse a metric that does not measure the same in both."""
    measured = [_metric_settings(run) for run in (first, second)]
    for name in (n for n in metric_names(first.dataset) if n in metric_names(second.dataset)):
        ways = [settings.get(name, set()) for settings in measured]
        if ways[0] != ways[1]:
            shown = [" or ".join(sorted(way)) or "nothing" for way in ways]
            _refuse(first, second, f"metric {name} is measured with {shown[0]} and {shown[1]}")
        for fact in ("direction", "units"):
            values = [run.dataset[name].attrs.get(fact) for run in (first, second)]
            if values[0] != values[1]:
                _refuse(first, second, f"{fact} of {name} is {values[0]} and {values[1]}")


def _metric_settings(run: Run) -> dict[str, set[str]]:
    """The settings of each metric that the run's points record, as text, by its recorded name."""
    found: dict[str, set[str]] = {}
    for text in run.resolved.values().get("record.metrics", []):
        for metric in json.loads(text):
            name = _recorded(metric)
            told = {key: placeless(value) for key, value in metric.items() if key != "name"}
            own = [f"{key} {value}" for key, value in told.items()]
            found.setdefault(name, set()).add(", ".join(own))
    return found


def _recorded(metric: Mapping[str, Any]) -> str:
    """What a metric is recorded as, of its settings."""
    features = metric.get("features") or {}
    return name_in(metric["name"], features.get("name"))


def _refuse(first: Run, second: Run, difference: str) -> None:
    raise Unlike(f"cannot compare {first.path} with {second.path}: {difference}")


def _differences(runs: Sequence[Run]) -> Mapping[str, Sequence[str]]:
    """Each setting in which runs differ, with its values in each of them."""
    values = [run.resolved.values() for run in runs]
    searched = [set(map(str, run.dataset.attrs.get("parameters", []))) for run in runs]
    keys = dict.fromkeys(key for own in values for key in own)
    rows = {}
    for key in keys:
        shown = [
            "searched"
            if key.replace(".", "_") in parameters
            else ", ".join(_names_only(key, text) for text in own.get(key, []))
            for own, parameters in zip(values, searched, strict=True)
        ]
        if len(set(shown)) > 1:
            rows[key] = shown
    return rows


def _names_only(key: str, text: str) -> str:
    """A value as it is written in a study; of the metrics, whose settings agree, the names."""
    if key == "record.metrics":
        return ", ".join(map(_recorded, json.loads(text)))
    return text.replace('"', "")
