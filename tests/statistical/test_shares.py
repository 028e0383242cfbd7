"""Coverage of intervals of shares, of means near a bound, and of explained variance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from ganstudy import analysis
from ganstudy.analysis.bounded import share_interval
from ganstudy.analysis.grades import CLEAR, LEANING, fewest_seeds, graded
from ganstudy.analysis.intervals import jackknife, t_interval
from ganstudy.analysis.variance import axes_apart, graded_effects, with_and_without
from tests.statistical.simulated import Array, four_standard_errors, slack, stated, study

RUNS = 300


def hits(rate: float, correlation: float, seeds: int, rng: np.random.Generator) -> Array:
    """Two arms, eight settings; a trial copies its seed's own draw so often that they correlate."""
    shape = (2, 8, seeds)
    own, shared = rng.random(shape) < rate, rng.random((2, 1, seeds)) < rate
    copied = rng.random(shape) < np.sqrt(correlation)
    return np.where(copied, shared, own).astype(float)


@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
@pytest.mark.parametrize(("rate", "correlation"), [(0.01, 0.0), (0.1, 0.0), (0.1, 0.5), (0.5, 0.3)])
def test_intervals_of_shares_cover(rate: float, correlation: float, seeds: int) -> None:
    """Student's over seeds has no width at 0 and 1, and covers a true 1 % in a third of studies."""
    rng = np.random.default_rng(seeds)
    covered = naive = 0
    for _ in range(RUNS):
        drawn = hits(rate, correlation, seeds, rng)
        found = share_interval(drawn)
        covered += bool(found.low[0] <= rate <= found.high[0])
        t = t_interval(drawn[0].mean(axis=0))
        naive += bool(t.low <= rate <= t.high)
    assert covered / RUNS > 0.95 - four_standard_errors(0.95, RUNS)
    if rate == 0.01 and seeds <= 5:
        assert naive / RUNS < 0.45


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize(("seeds", "trials"), [(7, 1), (40, 1), (7, 8)])
def test_intervals_of_shares_are_clopper_and_pearsons(
    seeds: int, trials: int, confidence: float
) -> None:
    """Of one trial a seed; and of several that all do the same, which tell what one does."""
    for hit in range(seeds + 1):
        drawn = np.broadcast_to(np.arange(seeds) < hit, (1, trials, seeds)).astype(float)
        found = share_interval(drawn, confidence)
        exact = binomtest(hit, seeds).proportion_ci(confidence, method="exact")
        np.testing.assert_allclose((found.low[0], found.high[0]), (exact.low, exact.high))


def collapsing(rng: np.random.Generator, settings: int, seeds: int, runs: int) -> Array:
    """One trial in five collapses from about 0.98 to about 0.2."""
    fell = rng.random((runs, settings, seeds)) < 0.2
    return np.where(fell, 0.2, 0.98) + 0.005 * rng.uniform(-1, 1, fell.shape)


ROWS = {4: "one trial in five collapses, four settings", 8: "eight settings"}
"""Of docs/statistics.md; with fewer settings it states 98 % or more."""


@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
@pytest.mark.parametrize("settings", [1, 2, 4, 8])
def test_intervals_of_arms_near_a_bound_cover(settings: int, seeds: int) -> None:
    """By Student's t 48 % and 67 % with three and five seeds of one setting."""
    runs, mean = 600, 0.8 * 0.98 + 0.2 * 0.2
    values = collapsing(np.random.default_rng(seeds), settings, seeds, runs)
    scores = analysis.arm_scores(study(values, bounds=(0.0, 1.0)))
    covered = float(((scores["low"] <= mean) & (scores["high"] >= mean)).mean())
    # A mean over few settings is skewed still.
    if settings < 4:
        assert covered > 0.98 - four_standard_errors(0.98, runs)
    else:
        rates = stated("statistics", f"{ROWS[settings]} | | # % | # % | # % | # % |")
        percent = dict(zip((3, 5, 10, 20), rates, strict=True))[seeds]
        assert abs(covered - percent / 100) < slack(percent, runs)


