"""The residuals of a search, differentiated: where models are closed forms that know how they change."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cellwright.catalog.estimators.slopes import Remembered, central_differences
from cellwright.engine.objectives import comparison
from cellwright.schema.families import Array, Derivatives, Prepared
from cellwright.schema.search import Space

if TYPE_CHECKING:  # the search asks for derivatives
    from cellwright.engine.search import TotalCost


Predicted = Mapping[str, Mapping[str, Array]]
"""objective → variable → what the model says."""


def jacobian(
    space: Space, ready: Mapping[str, Prepared], cost: "TotalCost", point: Array, known: Predicted | None = None
) -> Array | None:
    """Return the derivatives (m, d) of the residuals at a point (d,) by its coordinates.

    None where one of the objectives does not know its slopes or has no value, where a cost knows no derivatives of its
    residual array, and where a cost looks up what is searched. `known` are the predictions at the point. Priors,
    constraints and penalties, which are cheap, are differentiated by central differences; an objective by its own
    formulas, a cost by its own.
    """
    if cost.reads:
        return None
    values = space.values(point)
    slopes = _slopes(space, ready, point, values)
    if slopes is None:
        return None
    predicted = known or _predicted(ready, values)
    if any(not np.isfinite(y).all() for one in predicted.values() for y in one.values()):
        return None
    parts = [one.jacobian(part, slopes) for one, part in cost.parts(comparison(ready, predicted))]
    terms = _of_terms(space, cost, point)
    if terms is None or any(part is None for part in parts):
        return None
    return np.concatenate([*(part for part in parts if part is not None), terms])


def _predicted(ready: Mapping[str, Prepared], values: Mapping[str, float]) -> Predicted:
    """Return the predictions, NaN of an objective that has none."""
    solved = {name: one.predict(values).outputs for name, one in ready.items()}
    return {
        name: {variable: solved[name].get(variable, np.full(len(y), np.nan)) for variable, y in one.observed.items()}
        for name, one in ready.items()
    }


def _slopes(
    space: Space, ready: Mapping[str, Prepared], point: Array, values: Mapping[str, float]
) -> Derivatives | None:
    """Return the derivatives of the predictions by the coordinates, or None where an objective does not know them."""
    slopes: dict[str, dict[str, Array]] = {}
    rates = space.slopes(point)
    for name, one in ready.items():
        known = getattr(one, "slopes", None)
        by_parameter = None if known is None else known(values)
        if by_parameter is None:
            return None
        slopes[name] = {
            variable: _columns(by_parameter.get(variable, {}), space.names, rates, len(data))
            for variable, data in one.observed.items()
        }
        if not all(np.isfinite(np.linalg.norm(slope)) for slope in slopes[name].values()):
            return None
    return slopes


def _columns(by_name: Mapping[str, Array], names: tuple[str, ...], rates: Array, rows: int) -> Array:
    columns = np.zeros((rows, len(names)))
    for place, name in enumerate(names):
        if name in by_name:
            columns[:, place] = by_name[name]
    return np.asarray(columns @ rates)


def _of_terms(space: Space, cost: "TotalCost", point: Array) -> Array | None:
    """Return the derivatives of the residuals of priors, constraints and penalties; None where there are none."""
    if not cost.terms.terms:
        return np.zeros((0, len(point)))
    if cost.terms.residuals(space.values(point)) is None:
        return None

    def residuals(points: Array) -> Array:
        return np.array([cost.terms.residuals(space.values(x)) for x in points])

    return central_differences(Remembered(residuals), point, space)
