"""A search: the space of the free parameters, what estimators ask, what they find."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import ConfigurationError
from cellwright.schema.groups import Group, kept

Array = NDArray[np.float64]
SLOPE_STEP = 1e-3
"""Step of the differences of a transform, as a fraction of the value and at most of what it is transformed to."""


@dataclass(frozen=True)
class Batch:
    """One batch of a search: points (n, d) as the estimator asked for them, and what came of each.

    `costs` (n,), infinite where a solve failed; `residuals` (n, m) or None where the cost has none; `statuses` one word
    a point.
    """

    points: Array
    costs: Array
    residuals: Array | None
    statuses: tuple[str, ...]
    solves: int = 0
    seconds: float = 0.0


class Evaluate(Protocol):
    """Answers a batch of points; raises nothing but the end of the search."""

    def __call__(self, points: Array) -> Batch:
        """Return the batch of the points (n, d) in search coordinates."""
        ...


class Differentiable(Evaluate, Protocol):
    """Knows, of some models, how the residuals change, without a solve and without a place in the journal."""

    def jacobian(self, point: Array) -> Array | None:
        """Return the derivatives (m, d) of the residuals at a point (d,) by its coordinates, None where not known."""
        ...


def jacobian_of(evaluate: Evaluate, point: Array) -> Array | None:
    """Return the derivatives (m, d) of the residuals at a point (d,), None where `evaluate` does not know them."""
    known = getattr(evaluate, "jacobian", None)
    return None if known is None else known(point)


@dataclass(frozen=True)
class Dimension:
    """One free parameter: its name, bounds and start in its own unit, and the transform it is searched in."""

    name: str
    initial: float
    lower: float
    upper: float
    forward: Callable[[float], float]
    inverse: Callable[[float], float]
    normalize: bool = True
    rate: Callable[[float], float] | None = None
    """The derivative of `inverse`, where it is known."""

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise ConfigurationError(
                f"the bounds of {self.name!r} are upside down: {self.lower} is not below {self.upper}"
            )
        if not self.lower <= self.initial <= self.upper:
            raise ConfigurationError(
                f"the initial value {self.initial} of {self.name!r} is outside its bounds {self.lower} to {self.upper}"
            )

    @cached_property
    def transformed_bounds(self) -> tuple[float, float]:
        """The bounds after the transform, in increasing order."""
        low, high = self.forward(self.lower), self.forward(self.upper)
        return (low, high) if low <= high else (high, low)

    @cached_property
    def scaling(self) -> tuple[float, float]:
        """Offset and scale of the search coordinate: bounds become 0 and 1, else the start becomes ±1."""
        low, high = self.transformed_bounds
        if not self.normalize:
            return 0.0, 1.0
        if np.isfinite(low) and np.isfinite(high):
            return low, high - low
        return 0.0, abs(self.forward(self.initial)) or 1.0

    def coordinate(self, value: float) -> float:
        """Return the search coordinate of a value in the parameter's unit."""
        offset, scale = self.scaling
        return (self.forward(value) - offset) / scale

    def value(self, coordinate: float) -> float:
        """Return the value in the parameter's unit of a search coordinate, inside the bounds."""
        offset, scale = self.scaling
        return float(min(max(self.inverse(offset + scale * coordinate), self.lower), self.upper))

    def slope(self, coordinate: float) -> float:
        """Return the derivative of the value by the coordinate, as if there were no bounds."""
        offset, scale = self.scaling
        at = offset + scale * coordinate
        return scale * (slope_of(self.forward, self.inverse, at) if self.rate is None else self.rate(at))


def slope_of(forward: Callable[[float], float], inverse: Callable[[float], float], at: float) -> float:
    """Return the derivative of the inverse of a function of one number.

    By differences of four points, whose error is some 1e-11 of it for logarithms, powers and inverses.
    """
    value, most = inverse(at), SLOPE_STEP * max(abs(at), 1.0)
    moved = abs(forward(value + SLOPE_STEP * (abs(value) or 1.0)) - at)
    h = min(moved, most) if moved > 0 else most
    far, near = (inverse(at + k * h) - inverse(at - k * h) for k in (2, 1))
    return float((8 * near - far) / (12 * h))


@dataclass(frozen=True)
class Condition:
    """What a search may keep to exactly: `excess(point)` is not above 0, or with `equality` it is 0."""

    excess: Callable[[Array], float]
    equality: bool


