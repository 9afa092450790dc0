"""How far the data of a fit determine its parameters: intervals, correlations, and in words what they leave open."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellwright.engine.linearisation import Linearisation, linearised, resolution_of
from cellwright.engine.search import Question
from cellwright.engine.terms import Terms
from cellwright.engine.verdicts import remarks, verdicts
from cellwright.engine.world import World
from cellwright.errors import CanceledError, CellwrightError, ConfigurationError
from cellwright.physics.identifiability import Determination, determination, participants, quantile
from cellwright.schema.families import Array
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Dimension, Space
from cellwright.schema.values import digest

LEVEL = 0.95
"""The confidence of the intervals that every fit tells."""
AT_BOUND = 1e-3
"""Distance from a bound, as a fraction of the range, within which a value counts as being at it."""
SLOPE = 1e-4
"""Step for slopes of what is known to rounding, transforms and costs of known answers, in units of the range."""


@dataclass(frozen=True)
class Noise:
    """The noise of one variable of one objective: its standard deviation `sigma` in the unit of the variable.

    `left` is the root of the mean square of the differences in the same unit, `memory` the correlation of neighbours
    among them, 0 where they are no larger than what solvers resolve, and of slopes, which share their noise.
    """

    objective: str
    variable: str
    sigma: float
    given: bool
    points: int
    left: float
    memory: float


@dataclass(frozen=True)
class Uncertainty:
    """What a linearised fit says of its parameters.

    `scale` (d,) is the range of each in search coordinates, `found` is in units of it; `width` is how many standard
    errors an interval has to either side, `freedom` the degrees of freedom of the noise, infinite where it is given.
    """

    line: Linearisation
    scale: Array
    noise: tuple[Noise, ...]
    effective: NDArray[np.bool_]
    found: Determination
    width: float
    freedom: float
    level: float

    @property
    def deviations(self) -> Array:
        """The standard errors (d,) in search coordinates, infinite where the data determine nothing."""
        return self.found.deviations * self.scale


def identifiability(
    question: Question, point: Array, key: str, world: World
) -> tuple[dict[str, Any], Mapping[str, int]]:
    """Return what the data of a fit say of its parameters at a point (d,), as a JSON object, and what it cost.

    A failure is told in `error`, and never raised.

    Raises: `CanceledError`.
    """
    if not any(cost.of_data for cost in (question.cost.whole, *question.cost.own.values())):
        said = "nothing measured is compared, so that there is nothing to tell intervals by"
        return {"level": LEVEL, "error": said, "words": [], "remarks": [said]}, {}
    try:
        line = linearised(question, point, digest([key, "identifiability"]), world)
        return told(uncertainty(line, LEVEL, noise_names(question)), question, clipped=True), line.counts
    except CanceledError:
        raise
    except (CellwrightError, ValueError, ArithmeticError, np.linalg.LinAlgError) as cause:
        message = cause.message if isinstance(cause, CellwrightError) else str(cause)
        return {"level": LEVEL, "error": message, "words": [f"there are no intervals: {message}"], "remarks": []}, {}


def noise_names(question: Question) -> frozenset[str]:
    """Return the free parameters that act on the cost alone: noises that are fitted."""
    used = frozenset().union(*(one.used for one in question.ready.values()))
    return frozenset(question.space.names) & (question.cost.reads | question.cost.lookup.free) - used


def uncertainty(line: Linearisation, level: float, noises: frozenset[str] = frozenset()) -> Uncertainty:
    """Return what a linearised fit says of its parameters; those named in `noises` are none of the models.

    Raises: `ConfigurationError` where there are not more points than parameters and no noise is given.
    """
    scale, usable = ranges(line.space, line.point), line.usable
    kept = [np.flatnonzero(usable[block.rows]) + block.rows.start for block in line.blocks]
    rows, count = np.concatenate(kept), sum(map(len, kept))
    effective = np.array([name not in noises for name in line.space.names]) & _acts(line, kept)
    held = line.held * scale
    freedom: float = count - int(effective.sum()) + len(held)
    given = all(block.given_noise is not None for block in line.blocks)
    if freedom < 1 and not given:
        spent = int(effective.sum()) - len(held)
        raise ConfigurationError(
            f"there are {count} data points for {spent} parameters, which leaves none to tell the noise"
        )
    share = count / freedom if freedom > 0 else 1.0
    noise = tuple(_noise(line, place, one, share) for place, one in enumerate(kept) if len(one))
    weights = np.concatenate([np.full(len(one), block.weight) for one, block in zip(kept, line.blocks, strict=True)])
    sigmas = np.concatenate([np.full(one.points, one.sigma) for one in noise])
    freedom = np.inf if given else freedom
    width = quantile(level, freedom)
    weighted = line.jacobian[rows] * scale * np.sqrt(weights)[:, None]
    variances = np.concatenate([weights * sigmas**2, np.zeros(len(held))])
    # What groups and constraints keep is known exactly: data say nothing of it, and its rows are as long as the longest
    # column.
    weighted -= weighted @ np.linalg.pinv(held) @ held
    rows_held = held / np.linalg.norm(held, axis=1, keepdims=True) * np.linalg.norm(weighted, axis=0).max()
    weighted = np.vstack([weighted, rows_held])
    found = determination(weighted, variances, effective, width, resolution_of(line.space).rank)
    return Uncertainty(line, scale, noise, effective, found, width, freedom, level)


def _acts(line: Linearisation, kept: list[NDArray[np.intp]]) -> NDArray[np.bool_]:
    """Return which coordinates (d,) change a prediction, over one step, by more than solvers resolve."""
    step = np.abs(line.offsets).max(axis=1)
    changes = [
        np.sqrt(np.mean((line.jacobian[rows] * step) ** 2, axis=0)) / block.size
        for rows, block in zip(kept, line.blocks, strict=True)
        if len(rows)
    ]
    return np.asarray(np.max(changes, axis=0) > resolution_of(line.space).effect)


def _noise(line: Linearisation, place: int, rows: NDArray[np.intp], share: float) -> Noise:
    """Return the noise of a block; where it is not given it is that of the differences, `share` for those spent."""
    block, r = line.blocks[place], line.differences[rows]
    left = float(np.sqrt(np.mean(r**2)))
    sigma = block.given_noise if block.given_noise is not None else left * np.sqrt(share)
    told = not block.smoothed and len(r) > 1 and left > resolution_of(line.space).effect * block.size
    memory = float(r[1:] @ r[:-1] / (r @ r)) if told else 0.0
    return Noise(block.objective, block.variable, float(sigma), block.given_noise is not None, len(r), left, memory)


def ranges(space: Space, point: Array) -> Array:
    """Return the range (d,) of each search coordinate: between its bounds, else the size of its value or its start."""
    width = space.upper - space.lower
    size = np.maximum(np.abs(point), np.abs(space.initial))
    return np.where(np.isfinite(width), width, np.where(size > 0, size, 1.0))


def told(one: Uncertainty, question: Question, clipped: bool) -> dict[str, Any]:
    """Return the uncertainty as a JSON object: intervals and standard errors in the parameters' units, words."""
    space, deviations = one.line.space, one.deviations.copy()
    for name, deviation in _fitted_noise(one, question).items():
        deviations[space.names.index(name)] = deviation
    parameters = {
        dimension.name: _parameter(dimension, float(at), float(deviation), one.width, clipped)
        for dimension, at, deviation in zip(space.dimensions, one.line.point, deviations, strict=True)
    }
    rates = np.array(
        [rate(dimension, float(at)) for dimension, at in zip(space.dimensions, one.line.point, strict=True)]
    )
    by_value = rates * one.scale
    covariance = one.found.covariance * np.outer(by_value, by_value)
    values = np.array(
        [dimension.value(float(at)) for dimension, at in zip(space.dimensions, one.line.point, strict=True)]
    )
    open_ = [(*direction_told(direction, space, by_value, values), "flat") for direction in one.found.flat]
    open_ += [(*direction_told(direction, space, by_value, values), "wide") for direction in one.found.wide]
    noises = noise_names(question)
    idle = [n for n, acts in zip(space.names, one.effective, strict=True) if not acts and n not in noises]
    at_bounds = at_bound(space, one.line.point)
    result = {
        "level": one.level,
        "points": sum(noise.points for noise in one.noise),
        "freedom": int(one.freedom) if np.isfinite(one.freedom) else None,
        "residuals": "plain differences" if one.line.standing else "weighted as in the cost",
        "noise": [{key: _plain(value) for key, value in vars(noise).items()} for noise in one.noise],
        "parameters": parameters,
        "names": list(space.names),
        "covariance": [[_plain(value) for value in row] for row in covariance.tolist()],
        "correlation": [[_plain(value) for value in row] for row in one.found.correlation.tolist()],
        "condition": _plain(one.found.condition),
        "undetermined": [{"parameters": names, "direction": along, "kind": kind} for names, along, kind in open_],
        "at_bounds": at_bounds,
        "without_effect": idle,
    }
    return {**result, "words": verdicts(result), "remarks": remarks(result, question.cost)}


