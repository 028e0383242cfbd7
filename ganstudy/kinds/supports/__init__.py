"""`supports`: p and q on parallel manifolds, where divergences stand still and critics saturate."""

from ganstudy.kinds.supports.kind import Supports

__all__ = ["Supports"]
