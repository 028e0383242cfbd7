"""A generator as the content of an ONNX file, for programs that know no PyTorch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["NotExported", "content"]


class NotExported(Exception):
    """A module that PyTorch cannot write as ONNX, or packages that it lacks for that."""


def content(module: torch.nn.Module, inputs: int, about: str) -> bytes:
    """`latent`, `(batch, inputs)`, to `samples`, `(batch, *)`, for a batch of any size.

    about  what the metadata of the file has under `ganstudy`

    Errors  `NotExported`.
    """
    import torch

    try:
        import onnx
        import onnxscript  # noqa: F401  # which torch imports late, and then fails in its own words
    except ModuleNotFoundError as error:
        advice = "pip install 'ganstudy[onnx]'"
        raise NotExported(f"writing ONNX needs {error.name}: {advice}") from None
    # Two, since torch takes a batch of one for a number that never changes.
    example = next(module.parameters()).new_zeros(2, inputs)
    with _quiet():
        try:
            found = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["latent"],
                output_names=["samples"],
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            first = str(error).strip().splitlines()[0]
            raise NotExported(f"PyTorch cannot write this generator as ONNX: {first}") from error
    assert found is not None
    model = found.model_proto
    # Where the exporter stood for each part: paths of this machine among them.
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
    onnx.helper.set_model_props(model, {"ganstudy": about})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch tells its own people: what it will replace, and what it does not find."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.disable(before)
