"""The same fit at each value of a variable, and the table of what each finds."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from cellwright.engine.fit import Fitting, ready_to_search
from cellwright.engine.fit_setup import FitSetup, set_up
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.seams import Event, Sink
from cellwright.engine.searches import Child
from cellwright.engine.starts import starting_values
from cellwright.engine.together import together
from cellwright.engine.world import World
from cellwright.errors import CanceledError, CellwrightError, ConfigurationError
from cellwright.schema.elements import ArrayDataFit, DataFit, DataFitOptions, data_fit
from cellwright.schema.families import Array
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import ElementRecord
from cellwright.schema.values import normalise, to_wire
from cellwright.schema.work import Pool

TOLD = 6
"""Values of the variable that a warning names."""
Result = TypeVar("Result")


def fits_of(element: ArrayDataFit) -> dict[str, DataFit]:
    """Return the fit at each value of the variable, in the order of the values.

    Raises: `ConfigurationError` for a value that is no number, and for one that stands twice.
    """
    numbers: dict[float, str] = {}
    for key in element.objectives:
        value = _number(key)
        if value is None:
            raise ConfigurationError(
                f"the objectives of an array fit are named by the values of its variable, and {key!r} is no number",
                at=("objectives", key),
                hint="write {298.15: …, 313.15: …}",
            )
        if value in numbers:
            raise ConfigurationError(f"{key!r} and {numbers[value]!r} are the same number", at=("objectives", key))
        numbers[value] = key
    return {key: data_fit(element, objectives={key: element.objectives[key]}) for _, key in sorted(numbers.items())}


def _number(key: str) -> float | None:
    try:
        value = float(key)
    except ValueError:
        return None
    return value if isfinite(value) else None


def look_at_each(
    name: str, element: ArrayDataFit, p: ParameterSet, world: World
) -> Iterator[tuple[FitSetup, list[CellwrightError]]]:
    """Yield the set-up of each fit, and what is wrong with it."""
    for one in fits_of(element).values():
        yield set_up(name, one, p, world)


def standing_in(element: ArrayDataFit, p: ParameterSet) -> dict[str, Array]:
    """Return the tables of the free parameters with each fit at its start."""
    fits = fits_of(element)
    values, space = np.array([float(key) for key in fits]), starting_values(next(iter(fits.values())), p)
    return {one.name: np.array([values, np.full(len(values), one.initial)]) for one in space.dimensions}


def array_fit(name: str, element: ArrayDataFit, p: ParameterSet, world: World) -> ElementRecord:
    """Return the record of the fits; one that fails is told and does not sink the others.

    The fits are searched at the same time, so that what they ask for is one batch for the pool's workers; one after the
    other where each has a time limit, and with `objective_parallelism` "off".

    Raises: the first error where every fit fails, `CanceledError`.
    """
    began = world.clock()
    fits = fits_of(element)
    alone = element.objective_parallelism == "off" or (element.options or DataFitOptions()).maxtime is not None
    records: dict[str, ElementRecord] = {}
    failed: dict[str, CellwrightError] = {}
    progress = _Progress(world.emit)
    for keys in [[key] for key in fits] if alone else [list(fits)]:
        found = _fitted(name, {key: fits[key] for key in keys}, p, world, progress)
        records |= {key: one for key, one in found.items() if isinstance(one, ElementRecord)}
        failed |= {key: one for key, one in found.items() if isinstance(one, CellwrightError)}
    if not records:
        raise next(iter(failed.values()))
    tables, left = _tables(records)
    counts: Counter[str] = Counter()
    for record in records.values():
        counts.update(record.counts)
    return ElementRecord(
        name=name,
        element_type="array_data_fit",
        type="ArrayDataFit",
        status="completed",
        seconds=world.clock() - began,
        result={
            "type": "ParameterEstimatorResult",
            "parameter_values": {key: to_wire(table) for key, table in tables.items()},
            "cost": sum(record.result["cost"] for record in records.values()),
            "values": [float(key) for key in records],
            "fits": {key: _without_draws(record.result) for key, record in records.items()},
            "objectives": {key: record.result["objectives"][key] for key, record in records.items() if _judged(record)},
            "failed_objectives": {key: str(error) for key, error in failed.items()},
        },
        reads=tuple(sorted({read for record in records.values() for read in record.reads})),
        series={objective: both for record in records.values() for objective, both in record.curves.items()},
        counts=counts,
        warnings=(
            *_remarks(records),
            *_undetermined(records),
            *(f"{one!r} is no number at each value, and makes no table" for one in left),
        ),
    )


def _fitted(
    name: str, fits: Mapping[str, DataFit], p: ParameterSet, world: World, progress: "_Progress"
) -> dict[str, ElementRecord | CellwrightError]:
    """Return the record of each fit, or the error with which it fails; all are searched at the same time."""
    begun = {key: _tried(partial(ready_to_search, name, one, p, world)) for key, one in fits.items()}
    fittings = {key: one for key, one in begun.items() if isinstance(one, Fitting)}
    if not fittings:
        return {key: one for key, one in begun.items() if isinstance(one, CellwrightError)}
    job = ObjectiveJob.merged([one.job for one in fittings.values()])
    thinned = ObjectiveJob.merged([one.question.job for one in fittings.values()])

    def searched(key: str, fitting: Fitting, pool: Pool) -> list[Child] | CellwrightError:
        own = replace(world, emit=progress.of(key))
        question = replace(fitting.question, job=thinned)
        return _tried(lambda: replace(fitting, question=question).children(own, pool))

    def recorded(fitting: Fitting, children: list[Child] | CellwrightError, pool: Pool) -> Any:
        if isinstance(children, CellwrightError):
            return children
        return _tried(lambda: replace(fitting, job=job).record(children, replace(world, pool=pool)))

    children = together([partial(searched, key, one) for key, one in fittings.items()], world.pool)
    ends = [partial(recorded, one, found) for one, found in zip(fittings.values(), children, strict=True)]
    return begun | dict(zip(fittings, together(ends, world.pool), strict=True))


def _tried(work: Callable[[], Result]) -> Result | CellwrightError:
    """Return what work comes to, or the error with which it fails. Raises: `CanceledError`."""
    try:
        return work()
    except CanceledError:
        raise
    except CellwrightError as error:
        return error


class _Progress:
    """Tells how all the fits stand together, where each tells of itself."""

    def __init__(self, emit: Sink) -> None:
        self._emit = emit
        self._last: dict[str, Mapping[str, Any]] = {}

    def of(self, key: str) -> Sink:
        """Return the sink of one fit."""

        def sink(event: Event) -> None:
            if event.kind == "progress":
                self._last[key] = event.data
                told = self._last.values()
                sums = {
                    name: sum(one[name] for one in told) for name in ("evaluations", "replayed", "best_cost", "rate")
                }
                event = replace(event, data={**event.data, **sums})
            self._emit(event)

        return sink


def _without_draws(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of one fit, which tells a posterior without the draws."""
    return {name: value for name, value in result.items() if name != "chains_storage_ref"}


