"""The page of a study whose trials check claims: verdicts first, pictures, no gallery."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from recomputed import unexplained
from synthetic_dataset import synthetic_dataset

from ganstudy import analysis, open_run
from ganstudy.kinds.ratio.estimators import ESTIMATORS
from ganstudy.kinds.ratio.laws import LAWS
from ganstudy.report import prose, style
from ganstudy.report.findings import Findings
from ganstudy.report.sections import claims
from ganstudy.report.sections.curves import training
from ganstudy.report.theory import audit, basins, fit, game, ratio, supports, tabular


def test_claims_come_first(theory_run: Path) -> None:
    dataset = open_run(theory_run)
    assert dataset.attrs["kind"] == "tabular"
    assert "target_settings" not in dataset
    verdicts = analysis.claim_verdicts(dataset)
    printed = verdicts["printed"].astype(bool)
    assert bool((verdicts["held"] == verdicts["trials"]).where(~printed, True).all())
    assert bool((verdicts["held"] == 0).where(printed, True).all())
    html = (theory_run / "report" / "index.html").read_text()
    assert html.index("claims held") < html.index("ranks first")
    assert re.search(r"\(95% interval over \d seeds, [^;]*; the goal is 0\)", html)
    assert "open" in html
    assert "does not hold" in html
    assert 'id="figure-collapse"' in html
    assert 'id="figure-descent"' in html
    assert 'id="gallery"' not in html
    assert 'id="stability"' not in html
    with style.figure_style():
        assert "Dotted line: the goal." in training.draw_score(Findings.of(dataset)).caption


def test_subscripts_are_set_low(theory_run: Path) -> None:
    """In the headline, which names claims, as in the table; names with underscores are left."""
    html = (theory_run / "report" / "index.html").read_text()
    assert "KL(p<sub>R</sub> ‖ p<sub>r</sub>)" in html
    shown = re.sub(r"<script.*?</script>|<[^>]*>", "", html, flags=re.DOTALL)
    assert not re.findall(r".{0,20}p_[Rr]\b.{0,20}", shown)
    assert prose.formula("∇_R g <b> of high_quality, E_p") == (
        "∇<sub>R</sub> g &lt;b&gt; of high_quality, E<sub>p</sub>"
    )


@pytest.mark.slow
@pytest.mark.parametrize("laws", [["normal", "mixture_and_student"], ["normal"]])
def test_settings_below_the_errors_of_ratios_do_not_overlap(laws: list[str]) -> None:
    """The last axis is told at each point, the others once, and no line joins two of these."""
    axes = {"estimator": ["a", "b"], "laws": laws, "dimension": [1, 2, 5, 10, 20]}
    ds = synthetic_dataset(axes, seeds=1, steps=2, samples=1)
    dims = ds["modes_covered"].dims
    ds = ds.assign({name: (dims, np.ones(ds["modes_covered"].shape)) for name in ratio.PANELS})
    with style.figure_style():
        (drawing,) = ratio.draw(Findings.of(ds))
    figure = drawing.figure
    figure.draw_without_rendering()
    below = figure.axes[3]
    labels = below.get_xticklabels()
    assert [own.get_text() for own in labels] == ["1", "2", "5", "10", "20"] * len(laws)
    boxes = [own.get_window_extent() for own in (*labels, *below.texts, below.xaxis.label)]
    texts = [own for own in boxes if own.width]
    assert not any(a.overlaps(b) for k, a in enumerate(texts) for b in texts[:k])
    lines = [own for own in below.lines if len(own.get_xdata()) > 2]
    assert len(lines) == 2 * len(laws)


def estimated(
    axis: str, arms: list[str], errors: list[float], laws: str = "normal", shared: str = "[]"
) -> list[str]:
    """What is said of estimates, by the error of each arm's first seed; of others it is 1."""
    ds = synthetic_dataset({axis: arms, "laws": [laws]}, seeds=2, steps=2, samples=1)
    values = xr.ones_like(ds["modes_covered"])
    values[{"seed": 0}] = xr.DataArray(errors, dims=axis)
    made = ds.assign(dict.fromkeys(ratio.PANELS, values)).assign_attrs(shared=shared)
    return [str(said) for said in ratio.sentences(Findings.of(made))]


