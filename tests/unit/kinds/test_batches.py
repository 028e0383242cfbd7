"""What the trials of a pack see: each its own numbers, which arms of one seed have in common."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import trial

from ganstudy import targets
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.draws import Data, held_out
from ganstudy.kinds.adversarial.state import Batches
from ganstudy.targets.ring import Ring

CPU = torch.device("cpu")
Array = NDArray[np.floating]

PLAIN: dict[str, Any] = {"divergence": "minimax"}
PENALTY = {"divergence": "forward_kl", "constraint": {"name": "gradient_penalty", "weight": 1.0}}

ARMS: dict[str, list[dict[str, Any]]] = {
    "objectives and rates": [PLAIN, {"divergence": "forward_kl", "critic": {"lr": 0.5}}],
    "weights of a constraint": [
        PENALTY,
        {**PENALTY, "constraint": {"name": "gradient_penalty", "weight": 9.0}},
        {**PENALTY, "generator": {"lr": 0.5}},
    ],
    "noise that ends": [
        {"constraint": {"name": "instance_noise", "std": 1.0}},
        {"constraint": {"name": "instance_noise", "std": 0.1}},
    ],
    "laws": [PLAIN, {"target": "grid"}, {"target": {"name": "ring", "modes": 5}}],
    "rows": [
        {"training_set": 40, "critic": {"lr": 0.1}},
        {"training_set": 40},
        {"training_set": 60},
        {},
    ],
    "labels": [{"condition": True}, {"condition": True, "divergence": "forward_kl"}],
}


@pytest.mark.parametrize("arms", ARMS.values(), ids=ARMS)
def test_a_trial_sees_in_a_pack_what_it_sees_alone(arms: list[dict[str, Any]]) -> None:
    """Whatever else its neighbours see, in rounds of more than one block."""
    pack = [trial(seed, steps=200, **arm) for seed in range(2) for arm in arms]
    together = islice(batches(pack, CPU, 30), 70)
    alone = [islice(batches([own], CPU, 30), 70) for own in pack]
    for both, *each in zip(together, *alone, strict=True):
        for place, own in enumerate(each):
            for part, wanted in zip(
                (both.real, both.latent, *both.noise),
                (own.real, own.latent, *own.noise),
                strict=True,
            ):
                np.testing.assert_array_equal(part[:, place], wanted[:, 0])


@pytest.mark.parametrize(
    ("arms", "times"),
    [("objectives and rates", 2), ("weights of a constraint", 2), ("laws", 6), ("rows", 6)],
)
def test_what_arms_see_alike_is_drawn_once(
    arms: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams are those of the seed."""
    drawn = list[int]()
    block = Data.block

    def counted(data: Data, number: int, rounds: int) -> Any:
        drawn.append(data.trial.seed)
        return block(data, number, rounds)

    monkeypatch.setattr(Data, "block", counted)
    next(batches([trial(seed, **arm) for seed in range(2) for arm in ARMS[arms]], CPU))
    assert len(drawn) == times


def _ring_of_five(monkeypatch: pytest.MonkeyPatch, drawn: Callable[[Array], Array]) -> None:
    """Have a ring of five modes draw what a plug-in might."""
    sample = Ring.sample

    def own(law: Ring, rng: np.random.Generator, count: int) -> Array:
        return drawn(sample(law, rng, count)) if law.modes == 5 else sample(law, rng, count)

    monkeypatch.setattr(Ring, "sample", own)


def test_a_law_that_draws_too_few_numbers_is_refused_beside_others_as_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The room that a neighbour has made holds as many numbers as p has, and no copies of fewer."""
    _ring_of_five(monkeypatch, lambda samples: samples[:, :1])
    whole, narrow = (trial(0, target={"name": "ring", "modes": own}) for own in (8, 5))
    for pack in ([narrow], [whole, narrow]):
        with pytest.raises(ValueError, match="cannot reshape"):
            next(batches(pack, CPU))


def test_all_that_is_drawn_is_of_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in that draws in double precision trains with a training set as without."""
    _ring_of_five(monkeypatch, lambda samples: samples.astype(np.float64))
    pack = [trial(0, target={"name": "ring", "modes": own}) for own in (5, 8)]
    for some in (pack[:1], pack):
        assert {next(batches(some, CPU)).real.dtype, held_out(some, CPU).dtype} == {torch.float32}


def test_what_is_held_against_a_critic_with_labels_it_has_not_seen() -> None:
    """Rows that digits hold out, each with its own label; and a curve says so with any law."""
    digits = targets.from_config("digits")
    rows, labels = digits.rows().held_out, digits.rows().held_out_labels
    own = trial(0, target="digits", condition=True, training_set=200, record={"samples": 500})
    drawn = held_out([own], CPU)[0].numpy()
    assert own.configuration.holds_out
    known = {row.tobytes(): label for row, label in zip(digits.values(rows), labels, strict=True)}
    assert all(known[row[:-10].tobytes()] == row[-10:].argmax() for row in drawn)


def test_nothing_is_held_against_it_where_labels_are_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of a plug-in that holds rows out and says nothing of their labels."""
    monkeypatch.setattr(Ring, "held_out", lambda self, rng, count: self.sample(rng, count))
    assert trial(0, training_set=20).configuration.holds_out
    own = trial(0, training_set=20, condition=True)
    assert not own.configuration.holds_out
    assert held_out([own], CPU).shape[-1] == 2 + own.configuration.labels


def test_m_steps_have_latent_points_of_their_own_and_the_last_batch_of_p() -> None:
    """What docs/objectives.md says of losses that read p in an M-step."""
    real, latent = torch.arange(3.0), torch.arange(5.0)
    own = Batches(real, latent, (latent,))
    assert [own.d_step(number)[:2] for number in range(3)] == [(0, 0), (1, 1), (2, 2)]
    assert [own.m_step(number) for number in range(2)] == [(2, 3, (3,)), (2, 4, (4,))]
