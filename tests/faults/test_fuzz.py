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
OF_A_TABLE = """\
question: Is it read?
trial: {{target: {{name: file, path: {path}{more}}}, batch: 16, record: {{samples: 32}}}}
search: {{grid: {{}}}}
"""


@pytest.mark.slow
def test_files_of_a_run(tmp_path: Path, no_page: None) -> None:
    """Every kind of file in turn: records, dataset, what was asked and meant, where it ran.

    Checkpoints are damaged in `test_checkpoints.py`.
    """
    out = tmp_path / "run"
    filled(out, QUICK)
    run, rng, count, times = Run(out), random.Random(0), Count(), 30
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
@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_studies(tmp_path: Path, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every shipped study, with bits flipped and lines rewritten."""
    # Of a space whose points can be drawn, a hundred say no more than a few.
    monkeypatch.setattr("ganstudy.study.checks.DRAWN", 3)
    rng, count = random.Random(study.stem), Count()
    content = study.read_bytes()
    for shared in study.parent.glob("_*.yaml"):
        (tmp_path / shared.name).write_bytes(shared.read_bytes())
    for number in range(20):
        damage = rng.choice((*DAMAGES, *[rewritten] * 5))
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(damage(content, rng))
        attempt(count, str(path), lambda path=path: search_of(load(path)).counts())
    print(f"{study.stem}: {count}")
    assert count.faults == []


@pytest.mark.slow
def test_tables(tmp_path: Path) -> None:
    """Text and arrays, with bits flipped, cut, and rewritten."""
    rng, count = random.Random(0), Count()
    np.save(tmp_path / "table.npy", np.arange(40.0).reshape(10, 4) ** 1.5)
    np.savez(tmp_path / "table.npz", x=np.arange(40.0).reshape(10, 4) ** 1.5)
    tables = [TABLE, tmp_path / "table.npy", tmp_path / "table.npz"]
    for number in range(500):
        table = rng.choice(tables)
        text = table.suffix == ".csv"
        damage = rng.choice((*DAMAGES, *[rewritten] * 5 * text))
        path = tmp_path / f"{number}{table.suffix}"
        path.write_bytes(damage(table.read_bytes(), rng))
        study = write_study(tmp_path, OF_A_TABLE.format(path=path, more=", label: group" * text))
        attempt(count, str(path), lambda study=study: load(study))
    print(f"tables: {count}")
    assert count.faults == []


@pytest.mark.parametrize(
    ("seed", "times"), [(0, 60), pytest.param(1, 2000, marks=pytest.mark.slow)]
)
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