@pytest.mark.parametrize(
    ("axis", "arms", "laws", "shared", "said"),
    [
        ("estimator", ["logistic", "kliep"], "normal", None, ", where the answer is built into lo"),
        ("estimator", ["kliep", "lsif"], "normal", None, ", where the answer is built into no arm"),
        ("way", ["linear features", "neural net"], "normal", None, ":"),
        ("estimator", ["linear features", "neural"], "normal", None, ":"),
        ("size", ["10", "20"], "normal", "telescoping", ", where the answer is built into size 10"),
        ("size", ["10", "20"], "normal", "lsif", ", where the answer is built into no arm"),
        ("way", ["x", "y"], "mixture_and_student", None, ", where the answer is built into no arm"),
        ("estimator", ["logistic", "kliep"], "two of them", None, ":"),
    ],
)
def test_an_answer_is_built_into_an_estimator_and_not_its_label(
    axis: str, arms: list[str], laws: str, shared: str | None, said: str
) -> None:
    common = json.dumps([["estimator", shared, True, ""]] if shared else [])
    _, order = estimated(axis, arms, [1.0, 1.0], laws, common)
    assert order.startswith(f"Laws {laws}{said}")


def test_every_estimator_and_law_is_known_to_the_page() -> None:
    assert {*ratio.BUILT_IN, *ratio.FOUND} == ESTIMATORS.keys()
    assert {"normal", ratio.FOREIGN} == LAWS.keys()


def test_an_estimate_that_is_no_number_is_counted() -> None:
    """It was in no mean; an arm with an infinite error was not named."""
    gradient, order = estimated("estimator", ["logistic", "neural"], [np.inf, np.nan])
    gone = "without 1 trial whose error is no number"
    assert gradient.endswith(f"seeds: logistic 1.0 ({gone}); neural 1.0 ({gone}).")
    assert order.endswith(f"seeds: neural 1.00 ({gone}); logistic ∞.")


def fitted(coverage: list[list[float]], starts: int) -> Findings:
    """Fits by what the least covered mode gets: a row for each arm, a number for each start."""
    ds = synthetic_dataset(
        {"objective": [f"arm {k}" for k in range(len(coverage))]},
        seeds=starts,
        steps=2,
        samples=9,
        features=3,
    )
    dims = ds["modes_covered"].dims
    values = np.repeat(np.array(coverage)[..., None], 2, axis=-1)
    return Findings.of(ds.assign(coverage=(dims, values), samples=abs(ds["samples"])))


def test_fits_that_agree_do_not_depend_on_the_start() -> None:
    """Also where they cover a mode in part; and no more starts are claimed than were tried."""
    findings = fitted([[0.95, 0.98], [0.76, 0.77], [0.0, 0.01], [0.0, 0.98]], starts=2)
    (said,) = fit.sentences(findings)
    assert said == (
        "from each of 2 starts all modes are covered by arm 0; from each of 2 starts a mode is "
        "partly covered by arm 1; from each of 2 starts a mode is left out by arm 2; it depends on "
        "the start with arm 3."
    )
    (one,) = fit.sentences(fitted([[0.95]], starts=1))
    assert one == "from the one start all modes are covered by arm 0."


@pytest.mark.parametrize("arms", [1, 3, 6])
def test_the_lowest_fits_of_each_column_have_ticks_and_a_label(arms: int) -> None:
    with style.figure_style():
        (drawing,) = fit.draw(fitted([[1.0]] * arms, starts=1))
    labelled = [axes for axes in drawing.figure.axes if axes.get_xlabel() == "x"]
    assert len(labelled) == min(arms, 4)
    assert all(axes.get_visible() for axes in labelled)
    assert all(axes.xaxis.get_tick_params()["labelbottom"] for axes in labelled)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([2], "<strong>The one claim held</strong> in every trial that checked it."),
        ([2, 2], "<strong>All 2 claims held</strong> in every trial that checked them."),
        (
            [2, 1],
            (
                "<strong>1 of 2 claims held</strong> in every trial that checked them; "
                "this one did not: claim 1."
            ),
        ),
        (
            [1, 2, 0],
            (
                "<strong>1 of 3 claims held</strong> in every trial that checked them; "
                "these did not: claim 0 and claim 2."
            ),
        ),
    ],
)
def test_claims_are_counted_in_english(held: list[int], said: str) -> None:
    names = np.array([f"claim {k}" for k in range(len(held))], dtype=object)
    verdicts = xr.Dataset(
        {
            "held": ("claim", held),
            "trials": ("claim", [2] * len(held)),
            "unchecked": ("claim", [0] * len(held)),
            "printed": ("claim", [0] * len(held)),
            "long_name": ("claim", names),
        }
    )
    assert claims.lead(verdicts) == said


