"""The landscape of generated points: stated values, flooding, and another optimiser."""

from __future__ import annotations

from collections import deque
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from tiny import write_study

from ganstudy import divergences
from ganstudy.kinds.basins import Basins, best_critics
from ganstudy.kinds.basins.best_critics import of_states
from ganstudy.kinds.basins.lattice import Lattice, bad_basins, barrier
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial

ISSUE = {
    ("minimax", "random"): (-0.693, -0.477, -0.347, 0.131),
    ("f_gan", "random"): (-0.693, -0.477, -0.347, 0.131),
    ("relativistic_pairing", "fixed"): (-0.693, -0.347, -0.347, 0.0),
    ("relativistic_pairing", "random"): (-0.693, -0.347, -0.173, 0.173),
}
"""Recovered, collapsed, half the way, and the barrier, for two points."""


def _run(**settings: Any) -> Record:
    kind = Basins.model_validate({"steps": 4, **settings})
    (record,) = kind.train([Trial(kind, 0)])
    return record


@pytest.mark.parametrize(("divergence", "pairs"), ISSUE)
def test_two_points(divergence: str, pairs: str) -> None:
    values = _run(divergence=divergence, pairs=pairs).values
    out = values["value"]
    seen = [values["recovered_value"][0], out[0], out[2], values["barrier"][-1]]
    np.testing.assert_allclose(seen, ISSUE[divergence, pairs], atol=5e-4)
    # Two points collapse onto either data point: 2² - 2! basins.
    assert values["bad_basins"][-1] == (0 if pairs == "fixed" else 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "divergence", ["hinge", "f_total_variation", "wasserstein", "mmd", "sinkhorn_divergence"]
)
def test_no_bad_basin_without_strict_convexity_or_with_distances(divergence: str) -> None:
    for points in (2, 3):
        values = _run(divergence=divergence, points=points, steps=3).values
        assert values["bad_basins"][-1] == 0
        assert values["barrier"][-1] == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_barrier_of_unbounded_losses_grows_with_the_bound() -> None:
    """-log D and log q/p charge a point off the data by its logit; KL(p || q) does not."""
    for divergence, grows in (("non_saturating", 2.5), ("reverse_kl", 2.5), ("forward_kl", 0.0)):
        low, high = (
            _run(divergence=divergence, bound=bound).values["barrier"][-1] for bound in (15.0, 20.0)
        )
        # A quarter of the law, at half of the sum of two terms, is what one of two points weighs.
        assert high - low == pytest.approx(grows / 2, abs=1e-4)


def test_values_of_three_points_are_those_of_another_optimiser() -> None:
    """The log loss of random states, minimised over all sites at once by BFGS."""
    kind = Basins.model_validate({"divergence": "minimax", "points": 3, "steps": 3})
    lattice, rng = kind.lattice, np.random.default_rng(0)
    values = of_states(kind, rng.normal(size=(3, 2)))
    for index in rng.choice(len(values), 12, replace=False):
        p = (np.arange(lattice.sites) < 3) / 3
        q = np.bincount(lattice.states[index], minlength=lattice.sites) / 3

        def loss(a: Any, p: Any = p, q: Any = q) -> float:
            return float(p @ np.logaddexp(0, -a) + q @ np.logaddexp(0, a))

        def slope(a: Any, p: Any = p, q: Any = q) -> Any:
            return q / (1 + np.exp(-a)) - p / (1 + np.exp(a))

        box = [(-25.0, 25.0)] * lattice.sites
        found = minimize(loss, np.zeros(lattice.sites), jac=slope, method="TNC", bounds=box)
        assert values[index] == pytest.approx(-found.fun / 2, abs=1e-5)


def _least_rise(lattice: Lattice, values: Any, start: int) -> float:
    """By flooding: states within reach of the start at each height, lowest height first."""
    beside: dict[int, list[int]] = {index: [] for index in range(len(values))}
    for one, other in lattice.moves.tolist():
        beside[one].append(other)
        beside[other].append(one)
    goals = set(np.flatnonzero(lattice.recovered()).tolist())
    for height in np.sort(values[values >= values[start]]):
        seen, queue = {start}, deque([start])
        while queue:
            for state in beside[queue.popleft()]:
                if state not in seen and values[state] <= height:
                    seen.add(state)
                    queue.append(state)
        if seen & goals:
            return float(height - values[start])
    raise AssertionError("recovery is out of reach")


def test_barrier_is_that_of_flooding() -> None:
    for seed in range(5):
        lattice = Lattice(3, 2)
        values = np.random.default_rng(seed).random(lattice.sites**3)
        expected = _least_rise(lattice, values, 0)
        assert barrier(lattice, values, 0) == pytest.approx(expected, abs=1e-7)


def test_a_basin_is_left_downwards_or_not_at_all() -> None:
    """Two points, one site between: heights by hand."""
    lattice = Lattice(2, 2)
    values = np.ones(9)
    at = {tuple(state): index for index, state in enumerate(lattice.states.tolist())}
    values[[at[0, 1], at[1, 0]]] = 0.0
    # A plateau of height 1 surrounds recovery: everything can fall.
    assert bad_basins(lattice, values) == 0
    values[at[0, 0]] = 0.5
    assert bad_basins(lattice, values) == 1
    assert barrier(lattice, values, at[0, 0]) == pytest.approx(0.5)
    values[at[0, 2]] = 0.5
    assert bad_basins(lattice, values) == 0
    assert barrier(lattice, values, at[0, 0]) == 0
    # Off the data points a pit is no collapse.
    values[at[2, 2]] = 0.2
    assert bad_basins(lattice, values) == 0


