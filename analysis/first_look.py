# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first look at a run
#
# The dataset of a run, the answer to its question, and the figures of its report, one line each.
#
# Needs a run: the one that `GANSTUDY_RUN` names as seen from here, such as
# `../runs/mode_collapse`, which `make study` makes, or else `../runs/quick`, which the first cell
# trains in half a minute if it is not there.

# %%
import os

import ganstudy
from ganstudy import plot, shipped

run = os.environ.get("GANSTUDY_RUN") or shipped.made("quick", "../runs")
ds = ganstudy.open_run(run)
ds

# %% [markdown]
# A dimension for each axis of the study, then `seed`, and `step` for curves. Every variable says
# what it is; a metric also says which direction is better, its bounds, and its value at p = q.

# %%
print(ds.question)
ds[ds.score].attrs

# %% [markdown]
# ## What became of the trials
#
# A trial that diverged is a result. It scores the worst value of the metric; where there is none,
# it is in no mean, `unbounded` counts it, and arms are ordered by wins. Trials that failed or are
# missing are left out, and counted.

# %%
ds.status.to_series().value_counts()

# %% [markdown]
# ## Which arm is best
#
# The arms share random streams, so that differences are taken within seeds. `p` is adjusted for
# looking at all pairs; the `grade` says how sure the best arm's lead over each of them is.

# %%
ranked = ds.gan.rank_arms()
ranked[["mean", "low", "high", "difference", "p", "grade"]].to_dataframe().round(3)

# %%
panels = plot.ranking(ds)

# %% [markdown]
# ## Where, and why
#
# Each arm at each setting; then which axis explains the scores.

# %%
panel = plot.heatmap(ds)

# %%
ds.gan.factor_effects().share.to_series().sort_values(ascending=False).round(3)

# %%
try:
    panels = plot.effects(ds)
except ValueError as why:  # there are no settings, for one
    print(why)

# %% [markdown]
# ## How it went
#
# The metric over training, and the samples at its end, from the first seed. `ds.sel(seed=[1])` is
# another one: a list keeps the dimension.

# %%
panels = plot.curves(ds)

# %%
try:
    panels = plot.gallery(ds)
except ValueError as why:  # a table has no plane, and a computation no samples
    print(why)