def checked(errors: list[float], *, printed: int = 0) -> xr.DataArray:
    """The error of a claim in each trial, whose tolerance is 1."""
    about = {"role": "claim", "claim": "x = y", "source": "Euler", "tolerance": "rounding"}
    attrs = {**about, "long_name": "x_1 = y", "printed": printed}
    return xr.DataArray([errors], dims=("divergence", "seed"), attrs=attrs)


def checking(**errors: xr.DataArray) -> xr.Dataset:
    """A study of one arm whose trials check claims."""
    (seeds,) = {own.sizes["seed"] for own in errors.values()}
    ds = synthetic_dataset({"divergence": ["a"]}, seeds=seeds, steps=2, samples=1)
    one = {name: xr.ones_like(own).drop_attrs() for name, own in errors.items()}
    tolerances = {f"{name}_tolerance": own for name, own in one.items()}
    return ds.assign(errors | tolerances)


def test_a_trial_whose_error_is_no_number_is_told() -> None:
    """It left the count, and the claim held in all that were counted."""
    verdicts = analysis.claim_verdicts(checking(x=checked([np.nan, 0.0, 0.5, np.nan])))
    assert {name: verdicts[name].item() for name in ("trials", "held", "unchecked")} == {
        "trials": 2, "held": 2, "unchecked": 2
    }  # fmt: skip
    assert claims.lead(verdicts) == (
        "<strong>The one claim held</strong> in every trial that checked it. Not checked, since "
        "the error is no number: x<sub>1</sub> = y in 2 of 4 trials."
    )
    assert [own.trials for own in claims.rows(verdicts)] == ["2 of 4"]


def test_a_claim_whose_error_is_infinite_is_not_held() -> None:
    """Not by a tolerance that is infinite, too: both are beyond what a record can tell apart."""
    ds = checking(x=checked([np.inf, 0.0]))
    ds["x_tolerance"] = ds["x_tolerance"] + np.array([np.inf, 0.0])
    (row,) = claims.rows(analysis.claim_verdicts(ds))
    assert (row.verdict, row.held) == ("held in 1 of 2", False)


def test_the_numbers_of_claims_with_gaps_are_those_of_their_call() -> None:
    """How many trials were not checked, and of how many, was in none."""
    errors = {
        "x": checked([np.nan, 0.0, 5.0, np.nan, np.nan]),
        "y": checked([0.0, 0.5, 0.0, 0.0, 0.0]),
        "z": checked([5.0, 5.0, 5.0, 5.0, 5.0], printed=1),
    }
    ds = checking(**errors)
    found = claims.lead(verdicts := analysis.claim_verdicts(ds))
    assert "1 of 2 claims held" in found
    assert "in 3 of 5 trials" in found
    assert "1 statement as printed" in found
    value = eval(claims.call(verdicts), {"analysis": analysis, "ds": ds})
    assert unexplained(found, value, ["x<sub>1</sub>", "x1"]) == []


def test_a_claim_that_no_trial_checks_lacks_no_number() -> None:
    """Trials to which it does not apply have no tolerance either."""
    ds = checking(x=checked([0.0, np.nan]))
    ds["x_tolerance"] = ds["x_tolerance"].where(ds["x"].notnull())
    verdicts = analysis.claim_verdicts(ds)
    assert verdicts["unchecked"].item() == 0
    assert [own.trials for own in claims.rows(verdicts)] == ["1"]


