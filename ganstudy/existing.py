"""Runs that exist: how far one is, its report anew, and one report over several."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganstudy import plugins
from ganstudy.nearest import nearest
from ganstudy.pipeline import report
from ganstudy.plural import plural
from ganstudy.report import Press, build
from ganstudy.search import Search, search_of
from ganstudy.store import (
    RunDirectory,
    RunError,
    check_nothing_lost,
    finished,
    known_data,
    runs_at,
)
from ganstudy.store.kept_study import PUT_BACK
from ganstudy.store.place import check_new, check_text, is_run, naming_plugins
from ganstudy.variable import SETTINGS_OF
from ganstudy.whole_file import name_digest, naming

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["compare", "export_run", "reopen", "report_anew", "report_joined", "status"]

_log = logging.getLogger("ganstudy")

_LONGEST = 120
"""Bytes of a folder's name that tells every run of a comparison."""


@naming_plugins()
def report_anew(path: Path, *, run_plugins: bool = False) -> Path:
    """Gather the records of an existing run again and build its report.

    Errors  `RunError` if the directory is in use, and if records that were gathered are gone.
    """
    directory, search = reopen(path, run_plugins=run_plugins)
    with directory.locked():
        check_nothing_lost(directory)
        known_data.write(directory.path, search)
        return report(directory, search)


def compare(
    paths: Sequence[Path],
    out: Path | None,
    command: str,
    *,
    along: Literal["arm", "study"] = "arm",
    run_plugins: bool = False,
) -> Path:
    """Build one report over several runs; a folder of runs stands for all of them.

    The default place is `runs/compare-<names>`, by the name of a folder where one is named; of long
    or many names the first, as far as there is room, and a digest of all.

    With `run_plugins` the report has the sections of the plug-ins that the runs name, too; without,
    runs of targets or divergences of plug-ins are refused, with which the page computes.

    Errors  `RunError` for runs that cannot be compared, and for a place that is a run itself.
    """
    # Heavy, and needed by this verb only.
    from ganstudy.analysis import open_runs

    places = [place for path in paths for place in runs_at(path, telling=True)]
    if run_plugins:
        for path in places:
            RunDirectory.existing(path).read_study(run_plugins=True)
    dataset = open_runs(*places, along=along)
    _check_known(dataset)
    names = list(dict.fromkeys(dataset["run" if along == "arm" else along].values.tolist()))
    told = [path.resolve().name for path in paths] if len(paths) < len(places) else names
    out = out or Path("runs") / _compared(told)
    check_new(out, "report")
    return _page_over(dataset, places, names, command, out)


