"""The worker: claims runs that wait and carries them out, one after the other.

    python -m cellwright.service.worker --home PATH [--idle-exit SECONDS]

It may be killed at any moment: another claims its run at once (on the same host) or when the lease expires, takes
finished elements from the cache and replays the fit that was under way from its journal.
"""

import argparse
import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cellwright.engine.seams import Canceled, Sink
from cellwright.errors import CanceledError, CellwrightError
from cellwright.schema.document import Pipeline
from cellwright.schema.results import PipelineResult
from cellwright.schema.work import Pool
from cellwright.service.execution import LEASE, carry_out, too_many_attempts
from cellwright.service.failures import failure_of
from cellwright.service.process import is_gone, name_of_this_process
from cellwright.store import Store, default_home
from cellwright.store.database import StoreError
from cellwright.store.runs import Claim, LeaseLostError

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""How often an idle worker looks for a run."""
SEEN_SECONDS = 2.0
"""How often an idle worker says that it is there."""
MOST_ATTEMPTS = 10
"""How often a run may take its worker down before it is given up."""


class Worker:
    """Carries out the runs of a store until it is told to stop or has been idle for long."""

    def __init__(
        self,
        store: Store,
        *,
        processes: int | None = None,
        idle_exit: float | None = None,
        parent: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name_of_this_process()
        self._store = store
        self._processes = processes
        self._pool: Pool | None = None
        self._idle_exit = idle_exit
        self._parent = parent
        self._clock = clock
        self._stopping = False

    def stop(self, *_: object) -> None:
        """Ask the worker to end; the run that it is at is given back."""
        self._stopping = True

    def work(self) -> None:
        """Claim and carry out runs."""
        idle_since = self._clock()
        seen = float("-inf")
        while not self._stopping:
            try:
                if self._clock() - seen >= SEEN_SECONDS:
                    seen = self._clock()
                    self._store.workers.seen(self.name)
                claim = self._store.runs.claim(self.name, LEASE, is_gone)
                if claim is not None:
                    self.carry_out(claim)
                    idle_since = self._clock()
                elif self._may_leave(self._clock() - idle_since) and self._store.workers.leave_if_idle(self.name):
                    return
                else:
                    time.sleep(POLL_SECONDS)
            except StoreError as error:
                log.warning("%s", error)
                time.sleep(1.0)
        self._store.workers.leave(self.name)

    def carry_out(self, claim: Claim) -> None:
        """Carry out one run; whatever comes of it, the worker goes on."""
        log.info("run %s, attempt %d", claim.run_id, claim.attempt)
        began = self._clock()
        try:
            if claim.attempt > MOST_ATTEMPTS:
                self._store.runs.abandon(claim, "failed", failure_of(too_many_attempts(claim.attempt)))
                return
            carry_out(
                self._store,
                claim,
                lambda emit, canceled: self._run(claim, emit, canceled),
                clock=self._clock,
                on_heartbeat=lambda: self._store.workers.seen(self.name),
                interrupted=lambda: self._stopping,
                gives_back=True,
            )
        except (LeaseLostError, CanceledError) as end:
            log.info("run %s: %s", claim.run_id, end)
        except StoreError:
            raise
        except CellwrightError as error:
            log.info("run %s failed: %s", claim.run_id, error)
        else:
            log.info("run %s completed in %.2f s", claim.run_id, self._clock() - began)

    def _run(self, claim: Claim, emit: Sink, canceled: Canceled) -> PipelineResult:
        from cellwright.service.assembly import stored

        pipeline = Pipeline.from_config(self._store.runs.config(claim.run_id))
        name = self._store.runs.get(claim.run_id).name
        return stored(pipeline, self._store, self._pool_for(pipeline), claim.run_id, name, emit, canceled)

    def _pool_for(self, pipeline: Pipeline) -> Pool:
        """Return where to solve: in processes that are kept from run to run, or here where there is next to nothing."""
        from cellwright.compute.inline import InlinePool
        from cellwright.compute.processes import ProcessPool
        from cellwright.service.assembly import fits

        if not fits(pipeline):
            return InlinePool()
        if self._pool is None:
            self._pool = ProcessPool(self._processes, warm="cellwright.models.simulation")
        return self._pool

    def close(self) -> None:
        """End the processes that solve."""
        if self._pool is not None:
            self._pool.close()

    def _may_leave(self, idle: float) -> bool:
        if self._idle_exit is not None and idle >= self._idle_exit:
            return True
        return self._parent is not None and os.getppid() != self._parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a worker until it is stopped."""
    parser = argparse.ArgumentParser(prog="cellwright.service.worker", description="Carry out the runs that wait.")
    parser.add_argument("--home", type=Path, default=default_home(), help="the folder of the database")
    parser.add_argument("--idle-exit", type=float, help="end after so many seconds without work")
    parser.add_argument("--parent", type=int, help="end without work when this process, our parent, has ended")
    parser.add_argument("--processes", type=int, help="how many processes solve (default: one for each processor)")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s: %(message)s")
    store = Store(given.home)
    worker = Worker(store, processes=given.processes, idle_exit=given.idle_exit, parent=given.parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    try:
        worker.work()
    finally:
        worker.close()
        store.close()


if __name__ == "__main__":
    main()