def test_slips_alone_are_no_claim_that_held() -> None:
    verdicts = analysis.claim_verdicts(checking(x=checked([5.0, 5.0], printed=1)))
    assert claims.lead(verdicts) == (
        "<strong>Only statements with a known slip were checked.</strong> 1 statement as printed "
        "in the source does not hold: x<sub>1</sub> = y."
    )


def test_names_that_are_lists_are_told_from_lists_of_names() -> None:
    """In sentences and in texts that stand for figures."""
    ds = synthetic_dataset(
        {"objective": ["alpha 0.5, trick", "W1", "W2"]}, seeds=2, steps=2, samples=9, features=3
    )
    ones = xr.full_like(ds["modes_covered"], 1.0)
    findings = Findings.of(ds.assign(coverage=ones, samples=abs(ds["samples"])))
    (said,) = fit.sentences(findings)
    assert said.endswith("are covered by “alpha 0.5, trick”, W1 and W2.")
    with style.figure_style():
        (drawing,) = fit.draw(findings)
    assert "“alpha 0.5, trick” 1; W1 1; W2 1." in drawing.alt


def with_numbers(ds: xr.Dataset, rows: int, columns: int) -> xr.Dataset:
    """The dataset with a table of ones for the further numbers of each trial."""
    ones = xr.ones_like(ds["modes_covered"].isel(step=0, drop=True))
    table = xr.DataArray(np.ones((rows, columns)), dims=("sample", "feature"))
    return ds.drop_dims(["sample", "feature"]).assign(samples=(ones * table).drop_attrs())


def played(growth: list[float]) -> Findings:
    """Orbits by how their distance grows: an arm for each number, all of which leave and return."""
    arms = [f"arm {k}" for k in range(len(growth))]
    ds = with_numbers(synthetic_dataset({"update": arms}, seeds=2, steps=5), rows=1, columns=4)
    grown = xr.ones_like(ds["modes_covered"]) * xr.DataArray(growth, dims="update")
    grown.attrs = ds["mode_kl"].attrs
    path = xr.DataArray([1.0, 2, 4, 2, 1], dims="step") * xr.ones_like(grown)
    return Findings.of(
        ds.assign(growth=grown, theta=path, psi=path).assign_attrs(score="growth", answer="growth")
    )


def test_an_orbit_shrinks_by_more_than_the_page_says() -> None:
    """Negative momentum at a small step gains 0.04% a step, and was said to shrink nowhere."""
    findings = played([0.5, 0.99, 0.9996, 1.1])
    (said,) = game.sentences(findings)
    assert said == (
        "Over the last fifth of the records the distance to the equilibrium shrinks by more than "
        "0.1% a step in every trial with arm 0 and arm 1; in none with arm 2 and arm 3."
    )
    shrinking = eval(game.call(findings), {"analysis": analysis, "ds": findings.ds})
    assert shrinking.all("seed").values.tolist() == [True, True, False, False]


def lost(ds: xr.Dataset, *where: dict[str, object]) -> xr.Dataset:
    """The study with trials that diverged after the first record."""
    gone = xr.zeros_like(ds["status"], dtype=bool)
    for own in where:
        gone.loc[own] = True
    kept = {
        name: values.where(~gone | (values["step"] == values["step"][0]))
        for name, values in ds.data_vars.items()
        if "step" in values.dims and "seed" in values.dims
    }
    return ds.assign(kept | {"status": ds["status"].where(~gone, "diverged")})


def test_an_orbit_that_diverges_shrinks_nowhere() -> None:
    """Trials that diverged were in no list, as if they had not been made."""
    axes = {"update": ["a", "b"], "rate": ["small", "large"]}
    ds = with_numbers(synthetic_dataset(axes, seeds=2, steps=10), rows=1, columns=4)
    grown = (0.9 * xr.ones_like(ds["modes_covered"])).assign_attrs(ds["mode_kl"].attrs)
    made = ds.assign(growth=grown, theta=grown, psi=grown).assign_attrs(score="growth")
    findings = Findings.of(lost(made, {"update": "a", "rate": "large"}, {"update": "b"}))
    (said,) = game.sentences(findings)
    assert said.endswith("0.1% a step in some with a; in none with b.")
    shrinking = eval(game.call(findings), {"analysis": analysis, "ds": findings.ds})
    assert shrinking.any(("rate", "seed")).values.tolist() == [True, False]
    with style.figure_style():
        portraits, rates = game.draw(findings)
    assert "No point where a trial diverged: 3 of 4." in rates.caption
    assert "a 0.9 to ∞; b ∞." in rates.alt
    assert portraits.alt.endswith("b ∞.")


