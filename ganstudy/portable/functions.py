"""The portable program's functions: those in whose place torch would ask the processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import special
from torch.utils._python_dispatch import TorchDispatchMode

from ganstudy.portable import convolutions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

__all__ = ["Portable"]

_aten = torch.ops.aten

_FUNCTIONS: Mapping[Any, Callable[[Array], Array]] = {
    _aten.acos: np.arccos,
    _aten.asin: np.arcsin,
    _aten.atan: np.arctan,
    _aten.cos: np.cos,
    _aten.erf: special.erf,
    _aten.erfc: special.erfc,
    _aten.erfinv: special.erfinv,
    _aten.exp: np.exp,
    _aten.log: np.log,
    _aten.log10: np.log10,
    _aten.log2: np.log2,
    _aten.sin: np.sin,
    _aten.sqrt: np.sqrt,
    _aten.tan: np.tan,
    _aten.tanh: np.tanh,
}
"""All that ATen hands to MKL's vector library (`ATen/cpu/vml.h`), which begins with the processor's
own approximations of 1/x and 1/√x: √x of single precision is then not even correctly rounded."""

_DTYPES = (torch.float32, torch.float64)


class Portable(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has not typed it
    r"""Functions, stacked products and convolutions on a CPU by NumPy, all else by torch.

    NumPy computes √x exactly and the other functions by polynomials that depend on its instruction
    sets alone; OpenBLAS, which it brings, takes a product of matrices one by one, by the kernel
    that it is told to. Both are fixed by `environment`. Acts below autograd and
    `torch.func`, so that gradients of all orders are made of the same functions.

    Errors  `NotImplementedError` for a convolution of other than two dimensions.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """To hide it from its compiler, torch would import that: two seconds of each process."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Called by torch for each operation."""
        if torch.is_inference_mode_enabled():
            # There an operation that is made of others is not taken apart before it comes here.
            with self:
                whole = func.decompose(*args, **(kwargs or {}))
            if whole is not NotImplemented:
                return whole
        packet = func.overloadpacket
        if func is _aten.bmm.default and args[0].dtype in _DTYPES:
            return convolutions.product(*args)
        if func is _aten.convolution.default:
            return convolutions.forward(*args)
        if func is _aten.convolution_backward.default:
            return convolutions.backward(*args)
        if func is _aten.pow.Tensor_Scalar and args[1] == 0.5:
            return self.__torch_dispatch__(_aten.sqrt.default, types, args[:1])
        if packet in _FUNCTIONS and args[0].dtype in _DTYPES:
            result = torch.from_numpy(np.asarray(_FUNCTIONS[packet](args[0].numpy(force=True))))
            target = args[0] if func._schema.name.endswith("_") else (kwargs or {}).get("out")
            return result if target is None else target.copy_(result)
        return func(*args, **(kwargs or {}))
