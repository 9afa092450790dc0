"""Sees to it that there is a worker while there is work."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cellwright.errors import CellwrightError, InternalError
from cellwright.service.process import is_gone
from cellwright.store import Store

log = logging.getLogger(__name__)

SILENCE = timedelta(seconds=15)
"""A worker that has not been seen for so long is taken for dead."""
TEND_SECONDS = 1.0
MOST_FAILURES = 3
"""How many workers in a row may end with an error before somebody is told."""


class Supervisor:
    """Starts a worker in a process of its own when a run waits and nobody is there to take it.

    The worker outlives this process: it finishes what waits, then ends.
    """

    def __init__(
        self, store: Store, *, idle_exit: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._idle_exit = idle_exit
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._tended = float("-inf")
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def tend(self, now: bool = True) -> None:
        """Start a worker if one is needed; with `now=False` no more than once a second."""
        with self._lock:
            if not now and self._clock() - self._tended < TEND_SECONDS:
                return
            self._tended = self._clock()
            if self._store.runs.waiting() and not self._is_there_a_worker():
                self._give_up_on_what_cannot_start()
                self._child = self._start()

    def tend_until_closed(self) -> None:
        """Tend once a second from a thread."""

        def tending() -> None:
            while not self._closed.wait(TEND_SECONDS):
                try:
                    self.tend()
                except CellwrightError as error:
                    log.error("%s", error)

        threading.Thread(target=tending, name="supervisor", daemon=True).start()

    def close(self, stop_worker: bool = False) -> None:
        """Tend no more; the worker goes on unless it is told to stop."""
        self._closed.set()
        if stop_worker and self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait()

    def _is_there_a_worker(self) -> bool:
        if self._child is not None and self._child.poll() is None:
            return True
        return any(not is_gone(worker) for worker in self._store.workers.since(SILENCE))

    def _give_up_on_what_cannot_start(self) -> None:
        """Raise `InternalError` where one worker after the other has ended with an error."""
        if self._child is None or not self._child.returncode or self._child.returncode < 0:
            self._failures = 0  # killed by a signal is no fault of its own
            return
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            status, self._failures = self._child.returncode, 0
            raise InternalError(f"the worker ends with status {status}", hint=f"its log is {self._log}")

    @property
    def _log(self) -> Path:
        return self._store.home / "logs" / "worker.log"

    def _start(self) -> subprocess.Popen[bytes]:
        home = self._store.home
        command = [sys.executable, "-m", "cellwright.service.worker", "--home", str(home), "--parent", str(os.getpid())]
        if self._idle_exit is not None:
            command += ["--idle-exit", str(self._idle_exit)]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 (our own module, by our own interpreter)
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