def _judged(record: ElementRecord) -> bool:
    return bool(record.result["objectives"])


def _remarks(records: Mapping[str, ElementRecord]) -> Iterator[str]:
    for key, record in records.items():
        said = [warning.removeprefix(f"{key}: ") for warning in record.warnings]
        if record.result.get("success") is False:
            said.append(f"the search did not converge: {record.result.get('message') or 'no reason given'}")
        yield from (f"at {key}: {warning}" for warning in said)


def _undetermined(records: Mapping[str, ElementRecord]) -> Iterator[str]:
    """Yield a warning for each parameter whose table holds values that the data do not determine, or at a bound."""
    at: dict[str, list[str]] = {}
    for key, record in records.items():
        found = record.result.get("identifiability") or {}
        loose = {name for one in found.get("undetermined", ()) for name in one["parameters"]}
        for name in sorted({*loose, *found.get("without_effect", ()), *found.get("at_bounds", ())}):
            at.setdefault(name, []).append(key)
    for name, keys in at.items():
        told = ", ".join(keys[:TOLD]) + (", …" if len(keys) > TOLD else "")
        yield (
            f"{name!r} is not determined, or at a bound, at {len(keys)} of {len(records)} values ({told}): its table "
            f"holds where the search ended there; leave these objectives out, or widen the bounds"
        )


def _tables(records: Mapping[str, ElementRecord]) -> tuple[dict[str, Array], list[str]]:
    """Return the table (2, n) of each parameter, values of the variable above what was found, and what makes none."""
    found = {key: record.result["parameter_values"] for key, record in records.items()}
    names = list(next(iter(found.values())))
    tables: dict[str, Array] = {}
    left = []
    for name in names:
        column: list[Any] = [normalise(values[name]) for values in found.values()]
        if all(isinstance(value, int | float) for value in column):
            tables[name] = np.array([[float(key) for key in found], column], dtype=float)
        else:
            left.append(name)
    return tables, left
