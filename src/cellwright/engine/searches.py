"""The searches of a fit: one from each start."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cellwright.engine.search import Evaluation, Question
from cellwright.engine.together import together
from cellwright.engine.world import World
from cellwright.schema.families import Array, Estimator
from cellwright.schema.search import Found, SearchEndedError, Space
from cellwright.schema.values import digest
from cellwright.schema.work import Pool


@dataclass(frozen=True)
class Child:
    """One start's end: where it began, what it found, and the evaluation that kept the count."""

    space: Space
    found: Found
    evaluation: Evaluation

    @property
    def cost(self) -> float:
        """The best cost: of all that were evaluated, or of what a sampler drew."""
        drawn = self.found.draws
        return self.evaluation.best_cost if drawn is None else float(drawn.costs.min())

    @property
    def point(self) -> Array:
        """The point (d,) of the best cost."""
        best = self.evaluation.best_point
        assert best is not None
        return best if self.found.draws is None else self.found.draws.best

    @property
    def values(self) -> dict[str, float]:
        """The best parameters in their units."""
        return self.space.values(self.point)


def searched(
    question: Question,
    spaces: Sequence[Space],
    estimator: Estimator,
    seed: int | None,
    key: str,
    world: World,
    pool: Pool,
) -> list[Child]:
    """Return what the search from each start finds, in the order of the starts.

    Simulations that several searches ask for at the same time are one batch of the pool. Formulas are worked out at
    once, search by search; of several starts each goes on until it is seen how good it is, and the best to the end.
    """
    questions = [replace(question, space=space) for space in spaces]
    if not question.space.closed_form:
        starts = enumerate(questions)
        return together([partial(_search, one, estimator, seed, i, key, world) for i, one in starts], pool)
    rough = estimator.roughly() if len(spaces) > 1 else estimator
    with _one_thread():
        children = [_search(one, rough, seed, i, key, world, pool) for i, one in enumerate(questions)]
        if rough is not estimator:
            best = min(range(len(children)), key=lambda i: children[i].cost)
            if np.isfinite(children[best].cost):
                children[best] = _goes_on(children[best], estimator, seed, best)
    return children


def _search(
    question: Question, estimator: Estimator, seed: int | None, number: int, key: str, world: World, pool: Pool
) -> Child:
    if getattr(estimator, "hard_constraints", None):
        kept = replace(question.space, conditions=question.cost.terms.conditions(question.space))
        question = replace(question, space=kept)
    evaluation = Evaluation(question, replace(world, pool=pool), digest([key, "start", number]))
    found = _found(evaluation, question.space, estimator, seed, number)
    evaluation.tell()
    return Child(question.space, found, evaluation)


def _goes_on(child: Child, estimator: Estimator, seed: int | None, number: int) -> Child:
    """Return a start's end after a search that goes on from there."""
    if child.evaluation.end:
        return child
    found = _found(child.evaluation, child.space.starting_at(child.point), estimator, seed, number)
    return replace(child, found=replace(found, iterations=found.iterations + child.found.iterations))


def _found(evaluation: Evaluation, space: Space, estimator: Estimator, seed: int | None, number: int) -> Found:
    try:
        return estimator.search(evaluation, space, np.random.default_rng([seed or 0, number]))
    except SearchEndedError as end:
        best = evaluation.best_point if evaluation.best_point is not None else space.initial
        return Found(best, False, str(end))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let linear algebra of this process work on one thread: of matrices this small, the others get in its way."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
