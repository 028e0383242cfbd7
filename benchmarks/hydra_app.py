"""One trial as a Hydra application."""

from __future__ import annotations

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from benchmarks.peers import settings

ConfigStore.instance().store(name="trial", node=settings(1, {})[0])


@hydra.main(version_base=None, config_name="trial")
def main(config: DictConfig) -> None:
    from benchmarks.plain_torch import train

    own = OmegaConf.to_container(config)
    assert isinstance(own, dict)
    train(**{str(key): value for key, value in own.items()})


if __name__ == "__main__":
    main()
