"""A GPU in which a trial has failed: whether what follows there would fail with it."""

from __future__ import annotations

__all__ = ["fails"]


def fails(device: str) -> bool:
    """Whether the least that a GPU can be asked for fails in this process, as all does after an
    error of a kernel, or whether a recording that failed has left its stream behind.

    device  on which a pack was trained; `cpu` never fails
    """
    if device == "cpu":
        return False
    import torch

    try:
        torch.zeros(1, device=device).sum().item()  # has come when all before it is done
        if torch.device(device).type != "cuda":
            return False
        return torch.cuda.current_stream(device) != torch.cuda.default_stream(device)
    except Exception:  # each library has its own, and none is told: that of the trial is
        return True
