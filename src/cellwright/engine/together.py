"""Several searches at once on one pool: what they ask for at the same time is one batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cellwright.schema.turns import Turn, in_turns
from cellwright.schema.work import Answer, Job, Pool, Task

Result = TypeVar("Result")


def together(searches: Sequence[Callable[[Pool], Result]], pool: Pool) -> list[Result]:
    """Return the results of searches that each use the pool they are given, with the answers they would get alone.

    Raises: what the first search raises that fails, or the pool; the others are then ended where they wait.
    """
    if len(searches) == 1:
        return [searches[0](pool)]

    def on_shared(search: Callable[[Pool], Result]) -> Callable[[Turn], Result]:
        return lambda turn: search(_SharedPool(turn, pool.workers))

    return in_turns([on_shared(search) for search in searches], lambda waiting: _answer(waiting, pool))


def _answer(waiting: Sequence[Turn], pool: Pool) -> None:
    """Give each waiting search its answers; tasks of the same job are one batch."""
    by_job: dict[tuple[str, float | None], list[Turn]] = {}
    for turn in waiting:
        job, _, limit = turn.asked
        by_job.setdefault((job.digest, limit), []).append(turn)
    for members in by_job.values():
        job, _, limit = members[0].asked
        answers = iter(pool.map(job, [task for turn in members for task in turn.asked[1]], limit))
        for turn in members:
            turn.answer = [next(answers) for _ in turn.asked[1]]


@dataclass(frozen=True)
class _SharedPool:
    """The pool as one of the searches sees it."""

    turn: Turn
    workers: int

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers, when all searches wait for theirs."""
        answers: list[Answer] = self.turn.ask((job, tasks, time_limit))
        return answers

    def close(self) -> None:
        """Do nothing: the pool is everybody's."""
