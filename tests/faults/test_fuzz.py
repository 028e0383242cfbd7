"""Damage without end, bounded and seeded: nothing wrong in silence, nothing raw, nothing lost."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from filled import filled
from fuzz import DAMAGES, Count, Run, attempt, rewritten
from tiny import STUDY, TABLE, write_study

from ganstudy.search import search_of
from ganstudy.store import heartbeat
from ganstudy.study import load
from ganstudy.whole_file import sealed, unsealed

FILES = sorted((Path(__file__).parents[2] / "studies").rglob("*.yaml"))
STUDIES = [path for path in FILES if not path.name.startswith("_")]
QUICK = STUDY.replace("seeds: 2", "seeds: 1")


def _numbers(quick: int, many: int) -> object:
    """How much is done: some of it always, more of it in the slow tier, from another seed."""
    return pytest.mark.parametrize(
        ("seed", "times"), [(0, quick), pytest.param(1, many, marks=pytest.mark.slow)]
    )


@pytest.mark.slow
@_numbers(6, 30)
def test_files_of_a_run(tmp_path: Path, no_page: None, seed: int, times: int) -> None:
    """Every kind of file in turn: records, dataset, what was asked and meant, where it ran.

    Checkpoints are damaged in `test_checkpoints.py`.
    """
    out = tmp_path / "run"
    filled(out, QUICK)
    run, rng, count = Run(out), random.Random(seed), Count()
    kinds: dict[str, list[Path]] = {}
    for path in sorted(run.whole):
        name = path.relative_to(out).parts[0]
        kinds.setdefault(name if name != "results.zarr" else path.name, []).append(path)
    kinds.pop(".lock")
    for number in range(times):
        files = list(kinds.values())[number % len(kinds)]
        run.damage(count, rng.choice(files), rng.choice(DAMAGES), rng)
    print(f"files of a run: {count}")
    assert count.faults == []
    assert count.done > 0.9 * times


@pytest.mark.slow
@_numbers(3, 20)
@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_studies(tmp_path: Path, study: Path, seed: int, times: int) -> None:
    """Every shipped study, with bits flipped and lines rewritten."""
    rng, count = random.Random(f"{study.stem} {seed}"), Count()
    content = study.read_bytes()
    for shared in study.parent.glob("_*.yaml"):
        (tmp_path / shared.name).write_bytes(shared.read_bytes())
    for number in range(times):
        damage = rng.choice((*DAMAGES, *[rewritten] * 5))
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(damage(content, rng))
        attempt(count, str(path), lambda path=path: search_of(load(path)).counts())
    print(f"{study.stem}: {count}")
    assert count.faults == []


@pytest.mark.slow
@_numbers(60, 500)
def test_tables(tmp_path: Path, seed: int, times: int) -> None:
    """Text and arrays, with bits flipped, cut, and rewritten."""
    rng, count = random.Random(seed), Count()
    np.save(tmp_path / "table.npy", np.arange(40.0).reshape(10, 4) ** 1.5)
    np.savez(tmp_path / "table.npz", x=np.arange(40.0).reshape(10, 4) ** 1.5)
    tables = [TABLE, tmp_path / "table.npy", tmp_path / "table.npz"]
    for number in range(times):
        table = rng.choice(tables)
        text = table.suffix == ".csv"
        damage = rng.choice((*DAMAGES, *[rewritten] * 5 * text))
        path = tmp_path / f"{number}{table.suffix}"
        path.write_bytes(damage(table.read_bytes(), rng))
        target = f"{{name: file, path: {path}}}"
        study = write_study(tmp_path, STUDY.replace("{name: ring, modes: 4}", target))
        attempt(count, str(path), lambda study=study: load(study))
    print(f"tables: {count}")
    assert count.faults == []


@_numbers(60, 2000)
def test_heartbeats(tmp_path: Path, seed: int, times: int) -> None:
    """What a run says of itself is all there, or is of nobody; a run that ended leaves none."""
    rng, count, path = random.Random(seed), Count(), tmp_path / "heartbeat.json"
    heartbeat.write(path, {"doing": "training", "seconds": 1.5, "packs": [{"trials": 3}]})
    whole = path.read_bytes()
    right = heartbeat.read(path)
    assert right is not None
    for _ in range(times):
        damage = rng.choice((*DAMAGES, rewritten))
        path.write_bytes(damage(whole, rng))
        count.done += 1
        try:
            if heartbeat.read(path) not in (right, None):
                count.wrong.append(damage.__name__)
        except Exception as error:
            count.raw.append(f"{damage.__name__}: {error!r}")
    print(f"heartbeats: {count}")
    assert count.faults == []


@pytest.mark.parametrize("hostile", ["", None, -1, 0, 2**80, 1e400, [], {}, "x" * 999])
@pytest.mark.parametrize("key", ["host", "process", "born", "folder", "said"])
def test_heartbeats_that_are_whole_and_make_no_sense(
    tmp_path: Path, key: str, hostile: object
) -> None:
    """Of another version, or written by somebody: a checksum is no proof of sense."""
    path = tmp_path / "heartbeat.json"
    heartbeat.write(path, {"doing": "training"})
    content = unsealed(path.read_bytes())
    path.write_bytes(sealed({**content, key: hostile}))
    read = heartbeat.read(path)
    # Of another machine, or said long ago or in the future, it may still be of a process there.
    assert read is None or (key in ("host", "said") and isinstance(hostile, str | int))
    path.write_bytes(sealed({name: own for name, own in content.items() if name != key}))
    assert heartbeat.read(path) is None
