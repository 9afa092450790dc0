"""A pool in the caller's own process."""

from collections.abc import Sequence

from cellwright.schema.work import Answer, Job, Task, Work

KEPT = 8
"""How many built jobs are kept; a run has one for each fit."""


class Built:
    """The jobs that this process has made ready, the last few of them."""

    def __init__(self) -> None:
        self._work: dict[str, Work] = {}

    def __contains__(self, digest: str) -> bool:
        return digest in self._work

    def work(self, job: Job) -> Work:
        """Return the work of a job, built at the first call."""
        if job.digest not in self._work:
            if len(self._work) >= KEPT:
                self._work.pop(next(iter(self._work)))
            self._work[job.digest] = job()
        return self._work[job.digest]


class InlinePool:
    """Does the tasks here, one after the other.

    A solve runs in compiled code that nothing can interrupt, so the time limit is not kept; `ProcessPool` keeps it.
    """

    workers = 1

    def __init__(self) -> None:
        self._built = Built()

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:  # noqa: ARG002
        """Return the answers in the order of the tasks. Raises: what building the job raises."""
        work = self._built.work(job)
        return [work(task) for task in tasks]

    def close(self) -> None:
        """Forget what has been built."""
        self._built = Built()
