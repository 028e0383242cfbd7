"""The study that a run was asked: study.yaml as it was written, resolved.yaml as it was meant."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ganstudy import plugins
from ganstudy.cause import one_line
from ganstudy.settings import as_recorded
from ganstudy.store import known_data, resolved
from ganstudy.store.place import RunError
from ganstudy.study import load
from ganstudy.study.configuration import leaves
from ganstudy.study.document import StudyError, read_document
from ganstudy.whole_file import Damaged, digest, read_now, write_whole

if TYPE_CHECKING:
    from ganstudy.search import Search
    from ganstudy.store.resolved import Resolved
    from ganstudy.study import Study
    from ganstudy.study.document import KeyPath

__all__ = ["PUT_BACK", "KeptStudy"]

PUT_BACK = "Put study.yaml, and the files that it names, back"
"""What to do where records are only read, and the study is another."""

_log = logging.getLogger("ganstudy")

_BESIDE = (
    "%s: has records of %d trials that this study does not plan: they stay, and the dataset and "
    "the report are without them"
)

_IN_NO_ID = (("engine",), ("trial", "record", "generator"), ("trial", "record", "frames"))
"""Keys that change no trial, and nothing of what is asked of them."""


class KeptStudy:
    """The two files of a run's folder, with copies of the plug-ins that they name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.study = folder / "study.yaml"
        self.resolved = folder / "resolved.yaml"

    def write(self, search: Search, recorded: Collection[str]) -> None:
        """Write both files; not where they are there already and every trial is recorded.

        A plug-in is written as it was read: its file may have been set aside with a run since. An
        earlier text, by which there may be records, stays beside it with its digest in its name.
        """
        text = search.study.document.text
        ended = all(trial.id in recorded for trial in search.trials.values())
        meant = self._meant()
        if not (ended and self._holds(text, meant)):
            # In this order: a folder with the second of the two is a run.
            fixed = self._fixed(meant) if search.study.fixed else {}
            added = _added(search, recorded, fixed, meant)
            write_whole(self.resolved, resolved.text_of(search.study, text, added).encode())
            known_data.write(self.folder, search)
            write_whole(self.study, text.encode())
        for name, content in search.study.plugins.items():
            copy = self.folder / name
            before = copy.read_bytes() if copy.is_file() else content
            if before != content:
                write_whole(copy.with_suffix(f".{plugins.digest(before)}.py"), before)
            if before != content or not copy.is_file():
                write_whole(copy, content)

    def read(
        self,
        overrides: Sequence[str] = (),
        name: str = "",
        *,
        run_plugins: bool = False,
        to_train: bool = False,
    ) -> Study:
        """The study, with settings changed or without; without a name, of the one it had.

        What a check has come to refuse since is told in a warning, of settings that are its own.

        to_train  whether the user's own data have to be there, as they were

        Errors  `StudyError`.
        """
        meant = self._meant()
        own = _name(self.folder, name or (meant.name if meant else ""))
        # Of a study that is to be trained, nobody knows of what is written anew that it ever was.
        new = to_train and (any(map(_is_told, overrides)) or self._has_changed(meant))
        numbers = nullcontext(dict[str, None]()) if new else as_recorded()
        data = nullcontext() if to_train else known_data.reading(self.folder)
        with data, numbers as passed:
            study = load(self.study, overrides, own, run_plugins=run_plugins, kept=True)
        for why in passed:
            _log.warning("%s: %s; read as it was recorded", self.study, why)
        return study

    def check_overrides(self, study: Study) -> None:
        """Refuse a study that was changed in more than what is in no id, as a retry may not be.

        Errors  `StudyError`.
        """
        asked = study.document
        if _told(asked.values) != _told(read_document(self.study).values):
            message = (
                "changes more than how trials are trained and what is kept of them; "
                f"`ganstudy run {quote(str(self.study))}` takes it"
            )
            told = [path for path, override in asked.overridden.items() if _is_told(override)]
            raise StudyError(asked.problem(path, message) for path in told or asked.overridden)

    def read_resolved(self) -> Resolved:
        """What the study meant; told from study.yaml where resolved.yaml is damaged or gone.

        Errors  `StudyError` if study.yaml does not say so either.
        """
        try:
            return self._resolved()
        except (FileNotFoundError, Damaged) as error:
            _log.warning("%s: %s; told from study.yaml instead", self.resolved, error)
            return resolved.read(resolved.text_of(self.read(), ""))

    def warn_of_changes(self) -> None:
        """Say if study.yaml is not that of resolved.yaml: a hand or its disk, or a run that was
        killed between the two.
        """
        if self._has_changed(self._meant()):
            message = (
                "%s: is not the one that resolved.yaml tells of (edited, or a run was killed as it "
                "began); the present version counts"
            )
            _log.warning(message, self.study)

    def check_trials(
        self,
        search: Search,
        recorded: Collection[str],
        advice: str = "--out trains it elsewhere, and --fresh in its place",
    ) -> None:
        """Refuse a study that shares no trial with those that are recorded.

        One that shares some is an extension, or a part, of the study before, and one that says the
        same is that study, whose records have gone; data of the user's own must be read as they
        were.

        Errors  `RunError` that lists the settings in which the two differ.
        """
        planned = search.accounted_for
        if not recorded:
            return
        if planned.isdisjoint(recorded):
            self._check_same(search.study, advice)
        known_data.check(self.folder, search)
        if beside := len(set(recorded) - planned):
            _log.warning(_BESIDE, self.folder, beside)

    def _check_same(self, study: Study, advice: str) -> None:
        """Refuse a study that does not say what that of the records says.

        Errors  `RunError`.
        """
        try:
            here = self.read_resolved().values()
        except StudyError:  # it cannot be told what the records are of
            here = {}
        asked = resolved.read(resolved.text_of(study, "")).values()
        differing = [
            f"  {key}: {', '.join(here.get(key, ['-']))} there,"
            f" {', '.join(asked.get(key, ['-']))} asked"
            for key in sorted(here.keys() | asked.keys())
            if here.get(key) != asked.get(key)
        ]
        # What is told from study.yaml is not what the run has written of it.
        if differing or self._meant() is None:
            message = (
                f"{self.folder}: holds another study, with no trial of this one. They differ in"
            )
            raise RunError("\n".join((message, *differing, advice)))

    def check_rules(self, search: Search, recorded: Collection[str]) -> None:
        """Refuse a study whose rules, or whose sampler, can no longer be changed.

        An arm that was added since then may be taken back while no score of it has been seen.

        Errors  `RunError` with the reason.
        """
        meant = self._meant()
        kept = self._fixed(meant)
        # Where all that is recorded is of this study, nothing is of an arm that is gone.
        if meant and meant.added and search.accounted_for.issuperset(recorded):
            kept = {**kept, "arms": [arm for arm in kept["arms"] if arm not in meant.added]}
        if reason := search.refusal(kept):
            raise RunError(f"{self.folder}: {reason}")
        if told := search.told_of(kept):
            _log.warning("%s: %s", self.folder, told)

    def _fixed(self, meant: Resolved | None) -> Mapping[str, Any]:
        """What stays once scores have been seen, as resolved.yaml says, which no hand has changed;
        as study.yaml says where that is damaged, gone, or of an earlier version.
        """
        if meant and meant.fixed:
            return meant.fixed
        try:
            added = isinstance(read_document(self.study).values.get("seeds"), Mapping)
            return self.read().fixed if added else {}
        except StudyError:  # gone or damaged; what it meant is not known
            return {}

    def _holds(self, text: str, meant: Resolved | None) -> bool:
        """Whether a study is the one that is here, and what it means too."""
        return meant is not None and meant.study == digest(text.encode()) and self._text() == text

    def _has_changed(self, meant: Resolved | None) -> bool:
        """Whether study.yaml is known to be another one than the run wrote, and meant so."""
        text = self._text()
        return meant is not None and text is not None and meant.study != digest(text.encode())

    def _meant(self) -> Resolved | None:
        """What resolved.yaml says; None where it is damaged or gone.

        Errors  `OSError` where it cannot be read.
        """
        try:
            return self._resolved()
        except (FileNotFoundError, Damaged):
            return None

    def _resolved(self) -> Resolved:
        return resolved.read(read_now(self.resolved).decode(errors="replace"))

    def _text(self) -> str | None:
        """What study.yaml says; None where it cannot be read."""
        try:
            return self.study.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