@pytest.mark.parametrize(("seeds", "rate"), [(3, 0.84), (5, 0.83), (10, 0.83), (20, 0.86)])
def test_intervals_of_skewed_arms_without_a_bound_cover_less(seeds: int, rate: float) -> None:
    """Lognormal scores of one setting, as docs/statistics.md says."""
    runs, mean = 1000, math.exp(0.5)
    values = np.random.default_rng(seeds).lognormal(size=(runs, 1, seeds))
    scores = analysis.arm_scores(study(values, bounds=(0.0, math.inf)))
    covered = float(((scores["low"] <= mean) & (scores["high"] >= mean)).mean())
    assert abs(covered - rate) < four_standard_errors(rate, runs)


MISSED = {
    "one setting / four, no worst value | t over means of what survived |" + 4 * " # / # % |": 0.5,
    "one trial in five collapses, no worst value: t on that side | |" + 4 * " # % |": 0.0,
}
"""Rows of docs/statistics.md, of one setting and, where there are two rates, of four: the share of
trials that are worse than any number."""


@pytest.mark.slow
@pytest.mark.parametrize("row", MISSED)
def test_intervals_without_a_worst_value_know_nothing_of_what_seeds_have_missed(row: str) -> None:
    """Within bounds those of one setting hold 98 % or more, though half of the trials are gone."""
    rates, runs, mean = iter(stated("statistics", row)), 200, 0.8 * 0.98 + 0.2 * 0.2
    for seeds in (3, 5, 10, 20):
        for settings in (1, 4)[: row.count("#") // 4]:
            rng = np.random.default_rng(seeds)
            values = collapsing(rng, settings, seeds, runs)
            lost = rng.random(values.shape) < MISSED[row]
            states = {tuple(map(int, at)): "diverged" for at in np.argwhere(lost)}
            scores = analysis.arm_scores(study(values, status=states, bounds=(-math.inf, 1.0)))
            limited = (scores["seeds"] > 1).values
            held = ((scores["low"] <= mean) & (scores["high"] >= mean)).values[limited]
            percent = next(rates)
            assert abs(held.mean() - percent / 100) < slack(percent, held.size), (seeds, settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "seeds", "rate"), [(1, 3, 0.46), (1, 5, 0.65), (1, 10, 0.85), (4, 5, 0.97)]
)
def test_differences_from_an_arm_that_rarely_collapses_are_held_by_fewer_intervals(
    settings: int, seeds: int, rate: float
) -> None:
    """Three steady arms beside it; all six pairs at once, as docs/statistics.md says."""
    runs, rng, held = 100, np.random.default_rng(seeds), 0
    for _ in range(runs):
        values = 0.75 + 0.02 * rng.random((4, settings, seeds))
        values[0] += np.where(rng.random((settings, seeds)) < 0.2, -0.65, 0.15)
        found = analysis.compare_arms(study(values, bounds=(0.0, 1.0)))
        first = found.isel(arm=0, other=[1, 2, 3])
        held += bool(((first["low"] <= -0.01) & (first["high"] >= -0.01)).all())
    assert abs(held / runs - rate) < four_standard_errors(rate, runs)


@pytest.mark.slow
@pytest.mark.parametrize("given", [1, 4])
@pytest.mark.parametrize("settings", [2, 24])
@pytest.mark.parametrize("law", ["zeros and ones", "one in five collapses", "unbounded"])
def test_limits_at_the_best_setting_allow_for_the_choice(
    law: str, settings: int, given: int
) -> None:
    """Equal settings, of which the best mean is optimistic; limits from held-out scores as though
    they were a sample would hold it in half of studies, and fewer with more seeds."""
    runs, seeds = 150, 20
    rng = np.random.default_rng(settings)
    shape = (runs, given, settings, seeds)
    drawn, mean = {
        "zeros and ones": lambda: (rng.integers(2, size=shape) * 1.0, 0.5),
        "one in five collapses": lambda: (np.where(rng.random(shape) < 0.2, 0.1, 0.9), 0.74),
        "unbounded": lambda: (rng.normal(size=shape), 0.0),
    }[law]()
    bounds = (-math.inf, math.inf) if law == "unbounded" else (0.0, 1.0)
    ds = study(drawn, axes=("arm", "target", "lr"), bounds=bounds).assign_attrs(given=["target"])
    best = analysis.best_setting_scores(ds)
    covered = float(((best["low"] <= mean) & (mean <= best["high"])).mean())
    assert covered > 0.95 - four_standard_errors(0.95, runs)
    assert ((best["low"] <= best["held_out"]) & (best["held_out"] <= best["high"])).all()
    assert float(best["mean"].mean()) > mean + 0.03


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_limits_at_the_best_setting_hold_what_choosing_is_worth(seeds: int, lower: bool) -> None:
    """Eight equal settings, whichever way is better: the choice flatters the other limit then."""
    runs, rng = 150, np.random.default_rng(seeds)
    values = np.clip(0.6 + 0.15 * rng.normal(size=(runs, 8, seeds)), 0, 1)
    best = analysis.best_setting_scores(study(values, bounds=(0.0, 1.0), lower=lower))
    truth = float(np.clip(0.6 + 0.15 * rng.normal(size=100_000), 0, 1).mean())
    covered = float(((best["low"] <= truth) & (best["high"] >= truth)).mean())
    assert covered > 0.95 - four_standard_errors(0.95, runs)
    assert abs(float(best["mean"].mean()) - truth) > 0.04
    wider = best["mean"] - best["low"] > best["high"] - best["mean"]
    assert bool((~wider if lower else wider).mean() > 0.9)


