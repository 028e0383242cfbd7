"""Packing: every trial once, one shape to a pack, no worker idle, no stack beyond memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import made_up, trial, write_study
from torch import Tensor

from ganstudy import tiles
from ganstudy.engine.pace import GUESS, Pace, shared
from ganstudy.engine.packing import (
    PackSize,
    beside_steps,
    choose_program,
    cost,
    estimate,
    packs,
    workers_worth,
)
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.kinds.audit import Audit
from ganstudy.schedule.devices import pack_size
from ganstudy.schedule.where import Where
from ganstudy.search import search_of
from ganstudy.session import program
from ganstudy.store import RunDirectory, RunError
from ganstudy.study import load
from ganstudy.trial import Trial

SHAPES = [(width, steps) for width in (1, 16, 128, 1024) for steps in (1, 5)]


def _drawn(rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """One to four shapes, with the number of trials of each."""
    chosen = rng.permutation(len(SHAPES))[: rng.integers(1, 5)]
    return [(*SHAPES[own], int(rng.integers(1, 91))) for own in chosen]


def _trials(chosen: list[tuple[int, int, int]]) -> list[Trial[Adversarial]]:
    shapes = [
        (trial(critic={"width": width, "steps": steps}, batch=64).configuration, count)
        for width, steps, count in chosen
    ]
    return [Trial(shape, seed) for shape, count in shapes for seed in range(count)]


def test_every_trial_once_and_no_worker_idle_for_long() -> None:
    """Laws of any packing."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        chosen, workers = _drawn(rng), int(rng.integers(1, 17))
        told = f"{chosen} on {workers} workers"
        trials = _trials(chosen)
        found = packs(trials, workers)
        assert sorted(t.id for pack in found for t in pack) == sorted(t.id for t in trials), told
        for pack in found:
            assert len({t.configuration.pack_key() for t in pack}) == 1, told
            assert len(pack) <= PackSize().largest, told
            memory = len(pack) * pack[0].configuration.working_set()
            assert memory <= PackSize().working_set or len(pack) == 2, told
        costs = [cost(pack) for pack in found]
        assert costs == sorted(costs, reverse=True), told
        # A stack of one costs as much as two, so that pairs are as far as trials are spread.
        pair = max(2 * cost(pack) / len(pack) for pack in found)
        assert shared(costs, workers) <= 1.6 * sum(costs) / workers + pair, told


@pytest.mark.parametrize(
    ("count", "workers", "expected"),
    [
        (40, 2, [20, 20]),
        (40, 6, [7, 7, 7, 7, 6, 6]),
        (40, 16, [*(12 * [3]), 2, 2]),
        (7, 16, [2, 2, 2, 1]),
        (400, 2, 10 * [40]),
        (400, 6, [*(4 * [34]), *(8 * [33])]),
    ],
)
def test_trials_of_one_shape_end_together(count: int, workers: int, expected: list[int]) -> None:
    """As few and as equal packs as workers can take in turn: more calls of kernels are dearer."""
    found = packs(_trials([(16, 1, count)]), workers)
    assert [len(pack) for pack in found] == expected


def test_packs_that_fill_the_caches_end_together() -> None:
    """Of at most 24 trials 17 packs would be the fewest, of which one worker gets one more than the
    other, and half hold a copy that fills them up.
    """
    found = packs(_trials([(16, 1, 400)]), 2, PackSize(largest=24))
    assert [len(pack) for pack in found] == 20 * [20]


def test_arms_of_one_seed_train_together() -> None:
    """They see the same batches, and a stopped study has whole comparisons."""
    trials = [
        trial(seed, divergence=name)
        for name in ("minimax", "non_saturating", "hinge")
        for seed in range(15)
    ]
    found = packs(trials, 3)
    assert [{own.seed for own in pack} for pack in found] == [
        {0, 1, 2, 3, 4},
        {5, 6, 7, 8, 9},
        {10, 11, 12, 13, 14},
    ]


