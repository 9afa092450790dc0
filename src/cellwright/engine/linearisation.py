"""A fit seen as a straight line around a point: differences of model and data, their slopes, their noise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cellwright.engine.search import Evaluation, Question, TotalCost
from cellwright.engine.terms import Terms
from cellwright.engine.world import World
from cellwright.errors import ConfigurationError, SolverError
from cellwright.physics.identifiability import slopes
from cellwright.physics.resolution import CLOSED_FORM, INTEGRATED, Resolution
from cellwright.schema.families import Array, Comparison, Prepared
from cellwright.schema.search import Batch, Dimension, Space

FROM_START = 0.1
"""Share of the start that stands for a value closer to 0 than that."""
KEPT = 1e-3
"""By how much a constraint may be missed, as a fraction of its size at the start, and still count as kept."""
QUADRATIC = 1e-6
"""Departure from a parabola, as a fraction, up to which a cost counts as a sum of squares."""


@dataclass(frozen=True)
class Differences(TotalCost):
    """The cost of a fit without its terms, whose residual array is the plain differences of model and data.

    Where the model has no value they are NaN.
    """

    @classmethod
    def of(cls, cost: TotalCost) -> "Differences":
        """Return the cost of a fit in this form."""
        return cls(cost.whole, cost.own, Terms(), cost.lookup)

    def residuals(self, both: Comparison, values: Mapping[str, float]) -> Array:
        """Return model minus data of all variables in one, in their units."""
        return np.concatenate([model - data for variables in both.values() for model, data in variables.values()])


@dataclass(frozen=True)
class Block:
    """One variable of one objective: its rows in the array of all, and how a cost weighs the squares of them."""

    objective: str
    variable: str
    rows: slice
    weight: float
    size: float
    """The mean of the absolute data [unit of the variable]."""
    given_noise: float | None = None
    smoothed: bool = False
    """Whether the noise of neighbouring rows is no other: of slopes through several of them."""


@dataclass(frozen=True)
class Linearisation:
    """A fit at a point: differences r (m,) of model and data, slopes (m, d) by search coordinates, what counts.

    `standing` says whether the weights are those of the cost or stand in for a cost that is no sum of squares.
    """

    space: Space
    point: Array
    differences: Array
    jacobian: Array
    offsets: Array
    """The steps (d, 2) by which the slopes were found."""
    blocks: tuple[Block, ...]
    standing: bool
    counts: Mapping[str, int]
    held: Array
    """Rows (k, d) whose products with a change of the coordinates are 0: what groups of parameters and equations that
    the point keeps leave no choice of."""

    @property
    def usable(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows have a value and a slope in each coordinate."""
        return np.asarray(np.isfinite(self.differences) & np.isfinite(self.jacobian).all(axis=1))


def question_at(question: Question) -> Question:
    """Return the question of a fit as one of plain differences, without limits and listeners."""
    return replace(
        question,
        cost=Differences.of(question.cost),
        needs_residuals=True,
        evaluations=None,
        seconds=None,
        listeners=(),
        ensemble=False,
    )


def quietly(world: World) -> World:
    """Return the world without events: what is solved after a search is no progress of it."""
    return replace(world, emit=lambda event: None)


def linearised(
    question: Question, point: Array, key: str, world: World, noise: Mapping[str, float] | None = None
) -> Linearisation:
    """Return the fit around a point (d,) in search coordinates, by one batch of 2 d + 1 points through the journal.

    `noise` gives standard deviations by variable.

    Raises: `SolverError` where the point itself cannot be solved, `ConfigurationError` where there are no data,
    `CanceledError`, what the pool raises.
    """
    blocks, standing = blocks_of(question, point, noise or {})
    if not blocks:
        raise ConfigurationError("no measured data count in the cost")
    offsets = steps(question.space, point)
    evaluation = Evaluation(question_at(question), quietly(world), key)
    batch = evaluation(np.vstack([point, *(_beside(point, i, pair) for i, pair in enumerate(offsets))]))
    values = differences(batch)
    if not np.isfinite(values[0]).any():
        raise SolverError("the point itself could not be solved again")
    sides = values[1:].reshape(len(point), 2, -1)
    jacobian = slopes(values[0], sides, offsets)
    counts = dict(evaluation.counts)
    held = _held(question, point, offsets)
    return Linearisation(question.space, point, values[0], jacobian, offsets, blocks, standing, counts, held)


def _held(question: Question, point: Array, offsets: Array) -> Array:
    """Return the directions (k, d) in which the point cannot go: of groups, and of constraints f = 0 that it keeps."""
    held = question.space.held(point)
    for condition in question.cost.terms.conditions(question.space):
        at = condition.excess(point)
        if not condition.equality or not abs(at) <= KEPT:
            continue
        sides = [[[condition.excess(x)] for x in _beside(point, i, pair)] for i, pair in enumerate(offsets)]
        further = np.vstack([held, slopes(np.array([at]), np.array(sides), offsets)])
        if np.isfinite(further).all() and np.linalg.matrix_rank(further) == len(further):
            held = further
    return held


