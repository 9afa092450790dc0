"""How a claimed run is carried out: the lease is kept, events go to the store, the end is recorded."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from cellwright.engine.seams import Canceled, Event, Sink
from cellwright.errors import CanceledError, CellwrightError, InternalError
from cellwright.schema.results import PipelineResult
from cellwright.service.failures import failure_of, sentence
from cellwright.store import Store
from cellwright.store.database import StoreError
from cellwright.store.runs import Claim, Failure, LeaseLostError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
"""How long a worker may be silent before another takes its run."""
HEARTBEAT_SECONDS = 1.0
PROGRESS_SECONDS = 0.5
"""Seconds between two notes of progress."""
CANCELED = Failure("The run was canceled.", CanceledError.code)


class Hold:
    """Keeps a claim from a thread, in a `with` block, and hears whether the run is to stop."""

    def __init__(self, store: Store, claim: Claim, on_heartbeat: Callable[[], None] = lambda: None) -> None:
        self.lost = False
        self.cancel_requested = False
        self._store = store
        self._claim = claim
        self._on_heartbeat = on_heartbeat
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease of {claim.run_id}", daemon=True)

    @property
    def is_to_stop(self) -> bool:
        """Whether there is no point in going on."""
        return self.lost or self.cancel_requested

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._released.set()
        self._thread.join()

    def _beat(self) -> None:
        while True:
            try:
                self.cancel_requested = self._store.runs.heartbeat(self._claim, LEASE)
                self._on_heartbeat()
            except LeaseLostError:
                self.lost = not self._released.is_set()
                return
            except StoreError as error:
                log.warning("the lease of run %s could not be prolonged: %s", self._claim.run_id, error)
            if self._released.wait(HEARTBEAT_SECONDS):
                return


class Recorder:
    """A sink that writes a run's events to the store, progress now and then."""

    def __init__(self, store: Store, claim: Claim, clock: Callable[[], float], then: Sink | None = None) -> None:
        self._runs = store.runs
        self._claim = claim
        self._clock = clock
        self._then = then
        self._last = float("-inf")
        self._untold: dict[str, Any] | None = None

    def __call__(self, event: Event) -> None:
        """Write one event."""
        match event.kind:
            case "element started":
                self._runs.progress(self._claim, event.element, "running", {})
            case "progress":
                self._untold = dict(event.data)
                if self._clock() - self._last >= PROGRESS_SECONDS:
                    self._tell(event.element)
            case "element finished":
                self._finish(event)
        if self._then is not None:
            self._then(event)

    def _tell(self, element: str) -> None:
        if self._untold is not None:
            self._last = self._clock()
            self._runs.progress(self._claim, element, "running", self._untold)
            self._untold = None

    def _finish(self, event: Event) -> None:
        self._tell(event.element)
        if "record" in event.data:
            self._runs.record_element(self._claim, event.data["record"])
        elif "error" in event.data and event.data["error"]["error_code"] != CanceledError.code:
            error = event.data["error"]
            said = sentence(CellwrightError(error["message"], at=error["at"], hint=error["hint"]))
            self._runs.fail_element(self._claim, event.element, Failure(said, error["error_code"]))


def carry_out(
    store: Store,
    claim: Claim,
    work: Callable[[Sink, Canceled], PipelineResult],
    *,
    clock: Callable[[], float],
    on_event: Sink | None = None,
    on_heartbeat: Callable[[], None] = lambda: None,
    interrupted: Canceled = lambda: False,
    gives_back: bool = False,
) -> PipelineResult:
    """Do the work of a claimed run, keep what comes of it, and return it.

    An interrupted run is given back to be taken by another worker, or else ends canceled.

    Raises: what the work raises, after its sentence is kept; `InternalError` for what nobody foresaw;
    `LeaseLostError` where another worker has the run, and nothing is kept.
    """
    with Hold(store, claim, on_heartbeat) as hold:
        try:
            result = work(Recorder(store, claim, clock, on_event), lambda: hold.is_to_stop or interrupted())
        except LeaseLostError:
            raise
        except CanceledError:
            if hold.lost:
                raise LeaseLostError(f"run {claim.run_id} was taken over") from None
            if gives_back and not hold.cancel_requested:
                store.runs.release(claim)
            else:
                store.runs.abandon(claim, "canceled", CANCELED)
            raise
        except CellwrightError as error:
            store.runs.abandon(claim, "failed", failure_of(error))
            raise
        except Exception as fault:
            log.exception("run %s failed", claim.run_id)
            hint = "this is a fault of Cellwright; please report it with the log"
            internal = InternalError(f"{type(fault).__name__}: {fault}", hint=hint)
            store.runs.abandon(claim, "failed", failure_of(internal))
            raise internal from fault
        store.runs.finish(claim, result)
        return result


def too_many_attempts(attempt: int) -> InternalError:
    """Return the error of a run that has ended its worker again and again."""
    return InternalError(
        f"the worker died {attempt - 1} times while it was at this run",
        hint="its memory may be too small for it; see the worker's log",
    )
