"""Where the searches of a fit start."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cellwright.catalog.estimators.chains import CHAINS
from cellwright.catalog.samplers import LatinHypercube
from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.schema.elements import DataFit
from cellwright.schema.families import Array, Distribution
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.search import Dimension, Space


def starting_values(element: DataFit, p: ParameterSet) -> Space:
    """Return the search space; a parameter without initial value starts where the elements before it left it."""
    started = []
    plain = element.plain
    for dimension in element.dimensions:
        known = _known(p, dimension.name)
        if (
            plain[dimension.name].initial_value is None
            and isinstance(known, int | float)
            and dimension.lower <= known <= dimension.upper
        ):
            dimension = replace(dimension, initial=float(known))
        started.append(dimension)
    space = Space(tuple(started))
    return _with_guess(space, element.initial_guesses) if isinstance(element.initial_guesses, dict) else space


def _known(p: ParameterSet, name: str) -> Any:
    """Return what the elements before have left of a parameter: its value, or its place in a list.

    `… potential (2) [V]` is the third of the list `… potential [V]`.
    """
    parts = re.fullmatch(r"(.*) \((\d+)\)( \[.*\])?", name)
    if name in p or parts is None:
        return p.get(name)
    values, place = p.get(parts[1] + (parts[3] or "")), int(parts[2])
    listed = hasattr(values, "__len__") and not isinstance(values, str)
    return float(values[place]) if listed and place < len(values) else None


def starts(element: DataFit, space: Space, seed: int) -> list[Space]:
    """Return the space of each search, with its start.

    The listed initial guesses come first; as many as `multistarts` lacks are drawn, parameters that a guess for every
    start names excepted.

    Raises: `ConfigurationError` for a guess of a parameter that is not free or outside its bounds, for fewer starts
    than guesses, and for starts that cannot be drawn.
    """
    guesses = element.initial_guesses
    listed = [_with_guess(space, guess) for guess in guesses] if isinstance(guesses, list) else []
    if guesses == []:
        raise ConfigurationError("a list of initial guesses names at least one", at=("initial_guesses",))
    wanted = element.multistarts
    if wanted is None:
        return listed or [space]
    if wanted < len(listed):
        raise ConfigurationError(
            f"there are {len(listed)} initial guesses for {wanted} starts",
            at=("initial_guesses",),
            hint="give as many starts, or leave multistarts out",
        )
    fixed = guesses if isinstance(guesses, dict) else {}
    missing = wanted - len(listed)
    if missing:
        _refuse_unbounded(element, space, fixed)
    sampler = element.initial_guess_sampler or LatinHypercube()
    cube = sampler.draw(missing, len(space.dimensions), np.random.default_rng(seed)) if missing else ()
    return listed + [_drawn(element, space, row, fixed) for row in cube]


def chained(element: DataFit, space: Space, seed: int) -> Space:
    """Return the space of a search by chains, with their starts.

    There is one for each of several starts. Where the fit has one, the chains are as many as the search makes on its
    own: the first starts there, the others at draws of the parameters that have an `initial_guess_distribution`.

    Raises: as `starts`.
    """
    each = starts(element, space, seed)
    if element.multistarts is not None or isinstance(element.initial_guesses, list):
        return replace(each[0], starts=tuple(one.values(one.initial) for one in each))
    fixed = element.initial_guesses if isinstance(element.initial_guesses, dict) else {}
    own = {d.name: d for d in space.dimensions if _distribution(element, d) is not None and d.name not in fixed}
    sampler = element.initial_guess_sampler or LatinHypercube()
    cube = sampler.draw(CHAINS - 1, len(own), np.random.default_rng(seed)) if own else np.empty((CHAINS - 1, 0))
    drawn = [
        {**fixed, **{name: _value(element, one, float(q)) for (name, one), q in zip(own.items(), row, strict=True)}}
        for row in cube
    ]
    return replace(space, starts=(space.values(space.initial), *drawn))


def _refuse_unbounded(element: DataFit, space: Space, fixed: Mapping[str, float]) -> None:
    for dimension in space.dimensions:
        bounded = np.isfinite(dimension.lower) and np.isfinite(dimension.upper)
        if not bounded and dimension.name not in fixed and _distribution(element, dimension) is None:
            raise ConfigurationError(
                f"several starts are drawn between bounds, and {dimension.name!r} has not both",
                at=("parameters", dimension.name),
                hint="give it bounds, or an initial_guess_distribution",
            )


def _drawn(element: DataFit, space: Space, fractions: Array, fixed: Mapping[str, float]) -> Space:
    """Return the space with the start at fractions (d,) of each parameter's range, or of its own distribution."""
    drawn = {
        dimension.name: _value(element, dimension, float(fraction))
        for dimension, fraction in zip(space.dimensions, fractions, strict=True)
        if dimension.name not in fixed
    }
    return _with_guess(space, {**drawn, **fixed})


def _distribution(element: DataFit, dimension: Dimension) -> Distribution | None:
    return element.plain[dimension.name].initial_guess_distribution


def _value(element: DataFit, dimension: Dimension, fraction: float) -> float:
    distribution = _distribution(element, dimension)
    if distribution is not None:
        value = float(distribution.quantile(np.array([fraction]))[0])
        return min(max(value, dimension.lower), dimension.upper)
    offset, scale = dimension.scaling
    low, high = dimension.transformed_bounds
    return dimension.value((low + fraction * (high - low) - offset) / scale)


def _with_guess(space: Space, guess: Mapping[str, float]) -> Space:
    unknown = [name for name in guess if name not in space.names]
    if unknown:
        raise ConfigurationError(
            f"the initial guess names {unknown[0]!r}, which is no parameter of the fit",
            at=("initial_guesses",),
            hint=did_you_mean(unknown[0], space.names),
        )
    dimensions = tuple(replace(d, initial=float(guess.get(d.name, d.initial))) for d in space.dimensions)
    return replace(space, dimensions=dimensions)
