"""Mistakes in studies: each ends in one screen that says where, what, and what was meant."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result
from tiny import write_study

from ganstudy import networks, targets
from ganstudy.cli import main
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import ProgramName

GRID = "search: {grid: {divergence: [minimax, wasserstein], critic.steps: [1, 5]}}\n"

BAYES = """\
search:
  bayes:
    space: {critic.steps: {low: 1, high: 8}}
    trials: 4
    objective: {maximize: modes_covered}
"""


def _space(text: str) -> str:
    """A search over another space, on line 4."""
    return BAYES.replace("critic.steps: {low: 1, high: 8}", text)


TARGETS = "target: [ring, swiss_roll]"


def _beside(grid: str, more: str = "") -> str:
    """A search of each arm of a grid, on line 3; keys more on line 8."""
    return BAYES.replace("search:\n", f"search:\n  grid: {{{grid}}}\n") + more


def _pruned(first: int, trial: str, space: str, grid: str = "") -> str:
    """A search over another space of which points are pruned, on line 7; the trial is line 8."""
    pruner = f"    pruner: {{name: successive_halving, first: {first}}}\n"
    axes = f"  grid: {{{grid}}}\n" if grid else ""
    return f"{_space(space)}{pruner}{axes}trial: {{{trial}}}\n"


# Each case: the keys below `question:`, which stands on line 1; then what the message must contain.
NESTEROV = "{optimizer: {name: momentum, nesterov: true}}"

CASES: dict[str, tuple[str, list[str]]] = {
    "unknown key": ("seeds: 2\nsede: 3\n", [":3", "sede", "'seeds'"]),
    "unknown key of a trial": ("trial:\n  stepz: 3\n", [":3", "trial.stepz", "'steps'"]),
    "unknown key of a player": (
        "trial:\n  critic:\n    widht: 3\n",
        [":4", "trial.critic.widht", "'width'"],
    ),
    "unknown parameter of a member": (
        "trial:\n  target: {name: ring, mods: 3}\n",
        [":3", "trial.target.mods", "'modes'"],
    ),
    "trial key at the top": ("steps: 3\n", [":2", "steps", "'trial.steps'"]),
    "misspelt divergence": (
        "trial:\n  divergence: reverse_lk\n",
        [":3", "trial.divergence", "'reverse_lk'", "'reverse_kl'"],
    ),
    "misspelt divergence on an axis": (
        "search:\n  grid:\n    divergence:\n    - minimax\n    - wassersten\n",
        [":6", "search.grid.divergence.1", "'wassersten'", "'wasserstein'"],
    ),
    "what an axis leaves of a shared member": (
        GRID + "trial: {divergence: {name: minimax, foo: 3}}\n",
        [":3", "trial.divergence.foo", "'foo'"],
    ),
    "misspelt member in a bundle": (
        "search:\n  grid:\n    variant:\n      a: {constraint: clpi}\n",
        [":5", "search.grid.variant.a", "'clpi'", "'clip'"],
    ),
    "misspelt metric": (
        "trial:\n  record:\n    metrics:\n    - mode_kl\n    - mode_covered\n",
        [":6", "'mode_covered'", "'modes_covered'"],
    ),
    "negative width": (
        "trial:\n  generator: {width: -3}\n",
        [":3", "trial.generator.width", "-3", "greater than or equal to 1"],
    ),
    "negative width on an axis": (
        "search:\n  grid:\n    critic.width: [8, -8]\n",
        [":4", "search.grid.critic.width.1", "-8"],
    ),
    "not a number": ("trial: {generator: {lr: .nan}}\n", [":2", "trial.generator.lr", "finite"]),
    "empty axis": ("search:\n  grid:\n    divergence: []\n", [":4", "search.grid.divergence"]),
    "empty axis of bundles": ("search:\n  grid:\n    size: {}\n", [":4", "search.grid.size"]),
    "axis over no key": (
        "search:\n  grid:\n    critic.stepz: [1, 2]\n",
        [":4", "search.grid.critic.stepz", "'steps'"],
    ),
    "bundle over no key": (
        "search:\n  grid:\n    size:\n      small: {critic.widht: 3}\n",
        [":5", "search.grid.size.small", "'widht'", "'width'"],
    ),
    "wrong type": ("trial: {steps: many}\n", [":2", "trial.steps", "whole number", "'many'"]),
    "boolean for a number": ("trial: {batch: true}\n", [":2", "trial.batch", "whole number"]),
    "number for a string": ("trial: {divergence: 3}\n", [":2", "trial.divergence", "3"]),
    "name of another type": ("trial: {divergence: {name: [a]}}\n", [":2", "trial.divergence"]),
    "string for a group": ("trial: {critic: wide}\n", [":2", "trial.critic", "'wide'"]),
    "null for a group": ("trial:\n  critic:\n", [":3", "trial.critic", "nothing"]),
    "string for an axis": (
        "search:\n  grid:\n    divergence: minimax\n",
        [":4", "search.grid.divergence", "list"],
    ),
    "exclude removes everything": (
        "search:\n  grid: {divergence: [minimax]}\n  exclude: [{divergence: minimax}]\n",
        [":4", "search.exclude", "excluded"],
    ),
    "exclude without pairs": (
        "search:\n  grid: {divergence: [minimax]}\n  exclude: [{}]\n",
        [":4", "search.exclude.0"],
    ),
    "exclude of no axis": (
        GRID.replace("}}\n", "}, exclude: [{divergance: minimax}]}\n"),
        [":2", "search.exclude.0.divergance", "'divergence'"],
    ),
    "exclude of no value": (
        GRID.replace("}}\n", "}, exclude: [{divergence: minmax}]}\n"),
        [":2", "search.exclude.0.divergence", "'minimax'"],
    ),
    "compare of no axis": (f"{GRID}compare: divergense\n", [":3", "compare", "'divergence'"]),
    "score that is not recorded": ("score: mode_lk\n", [":2", "score", "'mode_kl'"]),
    "score that could be recorded": (
        "score: energy_distance\n",
        [":2", "score", "'energy_distance' is not recorded; name it in record.metrics, beside"],
    ),
    "score that this target cannot have": (
        "score: modes_covered\ntrial: {target: swiss_roll, record: {metrics: [energy_distance]}}\n",
        [":2", "score", "not recorded: metric modes_covered needs a target with modes; swiss"],
    ),
    "score that is no metric": ("score: critic_loss\n", [":2", "score", "'critic_loss'"]),
    "repeated value": (
        "search: {grid: {critic.steps: [1, 2, 1]}}\n",
        [":2", "search.grid.critic.steps", "repeated", "1"],
    ),
    "repeated member": (
        "search: {grid: {divergence: [minimax, {name: minimax}]}}\n",
        [":2", "search.grid.divergence", "repeated", "minimax"],
    ),
    "repeated metric": (
        "trial: {record: {metrics: [mode_kl, {name: mode_kl, radius: 2.0}]}}\n",
        [":2", "trial.record.metrics", "mode_kl"],
    ),
    "repeated key": ("seeds: 2\nseeds: 3\n", [":3", "seeds", "duplicate"]),
    "repeated seed": ("seeds: [1, 2, 1]\n", [":2", "seeds"]),
    "no seed": ("seeds: []\n", [":2", "seeds"]),
    "zero seeds": ("seeds: 0\n", [":2", "seeds"]),
    "negative seed": ("seeds: [-1]\n", [":2", "seeds"]),
    "half a seed": ("seeds: 1.5\n", [":2", "seeds"]),
    "seed beyond 64 bits": ("seeds: [36893488147419103232]\n", [":2", "seeds"]),
    "two axes that set one key": (
        "search:\n  grid:\n    critic.steps: [1]\n    size: {s: {critic.steps: 2}}\n",
        [":5", "search.grid.size", "'critic.steps'"],
    ),
    "an axis within another": (
        "search:\n  grid:\n    critic.width: [8]\n    critic: [{width: 4}]\n",
        [":5", "search.grid.critic", "critic.width"],
    ),
    "two axes of one dimension": (
        "search:\n  grid:\n    critic_steps: {a: {batch: 8}}\n    critic.steps: [1]\n",
        [":5", "search.grid.critic.steps", "critic_steps"],
    ),
    "axis named as a curve": (
        "search:\n  grid:\n    critic_loss: {a: {batch: 8}}\n",
        [":4", "search.grid.critic_loss"],
    ),
    "axis named with dots as a curve": (
        "search:\n  grid:\n    critic.loss: {a: {batch: 8}}\n",
        [":4", "search.grid.critic.loss"],
    ),
    "unknown key of a search": (f"{BAYES}    sampelr: tpe\n", [":7", "sampelr", "'sampler'"]),
    "unknown sampler": (f"{BAYES}    sampler: tpee\n", [":7", "search.bayes.sampler", "'tpe'"]),
    "unknown statistic": (f"{BAYES}    statistic: meen\n", [":7", "statistic", "'mean'"]),
    "unknown key of a range": (
        _space("critic.steps: {low: 1, high: 8, stpe: 7}"),
        [":4", "search.bayes.space.critic.steps.stpe", "'step'"],
    ),
    "half a range": (_space("critic.steps: {low: 1}"), [":4", "critic.steps.high", "required"]),
    "low above high": (_space("critic.steps: {low: 9, high: 8}"), [":4", "low", "9 > 8"]),
    "logarithm of zero": (
        _space("critic.lr: {low: 0.0, high: 1.0, log: true}"),
        [":4", "critic.lr.low", "above 0"],
    ),
    "steps that miss the end": (
        _space("critic.steps: {low: 1, high: 8, step: 2}"),
        [":4", "critic.steps.high", "7"],
    ),
    "bound that a trial refuses": (
        _space("critic.width: {low: -4, high: 8}"),
        [":4", "search.bayes.space.critic.width.low", "-4"],
    ),
    "fractions of whole numbers": (
        _space("critic.width: {low: 1.0, high: 8.5}"),
        [":4", "critic.width.low", "whole number"],
    ),
    "parameter over no key": (
        _space("critic.stepz: {low: 1, high: 8}"),
        [":4", "search.bayes.space.critic.stepz", "'steps'"],
    ),
    "misspelt member among values": (
        _space("critic.optimizer: [adam, rmsporp]"),
        [":4", "search.bayes.space.critic.optimizer.1", "'rmsprop'"],
    ),
    "string for a parameter": (_space("critic.optimizer: adam"), [":4", "low and high", "'adam'"]),
    "no value": (_space("critic.width: []"), [":4", "critic.width", "at least one"]),
    "a mistake between the bounds of a parameter": (
        "trial: {divergence: f_alpha}\n" + _space("divergence.alpha: {low: 0.4, high: 1.5}"),
        [":5", "search.bayes.space.divergence.alpha: ", "0.91, 1.01 and f_kl", "drawn from it"],
    ),
    "no parameter": (_space(""), [":4", "search.bayes.space", "at least one"]),
    "condition on nothing": (
        _space("constraint: [none, clip], batch: {low: 8, high: 9, when: {constrain: clip}}"),
        [":4", "search.bayes.space.batch.when.constrain", "'constraint'"],
    ),
    "condition on no value": (
        _space("constraint: [none, clip], batch: {low: 8, high: 9, when: {constraint: clpi}}"),
        [":4", "search.bayes.space.batch.when.constraint", "'clip'"],
    ),
    "condition on none of the values": (
        _space("constraint: [none, clip], batch: {low: 8, high: 9, when: {constraint: []}}"),
        [":4", "search.bayes.space.batch.when.constraint", "never searched"],
    ),
    "condition on what comes later": (
        _space("batch: {low: 8, high: 9, when: {constraint: clip}}, constraint: [none, clip]"),
        [":4", "search.bayes.space.batch.when.constraint", "above"],
    ),
    "parameter without its condition": (
        _space("constraint: [none, clip], constraint.bound: {low: 0.1, high: 1.0}"),
        [":4", "search.bayes.space.constraint.bound", "'bound'"],
    ),
    "parameter that is an axis too": (
        f"{BAYES}  grid: {{critic.steps: [1, 2]}}\n",
        [":4", "search.bayes.space.critic.steps", "axis"],
    ),
    "parameter named status": (_space("status: {a: {batch: 8}}"), [":4", "status", "another"]),
    "parameter named as a curve": (
        _space("critic_loss: {a: {batch: 8}, b: {batch: 9}}"),
        [":4", "search.bayes.space.critic_loss"],
    ),
    "objective that is not recorded": (
        BAYES.replace("modes_covered", "mode_covered"),
        [":6", "search.bayes.objective.maximize", "'modes_covered'"],
    ),
    "objective in the wrong direction": (
        BAYES.replace("maximize", "minimize"),
        [":6", "search.bayes.objective.minimize", "maximize: modes_covered"],
    ),
    "objective in both directions": (
        BAYES.replace("maximize: modes_covered", "maximize: mode_kl, minimize: mode_kl"),
        [":6", "search.bayes.objective", "'mode_kl' is written more than once"],
    ),
    "objective that is written twice": (
        BAYES.replace("modes_covered", "[modes_covered, modes_covered]"),
        [":6", "search.bayes.objective", "'modes_covered' is written more than once"],
    ),
    "objective that one arm does not record": (
        _beside(TARGETS),
        [":7", "bayes.objective.maximize", "'modes_covered' is not recorded where target is swiss"],
    ),
    "objective that the first arm does not record": (
        _beside("target: [swiss_roll, ring]"),
        [":7", "search.bayes.objective.maximize", "not recorded where target is swiss_roll"],
    ),
    "objective that a point does not record": (
        _space("target: [ring, swiss_roll], critic.lr: {low: 0.1, high: 0.2}"),
        [":6", "search.bayes.objective.maximize", "not recorded where target is swiss_roll"],
    ),
    "objective that is recorded under another condition": (
        _beside("record.metrics: [[mode_kl], [modes_covered, mode_kl]]"),
        [":7", "search.bayes.objective.maximize", "record.metrics is [mode_kl]; valid: mode_kl"],
    ),
    "constraint on what one arm does not record": (
        _beside(
            "record.metrics: [[modes_covered, mode_kl], [modes_covered]]",
            "    constraints: {mode_kl: {maximum: 1}}\n",
        ),
        [":8", "search.bayes.constraints.mode_kl", "where record.metrics is [modes_covered]"],
    ),
    "constraint that one arm cannot keep to": (
        _beside("target.modes: [8, 4]", "    constraints: {modes_covered: {minimum: 5}}\n"),
        [":8", "search.bayes.constraints.modes_covered", "where target.modes is 4", "0 and 4"],
    ),
    "score that one arm does not record": (
        "score: mode_kl\nsearch: {grid: {record.metrics: [[high_quality], [mode_kl]]}}\n",
        [":2", "score", "'mode_kl' is not recorded where record.metrics is [high_quality]"],
    ),
    "first metric that one arm does not record": (
        f"search: {{grid: {{{TARGETS}}}}}\n",
        ["", "score: the first metric would rank", "'modes_covered' is not recorded where target"],
    ),
    "first metric that one kind does not record": (
        "search: {grid: {kind: [game, adversarial]}}\n",
        [
            "",
            "score: the first metric",
            "where kind is adversarial",
            "no metric is recorded at all",
        ],
    ),
    "seeds until what one arm does not record is settled": (
        f"search: {{grid: {{{TARGETS}}}}}\nseeds: {{until: settled}}\n",
        ["", "score: the first metric would rank", "where target is swiss_roll"],
    ),
    "steps on an axis beside a pruner": (
        _pruned(9, "batch: 8", "critic.steps: {low: 1, high: 8}", "steps: [1000, 10]"),
        [":8", "search.grid.steps", "'steps' is set by the pruner as well"],
    ),
    "steps in a space beside a pruner": (
        _pruned(
            9, "batch: 8", "length: {short: {steps: 100, batch: 8}, long: {steps: 300}}"
        ).replace("trials: 4", "trials: 2"),
        [":4", "search.bayes.space.length", "'steps' is set by the pruner as well"],
    ),
    "rung within a round": (
        _pruned(
            200, "steps: 600, generator: {steps: 3}, record: {every: 3}", "batch: [8, 16, 32, 64]"
        ),
        [":7", "search.bayes.pruner.first", "up to 200 M-steps first: `steps: 200` is not a mult"],
    ),
    "rung within a round of a point between the bounds": (
        _pruned(200, "steps: 1200, record: {every: 12}", "generator.steps: {low: 1, high: 4}"),
        [":7", "search.bayes.pruner.first", "not a multiple of `generator.steps: 3`"],
    ),
    "two labels of the same trials beside a search": (
        _beside("critic.optimizer: [adam, {name: adam, beta1: 0.9}]"),
        [":3", "search.grid.critic.optimizer", "sets what adam sets"],
    ),
    "a search of no keys": ("search:\n  bayes:\n", [":3", "search.bayes", "mapping of keys"]),
    **{
        f"seeds beside {more.strip()}: {seeds}": (
            f"{BAYES}    {more}\nseeds: {seeds}\n",
            [":8", "seeds", said],
        )
        for more in ("repeats: 2", "fresh: 2")
        for seeds, said in (
            ("[]", "a positive number of seeds"),
            ("[1, a]", "a list of whole numbers"),
            ("[null]", "a list of whole numbers"),
            ("ten", "a number of seeds"),
            ("{until: x}", "unknown name 'x'; valid: settled"),
        )
    },
    "no objective": (
        BAYES.replace("{maximize: modes_covered}", "{}"),
        [":6", "search.bayes.objective", "maximize or minimize"],
    ),
    "two objectives for cmaes": (
        BAYES.replace("modes_covered", "[modes_covered, high_quality]") + "    sampler: cmaes\n",
        [":7", "search.bayes.sampler", "tpe"],
    ),
    "budget beyond the space": (
        BAYES.replace("trials: 4", "trials: 40"),
        [":5", "search.bayes.trials", "8 points"],
    ),
    "cmaes with constraints": (
        f"{BAYES}    sampler: cmaes\n    constraints: {{high_quality: {{minimum: 0.5}}}}\n",
        [":7", "search.bayes.sampler", "constraints"],
    ),
    "unknown constraint": (
        f"{BAYES}    constraints: {{high_qualty: {{minimum: 0.5}}}}\n",
        [":7", "search.bayes.constraints.high_qualty", "'high_quality'"],
    ),
    "unknown bound": (
        f"{BAYES}    constraints: {{high_quality: {{minimun: 0.5}}}}\n",
        [":7", "search.bayes.constraints.high_quality.minimun", "'minimum'"],
    ),
    "no bound": (
        f"{BAYES}    constraints: {{high_quality: {{}}}}\n",
        [":7", "search.bayes.constraints.high_quality", "minimum, maximum or both"],
    ),
    "impossible bound": (
        f"{BAYES}    constraints: {{high_quality: {{minimum: 1.5}}}}\n",
        [":7", "search.bayes.constraints.high_quality", "between 0 and 1"],
    ),
    "no budget": (BAYES.replace("    trials: 4\n", ""), [":3", "search.bayes.trials", "required"]),
    "unknown pruner": (
        f"{BAYES}    pruner: {{name: hyperbnad, first: 9}}\n",
        [":7", "search.bayes.pruner.name", "'hyperband'"],
    ),
    "pruner after the end": (
        f"{BAYES}    pruner: {{name: hyperband, first: 9000}}\n",
        [":7", "search.bayes.pruner.first", "4000"],
    ),
    "pruner of points with a schedule": (
        BAYES.replace("{critic.steps:", "{constraint: [clip, instance_noise], critic.steps:")
        + "    pruner: {name: hyperband, first: 9}\n",
        [":7", "search.bayes.pruner", "instance_noise goes by the share of the steps"],
    ),
    **{
        f"pruner of points of {kind}": (
            BAYES.replace("critic.steps: {low: 1, high: 8}", f"{key}: {{low: 2, high: 8}}")
            .replace("{maximize: modes_covered}", sought)
            .replace("search:", f"trial: {{kind: {kind}, steps: 12}}\nsearch:")
            + "    pruner: {name: hyperband, first: 3}\n",
            [":8", "search.bayes.pruner", f"{what} goes by the share of the steps"],
        )
        for kind, key, sought, what in (
            ("basins", "points", "{minimize: bad_basins}", "the walk"),
            ("audit", "repeats", "{maximize: passed}", "the sweep"),
        )
    },
    **{
        f"{sampler} with a pruner": (
            f"{BAYES}    sampler: {sampler}\n    pruner: {{name: hyperband, first: 9}}\n",
            [":7", "search.bayes.sampler", "pruned"],
        )
        for sampler in ("gp", "cmaes")
    },
    "steps that are no whole rounds": (
        "trial:\n  steps: 100\n  generator: {steps: 3}\n",
        [":4", "trial.generator", "`steps: 100` is not a multiple of `generator.steps: 3`"],
    ),
    "default steps that are no whole rounds": (
        "trial:\n  record: {every: 3}\n  generator: {steps: 3}\n",
        [":4", "trial.generator", "`steps: 4000` is not a multiple of `generator.steps: 3`"],
    ),
    "records within a round": (
        "trial:\n  steps: 9\n  generator: {steps: 3}\n  record:\n    every: 4\n",
        [":5", "trial.record", "`every: 4` is not a multiple of `generator.steps: 3`"],
    ),
    "records within a round on an axis": (
        "trial: {steps: 30, record: {every: 5}}\nsearch:\n  grid:\n    generator.steps: [1, 3]\n",
        [":2", "trial.record", "`every: 5` is not a multiple of `generator.steps: 3`"],
    ),
    "batch of no whole groups": (
        "trial:\n  batch: 64\n  critic: {pac: 3}\n",
        [":3", "trial.batch", "not a multiple of `critic.pac: 3`", "64"],
    ),
    "default batch of no whole groups": (
        "trial:\n  critic: {pac: 3}\n",
        [":2", "trial.batch", "not a multiple of `critic.pac: 3`", "256"],
    ),
    "groups without a critic": (
        "trial:\n  divergence: mmd\n  critic: {pac: 2}\n",
        [":2", "trial.batch", "trains no critic", "critic.pac"],
    ),
    "several D-steps at once": (
        "trial:\n  updates: extragradient\n  critic: {steps: 2}\n",
        [":3", "trial.updates", "extragradient", "`critic.steps: 1`"],
    ),
    "two labels of the same trials": (
        "search:\n  grid:\n    capacity: {small: {critic.width: 64}, large: {critic.width: 64}}\n",
        [":4", "search.grid.capacity", "large sets what small sets"],
    ),
    "a member and its default": (
        "search:\n  grid:\n    critic.optimizer: [adam, {name: adam, beta1: 0.9}]\n",
        [":4", "search.grid.critic.optimizer", "sets what adam sets"],
    ),
    "an axis of what no trial depends on": (
        "search:\n  grid: {record.frames: [0, 20], critic.steps: [1, 2]}\n",
        [":3", "search.grid.record.frames", "their trials are the same"],
    ),
    "several M-steps at once": (
        "trial:\n  updates: simultaneous\n  generator: {steps: 2}\n  record: {every: 2}\n",
        [":3", "trial.updates", "simultaneous", "`generator.steps: 1`"],
    ),
    "Nesterov's momentum under a force in units of the step": (
        f"trial:\n  updates: lead\n  generator: &n {NESTEROV}\n  critic: *n\n",
        [":3", "trial.updates", "`generator.optimizer.nesterov: false`", "units of the step"],
    ),
    "D-steps until they settle, at once": (
        "trial:\n  updates: consensus\n  critic: {steps: {until: 0.1}}\n",
        [":3", "trial.updates", "consensus", "`critic.steps: 1`"],
    ),
    "consensus with an estimator": (
        "trial:\n  updates: consensus\n  critic: {estimator: kliep}\n",
        [":3", "trial.updates", "consensus", "kliep", "critic"],
    ),
    "the game of an estimator": (
        "trial:\n  critic: {estimator: kliep}\n  record: {equilibrium: {}}\n",
        [":4", "trial.record", "equilibrium", "kliep"],
    ),
    "the game of one player": (
        "trial:\n  divergence: mmd\n  record: {equilibrium: {}}\n",
        [":4", "trial.record", "equilibrium", "mmd"],
    ),
    "unknown key of the game": (
        "trial:\n  record:\n    equilibrium: {response: 10}\n",
        [":4", "trial.record.equilibrium.response", "'responses'"],
    ),
    "misspelt estimator": (
        "trial:\n  critic: {estimator: kleip}\n",
        [":3", "trial.critic.estimator", "'kleip'", "'kliep'"],
    ),
    "unknown parameter of an estimator": (
        "trial:\n  critic: {estimator: {name: lsif, rigde: 1.0}}\n",
        [":3", "trial.critic.estimator.rigde", "'ridge'"],
    ),
    "an estimator of another critic": (
        "trial:\n  divergence: wasserstein\n  critic:\n    estimator: kliep\n",
        [":4", "trial.critic", "wasserstein", "log p/q"],
    ),
    "an estimator that starts anew": (
        "trial:\n  critic: {estimator: kliep, steps: 5}\n",
        [":3", "trial.critic", "kliep", "`critic.steps: 1`"],
    ),
    "a penalty on an estimator": (
        "trial:\n  critic: {estimator: kliep}\n  constraint: r1\n",
        [":4", "trial.constraint", "kliep", "r1"],
    ),
    "more centres than samples": (
        "trial:\n  batch: 64\n  critic: {estimator: {centres: 33}, pac: 2}\n",
        [":3", "trial.batch", "33", "32"],
    ),
    "consensus without a critic": (
        "trial:\n  updates: consensus\n  divergence: energy_distance\n",
        [":3", "trial.updates", "consensus", "energy_distance", "critic"],
    ),
    "constraint without a critic": (
        "trial:\n  divergence: mmd\n  constraint: clip\n",
        [":4", "trial.constraint", "mmd", "clip"],
    ),
    "penalty on a critic with batch norm": (
        "trial:\n  critic: {norm: batch}\n  constraint: {name: r1, weight: 2.0}\n",
        [":4", "trial.constraint", "r1", "`critic.norm: batch`"],
    ),
    "constraints that ask for different slopes": (
        "trial:\n  constraint: [r1, gradient_penalty]\n",
        [":3", "trial.constraint", "slopes of 1", "r1", "`sides: one`"],
    ),
    "a constraint that undoes another": (
        "trial:\n  constraint: [clip, spectral_norm]\n",
        [":3", "trial.constraint", "spectral_norm", "undoes", "clip"],
    ),
    "no constraint beside one": (
        "trial:\n  constraint: [r1, none]\n",
        [":3", "trial.constraint", "none", "r1"],
    ),
    "a constraint twice": (
        "trial:\n  constraint: [r1, {name: r1, weight: 2.0}]\n",
        [":3", "trial.constraint", "r1", "2 times"],
    ),
    "no constraints": (
        "trial:\n  constraint: []\n",
        [":3", "trial.constraint", "at least 1 item"],
    ),
    "a mapping for a list": (
        "trial:\n  record: {metrics: {mode_kl: null}}\n",
        [":3", "trial.record.metrics", "should be a list"],
    ),
    "a name that needs a key": (
        "trial:\n  target: file\n",
        [":3", "trial.target", "key 'path' of it is required"],
    ),
    "a name on an axis that needs a key": (
        "search:\n  grid: {target: [ring, file]}\n",
        [":3", "search.grid.target.1: key 'path' of it is required"],
    ),
    "one of a list": (
        "trial:\n  record: {metrics: mode_kl}\n",
        [":3", "trial.record.metrics", "should be a list (got 'mode_kl'); write [mode_kl]"],
    ),
    "a number for a player": (
        "trial:\n  generator: 5\n",
        [":3", "trial.generator", "should be a mapping of keys (got 5)"],
    ),
    "yes for true": (
        "trial:\n  condition: yes\n",
        [":3", "trial.condition", "should be true or false (got 'yes')"],
    ),
    "an axis named as what some of its points record": (
        "search:\n  grid:\n    penalty: {a: {constraint: none}, b: {constraint: r1}}\n",
        [":4", "search.grid.penalty", "recorded variable"],
    ),
    "misspelt constraint in a list": (
        "trial:\n  constraint:\n    - r1\n    - r3\n",
        [":5", "trial.constraint.1", "'r3'", "r1, r2"],
    ),
    "misspelt parameter of a constraint in a list": (
        "trial:\n  constraint:\n    - r1\n    - {name: r2, wieght: 1.0}\n",
        [":5", "trial.constraint.1.wieght", "'weight'"],
    ),
    "a parameter of constraints in a list": (
        "trial:\n  constraint: [r1, r2]\nsearch:\n  grid:\n    constraint.weight: [1.0, 2.0]\n",
        [":6", "constraint.weight"],
    ),
    "misspelt rule of D-steps": (
        "trial:\n  critic:\n    steps: {untill: 0.1}\n",
        [":4", "trial.critic.steps", "untill", "'until'"],
    ),
    "no patience": (
        "trial:\n  critic:\n    steps: {patience: 0}\n",
        [":4", "trial.critic.steps", "greater than or equal to 1"],
    ),
    "zero D-steps": (
        "trial:\n  critic: {steps: 0}\n",
        [":3", "trial.critic.steps", "greater than or equal to 1"],
    ),
    "average that keeps everything": (
        "trial:\n  generator: {average: 1.0}\n",
        [":3", "trial.generator.average", "less than 1"],
    ),
    "unknown law of noise": (
        "trial:\n  generator: {latent_law: gaussian}\n",
        [":3", "trial.generator.latent_law", "'normal'"],
    ),
    "misspelt activation": (
        "trial:\n  critic: {activation: leaky_rely}\n",
        [":3", "trial.critic.activation", "'leaky_relu'"],
    ),
    "empty training set": (
        "trial:\n  training_set: 0\n",
        [":3", "trial.training_set", "greater than or equal to 1"],
    ),
    "training set without a size": (
        "trial:\n  training_set: {balanced: true}\n",
        [":3", "trial.training_set.size", "required"],
    ),
    "balance without labels": (
        "trial:\n  target: swiss_roll\n  training_set: {size: 9, balanced: true}\n",
        [":4", "trial.training_set", "swiss_roll has no labels"],
    ),
    "balance of a label that is hardly there": (
        (
            "trial:\n  target: {name: mixture, means: [[0.0], [1.0]], weights: [1.0, 1e-4]}\n"
            "  training_set: {size: 9, balanced: true}\n"
        ),
        [":4", "trial.training_set", "label 1 is too rare: its share of p is 1.0e-04"],
    ),
    "rows in order that D-steps may skip": (
        (
            "trial:\n  training_set: {size: 2560, sampling: one_order}\n"
            "  critic: {steps: {until: 0.0}}\n"
        ),
        [":4", "trial.critic", "sampling: one_order` shows in order"],
    ),
    "batch of more rows than there are": (
        "trial:\n  training_set: {size: 100, sampling: epochs}\n  batch: 101\n",
        [":4", "trial.batch", "no 101 different rows"],
    ),
    "running moments of nothing": (
        "trial:\n  generator: {norm: layer, norm_average: 0.1}\n",
        [":3", "trial.generator.norm_average", "norm: batch"],
    ),
    "scaled inputs of an estimator": (
        "trial:\n  critic: {estimator: kliep, scale: 0.5}\n",
        [":3", "trial.critic", "critic.scale: 1"],
    ),
    "closed ring of one": (
        "trial:\n  target: {name: ring, modes: 1, closed: true}\n",
        [":3", "trial.target", "first and the last"],
    ),
    "unknown program": ("engine: {program: fast}\n", [":2", "engine.program", "'fast'"]),
    "convolutions compiled": (
        "trial: {target: digits, critic: {network: dcgan}}\nengine: {program: compiled}\n",
        [":3", "engine.program", "convolutions of dcgan are computed as they are written"],
    ),
    "convolutions on one arm": (
        (
            "trial: {target: digits}\nsearch: {grid: {generator.network: [mlp, dcgan]}}\n"
            "engine: {program: compiled}\n"
        ),
        [":4", "engine.program", "convolutions of dcgan"],
    ),
    "images of what is none": (
        "trial: {target: ring}\nsearch: {grid: {generator.network: [mlp, dcgan]}}\n",
        [":3", "generator.network", "network dcgan is for images"],
    ),
    "too many halves": (
        "trial:\n  target: digits\n  generator: {network: dcgan, depth: 5}\n",
        [":4", "trial.generator", "8x8 pixels 1 to 3 times: `depth: 3`, not 5"],
    ),
    "unknown key of the engine": ("engine: {packs: 3}\n", [":2", "engine.packs", "'pack'"]),
    "unknown search": ("search: {gird: {}}\n", [":2", "search.gird", "'grid'"]),
    "unknown kind": ("trial: {kind: adverserial}\n", [":2", "trial.kind", "'adversarial'"]),
    "keys of another kind": (
        "trial: {kind: game, target: ring, batch: 3, critic: {width: 2}}\n",
        [":2: trial.kind: the trial's keys are those of 'adversarial', not of 'game'\n"],
    ),
    "keys of a kind that is not named": (
        "trial: {game: xy}\nsearch: {grid: {method: [simultaneous, extragradient]}}\n",
        [":2: trial.kind: the trial's keys are those of 'game', not of 'adversarial'\n"],
    ),
    "reference to nothing": ("trial: {steps: '${trial.stepz}'}\n", [":2", "trial.steps", "stepz"]),
    "reference to what is like it": (
        "trial: {steps: 9, batch: '${trial.stps}'}\n",
        [":2", "trial.batch", "'trial.stps' not found", "did you mean 'steps'?"],
    ),
    "circular reference": (
        "trial: {steps: '${trial.batch}', batch: '${trial.steps}'}\n",
        [":2", "trial.steps"],
    ),
    "tag of Python": ("trial: !!python/object:os.system {}\n", [":2", "YAML"]),
    "scalar for a player, under an axis": (
        "trial: {critic: 16}\nsearch: {grid: {critic.lr: [1, 2]}}\n",
        [":2: trial.critic", "mapping of keys (got 16)"],
    ),
    "name for a player, under an axis": (
        "trial: {critic: mlp}\nsearch: {grid: {critic.lr: [1, 2]}}\n",
        [":2: trial.critic: should be a mapping of keys (got 'mlp')"],
    ),
    "value that an axis replaces": (
        "trial: {generator: {lr: .nan}}\nsearch: {grid: {generator.lr: [1, 2]}}\n",
        [":2", "trial.generator.lr", "finite"],
    ),
    "member that an axis replaces": (
        "trial: {divergence: hinges}\nsearch: {grid: {divergence: [minimax, hinge]}}\n",
        [":2", "trial.divergence", "'hinge'"],
    ),
    "key of a search at the top": ("grid: {}\n", [":2", "grid", "'search.grid'"]),
    "key of the players": (
        "search: {grid: {lr: [1, 2]}}\n",
        [":2", "search.grid.lr", "'generator.lr' or 'critic.lr'"],
    ),
    "key of a member below": (
        "trial: {critic: {beta1: 0}}\n",
        [":2", "trial.critic.beta1", "did you mean 'critic.optimizer.beta1'"],
    ),
    "another's word for a key": (
        "trial: {discriminator: {width: 3}}\n",
        [":2", "trial.discriminator", "'critic'"],
    ),
    "another's word for a member": (
        "trial: {divergence: wgan-gp}\n",
        [":2", "trial.divergence", "'wasserstein'"],
    ),
    "letter of another alphabet": (
        "trial: {st\u0435ps: 3}\n",
        [":2", "'steps'", "CYRILLIC SMALL LETTER IE"],
    ),
    "space that is none": (
        "seeds:\u00a03\nscore: mode_kl\n",
        [":3", "line 2 has a no-break space"],
    ),
    "axis twice": (
        "search:\n  grid:\n    batch: [8]\n    batch: [16]\n",
        [":5", "duplicate key 'batch', which stands on line 4 too"],
    ),
    "seeds in quotes": ("seeds: '3'\n", [":2", "seeds", "got '3'"]),
    "merged and twice": (
        "x-a: &a {width: 8}\ntrial:\n  critic: {<<: *a, width: 4,\n    width: 2}\n",
        [":5", "duplicate key 'width', which stands on line 4 too"],
    ),
    "tag of a truth": ("trial:\n  steps: !!bool x\n", [":3", "YAML: 'x' is no !!bool"]),
    "tag of a number": ("trial:\n  steps: !!int ''\n", [":3", "YAML: '' is no !!int"]),
    "tag of a fraction": ("trial:\n  steps: !!float x\n", [":3", "YAML: 'x' is no !!float"]),
    "number without digits": ("trial:\n  steps: 0x_\n", [":3", "YAML: '0x_' is no !!int"]),
    "date": ("trial: {steps: 2024-01-01}\n", [":2", "trial.steps", "'2024-01-01'"]),
    "anchor within itself": ("trial: &a\n  critic: *a\n", [":"]),
    "tab": ("trial:\n\tsteps: 3\n", [":3", "YAML", "spaces"]),
    "bracket": ("trial: {steps: 3\n", [":3", "YAML", "begins on line 2"]),
    "quote": ('score: "mode_kl\nseeds: 2\n', [":4", "YAML", "begins on line 2"]),
    "a range on an axis": (
        "search:\n  grid:\n    generator.lr: {low: 1e-4, high: 1e-2}\n",
        [":4", "search.grid.generator.lr", "a range stands in a space: search.bayes.space"],
    ),
    "a range as a list": (
        _space("generator.lr: [1e-2, 1e-4]"),
        [":5", "search.bayes.trials", "is written `generator.lr: {low: 0.0001, high: 0.01}`"],
    ),
    "name of a pruner as a key": (
        f"{BAYES}    pruner: {{hyperband: {{first: 3}}}}\n",
        [":7: search.bayes.pruner.hyperband: no such key; write {name: hyperband}, and its keys"],
    ),
    "kind as a key": (
        "trial: {kind: {game: {}}}\n",
        [":2: trial.kind: write {kind: game}, and its keys beside it\n"],
    ),
    "key paths of axes from the top": (
        "search:\n  grid:\n    trial.critic.steps: [1, 2]\n",
        [":4: search.grid.trial.critic.steps: key paths begin below trial; ", "'critic.steps'?"],
    ),
    "key path of a parameter from the top": (
        _space("trial.critic.steps: {low: 1, high: 8}"),
        [":4: search.bayes.space.trial.critic.steps: key paths begin below", "'critic.steps'?"],
    ),
    "key path in a bundle from the top": (
        "search: {grid: {s: {a: {trial.critic.steps: 1}, b: {critic.steps: 2}}}}\n",
        [":2: search.grid.s.a: key paths begin below trial; did you mean 'critic.steps'?"],
    ),
    "a list for a number of a union": (
        "trial: {critic: {steps: [1, 5]}}\n",
        [":2: trial.critic.steps: should be a whole number (got [1, 5]); to vary it, make it an "],
    ),
    "a list in a bundle": (
        "search: {grid: {size: {a: {critic.steps: [1, 2]}}}}\n",
        [":2: search.grid.size.a: ", "make it an axis: search.grid.critic.steps\n"],
    ),
    "a list of kinds": ("trial: {kind: [game, fit]}\n", [":2: trial.kind: ", "search.grid.kind"]),
    "minutes": (
        "engine: {time_limit: 10min}\n",
        [":2: engine.time_limit: should be a number, without a unit (got '10min'): seconds that a"],
    ),
    "gigabytes": (
        "engine: {memory_limit: 4 GB}\n",
        [":2: engine.memory_limit: should be a number, without a unit (got '4 GB'): GiB that a w"],
    ),
    "pixels": (
        "trial: {target: {name: sprites, size: 16px}}\n",
        [":2: trial.target.size: should be a whole number, without a unit", "pixels a side"],
    ),
    "thousands of steps": (
        "search: {grid: {steps: [4k, 8k]}}\n",
        [":2: search.grid.steps.0: should be a whole number, without a unit (got '4k'): M-steps"],
    ),
    "colon in a text": ("compare: is it: so\n", [":2", "YAML", "quote a text that holds ': '"]),
    "a text that is a mapping": ("compare:\n  is it: so\n", [":2: compare", "quote a text that h"]),
    "quotes within a text": ("compare: 'a' or 'b'\n", [":2", "YAML", "quote the whole of a text"]),
    "a sign before a text": ("compare: @a\n", [":2", "YAML", "; quote a text that begins so"]),
    "parameter of a metric in a list": (
        "trial: {record: {metrics: [{name: modes_covered, radus: 3}]}}\n",
        [":2: trial.record.metrics.0.radus: ", "did you mean 'radius'?"],
    ),
    "long list for a number": (f"trial: {{steps: {list(range(900))}}}\n", [":2", "trial.steps"]),
    "long axis of mistakes": (
        f"search: {{grid: {{critic.steps: {list(range(-200, 0))}}}}}\n",
        [":2", "search.grid.critic.steps"],
    ),
}
for _name in (
    *("seed", "step", "sample", "feature", "status", "samples", "target_settings", "trial"),
    *("seconds", "diverged_at"),
):
    CASES[f"axis named {_name}"] = (
        f"search:\n  grid:\n    {_name}: {{a: {{batch: 8}}}}\n",
        [":4", f"search.grid.{_name}", "another"],
    )


def _check(path: Path, *overrides: str) -> Result:
    return CliRunner().invoke(main, ["check", str(path), *overrides])


def _assert_clear(result: Result, *expected: str) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for text in expected:
        assert text in result.stderr
    lines = result.stderr.splitlines()
    screen_lines = sum(1 + len(line) // 100 for line in lines)
    assert 1 <= screen_lines <= 24


@pytest.mark.parametrize("case", CASES)
def test_mistakes_are_placed_and_named(tmp_path: Path, case: str) -> None:
    """Exit 2, file and line, key, nearest valid name, one screen, no traceback."""
    body, expected = CASES[case]
    path = write_study(tmp_path, f"question: Why?\n{body}")
    first, *others = expected
    _assert_clear(_check(path), f"{path}{first}", *others)


@pytest.mark.parametrize(
    "case",
    [
        "first metric that one arm does not record",
        "constraint that one arm cannot keep to",
        "steps on an axis beside a pruner",
        "two labels of the same trials beside a search",
    ],
)
def test_what_has_come_to_be_refused_is_read_of_a_run(tmp_path: Path, case: str) -> None:
    body, _ = CASES[case]
    assert load(write_study(tmp_path, f"question: Why?\n{body}"), kept=True).points


def test_missing_question(tmp_path: Path) -> None:
    """The one key that is required; neither it nor keys on which no other depends hide the rest."""
    _assert_clear(_check(write_study(tmp_path, "seeds: 3\n")), "question", "required")
    path = write_study(tmp_path, "qestion: Why?\nengine: {pakc: 2}\ntrial: {stepz: 3}\n")
    _assert_clear(_check(path), ":1: qestion", "'question'", ":2: engine.pakc", ":3: trial.stepz")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n", "---\n"])
def test_empty_file(tmp_path: Path, text: str) -> None:
    """Nothing, in several ways."""
    _assert_clear(_check(write_study(tmp_path, text)), "tiny.yaml")


@pytest.mark.parametrize(
    "text", ["- a\n- b\n", "just words\n", "3\n", "null\n", "a: 1\n---\nb: 2\n"]
)
def test_not_a_mapping(tmp_path: Path, text: str) -> None:
    """Other YAML than one mapping."""
    _assert_clear(_check(write_study(tmp_path, text)), "tiny.yaml")


@pytest.mark.parametrize(
    "text", ["? [a, b]\n: 1\n", "question: x\n1: 2\n", "question: x\ntrue: 1\n"]
)
def test_keys_that_are_not_strings(tmp_path: Path, text: str) -> None:
    """YAML allows more keys than a study does."""
    _assert_clear(_check(write_study(tmp_path, text)), "tiny.yaml")


def test_not_text(tmp_path: Path) -> None:
    """Bytes that are no text, or text of another encoding; a control character, and a folder."""
    binary, control = tmp_path / "binary.yaml", tmp_path / "control.yaml"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("seeds: 2\n# größer\n".encode("latin-1"))
    _assert_clear(_check(latin), f"{latin}:2: ", "0xf6", "UTF-8")
    binary.write_bytes(b"\xff\xfe\x00\x01")
    control.write_bytes(b"question: a\x07b\n")
    for path in (binary, control, tmp_path):
        _assert_clear(_check(path), str(path))


def test_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    """A misspelt file name."""
    write_study(tmp_path, "question: x\n", "collapse.yaml")
    _assert_clear(_check(tmp_path / "colapse.yaml"), "no such file", "'collapse.yaml'")
    _assert_clear(_check(tmp_path / "nowhere" / "x.yaml"), "no such file")


OVERRIDES: dict[str, list[str]] = {
    "trial.steps=many": ["trial.steps=many", "whole number"],
    "trial.stepz=3": ["trial.stepz=3", "'steps'"],
    "steps=3": ["steps=3", "'trial.steps'"],
    "divergense=hinge": ["divergense=hinge", "did you mean 'trial.divergence'?"],
    "trial.target.name=rnig": ["trial.target.name=rnig: unknown name 'rnig'; did you mean 'ring'"],
    "critic.width=3": ["critic.width=3", "'trial.critic.width'"],
    "trial.batch.size=3": ["trial.batch.size=3", "whole number"],
    "trial.steps": ["trial.steps", "key.path=value"],
    "=3": ["=3", "key.path=value"],
    "trial.steps=[1": ["command line: trial.steps=[1: not valid YAML"],
    "trial.steps=": ["trial.steps=", "got nothing"],
    "search.grid.critic.steps=[1,-2]": ["search.grid.critic.steps=[1,-2]", "-2"],
    "search.grid.divergence=[minmax]": ["search.grid.divergence=[minmax]", "'minimax'"],
    "search.grid.divergence=[]": ["search.grid.divergence=[]", "at least one"],
    "seeds=-1": ["seeds=-1"],
    "trial.batch=${nowhere}": ["trial.batch=${nowhere}", "nowhere"],
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_mistakes_on_the_command_line(tmp_path: Path, override: str) -> None:
    """Placed on the command line, not on a line of the file that they replace."""
    path = write_study(tmp_path, f"question: Why?\n{GRID}trial:\n  batch: 8\n")
    result = _check(path, override)
    _assert_clear(result, *OVERRIDES[override])
    assert "command line" in result.stderr
    assert str(path) not in result.stderr


@pytest.mark.parametrize("first", ["question: Why?", "question: 3", "# Why?"])
def test_all_mistakes_are_reported_at_once(tmp_path: Path, first: str) -> None:
    """Mistakes of seeds, shared settings, axes, exclusions, in one go and each once; a question
    that is missing, or is none, hides none of them.
    """
    body = f"""\
{first}
compare: divergense
score: mode_lk
trial:
  stepz: 3
  critic: {{widht: 8, lr: -1.0}}
  target: rnig
