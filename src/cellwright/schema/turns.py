"""Searches that take turns: each runs until it asks for something, one after the other, never two at a time.

So nothing that searches touch has to be safe for threads, their order is always the same, and what they ask for at the
same time can be answered together. The threads are only there because a search cannot be left in the middle.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any


class _EndedError(BaseException):
    """Ends a search that will get no more answers; no `Exception`, so that nothing in it takes it for a failure."""


class Turn:
    """A search in a thread of its own, which runs only while its owner waits for what it asks next."""

    def __init__(self, search: Callable[["Turn"], Any]) -> None:
        self.asked: Any = None
        self.answer: Any = None
        self.result: Any = None
        self._search = search
        self._raised: BaseException | None = None
        self._over = self._ended = False
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

    def ask(self, question: Any) -> Any:
        """Return the answer to a question, which the owner gives; called by the search."""
        self.asked = question
        self._back.release()
        self._wait()
        return self.answer

    def end(self) -> None:
        """End the search where it waits, however often it asks again."""
        self._ended = True
        while self._thread.is_alive():
            self._go.release()
            self._thread.join(0.1)

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


def in_turns(searches: Sequence[Callable[[Turn], Any]], answer: Callable[[Sequence[Turn]], None]) -> list[Any]:
    """Return the results of searches, in their order; `answer` gives those that wait their answers.

    Raises: what the first search raises that fails, or `answer`; the others are then ended where they wait.
    """
    turns = [Turn(search) for search in searches]
    try:
        while waiting := list(_that_ask(turns)):
            answer(waiting)
        return [turn.result for turn in turns]
    finally:
        for turn in turns:
            turn.end()


def _that_ask(turns: Sequence[Turn]) -> Iterator[Turn]:
    for turn in turns:
        if turn.runs_on():
            yield turn
