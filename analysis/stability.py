# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Stability
#
# The last step of adversarial training is luck. Does a trial diverge, does it lose what it had, do
# its losses cycle?
#
# Needs a run that trains a critic: the one that `GANSTUDY_RUN` names as seen from here, such as
# `../runs/mode_collapse`, which `make study` makes, or else `../runs/quick`, which the first cell
# trains in half a minute if it is not there.

# %%
import os

import matplotlib.pyplot as plt

import ganstudy
from ganstudy import analysis, plot, shipped

ds = ganstudy.open_run(os.environ.get("GANSTUDY_RUN") or shipped.made("quick", "../runs"))
ds = analysis.tuned(ds) if analysis.is_search(ds) else ds  # a search: arms at their best points
ds = analysis.with_arms(ds)
if "critic_loss" not in ds:
    raise ValueError("this run trains no critic; GANSTUDY_RUN takes the path of one that does")
arm = analysis.arm_dim(ds)

# %% [markdown]
# ## Diverged, dropped, kept
#
# A drop is a fall of the metric between two records by more than a tenth of its range; the drawdown
# is the largest distance from the best value so far.

# %%
stable = ds.gan.stability()
by_arm = stable[[name for name in stable if stable[name].dims == (arm,)]]
by_arm.to_dataframe().T.round(2)

# %%
panels = plot.stability(ds)

# %% [markdown]
# ## One trial at a time
#
# Means over seeds look calm. These are the five trials that drop most, of the arm that drops most.

# %%
often = stable.drops.fillna(-1).idxmax().item()
trials = [dim for dim in stable.trial_drops.dims if dim != arm]
drops = stable.trial_drops.sel({arm: often}).stack(one_trial=trials).fillna(-1)
curves = ds[ds.score].sel({arm: often}).stack(one_trial=trials)
curves = curves.isel(one_trial=drops.argsort().values[-5:])
_, panel = plt.subplots(figsize=(8, 3), layout="constrained")
panel.plot(ds.step, curves.transpose("step", "one_trial"), linewidth=1)
labels = panel.set(title=often, xlabel="M-step", ylabel=ds[ds.score].long_name)

# %% [markdown]
# ## Losses and gradients
#
# The median trial of each arm and the middle half of the trials. Losses of different objectives are
# not on one scale; gradients that vanish or grow are what to look for.

# %%
panels = plot.diagnostics(
    ds, "critic_loss", "generator_loss", "critic_gradient_norm", "generator_gradient_norm"
)

# %% [markdown]
# ## Cycles, and the distance from equilibrium
#
# At the equilibrium of a classifier D = ½ everywhere; of other critics nothing is said. Losses that
# cycle have a period that stands out of their spectrum.

# %%
balance = ds.gan.equilibrium()
by_arm = balance[[name for name in balance if balance[name].dims == (arm,)]]
by_arm.to_dataframe().T.round(3)
