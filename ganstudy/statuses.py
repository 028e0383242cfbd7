"""What may have become of a trial, in the order in which it is told everywhere."""

__all__ = ["INCOMPLETE", "STATUSES"]

STATUSES = ("complete", "diverged", "pruned", "failed", "missing", "excluded")
"""Of a place of the dataset; a trial that is not planned is excluded."""

INCOMPLETE = STATUSES[1:-1]
"""Of a planned trial that is not complete."""
