"""Several searches at once on one pool: what they ask for at the same time is one batch.

A search asks for a few points at a time and waits. Here each runs until it asks, one after the other, never two at a
time; when all wait, their tasks go to the pool together. So nothing that searches touch has to be safe for threads, and
each gets the answers that it would get alone. The threads are only there because a search cannot be left and re-entered
in the middle.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cellwright.schema.work import Answer, Job, Pool, Task

Result = TypeVar("Result")


def together(searches: Sequence[Callable[[Pool], Result]], pool: Pool) -> list[Result]:
    """Return the results of searches that each use the pool they are given.

    Raises: what the first search raises that fails, or the pool; the others are then ended where they wait.
    """
    if len(searches) == 1:
        return [searches[0](pool)]
    turns = [_Turn(search, pool.workers) for search in searches]
    try:
        while waiting := [turn for turn in turns if turn.runs_on()]:
            _answer(waiting, pool)
        return [turn.result for turn in turns]
    finally:
        for turn in turns:
            turn.end()


def _answer(waiting: "Sequence[_Turn]", pool: Pool) -> None:
    """Give each waiting search its answers; tasks of the same job are one batch."""
    by_job: dict[tuple[str, float | None], list[_Turn]] = {}
    for turn in waiting:
        job, _, limit = turn.asked
        by_job.setdefault((job.digest, limit), []).append(turn)
    for members in by_job.values():
        job, _, limit = members[0].asked
        answers = iter(pool.map(job, [task for turn in members for task in turn.asked[1]], limit))
        for turn in members:
            turn.answers = [next(answers) for _ in turn.asked[1]]


class _EndedError(BaseException):
    """Ends a search whose answers will never come; not to be caught on the way as an error."""


class _Turn:
    """A search in a thread of its own that runs only while `runs_on` waits for it; to the search it is the pool."""

    def __init__(self, search: Callable[[Pool], Any], workers: int) -> None:
        self.workers = workers
        self.asked: tuple[Job, Sequence[Task], float | None]
        self.answers: list[Answer] = []
        self.result: Any = None
        self._search = search
        self._raised: BaseException | None = None
        self._over = False
        self._ended = False
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def runs_on(self) -> bool:
        """Let the search run until it asks for something (true) or is over (false).

        Raises: what the search raises.
        """
        if self._over:
            return False
        self._go.release()
        self._back.acquire()
        if self._raised is not None:
            raise self._raised
        return not self._over

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Wait for the answers."""
        self.asked = (job, tasks, time_limit)
        self._back.release()
        self._wait()
        return self.answers

    def close(self) -> None:
        """Do nothing: the pool is everybody's."""

    def end(self) -> None:
        """End the search where it waits."""
        if not self._over:
            self._ended = True
            self._go.release()
            self._thread.join()

    def _run(self) -> None:
        try:
            self._wait()
            self.result = self._search(self)
        except _EndedError:
            pass
        except BaseException as raised:
            self._raised = raised
        finally:
            self._over = True
            self._back.release()

    def _wait(self) -> None:
        self._go.acquire()
        if self._ended:
            raise _EndedError
