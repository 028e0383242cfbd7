"""A GPU that is not there, for Dask workers that load this first."""

from types import SimpleNamespace

import torch

from ganstudy.schedule import devices, gpu

devices.may_be_there = lambda: True
gpu.trouble = lambda device: ""
torch.cuda.device_count = lambda: 1
torch.cuda.get_device_properties = lambda index: SimpleNamespace(uuid=f"GPU-made-up-{index}")
