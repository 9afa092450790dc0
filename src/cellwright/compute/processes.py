"""A pool of warm worker processes: started by spawn, killed and replaced when a solve hangs or dies."""

import contextlib
import faulthandler
import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any, TextIO
from weakref import WeakSet

from pebble import ProcessExpired
from pebble import ProcessPool as PebblePool

from cellwright.compute.built import Built, dealt
from cellwright.errors import CanceledError, CellwrightError, InternalError
from cellwright.schema.work import Answer, Job, Task

OVERTIME = 1
"""Exit status of a worker that its watchdog ended; `faulthandler` knows no other."""
WATCH = 1.0
"""Seconds between two looks of a worker at whether its parent still lives."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

_built = Built()


class ProcessPool:
    """Does the tasks in worker processes.

    `workers` is their number (the processors this process may use), `warm` a module that they import at once, so that
    a slow import overlaps with what the parent does meanwhile. A worker builds each job once, in as much time as that
    takes. A chunk in which a solve takes too long or kills its worker is done again task by task, and the culprit is
    answered with that status.
    """

    def __init__(self, workers: int | None = None, warm: str | None = None) -> None:
        self._workers = workers or _processors()
        with _environment(ONE_THREAD):
            context = multiprocessing.get_context("spawn")
            self._life = context.Pipe(duplex=False)
            self._pool = PebblePool(
                max_workers=self._workers,
                context=context,
                initializer=_begin,
                initargs=(os.getpid(), self._life[0], warm),
            )
            for _ in range(self._workers):
                self._pool.schedule(_nothing)
        self._pickled: dict[str, bytes] = {}
        self._sent: set[str] = set()
        self._asked: WeakSet[Any] = WeakSet()
        self._closed = False

    @property
    def workers(self) -> int:
        """The number of worker processes."""
        return self._workers

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers in the order of the tasks.

        Raises: the `CellwrightError` that building the job or a task raises, `InternalError` for any other fault,
        `CanceledError` where the pool is closed meanwhile, however that shows.
        """
        try:
            return self._mapped(job, tasks, time_limit)
        except Exception as cause:
            if self._closed:
                raise CanceledError("the pool was closed") from cause
            raise

    def _mapped(self, job: Job, tasks: Sequence[Task], time_limit: float | None) -> list[Answer]:
        content = self._content(job)
        first = None if job.digest in self._sent else content
        answers: dict[int, Answer] = {}
        again: list[int] = []

        def scheduled(places: Sequence[int], content: bytes | None) -> Any:
            chosen = [tasks[place] for place in places]
            future = self._pool.schedule(_work, args=(job.digest, content, chosen, time_limit))
            self._asked.add(future)
            return future

        with _environment(ONE_THREAD):
            for places, future in [(chunk, scheduled(chunk, first)) for chunk in dealt(tasks, self._workers)]:
                try:
                    found = _result(future)
                    if found is None:
                        found = _result(scheduled(places, content))
                    answers.update(zip(places, found or [], strict=True))
                except ProcessExpired:
                    again += places
            self._sent.add(job.digest)
            began = time.monotonic()
            for place, future in [(place, scheduled([place], content)) for place in again]:
                try:
                    (answers[place],) = _result(future) or []
                except ProcessExpired as cause:
                    answers[place] = _lost(cause.exitcode, time.monotonic() - began, time_limit)
        return [answers[place] for place in range(len(tasks))]

    def close(self) -> None:
        """End the workers at once; a `map` under way in another thread raises `CanceledError`."""
        self._closed = True
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for future in list(self._asked):
            future.cancel()
        for end in self._life:
            end.close()

    def _content(self, job: Job) -> bytes:
        if job.digest not in self._pickled:
            try:
                self._pickled = {job.digest: pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)}
            except Exception as cause:
                raise InternalError(f"a job cannot be sent to a worker: {cause}") from cause
        return self._pickled[job.digest]


def _result(future: Any) -> list[Answer] | None:
    """Return the answers, or None where the worker does not know the job."""
    try:
        return future.result()  # type: ignore[no-any-return]
    except (CellwrightError, ProcessExpired):
        raise
    except BrokenProcessPool as cause:
        raise InternalError(
            "the worker processes ended before they had begun",
            hint="they read the script too: let it run its work under \"if __name__ == '__main__':\"",
        ) from cause
    except Exception as cause:
        raise InternalError(f"a worker failed: {type(cause).__name__}: {cause}") from cause


def _lost(exit_status: int, seconds: float, time_limit: float | None) -> Answer:
    """Return the answer of a task whose worker ended, so many seconds after it was asked."""
    if exit_status == OVERTIME and time_limit is not None and seconds >= time_limit:
        return Answer("time limit", message=f"a solve took longer than {time_limit:g} s")
    return Answer("crashed", message=f"a solve ended its process (exit status {exit_status})")


def _processors() -> int:
    """Return how many processors this process may use; some systems tell only how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(parent: int, life: Connection, warm: str | None) -> None:
    """Make a new worker ready: deaf to Ctrl-C, which the parent handles, and bound to its parent's life.

    SIGTERM ends it at once; pebble's handler in Python would wait for a solve that holds the interpreter's lock.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if sys.platform == "linux":
        _end_with(life)
    if warm:
        importlib.import_module(warm)


def _end_with(life: Connection) -> None:
    """Let the kernel end this process when nobody holds the pipe's other end any more, as when the parent is killed.

    The thread that watches the parent needs the interpreter's lock, which a solve may hold; SIGIO's default action does
    not. The signal belongs to an open file, and the workers share the one that they inherit: each opens its own.
    """
    import fcntl

    pipe = os.open(f"/proc/self/fd/{life.fileno()}", os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)


def _nothing() -> None:
    """Do nothing, so that a worker starts."""


def _work(digest: str, content: bytes | None, tasks: list[Task], time_limit: float | None) -> list[Answer] | None:
    """Return the answers of the tasks, or None where this process does not know the job and did not get it."""
    if content is None and digest not in _built:
        return None
    work = _built.work(digest, lambda: pickle.loads(content or b""))  # noqa: S301
    answers = []
    for task in tasks:
        with _at_most(time_limit):
            answers += work([task])
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
