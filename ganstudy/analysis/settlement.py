"""What a study has settled whose seeds are added until it is."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import arm_dim, for_tables, setting_dims
from ganstudy.analysis.handling import of_run
from ganstudy.analysis.intervals import Array
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.contest import Contest, Standing, StoppingRules, paired_differences, play


def is_settled_by_seeds(ds: xr.Dataset) -> bool:
    """Whether the dataset is of a study whose seeds are added until its question is settled."""
    return "settled_by" in ds.attrs


@of_run
def settlement(ds: xr.Dataset) -> xr.Dataset:
    """Which arms are told apart, which do equally well, and how far the evidence on each pair is.

    The contest is played once more from its first seed: differences of pairs are taken within each
    seed over the settings that both arms have a score for, and a trial that is worse than any
    number counts before all that are finite.

    Returns  `seeds` (arm,): how many each arm has had; (arm, other): `better` (1 where the arm is
             told apart as the better one, -1 as the worse), `equal` (to within the study's
             `equal_within`), `difference` (mean over the seeds of both, NaN where a seed has no
             finite one), `wins` (share of seeds in which the arm is ahead, ties counting half);
             (arm, other, seed): `evidence` after each seed, E or |z| by the method, NaN beyond the
             seeds of both; `needed` (seed,), what an open pair must reach there. Attributes
             `leader`, `settled`, `looked` (seeds at the last look, 0 before the first), `most`,
             `level`, `method`, `equal_within` (NaN without).

    Errors  `ValueError` for the dataset of another study.
    """
    if not is_settled_by_seeds(ds):
        raise ValueError("the seeds of this study are fixed: it has no `settled_by`")
    ds = for_tables(ds)
    rules = StoppingRules(**json.loads(str(ds.attrs["settled_by"])))
    arm, fact = arm_dim(ds), RecordedMetric.of(ds)
    contest, recorded = _contest(ds, rules)
    standing = play(contest, recorded).standing
    had = standing.seeds if standing else np.zeros(len(recorded), dtype=np.int64)
    dims = {"evidence": (arm, "other", "seed")}
    tables = _tables(contest, standing, recorded.shape[1])
    tables["difference"] *= fact.sign
    found = {name: (dims.get(name, (arm, "other")), values) for name, values in tables.items()}
    needed = contest.needed(standing) if standing else np.full(recorded.shape[1], np.nan)
    result = xr.Dataset(
        {
            "seeds": ((arm,), had, {"long_name": "seeds"}),
            **found,
            "needed": (("seed",), np.exp(needed) if rules.method == "e_process" else needed),
        },
        coords={arm: ds[arm], "other": ds[arm].values, "seed": ds["seed"]},
        attrs={
            "metric": fact.name,
            "leader": str(ds[arm].values[standing.leader]) if standing else "",
            "settled": int(standing is not None and standing.settled),
            "looked": int(had.max(initial=0)),
            "start": rules.start,
            "most": rules.most,
            "method": rules.method,
            "equal_within": np.nan if rules.equal_within is None else rules.equal_within,
        },
    )
    result["difference"].attrs["long_name"] = f"difference in {fact.long_name}"
    result["wins"].attrs["long_name"] = "share of seeds won"
    return result


def _tables(contest: Contest, standing: Standing | None, seeds: int) -> dict[str, Array]:
    """What is known of each pair, both ways; the better the higher."""
    arms = contest.arms
    better, equal = np.zeros((arms, arms)), np.zeros((arms, arms), bool)
    difference, wins = (np.full((arms, arms), np.nan) for _ in range(2))
    evidence = np.full((arms, arms, seeds), np.nan)
    for pair, (i, j) in enumerate(contest.pairs if standing else ()):
        assert standing is not None
        both = int(min(standing.seeds[i], standing.seeds[j]))
        own = contest.differences[pair, :both]
        own = own[~np.isnan(own)]
        better[i, j], better[j, i] = standing.better[pair], -standing.better[pair]
        equal[i, j] = equal[j, i] = standing.equal[pair]
        if own.size:
            mean = own.mean() if np.isfinite(own).all() else np.nan
            difference[i, j], difference[j, i] = mean, -mean
            wins[i, j] = (0.5 * (1 + np.sign(own))).mean()
            wins[j, i] = 1 - wins[i, j]
        evidence[i, j, :both] = evidence[j, i, :both] = contest.strength[pair, :both]
    if contest.rules.method == "e_process":
        evidence = np.exp(evidence)
    return {
        "better": better,
        "equal": equal,
        "difference": difference,
        "wins": wins,
        "evidence": evidence,
    }


def _contest(
    ds: xr.Dataset, rules: StoppingRules
) -> tuple[Contest, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """The arms against each other, and which seeds of each are recorded in all its settings."""
    arm, axes = arm_dim(ds), setting_dims(ds)
    values = Compared.of(ds, None, "shared").oriented
    status = ds["status"].transpose(arm, *axes, "seed")
    there = status.isin(["complete", "diverged", "failed"])
    # A point that the study leaves out is recorded from the beginning.
    left_out = (status == "excluded").all("seed")
    recorded = (there | left_out).all(axes).transpose(arm, "seed").values
    return Contest(rules, len(values), paired_differences(values)), recorded
