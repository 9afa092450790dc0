"""A pool in the caller's own process."""

from collections.abc import Sequence

from cellwright.compute.built import Built
from cellwright.errors import CellwrightError, InternalError
from cellwright.schema.work import Answer, Job, Task


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
            return self._built.work(job.digest, lambda: job)(tasks)
        except CellwrightError:
            raise
        except Exception as cause:
            raise InternalError(f"the work failed: {type(cause).__name__}: {cause}") from cause

    def close(self) -> None:
        """Forget what has been built."""
        self._built = Built()