def test_one_seed_that_shrinks_is_not_every_setting() -> None:
    ds = with_numbers(synthetic_dataset({"update": ["a"]}, seeds=2, steps=10), rows=1, columns=4)
    grown = xr.ones_like(ds["modes_covered"]) * xr.DataArray([0.9, np.inf], dims="seed")
    grown.attrs = ds["mode_kl"].attrs
    (said,) = game.sentences(Findings.of(ds.assign(growth=grown).assign_attrs(score="growth")))
    assert said.endswith("0.1% a step in some with a.")


def test_an_orbit_out_of_sight_may_come_back() -> None:
    with style.figure_style():
        portraits, _ = game.draw(played([0.9]))
    assert "What is not seen is beyond the panel." in portraits.caption


def test_a_bounded_loss_may_rise_beyond_the_figure() -> None:
    """Least squares of two points, 2.7 times what recovery wins, was called unbounded."""
    ds = synthetic_dataset({"objective": ["a", "b"]}, seeds=1, steps=3, samples=3, features=3)
    ones = xr.ones_like(ds["modes_covered"])
    drawn = ds.assign(value=0.03 * ones, recovered_value=0 * ones, barrier=0.08 * ones)
    with style.figure_style():
        rises, _ = basins.draw(Findings.of(drawn))
    assert "Arrows go on beyond 2. Of an unbounded loss" in rises.caption


def test_a_rise_where_recovery_wins_nothing_is_an_arrow() -> None:
    """Of one seed of three too: it was the mean of the others."""
    ds = synthetic_dataset({"objective": ["a", "b"]}, seeds=3, steps=3, samples=3, features=3)
    ones = xr.ones_like(ds["modes_covered"])
    won = ones.copy()
    won[{"objective": 0, "seed": 0}] = 0
    drawn = ds.assign(value=won, recovered_value=0 * ones, barrier=0.5 * ones)
    with style.figure_style():
        rises, _ = basins.draw(Findings.of(drawn))
    marks = {
        float(place): own.get_marker()
        for own in rises.figure.axes[0].lines
        for place in own.get_ydata()
        if own.get_marker() in {"o", ">"}
    }
    assert marks == {1.0: ">", 0.0: "o"}


def test_a_gradient_that_overflows_is_no_mean_of_the_others() -> None:
    ds = with_numbers(synthetic_dataset({"divergence": ["a"]}, seeds=3, steps=3), rows=4, columns=5)
    ones = xr.ones_like(ds["modes_covered"])
    gradient = ones.copy()
    gradient[{"seed": 0, "step": -1}] = np.inf
    gradient[{"seed": 1}] = np.nan
    drawn = ds.assign(generator_gradient=gradient, js=ones, w1=ones)
    with style.figure_style():
        signal, _ = supports.draw(Findings.of(drawn))
    (line,) = signal.figure.axes[0].lines
    np.testing.assert_array_equal(line.get_ydata()[-2:], [1, np.inf])


def test_the_signal_is_told_by_where_losses_are_steep() -> None:
    """log(1 - D) is logarithmic in D, and loses it; log D - log(1 - D) is not linear in D."""
    ds = with_numbers(synthetic_dataset({"divergence": ["a"]}, steps=3), rows=4, columns=5)
    ones = xr.ones_like(ds["modes_covered"])
    with style.figure_style():
        signal, _ = supports.draw(Findings.of(ds.assign(generator_gradient=ones, js=ones, w1=ones)))
    assert "Losses that saturate where the critic rejects samples lose it" in signal.caption