@pytest.mark.parametrize(("seeds", "biased"), [(1, 0.17), (5, 0.035)])
def test_an_interaction_of_noise_explains_little(seeds: int, biased: float) -> None:
    """The strongest of six in pure noise: η² says 17 % with one seed and 3.5 % with five."""
    runs, rng = 30, np.random.default_rng(seeds)
    strongest = []
    for _ in range(runs):
        ds = study(rng.normal(size=(4, 2, 2, 2, seeds)), axes=("arm", "lr", "steps", "width"))
        effects = analysis.factor_effects(ds)
        pairs = [" × " in name for name in effects["effect"].values]
        strongest.append(float(effects["share"].values[pairs].max()))
    assert np.mean(strongest) < 0.7 * biased


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_shares_of_variance_are_unbiased_and_their_intervals_cover(seeds: int) -> None:
    """What an axis does differs from seed to seed, and tests keep their level none the less."""
    runs, rng = 1000, np.random.default_rng(seeds)
    arm = np.array([-0.5, 0.0, 0.0, 0.5])[:, None, None, None]
    lr = np.array([-1.0, 1.0])[:, None, None]
    noise = rng.normal(size=(runs, 4, 2, 2, seeds)) + 0.5 * rng.normal(size=(runs, 1, 1, 1, seeds))
    by_arm, by_lr = (0.5 * rng.normal(size=(runs, *own, 1, seeds)) for own in ((4, 1), (1, 2)))
    values = arm + lr + noise + by_arm + by_lr
    # Variances: 1/8 and 1 of the axes, 1/4 of the seed, 3/16 and 1/8 of seeds by axes, 1 of noise.
    total = 1 / 8 + 1 + 1 / 4 + 3 / 16 + 1 / 8 + 1
    truth = np.array([1 / 8 / total, 1 / total, 0.0])
    whole, without = with_and_without(values, 1)
    left = np.array([one.share for one in without])
    _, low, high, _ = jackknife(whole.share, left, 0.95)
    told = analysis.factor_effects(study(values[0], axes=("arm", "lr", "steps")))
    np.testing.assert_allclose(told["p"], whole.p[0])
    np.testing.assert_allclose(told["low"][:-1], np.clip(low[0, :-1], 0, 1))
    covered = ((low.clip(0)[:, :3] <= truth) & (truth <= high.clip(0)[:, :3])).mean(axis=0)
    assert (covered > 0.93 - four_standard_errors(0.93, runs)).all()
    # All effects but those that there are and the seed's.
    wrong = (whole.p[:, 2:-1] < 0.05).any(axis=1).mean()
    assert wrong < 0.05 + four_standard_errors(0.05, runs)
    shares = whole.share[:, :3]
    error = shares.std(axis=0) / np.sqrt(runs)
    # The total has one seed too few of what differs between seeds: up to a tenth too large.
    assert (np.abs(shares.mean(axis=0) - truth) < 4 * error + 0.1 * truth).all()


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 4, 5, 6, 10])
@pytest.mark.parametrize("law", [(0.5, 0.2, 0.98), (0.2, 0.2, 0.98), (0.5, 7, 8)])
def test_effects_on_scores_of_two_values_are_clear_as_rarely_as_arms(
    law: tuple[float, float, float], seeds: int
) -> None:
    """With jitter, and nothing to find: few seeds differ alike by chance, and by F alone some
    effect was clear in 3 to 6 % of studies with three seeds, and in 2 % with four."""
    runs, rng = 1000, np.random.default_rng(seeds)
    rare, low, high = law
    fell = rng.random((runs, 2, 2, seeds)) < rare
    values = np.where(fell, low, high) + 0.005 * rng.uniform(-1, 1, fell.shape)
    whole, without = with_and_without(values, 1)
    clear = (graded_effects(whole, without) == "clear").any(axis=1).mean()
    assert clear < CLEAR + four_standard_errors(CLEAR, runs)
    assert (whole.p < 0.05).any(axis=1).mean() < 0.05 + four_standard_errors(0.05, runs)
    assert seeds >= fewest_seeds(3) or not clear


