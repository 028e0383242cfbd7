# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Mode coverage
#
# Which modes does a generator reach, does it keep them, and how well are they served? One number
# does not say.
#
# Needs a run on a target with modes: the one that `GANSTUDY_RUN` names as seen from here, such as
# `../runs/mode_collapse`, which `make study` makes, or else `../runs/quick`, which the first cell
# trains in half a minute if it is not there. Of several targets it looks at the first.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import ganstudy
from ganstudy import analysis, plot, shipped
from ganstudy.metrics import family as metrics
from ganstudy.targets import target_of

ds = ganstudy.open_run(os.environ.get("GANSTUDY_RUN") or shipped.made("quick", "../runs"))
ds = analysis.tuned(ds) if analysis.is_search(ds) else ds  # a search: arms at their best points
ds = analysis.with_arms(ds)
if "modes_covered" not in ds:  # a target without modes is refused in words
    ds = ds.gan.measured("modes_covered")
ds = ds.isel({axis: [0] for axis in analysis.setting_dims(ds) if axis in ds.attrs["given"]})
arm = analysis.arm_dim(ds)
target = target_of(str(ds.target_settings.values.flat[0]))
print(target.description)

# %% [markdown]
# ## How many
#
# A mode is covered if one sample of high quality is its own, or as many as the study asks. Beside
# the scores stands what a perfect generator gets with as many samples.

# %%
ds.gan.perfect_sampler().sel(metric="modes_covered").to_pandas()

# %%
_, (left, right) = plt.subplots(1, 2, figsize=(11, 3.5), layout="constrained")
plot.curves(ds, "modes_covered", ax=left)
panel = plot.performance_profile(ds, "modes_covered", ax=right)

# %% [markdown]
# ## Covered, or served?
#
# Two definitions are usual: one sample of high quality, or a tenth of a mode's fair share. Neither
# need have been recorded: the run keeps the final samples of every trial, so that any metric can be
# computed afterwards. Both are of these samples; scores are of the last fifth of the records.

# %%
ds = ds.gan.measured(metrics["modes_covered"](), "modes_reached")
ds = ds.gan.measured(metrics["modes_covered"](share=0.1), "modes_served")
xr.Dataset(
    {name: ds.gan.arm_scores(name)["mean"] for name in ("modes_reached", "modes_served")}
).to_dataframe().round(2)

# %% [markdown]
# ## Which
#
# The share of high-quality samples in each mode, by arm, averaged over settings and seeds. A mode
# that nobody reaches is a property of the target or of the random start; one that only one arm
# misses is a property of the arm.

# %%
modes = target.known_modes()
nearest, good = modes.assign(ds.samples.values, 3.0)
counts = np.stack([(good & (nearest == k)).mean(-1) for k in range(len(modes.weights))], axis=-1)
shares = xr.DataArray(counts, dims=(*ds.samples.dims[:-2], "mode"), coords={arm: ds[arm]})
shares = shares.where(ds.status == "complete")
by_arm = shares.mean([dim for dim in shares.dims if dim not in (arm, "mode")])
by_arm.to_pandas().round(3)

# %% [markdown]
# ## The samples
#
# Of the arm that does best and the one that does worst, at all settings, first seed.

# %%
order = ds.gan.rank_arms("modes_covered")[arm].values
panels = plot.gallery(ds.sel({arm: order[[0, -1][: len(order)]]}))
