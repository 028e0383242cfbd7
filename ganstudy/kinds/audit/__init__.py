"""`audit`: metrics of fidelity and diversity put through sanity checks."""

from ganstudy.kinds.audit.kind import Audit

__all__ = ["Audit"]
