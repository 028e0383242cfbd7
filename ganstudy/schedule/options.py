"""What an executor is asked besides its workers and devices; on the command line, by options."""

from __future__ import annotations

from ganstudy.settings import Settings

__all__ = ["Options"]


class Options(Settings):
    """Each field is an option of the verbs that train, of the same name: `jobs` is `--jobs`."""

    @property
    def default_workers(self) -> int | None:
        """How many workers there are where nobody says; None for as many as this machine has
        cores."""
        return None

    @property
    def elsewhere(self) -> bool:
        """Whether workers may be on other machines, whose devices only they can see."""
        return False

    def why_not(self, workers: int) -> str:
        """Why there cannot be so many workers; empty where there can."""
        return ""

    def why_unreachable(self, workers: int) -> str:
        """Why none of so many workers will be reached now; empty where nothing speaks against."""
        return ""