def differences(batch: Batch) -> Array:
    """Return the plain differences (n, m) of a batch."""
    assert batch.residuals is not None
    return batch.residuals


def steps(space: Space, point: Array) -> Array:
    """Return two offsets (d, 2) for each search coordinate: to both sides, or to one where a bound is too near."""
    resolution = resolution_of(space)
    ends = zip(space.dimensions, point, space.lower, space.upper, strict=True)
    return np.array([_offsets(*one, resolution) for one in ends])


def resolution_of(space: Space) -> Resolution:
    """Return how finely the predictions of a search are known."""
    return CLOSED_FORM if space.closed_form else INTEGRATED


def _offsets(dimension: Dimension, at: float, low: float, high: float, resolution: Resolution) -> tuple[float, float]:
    h = step(dimension, at, low, high, resolution)
    below, above = min(h, at - low), min(h, high - at)
    if below < h / 2:
        return h, 2 * h
    if above < h / 2:
        return -2 * h, -h
    return -below, above


def step(dimension: Dimension, at: float, low: float, high: float, resolution: Resolution = INTEGRATED) -> float:
    """Return the step of the differences in a search coordinate."""
    value, width, share = dimension.value(float(at)), high - low, resolution.share
    size = resolution.step * max(abs(value), FROM_START * abs(dimension.initial))
    sides = [value + size, value - size]
    inside = [side for side in sides if dimension.lower <= side <= dimension.upper]
    moves = [abs(dimension.coordinate(side) - at) for side in inside] if size else []
    most = share * width if np.isfinite(width) else resolution.step
    found = [move for move in moves if np.isfinite(move) and move > 0]
    return min(*found, share * width) if found else most


def _beside(point: Array, place: int, pair: Array) -> Array:
    both = np.repeat(point[None, :], 2, axis=0)
    both[:, place] += pair
    return both


def blocks_of(question: Question, point: Array, noise: Mapping[str, float]) -> tuple[tuple[Block, ...], bool]:
    """Return what counts in the cost, each with its weight, and whether the weights stand in for others.

    The weights are read off the cost itself, by what it makes of a shift of one variable alone. Where it is no weighted
    sum of squares, each variable that counts has the weight 1 / mean(|data|)².
    """
    values = question.space.values(point)
    cost = replace(question.cost, terms=Terms())
    data = {name: dict(one.observed) for name, one in question.ready.items()}
    places = _rows(question.ready)
    probes = {at: _probe(cost, data, at, values) for at in places}
    squares = all(probe is None or probe > 0 for probe in probes.values())
    blocks = []
    for (objective, variable), rows in places.items():
        probe = probes[objective, variable]
        if probe is not None:
            size = _scale(data[objective][variable])
            given = noise.get(variable, _given_noise(question.cost, objective, variable))
            smoothed = variable in getattr(question.ready[objective], "smoothed", ())
            blocks.append(Block(objective, variable, rows, probe if squares else size**-2, size, given, smoothed))
    return tuple(blocks), not squares


def _rows(ready: Mapping[str, Prepared]) -> dict[tuple[str, str], slice]:
    places, start = {}, 0
    for name, one in ready.items():
        for variable, data in one.observed.items():
            places[name, variable] = slice(start, start + len(data))
            start += len(data)
    return places


def _probe(
    cost: TotalCost, data: Mapping[str, Mapping[str, Array]], at: tuple[str, str], values: Mapping[str, float]
) -> float | None:
    """Return the weight of the squares of one variable, None where it does not count, 0 where these are no squares."""
    objective, variable = at
    shift, count = _scale(data[objective][variable]), int(np.isfinite(data[objective][variable]).sum())
    if not count:
        return None

    def shifted(factor: float) -> float:
        both = {
            name: {one: (y + factor * shift * ((name, one) == at), y) for one, y in variables.items()}
            for name, variables in data.items()
        }
        return cost.scalar(both, values)

    perfect = shifted(0.0)
    once, twice = shifted(1.0) - perfect, shifted(2.0) - perfect
    if once == 0 and twice == 0:
        return None
    if not np.isfinite(twice) or abs(twice - 4 * once) > QUADRATIC * abs(twice) or once < 0:
        return 0.0
    return once / (count * shift**2)


def _scale(data: Array) -> float:
    there = np.abs(data[np.isfinite(data)])
    scale = float(np.mean(there)) if len(there) else 1.0
    return scale if scale > 0 else 1.0


def _given_noise(cost: TotalCost, objective: str, variable: str) -> float | None:
    """Return the standard deviation that the cost is given for a variable, if it is a number."""
    one = cost.own.get(objective, cost.whole)
    given = getattr(one, "variable_standard_deviations", None) or getattr(one, "sigma", None) or {}
    value = given.get(variable) if isinstance(given, Mapping) else None
    return float(value) if isinstance(value, int | float) else None
