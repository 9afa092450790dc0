"""One search inside another."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from cellwright.catalog.estimators.side_by_side import side_by_side
from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.families import Array, Estimator
from cellwright.schema.search import Batch, Evaluate, Found, Space, jacobian_of
from cellwright.schema.variant import Example


class Nested(Estimator):
    """One search inside another: at each point of the outer one, the inner one finds the rest of the parameters.

    `optimizer` searches the named `parameters`, `inner` all others, from where it ended at the best point of the outer
    search so far. What the outer search sees is the least cost over the inner parameters, and the residuals there:
    where the model is linear in those (`inner` a `ScipyLsqLinear`), it is a variable projection, a valley of far fewer
    dimensions. The inner searches of a batch of outer points go side by side: what they ask for is evaluated together.

    Source: Golub & Pereyra, Inverse Problems 19 (2003) R1, doi:10.1088/0266-5611/19/2/201 (variable projection).
    """

    positional = ()
    example: ClassVar[Example | None] = Example(
        fields={
            "parameters": ["a"],
            "optimizer": {"type": "ScipyMinimize"},
            "inner": {"type": "ScipyLeastSquares", "max_nfev": 20},
        }
    )

    type: Literal["Nested"] = "Nested"
    parameters: list[str]
    optimizer: Estimator
    inner: Estimator

    @model_validator(mode="after")
    def _searches(self) -> "Nested":
        for field, estimator in (("optimizer", self.optimizer), ("inner", self.inner)):
            if estimator.samples:
                raise ConfigurationError(
                    f"a search cannot be nested in or around {type(estimator).__name__}, which samples",
                    at=(field,),
                    hint="use an optimizer",
                )
        return self

    @property
    def needs_residuals(self) -> bool:  # type: ignore[override]
        """Whether one of the two searches asks for residual arrays."""
        return self.optimizer.needs_residuals or self.inner.needs_residuals

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether chance has a part in the path of one of the two."""
        return self.optimizer.random or self.inner.random

    def limited(self, iterations: int) -> Self:
        """Return the search with at most so many iterations of the outer one."""
        return self.model_copy(update={"optimizer": self.optimizer.limited(iterations)})

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield an error for each name that is not there, for a search without parameters, and what the two refuse."""
        names, own = space.names, set(self.parameters)
        unknown = [name for name in self.parameters if name not in names]
        for name in unknown:
            yield ConfigurationError(
                f"{name!r} is not among the parameters that are searched here",
                at=("parameters",),
                hint=did_you_mean(name, names) or f"there are {', '.join(map(repr, names))}",
            )
        if unknown:
            return
        if not own or own == set(names):
            which = "inner" if own else "outer"
            yield ConfigurationError(
                f"nothing is left for the {which} search",
                at=("parameters",),
                hint="name some of the parameters, not none and not all",
            )
            return
        for group in space.groups:
            inside = own.intersection(group.names)
            if inside and inside != set(group.names):
                yield ConfigurationError(
                    f"{', '.join(map(repr, group.names))} keep a condition together, and the outer search has "
                    f"{'one' if len(inside) == 1 else 'some'} of them alone",
                    at=("parameters",),
                    hint="name all of them or none",
                )
        parts = self._parts(space)
        for field, estimator, part in (("optimizer", self.optimizer, parts.outer), ("inner", self.inner, parts.inner)):
            yield from (error.within(field) for error in _refused(estimator, part))

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point of the outer search, with what the inner one found there."""
        level = _Level(self.inner, self._parts(space), evaluate, int(rng.integers(2**63)))
        found = self.optimizer.search(level, level.parts.outer, rng)
        return replace(found, point=level.best)

    def _parts(self, space: Space) -> "_Parts":
        return _Parts(space, np.array([name in self.parameters for name in space.names]))