def test_a_study_can_bound_its_packs() -> None:
    """`engine.pack` is the most trials of a pack."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        count, workers, largest = rng.integers(1, (41, 9, 51)).tolist()
        trials = _trials([(16, 1, count)])
        found = packs(trials, workers, PackSize(asked=largest))
        told = f"{count} on {workers} workers, at most {largest}"
        assert max(map(len, found)) <= largest, told
        assert sorted(t.id for pack in found for t in pack) == sorted(t.id for t in trials), told


def test_repeated_trials_are_trained_once() -> None:
    """Two points of a grid may mean the same trial."""
    own = trial(0)
    assert packs([own, trial(0), own], 2) == [(own,)]


def test_nothing_to_train() -> None:
    """A complete study has no packs and takes no time."""
    assert packs([], 4) == []
    assert estimate([], 4) == 0


def test_wide_trials_stand_in_pairs() -> None:
    """Beyond the memory bound no more than two train together, as one does with its copy."""
    wide = [trial(seed, critic={"width": 4096, "depth": 3}) for seed in range(3)]
    assert wide[0].configuration.working_set() > PackSize().working_set
    assert [len(pack) for pack in packs(wide, 1)] == [2, 1]


@pytest.mark.parametrize(
    ("count", "workers", "worth"),
    [(1, 8, 1), (2, 8, 1), (8, 8, 2), (8, 2, 2), (40, 8, 8), (40, 1, 1)],
)
def test_workers_are_started_for_work_only(count: int, workers: int, worth: int) -> None:
    """As many as are asked for where each has seconds to do; one where all takes less than two."""
    parts = packs([trial(seed, steps=600, batch=64) for seed in range(count)], workers)
    assert 0.4 < cost(parts[0]) / len(parts[0]) < 0.6
    assert workers_worth(parts, workers) == worth
    assert workers_worth([], workers) == 1


def test_cost_grows_with_the_work() -> None:
    """More steps, D-steps, width and batch cost more; two workers take half the time."""
    base = trial().configuration.cost()
    for larger in (
        trial(steps=24),
        trial(critic={"steps": 5}),
        trial(generator={"width": 64}),
        trial(generator={"norm": "batch", "norm_average": 0.1}),
        trial(batch=64),
    ):
        assert larger.configuration.cost() > base
    parts = packs(_trials([(16, 1, 20)]), 2)
    one, two = (estimate(parts, workers) - GUESS.start for workers in (1, 2))
    assert one == pytest.approx(2 * two)


# Milliseconds of a round as written, of 256 samples of 2 numbers, on one core of an EPYC of 2023.
COMPARING = {"mmd": 16.8, "energy_distance": 4.0, "sinkhorn_divergence": 109.0}


def test_what_compares_all_samples_costs_what_it_costs() -> None:
    """In proportion to each other, within a half; by the square of the batch."""
    of = {
        name: trial(divergence=name, batch=256, steps=1).configuration.cost()
        for name in ("minimax", *COMPARING)
    }
    for name, measured in COMPARING.items():
        ratio = of[name] / of["energy_distance"]
        assert 1 / 1.5 < ratio / (measured / COMPARING["energy_distance"]) < 1.5
    assert of["energy_distance"] > 3 * of["minimax"]
    twice = trial(divergence="mmd", batch=512, steps=1).configuration.cost()
    assert twice == pytest.approx(4 * of["mmd"], rel=0.1)
    pairs = {"name": "relativistic_pairing", "pairing": "all"}
    one, every = (
        trial(divergence=own, batch=256).configuration.cost() for own in (pairs["name"], pairs)
    )
    assert every > 2 * one


def test_what_records_cost_is_in_the_estimate_alone() -> None:
    """Where the law of the generator is known, exact values take most of a short trial's time."""
    affine = {"depth": 0, "latent_law": "normal"}
    record = {"every": 10, "metrics": ["modes_covered"]}
    known, unknown = (
        trial(0, generator=generator, steps=100, record=record) for generator in (affine, {})
    )
    seldom = trial(0, generator=affine, steps=100, record=record | {"every": 50})
    assert beside_steps([unknown]) == 0.0
    assert beside_steps([known]) == pytest.approx(5 * beside_steps([seldom]))
    alone, rare = estimate([(known,)], 1), estimate([(seldom,)], 1)
    assert alone - rare == pytest.approx(beside_steps([known]) - beside_steps([seldom]))
    assert cost([known]) == cost([seldom])
    quick = Pace(GUESS.graph, GUESS.start, {"eager": {known.configuration.work: 0.5}})
    assert beside_steps([known], quick) == pytest.approx(0.5 * beside_steps([known]))


