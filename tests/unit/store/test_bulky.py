"""Samples of large images are bulky: they are gathered apart, and beside those that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from tiny import STUDY, write_study

from ganstudy import open_run
from ganstudy.search import search_of
from ganstudy.store import RunDirectory, gather, gathered_store
from ganstudy.study import load

IMAGES = "{name: sprites, size: 24, shapes: 2, colours: 2, rows: 1, columns: 2, noise: 0.001}"


@pytest.mark.slow
def test_bulky_samples_stand_beside_others(tmp_path: Path) -> None:
    """Whichever trial is gathered first."""
    axis = f"divergence: [minimax]\n    target: [ring, {IMAGES}]"
    text = STUDY.partition("search:")[0] + f"search:\n  grid:\n    {axis}\nseeds: 1\n"
    search = search_of(load(write_study(tmp_path, text)))
    run = RunDirectory(tmp_path / "run")
    with run.locked():
        run.write_study(search)
        for pack in search.ask(1):
            run.write(pack[0].configuration.train(pack))
        search.tell(run.read())
        gather(run, search)
    (of_ring, of_images) = sorted(run.read("all"), key=lambda own: own.values["samples"].shape)
    light = {own.id: "samples" in own.values for own in run.read("light")}
    assert light == {of_ring.id: True, of_images.id: False}
    samples = open_run(run.path)["samples"].isel(divergence=0, seed=0)
    assert samples.sizes["feature"] == 3 * 24**2
    np.testing.assert_array_equal(samples[0, :, :2], of_ring.values["samples"])
    assert np.isnan(samples[0, :, 2:]).all()
    np.testing.assert_array_equal(samples[1], of_images.values["samples"])


def test_the_files_of_a_dataset_are_the_same_however_large_it_is(
    make_study: Callable[..., xr.Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small one is put together in memory, and each of its files written once."""
    ds = make_study({"divergence": ["a", "b"]}, seeds=2, steps=6, samples=40)
    written = []
    for most in (gathered_store.IN_MEMORY, 0):
        monkeypatch.setattr(gathered_store, "IN_MEMORY", most)
        place = tmp_path / str(most)
        gathered_store.write(ds, place, {"samples": {"chunks": (1, 1, 10, 2)}})
        files = (path for path in place.rglob("*") if path.is_file())
        written.append({path.relative_to(place): path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert len([path for path in written[0] if path.parent.name == "samples"]) == 4 * 4 + 2
