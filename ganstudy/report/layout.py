"""How a page lays a study out: arms by settings by seeds, with their labels in study order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis import RecordedMetric, in_comparison, planned
from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import FRESH, WhichSettings, given_dims
from ganstudy.report import prose
from ganstudy.report.colours import arm_colours, arm_lines, arm_markers

__all__ = ["Layout", "how_it_ended", "shown_of", "thinned"]


@dataclass(frozen=True)
class Layout:
    """The dataset with arms, and its headline metric.

    `arms` and `settings` are labels in study order, a setting being one label per axis of `axes`.
    `settings_used` says which settings the comparison of arms averages over: `shared`, or `own`
    where no setting is planned for every arm. `gathered` is the dataset as it was given: that of a
    search by results has all points, and `ds` each arm at its best.
    """

    ds: xr.Dataset
    metric: RecordedMetric
    arm: str
    axes: list[str]
    arms: list[str]
    settings: list[tuple[str, ...]]
    settings_used: WhichSettings
    gathered: xr.Dataset
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Which trials are meant, where not all of the study: those of tuned arms."""
        return " at the best points" if "sampler" in self.ds.attrs else ""

    @cached_property
    def colours(self) -> list[str]:
        """The colour of each arm."""
        return arm_colours(len(self.arms))

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """How each arm's line is drawn."""
        return arm_lines(len(self.arms))

    @cached_property
    def markers(self) -> list[str]:
        """The marker of each arm's points."""
        return arm_markers(len(self.arms))

    @property
    def several(self) -> bool:
        """Whether there are several settings; fresh seeds of a searched point are none."""
        return any(self.ds.sizes[axis] > 1 for axis in self.axes if axis != FRESH)

    @cached_property
    def given(self) -> list[str]:
        """Axes of what is given, such as the target, which has several values."""
        return [axis for axis in given_dims(self.ds) if self.ds.sizes[axis] > 1]

    @property
    def chosen(self) -> list[str]:
        """Axes of settings that an arm could choose."""
        return [axis for axis in self.axes if axis not in (*self.given, FRESH)]

    @property
    def choice(self) -> bool:
        """Whether there is anything to choose: an axis of several values, which are not given."""
        return any(self.ds.sizes[axis] > 1 for axis in self.chosen)

    @property
    def at_best(self) -> str:
        """Where an arm is at its best: `best setting`, one for each value of what is given."""
        return "best setting" + (f" for each {' × '.join(self.given)}" if self.given else "")

    @property
    def unit(self) -> str:
        """What is drawn anew, and is averaged and tested over: seeds, or whole searches."""
        return "search" if FRESH in self.axes else "seed"

    @property
    def units(self) -> str:
        """Several of them."""
        return prose.several(self.unit)

    @property
    def rival(self) -> str:
        """What wins against another: a trial, or a whole search."""
        return "search" if self.unit == "search" else "trial"

    @property
    def within(self) -> list[str]:
        """What the value of a unit is the mean over: settings, and fresh seeds of a search."""
        fresh = ["fresh seeds"] if FRESH in self.axes else []
        return [*(["settings"] if self.several else []), *fresh]

    @property
    def among(self) -> str:
        """What the trials of an arm differ in: `settings and seeds`."""
        return str(prose.listing([*self.within, self.units]))

    @property
    def column(self) -> str:
        """What trials of an arm and a unit differ in, as pictures place them beside each other."""
        return "fresh seed" if FRESH in self.axes and not self.several else "setting"

    def named(self, dim: str) -> str:
        """What a dimension of the dataset is called: searches are numbered along `seed`."""
        return {"seed": self.unit, FRESH: "fresh seed"}.get(dim, dim)

    @cached_property
    def targets(self) -> list[str]:
        """The settings of each target, as JSON."""
        if "target_settings" not in self.ds:
            return []
        return sorted({*map(str, np.ravel(self.ds["target_settings"].values))} - {""})

    @property
    def seeds(self) -> int:
        """Number of seeds of the study."""
        return self.ds.sizes["seed"]

    @property
    def excluded_points(self) -> NDArray[np.bool_]:
        """Grid points that the study leaves out, shape `(arms, settings)`."""
        return ~self.flat(planned(self.ds))

    @property
    def compared_settings(self) -> int:
        """Number of settings that the comparison of arms averages over."""
        used = int(self.flat(in_comparison(self.ds, self.settings_used)).any(axis=0).sum())
        return used // int(self.ds.sizes.get(FRESH, 1))

    @cached_property
    def compared(self) -> Compared:
        """Arms by what they have in common."""
        return Compared.of(self.ds, None, self.settings_used)

    @property
    def spanned(self) -> NDArray[np.int64]:
        """Number of settings that the mean of each arm is over, in study order."""
        return self.by_arm(self.compared.spanned)

    @cached_property
    def averaged_settings(self) -> int:
        """Number of settings that averages are over: of those compared, the ones with a score.

        Zero where it depends on the arm.
        """
        counts = {*self.spanned.tolist()} - {0} or {self.compared_settings}
        return counts.pop() if len(counts) == 1 else 0

    @property
    def averaged_over(self) -> str:
        """What averages are over: `8 settings`, or `its own settings` where arms differ in them."""
        count = self.averaged_settings
        return prose.plural(count, "setting") if count else "its own settings"

    @cached_property
    def like_for_like(self) -> bool:
        """Whether means of all arms are over the same trials, once gaps are filled."""
        whole = self.compared.balanced.notnull()
        return bool((whole.all(self.arm) | ~whole.any(self.arm)).all())

    @property
    def decimals(self) -> int:
        """Decimals that suit values of the headline metric."""
        return prose.decimals_of(self.ds, self.metric)

    def show(self, value: float) -> str:
        """A value of the headline metric."""
        return prose.number(value, self.decimals)

    def together(self, values: Sequence[float]) -> list[str]:
        """Values of the headline metric that stand together, such as the ends of an interval."""
        return prose.numbers(values, self.decimals)

    def flat(self, array: xr.DataArray) -> NDArray[Any]:
        """Values with all settings on one axis: shape `(arms, settings, *rest)`."""
        ordered = array.transpose(self.arm, *self.axes, ...)
        rest = ordered.shape[1 + len(self.axes) :]
        return np.asarray(ordered.values.reshape(len(self.arms), len(self.settings), *rest))

    def by_arm(self, cells: xr.DataArray) -> NDArray[np.int64]:
        """How many of the cells of each arm are true, in study order."""
        return np.asarray(cells.sum([dim for dim in cells.dims if dim != self.arm]), np.int64)

    def setting_label(self, setting: tuple[str, ...]) -> str:
        """`lr slow · critic_steps 1`; empty where the arms are the only axis."""
        named = (f"{axis} {value}" for axis, value in zip(self.axes, setting, strict=True))
        return " · ".join(named)

    def left_out(self, rows: int, columns: int) -> str:
        """What a grid of so many arms and settings does not show; empty where it shows all."""
        return shown_of((rows, len(self.arms), "arm"), (columns, len(self.settings), self.column))


MOST_ROWS, MOST_COLUMNS = 12, 8
"""Arms and settings of a gallery; of more an even choice is shown, its ends among them."""


def thinned(count: int, most: int) -> list[int]:
    """Up to `most` of the indices below `count`, spaced evenly, first and last included."""
    spaced = np.linspace(0, count - 1, min(count, most))
    return [round(index) for index in spaced.tolist()]


def shown_of(*choices: tuple[int, int, str]) -> str:
    """What a figure has no room for, where it has `thinned` something; empty where it shows all.

    choices  of each kind of thing how many are shown, of how many, and what they are
    """
    told = [f"{own} of {prose.plural(count, noun)}" for own, count, noun in choices if own < count]
    return f"Shown are {prose.listing(told)}, spaced evenly in study order." if told else ""


def how_it_ended(status: str, diverged_at: float) -> str:
    """What stands in a panel of a trial that is not complete."""
    if status == "diverged":
        return f"diverged\nat {diverged_at:.0f}"
    return "not planned" if status == "excluded" else status