def _compared(names: Sequence[str]) -> str:
    """What the folder of a comparison is called; no file system takes the names of many runs."""
    named = [name.replace("/", "-") for name in names]
    whole = "-".join(["compare", *named])
    if len(os.fsencode(whole)) <= _LONGEST:
        return whole
    first = os.fsencode(named[0])[: _LONGEST // 2].decode(errors="ignore")
    more = f"and-{len(named) - 1}-more-" * (len(named) > 1)
    return f"compare-{first}-{more}{name_digest(os.fsencode(whole))}"


def _check_known(dataset: xr.Dataset) -> None:
    """Refuse a dataset whose page would need members that are not loaded.

    Errors  `RunError`.
    """
    for field in SETTINGS_OF:
        stated = dataset.get(f"{field}_settings")
        texts = [] if stated is None else filter(None, stated.values.ravel().tolist())
        known = plugins.family(f"{field}s").names
        for name in (json.loads(text)["name"] for text in texts):
            if name not in known:
                raise RunError(
                    f"no {field} {name!r} is known here; if it is a plug-in's, it is code, and "
                    "only read here: where it is trusted, add --plugins"
                )


def report_joined(folder: Path, runs: Sequence[Path], command: str) -> Path:
    """Build the page over the studies of a folder; its path, below the folder.

    Errors  `Unlike`, a `RunError`, for runs that cannot be joined; `PageError`.
    """
    # Heavy, and needed by this verb only.
    from ganstudy.analysis import open_runs

    dataset = open_runs(*runs, along="study")
    page = _page_over(dataset, runs, dataset["study"].values.tolist(), command, folder)
    finished.note_joined_page(folder, runs)
    return page


def _page_over(
    dataset: xr.Dataset, places: Sequence[Path], names: Sequence[str], command: str, out: Path
) -> Path:
    """Build the page over runs of these names."""
    with naming(out), Press() as press:
        for path in places:
            check_text(path)
        environments = [RunDirectory(path).provenance() for path in places]
        runs = [
            {"name": name, "directory": path.as_posix(), **environment}
            for name, path, environment in zip(names, places, environments, strict=True)
        ]
        provenance = {"command": command, "runs": runs}
        return build(dataset, provenance, out / "report", press=press)


def reopen(
    path: Path, *, run_plugins: bool = False, to_train: bool = False
) -> tuple[RunDirectory, Search]:
    """An existing run, and its study's search, which has been told of every record.

    The run may be somebody else's: what it names as plug-ins is run only with `run_plugins`. Of
    data of the user's own that are gone an outline does, but `to_train`.

    Errors  `RunError` where the study, as it stands, plans none of the trials that are recorded, or
            its rules have changed since.
    """
    directory = RunDirectory.existing(path)
    search = search_of(directory.read_study(run_plugins=run_plugins, to_train=to_train))
    directory.asked.warn_of_changes()
    search.tell(directory.read("curves"))
    recorded = directory.recorded()
    directory.asked.check_trials(search, recorded, PUT_BACK)
    directory.asked.check_rules(search, recorded)
    for why in known_data.gone(search):
        _log.warning("%s: %s: what is told comes from its records alone", path, why)
    return directory, search


@naming_plugins()
def export_run(path: Path, tool: str, to: Path | None, *, run_plugins: bool = False) -> str:
    """Export a run for a tool; what was written and how it is opened, in a sentence.

    Errors  `RunError` for a tool that there is not, that lacks its packages, and for another
            run, or its export, in its place.
    """
    from ganstudy import export

    if run_plugins:
        RunDirectory.existing(path).read_study(run_plugins=True)
    if tool not in export.family.names:
        why = nearest(tool, export.family.names)
        if tool == "optuna":
            there = "of a run that searches, search.db is a storage of Optuna already"
            why = f": {there}, and docs/search.md says how to open it"
        raise RunError(f"no export {tool!r}{why}")
    directory, search = reopen(path, run_plugins=run_plugins)
    exporter, place = export.family[tool](), to or path / "exports" / tool
    check_text(place)
    if is_run(place):
        raise RunError(f"{place}: is a run itself; choose another --to")
    try:
        with naming(place):
            added = export.export(exporter, directory, search, place)
    except export.ExportError as error:
        raise RunError(str(error)) from None
    opens = exporter.opens.format(path=place, place=shlex.quote(str(place)))
    return f"{place}: {plural(added, 'trial')} added; {opens}"


def _counted(texts: Iterable[str]) -> dict[str, int]:
    return dict(Counter(text for text in texts if text))


def status(path: Path, *, run_plugins: bool = False) -> dict[str, Any]:
    """How far a run is, as plain values; `running` is None unless `ganstudy run` is at it.

    The slowest trial is the one with the most training time, an equal share of its pack's.
    """
    directory, search = reopen(path, run_plugins=run_plugins)
    planned = search.by_id
    entries = {i: entry for i, entry in directory.entries().items() if i in planned}
    slowest = max(entries, key=lambda i: entries[i].seconds, default=None)
    return {
        "run": str(path),
        "status": dict(search.counts()),
        "search": search.sentences(),
        "arithmetic": _counted(entry.arithmetic for entry in entries.values()),
        "running": directory.read_heartbeat(),
        "slowest": slowest and {"trial": slowest, "seconds": entries[slowest].seconds},
        "unmeasured": sum(entry.unmeasured for entry in entries.values()),
        "failures": [
            {"trial": i, "seed": entry.seed, "cause": entry.cause}
            for i, entry in entries.items()
            if entry.status == "failed"
        ],
    }
