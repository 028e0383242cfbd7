"""All sanity checks by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.kinds.audit import modes, shifts, supports

if TYPE_CHECKING:
    from ganstudy.kinds.audit.check import Check

CHECKS: dict[str, Check] = {
    "mean_shift": shifts.MeanShift(),
    "mean_shift_outlier": shifts.MeanShiftOutlier(),
    "spread": shifts.Spread(),
    "modes_dropped_together": modes.ModesDroppedTogether(),
    "modes_dropped_in_turn": modes.ModesDroppedInTurn(),
    "modes_dropped_and_invented": modes.ModesDroppedAndInvented(),
    "hypersphere": supports.Hypersphere(),
    "sample_size": supports.SampleSize(),
    "generated_size": supports.GeneratedSize(),
    "hypersphere_to_torus": supports.HypersphereToTorus(),
    "two_modes_for_one": modes.TwoModesForOne(),
    "scaling": shifts.Scaling(),
    "mean_shift_heavy_tail": shifts.MeanShiftHeavyTail(),
    "one_dimension_apart": shifts.OneDimensionApart(),
    "discretised": shifts.Discretised(),
}
"""By name, in the order of the authors' program."""
