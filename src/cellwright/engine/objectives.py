"""Objectives made ready: their data settled, their models built, their predictions compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from cellwright.schema.simulation import Simulate, Solved
from cellwright.schema.values import digest, normalise
from cellwright.schema.work import Answer, Task, Work

Found = tuple[AnyElement, list[Problem]]


@dataclass(frozen=True)
class ObjectiveJob:
    """The objectives that a pool's workers predict.

    Those whose models are `portable` travel built, and need no PyBaMM where they arrive; the others are built there.
    """

    ready: Mapping[str, Prepared]
    objectives: Mapping[str, Objective]
    parameters: ParameterSet
    free: tuple[str, ...]
    simulate: Simulate
    digest: str

    @classmethod
    def of(
        cls,
        ready: Mapping[str, Prepared],
        objectives: Mapping[str, Objective],
        p: ParameterSet,
        free: tuple[str, ...],
        simulate: Simulate,
    ) -> "ObjectiveJob":
        """Return the job, with the digest of all it depends on."""
        key = digest([{n: o.digest() for n, o in objectives.items()}, dict(p.values_), list(free)])
        return cls(dict(ready), dict(objectives), p, free, simulate, key)

    def __call__(self) -> Work:
        """Build the models that did not come built; return the function that answers tasks."""
        ready = {
            name: self.ready.get(name) or objective.prepare(self.parameters, self.free, self.simulate)
            for name, objective in self.objectives.items()
        }

        def answers(tasks: Sequence[Task]) -> list[Answer]:
            solved: dict[int, Solved] = {}
            for name in dict.fromkeys(task.objective for task in tasks):
                places = [place for place, task in enumerate(tasks) if task.objective == name]
                points = [tasks[place].inputs for place in places]
                solved.update(zip(places, predictions(ready[name], points), strict=True))
            return [Answer(one.status, one.outputs, one.message) for _, one in sorted(solved.items())]

        return answers

    def thinned(self, points: Sequence[Mapping[str, float]]) -> "ObjectiveJob":
        """Return the job of a search: with models that are evaluated at as few times as these points need."""
        ready = {name: _thinned(one, points) for name, one in self.ready.items()}
        return replace(self, ready=ready, digest=digest([self.digest, "thinned", list(map(dict, points))]))

    def __getstate__(self) -> dict[str, Any]:
        portable = {name: one for name, one in self.ready.items() if getattr(one, "portable", False)}
        return {**self.__dict__, "ready": portable}


def _thinned(one: Prepared, points: Sequence[Mapping[str, float]]) -> Prepared:
    thin = getattr(one, "thinned", None)
    found: Prepared = one if thin is None else thin(points)
    return found


def predictions(one: Prepared, points: Sequence[Mapping[str, float]]) -> list[Solved]:
    """Return what an objective predicts at each of the points: together where it can do many at once."""
    many = getattr(one, "predict_many", None)
    return many(points) if many is not None else [one.predict(point) for point in points]


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
