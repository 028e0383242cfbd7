"""search.db: a search as an Optuna storage, for its dashboard and its tools.

The file is written from what the search knows and is never read back. Deleted, it is made anew.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ganstudy.search.bayes.samplers import to_study
from ganstudy.whole_file import write_whole

if TYPE_CHECKING:
    from ganstudy.search.bayes.samplers import Known
    from ganstudy.study.space import AnyParameter

__all__ = ["write_storage"]


def write_storage(
    path: Path,
    known: Mapping[str, Sequence[Known]],
    space: Sequence[AnyParameter],
    objectives: Mapping[str, str],
) -> None:
    """Write one Optuna study for each name, of the points known there.

    `objectives` are directions by metric. The file appears when it is whole.

    Errors  `OSError`, such as for a full disk.
    """
    import optuna
    from sqlalchemy.pool import StaticPool

    # In memory first: on disk, each trial would wait for the disk many times.
    one = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=one)
    for name, points in known.items():
        directions = list(objectives.values())
        study = to_study(space, directions, points, storage=storage, study_name=name)
        with warnings.catch_warnings():
            # Names are marked experimental, for their interface; a pin holds that.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(objectives))
    storage.remove_session()
    with closing(storage.engine.raw_connection()) as memory:
        assert isinstance(memory.driver_connection, sqlite3.Connection)
        write_whole(path, memory.driver_connection.serialize())
    storage.engine.dispose()
