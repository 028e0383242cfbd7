"""`wasserstein_2`: how far samples must be carried to become p, by squared distance."""

from __future__ import annotations

from typing import ClassVar

from ganstudy.metrics._transport import TransportDistance


class Wasserstein2(TransportDistance):
    r"""Wasserstein-2 distance between samples of q and of p, exact on a subsample.

    Maths   $(\min_\pi E|y - x|^2)^{1/2}$ over couplings of the two clouds, which for clouds of
            equal size are matchings. Missing modes weigh more than in `wasserstein_1`.
    Bias    upwards: two clouds of p itself are some way apart, about $m^{-1/d}$ of their width for
            m samples in d > 2 dimensions. The distance of a perfect sampler says how far.
    Cost    an assignment problem, growing as the cube of `subsample`; at the end.
    Source  Peyré and Cuturi 2019, "Computational optimal transport", section 2.
    """

    order: ClassVar[int] = 2
