"""From the dataset of a study to statistics with intervals: xarray in, xarray out, no torch.

The lower layer (`_intervals`, `_paths`) knows only NumPy arrays; the modules above it know the
dataset's labels and attributes and none of its metrics.
"""

from ganstudy.analysis.arms import arm_scores, best_setting_scores, setting_scores
from ganstudy.analysis.claims import claim_verdicts
from ganstudy.analysis.design import (
    arm_dim,
    in_comparison,
    planned,
    setting_dims,
    status_counts,
    with_arms,
)
from ganstudy.analysis.metric import Metric, metric_names
from ganstudy.analysis.ranking import compare_arms, rank_arms
from ganstudy.analysis.scores import charged_curves, trial_scores
from ganstudy.analysis.stability import drop_threshold, stability

__all__ = [
    "Metric",
    "arm_dim",
    "arm_scores",
    "best_setting_scores",
    "charged_curves",
    "claim_verdicts",
    "compare_arms",
    "drop_threshold",
    "in_comparison",
    "metric_names",
    "planned",
    "rank_arms",
    "setting_dims",
    "setting_scores",
    "stability",
    "status_counts",
    "trial_scores",
    "with_arms",
]
