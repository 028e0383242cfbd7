"""`module`: what a network of the user's own sees."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.features._base import Features
from ganstudy.features._trust import trusted
from ganstudy.targets import FARTHEST, OwnFile, check_content, one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets import Target

_CHUNK = 50
"""Images that are looked at together: large networks take much memory for each."""


class ModuleFeatures(OwnFile, Features):
    """The output of an exported network, flattened: this is how Inception comes in.

    Maths   images `(images, channels, size, size)`, one channel shown three times where `channels`
            is 3, numbers beyond -10 and 10 as these, resized by bilinear interpolation and put on
            `scale`, then (x - mean) / std. What comes out is flattened to a row for each image. The
            SHA-256 of the file is part of the trial's settings. It is run on the CPU with one
            thread.
    Errors  a file that is missing or changed, or that torch cannot load; a module that does not
            give a row for each image. A module is a program: name none that you do not trust.
    Source  the user: `torch.export.save` (.pt2, with a free first dimension), or TorchScript (.pt).
    """

    formats: ClassVar[tuple[str, ...]] = (".pt2", ".pt")
    path: str = Field(min_length=1, description="a .pt2 of torch.export, or a .pt of TorchScript")
    size: int | None = Field(None, ge=1, le=1024, description="pixels a side; null: as they are")
    channels: Literal[1, 3] | None = Field(None, description="null: as they are")
    scale: Literal["-1..1", "0..1", "0..255"] = Field("-1..1", description="of its inputs")
    mean: float = Field(0.0, description="taken from its inputs on that scale")
    std: float = Field(1.0, gt=0, description="by which they are divided then")
    sha256: str | None = Field(
        None, validate_default=True, description="of the file; null: taken from it"
    )

    @property
    def gone(self) -> str:
        """Moved or changed since a run was measured with it, or not to be run here."""
        if (why := super().gone) or trusted():
            return why
        return f"{self.path} is code, and only read here; where it is trusted, add --plugins"

    def problem(self, target: Target) -> str | None:
        """It is tried on one image, two and three, before hours are spent."""
        if why := super().problem(target) or self.gone:
            return why
        failed = {count: why for count in (1, 2, 3) if (why := self._tried(target, count))}
        if 0 < len(failed) < 3:
            return (
                f"{self.path}: does not take any number of images; export it with a free first "
                f"dimension ({next(iter(failed.values()))})"
            )
        return f"{self.path}: {failed[1]}" if failed else None

    def _tried(self, target: Target, count: int) -> str:
        """Why it gives no features of so many images; empty where it does."""
        try:
            self.of(target.sample(np.random.default_rng(0), count), target)
        except Exception as error:  # whatever a network of the user's raises
            return (str(error) or type(error).__name__).splitlines()[0]
        return ""

    def of(self, samples: NDArray[np.floating], target: Target) -> NDArray[np.float64]:
        """Features of images.

        Errors  `ValueError` for a module that is `gone`, and for anything but a row for each image.
        """
        import torch

        assert target.image is not None
        if self.gone:
            raise ValueError(self.gone)
        module = _module(self.path, str(self.sha256))
        rows = np.ascontiguousarray(np.clip(samples, -FARTHEST, FARTHEST), np.float32)
        whole = torch.from_numpy(rows).reshape(-1, *target.image)
        with torch.inference_mode(), one_thread():
            parts = [module(self._prepared(part)) for part in torch.split(whole, _CHUNK)]
        if not all(isinstance(part, torch.Tensor) for part in parts):
            raise ValueError(f"gives {type(parts[0]).__name__}, and not a tensor")
        features = torch.cat([part.flatten(1) for part in parts]).to(torch.float64).numpy()
        if len(features) != len(rows) or not np.isfinite(features).all():
            shape = tuple(features.shape)
            raise ValueError(
                f"gives {shape} for {len(rows)} images, or numbers that are not finite"
            )
        return np.asarray(features)

    def _prepared(self, images: Any) -> Any:
        from torch.nn.functional import interpolate

        if self.channels == 3 and images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        elif self.channels == 1 and images.shape[1] == 3:
            images = images.mean(1, keepdim=True)
        if self.size is not None:
            size = (self.size, self.size)
            images = interpolate(images, size, mode="bilinear", antialias=True)
        unit = {"-1..1": images, "0..1": (images + 1) / 2, "0..255": (images + 1) * 127.5}
        return (unit[self.scale] - self.mean) / self.std

    def dimension(self, target: Target) -> int:
        """As many as it gives for one image."""
        return _dimension(self, target)

    def about(self, target: Target) -> str:
        """Which file."""
        digest = str(self.sha256)[:12]
        return f"in features of {Path(self.path).name} (SHA-256 {digest})"


@lru_cache(maxsize=8)
def _dimension(features: ModuleFeatures, target: Target) -> int:
    return int(features.of(target.sample(np.random.default_rng(0), 2), target).shape[1])


@lru_cache(maxsize=2)
def _module(path: str, sha256: str) -> Any:
    import torch

    check_content(path, sha256)
    file = Path(path).expanduser()
    if file.suffix.lower() == ".pt2":
        return torch.export.load(file).module()
    with warnings.catch_warnings():
        # TorchScript is on its way out, but it is how many networks are passed on.
        for told in (DeprecationWarning, FutureWarning):  # the second from PyTorch 2.14 on
            warnings.simplefilter("ignore", told)
        script: Any = torch.jit
        return script.load(str(file), map_location="cpu").eval()