def _name(folder: Path, told: str) -> str:
    """The name that a study has, of which exports make folders; that of the run's without one.

    The run may be somebody else's, whose name leads elsewhere.
    """
    if told and (Path(told).name != told or told == ".." or not told.isprintable()):
        _log.warning("%s: a study is not called %r; its folder's name is taken", folder, told)
        told = ""
    return told or one_line(folder.resolve().name)


def _added(
    search: Search, recorded: Collection[str], fixed: Mapping[str, Any], meant: Resolved | None
) -> list[str]:
    """Arms that are new since scores were seen of those before, and have no record."""
    study = search.study
    before = set(fixed.get("arms", ())) - set(meant.added if meant else ())
    seen = {study.arm(place) for place, trial in search.trials.items() if trial.id in recorded}
    arms = study.fixed.get("arms", ()) if seen and before else ()
    return [arm for arm in arms if arm not in seen | before]


def _is_told(override: str) -> bool:
    """Whether an override is of more than what is in no id."""
    path = tuple(override.partition("=")[0].split("."))
    return not any(path[: len(own)] == own for own in _IN_NO_ID)


def _told(values: Mapping[str, Any]) -> dict[KeyPath, Any]:
    """Single values of a study, without those that are in no id."""
    return {
        path: value
        for path, value in leaves(values)
        if value != {} and not any(path[: len(own)] == own for own in _IN_NO_ID)
    }
