"""What a fit has found, as its record tells it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from cellwright.engine.designs import bounds_told, courses, designs, metrics_told
from cellwright.engine.doubts import told_by
from cellwright.engine.fit_setup import FitSetup
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.objectives import channels, statistics
from cellwright.engine.outcomes import commonest, failures_told
from cellwright.engine.searches import Child
from cellwright.engine.world import World
from cellwright.errors import SolverError
from cellwright.schema.elements import DataFit, DataFitOptions
from cellwright.schema.families import Estimator, Prepared
from cellwright.schema.names import unit_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.results import ElementRecord, Series
from cellwright.schema.values import free_names, to_wire
from cellwright.schema.work import Answer, Task

AT_BOUND = 1e-3
"""Distance from a bound, as a fraction of the range, within which a fitted value counts as being at it."""


def record_of(
    name: str,
    element: DataFit,
    setup: FitSetup,
    children: list[Child],
    job: ObjectiveJob,
    seed: int | None,
    world: World,
    began: float,
) -> ElementRecord:
    """Return the record of what the searches from all starts have found, the best first.

    Raises: `SolverError` where no point at all could be solved.
    """
    ordered = sorted(children, key=lambda child: child.cost)
    best = ordered[0]
    counts = sum((child.evaluation.counts for child in children), start=Counter[str]())
    causes = sum((child.evaluation.failures for child in children), start=Counter[str]())
    if not np.isfinite(best.cost):
        raise SolverError(
            f"not one of {counts['evaluations']} points could be solved; {commonest(causes)}",
            hint="look at the bounds and the initial values of the fit parameters",
        )
    initial = {dimension.name: dimension.initial for dimension in best.space.dimensions}
    told = {} if (element.options or DataFitOptions()).skip_objective_callbacks else setup.ready
    tasks = [Task(objective, point) for point in (initial, best.values) for objective in told]
    answers = _answers(job, tasks, setup.space.closed_form, world)
    before = dict(zip(told, answers[: len(told)], strict=True))
    after = dict(zip(told, answers[len(told) :], strict=True))
    counts["solves"] += len(answers)
    metrics = {n: metrics_told(one, initial=before[n], fitted=after[n]) for n, one in designs(told).items()}
    bounds = [said for n, rows in metrics.items() for said in bounds_told(n, rows)]
    values = {**best.values, **_tied_values(element, setup.p, best.values)}
    rows = [_row(dimension, best.values[dimension.name]) for dimension in best.space.dimensions]
    return ElementRecord(
        name=name,
        element_type="data_fit",
        type="DataFit",
        status="completed",
        seconds=world.clock() - began,
        result={
            **_kind(best, setup.estimator),
            "parameter_values": {key: to_wire(value) for key, value in values.items()},
            "cost": best.cost,
            "fun": best.cost,
            "x": [best.values[dimension.name] for dimension in best.space.dimensions],
            "success": best.found.success,
            "message": best.found.message,
            "evaluations": counts["evaluations"],
            "iterations": best.found.iterations,
            "initial_guess": initial,
            "seed": seed,
            "children": [_child(child, setup.estimator) for child in ordered] if len(ordered) > 1 else [],
            "parameters": rows,
            "objectives": {n: _before_and_after(told[n], before[n], after[n]) for n in told if n not in metrics},
            **({"metrics": metrics} if metrics else {}),
        },
        reads=tuple(sorted(setup.reads)),
        series=_series(told, before, after),
        trace=tuple(best.evaluation.trace),
        counts=dict(counts),
        warnings=(
            *failures_told(counts, causes),
            *_early(told, after),
            *bounds,
            *_doubted(told, best.values),
        ),
    )


def _answers(job: ObjectiveJob, tasks: list[Task], here: bool, world: World) -> list[Answer]:
    """Return the answers of tasks: from the pool, or worked out here."""
    if not tasks:
        return []
    return job()(tasks) if here else world.pool.map(job, tasks, world.solve_time_limit)


def _kind(child: Child, estimator: Estimator) -> dict[str, Any]:
    """Return the type of a result, and with an ensemble all its points in their units (n, d) and their costs (n,)."""
    if not estimator.ensemble:
        return {"type": "OptimizationResult"}
    points = [child.space.values(point) for batch in child.evaluation.batches for point in batch.points]
    costs = [float(cost) for batch in child.evaluation.batches for cost in batch.costs]
    return {
        "type": "EnsembleResult",
        "method": type(estimator).__name__,
        "samples": [list(values.values()) for values in points],
        "costs": [cost if np.isfinite(cost) else None for cost in costs],
    }


def _early(ready: Mapping[str, Prepared], after: Mapping[str, Answer]) -> list[str]:
    """Return a warning for each objective whose best simulation does not last as long as the data, or the protocol."""
    planned, said = designs(ready), "even the best simulation ended before the data"
    return [
        f"{name}: the best design was not taken to the end of its experiment ({after[name].message})"
        if name in planned
        else f"{name}: {said} ({after[name].message}); what is missing was penalised"
        for name in ready
        if after[name].status == "ended early"
    ]


def _doubted(ready: Mapping[str, Prepared], values: Mapping[str, float]) -> list[str]:
    return [f"{problem.at[-1]}: {problem.message}" for problem in told_by(ready, values)]


def _row(dimension: Any, value: float) -> dict[str, Any]:
    low, high = dimension.transformed_bounds
    width = high - low
    at_bound = None
    if np.isfinite(width):
        place = (dimension.forward(value) - low) / width
        at_bound = "lower" if place < AT_BOUND else "upper" if place > 1 - AT_BOUND else None
    return {
        "name": dimension.name,
        "unit": unit_of(dimension.name),
        "initial": dimension.initial,
        "value": value,
        "lower": to_wire(dimension.lower),
        "upper": to_wire(dimension.upper),
        "at_bound": at_bound,
    }


def _child(child: Child, estimator: Estimator) -> dict[str, Any]:
    return {
        **_kind(child, estimator),
        "parameter_values": child.values,
        "cost": to_wire(child.cost),
        "success": child.found.success and bool(np.isfinite(child.cost)),
        "message": child.found.message,
        "evaluations": child.evaluation.counts["evaluations"],
        "initial_guess": {dimension.name: dimension.initial for dimension in child.space.dimensions},
    }


def _before_and_after(one: Prepared, before: Answer, after: Answer) -> dict[str, dict[str, float | None]]:
    rows: dict[str, dict[str, float | None]] = {}
    for column, answer in (("initial", before), ("fitted", after)):
        for variable, data in one.observed.items():
            model = answer.predicted.get(variable, np.full_like(data, np.nan))
            for statistic, value in statistics(model, data, variable):
                rows.setdefault(statistic, {})[column] = value if np.isfinite(value) else None
    return rows


def _series(ready: Mapping[str, Prepared], before: Mapping[str, Answer], after: Mapping[str, Answer]) -> Series:
    planned = designs(ready)
    return {
        name: courses(before[name], after[name])
        if name in planned
        else {
            "optimal": channels(one, after[name].predicted),
            "baseline": channels(one, before[name].predicted),
        }
        for name, one in ready.items()
    }


def _tied_values(element: DataFit, p: ParameterSet, values: Mapping[str, float]) -> dict[str, Any]:
    """Return the tied parameters at the fitted values, worked out as far as the elements before allow."""
    worked_out = {name: p.values_[name] for name in element.tied}
    return {n: value.substitute(values) if free_names(value) else value for n, value in worked_out.items()}