search:
  grid:
    divergence: [minimax, wassersten]
    critic.steps: [0, 1]
  exclude:
    - {{divergance: minimax}}
seeds: [1, 1]
"""
    path = write_study(tmp_path, body)
    result = _check(path)
    lines = [2, 5, 6, 7, 10, 11, 13, 14]
    told = ["question: "] * ("Why" not in first or "#" in first)
    _assert_clear(result, *(f"{path}:{line}: " for line in lines), *told)
    assert len(result.stderr.splitlines()) == len(set(result.stderr.splitlines()))
    for name in ("stepz", "widht", "-1.0", "rnig", "wassersten"):
        assert result.stderr.count(f"{name!r}" if name != "-1.0" else "-1.0") == 1


BELOW_TRIAL = "trial: {steps: many, stepz: 3, critic: {widht: 8}, target: {name: ring, mods: 3}}\n"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("divergense: hinge\n", "divergense: no such key; did you mean 'trial.divergence'?"),
        ("grid: {critic.steps: [1]}\n", "grid: no such key; did you mean 'search.grid'?"),
        ("search: {grid: {critic.steps: 1}}\n", "search.grid.critic.steps: an axis is a list"),
        ("search: {bayes: {trials: 3}}\n", "search.bayes.space: this key is required"),
        ("seeds: 100000\n", "seeds: 100,000 seeds; at most 10,000 are taken"),
        ("search: [a]\n", "search: should be a mapping"),
    ],
)
def test_no_mistake_of_the_file_hides_those_of_the_trial(
    tmp_path: Path, wrong: str, told: str
) -> None:
    """But for a key of a member, in whose place an axis might put another that has it."""
    path = write_study(tmp_path, f"question: Why?\n{wrong}{BELOW_TRIAL}")
    _assert_clear(
        _check(path), f"{path}:2: {told}", f"{path}:3: trial.steps: ", "'stepz'", "'widht'"
    )
    assert "mods" not in _check(path).stderr


def test_a_key_that_is_like_no_other_hides_nothing(tmp_path: Path) -> None:
    body = f"question: Why?\nfoo: 1\n{BELOW_TRIAL}search: {{grid: {{generator.witdh: [1, 2]}}}}\n"
    path = write_study(tmp_path, body)
    _assert_clear(
        _check(path), ":2: foo", ":3: trial.steps", "'mods'", ":4: search.grid.generator."
    )


def test_a_kind_that_an_axis_sets_may_have_other_keys(tmp_path: Path) -> None:
    body = "search: {grid: {kind: 3, size: {a: {method: 3}}}}\ntrial: {game: xy}\n"
    path = write_study(tmp_path, f"question: Why?\n{body}")
    result = _check(path)
    _assert_clear(result, f"{path}:2: search.grid.kind")
    assert "'game'" not in result.stderr


MEMBERS_AS_KEYS = {
    "divergence": ("divergence: {hinge: {}}", "divergence", "{name: hinge}"),
    "target": ("target: {ring: {modes: 8}}", "target", "{name: ring, modes: 8}"),
    "network": ("critic: {network: {mlp: null}}", "critic.network", "{name: mlp}"),
    "optimizer": (
        "critic: {optimizer: {rmsprop: {decay: 0.9}}}",
        "critic.optimizer",
        "{name: rmsprop, decay: 0.9}",
    ),
    "estimator": ("critic: {estimator: {lsif: {}}}", "critic.estimator", "{name: lsif}"),
    "updates": ("updates: {consensus: {weight: 1}}", "updates", "{name: consensus, weight: 1}"),
    "constraint": ("constraint: {r1: {weight: 2}}", "constraint", "{name: r1, weight: 2}"),
    "constraints": ("constraint: [{r1: {}}, r2]", "constraint.0", "{name: r1}"),
    "metric": ("record: {metrics: [{mode_kl: {}}]}", "record.metrics.0", "{name: mode_kl}"),
    "features": (
        "record: {metrics: [{name: precision, features: {classifier: {}}}]}",
        "record.metrics.0.features",
        "{name: classifier}",
    ),
    "activation": (
        "critic: {activation: {elu: {}}}",
        "critic.activation",
        "{name: elu}",
    ),
}


@pytest.mark.parametrize("case", MEMBERS_AS_KEYS)
def test_a_member_whose_name_is_written_as_a_key(tmp_path: Path, case: str) -> None:
    """`no such key 'ring' in target` was said, of a target that there is."""
    body, key, form = MEMBERS_AS_KEYS[case]
    path = write_study(tmp_path, f"question: Why?\ntrial: {{{body}}}\n")
    result = _check(path)
    _assert_clear(result, f"{path}:2: trial.{key}: ", f"is a name; write {form}\n")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("steps", "[100, 200]"),
        ("divergence", "[hinge, minimax]"),
        ("critic.lr", "[0.1, 0.2]"),
        ("critic.optimizer", "[adam, sgd]"),
        ("condition", "[true, false]"),
        ("generator.latent_law", "[normal, uniform]"),
        ("target", "[{name: ring, modes: 3}, grid]"),
        ("critic", "[{width: 3}, {width: 4}]"),
    ],
)
def test_a_list_to_be_varied_is_an_axis(tmp_path: Path, key: str, values: str) -> None:
    group, _, name = key.rpartition(".")
    setting = f"{group}: {{{name}: {values}}}" if group else f"{key}: {values}"
    result = _check(write_study(tmp_path, f"question: Why?\ntrial: {{{setting}}}\n"))
    advice = f"; to vary it, make it an axis: search.grid.{key}\n"
    _assert_clear(result, f":2: trial.{key}: ", advice)
    axis = f"question: Why?\nsearch: {{grid: {{{key}: {values}}}}}\n"
    assert _check(write_study(tmp_path, axis)).exit_code == 0, "as it says"
    nested = f"question: Why?\nsearch: {{grid: {{{key}: [{values}]}}}}\n"
    assert "make it an axis" not in _check(write_study(tmp_path, nested)).stderr


ONE_MISTAKE = {
    "an axis and a range": (
        _beside("critic.lr: [1e-4, 1e-3]").replace("critic.steps", "critic.lr"),
        "search.bayes.space.critic.lr: 'critic.lr' is set by axis 'critic.lr' as well",
    ),
    "an axis and a list": (
        _beside("critic.steps: [1, 2]").replace("{low: 1, high: 8}", "[1, 2, 3, 4]"),
        "search.bayes.space.critic.steps: 'critic.steps' is set by axis 'critic.steps' as well",
    ),
    "an axis and bundles": (
        "search: {grid: {critic.steps: [1, 2], s: {a: {critic.steps: 1}, b: {critic.steps: 2}}}}\n",
        "search.grid.s: 'critic.steps' is set by axis 'critic.steps' as well",
    ),
    "a range that is none": (
        _space("critic.lr: {low: 1.0, high: 0.5}"),
        "search.bayes.space.critic.lr.low: low is above high (1.0 > 0.5)",
    ),
    "a parameter of a name that is taken": (
        _space("status: {a: {batch: 8}, b: {batch: 9}}"),
        "search.bayes.space.status: this name has a meaning of its own in the dataset; choose ano",
    ),
    "an axis of no key": (
        "search: {grid: {critic.stepz: [1, 2, 3]}}\n",
        "search.grid.critic.stepz: no such key 'stepz' in critic; did you mean 'steps'?",
    ),
    "a range of no key": (
        _space("critic.stepz: {low: 1, high: 8}"),
        "search.bayes.space.critic.stepz: no such key 'stepz' in critic; did you mean 'steps'?",
    ),
    "a required key under another name": (
        "trial: {training_set: {siez: 3}}\n",
        "trial.training_set.siez: no such key 'siez' in training_set; did you mean 'size'?",
    ),
}


@pytest.mark.parametrize("case", ONE_MISTAKE)
def test_one_mistake_is_one_line(tmp_path: Path, case: str) -> None:
    """And nothing that follows from it."""
    body, told = ONE_MISTAKE[case]
    result = _check(write_study(tmp_path, f"question: Why?\n{body}"))
    _assert_clear(result, told)
    assert len(result.stderr.splitlines()) == 1, result.stderr


@pytest.mark.parametrize(("low", "high"), [("min", "max"), ("from", "to"), ("lower", "upper")])
def test_other_words_for_the_ends_of_a_range(tmp_path: Path, low: str, high: str) -> None:
    body = _space(f"critic.lr: {{{low}: 1e-4, {high}: 1e-2}}")
    result = _check(write_study(tmp_path, f"question: Why?\n{body}"))
    place = "search.bayes.space.critic.lr"
    _assert_clear(
        result,
        f"{place}.{low}: no such key; did you mean 'low'?",
        f"{place}.{high}: no such key; did you mean 'high'?",
    )
    assert len(result.stderr.splitlines()) == 2


@pytest.mark.parametrize("verb", ["check", "plan", "run"])
def test_every_verb_that_reads_a_study_is_clear(tmp_path: Path, verb: str) -> None:
    """The same message from each of them, and nothing is left behind."""
    path = write_study(tmp_path, "question: Why?\nsede: 3\n")
    out = [] if verb == "check" else ["--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [verb, str(path), *out])
    _assert_clear(result, f"{path}:2: sede")
    assert not (tmp_path / "out").exists()


def test_condition_needs_labels() -> None:
    """A target without labels, as a plug-in may be, cannot be conditioned on."""
    ring = targets.family["ring"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ring, "labels", property(lambda self: 0))
        with pytest.raises(ValueError, match="target ring has no labels"):
            Adversarial.model_validate({"condition": True})
    assert Adversarial.model_validate({"condition": True}).labels == 8


@pytest.mark.parametrize("name", networks.family.names)
def test_networks_take_the_programs_that_their_page_says(tmp_path: Path, name: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "networks.md").read_text(encoding="utf-8")
    heads, row = (
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith(("| | `mlp`", "| programs "))
    )
    words = {"as written": "eager", "compiled": "compiled", "portable": "portable"}
    assert set(words.values()) == set(get_args(ProgramName))
    assert name in heads, "give it a column in docs/networks.md"
    said = dict(zip(heads, row, strict=True))[name]
    taken = {words[word] for word in (words if said == "all" else said.split(" and "))}
    text = f"question: Which?\ntrial: {{target: sprites, critic: {{network: {name}}}}}\n"
    for program in get_args(ProgramName):
        study = write_study(tmp_path, f"{text}engine: {{program: {program}}}\n")
        with nullcontext() if program in taken else pytest.raises(StudyError, match="no compiled"):
            load(study)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("claims", "trials of kind 'adversarial' check no claims"),
        ("budget", "the study searches no parameters"),
        ("effects", "fewer than two have several values"),
        ("rankings", "unknown name 'rankings'; did you mean 'ranking'?"),
    ],
)
def test_an_answer_that_the_study_cannot_give(tmp_path: Path, answer: str, message: str) -> None:
    study = tmp_path / "study.yaml"
    grid = "search: {grid: {divergence: [minimax, hinge]}}"
    study.write_text(f"question: Which?\nanswer: {answer}\n{grid}\n")
    with pytest.raises(StudyError, match=re.escape(message)) as caught:
        load(study)
    assert "study.yaml:2" in str(caught.value)


def test_a_link_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    """It was no such file, and itself the nearest that there is."""
    link = tmp_path / "study.yaml"
    link.symlink_to("gone.yaml")
    for path, told in ((link, "a link that leads nowhere"), (tmp_path / "studi.yaml", "no such")):
        said = CliRunner().invoke(main, ["check", str(path)]).output
        assert told in said
        assert "did you mean" not in said


def test_a_number_of_an_earlier_yaml_has_its_line(tmp_path: Path) -> None:
    """YAML 1.1 has numbers to the base of sixty."""
    study = tmp_path / "study.yaml"
    study.write_text("%YAML 1.1\n---\nquestion: Which?\nseeds: 1:30\n")
    with pytest.raises(StudyError, match=r"study.yaml:4: not valid YAML: '1:30' is no !!int$"):
        load(study)


def test_a_character_that_yaml_does_not_take_has_its_line(tmp_path: Path) -> None:
    """It had its position in the file."""
    study = tmp_path / "study.yaml"
    study.write_text("question: Which?\ntrial:\n  steps: 2\0\n")
    told = r"study.yaml:3: not valid YAML: holds the character U\+0000, which YAML does not take$"
    with pytest.raises(StudyError, match=told):
        load(study)
