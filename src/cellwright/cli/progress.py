"""A run as it goes: elements tick off, fits show their cost."""

import math
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from cellwright.engine.seams import Event
from cellwright.errors import CanceledError

PLAIN_INTERVAL = 10.0
"""Seconds between two lines about the same fit where the output is no terminal."""
CHECK = "check"
"""What is shown until the first element starts."""
MARKS = {
    "completed": "[green]✓[/green]",
    "failed": "[red]✗[/red]",
    "canceled": "[yellow]■[/yellow]",
    "skipped": "[dim]-[/dim]",
}


class RunDisplay:
    """Shows the events of a run on a console; a sink, to be used in a `with` block.

    A terminal gets one live line for what is running, anything else a plain line now and then.
    """

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._tasks: dict[str, TaskID] = {}
        self._last_line: dict[str, float] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[element]}"),
            BarColumn(bar_width=20),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        self._tasks[CHECK] = self._progress.add_task("", element=CHECK, total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if self._quiet:
            return
        match event.kind:
            case "element started":
                self._close(CHECK)
                self._tasks[event.element] = self._progress.add_task("", element=escape(event.element), total=None)
            case "progress":
                self._advance(event.element, event.data)
            case "element finished":
                self._finish(event.element, event.data)
            case "warning":
                message = escape(str(event.data.get("message", "")))
                self._say(f"[yellow]![/yellow] {escape(event.element)}: {message}")

    def _advance(self, element: str, data: Mapping[str, Any]) -> None:
        words = progress_words(data)
        if element in self._tasks:
            self._progress.update(
                self._tasks[element],
                description=words,
                completed=data.get("evaluations", 0),
                total=data.get("limit"),
            )
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line.setdefault(element, now) >= PLAIN_INTERVAL:
            self._last_line[element] = now
            self._say(f"  {escape(element)}: {words}")

    def _finish(self, element: str, data: Mapping[str, Any]) -> None:
        self._close(element)
        canceled = (data.get("error") or {}).get("error_code") == CanceledError.code
        status = "canceled" if canceled else str(data.get("status", "completed"))
        if data.get("cached"):
            words = "kept from before"
        else:
            words = f"{data['seconds']:.1f} s" if status == "completed" else status
        self._say(f"{MARKS.get(status, '·')} {escape(element)} [dim]{words}[/dim]")

    def _close(self, element: str) -> None:
        task = self._tasks.pop(element, None)
        if task is not None:
            self._progress.remove_task(task)

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False)


def progress_words(data: Mapping[str, Any]) -> str:
    """Return how a search stands: evaluations, best cost, rate, the time left or else the time gone."""
    evaluations, rate, best = data.get("evaluations", 0), data.get("rate"), data.get("best_cost")
    words = [f"{evaluations} evaluations"]
    if data.get("replayed"):
        words.append(f"{data['replayed']} from the journal")
    if best is not None and math.isfinite(best):
        words.append(f"best cost {best:.4g}")
    if rate:
        words.append(f"{rate:.1f} per second")
    limit = data.get("limit")
    if limit and rate:
        words.append(f"{clock_text(max(limit - evaluations, 0) / rate)} left")
    elif data.get("seconds") is not None:
        words.append(clock_text(data["seconds"]))
    return " · ".join(words)


def clock_text(seconds: float) -> str:
    """Return a duration as `1:05` or `2:00:09`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
