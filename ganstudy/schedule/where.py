"""Where trials are trained: one value from the command line to the executor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ganstudy.schedule.devices import CPU, MEMORY_ELSEWHERE, memory_of, pack_size
from ganstudy.schedule.executors import executor_named
from ganstudy.search import search_of

if TYPE_CHECKING:
    from ganstudy.engine.packing import PackSize
    from ganstudy.search import Search
    from ganstudy.study import Study

__all__ = ["Where"]


@dataclass(frozen=True)
class Where:
    """Where trials are trained.

    workers   how many there are, which share the devices
    devices   names of GPUs, as torch has them where workers are, or of the CPU
    executor  a name of `ganstudy.schedule.executors`
    options   of that executor, such as `{"scheduler": "tcp://..."}` for `dask`
    """

    workers: int
    devices: tuple[str, ...] = (CPU,)
    executor: str = "local"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the workers may be other machines'."""
        return executor_named(self.executor).asks(**self.options).elsewhere

    def pack_size(self, study: Study) -> PackSize:
        """How many of a study's trials a pack may have there."""
        return pack_size(self.devices, self.workers, study.file.engine.pack, self._memory)

    def _memory(self, device: str) -> int:
        """Bytes of a GPU, which no other machine is asked for."""
        return MEMORY_ELSEWHERE if self.is_elsewhere else memory_of(device)

    def search_of(self, study: Study) -> Search:
        """The search that a study asks for, whose packs are cut for here."""
        search = search_of(study)
        search.pack_size = self.pack_size(study)
        return search
