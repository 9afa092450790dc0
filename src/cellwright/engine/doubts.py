"""What may be right and is likely a mistake: data in other units, a sign, a prior beside the bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cellwright.engine.terms import Terms
from cellwright.errors import DataError, Problem
from cellwright.schema.families import Objective, Prepared
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.search import Space

CURRENT, VOLTAGE = "Current [A]", "Voltage [V]"
CAPACITY, HIGHEST = "Nominal cell capacity [A.h]", "Upper voltage cut-off [V]"
CAPACITIES = (CAPACITY, *(f"{electrode} electrode capacity [A.h]" for electrode in ("Negative", "Positive", "Lumped")))
WITHIN = np.linspace(0.0, 1.0, 201)[1:-1]
"""The probabilities between which a prior is said to lie: 1/2 % is left out at both ends."""


def beside(terms: Terms, space: Space) -> Iterator[Problem]:
    """Yield a warning for each prior of one parameter that lies outside its bounds but for its tails."""
    dimensions = {dimension.name: dimension for dimension in space.dimensions}
    for prior in terms.priors:
        name = prior.names[0]
        if len(prior.names) > 1 or name not in dimensions or prior.distribution.dimensions > 1:
            continue
        low, high = dimensions[name].lower, dimensions[name].upper
        values = np.asarray(prior.distribution.quantile(WITHIN), dtype=float)
        if not ((values >= low) & (values <= high)).any():
            yield Problem(
                "warning",
                f"the prior of {name!r} lies between {values[0]:.3g} and {values[-1]:.3g}, and its bounds are "
                f"{low:.3g} and {high:.3g}",
                ("priors", name),
                "look at the unit of the prior, or move the bounds",
            )


def implausible(objectives: Mapping[str, Objective], p: ParameterSet) -> Iterator[Problem]:
    """Yield a warning for currents and voltages that look as if they were in another unit or of the other sign."""
    for name, objective in objectives.items():
        data = getattr(objective, "data_input", None)
        try:
            table = {} if data is None else data.table
        except DataError:  # data that were not found are told elsewhere
            continue
        yield from (replace(one, at=("objectives", name)) for one in _of_table(table, p))


def told_by(ready: Mapping[str, Prepared], inputs: Mapping[str, float], start: bool = False) -> Iterator[Problem]:
    """Yield a warning for all that objectives doubt of their data, and of their models at these values."""
    for name, one in ready.items():
        doubts = getattr(one, "doubts", None)
        yield from (
            Problem("warning", said, ("objectives", name)) for said in (doubts(inputs, start) if doubts else ())
        )


def _of_table(table: Mapping[str, Any], p: ParameterSet) -> Iterator[Problem]:
    columns = dict(table)
    current, voltage = (np.asarray(columns.get(name, ()), dtype=float) for name in (CURRENT, VOLTAGE))
    current, voltage = current[np.isfinite(current)], voltage[np.isfinite(voltage)]
    # A voltage of 20 times the cell's, a current of 100 times its capacity an hour: a factor 1000 lies between.
    if len(voltage) and np.median(np.abs(voltage)) > 20 * _number(p, HIGHEST, 5.0):
        yield _unit(VOLTAGE, voltage, "mV")
    capacity = _number(p, CAPACITY, np.inf)
    if len(current) and np.max(np.abs(current)) > 100 * capacity:
        yield _unit(CURRENT, current, "mA")
    large = next(
        (name for name in CAPACITIES if 1e-3 * _number(p, name, 0.0) > np.max(np.abs(current), initial=0.0)), ""
    )
    if large and np.any(current):
        said = f"the largest current is {np.max(np.abs(current)):.3g} A, and {large!r} is {p.values_[large]:.4g}"
        yield Problem("warning", said, (), "a capacity in mA.h is 1000 times too large")
    if len(current) and len(voltage) and np.max(current) <= 0 < -np.min(current) and voltage[-1] < voltage[0] - 0.05:
        said = f"the voltage falls from {voltage[0]:.4g} to {voltage[-1]:.4g} V while the current is negative"
        yield Problem("warning", said, (), "a current that discharges is positive here: change its sign")


def _unit(column: str, values: Any, unit: str) -> Problem:
    said = f"the column {column!r} runs from {np.min(values):.4g} to {np.max(values):.4g}, which looks like {unit}"
    return Problem("warning", said, (), "divide the column by 1000 if it is so")


def _number(p: ParameterSet, name: str, otherwise: float) -> float:
    value = p.values_.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