LANDSCAPES = [member.name for member in divergences.family if not member.charged]


def _broken(**settings: Any) -> set[str]:
    """Claims that were made and do not hold."""
    values = _run(steps=2, **settings).values
    return {
        claim.name
        for claim in Basins.claims
        if claim.name in values and values[claim.name][-1] > values[f"{claim.name}_tolerance"][-1]
    }


@pytest.mark.parametrize("bound", [0.3, 3.0])
@pytest.mark.parametrize("divergence", ["minimax", "f_total_variation", "f_pearson"])
def test_claims_hold_whatever_the_bound(divergence: str, bound: float) -> None:
    """Those of logits beyond the bound are not made."""
    assert not _broken(divergence=divergence, points=3, bound=bound)


@pytest.mark.slow
@pytest.mark.parametrize("divergence", LANDSCAPES)
def test_claims_of_every_divergence_hold_whatever_the_bound(divergence: str) -> None:
    """With fixed pairs too."""
    every = ("random", "fixed") if divergence == "relativistic_pairing" else ("random",)
    for bound, pairs in product((0.5, 2.0), every):
        own = {"divergence": divergence, "points": 3, "bound": bound, "pairs": pairs}
        assert not _broken(**own), own


@pytest.mark.parametrize(
    ("divergence", "bound"), [("minimax", 3.0), ("f_total_variation", 3.0), ("f_pearson", 8.0)]
)
def test_a_worse_critic_than_the_best_is_found_out(
    divergence: str, bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the bound leaves something: that is forgiven, and no more."""
    found = best_critics.best_logits
    monkeypatch.setattr(best_critics, "best_logits", lambda *laws: 0.95 * found(*laws))
    values = _run(divergence=divergence, bound=bound, points=3, steps=2).values
    assert values["best_critic"][-1] > values["best_critic_tolerance"][-1]


@pytest.mark.slow
def test_no_best_critic_is_claimed_beyond_the_bound() -> None:
    """Where one is attained: a critic without a best one comes as near as the bound lets it."""
    for divergence, bound, claimed in (
        ("f_pearson", 0.1, False),
        ("f_pearson", 25.0, True),
        ("hinge", 0.9, False),
        ("hinge", 1.0, True),
        ("f_total_variation", 0.1, True),
    ):
        values = _run(divergence=divergence, bound=bound, points=3, steps=2).values
        assert ("best_critic" in values) == claimed


VALUES = {
    "separable_values": {"divergence": "minimax"},
    "fixed_pairs_values": {"divergence": "relativistic_pairing", "pairs": "fixed"},
    "random_pairs_barrier": {"divergence": "relativistic_pairing", "pairs": "random"},
}
"""Claims of values at critics without a bound, and where they are made."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bound", "made"), [(0.3, False), (3.0, False), (10.0, True), (25.0, True)]
)
def test_values_are_claimed_where_the_bound_leaves_room(
    bound: float, made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And fail where they are wrong: under a bound of 0.3 any would have held."""
    for claim, settings in VALUES.items():
        values = _run(steps=2, bound=bound, **settings).values
        assert (set(VALUES) & set(values)) == ({claim} if made else set())
        assert not _broken(bound=bound, **settings)
    found = best_critics.of_states
    monkeypatch.setattr(best_critics, "of_states", lambda *laws: 1.02 * found(*laws))
    for claim, settings in VALUES.items():
        assert (claim in _broken(bound=bound, **settings)) == made


@pytest.mark.slow
@pytest.mark.parametrize("bound", [0.3, 2.0, 10.0, 25.0])
@pytest.mark.parametrize("divergence", ["minimax", "f_alpha"])
def test_a_value_that_a_zero_sum_game_does_not_descend_is_found_out(
    divergence: str, bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under every bound: one of 0.3 forgave more than any value."""
    settings = {"divergence": divergence, "points": 3, "bound": bound}
    assert not _broken(**settings)
    found = best_critics.of_states
    monkeypatch.setattr(best_critics, "of_states", lambda *laws: 1.001 * found(*laws))
    assert "zero_sum" in _broken(**settings)


@pytest.mark.slow
def test_every_divergence_has_a_landscape() -> None:
    """Collapse is worse than recovery under each whose losses see nothing of q but its law."""
    for divergence in LANDSCAPES:
        values = _run(divergence=divergence, steps=2).values
        assert values["value"][0] > values["recovered_value"][0] + 0.01, divergence
        assert np.isfinite(values["barrier"][-1])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("pairs: fixed", "pairs: fixed is for relativistic_pairing; minimax compares no pairs"),
        ("divergence: uotm", "uotm charges for the way from latent points; this kind has none"),
        ("points: 4, steps: 30", "states, more than 20,000; take fewer steps"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, keys: str, said: str) -> None:
    text = f"question: Basins?\ntrial: {{kind: basins, {keys}}}\nseeds: 2\n"
    with pytest.raises(StudyError, match=said):
        load(write_study(tmp_path, text))