def test_the_game_at_the_end_is_in_the_estimate() -> None:
    """Of 691 parameters eight Jacobians take 8 s of an EPYC, and half as long again of the Xeon of
    the estimates; of players with more than are asked for none is taken.
    """

    def seconds(width: int, **asked: int) -> float:
        player = {"width": width, "depth": 2}
        record = {"samples": 2000, "equilibrium": asked}
        return beside_steps([trial(0, generator=player, critic=player, batch=256, record=record)])

    assert seconds(16, responses=1) == pytest.approx(1.5 * 8.2, rel=0.3)
    assert seconds(16, responses=1, parameters=690) == pytest.approx(
        seconds(16, responses=2) - seconds(16, responses=1)
    )
    assert seconds(16, responses=1) > 5 * seconds(8, responses=1)


def test_what_a_processor_computes_comes_in_its_packs() -> None:
    """On a GPU, too, whose packs are of a thousand: Jacobians at the end, and all of the theory."""
    size = pack_size(("cuda:0",), 1, memory=lambda device: 2**36)
    plain, turning, large = (
        trial(0, record={"equilibrium": own}).configuration
        for own in (None, {}, {"parameters": 10})
    )
    theory = Audit.model_validate({})
    for own, expected in ((plain, [100]), (large, [100]), (turning, [50, 50]), (theory, [50, 50])):
        trials = [Trial(own, seed) for seed in range(100)]
        assert [len(pack) for pack in packs(trials, 1, size)] == expected
        assert [len(pack) for pack in packs(trials, 1, PackSize(asked=80))] == [50, 50]


