"""`tabular`: the GAN game on a finite set, where critics can be exact."""

from ganstudy.kinds.tabular.kind import Tabular

__all__ = ["Tabular"]
