"""Objectives made ready: their data settled, their models built, their predictions compared."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cellwright.catalog.costs import MAE, RMSE, Max
from cellwright.engine.world import World
from cellwright.errors import CellwrightError, ConfigurationError, MissingParameterError, Problem
from cellwright.schema.datasource import DataSource
from cellwright.schema.document import map_data
from cellwright.schema.elements import AnyElement
from cellwright.schema.families import Array, Calculation, Comparison, Cost, Entry, Objective, Prepared
from cellwright.schema.names import unit_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import Channels
from cellwright.schema.simulation import Simulate
from cellwright.schema.values import normalise

Found = tuple[AnyElement, list[Problem]]


def settled(element: AnyElement, world: World) -> Found:
    """Return the element with its data read and cut to the rows it means, and what went wrong with that."""
    problems: list[Problem] = []

    def change(source: DataSource, at: tuple[str, ...]) -> DataSource:
        try:
            return world.load(source)
        except CellwrightError as error:
            problems.append(Problem.of(error.within(*at)))
            return source

    return map_data(element, change, ()), problems


def computed(element: Entry | Calculation, p: ParameterSet) -> dict[str, Any]:
    """Return what an entry or a calculation gives.

    Raises: what it raises; arithmetic that fails on what it was given, and a calculation that makes NaN of it, is a
    `ConfigurationError`.
    """
    try:
        values = {name: normalise(value) for name, value in element.compute(p).items()}
    except CellwrightError:
        raise
    except (TypeError, ValueError, ArithmeticError) as cause:
        raise ConfigurationError(f"{type(element).__name__} cannot be worked out: {cause}", hint=_look_at(p)) from cause
    undefined = [name for name, value in values.items() if isinstance(value, float) and math.isnan(value)]
    if undefined and isinstance(element, Calculation):
        raise ConfigurationError(f"{type(element).__name__} makes {undefined[0]!r} NaN, not a number", hint=_look_at(p))
    return values


def _look_at(p: ParameterSet) -> str:
    return "look at the values that it reads: " + ", ".join(repr(name) for name in sorted(p.reads or ()))


def prepared(
    objectives: Mapping[str, Objective], p: ParameterSet, free: tuple[str, ...], simulate: Simulate
) -> tuple[dict[str, Prepared], list[CellwrightError]]:
    """Return the objectives with their models built, and the errors of those that could not be."""
    ready: dict[str, Prepared] = {}
    errors: list[CellwrightError] = []
    for name, objective in objectives.items():
        try:
            ready[name] = objective.prepare(p, free, simulate)
        except CellwrightError as error:
            errors.append(error.within("objectives", name))
    return ready, errors


def missing_of(error: CellwrightError) -> list[str]:
    """Return the names of the parameters that an error says are missing."""
    if isinstance(error, MissingParameterError):
        return list(error.detail.get("missing") or ([error.detail["parameter"]] if "parameter" in error.detail else []))
    return []


def comparison(ready: Mapping[str, Prepared], predicted: Mapping[str, Mapping[str, Array]]) -> Comparison:
    """Return model beside data for each objective and variable."""
    return {
        name: {variable: (predicted[name][variable], data) for variable, data in one.observed.items()}
        for name, one in ready.items()
    }


def statistics(
    model: Array, data: Array, variable: str, costs: Sequence[Cost] | None = None
) -> list[tuple[str, float]]:
    """Return named statistics of one variable, unnormalised, volts in mV: `("RMSE [mV] (Voltage [V])", 11.6)`.

    Where the model ended early the rows that both have are compared.
    """
    there = np.isfinite(model) & np.isfinite(data)
    pair = {"": {variable: (model[there], data[there])}}
    unit = unit_of(variable)
    factor, shown = (1e3, "mV") if unit == "V" else (1.0, unit)
    result = []
    for cost in costs if costs is not None else (RMSE(), MAE(), Max()):
        value = cost.unscaled().scalar(pair) if there.any() else float("nan")
        label = f" [{shown}{cost.power if cost.power > 1 else ''}]" if shown and cost.power else ""
        result.append((f"{type(cost).__name__}{label} ({variable})", value * factor**cost.power))
    return result


def channels(one: Prepared, predicted: Mapping[str, Array]) -> Channels:
    """Return the series of an objective: the independent variable, data and model of each variable."""
    series: dict[str, Array] = {one.x_name: one.x}
    for variable, data in one.observed.items():
        series[f"{variable} (data)"] = data
        if variable in predicted:
            series[f"{variable} (model)"] = predicted[variable]
    return series
