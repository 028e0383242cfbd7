"""Samplers: from the points that are known to the next one, as pure functions.

Nothing is carried from one proposal to the next. The same points, told in the same order, give the
same proposal, whatever happened in between; a search that was killed needs no state of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.study.space import AnyParameter, Range, at_random, values_at

if TYPE_CHECKING:
    import optuna

__all__ = ["SAMPLERS", "Known", "Question", "Sampler", "propose", "quasi_random", "to_study"]

AT_ONCE = 64
"""Points that are drawn of a sequence at a time; a power of two, as Sobol's are balanced."""


@dataclass(frozen=True)
class Known:
    """A point and what came of it.

    values      one for each objective; of a point in training, a lie
    violations  one for each constraint, above zero if the point breaks it
    rung        the M-steps after which it was stopped, for a pruned point; then it has one value.
                The first of the search where the point has come to a bad end
    """

    point: Mapping[str, Any]
    values: tuple[float, ...]
    violations: tuple[float, ...] = ()
    rung: int | None = None
    lie: bool = False


@dataclass(frozen=True)
class Question:
    """What a sampler is asked.

    space       parameters; conditions may name the labels of `arm`
    directions  `maximize` or `minimize`, for each objective
    known       points with their values, in the order in which they were learned
    number      how many points the arm has had; quasi-random sequences go by it
    seed        entropy of this proposal and no other
    stream      entropy of the whole search, for sequences that are drawn once
    """

    space: tuple[AnyParameter, ...]
    arm: Mapping[str, Any]
    directions: tuple[str, ...]
    known: tuple[Known, ...]
    number: int
    seed: tuple[int, ...]
    stream: tuple[int, ...]


@dataclass(frozen=True)
class Sampler:
    """How points are proposed, and what follows from it.

    called        what it is, in a sentence
    propose       the values that it would try next
    learns        whether it goes by what is known; else any order of its points is as likely
    random_first  whether points are drawn at random until it has some to learn from
    takes_pruned  whether it goes by points that are pruned, or has no need of any
    """

    called: str
    propose: Callable[[Question], dict[str, Any]]
    learns: bool = True
    random_first: bool = False
    takes_pruned: bool = True


def propose(sampler: str, question: Question) -> dict[str, Any]:
    """The values that a sampler would try next, without the parameters that take no part.

    Errors  `KeyError` for one that is not in `SAMPLERS`.
    """
    return SAMPLERS[sampler].propose(question)


def _random(question: Question) -> dict[str, Any]:
    return at_random(question.space, np.random.default_rng(question.seed), question.arm)


def quasi_random(question: Question) -> Iterator[dict[str, Any]]:
    """Points of a scrambled Sobol sequence, from that of the question's `number` on.

    Source  Sobol 1967; scrambled by random linear maps and a shift of digits, Matoušek 1998, as in
            `scipy.stats.qmc`.
    """
    from scipy.stats import qmc

    rng = np.random.default_rng(question.stream)
    sequence = qmc.Sobol(len(question.space), scramble=True, rng=rng)
    if question.number:
        sequence.fast_forward(question.number)
    while True:
        for unit in sequence.random(AT_ONCE).tolist():
            yield values_at(question.space, unit, question.arm)


def _evolved(question: Question) -> dict[str, Any]:
    """CMA-ES over the ranges; lists of values are drawn at random.

    The known points are told to a new strategy, a population at a time in the order in which they
    were learned, and it is asked once. Points in training are left out. A point that lacks a
    parameter has 0.5 in its place, where the strategy begins.

    Source  Hansen and Ostermeier 2001, as in the package `cmaes`.
    """
    from cmaes import CMA

    ranges = [parameter for parameter in question.space if isinstance(parameter, Range)]
    size = max(len(ranges), 2)  # a strategy in one dimension is refused
    bounds = np.tile([0.0, 1.0], (size, 1))
    strategy = CMA(mean=np.full(size, 0.5), sigma=1 / 4, bounds=bounds, seed=_number(question.seed))
    sign = 1.0 if question.directions[0] == "minimize" else -1.0
    told = [known for known in question.known if not known.lie]
    population = strategy.population_size
    for start in range(0, len(told) - population + 1, population):
        generation = []
        for known in told[start : start + population]:
            place = np.full(size, 0.5)
            for index, parameter in enumerate(ranges):
                if parameter.name in known.point:
                    place[index] = parameter.share(known.point[parameter.name])
            generation.append((place, sign * known.values[0]))
        strategy.tell(generation)
    evolved = dict(zip((p.name for p in ranges), strategy.ask().tolist(), strict=False))
    drawn = np.random.default_rng(question.seed).random(len(question.space))
    unit = [evolved.get(p.name, u) for p, u in zip(question.space, drawn.tolist(), strict=True)]
    return values_at(question.space, unit, question.arm)


