"""Searches that go on at the same time and ask for their batches together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from cellwright.schema.search import Array, Batch, Evaluate, jacobian_of
from cellwright.schema.turns import Turn, in_turns

T = TypeVar("T")


def side_by_side(searches: Sequence[Callable[[Evaluate], T]], evaluate: Evaluate) -> list[T]:
    """Return what the searches find, in their order; what they ask for at the same time is evaluated in one batch.

    They take turns: no two run at once, and their order is always the same. An error of one, or of `evaluate`, ends all
    and is raised.
    """
    if len(searches) == 1:
        return [searches[0](evaluate)]

    def asking(search: Callable[[Evaluate], T]) -> Callable[[Turn], T]:
        return lambda turn: search(_InTurn(turn, evaluate))

    def answer(waiting: Sequence[Turn]) -> None:
        batch = evaluate(np.vstack([turn.asked for turn in waiting]))
        ends = np.cumsum([len(turn.asked) for turn in waiting])
        for turn, end in zip(waiting, ends, strict=True):
            turn.answer = _rows(batch, slice(end - len(turn.asked), end))

    return in_turns([asking(search) for search in searches], answer)


@dataclass(frozen=True)
class _InTurn:
    """What one of the searches evaluates by."""

    turn: Turn
    evaluate: Evaluate

    def __call__(self, points: Array) -> Batch:
        """Return the batch of the points (n, d), when all searches wait for theirs."""
        batch: Batch = self.turn.ask(np.array(points, dtype=float))
        return batch

    def jacobian(self, point: Array) -> Array | None:
        """Return the derivatives (m, d) of the residuals at a point (d,), None where they are not known."""
        return jacobian_of(self.evaluate, point)


def _rows(batch: Batch, rows: slice) -> Batch:
    residuals = None if batch.residuals is None else batch.residuals[rows]
    return Batch(batch.points[rows], batch.costs[rows], residuals, batch.statuses[rows])
