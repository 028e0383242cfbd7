# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A metric of your own, after the fact
#
# A run keeps the final samples of every trial. A question that comes up later needs no new
# training: write the metric, measure, and every statistic and figure takes it.
#
# Needs a run on a target with modes: the one that `GANSTUDY_RUN` names as seen from here, such as
# `../runs/mode_collapse`, which `make study` makes, or else `../runs/quick`, which the first cell
# trains in half a minute if it is not there.

# %%
import os

import numpy as np

import ganstudy
from ganstudy import plot, shipped
from ganstudy.metrics import Metric, Reading

ds = ganstudy.open_run(os.environ.get("GANSTUDY_RUN") or shipped.made("quick", "../runs"))

# %% [markdown]
# `modes_covered` is content with one sample in a mode. How well is the mode served that is served
# least? A metric is a class that maps clouds of samples to numbers and says how to read them. The
# same class in a file is a plug-in, which a study records over training
# (`plugins: [least_served.py]`).


# %%
class LeastServed(Metric):
    """High-quality samples of the least served mode, over its fair share.

    Bias    downwards: the least of several counts is below the fair share by chance.
    Cost    as `modes_covered`: distances to all modes.
    Source  this notebook.
    """

    def problem(self, target):
        """A target without modes is refused, in these words."""
        return f"{target.name} has no modes" if target.known_modes() is None else None

    def compute(self, samples, target):
        """Shapes (*pack, samples, dimension) -> (*pack,)."""
        modes = target.known_modes()
        nearest, good = modes.assign(samples, 3.0)
        counts = [(good & (nearest == k)).sum(-1) for k in range(len(modes.weights))]
        fair = samples.shape[-2] * modes.weights
        return np.min(np.stack(counts, -1) / fair, axis=-1)

    def reading(self, target):
        """More is better; of p itself each mode gets its fair share, give or take chance."""
        return Reading("share of the least served mode", "1", "higher", (0.0, 1.0), 1.0)


ds = ds.gan.measured(LeastServed(), "least_served")

# %% [markdown]
# What a perfect generator scores tells how to read it: the least of several counts is below the
# fair share.

# %%
ds.gan.perfect_sampler().sel(metric="least_served").to_pandas()

# %% [markdown]
# From here on it is a metric like the others.

# %%
ranked = ds.gan.rank_arms("least_served")
ranked[["mean", "low", "high", "difference", "p", "grade"]].to_dataframe().round(3)

# %%
panels = plot.ranking(ds, "least_served")

# %%
panel = plot.heatmap(ds, "least_served")

# %% [markdown]
# Any metric of the package can be measured in the same way:
# `ds.gan.measured(ganstudy.metrics.family["wasserstein_2"]())`.
