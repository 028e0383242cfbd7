"""The scale of the metrics, from the trial's configuration to the dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tiny import STUDY, trial, write_study

from ganstudy import metrics, targets
from ganstudy.kinds.adversarial.training import train
from ganstudy.metrics import perfect_sampler
from ganstudy.search.grid import Grid
from ganstudy.store.perfect import perfect
from ganstudy.study import load

RING = targets.from_config({"name": "ring", "modes": 8})


def test_perfect_sampler_measures_clouds_of_p() -> None:
    quality = metrics.family["high_quality"]()
    values = perfect_sampler(quality, RING, 500)
    share = quality.reading(RING).value_at_equality
    error = np.sqrt(share * (1 - share) / 500)
    assert abs(values.mean() - share) < 4 * error / np.sqrt(len(values))
    assert 0.5 * error < values.std(ddof=1) < 1.7 * error
    assert perfect_sampler(quality, RING, 50).std() > 2 * values.std()


def test_perfect_sampler_gives_labelled_metrics_the_right_labels() -> None:
    accuracy = metrics.family["label_accuracy"]()
    share = accuracy.reading(RING).value_at_equality
    error = np.sqrt(share * (1 - share) / (20 * 500))
    assert abs(perfect_sampler(accuracy, RING, 500).mean() - share) < 4 * error


def test_costly_metrics_are_recorded_at_the_end_alone() -> None:
    recorded = ("modes_covered", "coverage", "wasserstein_1")
    (record,) = train([trial(record={"every": 4, "samples": 50, "metrics": recorded})])
    assert not np.isnan(record.values["modes_covered"]).any()
    for name in ("coverage", "wasserstein_1"):
        assert np.isnan(record.values[name]).tolist() == [True, True, False]
    assert "samples" in record.values
    again = metrics.family["coverage"]().compute(
        record.values["samples"], trial().configuration.target
    )
    assert record.values["coverage"][-1] == np.float32(again)


def test_dataset_holds_the_scale_of_every_metric(tmp_path: Path) -> None:
    """Along the axes if one of them changes the target, and along none otherwise."""
    study = load(
        write_study(tmp_path, STUDY.replace("critic.steps: [1, 2]", "target.modes: [2, 4]"))
    )
    values = perfect(Grid(study))
    covered = values["modes_covered_perfect"]
    assert covered.dims == ("divergence", "target_modes", "draw")
    assert (covered[:, 0] == 2).all()
    assert (covered[:, 1] == 4).all()
    study = load(write_study(tmp_path))
    values = perfect(Grid(study))
    assert set(values) == {f"{m}_perfect" for m in ("modes_covered", "high_quality", "mode_kl")}
    assert values["mode_kl_perfect"].dims == ("draw",)