def test_gradients_that_blow_up_are_told() -> None:
    """One that was infinite was left out, and so was an arm whose trials all diverged."""
    ds = with_numbers(
        synthetic_dataset({"divergence": ["a", "b", "c"], "distance": [1, 2]}, seeds=2, steps=3),
        rows=4,
        columns=5,
    )
    ones = xr.ones_like(ds["modes_covered"])
    steep = ones.copy()
    steep[{"divergence": 0, "seed": 0, "distance": 0, "step": -1}] = np.inf
    made = ds.assign(generator_gradient=steep, js=ones, w1=ones)
    where = ({"divergence": "b"}, {"divergence": "c", "distance": 1, "seed": 0})
    findings = Findings.of(lost(made, *where))
    (said,) = supports.sentences(findings)
    assert said.endswith("a 1 to ∞; b 4 of 4 trials diverged; c 1 to 1, 1 of 4 trials diverged.")
    with style.figure_style():
        signal, _ = supports.draw(findings)
    assert "5 trials that diverged count up to there." in signal.caption
    assert "a 1 to ∞; b –; c 1." in signal.alt


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["wasserstein"], "mean over seeds. The 1-Lipschitz critic keeps it at 1. "),
        (
            ["minimax", "least_squares"],
            "with the critic&#39;s slope; least squares ends at the slope of its best critic. ",
        ),
    ],
)
def test_the_signal_is_told_of_the_divergences_at_hand(names: list[str], said: str) -> None:
    """Under any labels."""
    arms = [f"arm {k}" for k in range(len(names))]
    ds = with_numbers(synthetic_dataset({"divergence": arms}, steps=3), rows=4, columns=5)
    texts = ("divergence", [f'{{"name": "{name}"}}' for name in names])
    ones = xr.ones_like(ds["modes_covered"])
    made = ds.assign(generator_gradient=ones, js=ones, w1=ones, divergence_settings=texts)
    with style.figure_style():
        signal, _ = supports.draw(Findings.of(made))
    assert signal.caption.endswith(said)
    assert ("Lipschitz" in signal.caption) == ("wasserstein" in names)


def followed(
    axes: dict[str, list[object]], taken: float, apart: list[float], steps: int = 5
) -> Findings:
    """Practical algorithms by how far each seed ends from the descent; NaN of one that diverged."""
    ds = synthetic_dataset(axes, seeds=len(apart), steps=steps, samples=1)
    ones = xr.ones_like(ds["modes_covered"])
    far = ones * xr.DataArray(apart, dims="seed")
    numbers = {"critic_steps_taken": taken * ones, "from_descent": far, "cost": far}
    return Findings.of(ds.assign(numbers | {"fullest": ones, "support": 2 * ones}))


def test_a_seed_that_diverged_does_not_silence_the_others() -> None:
    """Sentence, figure and call have the mean over the seeds that have a number."""
    axes: dict[str, list[object]] = {"critic_steps": [5], "rate": ["slow"]}
    findings = followed(axes, 5.0, [0.002, np.nan, 0.004])
    (said,) = tabular.sentences(findings)
    assert said.endswith("of where the best critic leads: 5 for slow.")
    found = eval(tabular.call(findings), {"ds": findings.ds})
    assert found.item() == 5
    with style.figure_style():
        drawing = next(own for own in tabular.draw(findings) if own.name == "critic_steps")
    (line,) = [own for own in drawing.figure.axes[0].lines if own.get_marker() == "o"]
    assert line.get_ydata() == pytest.approx([0.003])
    assert "slow 0.003." in drawing.alt


def test_trials_that_diverged_are_counted_where_they_are_left_out() -> None:
    """Also one that diverged within the last fifth, whose records until then were in the mean."""
    axes: dict[str, list[object]] = {"critic_steps": [5], "rate": ["slow"]}
    ds = followed(axes, 5.0, [0.002, 0.5, 0.004], steps=10).ds
    gone = (ds["seed"] == 1) & (ds["step"] == ds["step"][-1])
    late = ds.assign(from_descent=ds["from_descent"].where(~gone))
    findings = Findings.of(late.assign(status=ds["status"].where(ds["seed"] != 1, "diverged")))
    (said,) = tabular.sentences(findings)
    assert said == (
        "D-steps with which the practical algorithm ends within 0.01 (total variation, mean over "
        "seeds, without 1 trial that diverged) of where the best critic leads: 5 for slow."
    )
    assert eval(tabular.call(findings), {"ds": findings.ds}).item() == 5
    with style.figure_style():
        drawing = next(own for own in tabular.draw(findings) if own.name == "critic_steps")
    assert "mean over seeds, without 1 trial that diverged. Dotted line" in drawing.caption


