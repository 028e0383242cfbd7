"""The studies that come with the package: to be run as they are, or to begin one's own from."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from pathlib import Path

from ganstudy.nearest import nearest
from ganstudy.study import Study, load
from ganstudy.study.shipped_files import files, folder, folders
from ganstudy.system import cores
from ganstudy.whole_file import naming

__all__ = ["begin", "files", "folders", "made", "studies"]

_SCHEMA = "study.schema.json"


def studies() -> Mapping[str, Study]:
    """Each study by its name, as it is read."""
    return {name: load(path) for name, path in files().items()}


def made(name: str, runs: str | Path = "runs") -> Path:
    """The run of a study that comes with the package, below `runs`; trained if it is not there.

    Errors  `KeyError` for a name that no study has; those of `pipeline.run`.
    """
    path = Path(runs) / name
    if not (path / "results.zarr").is_dir():
        from ganstudy import pipeline
        from ganstudy.display import display

        with display(quiet=False) as observe:
            pipeline.run(load(files()[name]), path, workers=cores(), observe=observe)
    return path


def begin(path: Path, name: str) -> None:
    """Write a study of one's own: a copy of one that comes with the package, comments and all.

    A folder is copied whole. An editor that reads modelines completes and checks a study by the
    schema beside the originals.

    Errors  `ValueError` for a name that no study has, and for a folder that would be called as a
            file; `FileExistsError`; `OSError`, such as for a full disk, which leaves nothing
            behind.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(path.parent))
    alone, together = files(), folders()
    if name in alone:
        _copy(alone[name], path)
    elif name in together:
        if path.suffix in (".yaml", ".yml"):
            raise ValueError(f"{name} is a folder of studies; name one, such as {path.stem}")
        path.mkdir()
        try:
            for file in sorted(together[name].glob("*.yaml")):
                _copy(file, path / file.name)
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            raise
    else:
        hint = nearest(name, [*alone, *together])
        raise ValueError(f"no study {name!r} comes with the package{hint}")


def _copy(study: Path, path: Path) -> None:
    lines = study.read_text(encoding="utf-8").splitlines(keepends=True)
    modeline = f"# yaml-language-server: $schema={(folder() / _SCHEMA).as_uri()}\n"
    if lines[0].startswith("# yaml-language-server:"):
        lines = lines[1:]
    with naming(path), path.open("x", encoding="utf-8") as file:
        try:
            file.writelines([modeline, *lines])
            file.flush()
        except OSError:
            path.unlink(missing_ok=True)
            raise