def direction_told(
    direction: Array, space: Space, by_value: Array, values: Array
) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Return the names that take part in a direction (d,), in units of the ranges, and how each changes along it."""
    places = participants(direction)
    changes = {
        space.names[place]: {
            "change": float(direction[place] * by_value[place]),
            "relative": float(direction[place] * by_value[place] / values[place]) if values[place] else 0.0,
        }
        for place in places
    }
    return [space.names[place] for place in sorted(places)], changes


def at_bound(space: Space, point: Array) -> dict[str, str]:
    """Return the parameters that are at a bound, and at which."""
    width = space.upper - space.lower
    near = {
        "lower": point - space.lower < AT_BOUND * width,
        "upper": space.upper - point < AT_BOUND * width,
    }
    return {
        name: side
        for side, which in near.items()
        for name, here, bounded in zip(space.names, which, np.isfinite(width), strict=True)
        if here and bounded
    }


def _parameter(dimension: Dimension, at: float, deviation: float, width: float, clipped: bool) -> dict[str, Any]:
    """Return the standard error of a parameter in its unit and its interval, None where nothing is determined."""
    if not np.isfinite(deviation):
        return {"std_error": None, "interval": None}
    ends = sorted(value_at(dimension, at + side * width * deviation, clipped) for side in (-1, 1))
    return {"std_error": _plain(rate(dimension, at) * deviation), "interval": [_plain(end) for end in ends]}


def value_at(dimension: Dimension, coordinate: float, clipped: bool) -> float:
    """Return the value at a search coordinate: between the bounds, or what the transform makes of any coordinate."""
    offset, scale = dimension.scaling
    low, high = dimension.transformed_bounds
    variable = offset + scale * coordinate
    if clipped:
        variable = min(max(variable, low), high)
    try:
        value = float(dimension.inverse(variable))
    except (OverflowError, ZeroDivisionError):
        return float("inf")
    return min(max(value, dimension.lower), dimension.upper) if clipped else value


def rate(dimension: Dimension, at: float) -> float:
    """Return |dvalue/dcoordinate| of a parameter, by differences of its transform."""
    h = SLOPE * max(1.0, abs(at))
    sides = [value_at(dimension, at + side * h, clipped=False) for side in (-1, 1)]
    return abs(sides[1] - sides[0]) / (2 * h)


def _fitted_noise(one: Uncertainty, question: Question) -> dict[str, float]:
    """Return the standard errors, in search coordinates, of noises that are fitted: 1 / √(d²cost/dz²)."""
    line, cost = one.line, replace(question.cost, terms=Terms())
    model = {
        name: {variable: [data, data] for variable, data in ready.observed.items()}
        for name, ready in question.ready.items()
    }
    for block in line.blocks:
        data = model[block.objective][block.variable][1]
        model[block.objective][block.variable][0] = data + line.differences[block.rows]
    both = {name: {v: (pair[0], pair[1]) for v, pair in variables.items()} for name, variables in model.items()}
    found = {}
    for name in noise_names(question):
        place = line.space.names.index(name)
        h = np.zeros(len(line.point))
        h[place] = SLOPE * one.scale[place]
        low, middle, high = (cost.scalar(both, line.space.values(line.point + side * h)) for side in (-1, 0, 1))
        curvature = (low - 2 * middle + high) / h[place] ** 2
        found[name] = float(curvature**-0.5) if np.isfinite(curvature) and curvature > 0 else float("inf")
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: None for a number that is none."""
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value


def with_identifiability(
    record: ElementRecord, question: Question, point: Array, key: str, world: World
) -> ElementRecord:
    """Return the record of a fit with what its data say of the parameters at its best point (d,).

    Raises: `CanceledError`.
    """
    began = world.clock()
    found, spent = identifiability(question, point, key, world)
    known = found.get("parameters", {})
    rows = [
        {**row, **known.get(row["name"], {"std_error": None, "interval": None})} for row in record.result["parameters"]
    ]
    counts = dict(record.counts)
    for name in ("solves", "failed", "crashed", "timed_out", "ended_early", "replayed"):
        if spent.get(name):
            counts[name] = counts.get(name, 0) + spent[name]
    return replace(
        record,
        result={**record.result, "parameters": rows, "identifiability": found},
        counts=counts,
        seconds=record.seconds + world.clock() - began,
    )
