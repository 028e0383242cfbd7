"""Conditions of parameters: what they keep apart, and which one a refusal advises."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from tiny import write_study

from ganstudy.search.bayes.mistakes import common_problems
from ganstudy.study import load
from ganstudy.study.corner import Corner
from ganstudy.study.document import StudyError
from ganstudy.study.space import extremes

STUDY = """\
question: Is mine better?
trial: {{steps: 100, record: {{every: 10}}}}
search:
  bayes:
    trials: {trials}
    objective: {{{goal}: modes_covered}}
    space:
      {space}
  grid: {{{grid}}}
"""

ARMS = "arms: {alpha: {divergence: f_alpha}, gp: {divergence: wasserstein}, ns: {batch: 8}}"
RATES = "critic.lr: {low: 1e-4, high: 0.01}"


def said(
    folder: Path,
    space: str,
    grid: str = ARMS,
    *,
    trials: int = 2,
    goal: str = "maximize",
    kept: bool = False,
) -> str:
    """What is wrong with a study, if anything; its space begins on line 8.

    kept  without trying out points of the space, which takes its time
    """
    text = STUDY.format(space=space.replace("\n", "\n      "), grid=grid, trials=trials, goal=goal)
    try:
        load(write_study(folder, text), kept=kept)
    except StudyError as error:
        return str(error).replace(str(folder), "")
    return ""


# --- a parameter that some arms lack --------------------------------------------------------------

LACKING = "search.bayes.space.divergence.alpha: no such key 'alpha' in divergence"
NEED = "/tiny.yaml:10: search.grid.arms.mine: consensus updates need `critic.steps: 1`"
OTHERS = "`when: {arms: [gp, ns]}`"

AWAY = {
    "arms without the key": (
        f"{RATES}\ndivergence.alpha: {{low: 2.0, high: 3.0}}",
        ARMS,
        f"/tiny.yaml:9: {LACKING} (where arms is gp or ns; write `when: {{arms: alpha}}`)",
    ),
    "arms without the key, of a list": (
        f"{RATES}\ndivergence.alpha: [2.0, 3.0]",
        ARMS,
        f"{LACKING} (where arms is gp or ns; write `{{values: ..., when: {{arms: alpha}}}}`)",
    ),
    "a value that one arm refuses": (
        f"{RATES}\nupdates: [alternating, consensus]",
        "arms: {one: {critic.steps: 1}, five: {critic.steps: 5}}",
        "(where arms is five; write `{values: ..., when: {arms: one}}`)",
    ),
    "values of a list without the key": (
        "critic.optimizer: [adam, rmsprop]\ncritic.optimizer.beta1: {low: 0.0, high: 0.9}",
        "batch: [8, 16]",
        "(where critic.optimizer is rmsprop; write `when: {critic.optimizer: adam}`)",
    ),
    "what an arm asks of a parameter": (
        f"{RATES}\ncritic.steps: {{low: 1, high: 4}}",
        "arms: {mine: {updates: consensus}, gp: {divergence: wasserstein}, ns: {batch: 8}}",
        f"{NEED} (where arms is mine and critic.steps is 4; write {OTHERS} at critic.steps)",
    ),
}


@pytest.mark.parametrize("case", AWAY)
def test_a_refusal_names_the_condition_that_is_a_way_out(tmp_path: Path, case: str) -> None:
    """It named no arm, nor that others have the key; both ends of a range were told apart."""
    space, grid, told = AWAY[case]
    text = said(tmp_path, space, grid)
    assert told in text
    assert text.count("\n") == 0, "once"


@pytest.mark.parametrize(
    ("space", "grid"),
    [
        (f"{RATES}\ncritic.stepz: {{low: 1, high: 8}}", ARMS),
        (f"{RATES}\ncritic.width: {{low: -4, high: 8}}", ARMS),
        (RATES, "arms: {mine: {updates: consensus, critic.steps: 2}, ns: {batch: 8}}"),
    ],
)
def test_what_no_condition_mends_is_told_without_one(tmp_path: Path, space: str, grid: str) -> None:
    text = said(tmp_path, space, grid)
    assert text
    assert "when" not in text


@pytest.mark.parametrize(
    "space",
    [
        "batch: {low: 30, high: 64}\ncritic.pac: [4, 2]",
        "critic.pac: {low: 4, high: 5}\nbatch: [30, 64]",
    ],
    ids=["a list below", "a range"],
)
def test_no_condition_is_advised_that_is_refused(tmp_path: Path, space: str) -> None:
    """A condition names an axis, or a list that stands above; others were advised."""
    text = said(tmp_path, space, "arms: {a: {steps: 100}, b: {steps: 200}}")
    assert "not a multiple of `critic.pac: " in text
    assert "when" not in text


# --- keys that two set ----------------------------------------------------------------------------

FIXED = "{tuned: {divergence: minimax}, fixed: {divergence: minimax, critic.lr: 0.001}}"
BELOW = "critic.lr: {low: 1e-4, high: 0.01, when: {a: [1, 2]}}\ncritic.depth: [1, 2]"
RULE = "rule: {a: {critic.steps: 2, batch: 8}, b: {batch: 16}}"


def _two(key: str, arm: str) -> str:
    """Two values of a key in one arm."""
    return f"{{values: {{1: {{{key}: 1}}, 2: {{{key}: 2}}}}, when: {{arms: {arm}}}}}"


@pytest.mark.parametrize(
    ("space", "grid"),
    [
        ("critic.lr: {low: 1e-4, high: 0.01, when: {arms: tuned}}\nbatch: [8, 9]", FIXED),
        (f"{RULE}\ncritic.steps: {{low: 1, high: 4, when: {{rule: b}}}}", "{a: {steps: 100}}"),
        (f"a: {_two('critic.steps', 'tuned')}\nb: {_two('critic.steps', 'fixed')}", FIXED),
        (f"a: {_two('batch', 'tuned')}\n{BELOW}", FIXED),
    ],
    ids=["an arm's own value", "a label's own value", "lists of their own", "what stands above"],
)
def test_conditions_keep_keys_apart(tmp_path: Path, space: str, grid: str) -> None:
    """An ablation that fixes what is tuned beside it was refused, though nothing was set twice."""
    assert said(tmp_path, space, f"arms: {grid}", kept=True) == ""


@pytest.mark.parametrize(
    "space",
    [
        "critic.lr: {low: 1e-4, high: 0.01}",
        "critic.lr: {low: 1e-4, high: 0.01, when: {arms: [tuned, fixed]}}",
        "batch: [8, 9]\ncritic.lr: {low: 1e-4, high: 0.01, when: {batch: 8}}",
    ],
)
def test_a_key_that_is_set_twice_somewhere_is_refused(tmp_path: Path, space: str) -> None:
    assert "'critic.lr' is set by axis 'arms' as well" in said(tmp_path, space, f"arms: {FIXED}")


EXCLUDED = "{tuned: {divergence: minimax}, fixed: {critic.lr: 0.001}}"


@pytest.mark.parametrize(
    ("left_out", "apart"),
    [
        ("{arms: fixed, rate: quick}", True),
        ("{arms: tuned, rate: quick}", False),
        ("{rate: quick}", True),
        ("{arms: fixed, rate: slow}", False),
    ],
)
def test_what_is_set_twice_at_excluded_points_alone_is_not(
    tmp_path: Path, left_out: str, apart: bool
) -> None:
    """Two axes set the rate at one point, that of `fixed` and `quick`."""
    grid = f"arms: {EXCLUDED}, rate: {{slow: {{batch: 8}}, quick: {{critic.lr: 0.01}}}}"
    grid += f"}}\n  exclude: [{left_out}]\n#"
    text = said(tmp_path, "critic.steps: [1, 2]", grid, kept=True)
    assert ("'critic.lr' is set by axis 'arms' as well" in text) != apart
    assert bool(text) != apart


# --- trials of two arms ---------------------------------------------------------------------------

WITHIN = "arms: {fixed: {divergence: minimax, critic.steps: 2}, tuned: {divergence: minimax}}"
COMMON = (
    "/tiny.yaml:9: search.bayes.space.critic.steps: a trial where arms is fixed can be one where"
)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("{low: 1, high: 4, when: {arms: tuned}}", f"{COMMON} arms is tuned, and no record says"),
        ("{values: [1, 2], when: {arms: tuned}}", f"{COMMON} arms is tuned, and no record says"),
        ("{low: 3, high: 4, when: {arms: tuned}}", ""),
    ],
)
def test_arms_that_draw_the_same_trial_are_refused(tmp_path: Path, steps: str, told: str) -> None:
    """A record names no arm: read again, one had points of the other, which trained anew."""
    text = said(tmp_path, f"{RATES}\ncritic.steps: {steps}", WITHIN)
    assert (text[: len(told)], bool(text)) == (told, bool(told))


def test_what_is_continuous_never_meets_a_fixed_value(tmp_path: Path) -> None:
    rate = f"{RATES[:-1]}, when: {{arms: tuned}}}}"
    assert said(tmp_path, f"batch: [8, 16]\n{rate}", f"arms: {FIXED}") == ""


CLIPPED = {"tuned": "{critic.steps: 1}", "wass": "{divergence: wasserstein, critic.steps: 1}"}


@pytest.mark.parametrize("labels", ["minimax, wasserstein", "wasserstein, minimax"])
@pytest.mark.parametrize("arms", [["tuned", "wass"], ["wass", "tuned"]])
def test_arms_that_share_what_a_later_label_brings_along_are_refused(
    tmp_path: Path, labels: str, arms: list[str]
) -> None:
    """Clipping and RMSProp come with `wasserstein`: an arm was looked at by its first label."""
    grid = "arms: {" + ", ".join(f"{arm}: {CLIPPED[arm]}" for arm in arms) + "}"
    space = f"divergence: {{values: [{labels}], when: {{arms: tuned}}}}\n{RATES}"
    assert "and no record says whose it is" in said(tmp_path, space, grid)


@pytest.mark.parametrize(
    ("space", "grid", "told"),
    [
        (
            f"critic.pac: {{values: [1, 2], when: {{arms: tuned}}}}\nbatch: [64, 30]\n{RATES}",
            "arms: {tuned: {critic.depth: 1}, fixed: {critic.depth: 1, critic.pac: 4}}",
            "modes_covered is better higher",
        ),
        (
            "target: [ring, swiss_roll]",
            "arms: {a: {record.metrics: [sliced_wasserstein]}, b: {record.metrics: [mode_kl]}}",
            "'modes_covered' is not recorded",
        ),
    ],
    ids=["a number", "a list"],
)
def test_a_point_that_an_arm_refuses_hides_no_other_problem(
    tmp_path: Path, space: str, grid: str, told: str
) -> None:
    """To resolve it raised, and of two mistakes one was told."""
    text = said(tmp_path, space, grid, goal="minimize")
    assert told in text
    assert text.count("\n") == 1


@pytest.mark.parametrize("arms", ["one, other", "other, one"])
@pytest.mark.parametrize("steps", ["low: 1, high: 8", "low: 1, high: 7, step: 3"])
def test_arms_that_fix_what_the_other_searches_are_refused(
    tmp_path: Path, steps: str, arms: str
) -> None:
    """Four of each is a trial of both, which no end of a range shows."""
    own = {"one": "{critic.steps: 4}", "other": "{batch: 4}"}
    grid = ", ".join(f"{arm}: {own[arm]}" for arm in arms.split(", "))
    space = f"{RATES}\nbatch: {{{steps}, when: {{arms: one}}}}"
    space += f"\ncritic.steps: {{{steps}, when: {{arms: other}}}}"
    assert "and no record says whose it is" in said(tmp_path, space, f"arms: {{{grid}}}")


def test_two_lists_that_cross_two_others_are_refused(tmp_path: Path) -> None:
    """The second value of both is a trial of both arms, and a corner has one of them."""
    space = "\n".join(
        f"{key}: {{values: [8, 4], when: {{arms: {arm}}}}}"
        for arm, keys in (("one", ("batch", "generator.width")), ("other", ("critic.steps",)))
        for key in keys
    )
    grid = "arms: {one: {critic.steps: 4}, other: {batch: 4, generator.width: 4}}"
    space += "\ncritic.width: {values: [8, 4], when: {arms: other}}"
    grid = grid.replace("critic.steps: 4}", "critic.steps: 4, critic.width: 4}")
    assert "and no record says whose it is" in said(tmp_path, space, grid)


def test_arms_that_cross_where_neither_draws_are_accepted(tmp_path: Path) -> None:
    space = f"{RATES}\nbatch: {{low: 5, high: 8, when: {{arms: one}}}}"
    space += "\ncritic.steps: {low: 1, high: 8, when: {arms: other}}"
    assert said(tmp_path, space, "arms: {one: {critic.steps: 4}, other: {batch: 4}}") == ""


def test_arms_that_fix_other_values_are_told_apart_by_what_they_set(tmp_path: Path) -> None:
    """Each was resolved with the point of each other: eighty arms took a quarter of a minute."""
    rates = ", ".join(f"rate_{n}: {{critic.lr: {n}.0e-4}}" for n in range(1, 4))
    rate = f"{RATES[:-1]}, when: {{arms: tuned}}}}"
    grid = f"arms: {{tuned: {{steps: 100}}, {rates}}}"
    text = STUDY.format(space=rate, grid=grid, trials=1, goal="maximize")
    study = load(write_study(tmp_path, text), kept=True)
    resolve = mock.Mock()
    corners = [
        Corner(at, study.labels(at), study.bundles(at), values, study.resolve(at, values), resolve)
        for at in study.points
        for values in extremes(study.space, study.labels(at))
    ]
    assert list(common_problems(study.document, study.space, corners)) == []
    assert not resolve.called


# --- spaces of different sizes --------------------------------------------------------------------

LACKS = "use at most so many trials, or add a parameter that takes part there"


def test_a_point_that_is_left_out_needs_no_space(tmp_path: Path) -> None:
    """An excluded point, with nothing to search, refused all others."""
    grid = f"arms: {FIXED}, penalty_of: {{no: {{constraint: none}}, r1: {{constraint: r1}}}}"
    space = (
        "batch: {low: 8, high: 64, when: {arms: tuned}}\n"
        "constraint.weight: {low: 0.1, high: 10.0, when: {penalty_of: r1}}"
    )
    where = "where arms is fixed and penalty_of is no"
    assert said(tmp_path, space, grid) == (
        f"/tiny.yaml:5: search.bayes.trials: the space has 1 point only {where}; {LACKS}"
    )
    grid += "}\n  exclude: [{arms: fixed, penalty_of: no}]\n#"
    assert said(tmp_path, space, grid) == ""


def test_the_smallest_space_is_told(tmp_path: Path) -> None:
    """At most so many trials can be asked of all arms."""
    grid = "arms: {a: {steps: 100}, b: {steps: 200}, c: {steps: 300}}"
    space = "batch: {values: [8, 9, 10], when: {arms: [a, b]}}\ncritic.steps: [1, 2]"
    space += "\ncritic.depth: {values: [1, 2], when: {arms: a}}"
    told = f"the space has 2 points only where arms is c; {LACKS}"
    assert told in said(tmp_path, space, grid, trials=10)
