"""Training sets: which samples are drawn once, and how their rows come into batches."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import chisquare
from tiny import trial

from ganstudy.kinds.adversarial.batches import batches, block_length
from ganstudy.kinds.adversarial.draws import evaluation_latents
from ganstudy.kinds.adversarial.training_set import balanced

CPU = torch.device("cpu")
ROUNDS = 300
"""More than two blocks of batches."""


def _rows(sampling: str, size: int, batch: int, start: int = 0, seed: int = 1) -> NDArray[Any]:
    """The rows of each batch, `(rounds, batch)`: samples are told by the first coordinate."""
    training_set = {"size": size, "sampling": sampling}
    own = trial(seed, training_set=training_set, batch=batch, steps=ROUNDS, critic={"steps": 1})
    assert 2 * block_length(own.configuration) < ROUNDS
    rounds = itertools.islice(batches([own], CPU, start), ROUNDS - start)
    drawn = np.stack([round_.real[0, 0, :, 0].numpy() for round_ in rounds])
    known, rows = np.unique(drawn, return_inverse=True)
    assert len(known) == size
    return rows.reshape(drawn.shape)


def test_a_number_is_a_set_with_the_defaults_of_the_rest() -> None:
    number, named = trial(1, training_set=30), trial(1, training_set={"size": 30})
    drawn = [itertools.islice(batches([own], CPU), 100) for own in (number, named)]
    for a, b in zip(*drawn, strict=True):
        np.testing.assert_array_equal(a.real, b.real)
    assert number.id != trial(1).id


@pytest.mark.parametrize("sampling", ["epochs", "one_order"])
def test_an_epoch_shows_each_row_once(sampling: str) -> None:
    """Five batches of seven rows an epoch, whose ends fall within blocks."""
    rows = _rows(sampling, 35, 7).reshape(-1, 35)
    np.testing.assert_array_equal(np.sort(rows, axis=1), np.tile(np.arange(35), (60, 1)))
    same = (rows == rows[0]).all(axis=1)
    assert same.all() if sampling == "one_order" else not same[1:].any()


def test_the_rows_left_over_in_an_epoch_are_others_in_the_next() -> None:
    """Of 38 rows three sit out each epoch, and no row does always."""
    rows = _rows("epochs", 38, 7).reshape(-1, 35)
    assert all(len(set(epoch)) == 35 for epoch in rows.tolist())
    assert chisquare(np.bincount(rows.ravel(), minlength=38)).pvalue > 1e-4


def test_each_batch_without_replacement_has_different_rows() -> None:
    """All rows alike over the batches; with replacement rows repeat."""
    rows = _rows("without_replacement", 20, 12)
    assert all(len(set(batch)) == 12 for batch in rows.tolist())
    assert chisquare(np.bincount(rows.ravel())).pvalue > 1e-4
    consecutive = rows[:100].reshape(-1, 24)
    assert any(len(set(pair)) < 20 for pair in consecutive.tolist()), "no epochs"
    assert any(len(set(batch)) < 12 for batch in _rows("with_replacement", 20, 12).tolist())


def test_groups_stay_together() -> None:
    """Nine groups of three samples, three in a batch: each epoch shows each group once, and groups
    are draws with replacement from the set.
    """
    settings = {"size": 20, "sampling": "epochs", "groups": 9}
    own = trial(training_set=settings, batch=9, critic={"pac": 3}, steps=ROUNDS)
    rounds = itertools.islice(batches([own], CPU), 90)
    drawn = np.stack([each.real[0, 0, :, 0].numpy() for each in rounds]).reshape(30, 9, 3)
    known = {tuple(group) for group in drawn[0].tolist()}
    assert all({tuple(group) for group in epoch.tolist()} == known for epoch in drawn)
    assert len(known) == 9
    assert len(np.unique(drawn)) < 20
    with pytest.raises(ValueError, match=r"`training_set\.groups: 9` are not 10 different ones"):
        trial(training_set=settings, batch=30, critic={"pac": 3})


@pytest.mark.parametrize("sampling", ["epochs", "one_order", "without_replacement"])
def test_batches_depend_on_their_place_alone(sampling: str) -> None:
    """As if from a checkpoint, and another for another seed."""
    whole = _rows(sampling, 35, 7)
    np.testing.assert_array_equal(_rows(sampling, 35, 7, start=101), whole[101:])
    assert (_rows(sampling, 35, 7, seed=2) != whole).any()


@pytest.mark.parametrize(("size", "counts"), [(16, [2] * 8), (19, [3] * 3 + [2] * 5)])
def test_a_balanced_set_has_as_many_samples_of_each_mode(size: int, counts: list[int]) -> None:
    """Every mode its share; a set drawn freely has some other."""
    found = {}
    for even in (True, False):
        own = trial(3, training_set={"size": size, "balanced": even}, batch=64, steps=ROUNDS)
        drawn = [b.real[0, 0].numpy() for b in itertools.islice(batches([own], CPU), 40)]
        rows = np.unique(np.concatenate(drawn), axis=0)
        modes = own.configuration.target.known_modes()
        assert modes is not None
        assert len(rows) == size
        found[even] = np.bincount(modes.assign(rows, 3.0)[0], minlength=8).tolist()
    assert found[True] == counts
    assert found[False] != counts


def test_a_balanced_set_keeps_no_sample_of_which_it_has_enough() -> None:
    """One of the second label in 500 draws: all that came before it were held at once."""
    drawn = 0

    def draw(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        nonlocal drawn
        numbers = np.arange(drawn, drawn := drawn + count)
        samples = np.repeat(numbers.astype(np.float32)[:, None], 100, axis=1)
        return samples, (numbers % 500 == 499).astype(np.int64)

    tracemalloc.start()
    samples, labels = balanced(draw, 101, 2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert drawn == 25_048
    assert most < 10 * 101 * 100 * 4
    np.testing.assert_array_equal(samples[:, 0], [*range(51), *range(499, 25_000, 500)])
    np.testing.assert_array_equal(labels, [0] * 51 + [1] * 50)


def test_a_balanced_set_tells_the_labels_of_its_samples() -> None:
    """Each sample lies in the mode that its label names."""
    own = trial(3, training_set={"size": 24, "balanced": True}, condition=True, batch=64)
    real = next(batches([own], CPU)).real[0, 0].numpy()
    modes = own.configuration.target.known_modes()
    assert modes is not None
    np.testing.assert_array_equal(modes.assign(real[:, :2], 5.0)[0], real[:, 2:].argmax(1))


def test_a_generator_beside_a_balanced_set_is_told_labels_as_often() -> None:
    """As often as p has them, the critic told p and q apart by labels alone."""
    law = {"name": "mixture", "means": [[0.0], [1.0]], "weights": [0.9, 0.1]}
    rows = {"size": 31, "balanced": True}
    own = trial(3, target=law, training_set=rows, condition=True, batch=1000)
    told = next(batches([own], CPU)).latent[0, :, :, -2:].reshape(-1, 2).double()
    # 16 of 31; three standard errors of a share are below 1.5 / sqrt(count).
    assert abs(told[:, 0].mean().item() - 16 / 31) < 1.5 / len(told) ** 0.5
    measured = next(evaluation_latents(own))
    assert measured[:, -2].mean() > 0.7
