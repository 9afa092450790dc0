"""A pool in the caller's own process."""

from collections.abc import Sequence

from cellwright.errors import CellwrightError, InternalError
from cellwright.schema.work import Answer, Job, Task, Work

KEPT = 8
"""How many built jobs are kept; a run has one for each fit."""


class Built:
    """The jobs that this process has made ready: the few that were used last."""

    def __init__(self) -> None:
        self._work: dict[str, Work] = {}

    def __contains__(self, digest: str) -> bool:
        return digest in self._work

    def work(self, job: Job) -> Work:
        """Return the work of a job, built at the first call."""
        work = self._work.pop(job.digest, None) or job()
        if len(self._work) >= KEPT:
            self._work.pop(next(iter(self._work)))
        self._work[job.digest] = work
        return work


class InlinePool:
    """Does the tasks here; a model that can solves many of them at a time, on all threads of this process.

    A solve runs in compiled code that nothing can interrupt, so the time limit is not kept; `ProcessPool` keeps it.
    """

    workers = 1

    def __init__(self) -> None:
        self._built = Built()

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers in the order of the tasks.

        Raises: the `CellwrightError` that building the job or a task raises, `InternalError` for any other fault.
        """
        try:
            return self._built.work(job)(tasks)
        except CellwrightError:
            raise
        except Exception as cause:
            raise InternalError(f"the work failed: {type(cause).__name__}: {cause}") from cause

    def close(self) -> None:
        """Forget what has been built."""
        self._built = Built()
