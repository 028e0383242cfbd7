"""From the dataset of a study to statistics with intervals: xarray in, xarray out, no torch.

The lowest modules (`intervals`, `paths`, `variance`) know only NumPy arrays; those above them know
the dataset's labels and attributes. Few ask metrics and targets: `measured`, `labels` and `runs`.
"""

from ganstudy.analysis.across import (
    rank_over_studies,
    rank_studies,
    study_scores,
    wins_by_budget,
)
from ganstudy.analysis.agreement import metric_agreement, rank_agreement
from ganstudy.analysis.arms import arm_scores, setting_scores
from ganstudy.analysis.best_settings import best_setting_scores
from ganstudy.analysis.budget import (
    all_measured,
    best_by_budget,
    chosen_points,
    eligible,
    feasible,
    parameters_of,
    point_scores,
    seen,
    tuned,
)
from ganstudy.analysis.budget_curve import budget_curve, values_by_budget
from ganstudy.analysis.claims import claim_verdicts
from ganstudy.analysis.design import (
    arm_dim,
    in_comparison,
    planned,
    setting_dims,
    status_counts,
    with_arms,
)
from ganstudy.analysis.effects import compare_effects, factor_effects, marginal_means
from ganstudy.analysis.equilibrium import equilibrium
from ganstudy.analysis.first_choice import first_choice
from ganstudy.analysis.fresh import fresh_scores
from ganstudy.analysis.handling import along_studies, is_search
from ganstudy.analysis.importances import importances
from ganstudy.analysis.labels import label_scores
from ganstudy.analysis.measured import measured
from ganstudy.analysis.metric import RecordedMetric, metric_names
from ganstudy.analysis.pairs import compare_by_resampling
from ganstudy.analysis.power import Power
from ganstudy.analysis.profiles import interquartile_mean, performance_profile
from ganstudy.analysis.ranking import compare_arms, rank_arms
from ganstudy.analysis.ranks import rank_table
from ganstudy.analysis.reference import perfect_sampler
from ganstudy.analysis.runs import open_runs
from ganstudy.analysis.scores import charged_curves, trial_scores
from ganstudy.analysis.settlement import is_settled_by_seeds, settlement
from ganstudy.analysis.sharing import spread_of_arms, study_effects
from ganstudy.analysis.stability import drop_threshold, over_seeds, share_over_seeds, stability
from ganstudy.analysis.studies import of_study
from ganstudy.analysis.units import original_units

__all__ = [
    "Power",
    "RecordedMetric",
    "all_measured",
    "along_studies",
    "arm_dim",
    "arm_scores",
    "best_by_budget",
    "best_setting_scores",
    "budget_curve",
    "charged_curves",
    "chosen_points",
    "claim_verdicts",
    "compare_arms",
    "compare_by_resampling",
    "compare_effects",
    "drop_threshold",
    "eligible",
    "equilibrium",
    "factor_effects",
    "feasible",
    "first_choice",
    "fresh_scores",
    "importances",
    "in_comparison",
    "interquartile_mean",
    "is_search",
    "is_settled_by_seeds",
    "label_scores",
    "marginal_means",
    "measured",
    "metric_agreement",
    "metric_names",
    "of_study",
    "open_runs",
    "original_units",
    "over_seeds",
    "parameters_of",
    "perfect_sampler",
    "performance_profile",
    "planned",
    "point_scores",
    "rank_agreement",
    "rank_arms",
    "rank_over_studies",
    "rank_studies",
    "rank_table",
    "seen",
    "setting_dims",
    "setting_scores",
    "settlement",
    "share_over_seeds",
    "spread_of_arms",
    "stability",
    "status_counts",
    "study_effects",
    "study_scores",
    "trial_scores",
    "tuned",
    "values_by_budget",
    "wins_by_budget",
    "with_arms",
]