def test_no_setting_is_named_where_there_is_none() -> None:
    (said,) = tabular.sentences(followed({"critic_steps": [5]}, 5.0, [0.5, 0.5]))
    assert said.endswith("of where the best critic leads: none of the tried numbers.")


def test_orbits_that_a_figure_has_no_room_for_are_counted() -> None:
    ds = synthetic_dataset({"algorithm": [*"abcde"]}, seeds=1, steps=5, samples=1)
    ones = xr.ones_like(ds["modes_covered"])
    made = ds.assign(fullest=ones, support=ones, collapse=0 * ones)
    with style.figure_style():
        (drawing,) = tabular.draw(Findings.of(made))
    assert len(drawing.figure.axes) == 3
    assert "Shown are 3 of 5 orbits" in drawing.caption


def test_a_point_mass_is_not_what_makes_algorithm_1(theory_run: Path) -> None:
    """Other algorithms have one after steps that are long enough."""
    ds = open_run(theory_run).load()
    ds["support"][:] = 1.0
    with style.figure_style():
        drawn = {own.name: own.figure for own in tabular.draw(Findings.of(ds))}
    assert [own.get_title("left") for own in drawn["collapse"].axes] == ["alternating"]
    (descent,) = drawn["descent"].axes
    assert [own.get_text() for own in descent.get_legend().get_texts()] == ["descent"]


def audited(margins: list[list[list[float]]], published: float) -> Findings:
    """Audits by their margins, `(metrics, checks, seeds)`."""
    values = np.array(margins)
    metrics, checks, seeds = values.shape
    axes = {"metric": [*"abc"[:metrics]], "check": [f"check {k}" for k in range(checks)]}
    ds = synthetic_dataset(axes, seeds=seeds, steps=2, samples=1)
    margin = xr.ones_like(ds["modes_covered"]) * xr.DataArray(
        values, dims=("metric", "check", "seed")
    )
    theirs = xr.full_like(margin, published)
    return Findings.of(
        ds.assign(
            {"shape_margin": margin, "value_margin": margin}
            | {"published_shape": theirs, "published_value": theirs}
        )
    )


def test_a_check_that_was_not_made_is_not_failed() -> None:
    """One seed of a pair is lost, and a pair is excluded."""
    gone = np.nan
    findings = audited([[[0.1, gone], [0.1, 0.1]], [[0.1, 0.1], [gone, gone]]], published=1.0)
    passed, published = audit.sentences(findings)
    assert passed == "Checks passed by the mean margin over seeds, of 2: a 2; b 1 of 1."
    assert published == "6 of 6 verdicts on shape and values are the published ones."
    with style.figure_style():
        (drawing,) = audit.draw(findings)
    axes = drawing.figure.axes[0]
    assert [own.get_text() for own in axes.get_yticklabels()] == ["a  2", "b  1 of 1"]
    assert [own.get_text() for own in axes.texts] == ["passes"] * 3 + [prose.MISSING]
    assert axes.texts[-1].get_color() == style.MUTED, "white on white"
    assert "a 2; b 1 of 1." in drawing.alt


def test_a_margin_that_is_infinite_fails_its_check() -> None:
    """As of a metric that is infinite: the check was said not to have been made."""
    passed, published = audit.sentences(audited([[[0.1], [-np.inf]]], published=1.0))
    assert passed.endswith("of 2: a 1.")
    assert published == "2 of 4 verdicts on shape and values are the published ones."


def signals(settings: dict[str, list[object]]) -> Findings:
    """Gradients of two arms at settings."""
    ds = synthetic_dataset({"divergence": ["a", "b"], **settings}, seeds=2, steps=3)
    ones = xr.ones_like(ds["modes_covered"])
    numbers = dict.fromkeys(("generator_gradient", "js", "w1"), ones)
    return Findings.of(with_numbers(ds, rows=4, columns=5).assign(numbers))


