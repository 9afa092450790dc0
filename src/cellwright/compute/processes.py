"""A pool of warm worker processes: started by spawn, killed and replaced when a solve hangs or dies."""

import contextlib
import faulthandler
import importlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, TextIO

from pebble import ProcessExpired
from pebble import ProcessPool as PebblePool

from cellwright.compute.inline import Built
from cellwright.errors import CellwrightError, InternalError
from cellwright.schema.work import Answer, Job, Task

CHUNKS_PER_WORKER = 1
"""Chunks that a batch is cut into for each worker; tasks are dealt out in turn, so chunks cost alike."""
OVERTIME = 1
"""Exit status of a worker that its watchdog ended."""
WATCH = 1.0
"""Seconds between two looks of a worker at whether its parent still lives."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

_built = Built()


class ProcessPool:
    """Does the tasks in worker processes.

    `workers` is their number (the processors this process may use), `warm` a module that they import at once, so that
    a slow import overlaps with what the parent does meanwhile. A worker builds each job once. A chunk that takes too
    long or kills its worker is done again task by task, and the culprit is answered with that status.
    """

    def __init__(self, workers: int | None = None, warm: str | None = None) -> None:
        self._workers = workers or len(os.sched_getaffinity(0))
        with _environment(ONE_THREAD):
            self._pool = PebblePool(
                max_workers=self._workers,
                context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(os.getpid(), warm),
            )
            for _ in range(self._workers):
                self._pool.schedule(_nothing)
        self._pickled: dict[str, bytes] = {}

    @property
    def workers(self) -> int:
        """The number of worker processes."""
        return self._workers

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers in the order of the tasks.

        Raises: the `CellwrightError` that building the job raises, `InternalError` for a fault in the work itself.
        """
        content = self._content(job)
        count = max(1, min(len(tasks), self._workers * CHUNKS_PER_WORKER))
        places = [range(start, len(tasks), count) for start in range(count)]
        with _environment(ONE_THREAD):
            futures = [self._schedule(job, content, [tasks[i] for i in chunk], time_limit) for chunk in places]
            answers: list[Answer | None] = [None] * len(tasks)
            for chunk, future in zip(places, futures, strict=True):
                try:
                    done = future.result()
                except ProcessExpired:
                    done = [self._alone(job, content, tasks[i], time_limit) for i in chunk]
                except CellwrightError:
                    raise
                except Exception as cause:
                    raise InternalError(f"a worker failed: {type(cause).__name__}: {cause}") from cause
                for place, answer in zip(chunk, done, strict=True):
                    answers[place] = answer
        return [answer for answer in answers if answer is not None]

    def close(self) -> None:
        """End the workers at once."""
        self._pool.stop()
        self._pool.join()

    def _content(self, job: Job) -> bytes:
        if job.digest not in self._pickled:
            self._pickled = {job.digest: pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)}
        return self._pickled[job.digest]

    def _schedule(self, job: Job, content: bytes, tasks: list[Task], time_limit: float | None) -> Any:
        return self._pool.schedule(_work, args=(job.digest, content, tasks, time_limit))

    def _alone(self, job: Job, content: bytes, task: Task, time_limit: float | None) -> Answer:
        try:
            return self._schedule(job, content, [task], time_limit).result()[0]  # type: ignore[no-any-return]
        except ProcessExpired as cause:
            if cause.exitcode == OVERTIME:
                return Answer("time limit", message=f"a solve took longer than {time_limit:g} s")
            return Answer("crashed", message=f"a solve ended its process (exit status {cause.exitcode})")


def _begin(parent: int, warm: str | None) -> None:
    """Make a new worker ready: deaf to Ctrl-C, which the parent handles, and bound to its parent's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if warm:
        importlib.import_module(warm)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)


def _nothing() -> None:
    """Do nothing, so that a worker starts."""


def _work(digest: str, content: bytes, tasks: list[Task], time_limit: float | None) -> list[Answer]:
    job: Job = _Known(digest) if digest in _built else pickle.loads(content)  # noqa: S301
    work = _built.work(job)
    answers = []
    for task in tasks:
        with _at_most(time_limit):
            answers.append(work(task))
    return answers


@contextlib.contextmanager
def _at_most(seconds: float | None) -> Iterator[None]:
    """End this process where the body takes longer.

    A solver's compiled code holds the interpreter's lock, so no Python thread or signal handler could; the watchdog of
    `faulthandler` is a thread of C.
    """
    if seconds is None:
        yield
        return
    faulthandler.dump_traceback_later(seconds, exit=True, file=_sink())
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@lru_cache(maxsize=1)
def _sink() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that start meanwhile, those alone that are not set."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


class _Known:
    """A job that has been built here already; only its digest is asked for."""

    def __init__(self, digest: str) -> None:
        self.digest = digest

    def __call__(self) -> Any:
        raise InternalError("a job that was built before is gone")
