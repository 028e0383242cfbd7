"""A synchronous search: its points are those of its study, whenever and wherever records land."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from searched import TEXT, bayes, made_up, peak, points
from tiny import stopping_at

from ganstudy.engine.checkpoints import Checkpoints, Stopped
from ganstudy.engine.session import Session
from ganstudy.kinds.adversarial.training import train
from ganstudy.search.bayes import Bayes
from ganstudy.search.bayes.samplers import SAMPLERS
from ganstudy.session import Continuing
from ganstudy.store import RunDirectory
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial

SYNCHRONOUS = "search.bayes.synchronous=true"
CLOCK = itertools.count(1)


def landed(trial: Trial[object]) -> Record:
    """A record that is made now."""
    return dataclasses.replace(made_up(trial, peak(trial)), finished=float(next(CLOCK)))


def timed(own: Bayes, workers: int, rng: np.random.Generator, most: int) -> list[Record]:
    """Trials that workers finish one at a time, in any order, until there are `most` records."""
    waiting: list[Trial[object]] = []
    told: list[Record] = []
    while len(told) < most:
        waiting += [trial for pack in own.ask(workers) for trial in pack]
        if not waiting:
            break
        told.append(landed(waiting.pop(rng.integers(min(len(waiting), workers)))))
        own.tell(told[-1:])
    return told


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "gp"])
def test_its_points_do_not_depend_on_timing(tmp_path: Path, sampler: str) -> None:
    """Not on the number of workers, on who is first, nor on kills; those of others do."""
    options = (f"search.bayes.sampler={sampler}", "search.bayes.trials=11")
    found, others = [], []
    for workers in (1, 3, 16):
        rng = np.random.default_rng(workers)
        own = bayes(tmp_path, SYNCHRONOUS, *options)
        told = timed(own, workers, rng, 5)
        while own.counts()["missing"]:
            # The session is killed: another one knows the records, in any order, and no more.
            own = bayes(tmp_path, SYNCHRONOUS, *options)
            own.tell([told[place] for place in rng.permutation(len(told))])
            told += timed(own, workers, rng, int(rng.integers(1, 12)))
        assert len({record.id for record in told}) == len(told) == 2 * 11 * 2
        found.append(points(own))
        other = bayes(tmp_path, *options)
        timed(other, workers, rng, 1000)
        others.append([sorted(map(str, arm)) for arm in points(other)])
    assert found[0] == found[1] == found[2]
    if sampler == "tpe":
        assert others[0] != others[2]


@pytest.mark.slow
def test_its_budget_grows_in_the_middle_of_a_round(tmp_path: Path) -> None:
    """From 6 points, one round and a half, to 12: the same as 12 at once."""
    rng = np.random.default_rng(0)
    whole = bayes(tmp_path, SYNCHRONOUS)
    timed(whole, 3, rng, 1000)
    told = timed(bayes(tmp_path, SYNCHRONOUS, "search.bayes.trials=6"), 2, rng, 1000)
    grown = bayes(tmp_path, SYNCHRONOUS)
    grown.tell(told)
    timed(grown, 1, rng, 1000)
    assert points(grown) == points(whole)


@pytest.mark.slow
def test_seeds_that_come_later_change_no_round(tmp_path: Path) -> None:
    """Six points, one round and a half, are given a seed, and six more points follow: the same
    ones, whichever of the new trials is recorded first. Rounds were those in which they landed.
    """
    told = timed(
        bayes(tmp_path, SYNCHRONOUS, "search.bayes.trials=6"), 2, np.random.default_rng(0), 1000
    )
    found = []
    for workers in (1, 3, 16):
        own = bayes(tmp_path, SYNCHRONOUS, "seeds=3")
        own.tell(told)
        timed(own, workers, np.random.default_rng(workers), 1000)
        assert own.counts() == {"complete": 2 * 12 * 3}
        found.append(points(own))
    assert found[0] == found[1] == found[2]


def test_it_learns_from_every_earlier_round(tmp_path: Path) -> None:
    """What is known decides: other scores, other points once the sampler has taken over."""
    own, other = (bayes(tmp_path, SYNCHRONOUS) for _ in range(2))
    for search, sign in ((own, 1.0), (other, -1.0)):
        while parts := search.ask(1):
            search.tell([made_up(t, sign * peak(t)) for pack in parts for t in pack])
    first, second = points(own)[0], points(other)[0]
    assert first[:4] == second[:4]
    assert not any(values in second for values in first[4:])


def test_its_points_continue_whatever_the_number_of_workers(tmp_path: Path) -> None:
    """One worker is given all points of a round together, which four had begun apart."""
    one_shape = "search.bayes.space={generator.lr: {low: 1e-5, high: 1e-1, log: true}}"
    options = (SYNCHRONOUS, one_shape, "search.grid={divergence: [minimax]}")
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    begun = bayes(tmp_path, *options).ask(4)
    for pack in begun:
        with stopping_at(3), pytest.raises(Stopped):
            train(pack, Session(checkpoints=Checkpoints(run.checkpoints)))
    parts = bayes(tmp_path, *options).ask(1)
    assert len(parts) < len(begun)
    assert {*Continuing(bayes(tmp_path, *options), run).ask(1)} == {*begun}


def test_a_search_that_was_none_goes_on_as_one(tmp_path: Path) -> None:
    """Records of a search that was not synchronous count; none is trained again."""
    rng = np.random.default_rng(0)
    told = timed(bayes(tmp_path, "search.bayes.trials=7"), 3, rng, 1000)
    own = bayes(tmp_path, SYNCHRONOUS)
    own.tell(told)
    more = timed(own, 2, rng, 1000)
    assert own.counts() == {"complete": 2 * 12 * 2}
    assert len(more) == 2 * 5 * 2


def test_a_space_that_is_used_up_ends_it(tmp_path: Path) -> None:
    """Six points in all, rounds of four, and a point that an earlier session has half recorded."""
    space = "search.bayes.space={critic.steps: [1, 2, 3], generator.depth: [1, 2]}"
    options = (SYNCHRONOUS, space, "search.bayes.trials=6")
    told = timed(bayes(tmp_path, *options), 2, np.random.default_rng(1), 7)
    own = bayes(tmp_path, *options)
    own.tell(told)
    timed(own, 1, np.random.default_rng(2), 1000)
    assert own.counts() == {"complete": 2 * 6 * 2}


@pytest.mark.parametrize(
    ("startup", "together", "at_random"), [(4, 4, 4), (5, 4, 8), (3, 5, 5), (10, 3, 12)]
)
def test_points_at_random_end_with_a_round(
    tmp_path: Path, startup: int, together: int, at_random: int
) -> None:
    """They are those of random search: of the round in which `startup` is reached all, and no more.

    A search of so many was said to be that of the sampler, and had no curve by chance.
    """
    rounds = (SYNCHRONOUS, f"search.bayes.together={together}", f"search.bayes.startup={startup}")
    rounds += ("search.grid.divergence=[minimax]", "seeds=1", "search.bayes.trials=13")
    own, other = bayes(tmp_path, *rounds), bayes(tmp_path, *rounds, "search.bayes.sampler=random")
    for searched in (own, other):
        timed(searched, 2, np.random.default_rng(0), 1000)
    same = [values in points(other)[0] for values in points(own)[0]]
    assert same == [True] * at_random + [False] * (13 - at_random)
    assert own.attributes()["startup"] == at_random


@pytest.mark.parametrize(
    ("trials", "options", "said"),
    [
        (10, "", "tpe learns nothing: all 10 points are drawn at random, as {} 10"),
        (12, SYNCHRONOUS, "tpe learns nothing: all 12 points are drawn at random, as {} 10, in r"),
        (13, SYNCHRONOUS, ""),
        (11, "", "tpe may learn nothing: all 11 points can be drawn at random, as {} 10 and up to"),
        (13, "", "tpe may learn nothing: all 13 points can be drawn at random, as {} 10 and up to"),
        (14, "", ""),
        (1, "search.bayes.sampler=random", ""),
    ],
)
def test_it_is_said_beforehand_that_nothing_is_learned(
    tmp_path: Path, trials: int, options: str, said: str
) -> None:
    """With four in training three are begun before ten are known."""
    asked = ("search.bayes.startup=10", f"search.bayes.trials={trials}")
    remark = bayes(tmp_path, *asked, *filter(None, [options])).study.keys.remark
    expected = said.format("search.bayes.startup asks for")
    assert (remark[: len(expected)], bool(remark)) == (expected, bool(said))


def test_it_prunes_nothing(tmp_path: Path) -> None:
    text = TEXT.replace("    startup: 4\n", "    pruner: {name: successive_halving, first: 10}\n")
    with pytest.raises(StudyError, match=r"search\.bayes\.synchronous=true: points are pruned as"):
        bayes(tmp_path, SYNCHRONOUS, text=text)
