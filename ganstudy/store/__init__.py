"""The store: records on disk, what is missing, and the gathered dataset; the only writer."""

from ganstudy.store.dataset import assemble, check_nothing_lost, gather, open_run
from ganstudy.store.place import RunError, runs_at
from ganstudy.store.run_directory import RunDirectory

__all__ = [
    "RunDirectory",
    "RunError",
    "assemble",
    "check_nothing_lost",
    "gather",
    "open_run",
    "runs_at",
]
