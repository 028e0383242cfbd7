"""`digits`: handwritten digits of eight by eight pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.targets._digits import CLASSES, SIDE, DigitModes, digits
from ganstudy.targets._image import Image
from ganstudy.targets._reader import shares
from ganstudy.targets._rows import Rows, RowsTarget

if TYPE_CHECKING:
    from ganstudy.targets._base import Modes


class Digits(RowsTarget):
    """Scikit-learn's 1,797 handwritten digits, 64 pixels from -1 to 1; the label is the digit.

    Data    p is the empirical law of 1,438 images; 359 are held out.
    Modes   the ten digits, told apart by a classifier (99.2 % of the held-out images right).
    Source  scikit-learn, load_digits; Alpaydin & Kaynak 1998, UCI optical recognition of digits.
    """

    def rows(self) -> Rows:
        """The images."""
        return digits()

    @property
    def image(self) -> Image:
        """One channel of eight by eight pixels."""
        return Image(1, SIDE, SIDE)

    def known_modes(self) -> Modes:
        """The digits."""
        labels = digits().labels
        assert labels is not None
        return DigitModes(shares=shares(labels))

    @property
    def mode_factors(self) -> tuple[tuple[str, int], ...]:
        """The digit."""
        return (("digit", CLASSES),)

    @property
    def description(self) -> str:
        """What the data are, how many, and how well the modes are told apart."""
        accuracy = DigitModes.accuracy()
        return f"{super().description}; classifier right on {accuracy:.1%} of the held-out ones"
