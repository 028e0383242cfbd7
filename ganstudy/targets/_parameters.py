"""Parameters of targets that are vectors and matrices, written as lists in YAML."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

Vector = Annotated[tuple[float, ...], Field(strict=False)]
Matrix = Annotated[tuple[Vector, ...], Field(strict=False)]


def covariance_problem(matrix: Matrix, dimension: int) -> str | None:
    """What keeps a matrix from being a covariance in so many dimensions; None if nothing does."""
    if any(len(row) != dimension for row in matrix) or len(matrix) != dimension:
        return f"is not {dimension} x {dimension}"
    values = np.array(matrix)
    if not np.array_equal(values, values.T):
        return "is not symmetric"
    if np.linalg.eigvalsh(values)[0] <= 0:
        return "is not positive definite"
    return None