def rarely(runs: int, seeds: int, at: tuple[int, ...]) -> Array:
    """Two axes of two values, all cells with one mean; some, chosen by `at`, collapse in one trial
    of five, and the others are steady."""
    rng = np.random.default_rng(seeds)
    values = 0.824 + 0.02 * rng.normal(size=(runs, 2, 2, seeds))
    shape = values[:, *at].shape
    fell = rng.random(shape) < 0.2
    values[:, *at] = np.where(fell, 0.2, 0.98) + 0.005 * rng.normal(size=shape)
    return values


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "clear"), [(6, 0), (8, 0), (10, 0.1)])
def test_effects_of_few_settings_are_clear_with_ten_seeds_at_least(
    seeds: int, clear: float
) -> None:
    """Fewer miss what is rare: the interaction was clear in 27 and 18 % of such studies."""
    runs = 300
    grades = graded_effects(*with_and_without(rarely(runs, seeds, (0, 0)), 1))
    found = grades[:, :3] == "clear"
    interaction = float(found[:, 2].mean())
    assert abs(interaction - clear) <= four_standard_errors(clear, runs)
    assert seeds >= 10 or not found.any()


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "clear"), [(5, 0), (8, 0), (10, 0.01)])
def test_axes_of_few_settings_are_told_apart_with_ten_seeds_at_least(
    seeds: int, clear: float
) -> None:
    """One arm rarely collapses, whatever the other axis: 11 and 7 % were clear."""
    runs = 300
    values = rarely(runs, seeds, (0,))
    grades = graded(axes_apart(*with_and_without(values, 1), 2), settings=2)[1][:, 0]
    told = [analysis.compare_effects(study(own))["grade"].values[0, 1] for own in values[:5]]
    assert told == grades[:5].tolist()
    assert abs((grades == "clear").mean() - clear) <= four_standard_errors(clear, runs)


@pytest.mark.slow
def test_intervals_of_shares_hold_with_nearly_half_of_the_trials_missing() -> None:
    """A large share, of five seeds: nine in ten hold it, as docs/statistics.md says."""
    runs, rng = 100, np.random.default_rng(5)
    arm, lr = np.linspace(-0.5, 0.5, 4)[:, None, None], np.array([-1.0, 1.0])[:, None]
    share = 1 / (np.var(arm) + 1 + 1)
    covered = intervals = 0
    for _ in range(runs):
        values = np.asarray(arm + lr + rng.normal(size=(4, 2, 5)))
        values[rng.random(values.shape) < 0.45] = np.nan
        effects = analysis.factor_effects(study(values, axes=("arm", "lr"))).sel(effect="lr")
        intervals += bool(np.isfinite(effects["low"]))
        covered += bool(effects["low"] <= share <= effects["high"])
    assert intervals > runs / 2
    assert covered / intervals > 0.9 - four_standard_errors(0.9, intervals)