def _by_densities(question: Question) -> dict[str, Any]:
    """TPE, multivariate and grouped by which parameters take part.

    Source  Bergstra et al. 2011 and Falkner et al. 2018; `optuna.samplers`.
    """
    from optuna.samplers import TPESampler

    seed = _number(question.seed)
    return _suggested(
        question,
        lambda: TPESampler(n_startup_trials=1, multivariate=True, group=True, seed=seed),
    )


def _by_process(question: Question) -> dict[str, Any]:
    """A Gaussian process, by `optuna.samplers`."""
    from optuna.samplers import GPSampler

    seed = _number(question.seed)
    return _suggested(
        question,
        lambda: GPSampler(n_startup_trials=1, seed=seed, warn_independent_sampling=False),
    )


def _suggested(
    question: Question, sampler: Callable[[], optuna.samplers.BaseSampler]
) -> dict[str, Any]:
    """What a sampler of Optuna's suggests, given all that is known."""
    import optuna

    with warnings.catch_warnings():
        # Grouping is marked experimental, for its interface; a pin holds that.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        own = sampler()
    study = to_study(question.space, question.directions, question.known, sampler=own)
    trial = study.ask()
    values: dict[str, Any] = {}
    for parameter in question.space:
        if not parameter.active({**question.arm, **values}):
            continue
        name = parameter.name
        if not isinstance(parameter, Range):
            values[name] = trial.suggest_categorical(name, parameter.labels)
        elif parameter.whole:
            low, high, step = int(parameter.low), int(parameter.high), int(parameter.step or 1)
            values[name] = trial.suggest_int(name, low, high, step=step, log=parameter.log)
        else:
            values[name] = trial.suggest_float(
                name, parameter.low, parameter.high, step=parameter.step, log=parameter.log
            )
    return values


SAMPLERS: Mapping[str, Sampler] = {
    "tpe": Sampler("a tree-structured Parzen estimator", _by_densities, random_first=True),
    "gp": Sampler("a Gaussian process", _by_process, random_first=True, takes_pruned=False),
    "cmaes": Sampler("CMA-ES", _evolved, takes_pruned=False),
    "qmc": Sampler("a Sobol sequence", lambda own: next(quasi_random(own)), learns=False),
    "random": Sampler("random search", _random, learns=False),
}
"""Every sampler, by the word for it in a study file."""


def to_study(
    space: Sequence[AnyParameter],
    directions: Sequence[str],
    known: Sequence[Known],
    **options: Any,
) -> optuna.Study:
    """An Optuna study that holds the known points as trials; options as for `create_study`."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sought: list[Any] = list(directions)
    study = optuna.create_study(directions=sought, **options)
    distributions = {parameter.name: _distribution(parameter) for parameter in space}
    states = optuna.trial.TrialState
    study.add_trials(
        optuna.create_trial(
            state=states.COMPLETE if point.rung is None else states.PRUNED,
            params=dict(point.point),
            distributions={name: distributions[name] for name in point.point},
            values=list(point.values) if point.rung is None else None,
            intermediate_values={} if point.rung is None else {point.rung: point.values[0]},
            constraints={str(place): v for place, v in enumerate(point.violations)},
        )
        for point in known
    )
    return study


def _distribution(parameter: AnyParameter) -> optuna.distributions.BaseDistribution:
    from optuna import distributions

    if not isinstance(parameter, Range):
        return distributions.CategoricalDistribution(parameter.labels)
    low, high, log, step = parameter.low, parameter.high, parameter.log, parameter.step
    if parameter.whole:
        return distributions.IntDistribution(int(low), int(high), log, int(step or 1))
    return distributions.FloatDistribution(low, high, log, step)


def _number(seed: Sequence[int]) -> int:
    """A seed of 31 bits, as libraries of older random numbers take it."""
    return int(np.random.SeedSequence(list(seed)).generate_state(1)[0] >> 1)
