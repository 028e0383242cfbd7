"""How the game itself behaves: cycles of the losses, and the critic's distance from equilibrium."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import bdtrc

from ganstudy.analysis import paths
from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.classifiers import is_classifier
from ganstudy.analysis.design import arm_dim, for_tables, setting_dims
from ganstudy.analysis.periods import periodicity
from ganstudy.analysis.scores import along_steps
from ganstudy.analysis.stability import median
from ganstudy.score import tail_mean

LOSSES = ("critic_loss", "generator_loss")
NORMS = ("critic_gradient_norm", "generator_gradient_norm")
AT_THE_END = ("duality_gap", "jacobian_real", "jacobian_imaginary", "jacobian_rotation")
LEVEL = 0.05


@of_arms
def equilibrium(ds: xr.Dataset) -> xr.Dataset:
    r"""Cycles, gradients and the critic's distance from 1/2, over complete trials.

    A cycle is looked for in the second half of the recorded losses by Fisher's test for a period
    against red noise (`p < 0.05`), where that half has 25 records or more. One trial in twenty has
    one by chance: `<loss>_period` is NaN where chance explains an arm's, there being no more seeds
    with one than binomial (in any of a seed's trials, which share what is random, by Bonferroni
    over them), and the smallest p no smaller than that of so many trials (at 0.05, by Bonferroni
    over the two, arms and losses). Records are samples of the loss every so many
    M-steps: a cycle shorter than two of them appears as a longer one.

    At the equilibrium of a classifier D = 1/2 everywhere. What is recorded is the mean logit on p
    and on q; `critic_gap` is the mean of $|\sigma(\bar a) - 1/2|$ over the two, averaged over the
    last fifth of the records. It is smaller than the mean of |D - 1/2| where logits of both signs
    cancel, and NaN of trials whose critics the dataset knows to be no classifiers. `bound`, the
    lower bound on the divergence that the critic's loss states, measures the same for each
    divergence in its own terms: it is zero when the loss is that of an uninformed critic, which for
    a classifier is 2 log 2, log 2 for each half.

    Returns  variables (arm,), each where the dataset has its curves: for both losses
             `<loss>_strength` (mean share of the variance at the strongest frequency),
             `<loss>_cycles` (share of trials with a cycle), `<loss>_period` (median of those, in
             M-steps, where chance does not explain them); `critic_gap`; `bound`; for both players
             `<player>_gradient_norm` (median); medians of what `record.equilibrium` measures at the
             end, and `<name>_trials`, the number of trials behind each.
             And (arm, settings…, seed): `trial_<loss>_strength`, `trial_critic_gap`.
    """
    classifiers = _of_classifiers(ds)
    ds = for_tables(ds)
    complete = ds["status"] == "complete"
    over = [*setting_dims(ds), "seed"]
    found: dict[str, xr.DataArray] = {}
    losses = [name for name in LOSSES if name in ds]
    for loss in losses:
        strength, period, p = _cycles(ds[loss].where(complete), arm_dim(ds))
        cyclic = (p < LEVEL).where(p.notnull())
        found[f"{loss}_strength"] = strength.mean(over)
        found[f"{loss}_cycles"] = cyclic.mean(over)
        chance = _chance(p, setting_dims(ds)) * len(losses) * p.sizes[arm_dim(ds)]
        found[f"{loss}_period"] = median(period.where(cyclic == 1), over).where(chance < LEVEL)
        found[f"trial_{loss}_strength"] = strength.transpose(arm_dim(ds), ...)
    if "real_logit" in ds and "fake_logit" in ds:
        gap = (_gap(ds["real_logit"]) + _gap(ds["fake_logit"])) / 2
        ended = _tail(gap).where(complete & classifiers)
        found["trial_critic_gap"] = ended.transpose(arm_dim(ds), ...)
        found["critic_gap"] = found["trial_critic_gap"].mean(over)
    if "bound" in ds:
        found["bound"] = _tail(ds["bound"]).where(complete).mean(over)
    for norm in (name for name in NORMS if name in ds):
        found[norm] = median(_tail(ds[norm]).where(complete), over)
    for name in (name for name in AT_THE_END if name in ds):
        last = _last(ds[name]).where(complete)
        found[name] = median(last, over)
        found[f"{name}_trials"] = last.notnull().sum(over)
    return xr.Dataset(found)


def _chance(p: xr.DataArray, settings: list[str]) -> xr.DataArray:
    """How likely so many seeds of an arm would have a cycle, or one so sure, without any."""
    of_seed = p.min(settings) * p.notnull().sum(settings)
    number, tested = (of_seed < LEVEL).sum("seed"), of_seed.notnull().sum("seed")
    often = xr.apply_ufunc(bdtrc, number - 1, tested, LEVEL)
    once = p.min([*settings, "seed"]) * p.notnull().sum([*settings, "seed"])
    chance: xr.DataArray = 2 * np.minimum(often, once)
    return chance


def _of_classifiers(ds: xr.Dataset) -> xr.DataArray | bool:
    """Of which trials the best D is 1/2; of all where the dataset does not know the divergence."""
    if "divergence_settings" not in ds:
        return True
    settings = ds["divergence_settings"].reset_coords(drop=True)
    return settings.copy(data=np.vectorize(is_classifier, otypes=[bool])(settings.values))


def _cycles(curves: xr.DataArray, arm: str) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Strength, period in M-steps, and p-value of the cycle in the second half of each curve."""
    values = curves.astype(np.float64).compute()
    found: list[tuple[xr.DataArray, ...]] = []
    # Arms of runs that are compared may have been recorded at different steps.
    for place in range(values.sizes[arm]):
        own = values.isel({arm: [place]})
        kept = own.where(np.isfinite(own)).dropna("step", how="all")
        half = kept.isel(step=slice(kept.sizes["step"] // 2, None))
        strength, period, p = xr.apply_ufunc(
            periodicity,
            half,
            input_core_dims=[["step"]],
            output_core_dims=[[], [], []],
        )
        every = float(np.median(np.diff(half["step"]))) if half.sizes["step"] > 1 else np.nan
        found.append((strength, period * every, p))
    strengths, periods, ps = zip(*found, strict=True)
    concatenated = (xr.concat(own, dim=arm) for own in (strengths, periods, ps))
    return next(concatenated), next(concatenated), next(concatenated)


def _gap(logit: xr.DataArray) -> xr.DataArray:
    """|D - 1/2| at a logit: half the hyperbolic tangent of half of it."""
    values = logit.astype(np.float64).compute()
    return values.copy(data=np.abs(np.tanh(values.values / 2)) / 2)


def _last(curves: xr.DataArray) -> xr.DataArray:
    """The last number of each curve; trials of different lengths end at different steps."""
    return along_steps(paths.last, curves.where(np.isfinite(curves)))


def _tail(curves: xr.DataArray) -> xr.DataArray:
    return along_steps(tail_mean, curves)