@pytest.mark.parametrize(("missing", "has"), [(19, True), (21, False)])
def test_shares_have_no_interval_where_most_trials_are_missing(missing: int, has: bool) -> None:
    """Points that nobody planned, as one of these, are not missing."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 3, 5))
    values[2, 2] = np.nan
    gone = rng.permutation(40)[:missing]
    values.reshape(-1, 5)[:8].reshape(-1)[gone] = np.nan
    effects = analysis.factor_effects(study(values, axes=("arm", "lr")))
    assert bool(effects.attrs["mostly_missing"]) is not has
    assert np.isfinite(effects["low"].sel(effect=["arm", "lr"])).all() == has
    assert np.isfinite(effects["share"].sel(effect=["arm", "lr"])).all()


def axes_graded(sizes: tuple[float, ...], seeds: int, runs: int) -> tuple[Array, NDArray[np.str_]]:
    """P and grades of differences between the shares of axes, that do something else in every seed.

    Shapes  `(runs, pairs)` both.
    """
    rng, of_seed = np.random.default_rng(seeds), (runs, 1, 1, 1, seeds)
    values = rng.normal(size=(runs, 2, 2, 2, seeds)) + 0.5 * rng.normal(size=of_seed)
    for axis, size in enumerate(sizes):
        signs = np.array([-1.0, 1.0]).reshape(np.roll([2, 1, 1, 1], axis))
        values = values + signs * (size + 0.5 * rng.normal(size=of_seed))
    return graded(axes_apart(*with_and_without(values, 1), len(sizes)))


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
def test_axes_that_explain_as_much_are_told_apart_rarely(
    seeds: int, sizes: tuple[float, ...]
) -> None:
    """Two axes of equal size, or three that do nothing."""
    runs = 800
    p, grade = axes_graded(sizes, seeds, runs)
    # The first pair is of the first two.
    p, grade = (p[:, :1], grade[:, :1]) if sizes[0] else (p, grade)
    assert (grade == "clear").any(axis=1).mean() < CLEAR + four_standard_errors(CLEAR, runs)
    assert (grade != "open").any(axis=1).mean() < LEANING + four_standard_errors(LEANING, runs)
    assert (p < 0.05).any(axis=1).mean() < 0.05 + four_standard_errors(0.05, runs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "clear", "below", "leaning"),
    [(3, 0, 0, 0.17), (5, 0, 0.15, 0.32), (10, 0.08, 0.31, 0.56), (20, 0.27, 0.61, 0.89)],
)
def test_an_axis_of_four_times_the_variance_is_told_apart_as_often_as_documented(
    seeds: int, clear: float, below: float, leaning: float
) -> None:
    runs = 600
    p, grade = axes_graded((1.0, 0.5, 0.0), seeds, runs)
    found = (grade[:, 0] == "clear", p[:, 0] < 0.05, grade[:, 0] != "open")
    for share, rate in zip(found, (clear, below, leaning), strict=True):
        assert abs(share.mean() - rate) <= 0.01 * (rate > 0) + four_standard_errors(rate, runs)


@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
def test_the_interval_of_the_best_of_equal_arms_covers_less(seeds: int) -> None:
    """It was picked by its score: of four arms 92 to 90 %, as docs/statistics.md says."""
    runs, rate = 4000, 0.91
    values = np.random.default_rng(seeds).normal(size=(runs, 4, seeds))
    found = t_interval(values)
    best = values.mean(axis=-1).argmax(axis=1)
    covered = ((found.low <= 0) & (found.high >= 0))[np.arange(runs), best].mean()
    assert abs(covered - rate) < four_standard_errors(rate, runs)


@pytest.mark.slow
def test_another_metric_at_the_best_setting_is_not_flattered_by_the_choice() -> None:
    """Equal settings whose second metric goes with the first: the truth is 0.5 at all of them.

    The mean over the seeds that chose the setting is too high by 0.28 standard deviations of a
    trial; over the settings that other seeds choose it is not.
    """
    studies = 400
    drawn = np.array([np.random.default_rng(n).normal(size=(2, 8, 10)) for n in range(studies)])
    # An arm is a study of its own: settings are chosen for each.
    ds = study(drawn[:, 0])
    second = 0.6 * drawn[:, 0] + 0.8 * drawn[:, 1]
    ds["other"] = ds["quality"].copy(data=0.5 + second[..., None])
    best = analysis.best_setting_scores(ds, scored_by="other") - 0.5
    error = float(best["held_out"].std()) / np.sqrt(studies)
    assert abs(float(best["held_out"].mean())) < 4 * error
    assert 0.2 < float(best["mean"].mean()) < 0.35
