"""Portable arithmetic: the same bits on every x86-64 processor with AVX2 and FMA.

A process has it if it is started in `environment`, and computes within `functions.Portable`, whose
module imports torch.
"""

from ganstudy.portable.environment import WIDE, environment, lacking

__all__ = ["WIDE", "environment", "lacking"]
