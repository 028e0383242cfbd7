"""`basins`: the landscape of the generator's points, where collapse can be a trap."""

from ganstudy.kinds.basins.kind import Basins

__all__ = ["Basins"]