@dataclass(frozen=True)
class _Parts:
    """A space that is divided in two: `chosen` (d,) are the parameters of the outer search."""

    space: Space
    chosen: NDArray[np.bool_]

    @property
    def outer(self) -> Space:
        """The space of the outer search."""
        return Space(tuple(d for d, own in zip(self.space.dimensions, self.chosen, strict=True) if own))

    @property
    def inner(self) -> Space:
        """The space of the inner search."""
        dimensions = tuple(d for d, own in zip(self.space.dimensions, self.chosen, strict=True) if not own)
        return Space(dimensions, closed_form=self.space.closed_form)

    def joined(self, outer: Array, inner: Array) -> Array:
        """Return the points (…, d) that have these coordinates in the two spaces."""
        shape = np.broadcast_shapes(outer.shape[:-1], inner.shape[:-1])
        points = np.empty((*shape, len(self.chosen)))
        points[..., self.chosen], points[..., ~self.chosen] = outer, inner
        return points


class _Best:
    """The best point that an inner search has asked for."""

    def __init__(self) -> None:
        self.cost = np.inf
        self.point: Array | None = None
        self.residuals: Array | None = None
        self.status = ""

    def note(self, points: Array, batch: Batch) -> None:
        """Look at a batch."""
        best = int(np.argmin(batch.costs))
        if self.point is None or batch.costs[best] < self.cost:
            self.cost, self.point, self.status = float(batch.costs[best]), points[best].copy(), batch.statuses[best]
            self.residuals = None if batch.residuals is None else batch.residuals[best]


class _Inside:
    """What an inner search evaluates: points of its own space, at one point of the outer one."""

    def __init__(self, evaluate: Evaluate, parts: _Parts, outer: Array) -> None:
        self.evaluate, self.parts, self.outer = evaluate, parts, outer
        self.best = _Best()

    def __call__(self, points: Array) -> Batch:
        """Return the batch of inner points (n, d)."""
        batch = self.evaluate(self.parts.joined(self.outer, np.asarray(points)))
        self.best.note(np.asarray(points), batch)
        return replace(batch, points=points)

    def jacobian(self, point: Array) -> Array | None:
        """Return the derivatives (m, d) of the residuals at an inner point (d,), None where they are not known."""
        known = jacobian_of(self.evaluate, self.parts.joined(self.outer, np.asarray(point)))
        return None if known is None else known[:, ~self.parts.chosen]


class _Level:
    """What an outer search evaluates: at each point the least cost over the inner parameters.

    Each inner search draws the same random numbers, so that the cost is a function of the outer point and does not
    jump; each begins where that at the best outer point before this batch ended.
    """

    def __init__(self, inner: Estimator, parts: _Parts, evaluate: Evaluate, seed: int) -> None:
        self.inner = inner
        self.parts = parts
        self.evaluate = evaluate
        self.seed = seed
        self.cost = np.inf
        self.best = parts.space.initial
        self.start = parts.inner

    def __call__(self, points: Array) -> Batch:
        """Return the batch of outer points (n, d)."""
        ends = side_by_side([partial(self._end, point) for point in points], self.evaluate)
        for point, end in zip(points, ends, strict=True):
            if end.point is not None and end.cost < self.cost:
                self.cost, self.best = end.cost, self.parts.joined(point, end.point)
                self.start = self.parts.inner.starting_at(end.point)
        rows = [end.residuals for end in ends if end.residuals is not None]
        costs = np.array([end.cost for end in ends])
        return Batch(points, costs, np.array(rows) if rows else None, tuple(end.status for end in ends))

    def _end(self, outer: Array, evaluate: Evaluate) -> _Best:
        inside = _Inside(evaluate, self.parts, outer)
        self.inner.search(inside, self.start, np.random.default_rng(self.seed))
        return inside.best


def _refused(estimator: Estimator, space: Space) -> Iterator[CellwrightError]:
    kind = type(estimator).__name__
    if estimator.global_search and not space.bounded:
        for dimension in space.dimensions:
            if not (np.isfinite(dimension.lower) and np.isfinite(dimension.upper)):
                said = f"{kind} searches between bounds, and {dimension.name!r} has none"
                yield ConfigurationError(said, hint="give it bounds")
    if getattr(estimator, "hard_constraints", None):
        yield ConfigurationError(
            "a search inside another sees some of the parameters alone, and cannot keep to constraints exactly",
            at=("hard_constraints",),
            hint="leave it out: constraints are penalties then",
        )
    yield from estimator.refusals(space)
