"""The store: records on disk, what is missing, and the gathered dataset; the only writer."""

from ganstudy.store.dataset import gather, open_run
from ganstudy.store.run_directory import RunDirectory, RunError

__all__ = ["RunDirectory", "RunError", "gather", "open_run"]
