"""Confidence intervals of parameters at a point that is found already."""

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np

from cellwright.engine.analysis import Standing, record_of, standing
from cellwright.engine.identifiability import Uncertainty, noise_names, told, uncertainty
from cellwright.engine.linearisation import differences, linearised, question_at, quietly
from cellwright.engine.search import Evaluation, Question
from cellwright.engine.world import World
from cellwright.errors import ConfigurationError
from cellwright.physics.identifiability import curved, hessian
from cellwright.schema.elements import LinearConfidenceInterval
from cellwright.schema.families import Array
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import ElementRecord
from cellwright.schema.values import digest


def confidence(name: str, element: LinearConfidenceInterval, p: ParameterSet, world: World) -> ElementRecord:
    """Return the record of the intervals at the values that the elements before have left.

    Raises: the first error of the set-up, `SolverError` where the point cannot be solved, `ConfigurationError` for
    fewer data than parameters, `CanceledError`.
    """
    began = world.clock()
    stood = standing(name, element, p, world)
    question, point = stood.question, stood.point
    line = linearised(
        question, point, digest([stood.key, "slopes"]), world, dict(element.variable_standard_deviations or {})
    )
    one = uncertainty(line, element.confidence_level, noise_names(question))
    counts, warnings = Counter(line.counts), []
    if not element.gauss_newton:
        one, more, warning = _by_curvature(one, question, digest([stood.key, "curvature"]), world)
        counts.update(more)
        warnings += [warning] if warning else []
    found = told(one, question, clipped=element.use_parameter_bounds)
    result = {
        "type": "ConfidenceIntervalResult",
        "method": "linear",
        "confidence_level": element.confidence_level,
        "intervals": {n: _ends(n, row, stood, element.use_parameter_bounds) for n, row in found["parameters"].items()},
        "covariance": found["covariance"],
        "identifiability": found,
    }
    return record_of(element, stood, result, counts, world.clock() - began, tuple(warnings))


def _ends(name: str, row: dict[str, Any], stood: Standing, clipped: bool) -> dict[str, float | None]:
    """Return the ends of an interval; where the data determine nothing they are the bounds, if these are asked for."""
    low, high = row["interval"] or (None, None)
    dimension = next(one for one in stood.question.space.dimensions if one.name == name)
    if row["interval"] is None and clipped:
        low, high = (end if np.isfinite(end) else None for end in (dimension.lower, dimension.upper))
    return {"lower": low, "upper": high}


def _by_curvature(
    one: Uncertainty, question: Question, key: str, world: World
) -> tuple[Uncertainty, dict[str, int], str | None]:
    """Return the uncertainty with the covariance from the Hessian of the negative logarithm of the likelihood.

    Its steps are as long as the standard error that a parameter would have if the others were known, so that the
    logarithm changes by about one half, and stay between the bounds. Where there is no minimum at the point, or a bound
    leaves no room, the slopes' covariance stays, and the third value says why.
    """
    places = [int(place) for place in np.flatnonzero(one.found.determined)]
    space, point = question.space, one.line.point
    steps = _steps(one, places)
    room = np.minimum(point - space.lower, space.upper - point)[places]
    if (room < steps / 2).any():
        return one, {}, "at a bound there is no curvature to both sides: the intervals are those of gauss_newton"
    steps = np.minimum(steps, room)
    points = np.array([point + shift for shift in shifts(len(point), places, steps)])
    evaluation = Evaluation(question_at(question), quietly(world), key)
    values = _log_likelihoods(one, differences(evaluation(points)))
    matrix = hessian(values, steps)
    found = curved(one.found, matrix, places, one.scale, one.width)
    if found is None:
        said = "the likelihood has no maximum at this point: the intervals are those of gauss_newton"
        return one, dict(evaluation.counts), said
    return Uncertainty(**{**vars(one), "found": found}), dict(evaluation.counts), None


def _steps(one: Uncertainty, places: list[int]) -> Array:
    """Return the standard errors in search coordinates that the named parameters have when all others are known."""
    line, variances = one.line, _variances(one)
    rows = np.flatnonzero(np.isfinite(variances) & line.usable)
    slopes = line.jacobian[np.ix_(rows, np.array(places))] / np.sqrt(variances[rows])[:, None]
    with np.errstate(divide="ignore"):
        alone = 1 / np.linalg.norm(slopes, axis=0)
    least = np.abs(line.offsets).max(axis=1)[places]
    return np.asarray(np.maximum(alone, least))


def _variances(one: Uncertainty) -> Array:
    """Return the variance of each difference (m,), NaN where it does not count."""
    variances = np.full(len(one.line.differences), np.nan)
    sigmas = {(noise.objective, noise.variable): noise.sigma for noise in one.noise}
    for block in one.line.blocks:
        sigma = sigmas.get((block.objective, block.variable))
        if sigma is not None:
            variances[block.rows] = sigma**2
    if not (variances[np.isfinite(variances)] > 0).all():
        raise ConfigurationError(
            "the model fits these data exactly, so that there is no noise to tell a likelihood by",
            hint="give variable_standard_deviations",
        )
    return variances


def _log_likelihoods(one: Uncertainty, points: Array) -> Array:
    """Return the negative logarithm of the likelihood (n,) up to a constant of rows of differences (n, m)."""
    variances = _variances(one)
    rows = np.flatnonzero(np.isfinite(variances) & one.line.usable)
    return np.asarray(0.5 * np.sum(points[:, rows] ** 2 / variances[rows], axis=1))


def shifts(size: int, places: list[int], steps: Array) -> list[Array]:
    """Return the shifts (size,) of a Hessian's points: none, each step down and up, and each pair down and up."""
    single = np.zeros((len(places), size))
    single[range(len(places)), places] = steps
    pairs = [single[i] + single[j] for i, j in combinations(range(len(places)), 2)]
    return [np.zeros(size), *(side * one for one in (*single, *pairs) for side in (-1.0, 1.0))]
