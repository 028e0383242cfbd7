# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Going on from the atlas
#
# The atlas has every trial of eight divergences with two constraints on six targets. Its page
# answers six questions; here are three that it leaves to you.
#
# Needs no run: the dataset comes with the package.

# %%
import matplotlib.pyplot as plt
import numpy as np

import ganstudy
from ganstudy import analysis

ds = ganstudy.open_atlas()
ds.sizes

# %% [markdown]
# ## Does the generator want a smaller learning rate than the critic?
#
# Of the points that searches chose: each search is a dot. All points are drawn from the whole
# square, so that what is seen is choice.

# %%
figure, axes = plt.subplots(
    2, -(-ds.sizes["study"] // 2), figsize=(9, 6), squeeze=False, layout="constrained"
)
for panel, name in zip(axes.flat, ds["study"].values, strict=False):
    one = analysis.of_study(ds, name)
    at = one[["generator_lr", "critic_lr"]].isel(trial=analysis.chosen_points(one))
    panel.loglog(at["generator_lr"].values.ravel(), at["critic_lr"].values.ravel(), "o", alpha=0.4)
    panel.plot([1e-4, 1e-2], [1e-4, 1e-2], color="0.6", linewidth=1)
    panel.set_title(name, fontsize=9)
figure.supxlabel("learning rate of the generator")
figure.supylabel("of the critic")

# %% [markdown]
# ## How much of a search's success is luck?
#
# The spread of scores between searches of one arm, beside that between arms on the same target.

# %%
scores = analysis.study_scores(ds)
within = scores["score"].std("repeat", ddof=1).mean("arm")
between = scores["score"].mean("repeat").std("arm", ddof=1)
for name in ds["study"].values:
    own, metric = within.sel(study=name), scores["metric"].sel(study=name).item()
    print(f"{name}: {own:.3g} within, {between.sel(study=name):.3g} between arms, in {metric}")

# %% [markdown]
# ## When do trials diverge?
#
# As a share of the trials of each arm that searches tried, by D-steps.

# %%
tried = analysis.seen(ds)
gone = (tried["status"] == "diverged").where(tried["status"].isin(["complete", "diverged"]))
for steps in np.unique(ds["critic_steps"].values[np.isfinite(ds["critic_steps"].values)]):
    share = gone.where(tried["critic_steps"] == steps).mean(["study", "repeat", "trial", "seed"])
    print(f"{steps:g} D-steps:")
    print(share.to_pandas().map("{:.1%}".format))