@dataclass(frozen=True)
class Space:
    """The box that is searched, in search coordinates, and the conditions that the cost penalises.

    `starts` says, in the parameters' units, where each of several chains starts that one search makes; a parameter that
    is not named starts where the search thinks best. It is empty where the search decides on all of it.
    """

    dimensions: tuple[Dimension, ...]
    conditions: tuple[Condition, ...] = ()
    starts: tuple[Mapping[str, float], ...] = ()
    closed_form: bool = False
    """Whether all that is predicted is known to rounding, so that slopes may be told from small differences."""
    groups: tuple[Group, ...] = ()
    """Parameters whose values keep a condition together, at every point."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the free parameters."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def initial(self) -> Array:
        """The start (d,)."""
        return np.array([dimension.coordinate(dimension.initial) for dimension in self.dimensions])

    @property
    def lower(self) -> Array:
        """The lower bounds (d,), -inf where there is none."""
        return np.array([self._ends(dimension)[0] for dimension in self.dimensions])

    @property
    def upper(self) -> Array:
        """The upper bounds (d,), inf where there is none."""
        return np.array([self._ends(dimension)[1] for dimension in self.dimensions])

    @staticmethod
    def _ends(dimension: Dimension) -> tuple[float, float]:
        offset, scale = dimension.scaling
        low, high = dimension.transformed_bounds
        return (low - offset) / scale, (high - offset) / scale

    def values(self, point: Array) -> dict[str, float]:
        """Return the parameters in their units at a point (d,)."""
        return kept(self.groups, dict(zip(self.names, self._raw(point).tolist(), strict=True)))

    def _raw(self, point: Array) -> Array:
        """Return the values (d,) at a point, each of its own coordinate alone: as `Dimension.value`, all at once."""
        values: Array = self._offsets + self._scales * point
        for place, inverse in self._transformed:
            values[place] = inverse(float(values[place]))
        return np.minimum(np.maximum(values, self._lowest), self._highest)

    @cached_property
    def _transformed(self) -> list[tuple[int, Callable[[float], float]]]:
        return [(place, d.inverse) for place, d in enumerate(self.dimensions) if d.inverse is not float]

    @cached_property
    def _offsets(self) -> Array:
        return np.array([d.scaling[0] for d in self.dimensions])

    @cached_property
    def _scales(self) -> Array:
        return np.array([d.scaling[1] for d in self.dimensions])

    @cached_property
    def _lowest(self) -> Array:
        return np.array([d.lower for d in self.dimensions])

    @cached_property
    def _highest(self) -> Array:
        return np.array([d.upper for d in self.dimensions])

    def slopes(self, point: Array) -> Array:
        """Return the derivatives (d, d) of the values in their units at a point (d,), by its coordinates."""
        rates = np.diag([d.slope(float(x)) for d, x in zip(self.dimensions, point, strict=True)])
        for group, places, raw in self._groups_at(point):
            rates[np.ix_(places, places)] = group.slopes(raw) * np.diag(rates)[places]
        return rates

    def held(self, point: Array) -> Array:
        """Return rows (k, d) whose products with a change of the coordinates are 0 where values keep to the groups.

        A search may leave them; what it leaves has no effect on the values.
        """
        rows = [np.zeros((0, len(point)))]
        for group, places, raw in self._groups_at(point):
            rates = np.array([self.dimensions[place].slope(float(point[place])) for place in places])
            fixed = group.fixed(raw)
            row = np.zeros((len(fixed), len(point)))
            row[:, places] = fixed * rates
            rows.append(row)
        return np.vstack(rows)

    def starting_at(self, point: Array) -> "Space":
        """Return the space with its start at a point (d,)."""
        moved = (replace(d, initial=d.value(float(x))) for d, x in zip(self.dimensions, point, strict=True))
        return replace(self, dimensions=tuple(moved))

    def settled(self, point: Array) -> Array:
        """Return the point (d,) whose coordinates are those of its values, which keep the conditions of groups."""
        return self.point(self.values(point)) if self.groups else point

    def _groups_at(self, point: Array) -> Iterator[tuple[Group, list[int], Array]]:
        """Yield each group with the places of its parameters and their values as the coordinates have them."""
        for group in self.groups:
            places = [self.names.index(name) for name in group.names]
            yield group, places, self._raw(np.asarray(point, dtype=float))[places]

    def point(self, values: Mapping[str, float]) -> Array:
        """Return the point (d,) of parameters in their units."""
        return np.array([dimension.coordinate(values[dimension.name]) for dimension in self.dimensions])

    @property
    def bounded(self) -> bool:
        """Whether every side has an end."""
        return bool(np.all(np.isfinite(self.lower)) and np.all(np.isfinite(self.upper)))


@dataclass(frozen=True)
class Draws:
    """What a sampler has drawn: points (chain, draw, d) in search coordinates, and the cost of each (chain, draw).

    The first `burnin` draws of each chain are those on the way to the probability that is sampled.
    """

    points: Array
    costs: Array
    burnin: int
    method: str

    @property
    def best(self) -> Array:
        """The draw (d,) of the least cost."""
        return np.asarray(self.points.reshape(-1, self.points.shape[-1])[int(np.argmin(self.costs))])


@dataclass(frozen=True)
class Found:
    """What a search ends with: the point (d,), whether it converged, its words and counts, and what a sampler drew."""

    point: Array
    success: bool
    message: str
    iterations: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)
    draws: Draws | None = None


class SearchEndedError(Exception):
    """A limit ended the search; the best point so far stands."""