@pytest.mark.parametrize("divergence", ["mmd", "energy_distance", "sinkhorn_divergence"])
def test_a_gpu_is_given_as_many_trials_as_it_holds_differences_of(
    divergence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packs of images were planned as those of points on a plane, failed, and were halved."""
    monkeypatch.setattr(tiles, "on_gpu", lambda x: True)
    own = trial(0, divergence=divergence, target="digits", batch=32).configuration
    shape = (1, 32, own.target.dimension)
    x, real, fake = (torch.rand(shape, requires_grad=name == "x") for name in ("x", "p", "q"))
    held: dict[int, int] = {}

    def kept(saved: Tensor) -> Tensor:
        held[saved.untyped_storage().data_ptr()] = saved.untyped_storage().nbytes()
        return saved

    with torch.autograd.graph.saved_tensors_hooks(kept, lambda saved: saved):
        loss = own.divergence.generator_loss(own.divergence.witness(x, real, fake))
    assert loss.requires_grad
    half = 2**28
    most = pack_size(("cuda:0",), 1, memory=lambda device: 2 * half).most_of(own)
    assert 1 < most < half / sum(held.values())
    assert most > half / sum(held.values()) / 16
    assert PackSize().most_of(own) == 64  # a CPU makes no such differences


def test_what_has_no_steps_is_not_compiled() -> None:
    """However much work it is."""
    kind = Audit.model_validate({"samples": 10_000, "repeats": 1000})
    assert choose_program([(Trial(kind, 0),)]) == ("eager", "there is nothing to compile")


def test_convolutions_are_computed_as_they_are_written() -> None:
    """Whatever the work, and if only one arm has them; the reason is told."""
    player = {"network": "dcgan", "width": 64}
    arms = [trial(0, target="digits", steps=100_000), trial(0, target="digits", generator=player)]
    chosen, why = choose_program(packs(arms, 1))
    assert chosen == "eager"
    assert "dcgan are computed as they are written" in why


def test_a_run_of_another_program_takes_no_convolutions(tmp_path: Path) -> None:
    """An arm that is added to it is refused before anything is trained, with the way out."""
    axis = "search: {grid: {generator.network: [mlp, dcgan]}}"
    text = f"question: Which?\ntrial: {{target: digits, steps: 100}}\n{axis}\nseeds: 1\n"
    search, run = search_of(load(write_study(tmp_path, text))), RunDirectory(tmp_path / "run")
    of_perceptron, _ = search.trials.values()
    with run.locked():
        run.write_study(search)
        run.write([dataclasses.replace(made_up(of_perceptron), program="compiled")])
    with pytest.raises(RunError, match=r"compiled program so far; .* dcgan .* --fresh"):
        program(run, search, search.outlook(1), Where(1))


def test_convolutions_stand_alone_where_a_worker_would_wait() -> None:
    """Their copies cost nothing; with work for all, two share what their losses cost."""
    player = {"network": "dcgan", "width": 16}
    trials = [trial(s, target="digits", generator=player, critic=player) for s in range(6)]
    assert [len(pack) for pack in packs(trials[:2], 2)] == [1, 1]
    assert [len(pack) for pack in packs(trials[:3], 2)] == [1, 1, 1]
    assert [len(pack) for pack in packs(trials, 2)] == [3, 3]
    assert [len(pack) for pack in packs(trials[:2], 1)] == [2]
    assert [len(pack) for pack in packs(trials[:3], 2, PackSize(asked=3))] == [3]


def test_convolutions_share_the_tiles_of_a_gpu() -> None:
    """Each of twenty packs of one was a tile of eight; so is each of four of five."""
    size = pack_size(("cuda:0",), 12, memory=lambda device: 2**40)
    player = {"network": "dcgan", "width": 16}
    trials = [
        Trial(own, seed)
        for own in (
            trial(target="digits", generator=player, critic=player, batch=batch).configuration
            for batch in (16, 32)
        )
        for seed in range(10)
    ]
    found = packs(trials, 12, size)
    assert sum(-(-len(pack) // 8) for pack in found) == 4


def test_a_pack_is_taken_by_one_worker() -> None:
    """No more workers than packs make an estimate shorter."""
    (own,) = [(trial(0, steps=100_000),)]
    alone = estimate([own], 1) - GUESS.start
    assert estimate([own], 4) - GUESS.start == pytest.approx(alone)
    assert estimate([own] * 3, 2) - GUESS.start == pytest.approx(2 * alone)


def test_losses_that_others_of_a_pack_have_are_in_the_estimate() -> None:
    """Each trial computes the losses of all divergences of its pack."""
    names = ("minimax", "reverse_kl", "wasserstein")
    mixed = [trial(seed, divergence=name) for seed, name in enumerate(names)]
    alike = [trial(seed, divergence="minimax") for seed in range(3)]
    assert beside_steps(alike) == 0.0
    assert beside_steps(mixed) == pytest.approx(3 * beside_steps(mixed[:2]))
    assert choose_program([tuple(mixed)])[0] == choose_program([tuple(alike)])[0]


def test_the_program_does_not_depend_on_the_cut() -> None:
    """Trials of one pack that differ in what they cost count alike, whichever stands first."""
    names = ("mmd", "sinkhorn_divergence")
    one, other = (trial(0, divergence=name, steps=10_000) for name in names)
    assert one.configuration.pack_key() == other.configuration.pack_key()
    assert cost([one]) < 0.7 * cost([other])
    for trials in range(1, 200):
        more = [Trial(one.configuration, seed) for seed in range(1, trials)]
        ways = ([(one, other, *more)], [(other, one, *more)], [(one, *more), (other,)])
        assert len({choose_program(way) for way in ways}) == 1, trials
