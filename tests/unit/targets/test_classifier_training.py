"""A classifier of images, trained by a process that computes portably whoever asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from processors import NOT_PORTABLE, needs_portable
from tiny import LABELLED_PICTURES

from ganstudy import machine_cache, targets
from ganstudy.targets import RowsTarget, classifier, trained_portably

TARGET = targets.from_config(LABELLED_PICTURES)
IMAGE = TARGET.image
assert IMAGE is not None

GOLDEN = {5: "cc12a80f6c04160e", 600: "88c9f28d2c2433c1"}
"""Of all that a classifier is, by the steps of its training; made on an AMD EPYC 9004 (Zen 4)."""


def _digest(made: Mapping[str, NDArray[Any]]) -> str:
    found = hashlib.sha256()
    for name, values in sorted(made.items()):
        found.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:16]


@pytest.mark.slow
def test_it_is_trained_once_and_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again where what was kept is not whole; of every training image it is known how it is read.

    This process computes as its processor likes best.
    """
    known = classifier(TARGET)
    for kept in (machine_cache.folder() / "ganstudy_classifiers").glob("*.npz"):
        cut = tmp_path / "ganstudy_classifiers" / kept.name
        cut.parent.mkdir(exist_ok=True)
        cut.write_bytes(kept.read_bytes()[:100])
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    classifier.cache_clear()
    again = classifier(TARGET)
    (file,) = (own for own in tmp_path.rglob("*.npz") if own.stat().st_size > 100)
    with np.load(file) as arrays:
        made = dict(arrays)
    assert NOT_PORTABLE or _digest(made) == GOLDEN[600]
    assert isinstance(TARGET, RowsTarget)
    assert len(made["distance"]) == len(TARGET.rows().train)
    written = file.stat().st_mtime_ns
    classifier.cache_clear()
    read = classifier(TARGET)
    assert file.stat().st_mtime_ns == written
    for name, values in known.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], values)
        np.testing.assert_array_equal(read.parameters[name], values)


@pytest.mark.slow
@needs_portable
def test_it_is_the_same_on_a_processor_of_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    assert IMAGE is not None
    asked = {"ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "SSE4_2"}
    asked |= {"ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Nehalem"}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    assert _digest(trained_portably(TARGET, IMAGE, 5)) == GOLDEN[5]


@pytest.mark.slow
def test_each_class_has_a_spread_however_rare_it_is(tmp_path: Path) -> None:
    """Of 7,000 images three are of one class and one of another; none tells anything twice.

    With 5,000 drawn with replacement one class in two had none, and no image was ever near to it.
    """
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(4), [6000, 996, 3, 1])
    shades = np.clip(rng.normal(60 * labels[:, None] + 40, 9, (7000, 16)), 0, 255)
    train, unseen = ({"x": shades[own], "y": labels[own]} for own in (np.s_[:], np.s_[::50]))
    sets = {f"{k}_{of}": own[k] for of, own in (("train", train), ("test", unseen)) for k in "xy"}
    pixels = {k: v.astype(np.uint8).reshape(-1, 4, 4) for k, v in sets.items() if k[0] == "x"}
    np.savez(tmp_path / "rare.npz", **sets | pixels)
    target = targets.from_config({"name": "images", "path": str(tmp_path / "rare.npz")})
    assert target.image is not None
    made = trained_portably(target, target.image, 1)
    assert 5004 >= len(made["distance"]) >= 5000
    for rare in (2, 3):
        own = np.mean(pixels["x_train"][labels == rare] / 127.5 - 1, axis=0).ravel()
        np.testing.assert_allclose(made["means"][rare, -16:], own, atol=1e-5)
