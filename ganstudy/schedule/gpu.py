"""A GPU that can do nothing, or in which a trial has failed: whether what follows fails, too."""

from __future__ import annotations

__all__ = ["trouble"]


def trouble(device: str) -> str:
    """Why the least that a GPU can be asked for fails in this process, as all does after an error
    of a kernel, or that a recording which failed has left its stream behind; in one line.

    Asked before each pack, since not every worker can be made anew that has lost its GPU.

    device  on which a pack is trained; `cpu` never fails

    Returns  empty where there is none.
    """
    if device == "cpu":
        return ""
    import torch

    try:
        torch.zeros(1, device=device).sum().item()  # has come when all before it is done
        if torch.device(device).type != "cuda":
            return ""
        left = torch.cuda.current_stream(device) != torch.cuda.default_stream(device)
    except Exception as error:  # each library has its own
        said = str(error).strip().partition("\n")[0]
        return f"{type(error).__name__}: {said}"
    return "a recording has left its stream behind" if left else ""
