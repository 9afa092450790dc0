"""Waiting for a run: how often to look, what to show, when to give up."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from cellwright.errors import ExecutionTimeoutError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

FIRST_WAIT, LONGEST_WAIT, GROWTH = 0.05, 1.0, 1.3
_MARKS = {"completed": "✓", "failed": "✗", "canceled": "■", "skipped": "-"}


class PipelineTimeoutError(ExecutionTimeoutError, TimeoutError):
    """A run has not ended in the time that was given to wait; it goes on."""


class Shown(Protocol):
    """What is shown of an element."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def status(self) -> str:
        """How it stands."""

    @property
    def progress(self) -> Mapping[str, Any]:
        """How far it is."""


class Watch:
    """One wait, in a `with` block: elements tick off, the one that runs shows its cost."""

    def __init__(
        self,
        timeout: float,
        interval: float | None,
        verbose: bool,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout = timeout
        self._interval = interval
        self._next = FIRST_WAIT
        self._clock = clock
        self._sleep = sleep
        self._began = clock()
        self._told: set[str] = set()
        self._verbose = verbose
        self._progress: Progress | None = None
        self._line: TaskID | None = None

    def __enter__(self) -> Self:
        if self._verbose:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            console = Console(highlight=False)
            columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_interactive)
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, name: str, status: str, elements: Sequence[Shown]) -> None:
        """Show how a run and its elements stand."""
        if self._progress is None:
            return
        for element in elements:
            if element.status in _MARKS and element.name not in self._told:
                self._told.add(element.name)
                end = "" if element.status == "completed" else f" {element.status}"
                line = f"{_MARKS[element.status]} {element.name}{end}{_cost(element.progress)}"
                self._progress.console.print(line, markup=False)
        running = next((element for element in elements if element.status == "running"), None)
        begins = "waiting for a worker" if status == "pending" else "checking"
        text = f"{running.name}{_cost(running.progress)}" if running is not None else f"{name}: {begins}"
        if self._line is None:
            self._line = self._progress.add_task(text, total=None)
        self._progress.update(self._line, description=text)

    def wait(self, run_id: str, name: str, status: str) -> None:
        """Wait a moment.

        Raises: `PipelineTimeoutError` where the time is over.
        """
        left = self._timeout - (self._clock() - self._began)
        if left <= 0:
            raise PipelineTimeoutError(
                f"the run {name!r} did not complete within {self._timeout:g} seconds (status: {status})",
                hint=f"it goes on; wait again with client.pipeline.wait_for_completion({run_id!r})",
            )
        self._sleep(min(left, self._interval if self._interval is not None else self._next))
        self._next = min(self._next * GROWTH, LONGEST_WAIT)


def _cost(progress: Mapping[str, Any]) -> str:
    words = []
    if progress.get("evaluations"):
        words.append(f"{progress['evaluations']} evaluations")
    if progress.get("best_cost") is not None:
        words.append(f"best cost {progress['best_cost']:.4g}")
    return f": {', '.join(words)}" if words else ""