@pytest.mark.parametrize("count", [4, 6])
def test_settings_that_the_signal_has_no_room_for_are_counted(count: int) -> None:
    with style.figure_style():
        signal, _ = supports.draw(signals({"distance": list(range(count))}))
    titles = [own.get_title() or own.get_title("left") for own in signal.figure.axes]
    assert [title.split()[1] for title in titles] == (
        ["0", "2", "3", "5"] if count == 6 else ["0", "1", "2", "3"]
    )
    assert ("Shown are 4 of 6 settings" in signal.caption) == (count == 6)


def test_a_setting_without_a_fit_is_no_finding() -> None:
    """As one that no arm was trained at, or at which all trials failed."""
    ds = synthetic_dataset(
        {"objective": ["a"], "modes": [2, 4]}, seeds=1, steps=2, samples=9, features=3
    )
    covered = xr.ones_like(ds["modes_covered"])
    covered[{"modes": 1}] = np.nan
    findings = Findings.of(ds.assign(coverage=covered, samples=abs(ds["samples"])))
    assert fit.sentences(findings) == ["2: from the one start all modes are covered by a."]
    with style.figure_style():
        assert [own.name for own in fit.draw(findings)] == ["fits_1"]


def basins_of(axes: dict[str, list[object]]) -> Findings:
    """Landscapes in which the second arm alone has a bad basin."""
    ds = synthetic_dataset({"objective": ["a", "b"], **axes}, seeds=1, steps=3, samples=3)
    ones = xr.ones_like(ds["modes_covered"])
    bad = ones * xr.DataArray([0, 1], dims="objective")
    return Findings.of(
        with_numbers(ds, rows=3, columns=3).assign(
            value=ones, recovered_value=0 * ones, barrier=0.5 * ones, bad_basins=bad
        )
    )


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([0, 1, 2, 3, 4], "at collapse / with a point half the way between ({}): a 0 / 5 / 3."),
        ([0, 1, 2, 3, 4, 5], "Value at recovery / at collapse ({}): a 0 / 6."),
        ([0, 3, 4], "Value at recovery / at collapse ({}): a 0 / 3."),
        ([0, 2, 3, 4], "at collapse / with a point half the way between ({}): a 0 / 4 / 3."),
    ],
)
def test_half_the_way_out_is_found_by_its_step(steps: list[int], told: str) -> None:
    """The value falls by 1 from record to record; the middle record may lie elsewhere."""
    axes = {"objective": ["a"], "points": [2]}
    ds = synthetic_dataset(axes, seeds=2, steps=len(steps)).assign_coords(step=steps)
    ones = xr.ones_like(ds["modes_covered"])
    falls = ones * xr.DataArray(np.arange(len(steps), 0, -1), dims="step")
    (*_, said) = basins.sentences(
        Findings.of(ds.assign(value=falls, recovered_value=0 * ones, bad_basins=ones))
    )
    assert said.endswith(told.format("points 2"))


def test_a_setting_of_several_axes_names_each_once() -> None:
    """The legend had `points, bound points 2 · bound 25`."""
    for axes, names in (
        ({"points": [2, 3], "bound": [25]}, ["points 2 · bound 25", "points 3 · bound 25"]),
        ({"points": [2, 3]}, ["points 2", "points 3"]),
    ):
        findings = basins_of(axes)
        with style.figure_style():
            rises, _ = basins.draw(findings)
        legend = rises.figure.axes[0].get_legend()
        assert [own.get_text() for own in legend.get_texts()] == names
    assert "of a has a bad basin; 1 of 2 arms has them." in basins.sentences(findings)[0]


def test_settings_without_a_portrait_are_counted() -> None:
    axes = {"update": ["a"], "rate": [1, 2, 3, 4, 5]}
    ds = with_numbers(synthetic_dataset(axes, seeds=1, steps=5), rows=1, columns=4)
    ones = xr.ones_like(ds["modes_covered"])
    with style.figure_style():
        portraits, _ = game.draw(Findings.of(ds.assign(growth=ones, theta=ones, psi=ones)))
    assert "Shown are 2 of 5 settings" in portraits.caption
    assert "a panel for each arm at 2 settings." in portraits.alt
