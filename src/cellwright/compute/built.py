"""What a worker has made ready, and how tasks are dealt out to workers."""

import threading
from collections.abc import Callable, Sequence

from cellwright.schema.work import Job, Task, Work

KEPT = 8
"""How many built jobs are kept; a run has one for each fit."""
CHUNKS_PER_WORKER = 2
"""Chunks that a batch is cut into for each worker."""


class Built:
    """The jobs that this process has made ready: the few that were used last."""

    def __init__(self) -> None:
        self._work: dict[str, Work] = {}
        self._lock = threading.Lock()

    def __contains__(self, digest: str) -> bool:
        return digest in self._work

    def work(self, digest: str, job: Callable[[], Job]) -> Work:
        """Return the work of a job with this digest; the job is asked for, and built, at the first call."""
        with self._lock:
            work = self._work.pop(digest, None) or job()()
            if len(self._work) >= KEPT:
                self._work.pop(next(iter(self._work)))
            self._work[digest] = work
            return work


def dealt(tasks: Sequence[Task], workers: int) -> list[list[int]]:
    """Return the places of tasks in chunks that cost alike: objectives differ in cost, so each is dealt out in turn."""
    count = max(1, min(len(tasks), workers * CHUNKS_PER_WORKER))
    by_objective = sorted(range(len(tasks)), key=lambda place: tasks[place].objective)
    return [by_objective[start::count] for start in range(count)]
