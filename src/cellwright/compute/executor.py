"""A pool that hands its tasks to an executor of the caller's: processes, a cluster, anything with `submit`."""

import multiprocessing
import os
import pickle
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

from cellwright.compute.built import Built, dealt
from cellwright.errors import CellwrightError, InternalError
from cellwright.schema.work import Answer, Job, Task

_built = Built()


class ExecutorPool:
    """Does the tasks on a `concurrent.futures.Executor`, which stays the caller's: closing the pool leaves it alone.

    A job goes to the workers once, as data, and each keeps what it has built of it. A chunk whose worker dies is done
    again task by task, and the culprit is answered as crashed; an executor that has lost all its workers is an error. A
    solve cannot be interrupted there, so the time limit is not kept.
    """

    def __init__(self, executor: Executor, workers: int | None = None) -> None:
        self._executor = executor
        self._workers = workers or _workers_of(executor)
        self._sent: set[str] = set()

    @property
    def workers(self) -> int:
        """The number of tasks that are done at the same time."""
        return self._workers

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers in the order of the tasks.

        Raises: the `CellwrightError` that building the job or a task raises, `InternalError` for any other fault and
        for an executor that takes no tasks any more.
        """
        chunks = dealt(tasks, self._workers)
        answers: dict[int, Answer] = {}
        for places, found in zip(chunks, self._done(job, [[tasks[i] for i in chunk] for chunk in chunks]), strict=True):
            if isinstance(found, list):
                answers.update(zip(places, found, strict=True))
                continue
            for place, alone in zip(places, self._done(job, [[tasks[place]] for place in places]), strict=True):
                lost = Answer("crashed", message=f"a solve ended its worker: {alone}")
                answers[place] = alone[0] if isinstance(alone, list) else lost
        return [answers[place] for place in range(len(tasks))]

    def close(self) -> None:
        """Do nothing: the executor is the caller's."""

    def _done(self, job: Job, chunks: Sequence[Sequence[Task]]) -> list[list[Answer] | Exception]:
        """Return the answers of each chunk, or what became of its worker.

        The job goes along with the first chunks; after that only where a worker does not know it.
        """
        content = None if job.digest in self._sent else _content(job)
        futures = [self._submitted(job.digest, content, chunk) for chunk in chunks]
        self._sent.add(job.digest)
        found: list[list[Answer] | Exception] = []
        for chunk, future in zip(chunks, futures, strict=True):
            answers = _result(future)
            found.append(answers if answers is not None else self._again(job, chunk))
        return found

    def _again(self, job: Job, chunk: Sequence[Task]) -> list[Answer] | Exception:
        answers = _result(self._submitted(job.digest, _content(job), chunk))
        if answers is None:
            raise InternalError("a worker did not take the job that it was sent")
        return answers

    def _submitted(self, digest: str, content: bytes | None, chunk: Sequence[Task]) -> "Future[list[Answer] | None]":
        try:
            return self._executor.submit(_work, digest, content, list(chunk))
        except RuntimeError as cause:  # it is shut down, or broken
            raise InternalError(
                f"the executor takes no tasks: {cause}", hint="start another one; the run goes on where it stood"
            ) from cause


def _result(future: "Future[list[Answer] | None]") -> list[Answer] | Exception | None:
    """Return the answers, None where the worker does not know the job, or the exception with which the worker died."""
    try:
        return future.result()
    except (CellwrightError, InternalError):
        raise
    except Exception as cause:
        if isinstance(cause, BrokenExecutor) or type(cause).__name__ == "KilledWorker":
            return cause
        raise InternalError(f"a worker failed: {type(cause).__name__}: {cause}") from cause


def _content(job: Job) -> bytes:
    try:
        return pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as cause:
        raise InternalError(f"a job cannot be sent to a worker: {cause}") from cause


def _work(digest: str, content: bytes | None, tasks: list[Task]) -> list[Answer] | None:
    """Return the answers of the tasks, or None where this process does not know the job and did not get it."""
    if multiprocessing.parent_process() is not None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # the executor has a worker for each processor
    if digest not in _built and content is None:
        return None
    return _built.work(digest, lambda: pickle.loads(content or b""))(tasks)  # noqa: S301


def _workers_of(executor: Executor) -> int:
    """Return how many tasks an executor does at a time, as far as it tells."""
    client: Any = getattr(executor, "client", None)
    if client is not None:  # Dask's
        threads: int = sum(client.nthreads().values())
        return max(1, threads)
    count = int(getattr(executor, "_max_workers", 0))
    return count or os.cpu_count() or 1
