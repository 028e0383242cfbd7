# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A figure for a paper
#
# Two panels across both columns, in the fonts of the paper, as a vector file. Functions of
# `ganstudy.plot` draw on axes of your own, so that sizes, fonts and labels are up to you.
#
# Needs a run: the one that `GANSTUDY_RUN` names as seen from here, such as
# `../runs/mode_collapse`, which `make study` makes, or else `../runs/quick`, which the first cell
# trains in half a minute if it is not there.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import ganstudy
from ganstudy import analysis, plot, shipped

ds = ganstudy.open_run(os.environ.get("GANSTUDY_RUN") or shipped.made("quick", "../runs"))

# %%
paper = {
    "font.family": "serif",
    "font.size": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,  # text stays text
}
with plt.rc_context(paper):
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.75, 2.2), layout="constrained")
    plot.ranking(ds, ax=left)
    plot.curves(ds, ax=right)
    left.tick_params(axis="y", labelsize=7)
    left.set_title("(a) over all settings", fontsize=8)
    right.set_title("(b) over training", fontsize=8)
    path = Path(tempfile.mkdtemp()) / "figure.pdf"
    figure.savefig(path)
print(path, path.stat().st_size, "bytes")

# %% [markdown]
# ## The numbers of its caption
#
# Written from the data, so that they cannot be stale. The report's methods section has the words
# for how they were made.

# %%
ranked = ds.gan.rank_arms()
arm = analysis.arm_dim(ds)
best = ranked.isel({arm: 0})
unit = "searches" if ds.sizes.get("repeat", 1) > 1 else "seeds"
limits = f"95% interval over {best.seeds:d} {unit}, {best.low:.2f} to {best.high:.2f}"
if best.low.isnull():  # one seed, or seeds that chose the point of a search themselves
    limits = f"over {best.seeds:d} {unit}, without an interval"
if best.unbounded:
    tried = "searches" if unit == "searches" else "trials"
    limits += f", without {best.unbounded:d} {tried} that are worse than any number"
print(
    f"{best[arm].item()} is first in {ds[ds.score].long_name} with {best['mean']:.2f} ({limits})."
)

# %% [markdown]
# And as a table:

# %%
columns = ["mean", "low", "high", "difference", "p"]
table = ranked[columns].to_dataframe()[columns]
print(table.to_latex(float_format="%.2f", na_rep="", escape=True))
