"""Where images of the user's own lie, and what is read of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from ganstudy.targets._image_files import ARRAYS
from ganstudy.targets._own_data import OwnData

__all__ = ["OwnImages"]


class OwnImages(OwnData, ABC):
    """A target that reads images from a path; they are read when it is made, so that what is wrong
    with them is said there.
    """

    formats: ClassVar[tuple[str, ...]] = (*ARRAYS, "")
    path: str = Field(min_length=1, description="a folder, an .npz or .npy, or a file of MNIST's")
    key: str | None = Field(
        None, description="the array of an .npz file; not needed if only one can be images"
    )
    label: str | None = Field(None, description="the array of an .npz file that has the labels")
    range: Annotated[tuple[float, float], Field(strict=False)] | None = Field(
        None,
        exclude_if=lambda ends: ends is None,
        description="the numbers of an array that are black and white; null: recognised",
    )
    size: int | None = Field(
        None, ge=4, le=512, description="pixels a side, of the middle square; null: as they are"
    )
    held_out_share: float = Field(0.2, gt=0, lt=1, description="share of the images held out")
    sha256: str | None = Field(
        None, validate_default=True, description="of all contents; null: taken from them"
    )

    @field_validator("range")
    @classmethod
    def _two_ends(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and not ends[0] < ends[1]:
            raise ValueError(f"the first number is less than the second (got {list(ends)})")
        return ends

    @model_validator(mode="after")
    def _readable(self) -> Self:
        self.check_readable()
        return self

    @abstractmethod
    def check_readable(self) -> None:
        """Read the images.

        Errors  `DataError`.
        """

    @classmethod
    def has_modes(cls) -> bool:
        """Not by its name: that takes labels."""
        return False
